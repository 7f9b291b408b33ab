//! Masks that are measured: what their values mean, decided over all files together.

use super::inputs;
use crate::args::CodingArgs;
use anyhow::bail;
use sorby_data::{Dataset, Expected, LabelCoding, ObjectNumbers};
use sorby_image::MaskNote;
use std::path::PathBuf;

/// What is known of masks besides their files.
#[derive(Default)]
pub struct Known<'a> {
    pub data: Option<&'a Dataset>,
    /// The class that the user asked for by its number.
    pub class: Option<u8>,
}

/// The one meaning of the values of these files; what was understood that a user should know of is told.
///
/// # Errors
/// When they may be meant in two ways.
pub fn coding(files: &[PathBuf], args: &CodingArgs, known: Known) -> anyhow::Result<LabelCoding> {
    if args.instances && !args.values.is_empty() {
        bail!("--instances and --values exclude each other: values are numbers of objects, or of classes");
    }
    let said = args.instances || !args.values.is_empty();
    if let Some(data) = known.data.filter(|data| !said && are_its_labels(data, files)) {
        return Ok(data.coding().clone());
    }
    let names = match known.data {
        Some(data) => data.manifest.class_names(),
        None => noted_classes(files),
    };
    let expected = Expected {
        classes: (!names.is_empty()).then_some(names.len()),
        values: args.values.clone(),
        objects: if args.instances { ObjectNumbers::Given } else { ObjectNumbers::Detect },
        class: known.class,
        ..Expected::default()
    };
    let coding = LabelCoding::decide(&expected, files).map_err(|p| anyhow::anyhow!("{p}"))?;
    coding.remarks.iter().for_each(|r| eprintln!("note: {r}"));
    if coding.numbers_objects() && !files.is_empty() {
        eprintln!("note: {}: values are taken for numbers of objects, one object each", place(files));
    }
    Ok(coding)
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
pub fn files_of(folder: Option<&PathBuf>) -> anyhow::Result<Vec<PathBuf>> {
    folder.map_or(Ok(Vec::new()), |folder| inputs::images(std::slice::from_ref(folder)))
}

/// Names of the classes, as the first mask with a note says.
pub fn noted_classes(files: &[PathBuf]) -> Vec<String> {
    files.iter().find_map(|f| MaskNote::read(f)).map(|note| note.classes).unwrap_or_default()
}
