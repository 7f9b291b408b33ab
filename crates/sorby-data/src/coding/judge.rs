//! What values mean that stand for themselves: classes, greys for classes, black and white, numbers of objects.

use super::numbers;
use super::objects::{self, Evidence};
use super::survey::{Values, words};
use super::table::{Table, grey_levels};
use super::{Expected, Meaning, ObjectNumbers};
use crate::problem::Problem;
use sorby_image::IGNORE;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const WHITE: i64 = IGNORE as i64;
/// Values beyond are no class indices that a program would write for a few classes.
const MANY_CLASSES: i64 = 31;

/// A file whose values have been brought to those of the others.
pub(super) struct File<'a> {
    pub path: &'a Path,
    pub values: Values,
}

/// The files together, and what is expected of them.
pub(super) struct Judge<'a> {
    pub expected: &'a Expected,
    pub files: &'a [File<'a>],
}

impl Judge<'_> {
    fn seen(&self) -> BTreeMap<i64, u64> {
        let mut all = BTreeMap::new();
        for (v, n) in self.files.iter().flat_map(|f| &f.values.counts) {
            *all.entry(*v).or_default() += n;
        }
        all
    }

    /// A problem of all files; it stands at the first that has one of these values.
    fn problem(&self, at: impl Fn(&Values) -> bool, what: String) -> Problem {
        let file = self.files.iter().find(|f| at(&f.values)).or(self.files.first());
        Problem::new(file.map_or(PathBuf::new(), |f| f.path.to_owned()), what)
    }

    fn for_labels(&self) -> bool {
        self.expected.objects == ObjectNumbers::Refuse
    }

    /// How a user says which values are which classes.
    fn cure(&self, values: &str) -> String {
        if self.for_labels() {
            format!("labels.values = [{values}] in dataset.toml")
        } else {
            format!("--values {}", values.replace(", ", ","))
        }
    }

    /// A file of 0 and 255 alone: 255 may be foreground or ignored. Where it is ignored in others, a file of which only
    /// the data bar is 255 is one without foreground.
    fn black_and_white(&self) -> Option<&File<'_>> {
        let ignored = !self.for_labels() && self.ignores_255();
        let both = |f: &&File| f.values.counts.contains_key(&WHITE) && f.values.holds_only(&[0, WHITE]);
        self.files.iter().find(|f| both(f) && !(ignored && f.values.bars))
    }

    /// Whether a file has class indices and 255: then 255 is what is ignored in all of them.
    fn ignores_255(&self) -> bool {
        let both =
            |f: &Values| f.counts.contains_key(&WHITE) && f.counts.keys().any(|v| (1..WHITE).contains(v));
        self.files.iter().any(|f| both(&f.values))
    }

    pub fn meaning(&self, remarks: &mut Vec<Problem>) -> Result<Meaning, Problem> {
        let seen = self.seen();
        if let Some((v, n)) = seen.first_key_value().filter(|(v, _)| **v < 0) {
            let what = format!(
                "the value {v} ({n} pixels) stands for no class and no object; store 255 for what is not to count"
            );
            return Err(self.problem(|f| f.counts.keys().any(|v| *v < 0), what));
        }
        if seen.keys().eq([&WHITE]) {
            let what = "holds 255 only: one object all over, or nothing to count? Give masks in which 0 occurs, or say which: ";
            return Err(self.problem(|_| true, format!("{what}{}", self.cure("0, 255"))));
        }
        if !seen.contains_key(&WHITE) && self.files.iter().any(|f| f.values.lossy) {
            let what = "was compressed with loss (JPEG) and no file has the value 255: small values may be lost; save masks as PNG \
                        or TIFF";
            return Err(self.problem(|f| f.lossy, what.to_owned()));
        }
        match self.expected.classes {
            Some(classes) => self.of_classes(classes, &seen, remarks),
            None => self.of_unknown_classes(&seen),
        }
    }

    /// With a known number of classes.
    fn of_classes(
        &self,
        classes: usize,
        seen: &BTreeMap<i64, u64>,
        remarks: &mut Vec<Problem>,
    ) -> Result<Meaning, Problem> {
        let grey: BTreeSet<i64> = (0..classes).flat_map(|i| grey_levels(i, classes)).collect();
        let is_grey = seen.keys().all(|v| grey.contains(v));
        let is_index = seen.keys().all(|v| (0..classes as i64).contains(v) || *v == WHITE);
        let own = || seen.keys().filter(|v| **v != WHITE);
        let has_foreground = own().any(|v| (1..classes as i64).contains(v));
        let from_one = !seen.contains_key(&0) && own().count() > 1;
        match (is_index, is_grey, self.black_and_white()) {
            // Read as indices, 0 and 255 alone would be a data set without any foreground.
            (true, true, Some(_)) if !has_foreground && classes == 2 => Ok(Meaning::Table(Table::grey(2))),
            (true, _, Some(file)) => Err(Problem::new(file.path, self.mixed(file))),
            (true, _, None) if from_one => Err(self.problem(|_| true, self.first_class_in_doubt(seen))),
            (true, _, None) => Ok(Meaning::Table(Table::index(classes))),
            (false, true, _) => Ok(Meaning::Table(Table::grey(classes))),
            (false, false, None) if from_one && own().all(|v| (1..=classes as i64).contains(v)) => {
                let what = format!(
                    "no file has the value 0: value 1 is the first class, as ilastik writes them ({})",
                    words(seen)
                );
                remarks.push(self.problem(|_| true, what));
                Ok(Meaning::Table(Table::of_values(&(1..=classes as u32).collect::<Vec<_>>())))
            }
            (false, false, _) => self.of_no_class(classes, seen),
        }
    }

    fn mixed(&self, file: &File) -> String {
        let other = self.files.iter().find(|f| !f.values.holds_only(&[0, WHITE]));
        let other =
            other.map_or(String::new(), |o| format!(" ({} holds {})", o.path.display(), o.values.words()));
        let cure = if self.for_labels() {
            "Set labels.kind to say which all labels are".to_owned()
        } else {
            "Save them alike, measure them apart, or, if 255 is ignored in all, give --values 0,1".to_owned()
        };
        format!(
            "holds only 0 and 255 ({}): a black and white mask among index masks{other}, or an index mask with ignored pixels \
             and no foreground? {cure}",
            file.values.words()
        )
    }

    fn first_class_in_doubt(&self, seen: &BTreeMap<i64, u64>) -> String {
        let own: Vec<i64> = seen.keys().copied().filter(|v| *v != WHITE).collect();
        let list = |values: &[i64]| values.iter().map(|v| v.to_string()).collect::<Vec<_>>().join(", ");
        let with_zero: Vec<i64> = (0..=own.last().copied().unwrap_or(1)).collect();
        format!(
            "no mask has the value 0 (values found: {}): ilastik numbers classes from 1. Say which value is the first class, the \
             matrix: {} or {}",
            words(seen),
            self.cure(&list(&own)),
            self.cure(&list(&with_zero))
        )
    }

    /// Values beyond the classes: numbers of objects, or a mistake.
    fn of_no_class(&self, classes: usize, seen: &BTreeMap<i64, u64>) -> Result<Meaning, Problem> {
        let outside = |v: i64| !(0..classes as i64).contains(&v) && v != WHITE;
        let evidence = self.evidence();
        let at = |f: &Values| f.counts.keys().any(|v| outside(*v));
        match (self.expected.objects, evidence) {
            (ObjectNumbers::Detect, Evidence::Sure) => Ok(Meaning::Objects),
            (ObjectNumbers::Detect, Evidence::Maybe) => Err(self.problem(at, self.objects_in_doubt(seen))),
            (ObjectNumbers::Refuse, Evidence::Sure | Evidence::Maybe) => Err(self.problem(
                at,
                format!(
                    "values {} mark one connected piece each: numbers of objects, not of {classes} classes? `sorby data import \
                     FOLDER --format instances --class NAME` makes classes of them",
                    words(seen)
                ),
            )),
            _ => Err(self.problem(
                at,
                format!(
                    "values {} fit neither indices 0..{} (255 = ignore) nor {classes} evenly spaced grey levels; correct the \
                     masks or the number of [[classes]], or say which value is which class: {}",
                    words(seen),
                    classes - 1,
                    self.cure(&some(seen))
                ),
            )),
        }
    }

    /// Whether values are numbers of objects; marks of what does not count are none.
    fn evidence(&self) -> Evidence {
        let own = |values: &Values| {
            let numbers = numbers::own(values);
            let mut values = values.clone();
            if let Some(pieces) = &mut values.pieces {
                pieces.retain(|v, _| *v <= 0 || numbers.contains(v));
            }
            values
        };
        let own: Vec<Values> = self.files.iter().map(|f| own(&f.values)).collect();
        objects::evidence(&own.iter().collect::<Vec<_>>())
    }

    /// A file that alone would be one of object numbers for sure, where all together are not.
    fn alone_of_numbers(&self) -> Option<Problem> {
        let sure = |f: &&File| {
            Judge { expected: self.expected, files: std::slice::from_ref(*f) }.is_sure_in_8_bits()
        };
        let file = self.files.iter().find(sure)?;
        let what = format!(
            "its values {} mark one connected piece each, as numbers of objects, those of other files do not; measure them apart, or \
             say which value is which class: {}",
            file.values.words(),
            self.cure(&some(&file.values.counts))
        );
        Some(Problem::new(file.path, what))
    }

    /// Sure by its values, whatever the bits.
    fn is_sure_in_8_bits(&self) -> bool {
        let narrow = |f: &File| Values { bits: 8, ..f.values.clone() };
        let files: Vec<Values> = self.files.iter().map(narrow).collect();
        objects::evidence(&files.iter().collect::<Vec<_>>()) == Evidence::Sure
    }

    fn objects_in_doubt(&self, seen: &BTreeMap<i64, u64>) -> String {
        format!(
            "values {} mark one connected piece each: numbers of objects (then --instances), or classes (then {})?",
            words(seen),
            self.cure(&some(seen))
        )
    }

    /// Masks of which nothing is known.
    fn of_unknown_classes(&self, seen: &BTreeMap<i64, u64>) -> Result<Meaning, Problem> {
        let others: Vec<i64> = seen.keys().copied().filter(|v| !matches!(*v, 0 | WHITE)).collect();
        let Some(highest) = others.last().copied() else {
            let table = if seen.contains_key(&WHITE) { Table::grey(2) } else { Table::index(2) };
            return Ok(Meaning::Table(table));
        };
        let asked = self.expected.class.filter(|_| highest < WHITE);
        if self.expected.objects == ObjectNumbers::Detect {
            match self.evidence() {
                // That a class is asked for does not make classes of them: measuring says so.
                Evidence::Sure => return Ok(Meaning::Objects),
                Evidence::Maybe if asked.is_none() => {
                    return Err(self.problem(|_| true, self.objects_in_doubt(seen)));
                }
                Evidence::No | Evidence::Maybe => {}
            }
            if let Some(problem) = self.alone_of_numbers().filter(|_| self.files.len() > 1) {
                return Err(problem);
            }
        }
        if let Some(file) = self.black_and_white() {
            return Err(Problem::new(file.path, self.mixed(file)));
        }
        if asked.is_some() {
            return Ok(Meaning::Table(Table::index(highest as usize + 1)));
        }
        if highest > MANY_CLASSES {
            let what = format!(
                "values {} fit no coding: neither 0 and 1, nor 0 and 255, nor class indices, nor numbers of objects of one piece \
                 each; say which value is which class: {}",
                words(seen),
                self.cure(&some(seen))
            );
            return Err(self.problem(|f| f.counts.contains_key(&highest), what));
        }
        if !seen.contains_key(&0) && others.len() > 1 {
            return Err(self.problem(|_| true, self.first_class_in_doubt(seen)));
        }
        if !seen.contains_key(&1) {
            let what = format!(
                "no mask has the value 1 (values found: {}); say which class to measure: --class {highest}",
                words(seen)
            );
            return Err(self.problem(|f| f.counts.contains_key(&highest), what));
        }
        Ok(Meaning::Table(Table::index(highest as usize + 1)))
    }
}

/// The first values as a list.
pub(super) fn some(seen: &BTreeMap<i64, u64>) -> String {
    const SHOWN: usize = 6;
    let mut list: Vec<String> = seen.keys().take(SHOWN).map(|v| v.to_string()).collect();
    if seen.len() > SHOWN {
        list.push("...".to_owned());
    }
    list.join(", ")
}
