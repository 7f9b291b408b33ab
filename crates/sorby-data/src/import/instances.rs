//! Images of object numbers, 0 where there is no object: every object is of the one class that the user names.

use super::contacts;
use super::pictures::Pictures;
use super::source_files::{files_below, folder_of, place, stem};
use super::{BACKGROUND, Imported, ImportedImage, Source};
use crate::coding;
use crate::problem::{DataError, Problem};
use sorby_image::{IGNORE, Integers, LabelMap};
use std::path::{Path, PathBuf};

/// What programs put after an image's name for its objects.
const SUFFIXES: [&str; 8] =
    ["_cp_masks", "_Object Identities", "_labels", "-labels", "_masks", "_label", "_mask", "_instances"];

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let (mut images, mut problems, mut remarks) = (Vec::new(), Vec::new(), Vec::new());
    let pictures = Pictures::of(source);
    for file in files_below(source.path, &sorby_image::EXTENSIONS) {
        let image = match image_of(&file, &pictures, source) {
            Some(Ok(image)) => image,
            Some(Err(what)) => {
                problems.push(Problem::new(&file, format!("its image {what}")));
                continue;
            }
            None => continue,
        };
        match read_numbers(&file) {
            Ok((label, told)) => {
                remarks.extend(told.into_iter().map(|what| Problem::new(&file, what)));
                images.push(ImportedImage { name: stem(&image), image, label, split: None });
            }
            Err(problem) => problems.push(problem),
        }
    }
    let classes = vec![BACKGROUND.to_owned(), source.class.to_owned()];
    Ok(Imported { classes, images, problems, remarks })
}

/// The label that the numbers of a file make, and what was done.
fn read_numbers(file: &Path) -> Result<(LabelMap, Vec<String>), Problem> {
    let problem = |what: String| Problem::new(file, what);
    let integers = Integers::read(file)?;
    if integers.values.iter().all(|v| *v >= 0) {
        let marked = coding::object_numbers(file)?;
        let (label, told) = Numbers { of: integers, mark: marked.mark }.label().map_err(problem)?;
        return Ok((label, marked.told.into_iter().chain(told).collect()));
    }
    Numbers { of: integers, mark: None }
        .label()
        .map(|(label, told)| (label, told.into_iter().collect()))
        .map_err(problem)
}

/// The image of the same name without one of the usual endings, or in another folder. `None` for what is no image of
/// numbers: where images and numbers lie together, only these have such an ending.
fn image_of(file: &Path, pictures: &Pictures, source: &Source) -> Option<Result<PathBuf, String>> {
    let (name, beside) = (stem(file), place(folder_of(source.path), file));
    let lower = name.to_lowercase();
    let bare =
        SUFFIXES.iter().find_map(|s| lower.strip_suffix(&s.to_lowercase())).and_then(|n| name.get(..n.len()));
    let found = |name: &str| pictures.of_stem(name, &beside, file).map(|found| found.path.to_owned());
    match (bare, source.images) {
        (Some(bare), Some(_)) => Some(found(bare).or_else(|first| found(&name).map_err(|_| first))),
        (Some(bare), None) => Some(found(bare)),
        (None, Some(_)) => Some(found(&name)),
        (None, None) => None,
    }
}

/// An image of object numbers.
struct Numbers {
    of: Integers,
    /// The value of what does not count.
    mark: Option<i64>,
}

impl Numbers {
    /// Objects as class 1, with a line of 255 where two touch; and what was done.
    fn label(&self) -> Result<(LabelMap, Option<String>), String> {
        if let Some(negative) = self.of.values.iter().find(|v| **v < 0) {
            return Err(format!(
                "has the object number {negative}; objects are numbered from 1, and 0 is none"
            ));
        }
        if !self.of.values.contains(&0) {
            return Err(coding::no_ground());
        }
        let is_mark = |v: &i64| Some(*v) == self.mark;
        let class = |v: &i64| if is_mark(v) { IGNORE } else { u8::from(*v > 0) };
        let labels = self.of.values.iter().map(class).collect();
        let mut map = LabelMap { width: self.of.width, height: self.of.height, labels };
        let objects: Vec<i64> = self.of.values.iter().map(|v| if is_mark(v) { 0 } else { *v }).collect();
        let told = contacts::part(&mut map, &objects);
        Ok((map, told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(rows: &[&str]) -> Numbers {
        let values = rows.iter().flat_map(|r| r.bytes().map(|b| i64::from(b - b'0') << 31)).collect();
        Numbers { of: Integers { width: rows[0].len(), height: rows.len(), values }, mark: None }
    }

    fn rows(label: &LabelMap) -> Vec<String> {
        let sign = |l: &u8| if *l == IGNORE { '#' } else { char::from(b'0' + l) };
        label.labels.chunks(label.width).map(|r| r.iter().map(sign).collect()).collect()
    }

    #[test]
    fn a_line_parts_what_touches() {
        let (label, told) = numbers(&["0000000", "0111220", "0111220", "0003330"]).label().unwrap();
        assert_eq!(rows(&label), ["0000000", "011#110", "01####0", "0001110"]);
        let told = told.unwrap();
        assert!(told.contains("in 3 places (3 objects)") && told.contains("5 pixels"), "{told}");
        // Numbers of several 32 bits, with gaps, that do not touch.
        let (label, told) = numbers(&["0900", "0000", "0050"]).label().unwrap();
        assert_eq!((rows(&label), told), (vec!["0100".to_owned(), "0000".into(), "0010".into()], None));
    }

    #[test]
    fn a_mark_is_no_object_and_touches_none() {
        let marked = Numbers { mark: Some(9 << 31), ..numbers(&["0119", "0119", "2299"]) };
        let (label, told) = marked.label().unwrap();
        assert_eq!(rows(&label), ["011#", "0###", "11##"]);
        assert!(told.unwrap().contains("a line of 2 pixels"));
    }

    #[test]
    fn small_objects_survive_large_ones() {
        let (label, _) = numbers(&["00000", "02220", "02120", "02220"]).label().unwrap();
        assert_eq!(rows(&label), ["00000", "0###0", "0#1#0", "0###0"]);
        let (_, told) = numbers(&["00000", "02220", "02120", "02220"]).label().unwrap();
        assert!(told.unwrap().contains("1 object had no pixel"), "the ring is lost, and it is told");
    }

    #[test]
    fn numbers_that_cannot_be_objects_are_refused() {
        assert!(numbers(&["112", "122"]).label().unwrap_err().contains("no pixel of 0"));
        let of = Integers { width: 2, height: 1, values: vec![0, -1] };
        let negative = Numbers { of, mark: None };
        assert!(negative.label().unwrap_err().contains("-1"));
    }
}
