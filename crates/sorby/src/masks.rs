//! Masks that are measured: what their values mean, decided over all files together.

use crate::error::refuse;
use crate::{Observer, Result, listing};
use sorby_data::{Dataset, Expected, LabelCoding, ObjectNumbers};
use sorby_image::{IGNORE, MaskNote};
use std::path::PathBuf;

/// What the user says of masks whose values could mean several things.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CodingOptions {
    /// Stored value of each class, the first class (matrix) first; empty: the files are to say it.
    pub values: Vec<u32>,
    /// The masks hold numbers of objects, 0 for none: each number is an object.
    pub instances: bool,
}

/// What is known of masks besides their files.
#[derive(Default)]
pub struct Known<'a> {
    /// The data set that the masks are of.
    pub data: Option<&'a Dataset>,
    /// The class that the user asked for by its number.
    pub class: Option<u8>,
}

/// The one meaning of the values of these files; what was understood that a user should know of is told.
///
/// # Errors
/// When they may be meant in two ways.
pub fn coding(
    files: &[PathBuf],
    args: &CodingOptions,
    known: Known,
    observer: &dyn Observer,
) -> Result<LabelCoding> {
    if args.instances && !args.values.is_empty() {
        refuse!("--instances and --values exclude each other: values are numbers of objects, or of classes");
    }
    let said = args.instances || !args.values.is_empty();
    if said {
        check(files, args)?;
    }
    if let Some(data) = known.data.filter(|data| !said && are_its_labels(data, files)) {
        return Ok(data.coding().clone());
    }
    let names = classes(files, known.data)?;
    let expected = Expected {
        classes: (!names.is_empty()).then_some(names.len()),
        values: args.values.clone(),
        objects: if args.instances { ObjectNumbers::Given } else { ObjectNumbers::Detect },
        class: known.class,
        ..Expected::default()
    };
    let coding = LabelCoding::decide(&expected, files)?;
    coding.remarks.iter().for_each(|r| observer.note(r.to_string()));
    if coding.numbers_objects() && !files.is_empty() {
        observer.note(format!("{}: values are taken for numbers of objects, one object each", place(files)));
    }
    Ok(coding)
}

/// Refuses options that give a value two classes, or that speak of nothing.
fn check(files: &[PathBuf], args: &CodingOptions) -> Result<()> {
    if let Some(twice) = sorby_data::repeated_value(&args.values) {
        refuse!("--values names {twice} twice");
    }
    if args.values.len() > usize::from(IGNORE) {
        refuse!("--values: {} classes are too many; there can be {IGNORE}", args.values.len());
    }
    if !files.is_empty() && files.iter().all(|f| MaskNote::read(f).is_some()) {
        let option = if args.instances { "--instances" } else { "--values" };
        refuse!(
            "{}: masks that Sorby wrote say themselves what their values mean; leave out {option}",
            place(files)
        );
    }
    Ok(())
}

fn are_its_labels(data: &Dataset, files: &[PathBuf]) -> bool {
    let is_label = |file: &PathBuf| {
        let real = std::fs::canonicalize(file).ok();
        let same = |label: &PathBuf| {
            label.file_name() == file.file_name() && std::fs::canonicalize(label).ok() == real
        };
        data.items.iter().any(|item| same(&item.label))
    };
    files.iter().all(is_label)
}

fn place(files: &[PathBuf]) -> String {
    match files {
        [] => String::new(),
        [one] => one.display().to_string(),
        [first, ..] => first.parent().unwrap_or(first).display().to_string(),
    }
}

/// The masks of `--truth` or `--masks`, if there is one.
///
/// # Errors
/// When the folder has no images.
pub fn files_of(folder: Option<&PathBuf>) -> Result<Vec<PathBuf>> {
    folder.map_or(Ok(Vec::new()), |folder| listing::images(std::slice::from_ref(folder)))
}

/// Names of the classes: of the data set, or else as the masks say themselves.
///
/// # Errors
/// When two masks name other classes, so that one number means two things.
pub fn classes(files: &[PathBuf], data: Option<&Dataset>) -> Result<Vec<String>> {
    if let Some(data) = data {
        return Ok(data.manifest.class_names());
    }
    let mut stated: Option<(&PathBuf, Vec<String>)> = None;
    for file in files {
        let names = MaskNote::read(file).map(|note| note.classes).unwrap_or_default();
        match &stated {
            _ if names.is_empty() => {}
            None => stated = Some((file, names)),
            Some((first, own)) if *own != names => refuse!(
                "{} has the classes {}, but {} has {}; measure them apart",
                first.display(),
                own.join(", "),
                file.display(),
                names.join(", ")
            ),
            Some(_) => {}
        }
    }
    Ok(stated.map(|(_, names)| names).unwrap_or_default())
}
