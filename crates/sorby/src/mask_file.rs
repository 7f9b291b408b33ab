//! One mask as a file of its own, for programs that show and paint masks: what it holds is read and written together.

use crate::error::{Context as _, refuse};
use crate::{Observer, Result, masks, scale};
use sorby_image::scale::agreement::Statements;
use sorby_image::{IGNORE, KnownScale, LabelFile, LabelMap, MaskNote, OutputKind, require_replaceable};
use std::path::Path;

/// A mask with everything that its file says.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskFile {
    /// Class indices, 255 where unknown.
    pub mask: LabelMap,
    /// Names of the classes in index order; empty where the file does not name them.
    pub classes: Vec<String>,
    /// Red, green and blue of each index that is a class or occurs in the mask.
    pub colours: Vec<[u8; 3]>,
    /// Pixel size with who states it.
    pub scale: Option<KnownScale>,
}

/// Whether Sorby wrote this file as a mask: a PNG with a note.
pub fn is_own_mask(path: &Path) -> bool {
    MaskNote::read(path).is_some()
}

/// Reads a mask of classes as `sorby measure` reads it, with its pixel size.
///
/// # Errors
/// When it cannot be read, holds numbers of objects, or two statements of its pixel size contradict each other.
pub fn read_mask(path: &Path, observer: &dyn Observer) -> Result<MaskFile> {
    let files = [path.to_owned()];
    let coding = masks::coding(&files, &masks::CodingOptions::default(), masks::Known::default(), observer)?;
    if coding.numbers_objects() {
        refuse!("{}: holds numbers of objects, not classes", path.display());
    }
    let note = MaskNote::read(path).unwrap_or_default();
    let mask = coding.read(path).map_err(crate::Error::from)?.map;
    let known = mask.labels.iter().filter(|l| **l != IGNORE).max().map_or(0, |most| usize::from(*most) + 1);
    // The palette of a file with a note is that of its classes; that of another is of values as stored.
    let palette = if is_own_mask(path) { LabelFile::read(path)?.palette } else { None }.unwrap_or_default();
    let colours = (0..known.max(note.classes.len())).map(|i| colour_of(&palette, i)).collect();
    let mut statements = Statements::new(None);
    statements.note(&note);
    if let Ok(reading) = sorby_image::scale::read(path) {
        statements.file("the mask's ", &reading, None);
    }
    let scale = statements.settle().with_context(|| path.display().to_string())?;
    Ok(MaskFile { mask, classes: note.classes, colours, scale })
}

/// The colour that is given for an index, else the usual one.
fn colour_of(given: &[[u8; 3]], index: usize) -> [u8; 3] {
    given.get(index).copied().unwrap_or(sorby_data::default_colour(index).0)
}

/// What is said of a mask that is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewMask {
    /// Names of the classes in index order; empty: they have none.
    pub classes: Vec<String>,
    /// Colours of the classes; those that are missing get the usual ones.
    pub colours: Vec<[u8; 3]>,
    /// Pixel size in nanometres.
    pub nm_per_px: Option<f64>,
    /// Who states the pixel size, in words.
    pub scale_source: String,
}

/// Writes a mask that `sorby measure` reads with its pixel size: as PNG, or as OME-TIFF, whose classes and colours other programs show
/// and Sorby does not read.
///
/// # Errors
/// When the name ends otherwise or belongs to a file that is not a mask of Sorby's, when an index is no class, or when the
/// file cannot be written.
pub fn write_mask(path: &Path, mask: &LabelMap, new: &NewMask) -> Result<()> {
    scale::require_positive(new.nm_per_px)?;
    let is_class = |l: u8| l == IGNORE || new.classes.is_empty() || usize::from(l) < new.classes.len();
    if let Some(index) = mask.labels.iter().find(|l| !is_class(**l)) {
        refuse!("the mask holds {index}, but the classes are 0 to {}", new.classes.len() - 1);
    }
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let is_png = match ending.as_str() {
        "png" => true,
        "tif" | "tiff" => false,
        _ => refuse!("{}: masks are written as .png, .tif or .tiff", path.display()),
    };
    require_replaceable(path, OutputKind::Mask)?;
    if !is_png {
        let colours: Vec<_> = (0..new.classes.len()).map(|i| colour_of(&new.colours, i)).collect();
        return Ok(mask.write_ome_tiff(path, (&new.classes, &colours), new.nm_per_px)?);
    }
    let colours: Vec<_> = (0..usize::from(IGNORE)).map(|i| colour_of(&new.colours, i)).collect();
    let note = MaskNote {
        nm_per_px: new.nm_per_px,
        scale_source: new.scale_source.clone(),
        classes: new.classes.clone(),
        origin: None,
    };
    Ok(mask.write_mask(path, &colours, &note)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (LabelMap, NewMask) {
        let mask = LabelMap { width: 3, height: 2, labels: vec![0, 1, 1, 255, 0, 1] };
        let new = NewMask {
            classes: ["matrix", "carbide", "pore"].map(String::from).to_vec(),
            colours: vec![[1, 2, 3], [4, 5, 6]],
            nm_per_px: Some(12.5),
            scale_source: "a layer".into(),
        };
        (mask, new)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (mask, new) = example();
        let at = |name: &str| folder.path().join(name);
        write_mask(&at("a.png"), &mask, &new).unwrap();
        let read = read_mask(&at("a.png"), &()).unwrap();
        assert_eq!((&read.mask, &read.classes), (&mask, &new.classes));
        assert_eq!(read.colours, [[1, 2, 3], [4, 5, 6], sorby_data::default_colour(2).0]);
        assert_eq!(read.scale.unwrap().nm_per_px, 12.5);
        write_mask(&at("a.tif"), &mask, &new).unwrap();
        let read = read_mask(&at("a.tif"), &()).unwrap();
        assert_eq!((&read.mask, read.colours.len()), (&mask, 2));
        assert!((read.scale.unwrap().nm_per_px - 12.5).abs() < 1e-9);
        assert!(is_own_mask(&at("a.png")) && !is_own_mask(&at("a.tif")));
    }

    #[test]
    fn only_masks_of_ours_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (mask, new) = example();
        let refused = |path: &Path, new: &NewMask| write_mask(path, &mask, new).unwrap_err().to_string();
        let path = folder.path().join("a.png");
        std::fs::write(&path, "a micrograph").unwrap();
        assert!(refused(&path, &new).contains("is not a mask that Sorby wrote"));
        std::fs::remove_file(&path).unwrap();
        write_mask(&path, &mask, &new).unwrap();
        write_mask(&path, &mask, &new).unwrap();
        assert!(refused(&folder.path().join("a.jpg"), &new).contains("written as .png"));
        let one = NewMask { classes: vec!["matrix".into()], ..new };
        assert_eq!(refused(&path, &one), "the mask holds 1, but the classes are 0 to 0");
    }
}
