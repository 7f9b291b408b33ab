//! Images of object numbers, 0 where there is no object: every object is of the one class that the user names.
//!
//! A label map cannot hold that two objects of one class touch, so a line of pixels that are not counted (255) is drawn
//! between them, on the side of the larger one.

use super::pictures::Pictures;
use super::source_files::{files_below, folder_of, place, stem};
use super::{BACKGROUND, Imported, ImportedImage, Source};
use crate::coding;
use crate::problem::{DataError, Problem};
use sorby_image::{IGNORE, Integers, LabelMap};
use std::collections::{BTreeSet, HashMap};
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
        let mut sizes: HashMap<i64, u64> = HashMap::new();
        self.of
            .values
            .iter()
            .filter(|v| self.is_object(**v))
            .for_each(|v| *sizes.entry(*v).or_default() += 1);
        let class = |v: &i64| if Some(*v) == self.mark { IGNORE } else { u8::from(*v > 0) };
        let mut labels: Vec<u8> = self.of.values.iter().map(class).collect();
        let counted = labels.clone();
        let mut contacts = BTreeSet::new();
        self.each_contact(&mut |here, there| {
            let (a, b) = (self.of.values[here], self.of.values[there]);
            contacts.insert((a.min(b), a.max(b)));
            let larger = if (sizes[&a], a) > (sizes[&b], b) { here } else { there };
            labels[larger] = IGNORE;
        });
        if contacts.is_empty() {
            return Ok((LabelMap { width: self.of.width, height: self.of.height, labels }, None));
        }
        let kept: BTreeSet<i64> =
            self.of.values.iter().zip(&labels).filter(|(_, l)| **l == 1).map(|(v, _)| *v).collect();
        let lost = sizes.len() - kept.len();
        let line = labels.iter().zip(&counted).filter(|(now, before)| now != before).count();
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let mut told = format!(
            "objects touch in {} place{} ({} objects): a line of {line} pixels between them is not counted (255)",
            contacts.len(),
            plural(contacts.len()),
            sizes.len()
        );
        if lost > 0 {
            told += &format!("; {lost} object{} had no pixel beside the line and are lost", plural(lost));
        }
        Ok((LabelMap { width: self.of.width, height: self.of.height, labels }, Some(told)))
    }

    fn is_object(&self, value: i64) -> bool {
        value > 0 && Some(value) != self.mark
    }

    /// Calls `meet` with each pair of neighbours, diagonal ones too, of two objects.
    fn each_contact(&self, meet: &mut dyn FnMut(usize, usize)) {
        for y in 0..self.of.height {
            for x in 0..self.of.width {
                let here = y * self.of.width + x;
                if !self.is_object(self.of.values[here]) {
                    continue;
                }
                let (right, below, left) = (x + 1 < self.of.width, y + 1 < self.of.height, x > 0);
                let neighbours = [
                    (right, 1),
                    (below && left, self.of.width.wrapping_sub(1)),
                    (below, self.of.width),
                    (below && right, self.of.width + 1),
                ];
                for (_, step) in neighbours.into_iter().filter(|(there, _)| *there) {
                    let there = self.of.values[here + step];
                    if self.is_object(there) && there != self.of.values[here] {
                        meet(here, here + step);
                    }
                }
            }
        }
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
