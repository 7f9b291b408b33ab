//! Mean values of pictures over objects: stored grey values of micrographs, and a model's probabilities.

use crate::error::{Context as _, refuse};
use crate::{Result, listing};
use sorby_image::{LabelMap, Micrograph, Pixels};
use sorby_measure::Particles;
use std::path::{Path, PathBuf};

/// Means of each channel (one for grey, three for colour) over each object.
pub type Means = Vec<Vec<f64>>;

/// Names of the columns of a picture of so many channels, as scikit-image's `regionprops_table` names them.
pub fn columns(channels: usize) -> Vec<String> {
    match channels {
        1 => vec!["mean_intensity".into()],
        n => (0..n).map(|c| format!("mean_intensity-{c}")).collect(),
    }
}

/// The picture of this name, which must be as large as its mask.
fn picture(folder: &Path, name: &str, mask: &LabelMap) -> Result<(PathBuf, Micrograph)> {
    let found = listing::find_by_stem(folder, name)?;
    let path = found.with_context(|| format!("{}: no picture `{name}` here", folder.display()))?;
    let picture = Micrograph::read_stored(&path)?;
    // A data bar below the field does not matter.
    if picture.width != mask.width || picture.height < mask.height {
        let (w, h) = (picture.width, picture.height);
        refuse!("{}: picture is {w}x{h} but its mask is {}x{}", path.display(), mask.width, mask.height);
    }
    Ok((path, picture))
}

/// Mean stored grey value of each object (scikit-image's `mean_intensity`), and the hash of the picture.
pub fn stored_means(
    folder: &Path,
    name: &str,
    mask: &LabelMap,
    objects: &Particles,
) -> Result<(Means, String)> {
    let (path, picture) = picture(folder, name, mask)?;
    let of = |channel: usize| objects.mean_values(picture.width, |pixel| picture.value(pixel, channel));
    let means = (0..picture.channels()).map(of).collect();
    // Images are known by the values that a network sees: floats may have been given a range.
    let seen = match &picture.pixels {
        Pixels::Float(_) => Micrograph::read(&path)?.pixels_blake3(),
        _ => picture.pixels_blake3(),
    };
    Ok((means, seen))
}

/// Mean probability of each object, from a picture that `segment --probabilities` wrote.
pub fn probabilities(folder: &Path, name: &str, mask: &LabelMap, objects: &Particles) -> Result<Vec<f64>> {
    let (_, picture) = picture(folder, name, mask)?;
    let grey = picture.to_grey8();
    Ok(objects.mean_values(picture.width, |pixel| f64::from(grey[pixel]) / 255.0))
}
