//! Labels of other programs as a data set.

use super::copy::Copy;
use crate::error::refuse;
use crate::{Event, Observer, Result};
use sorby_data::import::{Format, Source, detect, import};
use sorby_data::{Class, DataError, Manifest, Problem};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where labels of another program are.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Annotation file, or folder.
    pub source: PathBuf,
    /// Folder of the images, where it is not next to the annotations.
    pub images: Option<PathBuf>,
    /// Who wrote the labels, by name; `None`: as the files say.
    pub format: Option<String>,
    /// Class of objects that have none of their own.
    pub class: String,
}

/// A data set that was made of labels of another program.
pub struct ImportedData {
    /// Images taken over.
    pub images: usize,
    /// Class names in index order.
    pub classes: Vec<String>,
    /// What could not be taken over.
    pub problems: Vec<Problem>,
    /// What was done otherwise than a user may expect.
    pub remarks: Vec<Problem>,
}

/// Makes a data set in the new folder `out`.
///
/// # Errors
/// When who wrote the labels cannot be known, nothing could be taken over, or the folder holds anything.
pub fn import_labels(options: &ImportOptions, out: &Path, observer: &dyn Observer) -> Result<ImportedData> {
    if !options.source.exists() {
        refuse!("{}: no such file or folder", options.source.display());
    }
    if let Some(images) = options.images.as_deref().filter(|i| !i.is_dir()) {
        refuse!("--images {}: no such folder", images.display());
    }
    let names = || Format::ALL.map(|(name, _)| name).join(", ");
    let format = match &options.format {
        Some(text) => match Format::ALL.iter().find(|(name, _)| name == text) {
            Some((_, format)) => *format,
            None => refuse!("--format {text}: unknown; the formats are {}", names()),
        },
        None => match detect(&options.source)? {
            Some(format) => format,
            None if options.source.extension().is_some_and(|e| e == "xml")
                || options.source.join("annotations.xml").is_file() =>
            {
                refuse!(
                    "{}: XML of CVAT or Pascal VOC is not read; export `Segmentation mask 1.1`, COCO or LabelMe",
                    options.source.display()
                )
            }
            None => refuse!(
                "{}: who wrote these labels cannot be told from the files; give --format, one of {}. Indexed, grey and \
                 painted masks need no import: see `sorby data init`",
                options.source.display(),
                names()
            ),
        },
    };
    let source = Source { path: &options.source, images: options.images.as_deref(), class: &options.class };
    let imported = match import(format, &source) {
        Ok(imported) => imported,
        Err(DataError(problems)) => {
            problems.iter().for_each(|p| observer.event(Event::Problem(p.to_string())));
            refuse!("{}: nothing could be taken over; the problems are above", options.source.display());
        }
    };
    let classes = imported.classes.iter().map(Class::named);
    let mut manifest = Manifest::of_classes(classes.collect());
    let mut splits: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut copy = Copy::begin(out, &manifest)?;
    for image in &imported.images {
        copy.add(&image.name, &image.image, &image.label)?;
        if let Some(split) = &image.split {
            splits.entry(split.clone()).or_default().push(image.name.clone());
        }
    }
    manifest.splits = splits;
    let images = copy.images;
    copy.finish(manifest)?;
    Ok(ImportedData {
        images,
        classes: imported.classes,
        problems: imported.problems,
        remarks: imported.remarks,
    })
}
