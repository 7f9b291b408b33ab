//! Another list of classes for a data set whose images are labelled already.

use crate::Result;
use crate::error::{Context, refuse, refused};
use rayon::prelude::*;
use sorby_data::{
    ChangedBy, Colour, Entry, Expected, LabelCoding, LabelVersions, Manifest, NewClass, entries, entries_of,
    locate, put_classes, read_label, save_label,
};
use sorby_image::{MaskNote, files, write};
use std::path::{Path, PathBuf};

/// Where what is replaced is kept.
pub struct LabelPlaces {
    /// Folder of label files that other programs wrote.
    pub kept: PathBuf,
    /// Folder of the versions of labels, by image.
    pub versions: PathBuf,
}

impl LabelPlaces {
    /// Those of a data set that is no part of a larger project.
    pub fn of(root: &Path) -> Self {
        let hidden = root.join(".sorby");
        Self { kept: hidden.join("labels-before"), versions: hidden.join("label-versions") }
    }
}

/// Gives a data set another list of classes and converts its labels; returns how many. A process that is ended on the way
/// leaves a data set that can be read: labels are converted in files of their own, and `dataset.toml` knows old names.
///
/// # Errors
/// Before anything is changed: when the list is no list of classes, or a label cannot be read.
pub fn change_classes(data: &Path, classes: &[NewClass], places: &LabelPlaces) -> Result<usize> {
    let (old, list) = entries_of(data)?;
    let (file, root) = locate(data)?;
    let text = files::read_to_string(&file).with_context(|| file.display().to_string())?;
    let wrong = |e| refused!("{}: {e}", file.display());
    let new_text = put_classes(&text, classes).map_err(wrong)?;
    let new = Manifest::parse(&new_text).map_err(wrong)?;
    let labelled: Vec<&Entry> = list.iter().filter(|e| e.label.is_some()).collect();
    let labels: Vec<PathBuf> = labelled.iter().filter_map(|e| e.label.clone()).collect();
    let coding = match labels.is_empty() {
        true => LabelCoding::index(old.classes.len()),
        false => LabelCoding::decide(&Expected::of_manifest(&old), &labels)?,
    };
    // All are read before one is written.
    let readable = |label: &PathBuf| read_label(&old, &coding, label).map(drop);
    labels.par_iter().map(readable).collect::<std::result::Result<(), _>>()?;
    // Labels of other programs, whose values mean classes by their order, first say which classes they mean.
    for entry in &labelled {
        convert(&old, &coding, entry, places)?;
    }
    write::atomically(&file, new_text.as_bytes())?;
    let coding = LabelCoding::index(new.classes.len());
    for entry in entries(&new, &root).iter().filter(|e| e.label.is_some()) {
        convert(&new, &coding, entry, places)?;
    }
    Ok(labelled.len())
}

/// Writes a label for the classes of `manifest`, unless it is already.
fn convert(manifest: &Manifest, coding: &LabelCoding, entry: &Entry, places: &LabelPlaces) -> Result<()> {
    let Some(file) = &entry.label else { return Ok(()) };
    if MaskNote::read(file).is_some_and(|note| note.classes == manifest.class_names()) {
        return Ok(());
    }
    let label = read_label(manifest, coding, file)?;
    let versions = LabelVersions::of(places.versions.join(&entry.name));
    let record = versions.record(file)?;
    let by_hand = record.drawn_by_hand;
    versions.keep_before((file, &label, record), ChangedBy::Classes, &label)?;
    let scale = entry.scale(manifest).ok().flatten();
    let file = save_label(manifest, entry, scale.as_ref(), label, &places.kept)?;
    Ok(versions.note(&file, ChangedBy::Classes, by_hand)?)
}

/// Changes of a list of classes, by name, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassChanges {
    /// A class and its new name.
    pub rename: Vec<(String, String)>,
    /// A class that becomes part of another.
    pub merge: Vec<(String, String)>,
    /// New classes, at the end.
    pub add: Vec<String>,
    /// A class and its colour in pictures.
    pub color: Vec<(String, Colour)>,
    /// Names of all classes in their new order; empty: as they are.
    pub order: Vec<String>,
}

impl ClassChanges {
    /// The list that these changes make of the classes of `manifest`.
    ///
    /// # Errors
    /// Names a class that there is not, or that the order lacks.
    pub fn applied_to(&self, manifest: &Manifest) -> Result<Vec<NewClass>> {
        let mut list: Vec<NewClass> = manifest
            .class_names()
            .into_iter()
            .enumerate()
            .map(|(index, name)| NewClass { was: vec![index], name, color: None })
            .collect();
        for (old, new) in &self.rename {
            let place = place_of(&list, old)?;
            list[place].name.clone_from(new);
        }
        for (from, into) in &self.merge {
            let gone = list.remove(place_of(&list, from)?);
            let place = place_of(&list, into)?;
            list[place].was.extend(gone.was);
        }
        list.extend(self.add.iter().map(|name| NewClass {
            was: Vec::new(),
            name: name.clone(),
            color: None,
        }));
        for (name, color) in &self.color {
            let place = place_of(&list, name)?;
            list[place].color = Some(*color);
        }
        if self.order.is_empty() {
            return Ok(list);
        }
        let mut ordered = Vec::with_capacity(list.len());
        for name in &self.order {
            ordered.push(list.remove(place_of(&list, name)?));
        }
        match list.first() {
            Some(left) => refuse!("--order does not say where `{}` goes; name every class once", left.name),
            None => Ok(ordered),
        }
    }
}

fn place_of(list: &[NewClass], name: &str) -> Result<usize> {
    let names = || list.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
    list.iter()
        .position(|c| c.name == name)
        .ok_or_else(|| refused!("no class `{name}`; there are {}", names()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sorby_data::Class;

    fn list(changes: &ClassChanges) -> Result<Vec<(String, Vec<usize>)>> {
        let manifest = Manifest::of_classes(["matrix", "carbide", "pore"].map(Class::named).to_vec());
        Ok(changes.applied_to(&manifest)?.into_iter().map(|c| (c.name, c.was)).collect())
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn changes_are_made_one_after_the_other() {
        let changes = ClassChanges {
            rename: pairs(&[("carbide", "cementite")]),
            merge: pairs(&[("pore", "matrix")]),
            add: vec!["crack".to_owned()],
            order: ["crack", "matrix", "cementite"].map(str::to_owned).to_vec(),
            ..ClassChanges::default()
        };
        let expected = [("crack", vec![]), ("matrix", vec![0, 2]), ("cementite", vec![1])];
        assert_eq!(list(&changes).unwrap(), expected.map(|(n, w)| (n.to_owned(), w)));
        let unknown = ClassChanges { rename: pairs(&[("ferrite", "a")]), ..ClassChanges::default() };
        assert!(list(&unknown).unwrap_err().to_string().contains("matrix, carbide, pore"));
        let short = ClassChanges { order: vec!["pore".to_owned()], ..ClassChanges::default() };
        assert!(list(&short).unwrap_err().to_string().contains("`matrix`"));
    }
}
