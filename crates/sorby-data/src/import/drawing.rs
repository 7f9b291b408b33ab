//! Images drawn from shapes whose classes have names, in the order in which the names appear.

use super::pictures::Pictures;
use super::shapes::{Shape, draw};
use super::source_files::{composed, stem};
use super::{BACKGROUND, Imported, ImportedImage, Source};
use crate::problem::Problem;
use sorby_image::IGNORE;
use std::path::{Path, PathBuf};

pub(super) struct Drawing<'a> {
    pub source: &'a Source<'a>,
    pub pictures: Pictures,
    classes: Vec<String>,
    images: Vec<ImportedImage>,
    pub problems: Vec<Problem>,
    pub remarks: Vec<Problem>,
}

impl<'a> Drawing<'a> {
    pub fn new(source: &'a Source<'a>) -> Self {
        let classes = vec![BACKGROUND.to_owned()];
        let pictures = Pictures::of(source);
        Self { source, pictures, classes, images: Vec::new(), problems: Vec::new(), remarks: Vec::new() }
    }

    /// Index of a class, which is new or known. Names that programs keep for what is no class are understood.
    pub fn class(&mut self, name: &str) -> usize {
        let name = if name.trim().is_empty() { self.source.class } else { name.trim() };
        match name {
            "_background_" => return 0,
            "__ignore__" | "Ignore*" => return usize::from(IGNORE),
            _ => {}
        }
        let name = composed(name);
        self.classes.iter().position(|c| *c == name).unwrap_or_else(|| {
            self.classes.push(name);
            self.classes.len() - 1
        })
    }

    /// Notes an area that cannot be taken over, for which its image has to be left out: a label that lacks an object
    /// would teach that there is none.
    pub fn refuse(&mut self, annotation: &Path, what: String) {
        self.problems.push(Problem::new(annotation, format!("{what}; its image is left out")));
    }

    pub fn problem(&mut self, path: &Path, what: impl std::fmt::Display) {
        self.problems.push(Problem::new(path, what));
    }

    pub fn remark(&mut self, path: &Path, what: impl std::fmt::Display) {
        self.remarks.push(Problem::new(path, what));
    }

    /// Draws an image's shapes; `declared` is the size that the annotation says it has.
    pub fn add(
        &mut self,
        annotation: &Path,
        image: PathBuf,
        declared: Option<(usize, usize)>,
        shapes: &[Shape],
        split: Option<String>,
    ) {
        let Some(size) = sorby_image::dimensions(&image) else {
            return self.problem(&image, "cannot be read as an image");
        };
        if let Some(declared) = declared.filter(|d| *d != size) {
            let turned = match declared == (size.1, size.0) && sorby_image::is_turned(&image) {
                true => " once it is turned as its EXIF orientation asks",
                false => "",
            };
            let what = format!(
                "is for an image of {}x{}, but {} has {}x{}{turned}; shapes would lie wrong",
                declared.0,
                declared.1,
                image.display(),
                size.0,
                size.1
            );
            return self.problem(annotation, what);
        }
        if let Some(what) = shapes.iter().find_map(|shape| shape.area.misplaced(size)) {
            return self.refuse(annotation, format!("an object of {} {what}", image.display()));
        }
        let name = stem(&image);
        let (label, told) = draw(size, shapes);
        if !shapes.is_empty() && label.labels.iter().all(|l| *l == 0) && shapes.iter().any(|s| s.class != 0) {
            let what = format!("none of the objects of {} has a pixel inside it", image.display());
            return self.refuse(annotation, what);
        }
        for what in told {
            self.remark(annotation, format!("`{name}`: {what}"));
        }
        self.images.push(ImportedImage { name, image, label, split });
    }

    pub fn finish(mut self) -> Imported {
        if self.classes.len() > usize::from(IGNORE) {
            let what = format!("has {} classes; label maps hold {IGNORE}", self.classes.len());
            self.problem(self.source.path, what);
            self.images.clear();
        }
        for (i, name) in self.classes.iter().enumerate() {
            let same = |other: &&String| other.to_lowercase() == name.to_lowercase();
            if let Some(other) = self.classes[..i].iter().find(same) {
                let what = format!("classes `{other}` and `{name}` differ by capitals only; both are kept");
                self.remarks.push(Problem::new(self.source.path, what));
            }
        }
        Imported {
            classes: self.classes,
            images: self.images,
            problems: self.problems,
            remarks: self.remarks,
        }
    }
}
