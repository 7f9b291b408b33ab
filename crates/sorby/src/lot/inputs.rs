//! The images of a lot before anything is computed: whether each can be measured by the job, and if not, why.

use crate::error::{Context as _, refuse, refused};
use crate::job::Job;
use crate::scale::SaidOutside;
use crate::{Event, Observer, Result, checksum};
use sorby_image::scale::{Instrument, SCALE_TOLERANCE, instrument};
use sorby_image::{KnownScale, Shot};
use std::path::{Path, PathBuf};

/// An image that can be measured.
#[derive(Clone, Debug)]
pub struct Input {
    pub file: PathBuf,
    pub name: String,
    pub sha256: String,
    pub size_px: (usize, usize),
    pub data_bar_px: usize,
    pub scale: Option<KnownScale>,
    pub instrument: Instrument,
    pixels_blake3: String,
}

/// An image that is not measured.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOutImage {
    pub file: PathBuf,
    pub reason: String,
}

/// All images: those that are measured, and those that are not.
pub fn check(
    job: &Job,
    files: &[PathBuf],
    observer: &dyn Observer,
) -> Result<(Vec<Input>, Vec<LeftOutImage>)> {
    let said = job.scale_options().said()?;
    let (mut good, mut left_out): (Vec<Input>, Vec<LeftOutImage>) = (Vec::new(), Vec::new());
    observer.event(Event::Begin { total: files.len(), unit: "images checked" });
    for file in files {
        let input = look(job, &said, file).and_then(|(input, _)| unlike_any(input, &good));
        match input {
            Ok(input) => good.push(input),
            Err(error) => {
                let reason = error.to_string();
                observer.event(Event::Problem(reason.clone()));
                left_out.push(LeftOutImage { file: file.clone(), reason: without_path(&reason, file) });
            }
        }
        observer.event(Event::Advance(1));
    }
    observer.event(Event::End);
    Ok((good, left_out))
}

/// One image, and what is known of it.
///
/// # Errors
/// Why it cannot be measured by the job.
pub fn look(job: &Job, said: &SaidOutside, file: &Path) -> Result<(Input, Shot)> {
    if file.to_str().is_none() {
        refuse!("{}: its name is no UTF-8, so no report can name it; give it another name", file.display());
    }
    let shot = Shot::read(file, &said.of(file))?;
    Ok((of(job, file, &shot)?, shot))
}

fn of(job: &Job, file: &Path, shot: &Shot) -> Result<Input> {
    let shown = file.display();
    let rules = &job.scale;
    match shot.nm_per_px() {
        None if rules.required => {
            return Err(refused!(
                "{shown}: has no pixel size, and the job requires one; give the image with its metadata, or \
                 state nm_per_px in the job file and lock it again"
            ));
        }
        Some(nm) => {
            let low = rules.from_nm_per_px.is_some_and(|from| nm < from / (1.0 + SCALE_TOLERANCE));
            let high = rules.to_nm_per_px.is_some_and(|to| nm > to * (1.0 + SCALE_TOLERANCE));
            if low || high {
                let side = |v: Option<f64>| v.map_or("any".to_owned(), |v| v.to_string());
                return Err(refused!(
                    "{shown}: its pixel size is {nm:.4} nm, and the job is for {} to {} nm",
                    side(rules.from_nm_per_px),
                    side(rules.to_nm_per_px)
                ));
            }
        }
        None => {}
    }
    Ok(Input {
        name: crate::listing::stem(file),
        sha256: checksum::sha256(file).with_context(|| shown.to_string())?,
        size_px: (shot.image.width, shot.image.height),
        data_bar_px: shot.data_bar_px(),
        scale: shot.scale.clone(),
        instrument: instrument(file).unwrap_or_default(),
        pixels_blake3: shot.image.pixels_blake3(),
        file: file.to_owned(),
    })
}

/// A field that counts twice makes the interval too narrow.
fn unlike_any(input: Input, before: &[Input]) -> Result<Input> {
    match before.iter().find(|b| b.pixels_blake3 == input.pixels_blake3) {
        Some(same) => Err(refused!("{}: is the same picture as {}", input.file.display(), same.name)),
        None => Ok(input),
    }
}

/// The reason alone: the report lists the file by its own place.
pub fn without_path(reason: &str, file: &Path) -> String {
    reason.strip_prefix(&format!("{}: ", file.display())).unwrap_or(reason).to_owned()
}
