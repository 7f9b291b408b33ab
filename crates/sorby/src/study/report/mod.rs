//! The paper's tables and figures on the user's own data, and what repeating tells.

mod curves;
mod figures;
mod predictions;
mod tables;

use super::folder::StudyFolder;
use super::run_state::RunState;
use crate::error::refuse;
use crate::publish::{self, Exhibit};
use crate::{DeviceOptions, Observer, Result};
use predictions::Predictions;
use sorby_study::{Protocol, Run, RunScores, Settled, Stage, TrickSet, set_name};
use sorby_train::PastRun;
use std::path::{Path, PathBuf};

/// One study with its scores.
pub struct ReportedStudy {
    pub folder: StudyFolder,
    pub scores: RunScores,
    /// By architecture; of the sound protocol only.
    pub settled: Vec<Settled>,
}

impl ReportedStudy {
    fn open(path: &Path, observer: &dyn Observer) -> Result<Self> {
        let folder = StudyFolder::open(path)?;
        let scores = folder.tried_scores()?;
        require_whole(&folder, &scores, observer)?;
        if !scores.values().any(Option::is_some) {
            refuse!("{}: no training of this study is finished; `sorby study run` it first", path.display());
        }
        let settled = match folder.spec.protocol {
            Protocol::Paper => Vec::new(),
            Protocol::Sound => {
                (0..folder.spec.archs.len()).map(|a| folder.spec.settled(&scores, a)).collect()
            }
        };
        Ok(Self { folder, scores, settled })
    }

    fn archs(&self) -> std::ops::Range<usize> {
        0..self.folder.spec.archs.len()
    }

    /// Trainings whose counts together score a set of tricks.
    fn runs_of(&self, arch: usize, tricks: &TrickSet) -> Vec<Run> {
        let scored = |part_is_all: bool| {
            let fits = |r: &&Run| {
                r.arch == arch && r.tricks == *tricks && (r.part == sorby_study::Part::All) == part_is_all
            };
            self.scores.iter().filter(|(_, s)| s.is_some()).map(|(r, _)| r).filter(fits).cloned().collect()
        };
        scored(self.folder.spec.protocol == Protocol::Paper)
    }

    /// mIoU in percent: of the test images in the paper's protocol, of all folds and seeds in the sound one.
    fn miou(&self, arch: usize, tricks: &TrickSet) -> Option<f64> {
        self.folder.spec.miou(&self.scores, &self.runs_of(arch, tricks))
    }

    /// Baseline, single tricks, then stacks, as far as they are trained.
    fn sets(&self, arch: usize) -> Vec<TrickSet> {
        let mut sets = vec![Vec::new()];
        sets.extend(self.folder.spec.tricks.iter().map(|t| vec![t.clone()]));
        sets.extend(self.stack_rows(arch));
        let mut seen: Vec<TrickSet> = Vec::new();
        for set in sets {
            if !seen.contains(&set) && !self.runs_of(arch, &set).is_empty() {
                seen.push(set);
            }
        }
        seen
    }

    /// Rows of Tables 2 to 5.
    fn stack_rows(&self, arch: usize) -> Vec<TrickSet> {
        match self.settled.get(arch) {
            None => self.folder.spec.paper_rows(arch, &self.scores).rows,
            Some(settled) => {
                let stack = &settled.stack;
                let rows = (0..=stack.len()).map(|n| stack[..n].to_vec());
                rows.filter(|set| !self.runs_of(arch, set).is_empty()).collect()
            }
        }
    }

    /// The best architecture and set: what the protocol ends with.
    fn best(&self) -> Option<(usize, TrickSet)> {
        match self.folder.spec.protocol {
            Protocol::Sound => self.folder.spec.chosen(&self.scores),
            Protocol::Paper => {
                let ends = self.archs().filter_map(|a| {
                    let set = self.stack_rows(a).pop()?;
                    Some((self.miou(a, &set)?, a, set))
                });
                ends.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, a, set)| (a, set))
            }
        }
    }

    /// A warning, where trainings are missing.
    fn unfinished(&self) -> String {
        match self.folder.spec.next(&self.scores) {
            Stage::Finished => String::new(),
            Stage::Train(why, runs) => {
                format!(" (UNFINISHED: {} trainings missing of the step \u{201c}{why}\u{201d})", runs.len())
            }
        }
    }

    fn title(&self) -> &str {
        &self.folder.spec.title
    }

    /// `DeepLabV3+ (T+S)`.
    fn model_name(&self, arch: usize, tricks: &TrickSet) -> String {
        let arch = self.folder.spec.arch_title(arch);
        if tricks.is_empty() { arch.to_owned() } else { format!("{arch} ({})", set_name(tricks)) }
    }
}

/// Nothing is told of a study in which a finished training's results were changed since.
fn require_whole(folder: &StudyFolder, scores: &RunScores, observer: &dyn Observer) -> Result<()> {
    let missing = match folder.spec.next(scores) {
        Stage::Train(_, runs) => runs,
        Stage::Finished => Vec::new(),
    };
    let (mut notes, mut unchecked) = (Vec::new(), Vec::new());
    for run in scores.keys().chain(&missing) {
        match folder.state(run)? {
            RunState::Damaged(what) => refuse!("{what}"),
            RunState::Done(_) => {
                let past = PastRun::open(&folder.run_path(run), None)?;
                notes.extend(past.notes);
                unchecked.extend(past.unchecked);
            }
            _ => {}
        }
    }
    notes.into_iter().for_each(|note| observer.note(note));
    if let Some((first, more)) = unchecked.split_first() {
        let others = if more.is_empty() { String::new() } else { format!(" (and {} more runs)", more.len()) };
        observer.note(format!("{first}{others}"));
    }
    Ok(())
}

/// Two studies of one title must not write over each other's files.
fn distinct_names(exhibits: &mut [Exhibit]) {
    for i in 1..exhibits.len() {
        let (before, rest) = exhibits.split_at_mut(i);
        let wanted = rest[0].name.clone();
        let taken = |name: &String| before.iter().any(|e| e.name == *name);
        let names = std::iter::once(wanted.clone()).chain((2..).map(|n| format!("{wanted}-{n}")));
        rest[0].name = names.into_iter().find(|name| !taken(name)).unwrap_or(wanted);
    }
}

/// What a report of studies holds.
#[derive(Clone, Debug, Default)]
pub struct StudyReportOptions {
    /// Folder for the page, tables and figures; default: `report` in the first study's.
    pub out: Option<PathBuf>,
    /// Leaves pictures and particles out, which need every model to segment.
    pub tables_only: bool,
    /// Where to compute.
    pub device: DeviceOptions,
}

/// Writes tables and figures of one or more studies; gives the page's place.
///
/// # Errors
/// When a study has no finished training, or a training's results were changed since.
pub fn report(studies: &[PathBuf], options: &StudyReportOptions, observer: &dyn Observer) -> Result<PathBuf> {
    let device = options.device.open()?;
    let books = studies.iter().map(|p| ReportedStudy::open(p, observer)).collect::<Result<Vec<_>>>()?;
    let out = options.out.clone().unwrap_or_else(|| studies[0].join("report"));
    let mut exhibits = tables::all(&books);
    if !options.tables_only {
        let mut predictions = Predictions::new(&device);
        exhibits.extend(figures::all(&books, &mut predictions)?);
    }
    exhibits.extend(curves::all(&books));
    distinct_names(&mut exhibits);
    let titles: Vec<&str> = books.iter().map(ReportedStudy::title).collect();
    let protocols: Vec<String> = books
        .iter()
        .map(|b| match b.folder.spec.protocol {
            Protocol::Paper => "paper's protocol".to_owned(),
            Protocol::Sound => "sound protocol".to_owned(),
        } + &b.unfinished())
        .collect();
    let title = format!("Training tricks on {}", titles.join(" and "));
    publish::publish("report", &title, &protocols.join(", "), &exhibits, &out)
}
