//! What labelled images teach of a segmentation's errors, and whether a lesson is meant for the masks at hand.

use super::Measured;
use crate::Result;
use crate::error::{Context as _, refuse, refused};
use sorby_image::{ImagePart, MaskNote, Origin};
use sorby_measure::{Calibration, LeftOut, Pair};
use sorby_score::Overlap;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Learns from the images that tell of errors on new images.
///
/// # Errors
/// Why nothing can be learnt: true masks missing, masks that are the truth itself, of several models, or too few images
/// that the model was not fitted to.
pub fn learn<'a>(
    fields: impl Iterator<Item = &'a Measured>,
    class: &str,
    settings: String,
) -> Result<Calibration> {
    let all: Vec<&Measured> = fields.collect();
    let (mut used, mut left_out) = (Vec::new(), Vec::new());
    for &f in &all {
        match useless(f) {
            Some(reason) => left_out.push(LeftOut { image: f.name.clone(), reason: reason.to_owned() }),
            None => used.push(f),
        }
    }
    if !all.is_empty() && all.iter().all(|f| is_truth(f)) {
        refuse!("the masks are the truth itself, so they show no errors of a segmentation");
    }
    if Overlap::sum(used.iter().filter_map(|f| f.overlap)).is_below_chance() {
        refuse!(
            "the masks and the true masks agree on {class} less than chance would: are the true masks inside out (--values), \
             or of other places?"
        );
    }
    let (model_blake3, segmentation) = one_origin(&used)?;
    let pairs: Vec<Pair> = used
        .iter()
        .filter_map(|f| {
            let (particles, field) = f.truth.as_ref()?;
            Some(Pair { measured: (&f.field, &f.particles), truth: (field, particles) })
        })
        .collect();
    let names = used.iter().map(|f| f.name.clone()).collect();
    let learnt = Calibration::learn(class, settings, names, &pairs)
        .ok_or_else(|| refused!("{}", too_few(&used, &left_out)))?;
    if learnt.biases.is_empty() {
        refuse!("too little {class} is measured in these images to compare it with the truth");
    }
    let part = |f: &&Measured| f.origin.as_ref().and_then(|o| o.image_part);
    let held_out = used.iter().all(|f| part(f).is_some()).then_some(true);
    Ok(Calibration { model_blake3, segmentation, held_out, left_out, ..learnt })
}

fn is_truth(f: &Measured) -> bool {
    f.overlap.is_some_and(|o| o.is_whole())
}

/// Why an image teaches nothing of errors on new images.
fn useless(f: &Measured) -> Option<&'static str> {
    let trained = f.origin.as_ref().is_some_and(|o| o.image_part == Some(ImagePart::Train));
    match () {
        () if f.truth.is_none() => Some("has no true mask"),
        () if is_truth(f) => Some("its mask is the true mask itself"),
        () if trained => Some("it trained the model"),
        () if f.other_picture => Some("its mask was made of another picture"),
        () => None,
    }
}

fn too_few(used: &[&Measured], left_out: &[LeftOut]) -> String {
    let mut why = format!("it takes three images or more, and here are {}", used.len());
    if !left_out.is_empty() {
        let each: Vec<String> = left_out.iter().map(|l| format!("{}: {}", l.image, l.reason)).collect();
        why += &format!(" (left out: {})", each.join("; "));
    }
    why
}

/// Model and settings that made all masks.
fn one_origin(used: &[&Measured]) -> Result<(Option<String>, Option<String>)> {
    let of = |what: fn(&Origin) -> &String| -> BTreeSet<Option<String>> {
        used.iter().map(|f| f.origin.as_ref().map(|o| what(o).clone())).collect()
    };
    let (models, settings) = (of(|o| &o.model_blake3), of(|o| &o.settings));
    if models.len() > 1 {
        let names: Vec<String> = models.iter().map(|m| short(m.as_deref())).collect();
        refuse!("the masks are of several models ({}); each has errors of its own", names.join(", "));
    }
    if settings.len() > 1 {
        let names: Vec<&str> = settings.iter().flatten().map(String::as_str).collect();
        refuse!("the masks were made in several ways ({}); segment them alike", names.join("; "));
    }
    Ok((models.into_iter().next().flatten(), settings.into_iter().next().flatten()))
}

/// Enough of a hash to tell models apart by eye.
fn short(hash: Option<&str>) -> String {
    hash.map_or("a model that is not known".to_owned(), |h| h.chars().take(12).collect())
}

/// A calibration for these masks.
///
/// # Errors
/// When it is of another class, other settings, another model, or of the truth itself.
pub fn read(path: &Path, class: &str, settings: &str, masks: &[PathBuf]) -> Result<Calibration> {
    let text = fs_err::read_to_string(path)?;
    let shown = path.display();
    let read: Calibration = serde_json::from_str(&text)
        .with_context(|| format!("{shown}: is no calibration.json of `sorby measure --truth`"))?;
    if read.class != class {
        refuse!("{shown}: was learnt on {}, not on {class}", read.class);
    }
    if read.settings != settings {
        refuse!("{shown}: was learnt with {}; measure with the same, not with {settings}", read.settings);
    }
    if read.is_of_the_truth_itself() {
        refuse!(
            "{shown}: was learnt from true masks compared with themselves; learn it from a model's masks"
        );
    }
    for mask in masks {
        require_same_maker(path, &read, mask)?;
    }
    Ok(read)
}

fn require_same_maker(path: &Path, read: &Calibration, mask: &Path) -> Result<()> {
    let origin = MaskNote::read(mask).and_then(|n| n.origin);
    let (model, settings) = origin.map(|o| (o.model_blake3, o.settings)).unzip();
    let (path, mask) = (path.display(), mask.display());
    if read.model_blake3 != model {
        refuse!(
            "{path}: was learnt on masks of {}, but {mask} is of {}; segment both with the same model, or learn it again",
            short(read.model_blake3.as_deref()),
            short(model.as_deref())
        );
    }
    if let (Some(then), Some(now)) = (&read.segmentation, &settings)
        && then != now
    {
        refuse!(
            "{path}: was learnt on masks made with {then}, but {mask} was made with {now}; make both alike"
        );
    }
    Ok(())
}
