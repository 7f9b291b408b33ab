//! Label files: read by the data set's coding, and saved so that what was there is never lost.

use crate::coding::LabelCoding;
use crate::listing::{Entry, image_files};
use crate::manifest::{DataBar, Manifest};
use crate::problem::Problem;
use sorby_image::{IGNORE, KnownScale, LabelMap, MaskNote, files, supersedes};
use std::path::{Path, PathBuf};

/// Removes the label files that another has taken the place of, which a process that was ended left there: the label
/// names them itself, or Sorby has written it and the very same bytes lie in `kept`. Gives the files removed.
///
/// # Errors
/// When one cannot be removed.
pub fn finish_replacements(manifest: &Manifest, root: &Path, kept: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut removed = Vec::new();
    for folder in &manifest.folders {
        removed.extend(finish_replacements_in(&root.join(&folder.labels), kept)?);
    }
    Ok(removed)
}

fn finish_replacements_in(folder: &Path, kept: &Path) -> Result<Vec<PathBuf>, Problem> {
    let paths = image_files(folder);
    let mut removed = Vec::new();
    for old in &paths {
        let same_name = |p: &&PathBuf| *p != old && p.file_stem() == old.file_stem();
        let replaced = paths.iter().filter(same_name).any(|new| {
            supersedes(new, old)
                || (MaskNote::read(new).is_some()
                    && MaskNote::read(old).is_none()
                    && is_kept(old, kept).is_some())
        });
        if replaced {
            files::remove(old).map_err(|e| Problem::new(old, e))?;
            removed.push(old.clone());
        }
    }
    Ok(removed)
}

/// The file in `kept` that has a label's name, perhaps with a number, and its bytes.
fn is_kept(old: &Path, kept: &Path) -> Option<PathBuf> {
    let bytes = files::read(old).ok()?;
    let stem = old.file_stem()?.to_string_lossy().into_owned();
    let candidates = files::entries(kept).ok()?;
    candidates.into_iter().find(|p| {
        let name = p.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let named = name == stem || name.strip_prefix(&stem).is_some_and(|rest| rest.starts_with('-'));
        named && files::read(p).is_ok_and(|there| there == bytes)
    })
}

/// Reads a label file. One that Sorby wrote says itself what its values mean; others are read by `coding`.
///
/// # Errors
/// When it cannot be read, has values that stand for no class, or was drawn for classes that the data set never had.
pub fn read_label(manifest: &Manifest, coding: &LabelCoding, file: &Path) -> Result<LabelMap, Problem> {
    let now = manifest.class_names();
    let drawn_for = MaskNote::read(file).map(|note| note.classes).filter(|c| !c.is_empty() && *c != now);
    let Some(drawn_for) = drawn_for else { return Ok(coding.read(file)?.map) };
    // Drawn before classes were added, renamed, merged or put into another order.
    let index: Option<Vec<u8>> = drawn_for.iter().map(|name| manifest.class_of(name)).collect();
    let Some(index) = index else {
        require_classes(file, &now)?;
        return Ok(coding.read(file)?.map);
    };
    let mut label = LabelCoding::index(drawn_for.len()).read(file)?.map;
    for l in &mut label.labels {
        *l = index.get(usize::from(*l)).copied().unwrap_or(IGNORE);
    }
    Ok(label)
}

/// Refuses a mask that says of itself that its numbers stand for other classes than these.
///
/// # Errors
/// Names both lists.
pub fn require_classes(file: &Path, classes: &[String]) -> Result<(), Problem> {
    match MaskNote::read(file).filter(|note| !note.classes.is_empty() && note.classes != classes) {
        None => Ok(()),
        Some(note) => {
            let (its, ours) = (note.classes.join(", "), classes.join(", "));
            Err(Problem::new(file, format!("was drawn for the classes {its} but the data set has {ours}")))
        }
    }
}

/// Saves a drawn label: class indices with a note that says so, whatever coding the data set's other labels have. A
/// label that Sorby did not write is copied to `kept` first, under its own name.
///
/// `scale` is the image's settled pixel size; without one the note has none, so that no stroke is lost to a contradiction.
/// `label` is as large as the image; where the data set's labels lack the rows of a data bar, they are cut off.
///
/// # Errors
/// When a file cannot be written; the label there was is then in its place or in `kept`.
pub fn save_label(
    manifest: &Manifest,
    entry: &Entry,
    scale: Option<&KnownScale>,
    mut label: LabelMap,
    kept: &Path,
) -> Result<PathBuf, Problem> {
    let folder = entry.label_to_be.parent().unwrap_or(Path::new(""));
    finish_replacements_in(folder, kept)?;
    if let Some(old) = entry.label.as_ref() {
        files::require_unprotected(old)?;
        let rows = sorby_image::dimensions(old).map(|(_, height)| height);
        if let (DataBar::Crop, Some(rows)) = (manifest.labels.data_bar, rows)
            && rows < label.height
        {
            label.crop_rows(rows);
        }
        if MaskNote::read(old).is_none() {
            keep(old, kept)?;
        }
        // Of two labels of one image the first is shown; the other is not lost either.
        let other = &entry.label_to_be;
        if other != old && files::is_file(other) {
            files::require_unprotected(other)?;
            keep(other, kept)?;
        }
    }
    let note = MaskNote::new(scale, manifest.class_names());
    match entry.label.as_ref().filter(|old| **old != entry.label_to_be) {
        // A label of another format next to the new one would be a second label of the same image.
        Some(old) => {
            label.write_mask_for(&entry.label_to_be, &manifest.colours(), &note, old)?;
            files::remove(old).map_err(|e| Problem::new(old, e))?;
        }
        None => label.write_mask(&entry.label_to_be, &manifest.colours(), &note)?,
    }
    Ok(entry.label_to_be.clone())
}

/// Removes the label of an image; one that Sorby did not write is copied to `kept` first. Without a label nothing happens.
///
/// # Errors
/// When the file is protected, or cannot be copied or removed.
pub fn remove_label(entry: &Entry, kept: &Path) -> Result<(), Problem> {
    let Some(file) = &entry.label else { return Ok(()) };
    files::require_unprotected(file)?;
    if MaskNote::read(file).is_none() {
        keep(file, kept)?;
    }
    files::remove(file).map_err(|e| Problem::new(file, e))
}

/// Copies a file into `kept`, unless the same bytes are there already. Nothing there is written over: other bytes of the
/// same name get a number. The copy is as private as the file.
fn keep(old: &Path, kept: &Path) -> Result<(), Problem> {
    if is_kept(old, kept).is_some() {
        return Ok(());
    }
    let bytes = files::read(old).map_err(|e| Problem::new(old, e))?;
    let part = |p: Option<&std::ffi::OsStr>| p.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, ending) = (part(old.file_stem()), part(old.extension()));
    let taken = files::entries(kept).unwrap_or_default();
    let numbered = (2..).map(|i| kept.join(format!("{stem}-{i}.{ending}")));
    let first = std::iter::once(kept.join(format!("{stem}.{ending}")));
    match first.chain(numbered).find(|place| !taken.contains(place)) {
        Some(place) => Ok(sorby_image::write::atomically_for(&place, old, &bytes)?),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dataset, entries};
    use sorby_image::write::{PngKind, png};

    const MANIFEST: &str = "[[classes]]\nname = \"matrix\"\n[[classes]]\nname = \"carbide\"\n[labels]\nmissing = \"skip\"\n\
                            [splits]\ntrain = [\"a\", \"b\"]\n";

    /// Images `a` and `b`; `a` has a black and white label.
    fn set() -> (tempfile::TempDir, Manifest) {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            png(&dir.path().join(name), 4, 2, PngKind::Grey, bytes).unwrap();
        };
        write("images/a.png", &[9; 8]);
        write("images/b.png", &[7; 8]);
        write("labels/a.png", &[0, 255, 255, 0, 0, 0, 0, 0]);
        std::fs::write(dir.path().join("dataset.toml"), MANIFEST).unwrap();
        (dir, Manifest::parse(MANIFEST).unwrap())
    }

    #[test]
    fn a_drawn_label_joins_labels_of_another_coding() {
        let (dir, manifest) = set();
        let data = Dataset::open(dir.path()).unwrap();
        assert_eq!(data.items.len(), 1, "b waits for its label");
        let list = entries(&manifest, dir.path());
        assert_eq!(list.iter().map(|e| e.label.is_some()).collect::<Vec<_>>(), [true, false]);
        let drawn = LabelMap { width: 4, height: 2, labels: vec![0, 1, 0, 255, 1, 1, 0, 0] };
        save_label(&manifest, &list[1], None, drawn.clone(), &dir.path().join("kept")).unwrap();
        let data = Dataset::open(dir.path()).unwrap();
        assert_eq!(data.load_label(&data.items[1]).unwrap(), drawn);
        assert_eq!(
            data.load_label(&data.items[0]).unwrap().labels,
            [0, 1, 1, 0, 0, 0, 0, 0],
            "still black and white"
        );
    }

    #[test]
    fn what_was_there_is_kept_once() {
        let (dir, manifest) = set();
        let original = std::fs::read(dir.path().join("labels/a.png")).unwrap();
        for class in [1, 0] {
            let list = entries(&manifest, dir.path());
            save_label(&manifest, &list[0], None, LabelMap::filled(4, 2, class), &dir.path().join("kept"))
                .unwrap();
        }
        assert_eq!(std::fs::read(dir.path().join("kept/a.png")).unwrap(), original);
        assert_eq!(std::fs::read_dir(dir.path().join("kept")).unwrap().count(), 1);
        let data = Dataset::open(dir.path()).unwrap();
        assert_eq!(data.load_label(&data.items[0]).unwrap().labels, [0; 8]);
    }

    #[test]
    fn two_labels_of_one_name_hide_no_others() {
        let (dir, manifest) = set();
        std::fs::copy(dir.path().join("labels/a.png"), dir.path().join("labels/a.tif")).unwrap();
        assert!(entries(&manifest, dir.path())[0].label.is_some());
    }

    #[test]
    fn a_label_replaced_by_another_program_is_kept_too() {
        let (dir, manifest) = set();
        let kept = dir.path().join("kept");
        let draw = |class: u8| {
            let list = entries(&manifest, dir.path());
            save_label(&manifest, &list[0], None, LabelMap::filled(4, 2, class), &kept).unwrap();
        };
        draw(1);
        let foreign = [0, 0, 255, 255, 0, 0, 0, 0];
        png(&dir.path().join("labels/a.png"), 4, 2, PngKind::Grey, &foreign).unwrap();
        draw(0);
        assert!(kept.join("a.png").exists() && kept.join("a-2.png").exists());
    }

    /// Image `b` has the label b.tif, drawn over by b.png; a kill has left both.
    fn half_replaced(named: bool) -> (tempfile::TempDir, Manifest) {
        let (dir, manifest) = set();
        let (old, new) = (dir.path().join("labels/b.tif"), dir.path().join("labels/b.png"));
        std::fs::copy(dir.path().join("labels/a.png"), &old).unwrap();
        let bytes = std::fs::read(&old).unwrap();
        let list = entries(&manifest, dir.path());
        save_label(&manifest, &list[1], None, LabelMap::filled(4, 2, 1), &dir.path().join("kept")).unwrap();
        assert!(!old.exists() && dir.path().join("kept/b.tif").exists());
        if !named {
            LabelMap::filled(4, 2, 1).write_mask(&new, &manifest.colours(), &MaskNote::default()).unwrap();
        }
        std::fs::write(&old, bytes).unwrap();
        (dir, manifest)
    }

    #[test]
    fn of_a_label_that_got_another_ending_one_counts() {
        let (dir, manifest) = half_replaced(true);
        let data = Dataset::open(dir.path()).unwrap();
        assert_eq!(
            data.load_label(&data.items[1]).unwrap().labels,
            [1; 8],
            "no second label to the other verbs"
        );
        assert!(entries(&manifest, dir.path())[1].label.as_ref().unwrap().ends_with("b.png"));
        let list = entries(&manifest, dir.path());
        save_label(&manifest, &list[1], None, LabelMap::filled(4, 2, 0), &dir.path().join("kept")).unwrap();
        assert!(!dir.path().join("labels/b.tif").exists(), "the next save finishes");
        std::fs::write(dir.path().join("labels/b.tif"), "another label").unwrap();
        assert!(Dataset::open(dir.path()).is_err(), "what was put there since is not passed over");
    }

    #[test]
    fn both_files_of_an_older_version_are_told_apart_by_the_copy_that_was_kept() {
        let (dir, manifest) = half_replaced(false);
        assert!(Dataset::open(dir.path()).is_err());
        let removed = finish_replacements(&manifest, dir.path(), &dir.path().join("kept")).unwrap();
        assert_eq!(removed, [dir.path().join("labels/b.tif")]);
        assert!(Dataset::open(dir.path()).is_ok());
        std::fs::write(dir.path().join("labels/b.tif"), "another label").unwrap();
        assert!(finish_replacements(&manifest, dir.path(), &dir.path().join("kept")).unwrap().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn labels_that_are_protected_or_shared_stay() {
        use std::os::unix::fs::PermissionsExt as _;
        let (dir, manifest) = set();
        let label = dir.path().join("labels/a.png");
        let before = std::fs::read(&label).unwrap();
        let draw = || {
            let list = entries(&manifest, dir.path());
            save_label(&manifest, &list[0], None, LabelMap::filled(4, 2, 1), &dir.path().join("kept"))
        };
        std::fs::set_permissions(&label, std::fs::Permissions::from_mode(0o444)).unwrap();
        assert!(draw().unwrap_err().to_string().contains("read-only"));
        std::fs::set_permissions(&label, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::fs::hard_link(&label, dir.path().join("backup.png")).unwrap();
        assert!(draw().unwrap_err().to_string().contains("hard link"));
        assert_eq!(std::fs::read(&label).unwrap(), before);
        std::fs::remove_file(dir.path().join("backup.png")).unwrap();
        draw().unwrap();
        let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&label), mode(&dir.path().join("kept/a.png"))), (0o640, 0o640));
    }

    #[test]
    fn the_scale_of_an_image_is_asked_of_its_file_too() {
        let (dir, manifest) = set();
        let entry = |manifest: &Manifest| entries(manifest, dir.path()).swap_remove(1);
        assert_eq!(entry(&manifest).scale(&manifest).unwrap(), None);
        std::fs::write(dir.path().join("images/b.txt"), "[SemImageFile]\r\nPixelSize=20\r\n").unwrap();
        let known = entry(&manifest).scale(&manifest).unwrap().unwrap();
        assert_eq!(known.nm_per_px, 20.0);
        let kept = dir.path().join("kept");
        let saved =
            save_label(&manifest, &entry(&manifest), Some(&known), LabelMap::filled(4, 2, 1), &kept).unwrap();
        assert_eq!(MaskNote::read(&saved).unwrap().nm_per_px, Some(20.0));
        let other = Manifest::parse(&format!("{MANIFEST}[scale]\nnm_per_px = 5\n")).unwrap();
        let message = entry(&other).scale(&other).unwrap_err().to_string();
        assert!(message.contains("5.0000") && message.contains("20.0000"), "{message}");
    }

    #[test]
    fn a_label_drawn_for_other_classes_is_refused() {
        let (dir, manifest) = set();
        let list = entries(&manifest, dir.path());
        save_label(&manifest, &list[0], None, LabelMap::filled(4, 2, 1), &dir.path().join("kept")).unwrap();
        let renamed = MANIFEST.replace("carbide", "ferrite");
        std::fs::write(dir.path().join("dataset.toml"), renamed).unwrap();
        let data = Dataset::open(dir.path()).unwrap();
        let message = data.load_label(&data.items[0]).unwrap_err().to_string();
        assert!(message.contains("matrix, carbide") && message.contains("matrix, ferrite"), "{message}");
    }
}
