//! Images of object numbers, 0 where there is no object: every object is of the one class that the user names.

use super::{BACKGROUND, Imported, ImportedImage, Source, files, image_of_stem, stem};
use crate::problem::{DataError, Problem};
use sorby_image::{LabelMap, Micrograph, Pixels};
use std::path::{Path, PathBuf};

/// What programs put after an image's name for its objects.
const SUFFIXES: [&str; 6] = ["_cp_masks", "_Object Identities", "_labels", "_masks", "_label", "_mask"];

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let (mut images, mut problems) = (Vec::new(), Vec::new());
    let folders: Vec<&Path> = source.images.into_iter().chain([source.path]).collect();
    for file in files(source.path, &sorby_image::EXTENSIONS) {
        let Some(image) = image_of(&file, &folders) else {
            if source.images.is_some() {
                problems.push(Problem::new(&file, "no image has this name"));
            }
            continue;
        };
        match objects(&file) {
            Ok(label) => images.push(ImportedImage { name: stem(&image), image, label, split: None }),
            Err(problem) => problems.push(problem),
        }
    }
    let classes = vec![BACKGROUND.to_owned(), source.class.to_owned()];
    Ok(Imported { classes, images, problems, remarks: Vec::new() })
}

/// The image of the same name in another folder, or without one of the usual endings.
fn image_of(file: &Path, folders: &[&Path]) -> Option<PathBuf> {
    let name = stem(file);
    let bare = SUFFIXES.iter().find_map(|s| name.strip_suffix(s));
    let names = bare.into_iter().chain([name.as_str()]);
    names.flat_map(|n| folders.iter().filter_map(move |f| image_of_stem(f, n))).find(|image| image != file)
}

fn objects(file: &Path) -> Result<LabelMap, Problem> {
    let Micrograph { width, height, pixels } = Micrograph::read(file)?;
    let labels: Vec<u8> = match pixels {
        Pixels::Grey8(p) => p.iter().map(|v| u8::from(*v > 0)).collect(),
        Pixels::Grey16(p) => p.iter().map(|v| u8::from(*v > 0)).collect(),
        Pixels::Float(p) => p.iter().map(|v| u8::from(*v > 0.0)).collect(),
        Pixels::Rgb8(_) | Pixels::Rgb16(_) => {
            return Err(Problem::new(file, "is a colour picture, not one of object numbers"));
        }
    };
    Ok(LabelMap { width, height, labels })
}
