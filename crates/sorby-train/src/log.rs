//! Logs of JSON lines, `metrics.jsonl` and `validation.jsonl`: a line that cannot be read costs that line only.

use crate::run_file::RunFile;
use crate::run_folder::{Metric, ValidationRecord};
use crate::written::Lines;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// A value in a log that no training can have, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ImpossibleValue(pub String);

/// A line of a log.
pub trait LogLine: DeserializeOwned {
    /// Name of the file.
    const FILE: RunFile;

    /// Iterations done when it was written.
    fn iteration(&self) -> u64;

    /// Whether a training can have written these values.
    ///
    /// # Errors
    /// Names a value that no training can have.
    fn check(&self) -> Result<(), ImpossibleValue>;
}

impl LogLine for Metric {
    const FILE: RunFile = RunFile::Metrics;

    fn iteration(&self) -> u64 {
        self.iteration
    }

    fn check(&self) -> Result<(), ImpossibleValue> {
        // Beyond ten thousand years nothing was measured.
        // Rounding may bring a loss of nothing below 0.
        let possible = (-1e-3..=MOST_LOSS).contains(&self.loss)
            && (0.0..=MOST_LR).contains(&self.lr)
            && (0.0..3e11).contains(&self.seconds)
            && self.iteration <= MOST_ITERATIONS;
        let Self { iteration, loss, lr, seconds } = self;
        if possible {
            return Ok(());
        }
        let what =
            format!("iteration {iteration}, loss {loss}, lr {lr}, seconds {seconds} are impossible together");
        Err(ImpossibleValue(what))
    }
}

/// No run has more.
pub(crate) const MOST_ITERATIONS: u64 = 1_000_000_000;

/// Largest learning rate: beyond it a step is no number of 32 bits. Absurd ones below are let through: a training that
/// fails says more than a bound.
pub(crate) const MOST_LR: f64 = 1e30;

/// Largest loss: beyond it the network's own values are near the end of 32 bits.
const MOST_LOSS: f32 = 1e36;

impl LogLine for ValidationRecord {
    const FILE: RunFile = RunFile::Validation;

    fn iteration(&self) -> u64 {
        self.iteration
    }

    fn check(&self) -> Result<(), ImpossibleValue> {
        let named = [("mean_iou", self.mean_iou), ("pixel_accuracy", self.pixel_accuracy)];
        let classes = self.iou.iter().map(|iou| ("iou", *iou));
        for (name, value) in named.into_iter().chain(classes) {
            if let Some(value) = value.filter(|v| !(0.0..=1.0).contains(v)) {
                return Err(ImpossibleValue(format!("{name} is {value:e} and must be from 0 to 1")));
            }
        }
        if self.iteration > MOST_ITERATIONS {
            return Err(ImpossibleValue(format!("iteration {} is impossible", self.iteration)));
        }
        let known: Vec<f64> = self.iou.iter().copied().flatten().collect();
        // As `Scores` takes it: over the classes that have one.
        let mean = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
        let agree = match (self.mean_iou, mean) {
            (Some(told), Some(mean)) => (told - mean).abs() < 1e-9,
            (told, mean) => told == mean,
        };
        if !agree {
            let text = |v: Option<f64>| v.map_or("none".into(), |v| v.to_string());
            return Err(ImpossibleValue(format!(
                "mean_iou is {} and the mean of its iou {}",
                text(self.mean_iou),
                text(mean)
            )));
        }
        Ok(())
    }
}

/// What a log holds.
pub(crate) struct Log<T> {
    path: PathBuf,
    /// The lines that can be read, in order.
    pub lines: Vec<T>,
    /// Numbers, from 1, of lines that cannot be read.
    pub unreadable: Vec<usize>,
    /// The first line with a value that cannot be: its number, and what is wrong.
    pub impossible: Option<(usize, String)>,
    /// Why the file cannot be read, though there is one.
    unopened: Option<String>,
    /// What all its lines are.
    pub(crate) hash: Lines,
}

/// Lines with their ends; whether each is whole, that is, has its line end.
fn raw_lines(bytes: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    bytes.split_inclusive(|b| *b == b'\n').map(|line| match line.strip_suffix(b"\n") {
        Some(text) => (text, true),
        None => (line, false),
    })
}

impl<T: LogLine> Log<T> {
    /// The log in a run folder; empty when there is none.
    pub fn read(root: &Path) -> Self {
        let path = T::FILE.path_in(root);
        let (bytes, unopened) = match sorby_image::files::read_regular(&path) {
            Ok(bytes) => (bytes, None),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => (Vec::new(), None),
            Err(e) => (Vec::new(), Some(e.to_string())),
        };
        let hash = Lines::of(&bytes);
        let (lines, unreadable) = (Vec::<T>::new(), Vec::new());
        let mut log = Self { path, lines, unreadable, impossible: None, unopened, hash };
        for (i, (text, whole)) in raw_lines(&bytes).enumerate() {
            match serde_json::from_slice::<T>(text) {
                Ok(line) => {
                    let before = log.lines.last().map(T::iteration).filter(|b| *b >= line.iteration());
                    let order = match before {
                        None => Ok(()),
                        Some(before) => {
                            Err(ImpossibleValue(format!("iteration {} after {before}", line.iteration())))
                        }
                    };
                    if let (None, Err(what)) = (&log.impossible, line.check().and(order)) {
                        log.impossible = Some((i + 1, what.0));
                    }
                    log.lines.push(line);
                }
                // A line that a crash cut short was never finished: nothing is missing.
                Err(_) if whole && !text.trim_ascii().is_empty() => log.unreadable.push(i + 1),
                Err(_) => {}
            }
        }
        log
    }

    /// One line on what cannot be read, if anything.
    pub fn gaps(&self) -> Option<String> {
        let (first, more) = (self.unreadable.first()?, self.unreadable.len() - 1);
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        Some(format!("{}: line {first} cannot be read{more}; the other lines are used", self.path.display()))
    }

    /// The lines, none of which says what cannot be.
    ///
    /// # Errors
    /// Names the file, the line and the value.
    pub fn possible(self) -> Result<Vec<T>, String> {
        if let Some(why) = self.unopened {
            return Err(format!("{}: {why}", self.path.display()));
        }
        match self.impossible {
            None => Ok(self.lines),
            Some((line, what)) => Err(format!(
                "{}: line {line} was not written by a training: {what}; put the file back as it was",
                self.path.display()
            )),
        }
    }
}

/// Bytes at the end of a log that are no beginning of a line: what else than a line that was cut short is dropped must
/// be reported.
pub(crate) fn foreign_end(bytes: &[u8]) -> Option<usize> {
    const BEGINNING: &[u8] = b"{\"iteration\":";
    let (text, _) = raw_lines(bytes).last().filter(|(_, whole)| !whole)?;
    let common = text.len().min(BEGINNING.len());
    let cut = text[..common] == BEGINNING[..common] && !text.contains(&0);
    (!cut).then_some(text.len())
}

/// What is left of a log when all that came after iteration `last` will be written again. Lines that cannot be read
/// stay where they are: only a last line that was cut short is dropped.
pub(crate) fn retained<T: LogLine>(bytes: &[u8], last: u64) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0u64);
    for (text, whole) in raw_lines(bytes) {
        let keep = match serde_json::from_slice::<T>(text) {
            Ok(line) => {
                at = line.iteration();
                at <= last
            }
            // It stands for at least one iteration.
            Err(_) if whole => {
                at = at.saturating_add(1);
                at <= last
            }
            Err(_) => false,
        };
        if keep {
            out.extend_from_slice(text);
            out.push(b'\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(iterations: std::ops::RangeInclusive<u64>) -> Vec<Vec<u8>> {
        let line =
            |i| format!("{{\"iteration\":{i},\"loss\":0.5,\"lr\":0.01,\"seconds\":0.1}}\n").into_bytes();
        iterations.map(line).collect()
    }

    #[test]
    fn a_bad_byte_costs_nothing_but_its_own_line() {
        let folder = tempfile::tempdir().unwrap();
        for (line, byte) in [(1, 0xff), (0, b'x'), (3, 0), (2, b'}')] {
            let mut lines = metrics(1..=4);
            lines[line][5] = byte;
            let bytes = lines.concat();
            assert_eq!(retained::<Metric>(&bytes, 4), bytes, "kept as they are");
            assert_eq!(
                retained::<Metric>(&bytes, 2),
                lines[..2].concat(),
                "what comes later is written again"
            );
            std::fs::write(RunFile::Metrics.path_in(folder.path()), &bytes).unwrap();
            let log = Log::<Metric>::read(folder.path());
            assert_eq!((log.lines.len(), &log.unreadable), (3, &vec![line + 1]));
            assert!(log.gaps().unwrap().contains(&format!("line {} ", line + 1)));
        }
    }

    #[test]
    fn only_a_last_line_that_was_cut_is_dropped() {
        let lines = metrics(1..=3).concat();
        for cut in 1..30 {
            let bytes = &lines[..lines.len() - cut];
            // The end of the line alone is put back.
            let kept = if cut == 1 { metrics(1..=3) } else { metrics(1..=2) };
            assert_eq!(retained::<Metric>(bytes, 3), kept.concat(), "{cut} bytes cut off");
        }
    }

    #[test]
    fn a_mean_that_is_none_and_iterations_that_do_not_rise_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            std::fs::write(RunFile::Validation.path_in(folder.path()), text).unwrap();
            Log::<ValidationRecord>::read(folder.path()).possible()
        };
        let record = |iteration: u64, mean: &str, iou: &str| {
            format!(
                "{{\"iteration\":{iteration},\"mean_iou\":{mean},\"iou\":{iou},\"pixel_accuracy\":0.9}}\n"
            )
        };
        for (mean, iou) in
            [("0.5", "[0.2,0.8]"), ("0.8", "[null,0.8]"), ("null", "[null]"), ("0.3", "[0.1,0.2,0.6]")]
        {
            assert_eq!(read(&record(3, mean, iou)).unwrap().len(), 1, "{mean} {iou}");
        }
        for (mean, iou) in [("0.99", "[0.2,0.8]"), ("0.4", "[null,0.8]"), ("0", "[null]"), ("null", "[0.1]")]
        {
            let error = read(&record(3, mean, iou)).unwrap_err();
            assert!(error.contains("line 1") && error.contains("the mean of its iou"), "{error}");
        }
        let two = |a, b| record(a, "0.5", "[0.5]") + &record(b, "0.5", "[0.5]");
        assert!(read(&two(3, 6)).is_ok());
        for (a, b) in [(6, 3), (6, 6)] {
            let error = read(&two(a, b)).unwrap_err();
            assert!(
                error.contains(&format!("line 2 was not written by a training: iteration {b} after {a}")),
                "{error}"
            );
        }
    }

    #[test]
    fn what_no_line_begins_with_is_foreign() {
        let lines = metrics(1..=2).concat();
        assert_eq!(foreign_end(&lines), None);
        for cut in 1..lines.len() {
            assert_eq!(foreign_end(&lines[..cut]), None, "{cut}");
        }
        for (end, bytes) in [(&[0u8; 4096][..], 4096), (b"{\"iter\0\0", 8), (b"junk", 4)] {
            assert_eq!(foreign_end(&[&lines[..], end].concat()), Some(bytes));
            assert_eq!(retained::<Metric>(&[&lines[..], end].concat(), 2), lines);
        }
    }

    #[test]
    fn impossible_values_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let record = |value: &str| {
            let line = format!(
                "{{\"iteration\":3,\"mean_iou\":{value},\"iou\":[0.5,null],\"pixel_accuracy\":0.9}}\n"
            );
            std::fs::write(RunFile::Validation.path_in(folder.path()), line).unwrap();
            Log::<ValidationRecord>::read(folder.path())
        };
        for value in ["1.8e19", "-0.1", "1.0000001", "1e308"] {
            let error = record(value).possible().unwrap_err();
            assert!(error.contains("validation.jsonl: line 1") && error.contains("mean_iou"), "{error}");
        }
        assert_eq!(record("0.5").possible().unwrap().len(), 1);
        assert_eq!(record("1e999").unreadable, [1]);
        for line in metrics(1..=1) {
            let text = String::from_utf8(line).unwrap();
            for (from, to) in
                [("\"lr\":0.01", "\"lr\":-1"), ("\"seconds\":0.1", "\"seconds\":1e18"), ("0.5", "1e38")]
            {
                std::fs::write(RunFile::Metrics.path_in(folder.path()), text.replace(from, to)).unwrap();
                assert!(Log::<Metric>::read(folder.path()).possible().is_err(), "{to}");
            }
            // Beyond its type, a number cannot even be read.
            std::fs::write(RunFile::Metrics.path_in(folder.path()), text.replace("0.5", "1e300")).unwrap();
            assert_eq!(Log::<Metric>::read(folder.path()).unreadable, [1]);
        }
    }
}
