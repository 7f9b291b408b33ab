//! One folder is one experiment: what was asked, what happened, and what came out.
//!
//! ```text
//! recipe.toml        resolved recipe            metrics.jsonl   one line per iteration
//! source.toml        recipe as typed            validation.jsonl one line per validation
//! environment.json   versions, threads, argv    status.json     state, iteration, best, hashes of what was written
//! split.json         images and their hashes    checkpoints/    the last two, to resume from
//! identity.json      recipe, classes and data as they were at the beginning, compared by `--resume`
//! validation_images.json  counts of the last validation by image
//! validation/     masks of the last validation, of the first images
//! log.txt            what was printed           model.safetensors (last), best.safetensors
//! lock-holder.txt    while a process works on it: machine, process, instruction set, its last sign of life
//! ```

use crate::checkpoint;
use crate::error::TrainError;
use crate::log::{Log, LogLine, foreign_end, retained};
use crate::run_file::RunFile;
use crate::written::{Lines, Written};
use serde::{Deserialize, Serialize};
use sorby_image::files;
use sorby_image::held::{self, Held, Holder};
use sorby_image::write::atomically;
use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LOCK: &str = "lock";

/// What this machine computes with, in the words of [`RunFolder::holder`].
fn instructions() -> String {
    sorby_nn::simd_level().word().to_owned()
}

/// A run folder that this process holds: a second process is refused.
pub struct RunFolder {
    root: PathBuf,
    /// Made now, not found.
    new: bool,
    /// Held until dropped.
    held: Held,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A process trains, or was killed while it did.
    Running,
    /// Asked to stop; goes on with `--resume`.
    Stopped,
    /// Trained to its last iteration.
    Done,
    /// Ended by an error.
    Failed,
}

/// `status.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Where the run stands.
    pub state: State,
    /// Iterations done when the state was written.
    pub iteration: u64,
    /// Iterations of the whole run.
    pub iterations: u64,
    /// Best validation so far: (iteration, mIoU).
    pub best: Option<(u64, f64)>,
    /// Hash of the resolved recipe.
    pub recipe_hash: String,
    /// Hash of the run's identity; runs of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Of a finished run: what it wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Written>,
}

impl Status {
    /// That of a run folder; `None` when it has none.
    ///
    /// # Errors
    /// Names a file that cannot be read.
    pub(crate) fn read(root: &Path) -> Result<Option<Self>, String> {
        let path = RunFile::Status.path_in(root);
        let told = |what: String| format!("{}: cannot be read ({what})", path.display());
        match files::read_regular(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| told(e.to_string())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(told(e.to_string())),
        }
    }
}

/// A line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Iterations done, this one included.
    pub iteration: u64,
    /// Loss of the batch, before its step.
    pub loss: f32,
    /// Learning rate of the step.
    pub lr: f64,
    /// Wall time of the iteration.
    pub seconds: f64,
}

/// A line of `validation.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidationRecord {
    /// Iterations done.
    pub iteration: u64,
    /// Mean of `iou` over the classes that have one, 0 to 1.
    pub mean_iou: Option<f64>,
    /// Intersection over union of each class, 0 to 1; `None` where neither label nor prediction has the class.
    pub iou: Vec<Option<f64>>,
    /// Share of the labelled pixels that got their label's class, 0 to 1.
    pub pixel_accuracy: Option<f64>,
}

/// Pixel counts of one validation image: `matrix[label][prediction]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageCounts {
    /// Name of the image in its data set.
    pub name: String,
    /// `matrix[label][prediction]`, in pixels.
    pub matrix: Vec<Vec<u64>>,
}

impl ValidationRecord {
    /// The record of a validation after so many iterations.
    pub fn new(iteration: u64, scores: &sorby_score::Scores) -> Self {
        Self {
            iteration,
            mean_iou: scores.mean_iou,
            iou: scores.classes.iter().map(|c| c.iou).collect(),
            pixel_accuracy: scores.pixel_accuracy,
        }
    }
}

/// Removes what a killed process left half-written under temporary names.
fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".partial-") {
            let path = entry.path();
            // What cannot be removed does no harm.
            let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
        }
    }
}

impl RunFolder {
    /// A new, empty run folder.
    ///
    /// # Errors
    /// [`TrainError::Run`] when the folder holds a run that has learnt something, or another process works on it;
    /// [`TrainError::Io`] when files cannot be made or removed.
    pub fn create(root: &Path) -> Result<Self, TrainError> {
        // A start that failed before its first checkpoint left nothing that could be gone on from.
        let learnt = RunFile::Checkpoints.path_in(root).exists() && {
            let done = Status::read(root).is_ok_and(|s| s.is_some_and(|s| s.iteration > 0));
            done || checkpoint::newest(root).is_some() || RunFile::Best.path_in(root).exists()
        };
        if learnt || RunFile::Model.path_in(root).exists() {
            let reason =
                "is a run folder already; continue it with `sorby train --resume`, or name another --out";
            return Err(TrainError::run(root, reason));
        }
        fs_err::create_dir_all(root).map_err(TrainError::io(root))?;
        let run = Self { new: true, ..Self::lock(root)? };
        // Of a start that failed.
        for left in [RunFile::Identity, RunFile::Status].map(|name| run.path(name)) {
            if left.exists() {
                fs_err::remove_file(&left).map_err(TrainError::io(&left))?;
            }
        }
        Ok(run)
    }

    /// An existing run folder.
    ///
    /// # Errors
    /// [`TrainError::Run`] when the folder is no run, or another process works on it; [`TrainError::Io`] when its
    /// lock cannot be made.
    pub fn open(root: &Path) -> Result<Self, TrainError> {
        if !RunFile::Recipe.path_in(root).is_file() && !RunFile::Identity.path_in(root).is_file() {
            return Err(TrainError::run(root, "is not a run folder (no recipe.toml)"));
        }
        Self::lock(root)
    }

    /// Whether a process works on this run now.
    pub fn is_held(root: &Path) -> bool {
        let lock = root.join(LOCK);
        // A folder without a lock file is nobody's.
        let here =
            files::open_regular(&lock).is_ok_and(|l| matches!(l.try_lock(), Err(TryLockError::WouldBlock)));
        here || held::is_held_elsewhere(&lock)
    }

    /// Who works on this run, or did when it was killed, and how long ago it gave a sign.
    pub fn holder(root: &Path) -> Option<(Holder, Duration)> {
        held::holder(&root.join(LOCK))
    }

    /// Who was at work on this run on another machine, or on this one before it was started again: opening the run then takes up to
    /// a minute.
    pub fn left_elsewhere(root: &Path) -> Option<Holder> {
        held::left_elsewhere(&root.join(LOCK))
    }

    fn lock(root: &Path) -> Result<Self, TrainError> {
        let path = root.join(LOCK);
        if path.exists() && !files::is_file(&path) {
            return Err(TrainError::run(&path, "is no regular file; remove it"));
        }
        match held::take(&path, Duration::ZERO, &instructions()).map_err(TrainError::io(&path))? {
            Ok(held) => {
                sweep(root);
                sweep(&RunFile::Checkpoints.path_in(root));
                Ok(Self { root: root.to_owned(), new: false, held })
            }
            Err(holder) => {
                let by = holder.map_or(String::new(), |h| format!(" ({h})"));
                Err(TrainError::held(root, format!("another process is working on this run{by}")))
            }
        }
    }

    /// Whoever was taken for dead stops before it writes anything more.
    pub(crate) fn require_held(&self) -> Result<(), TrainError> {
        if self.held.is_lost() {
            let reason = "another machine has taken this run over, for this one gave no sign of life; it goes on there";
            return Err(TrainError::held(&self.root, reason.to_owned()));
        }
        Ok(())
    }

    /// Whether it was made by this process, so that there is nothing to go on from.
    pub fn is_new(&self) -> bool {
        self.new
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Path of a file in the folder, be it there or not.
    pub fn path(&self, file: RunFile) -> PathBuf {
        file.path_in(&self.root)
    }

    /// `name.safetensors`, or `name-2.safetensors` and so on where that is taken.
    pub(crate) fn free_name(&self, name: &str) -> PathBuf {
        let numbered = |i: u32| self.root.join(format!("{name}-{i}.safetensors"));
        let all =
            std::iter::once(self.root.join(format!("{name}.safetensors"))).chain((2..u32::MAX).map(numbered));
        all.into_iter().find(|path| !path.exists()).unwrap_or_else(|| numbered(0))
    }

    /// Writes a file of the folder whole or not at all.
    ///
    /// # Errors
    /// [`TrainError::Write`] when the file cannot be written.
    pub fn write(&self, file: RunFile, bytes: &[u8]) -> Result<(), TrainError> {
        self.require_held()?;
        Ok(atomically(&self.path(file), bytes)?)
    }

    /// Writes a value as indented JSON, whole or not at all.
    ///
    /// # Errors
    /// [`TrainError::Write`] when the file cannot be written, [`TrainError::Run`] when JSON cannot hold the value.
    pub fn write_json(&self, file: RunFile, value: &impl Serialize) -> Result<(), TrainError> {
        let mut text =
            serde_json::to_string_pretty(value).map_err(|e| TrainError::run(&self.path(file), e))?;
        text.push('\n');
        self.write(file, text.as_bytes())
    }

    /// What was last written of the run's state, if it can be read.
    pub fn status(&self) -> Option<Status> {
        Status::read(&self.root).ok().flatten()
    }

    /// Whether there is a checkpoint to go on from, be it whole or not.
    pub fn has_checkpoint(&self) -> bool {
        checkpoint::newest(&self.root).is_some()
    }

    /// Adds a line to a log, of which `written` are the lines so far.
    pub(crate) fn append<T: LogLine + Serialize>(
        &self,
        value: &T,
        written: &mut Lines,
    ) -> Result<(), TrainError> {
        self.require_held()?;
        let path = self.path(T::FILE);
        let mut line = serde_json::to_string(value).map_err(|e| TrainError::run(&path, e))?;
        written.add(line.as_bytes());
        line.push('\n');
        let mut file =
            File::options().create(true).append(true).open(&path).map_err(TrainError::io(&path))?;
        file.write_all(line.as_bytes()).map_err(TrainError::io(&path))
    }

    /// The lines of a log that can be read; those that cannot are left out.
    pub fn read_lines<T: LogLine>(root: &Path) -> Vec<T> {
        Log::read(root).lines
    }

    /// Takes away what came after iteration `last`, which will be written again. Gives the lines that are left, or those
    /// that the run wrote up to there (`then`), if that is known; and a line on what cannot be read or is another now,
    /// if anything: it stays where it is.
    pub(crate) fn cut_log<T: LogLine>(
        &self,
        last: u64,
        then: Option<Lines>,
    ) -> Result<(Lines, Option<String>), TrainError> {
        let path = self.path(T::FILE);
        let bytes = match files::read_regular(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(TrainError::io(&path)(e)),
        };
        let left = retained::<T>(&bytes, last);
        if left != bytes || bytes.is_empty() {
            self.write(T::FILE, &left)?;
        }
        let now = Lines::of(&left);
        let difference = then.as_ref().and_then(|then| then.difference(&now));
        let log = Log::<T>::read(&self.root);
        let told = match (log.gaps(), difference) {
            (Some(gaps), None) => Some(gaps),
            (Some(gaps), Some(_)) => Some(format!("{gaps}, but whether they are as they were is not known")),
            (None, Some(what)) => Some(format!(
                "{} was changed since iteration {last}: {what}; it is kept as it is",
                path.display()
            )),
            (None, None) => foreign_end(&bytes).map(|n| {
                format!("{}: the last {n} bytes are no line that was begun, and are left out", path.display())
            }),
        };
        Ok((then.unwrap_or(now), told))
    }

    pub(crate) fn write_status(&self, status: &Status) -> Result<(), TrainError> {
        self.write_json(RunFile::Status, status)
    }

    /// Makes the logs outlast a power cut.
    pub(crate) fn sync_logs(&self) -> Result<(), TrainError> {
        for path in [Metric::FILE, ValidationRecord::FILE].map(|name| self.path(name)) {
            match File::open(&path).and_then(|f| f.sync_all()) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(TrainError::io(&path)(e)),
                _ => {}
            }
        }
        Ok(())
    }
}
