//! Labels that other programs made, brought into a data set of our own.
//!
//! A label map gives each pixel one class, so shapes that overlap need a rule: they are drawn in the order of their
//! file, and the later lies on top. What reaches beyond the image is cut off. A pixel belongs to a polygon when its
//! centre does (even-odd rule); polygons that share an edge share no pixel and leave no gap.

mod coco;
mod cvat;
mod imagej;
mod instances;
mod labelme;
mod nnunet;
mod qupath;
mod shapes;
mod yolo;

use crate::problem::{DataError, Problem};
use shapes::{Shape, draw};
use sorby_image::{IGNORE, LabelMap, is_image};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Who wrote the labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Coco,
    LabelMe,
    YoloSeg,
    /// CVAT's segmentation masks (also Pascal VOC's folders) with a `labelmap.txt`.
    Cvat,
    /// `.roi` or RoiSet.zip beside each image.
    ImageJ,
    /// GeoJSON beside each image.
    QuPath,
    /// Images of object numbers, 0 for none: napari, ilastik, Cellpose.
    Instances,
    NnUnet,
}

impl Format {
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
    /// Folder of the images, where it is not beside the annotations.
    pub images: Option<&'a Path>,
    /// Class of objects that have none of their own.
    pub class: &'a str,
}

/// Labelled images as they were found.
#[derive(Debug)]
pub struct Imported {
    /// Names in index order; the first is what no shape covers.
    pub classes: Vec<String>,
    pub images: Vec<ImportedImage>,
    /// What could not be taken over; the other images are.
    pub problems: Vec<Problem>,
    /// What was done otherwise than a user may expect.
    pub remarks: Vec<Problem>,
}

#[derive(Debug)]
pub struct ImportedImage {
    pub name: String,
    pub image: PathBuf,
    pub label: LabelMap,
    pub split: Option<String>,
}

/// Name of the class that no shape covers.
const BACKGROUND: &str = "background";

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
    let mut names = BTreeSet::new();
    for image in std::mem::take(&mut imported.images) {
        if !names.insert(image.name.clone()) {
            let what = format!("`{}` has two labels or two images of that name; leave one", image.name);
            imported.problems.push(Problem::new(image.image, what));
            continue;
        }
        let label_size = (image.label.width, image.label.height);
        match sorby_image::dimensions(&image.image) {
            Some(size) if size == label_size => imported.images.push(image),
            Some((w, h)) => {
                let what = format!("is {w}x{h}, but its label is {}x{}", label_size.0, label_size.1);
                imported.problems.push(Problem::new(image.image, what));
            }
            None => imported.problems.push(Problem::new(image.image, "cannot be read as an image")),
        }
    }
    if imported.images.is_empty() {
        let mut problems = imported.problems;
        if problems.is_empty() {
            problems.push(Problem::new(source.path, "holds no labelled image"));
        }
        return Err(DataError(problems));
    }
    drop_unused(&mut imported, source.path);
    Ok(imported)
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

/// Tells the format by the files that are there; `None` when several or none would fit.
pub fn detect(path: &Path) -> Option<Format> {
    if path.is_file() {
        let value = json(path).ok()?;
        return value.get("annotations").map(|_| Format::Coco);
    }
    if path.join("dataset.json").is_file() && path.join("labelsTr").is_dir() {
        return Some(Format::NnUnet);
    }
    if path.join("labelmap.txt").is_file() {
        return Some(Format::Cvat);
    }
    let with = |ending: &str| files(path, &[ending]).into_iter().next();
    let mut found = Vec::new();
    if with("geojson").is_some() {
        found.push(Format::QuPath);
    }
    if with("roi").is_some() || with("zip").is_some() {
        found.push(Format::ImageJ);
    }
    if let Some(file) = with("json") {
        let value = json(&file).ok()?;
        if value.get("shapes").is_some() {
            found.push(Format::LabelMe);
        } else if value.get("annotations").is_some() {
            found.push(Format::Coco);
        } else if value.get("features").is_some() {
            found.push(Format::QuPath);
        }
    }
    if path.join("data.yaml").is_file()
        || path.join("labels").is_dir() && !files(&path.join("labels"), &["txt"]).is_empty()
    {
        found.push(Format::YoloSeg);
    }
    match found[..] {
        [one] => Some(one),
        _ => None,
    }
}

/// Most that an annotation file may hold.
const MAX_BYTES: u64 = 1 << 29;

fn bytes(path: &Path) -> Result<Vec<u8>, Problem> {
    let file = File::open(path).map_err(|e| Problem::new(path, e))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| Problem::new(path, e))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Problem::new(path, "is larger than any annotation file should be (512 MB)"));
    }
    Ok(bytes)
}

fn text(path: &Path) -> Result<String, Problem> {
    String::from_utf8(bytes(path)?).map_err(|_| Problem::new(path, "is not a text file (UTF-8)"))
}

fn json(path: &Path) -> Result<serde_json::Value, Problem> {
    let bytes = bytes(path)?;
    // Some programs on Windows put a mark before the text.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(text).map_err(|e| Problem::new(path, format!("is no valid JSON ({e})")))
}

/// Files of a folder with one of these endings, in order; hidden ones are passed over.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    let wanted = |p: &PathBuf| {
        let ending = p.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        p.is_file() && endings.contains(&ending.as_str()) && !stem(p).starts_with('.')
    };
    let mut found: Vec<_> = entries.filter(wanted).collect();
    found.sort();
    found
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The image that an annotation calls `name`: in one of `folders` under the whole name, or else under its last part
/// (the folders before it may be those of another machine), or else with another ending.
fn image_called(name: &str, folders: &[&Path]) -> Option<PathBuf> {
    let parts: Vec<&str> = name.split(['/', '\\']).filter(|p| !p.is_empty() && *p != ".").collect();
    let file = parts.last().filter(|f| **f != "..")?;
    let whole: PathBuf = parts.iter().collect();
    let plain = !parts.iter().any(|p| *p == ".." || p.contains(':'));
    let under =
        |relative: &Path| folders.iter().map(|f| f.join(relative)).find(|p| p.is_file() && is_image(p));
    let found = if plain { under(&whole) } else { None };
    found
        .or_else(|| under(Path::new(file)))
        .or_else(|| folders.iter().find_map(|f| image_of_stem(f, &stem(Path::new(file)))))
}

/// The image of this name in a folder, whatever its ending.
fn image_of_stem(folder: &Path, wanted: &str) -> Option<PathBuf> {
    files(folder, &sorby_image::EXTENSIONS).into_iter().find(|p| stem(p) == wanted)
}

/// Collects images whose shapes have class names, in the order in which the names appear.
struct Drawing<'a> {
    source: &'a Source<'a>,
    classes: Vec<String>,
    images: BTreeMap<String, ImportedImage>,
    problems: Vec<Problem>,
    remarks: Vec<Problem>,
}

impl<'a> Drawing<'a> {
    fn new(source: &'a Source<'a>) -> Self {
        let classes = vec![BACKGROUND.to_owned()];
        Self { source, classes, images: BTreeMap::new(), problems: Vec::new(), remarks: Vec::new() }
    }

    /// Index of a class, which is new or known. Names that programs keep for what is no class are understood.
    fn class(&mut self, name: &str) -> usize {
        let name = if name.trim().is_empty() { self.source.class } else { name.trim() };
        match name {
            "_background_" => return 0,
            "__ignore__" | "Ignore*" => return usize::from(IGNORE),
            _ => {}
        }
        self.classes.iter().position(|c| c == name).unwrap_or_else(|| {
            self.classes.push(name.to_owned());
            self.classes.len() - 1
        })
    }

    /// Notes an area that cannot be taken over, for which its image has to be left out: a label that lacks an object
    /// would teach that there is none.
    fn refuse(&mut self, annotation: &Path, what: String) {
        self.problems.push(Problem::new(annotation, format!("{what}; its image is left out")));
    }

    /// Draws an image's shapes; `declared` is the size that the annotation says it has.
    fn add(&mut self, annotation: &Path, image: PathBuf, declared: Option<(usize, usize)>, shapes: &[Shape]) {
        let name = stem(&image);
        let Some(size) = sorby_image::dimensions(&image) else {
            return self.problems.push(Problem::new(image, "cannot be read as an image"));
        };
        if let Some(declared) = declared.filter(|d| *d != size) {
            let what = format!(
                "is for an image of {}x{}, but {} has {}x{}; shapes would lie wrong",
                declared.0,
                declared.1,
                image.display(),
                size.0,
                size.1
            );
            return self.problems.push(Problem::new(annotation, what));
        }
        if self.images.contains_key(&name) {
            let what = format!("is for `{name}`, which has labels already; two images have that name");
            return self.problems.push(Problem::new(annotation, what));
        }
        let (label, told) = draw(size, shapes);
        for what in told {
            self.remarks.push(Problem::new(annotation, format!("`{name}`: {what}")));
        }
        self.images.insert(name.clone(), ImportedImage { name, image, label, split: None });
    }

    fn finish(mut self) -> Imported {
        if self.classes.len() > usize::from(IGNORE) {
            let what = format!("has {} classes; label maps hold {IGNORE}", self.classes.len());
            self.problems.push(Problem::new(self.source.path, what));
            self.images.clear();
        }
        Imported {
            classes: self.classes,
            images: self.images.into_values().collect(),
            problems: self.problems,
            remarks: self.remarks,
        }
    }
}
