//! A run that is looked at: whatever compares or reports trainings opens them here. What the files of its folder say is
//! believed only where they agree with each other and with the sealed `identity.json` of its beginning.

use crate::checkpoint;
use crate::error::TrainError;
use crate::identity::Identity;
use crate::kept_counts::{Known, LabelPixels, kept_counts};
use crate::log::{Log, LogLine};
use crate::recipe::{Recipe, parse};
use crate::run_file::RunFile;
use crate::run_folder::{Metric, State, Status, ValidationRecord};
use crate::split_record::{SplitRecord, changes};
use crate::written::{Lines, Written};
use sorby_image::files::read_regular;
use sorby_infer::ModelCard;
use sorby_score::Confusion;
use std::io::ErrorKind;
use std::path::Path;

/// What a run folder says of its run.
pub struct PastRun {
    /// As text: one of an older version may have keys that are not known any more.
    pub recipe: Option<String>,
    /// Of its last model, else of its best; `None` before there is one.
    pub card: Option<ModelCard>,
    /// The images that it learnt from and was validated on.
    pub split: Vec<SplitRecord>,
    /// One for each iteration.
    pub metrics: Vec<Metric>,
    /// One for each validation.
    pub validations: Vec<ValidationRecord>,
    /// Of the last validation by image; a run that was stopped may have none.
    pub counts: Option<Vec<(String, Confusion)>>,
    /// BLAKE3 of its last model, of a finished run.
    pub model_blake3: Option<String>,
    /// Why its recipe and data cannot be compared, if so: a run of an older version.
    pub unchecked: Option<String>,
    /// What is missing without making the rest false.
    pub notes: Vec<String>,
}

/// A run folder on the way to being believed.
struct Look<'a> {
    root: &'a Path,
    status: Option<Status>,
    identity: Option<Identity>,
    notes: Vec<String>,
}

impl PastRun {
    /// Reads a run folder and compares its files with each other. `labels` are labelled pixels of images by class, where
    /// the caller knows them; else those that the run kept of its beginning are compared.
    ///
    /// # Errors
    /// One line that names the file that is not what this run wrote.
    pub fn open(root: &Path, labels: Option<&LabelPixels>) -> Result<Self, TrainError> {
        Self::compare(root, labels).map_err(TrainError::NotAsWritten)
    }

    fn compare(root: &Path, labels: Option<&LabelPixels>) -> Result<Self, String> {
        let mut look = Look::new(root)?;
        let card = look.card()?;
        let recipe = look.recipe(card.as_ref())?;
        let split = look.split()?;
        let metrics = look.log::<Metric>(|w| &w.metrics)?;
        let validations = look.log::<ValidationRecord>(|w| &w.validations)?;
        let classes =
            look.identity.as_ref().map(|i| i.classes.len()).or(card.as_ref().map(|c| c.classes.len()));
        let counts = match classes {
            Some(classes) => {
                let finished = look.finished(card.as_ref());
                look.counts(classes, &split, &validations, labels, finished)?
            }
            None => None,
        };
        Ok(Self {
            recipe,
            card,
            split,
            metrics,
            validations,
            counts,
            model_blake3: look.written().and_then(|w| w.model.clone()),
            unchecked: look.identity.is_none().then(|| {
                format!(
                    "{}: was trained by a version of Sorby that kept no {}; that its recipe, data and logs are as \
                     they were cannot be checked",
                    root.display(),
                    RunFile::Identity
                )
            }),
            notes: look.notes,
        })
    }
}

impl<'a> Look<'a> {
    fn new(root: &'a Path) -> Result<Self, String> {
        let status = Status::read(root)?;
        let identity = Identity::read(root).map_err(|e| e.to_string())?;
        let look = Self { root, status, identity, notes: Vec::new() };
        let named = look.status.as_ref().and_then(|s| s.identity.as_ref());
        match &look.identity {
            None if named.is_some() || checkpoint::any_sealed(root) => Err(look.not_so(
                RunFile::Identity,
                "is missing, though this run had one, so its recipe and data cannot be checked",
            )),
            Some(identity) if named.is_some_and(|hash| !identity.is_named(hash)) => {
                Err(look.not_so(RunFile::Identity, "is of another run than status.json"))
            }
            Some(_) if look.status.is_none() => Err(look.not_so(RunFile::Status, "is missing")),
            _ => Ok(look),
        }
    }

    fn not_so(&self, file: RunFile, what: impl std::fmt::Display) -> String {
        format!("{}: {what}; put it back as it was, or train again", file.path_in(self.root).display())
    }

    fn done(&self) -> bool {
        self.status.as_ref().is_some_and(|s| s.state == State::Done)
    }

    /// Whether it was trained to its end, whatever its status says. Runs of older versions may have ended without counts.
    fn finished(&self, card: Option<&ModelCard>) -> bool {
        let Some(identity) = &self.identity else { return false };
        let end = parse(&identity.recipe, &[]).ok().map(|r| r.schedule.iterations);
        self.done() || (RunFile::Model.path_in(self.root).exists() && card.map(|c| c.iteration) == end)
    }

    /// What a finished run wrote.
    fn written(&self) -> Option<&Written> {
        self.status.as_ref().filter(|_| self.done())?.written.as_ref()
    }

    /// In what a recipe is not the one of the identity; `free` is a key that may differ.
    fn differs(&self, text: &str, free: Option<&str>) -> Option<String> {
        let identity = self.identity.as_ref()?;
        let now = match parse(text, &[]) {
            _ if text == identity.recipe => return None,
            Ok(now) => now,
            Err(e) => return Some(format!("is not a recipe ({e})")),
        };
        let found = identity.recipe_differences(&now, free);
        let more = if found.len() > 1 { format!(" (and {} more)", found.len() - 1) } else { String::new() };
        found.first().map(|first| format!("is not the recipe that this run was trained by: {first}{more}"))
    }

    fn card(&self) -> Result<Option<ModelCard>, String> {
        let file = if RunFile::Model.path_in(self.root).exists() { RunFile::Model } else { RunFile::Best };
        let card = ModelCard::read(&file.path_in(self.root));
        if card.is_none() && self.done() {
            return Err(
                self.not_so(RunFile::Model, "is missing or no model of Sorby, and this run is finished")
            );
        }
        if let Some(what) = card.as_ref().and_then(|card| self.foreign(card, file == RunFile::Model)) {
            return Err(self.not_so(file, format!("is not a model of this run: {what}")));
        }
        Ok(card)
    }

    /// Why a model is none of this run.
    fn foreign(&self, card: &ModelCard, last: bool) -> Option<String> {
        let identity = self.identity.as_ref()?;
        let status = self.status.as_ref().filter(|_| last && self.done());
        if let Some(what) = identity.disowns(card) {
            return Some(what);
        }
        let iterations = status.filter(|s| s.iterations != card.iteration)?.iterations;
        Some(format!("it has learnt for {} iterations and this run for {iterations}", card.iteration))
    }

    fn recipe(&self, card: Option<&ModelCard>) -> Result<Option<String>, String> {
        let file = RunFile::Recipe;
        let path = file.path_in(self.root);
        let text = match read_regular(&path).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => return Err(self.not_so(file, "is no text")),
            // What is gone is what it was.
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return Ok(self.identity.as_ref().map(|i| i.recipe.clone()));
            }
            Err(e) => return Err(self.not_so(file, e)),
        };
        let told = match (&self.identity, card) {
            (Some(identity), _) => self.differs(&text, None).or_else(|| {
                let hash = parse(&identity.recipe, &[]).ok().map(|r: Recipe| r.hash());
                let other = self.status.as_ref().zip(hash).is_some_and(|(s, hash)| s.recipe_hash != hash);
                (other && self.done()).then(|| "is not the one that status.json names".to_owned())
            }),
            (None, Some(card)) => {
                let same = text == card.recipe || parse(&text, &[]).ok() == parse(&card.recipe, &[]).ok();
                (!same).then(|| "is not the recipe that its model was trained by".to_owned())
            }
            (None, None) => None,
        };
        match told {
            Some(what) => Err(self.not_so(file, what)),
            None => Ok(Some(text)),
        }
    }

    fn split(&self) -> Result<Vec<SplitRecord>, String> {
        let now = SplitRecord::read_if_any(self.root)?;
        let Some(identity) = &self.identity else { return Ok(now.unwrap_or_default()) };
        match now {
            Some(now) if now != identity.images => {
                let first = changes(&identity.images, &now).into_iter().next();
                let what = first.unwrap_or_else(|| "the order of images".into());
                Err(self.not_so(RunFile::Split, format!("is not what this run wrote: {what} is another")))
            }
            _ => Ok(identity.images.clone()),
        }
    }

    fn log<T: LogLine>(&mut self, then: fn(&Written) -> &Lines) -> Result<Vec<T>, String> {
        let log = Log::<T>::read(self.root);
        let gaps = log.gaps();
        let difference = self.written().and_then(|w| {
            let then = then(w);
            Some((then.difference(&log.hash)?, log.hash.lines < then.lines))
        });
        let lines = log.possible()?;
        match (gaps, difference) {
            (Some(gaps), _) => self.notes.push(gaps),
            // What is lost makes nothing false that is left.
            (None, Some((what, true))) => {
                self.notes
                    .push(format!("{}: {what}; the others are used", T::FILE.path_in(self.root).display()));
            }
            (None, Some((what, false))) => return Err(self.not_so(T::FILE, what)),
            (None, None) => {}
        }
        Ok(lines)
    }

    fn counts(
        &self,
        classes: usize,
        split: &[SplitRecord],
        validations: &[ValidationRecord],
        labels: Option<&LabelPixels>,
        finished: bool,
    ) -> Result<Option<Vec<(String, Confusion)>>, String> {
        if let Some(other) = validations.iter().find(|r| r.iou.len() != classes) {
            let what = format!(
                "iteration {} has the iou of {} classes, and this run has {classes}",
                other.iteration,
                other.iou.len()
            );
            return Err(self.not_so(ValidationRecord::FILE, what));
        }
        let identity = self.identity.as_ref();
        let images =
            identity.map(|_| split.iter().filter(|r| r.part == "val").map(|r| r.name.as_str()).collect());
        let labels = labels.or(identity.map(|i| &i.label_px));
        let counts = kept_counts(self.root, &Known { classes, labels, images, validations, finished })?;
        let then = self.written().and_then(|w| w.counts.clone());
        let now = read_regular(&RunFile::ImageCounts.path_in(self.root)).ok();
        match then.zip(now) {
            Some((then, now)) if blake3::hash(&now).to_hex().as_str() != then => {
                Err(self.not_so(RunFile::ImageCounts, "was changed since this run wrote it"))
            }
            _ => Ok(counts),
        }
    }
}
