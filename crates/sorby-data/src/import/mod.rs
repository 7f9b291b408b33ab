//! Labels that other programs made, brought into a data set of our own.
//!
//! A label map gives each pixel one class, so shapes that overlap need a rule: they are drawn in the order of their
//! file, and the later lies on top. What reaches beyond the image is cut off. A pixel belongs to a polygon when its
//! centre does (even-odd rule); polygons that share an edge share no pixel and leave no gap.

mod archive;
mod coco;
mod coco_areas;
mod contacts;
mod cvat;
mod detect;
mod drawing;
mod fill;
mod imagej;
mod instances;
mod labelme;
mod nnunet;
mod outline;
mod pictures;
mod qupath;
mod roi;
mod shapes;
mod source_files;
mod yaml;
mod yolo;

pub use detect::detect;

use crate::problem::{DataError, Problem};
use drawing::Drawing;
use sorby_image::{IGNORE, LabelMap, Micrograph};
use source_files::composed;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Who wrote the labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON file of COCO: polygons and run lengths.
    Coco,
    /// One JSON file of LabelMe per image.
    LabelMe,
    /// One text file of polygons per image, as Ultralytics' YOLO segmentation reads them.
    YoloSeg,
    /// CVAT's segmentation masks (also Pascal VOC's folders) with a `labelmap.txt`.
    Cvat,
    /// `.roi` or RoiSet.zip of ImageJ next to each image.
    ImageJ,
    /// GeoJSON of QuPath next to each image.
    QuPath,
    /// Images of object numbers, 0 for none: napari, ilastik, Cellpose.
    Instances,
    /// A data set folder of nnU-Net: `dataset.json`, `imagesTr` and `labelsTr`.
    NnUnet,
}

impl Format {
    /// Each format with its name on the command line.
    pub const ALL: [(&str, Self); 8] = [
        ("coco", Self::Coco),
        ("labelme", Self::LabelMe),
        ("yolo-seg", Self::YoloSeg),
        ("cvat", Self::Cvat),
        ("imagej", Self::ImageJ),
        ("qupath", Self::QuPath),
        ("instances", Self::Instances),
        ("nnunet", Self::NnUnet),
    ];
}

/// What to import, and what the files themselves do not say.
pub struct Source<'a> {
    /// Annotation file, or folder.
    pub path: &'a Path,
    /// Folder of the images, where it is not next to the annotations.
    pub images: Option<&'a Path>,
    /// Class of objects that have none of their own.
    pub class: &'a str,
}

/// Labelled images as they were found.
#[derive(Debug)]
pub struct Imported {
    /// Names in index order; the first is what no shape covers.
    pub classes: Vec<String>,
    /// The images of which a label could be made.
    pub images: Vec<ImportedImage>,
    /// What could not be taken over; the other images are.
    pub problems: Vec<Problem>,
    /// What was done otherwise than a user may expect.
    pub remarks: Vec<Problem>,
}

/// One image with the label that was drawn from its annotations.
#[derive(Debug)]
pub struct ImportedImage {
    /// Name in the new data set, without ending; unique there.
    pub name: String,
    /// Path of the image file.
    pub image: PathBuf,
    /// Indices of [`Imported::classes`], 255 to ignore; as large as the image.
    pub label: LabelMap,
    /// Split that the source names, such as `train`.
    pub split: Option<String>,
}

/// Name of the class that no shape covers.
pub const BACKGROUND: &str = "background";

/// COCO's and nnU-Net's category of pixels whose class is not known.
pub const IGNORED: &str = "ignore";

/// Reads labels of a known format.
///
/// # Errors
/// When nothing at all can be imported; what is wrong with single images stands in [`Imported::problems`].
pub fn import(format: Format, source: &Source) -> Result<Imported, DataError> {
    let mut imported = match format {
        Format::Coco => coco::read(source),
        Format::LabelMe => labelme::read(source),
        Format::YoloSeg => yolo::read(source),
        Format::Cvat => cvat::read(source),
        Format::ImageJ => imagej::read(source),
        Format::QuPath => qupath::read(source),
        Format::Instances => instances::read(source),
        Format::NnUnet => nnunet::read(source),
    }?;
    one_label_each(&mut imported);
    // These two draw on the pixels as they are stored.
    if matches!(format, Format::ImageJ | Format::QuPath) {
        none_is_turned(&mut imported);
    }
    sizes_agree(&mut imported);
    give_names(&mut imported);
    if imported.images.is_empty() {
        let mut problems = imported.problems;
        if problems.is_empty() {
            problems.push(Problem::new(source.path, "holds no labelled image"));
        }
        return Err(DataError(problems));
    }
    drop_unused(&mut imported, source.path);
    if imported.classes.len() < 2 {
        imported
            .problems
            .push(Problem::new(source.path, "has no object in any image: there is nothing to learn"));
        return Err(DataError(imported.problems));
    }
    Ok(imported)
}

/// An image with two labels gets neither: which of them holds cannot be known.
fn one_label_each(imported: &mut Imported) {
    let mut times: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for image in &imported.images {
        *times.entry(image.image.clone()).or_default() += 1;
    }
    imported.images.retain(|image| times[&image.image] == 1);
    for (path, times) in times.into_iter().filter(|(_, times)| *times > 1) {
        let count = if times == 2 { "two".to_owned() } else { times.to_string() };
        imported
            .problems
            .push(Problem::new(path, format!("has {count} labels; leave one. The image is left out")));
    }
}

fn none_is_turned(imported: &mut Imported) {
    for image in std::mem::take(&mut imported.images) {
        if sorby_image::is_turned(&image.image) {
            let what = "asks to be turned (EXIF orientation), which the program of its shapes does not do; save it \
                        upright and draw them again";
            imported.problems.push(Problem::new(image.image, what));
        } else {
            imported.images.push(image);
        }
    }
}

fn sizes_agree(imported: &mut Imported) {
    for image in std::mem::take(&mut imported.images) {
        let label_size = (image.label.width, image.label.height);
        // To its end: a copy of a damaged file would look like a good one.
        match Micrograph::read(&image.image).map(|m| (m.width, m.height)) {
            Ok(size) if size == label_size => imported.images.push(image),
            Ok((w, h)) => {
                let what = format!("is {w}x{h}, but its label is {}x{}", label_size.0, label_size.1);
                imported.problems.push(Problem::new(image.image, what));
            }
            Err(error) => imported.problems.push(error.into()),
        }
    }
}

/// Images of the same name in several folders are called by their folders too; some systems do not distinguish
/// capitals, so names that differ in them alone count as the same.
fn give_names(imported: &mut Imported) {
    let long = |image: &ImportedImage, folders: usize| {
        let parts: Vec<String> = image.image.iter().map(|p| composed(&p.to_string_lossy())).collect();
        let before = &parts[..parts.len().saturating_sub(1)];
        let mut parts = before[before.len().saturating_sub(folders)..].to_vec();
        parts.push(image.name.clone());
        parts.join("_")
    };
    let names: Vec<String> = imported.images.iter().map(|i| i.name.clone()).collect();
    let count_of = |names: &[String]| {
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        names.iter().for_each(|name| *count.entry(name.to_lowercase()).or_default() += 1);
        count
    };
    let shared = count_of(&names);
    let unique = |names: &[String]| count_of(names).values().all(|n| *n == 1);
    for folders in 0..8 {
        let renamed: Vec<String> = imported
            .images
            .iter()
            .map(|i| long(i, if shared[&i.name.to_lowercase()] > 1 { folders } else { 0 }))
            .collect();
        if unique(&renamed) {
            for (image, name) in imported.images.iter_mut().zip(renamed) {
                if image.name != name {
                    let what = format!("shares its name with another image and is called `{name}`");
                    imported.remarks.push(Problem::new(&image.image, what));
                    image.name = name;
                }
            }
            return;
        }
    }
    for image in imported.images.extract_if(.., |i| shared[&i.name.to_lowercase()] > 1) {
        let what = "shares its name with another image; rename one. The image is left out";
        imported.problems.push(Problem::new(image.image, what));
    }
}

/// Takes out classes that no image has a pixel of: nothing could be learnt of them.
fn drop_unused(imported: &mut Imported, path: &Path) {
    let mut used = vec![false; imported.classes.len()];
    used[0] = true;
    for image in &imported.images {
        let histogram = image.label.histogram();
        used.iter_mut().enumerate().for_each(|(class, used)| *used |= histogram[class] > 0);
    }
    let mut place = 0;
    let new: Vec<u8> = used
        .iter()
        .map(|used| {
            place += u8::from(*used);
            place.saturating_sub(1)
        })
        .collect();
    for (name, _) in imported.classes.iter().zip(&used).filter(|(_, used)| !**used) {
        let what = format!("class `{name}` has no pixel in any image and is left out");
        imported.remarks.push(Problem::new(path, what));
    }
    let mut kept = used.iter();
    imported.classes.retain(|_| *kept.next().unwrap_or(&true));
    for label in imported.images.iter_mut().flat_map(|i| &mut i.label.labels).filter(|l| **l != IGNORE) {
        *label = new[usize::from(*label)];
    }
}
