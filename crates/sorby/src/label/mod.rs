//! Help with drawing labels.

mod annotator;
mod trial;

pub use trial::{Trial, trial, trial_lines, trial_table};

use crate::Result;
use crate::error::{Context as _, refuse};
use crate::scale::ScaleOptions;
use sorby_image::{IGNORE, MaskNote, OutputKind, RawLabels, Shot, require_replaceable};
use sorby_label::{Features, draft};
use std::path::{Path, PathBuf};

/// What a draft is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DraftOptions {
    /// The micrograph.
    pub image: PathBuf,
    /// Index mask of the strokes: classes from 0, 255 where nothing was painted.
    pub strokes: PathBuf,
    /// Number of classes; default: as many as the strokes have.
    pub classes: Option<usize>,
    /// Seed of the pixel classifier.
    pub seed: u64,
    /// What the user says of the image's pixel size.
    pub scale: ScaleOptions,
}

/// Drafts a whole label from a few strokes, and writes it to `out`.
///
/// # Errors
/// When image and strokes do not fit, fewer than two classes are painted, or another file has the draft's name.
pub fn draft_label(options: &DraftOptions, out: &Path) -> Result<()> {
    require_replaceable(out, OutputKind::Draft)?;
    let shot = Shot::read(&options.image, &options.scale.said()?.of(&options.image))?;
    let image = &shot.image;
    let RawLabels::Values(strokes) = RawLabels::read(&options.strokes)? else {
        refuse!("{}: strokes must be an index mask, not colours", options.strokes.display());
    };
    if (strokes.width, strokes.height) != (image.width, image.height) {
        refuse!(
            "{}: is {}x{} but the image is {}x{}",
            options.strokes.display(),
            strokes.width,
            strokes.height,
            image.width,
            image.height
        );
    }
    let most = strokes.labels.iter().filter(|l| **l != IGNORE).max().copied().unwrap_or(0);
    let classes = options.classes.unwrap_or(usize::from(most) + 1);
    if usize::from(most) >= classes {
        refuse!("{}: has class {most}, but there are {classes} (from 0)", options.strokes.display());
    }
    let features = Features::of(&image.to_grey8(), image.width, image.height);
    let made = draft(&features, &strokes, classes, options.seed)
        .with_context(|| format!("{}: paint a stroke of two classes at least", options.strokes.display()))?;
    let colours: Vec<[u8; 3]> = (0..classes).map(|i| sorby_data::default_colour(i).0).collect();
    let mut labels = made.labels;
    // Text is no steel.
    labels.ignore_bottom(shot.data_bar_px());
    labels.write_mask(out, &colours, &MaskNote::new(shot.scale.as_ref(), Vec::new()))?;
    Ok(())
}
