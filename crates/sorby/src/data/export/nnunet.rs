//! nnU-Net: a raw folder.

use super::{label, require_free_names};
use crate::Result;
use crate::error::refuse;
use serde_json::json;
use sorby_data::import::{BACKGROUND, IGNORED};
use sorby_data::{Dataset, Item};
use sorby_image::write::{self, atomically};
use sorby_image::{IGNORE, Micrograph, Pixels};
use std::path::Path;

/// nnU-Net's raw folder: images with all their grey values, labels as indices, `ignore` where there is any as the
/// highest label. Files are PNG; where an image's numbers do not fit that (floats, 16-bit colours), all are TIFF.
pub(super) fn nnunet(data: &Dataset, out: &Path) -> Result<()> {
    require_free_names(data, &[BACKGROUND, IGNORED])?;
    let kind = picture_kind(data)?;
    let classes = data.manifest.classes.len();
    let mut any_ignored = false;
    for item in &data.items {
        let mut map = label(data, item)?;
        for l in map.labels.iter_mut().filter(|l| **l == IGNORE) {
            *l = classes as u8;
            any_ignored = true;
        }
        let path = out.join("imagesTr").join(format!("{}_0000.{}", item.name, kind.ending()));
        match Micrograph::read(&item.image)? {
            // Only TIFF holds such numbers, and copied they stay what they are.
            Micrograph { pixels: Pixels::Float(_), .. } => write::copy(&item.image, &path)?,
            image if kind.colour => image.write(&path)?,
            image => image.into_grey().write(&path)?,
        }
        let path = out.join("labelsTr").join(format!("{}.{}", item.name, kind.ending()));
        Micrograph::grey8(map.width, map.height, map.labels).write(&path)?;
    }
    let mut labels = serde_json::Map::new();
    for (i, class) in data.manifest.classes.iter().enumerate() {
        // Its name for what has no class is fixed.
        labels.insert(if i == 0 { BACKGROUND.into() } else { class.name.clone() }, i.into());
    }
    if any_ignored {
        labels.insert(IGNORED.into(), classes.into());
    }
    let channels = match kind.colour {
        true => json!({"0": "red", "1": "green", "2": "blue"}),
        false => json!({"0": "micrograph"}),
    };
    let value = json!({
        "channel_names": channels,
        "labels": labels,
        "numTraining": data.items.len(),
        "file_ending": format!(".{}", kind.ending()),
    });
    Ok(atomically(&out.join("dataset.json"), format!("{value:#}\n").as_bytes())?)
}

/// What nnU-Net wants to be the same for all files.
struct PictureKind {
    tiff: bool,
    colour: bool,
}

impl PictureKind {
    fn ending(&self) -> &'static str {
        if self.tiff { "tif" } else { "png" }
    }
}

/// The kind that keeps every image's values.
///
/// # Errors
/// When some images are in colour and others are not.
fn picture_kind(data: &Dataset) -> Result<PictureKind> {
    let mut kind = PictureKind { tiff: false, colour: false };
    let mut grey: Option<&Item> = None;
    let mut colour: Option<&Item> = None;
    for item in &data.items {
        let image = Micrograph::read(&item.image)?;
        let coloured = image.is_coloured();
        // Readers of PNG take 16-bit colours for 8 bits.
        kind.tiff |=
            matches!(image.pixels, Pixels::Float(_)) || coloured && matches!(image.pixels, Pixels::Rgb16(_));
        *if coloured { &mut colour } else { &mut grey } = Some(item);
    }
    kind.colour = colour.is_some();
    match (colour, grey) {
        (Some(colour), Some(grey)) => refuse!(
            "{} is in colour and {} is not; nnU-Net needs one kind: make them all grey first",
            colour.image.display(),
            grey.image.display()
        ),
        _ => Ok(kind),
    }
}
