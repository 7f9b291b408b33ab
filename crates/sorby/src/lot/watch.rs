//! While the microscope saves images: each is segmented as it comes, and the operator sees what the lot comes to so far and how
//! many fields it still takes. When the session ends, the lot is measured as by any other run.

use super::class_result::ClassResult;
use super::inputs;
use super::manifest;
use super::run::{Lot, LotOptions, run_job};
use crate::error::refuse;
use crate::job::LockedJob;
use crate::measure::measure;
use crate::{Event, InferenceSettings, Observer, Result, Segmenter, listing};
use sorby_image::parent_of;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Time between two looks at the folder. A file that is the same at two looks is whole.
const LOOK_EVERY: Duration = Duration::from_millis(1000);

/// Measures the images that appear in a folder until the observer asks to stop, or until the fields that the job wants are
/// there and reach the accuracy that it aims at; then makes the lot of them.
///
/// # Errors
/// As [`run_job`]; also when the folder is not there.
pub fn watch_folder(
    job_file: &Path,
    folder: &Path,
    options: &LotOptions,
    out: &Path,
    observer: &dyn Observer,
) -> Result<Lot> {
    let job = LockedJob::open(job_file)?;
    super::header::check_names(&job.job, &options.header)?;
    if !folder.is_dir() {
        refuse!("--watch {}: no such folder", folder.display());
    }
    if manifest::is_finished(out) {
        refuse!("{}: holds a finished report; measure into a new folder", out.display());
    }
    observer.begin_stopping();
    observer
        .say(format!("waiting for images in {}; Ctrl-C ends the lot and makes its report", folder.display()));
    let inference = InferenceSettings { device: options.device.clone(), ..job.job.inference() };
    let mut session = Session {
        segmenter: Segmenter::open(&job.place(&job.job.model), &inference)?,
        masks: tempfile::tempdir()?,
        job: &job,
        measured: 0,
        observer,
    };
    let mut seen = Seen::default();
    while !observer.stop_asked() {
        let mut enough = false;
        for file in seen.whole(folder)? {
            match session.take(&file) {
                Ok(yes) => enough = yes,
                Err(error) => observer.event(Event::Problem(error.to_string())),
            }
        }
        if enough {
            observer.say("the fields that the job wants are measured, and well enough".to_owned());
            break;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let options = LotOptions { images: vec![folder.to_owned()], ..options.clone() };
    run_job(job_file, &options, out, &ToTheEnd(observer))
}

/// Files of the folder that were looked at.
#[derive(Default)]
struct Seen {
    sizes: BTreeMap<PathBuf, (u64, Option<SystemTime>)>,
    taken: BTreeSet<PathBuf>,
}

impl Seen {
    /// Images that are new and no longer grow.
    fn whole(&mut self, folder: &Path) -> Result<Vec<PathBuf>> {
        let mut out = Vec::new();
        for entry in fs_err::read_dir(folder)? {
            let path = entry?.path();
            let hidden = listing::stem(&path).starts_with('.');
            if hidden || !sorby_image::is_image(&path) || self.taken.contains(&path) {
                continue;
            }
            // One that goes away while it is looked at comes back under its final name.
            let Ok(about) = std::fs::metadata(&path) else { continue };
            let now = (about.len(), about.modified().ok());
            if self.sizes.insert(path.clone(), now) == Some(now) && now.0 > 0 {
                self.taken.insert(path.clone());
                out.push(path);
            }
        }
        out.sort();
        Ok(out)
    }
}

struct Session<'a> {
    segmenter: Segmenter,
    masks: tempfile::TempDir,
    job: &'a LockedJob,
    measured: usize,
    observer: &'a dyn Observer,
}

impl Session<'_> {
    /// Segments an image and says what all images come to so far; gives whether that is enough.
    fn take(&mut self, file: &Path) -> Result<bool> {
        let job = &self.job.job;
        let shot = match inputs::look(job, &job.scale_options().said()?, file) {
            Ok((_, shot)) => shot,
            Err(error) => {
                self.observer.event(Event::Problem(error.to_string()));
                return Ok(false);
            }
        };
        let segmented = self.segmenter.segment(&shot)?;
        segmented.write(&self.masks.path().join(format!("{}.png", listing::stem(file))))?;
        self.measured += 1;
        let unlike =
            if segmented.trust.is_unlike() { ": UNLIKE the training images, look at it" } else { "" };
        self.observer.say(format!("{}{unlike}", file.display()));
        self.so_far()
    }

    fn so_far(&self) -> Result<bool> {
        let job = &self.job.job;
        let masks = listing::images(&[self.masks.path().to_owned()])?;
        let mut enough = self.measured >= job.fields.wanted;
        for rules in &job.measure {
            let options = job.measure_options(rules, parent_of(&self.job.path))?;
            let measured = measure(&masks, &options, &())?;
            if measured.fields.is_empty() {
                return Ok(false);
            }
            let results = measured.results();
            let class = ClassResult::of(job, rules, &measured, &results)?;
            for quantity in rules.quantities.iter().filter_map(|q| class.quantity(*q)) {
                enough &= quantity.remark().is_empty();
                let (fields, class) = (self.measured, &class.class);
                self.observer.say(format!("  {fields} so far, {class}: {}", quantity.line()));
            }
        }
        Ok(enough)
    }
}

/// Ctrl-C has ended the session already; what is there is measured to the end.
struct ToTheEnd<'a>(&'a dyn Observer);

impl Observer for ToTheEnd<'_> {
    fn event(&self, event: Event) {
        self.0.event(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_images_that_no_longer_grow_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut seen = Seen::default();
        std::fs::write(at("a.png"), b"1").unwrap();
        std::fs::write(at("notes.txt"), b"1").unwrap();
        assert_eq!(seen.whole(folder.path()).unwrap(), [""; 0].map(PathBuf::from));
        std::fs::write(at("a.png"), b"12").unwrap();
        assert!(seen.whole(folder.path()).unwrap().is_empty(), "it grew");
        std::fs::write(at("b.png"), b"").unwrap();
        assert_eq!(seen.whole(folder.path()).unwrap(), [at("a.png")]);
        assert!(seen.whole(folder.path()).unwrap().is_empty(), "once, and an empty file never");
    }
}
