//! What the values of label and mask files mean: one decision over all files of a folder, for data sets, measurements,
//! import and the page.
//!
//! Stored values count (palette indices, nothing inverted). What is certain is read; what may be meant in two ways is
//! refused with the values found and the cure.

mod before;
mod decide;
mod greys;
mod judge;
mod numbers;
mod objects;
mod painted;
mod palettes;
mod polarity;
mod soft;
mod strays;
mod survey;
mod table;
#[cfg(test)]
mod tests;

use crate::manifest::{LabelKind, Manifest};
use crate::problem::Problem;
use before::Before;
pub(crate) use numbers::object_numbers;
use painted::Paint;
use rayon::prelude::*;
use sorby_image::{IGNORE, LabelFile, LabelMap, LabelValues, MaskNote};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use survey::{Survey, survey};
use table::Table;

/// What is known of the masks before they are looked at.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Number of classes, where it is known.
    pub classes: Option<usize>,
    /// How the user says that values stand for classes.
    pub kind: LabelKind,
    /// The stored value of each class, first class first, where the user says them.
    pub values: Vec<u32>,
    /// Colours that a user gave the classes: of the label, or else of pictures.
    pub colours: Vec<Option<[u8; 3]>>,
    /// Whether values may be numbers of objects.
    pub objects: ObjectNumbers,
    /// The class that the user asks for by its number: then values are classes.
    pub class: Option<u8>,
}

/// Why an image of object numbers that has no 0 is refused.
pub(crate) fn no_ground() -> String {
    numbers::no_ground("")
}

/// Whether values may be numbers of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ObjectNumbers {
    /// No: classes are learnt.
    #[default]
    Refuse,
    /// Where it is certain.
    Detect,
    /// The user says so.
    Given,
}

impl Expected {
    /// What a data set's manifest says of its labels.
    pub fn of_manifest(manifest: &Manifest) -> Self {
        let colour = |c: &crate::Class| c.label_color.or(c.color).map(|c| c.0);
        Self {
            classes: Some(manifest.classes.len()),
            kind: manifest.labels.kind,
            values: manifest.labels.values.clone(),
            colours: match manifest.labels.kind {
                LabelKind::Painted => manifest.classes.iter().map(|c| c.label_color.map(|c| c.0)).collect(),
                _ => manifest.classes.iter().map(colour).collect(),
            },
            ..Self::default()
        }
    }
}

/// A mask with the meaning of its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Class indices, 255 = ignore. Of object numbers 1 where there is an object.
    pub map: LabelMap,
    /// The number of each pixel's object, where the values are numbers of objects.
    pub numbers: Option<Vec<u32>>,
}

impl Label {
    /// Numbers of the objects, none where the map is to be ignored.
    pub fn known_numbers(&self) -> Option<Vec<u32>> {
        let known = |(n, label): (&u32, &u8)| if *label == IGNORE { 0 } else { *n };
        Some(self.numbers.as_ref()?.iter().zip(&self.map.labels).map(known).collect())
    }
}

/// How the masks of a folder code what they say, decided once for all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelCoding {
    meaning: Meaning,
    /// Number of classes of masks that say themselves that they hold indices; 0 where it is not known.
    noted_classes: usize,
    /// What the values of single files stand for before they have that meaning.
    before: BTreeMap<PathBuf, Before>,
    /// Files that are no such masks, and why.
    refused: BTreeMap<PathBuf, String>,
    /// What was understood that a user should know of.
    pub remarks: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq)]
enum Meaning {
    Table(Table),
    Painted(Paint),
    /// Numbers of objects, 0 for none.
    Objects,
}

impl Default for Meaning {
    fn default() -> Self {
        Self::Table(Table::index(255))
    }
}

impl LabelCoding {
    /// Class indices as they are.
    pub fn index(classes: usize) -> Self {
        Self { meaning: Meaning::Table(Table::index(classes)), noted_classes: classes, ..Self::default() }
    }

    /// Looks at all files and decides. Files that cannot be read or are no masks do not hinder the others; reading them
    /// gives the reason, see [`LabelCoding::refused`].
    ///
    /// # Errors
    /// When the values of the files fit no coding, or may be meant in two ways.
    pub fn decide(expected: &Expected, files: &[PathBuf]) -> Result<Self, Problem> {
        if expected.kind == LabelKind::Painted {
            return Ok(Self { noted_classes: expected.colours.len(), ..Self::painted(expected, files) });
        }
        let looked: Vec<Result<Survey, Problem>> = files.par_iter().map(|f| survey(f)).collect();
        let mut refused = BTreeMap::new();
        let mut found: Vec<Survey> = Vec::new();
        for (file, result) in files.iter().zip(looked) {
            match result {
                Ok(survey) => found.push(survey),
                Err(problem) => {
                    refused.insert(file.clone(), problem.what);
                }
            }
        }
        let mut coding = decide::decide(expected, &found)?;
        coding.refused.append(&mut refused);
        Ok(Self { noted_classes: expected.classes.unwrap_or(0), ..coding })
    }

    fn painted(expected: &Expected, files: &[PathBuf]) -> Self {
        let paint = Paint::new(&expected.colours);
        let look = |file: &PathBuf| -> Option<Problem> {
            // What hinders reading is said when the file is read.
            if MaskNote::read(file).is_some() {
                return None;
            }
            let (_, blends) = paint.decode(&LabelFile::read_colours(file).ok()?).ok()?;
            (blends > 0).then(|| Problem::new(file, painted::blends_in_words(blends)))
        };
        let remarks = files.par_iter().filter_map(look).collect();
        Self { meaning: Meaning::Painted(paint), remarks, ..Self::default() }
    }

    /// Files that cannot be read or are no masks, each with the reason.
    pub fn refused(&self) -> impl Iterator<Item = Problem> {
        self.refused.iter().map(|(file, what)| Problem::new(file, what))
    }

    /// Whether the values are numbers of objects.
    pub fn numbers_objects(&self) -> bool {
        self.meaning == Meaning::Objects
    }

    /// What the values are taken for.
    pub fn words(&self) -> String {
        match &self.meaning {
            Meaning::Table(table) => table.words(),
            Meaning::Painted(_) => "painted colours".to_owned(),
            Meaning::Objects => "numbers of objects, 0 = none".to_owned(),
        }
    }

    /// Reads a file. One that Sorby wrote says itself that it holds class indices.
    ///
    /// # Errors
    /// When it cannot be read, or has values that stand for nothing.
    pub fn read(&self, file: &Path) -> Result<Label, Problem> {
        let problem = |what: String| Problem::new(file, what);
        if MaskNote::read(file).is_some() {
            let classes = if self.noted_classes > 0 { self.noted_classes } else { usize::from(IGNORE) };
            let map = Table::index(classes).decode(LabelFile::read(file)?).map_err(problem)?;
            return Ok(Label { map, numbers: None });
        }
        if let Some(what) = self.refused.get(file) {
            return Err(problem(what.clone()));
        }
        if let Meaning::Painted(paint) = &self.meaning {
            let (map, _) = paint.decode(&LabelFile::read_colours(file)?).map_err(problem)?;
            return Ok(Label { map, numbers: None });
        }
        let mut read = LabelFile::read(file)?;
        let before = self.before.get(file);
        before.iter().for_each(|b| b.apply(&mut read.values));
        match &self.meaning {
            Meaning::Objects => numbered(read, before).map_err(problem),
            Meaning::Table(table) => {
                let map = table.decode(read).map_err(problem)?;
                Ok(Label { map, numbers: None })
            }
            Meaning::Painted(_) => Err(problem("is no painted picture".to_owned())),
        }
    }
}

/// A picture of object numbers; a mark among them does not count.
fn numbered(file: LabelFile, before: Option<&Before>) -> Result<Label, String> {
    let (width, height) = (file.width, file.height);
    let marked = marked(&file.values, before);
    let mut numbers: Vec<u32> = match file.values {
        LabelValues::Small(values) => values.into_iter().map(u32::from).collect(),
        LabelValues::Wide(values) => compact(values)?,
        LabelValues::Colours(_) => return Err("is a colour picture, not one of object numbers".into()),
    };
    let mut labels: Vec<u8> = numbers.iter().map(|n| u8::from(*n > 0)).collect();
    for i in marked {
        (numbers[i], labels[i]) = (0, IGNORE);
    }
    Ok(Label { map: LabelMap { width, height, labels }, numbers: Some(numbers) })
}

/// The pixels of the mark.
fn marked(values: &LabelValues, before: Option<&Before>) -> Vec<usize> {
    let Some(Before::Mark(mark)) = before else { return Vec::new() };
    let places = |is: &dyn Fn(usize) -> bool, n: usize| (0..n).filter(|i| is(*i)).collect();
    match values {
        LabelValues::Small(values) => places(&|i| i64::from(values[i]) == *mark, values.len()),
        LabelValues::Wide(values) => places(&|i| values[i] == *mark, values.len()),
        LabelValues::Colours(_) => Vec::new(),
    }
}

/// Numbers of any size as numbers of 32 bits: those that fit stay as they are.
fn compact(values: Vec<i64>) -> Result<Vec<u32>, String> {
    if let Some(negative) = values.iter().find(|v| **v < 0) {
        return Err(format!("has the value {negative}, which is no object's number; 0 stands for no object"));
    }
    if let Ok(numbers) = values.iter().map(|v| u32::try_from(*v)).collect() {
        return Ok(numbers);
    }
    let mut order = BTreeMap::new();
    values.iter().filter(|v| **v > 0).for_each(|v| {
        order.insert(*v, 0u32);
    });
    (1u32..).zip(order.values_mut()).for_each(|(n, place)| *place = n);
    Ok(values.iter().map(|v| order.get(v).copied().unwrap_or(0)).collect())
}
