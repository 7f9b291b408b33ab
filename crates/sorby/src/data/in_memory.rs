//! A data set folder of images and labels that are in memory.

use crate::Result;
use crate::error::refuse;
use sorby_data::{Class, LabelKind, Manifest};
use sorby_image::write::atomically;
use sorby_image::{IGNORE, LabelMap, MaskNote, Micrograph, NewFolder};
use std::path::Path;

/// What is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewData {
    /// Names of the classes in index order, the background or matrix first.
    pub classes: Vec<String>,
    /// Pixel size in nanometres of all images.
    pub nm_per_px: Option<f64>,
    /// So many of the images, the last ones, validate; the others train.
    pub validate: usize,
}

/// Writes the new folder `out`: `images/`, `labels/` and `dataset.toml` with the splits `train` and `val`. Images are named
/// `image-001`, `image-002`, ... in their order; all rows are taken for the field.
///
/// # Errors
/// When labels are not as large as their images, or hold an index that is no class; when there is nothing to learn from; when
/// `out` holds anything or cannot be written.
pub fn write_data(out: &Path, samples: &[(Micrograph, LabelMap)], new: &NewData) -> Result<()> {
    check(samples, new)?;
    let mut manifest = Manifest::of_classes(new.classes.iter().map(Class::named).collect());
    manifest.labels.kind = LabelKind::Index;
    manifest.labels.data_bar = sorby_data::DataBar::None;
    manifest.scale.nm_per_px = new.nm_per_px;
    let names: Vec<String> = (1..=samples.len()).map(|i| format!("image-{i:03}")).collect();
    let (train, val) = names.split_at(samples.len() - new.validate);
    for (split, names) in [("train", train), ("val", val)].into_iter().filter(|s| !s.1.is_empty()) {
        manifest.splits.insert(split.into(), names.to_vec());
    }
    let folder = NewFolder::begin(out)?;
    let (colours, note) = (manifest.colours(), MaskNote::new(None, new.classes.clone()));
    for (name, (image, label)) in names.iter().zip(samples) {
        image.write(&folder.path().join("images").join(format!("{name}.tif")))?;
        label.write_mask(&folder.path().join("labels").join(format!("{name}.png")), &colours, &note)?;
    }
    let text = toml::to_string(&manifest)?;
    // What cannot be read again is refused before there is a folder.
    Manifest::parse(&text).map_err(|e| crate::Error::Refused(e.to_string()))?;
    atomically(&folder.path().join("dataset.toml"), text.as_bytes())?;
    Ok(folder.finish()?)
}

fn check(samples: &[(Micrograph, LabelMap)], new: &NewData) -> Result<()> {
    if samples.len() <= new.validate {
        refuse!(
            "{} images, of which {} shall validate: none is left to learn from",
            samples.len(),
            new.validate
        );
    }
    for (i, (image, label)) in samples.iter().enumerate() {
        if (image.width, image.height) != (label.width, label.height) {
            refuse!(
                "image {i} has {} x {} pixels (rows x columns) but its mask {} x {}",
                image.height,
                image.width,
                label.height,
                label.width
            );
        }
        let strange = label.labels.iter().find(|l| **l != IGNORE && usize::from(**l) >= new.classes.len());
        if let Some(index) = strange {
            refuse!(
                "mask {i} holds {index}, but the classes are 0 to {}",
                new.classes.len().saturating_sub(1)
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sorby_data::Dataset;
    use sorby_image::{ArrayValues, Pixels};

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("data");
        let label = LabelMap { width: 3, height: 2, labels: vec![0, 1, 1, 255, 0, 1] };
        let floats =
            Micrograph::of_array(&[2, 3], ArrayValues::F32(vec![-1.0, 2.0, 3.0, 4.0, 5.0, 6e4])).unwrap();
        let sixteen =
            Micrograph { width: 3, height: 2, pixels: Pixels::Grey16(vec![1, 256, 9, 65535, 0, 7]) };
        let samples = [(floats, label.clone()), (sixteen, label)];
        let classes = ["matrix", "carbide"].map(String::from).to_vec();
        let new = NewData { classes, nm_per_px: Some(12.5), validate: 1 };
        write_data(&out, &samples, &new).unwrap();
        let data = Dataset::open(&out).unwrap();
        for (split, (image, label)) in ["train", "val"].iter().zip(&samples) {
            let sample = &data.load(&data.split(split).unwrap()).unwrap()[0];
            assert_eq!((&sample.shot.image, &sample.label), (image, label), "{split}");
            assert_eq!(sample.shot.nm_per_px(), Some(12.5));
        }
        let refused = |samples: &[(Micrograph, LabelMap)], new: &NewData| {
            write_data(&folder.path().join("other"), samples, new).unwrap_err().to_string()
        };
        let one = NewData { classes: vec!["matrix".into()], ..new.clone() };
        assert_eq!(refused(&samples, &one), "mask 0 holds 1, but the classes are 0 to 0");
        let none = NewData { validate: 2, ..new.clone() };
        assert!(refused(&samples, &none).contains("none is left to learn from"));
        assert!(write_data(&out, &samples, &new).is_err() && !folder.path().join("other").exists());
    }
}
