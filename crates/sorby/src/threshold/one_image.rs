//! A threshold method on an image in memory.

use super::{OTSU, SAUVOLA, binary, local};
use crate::Result;
use crate::error::refuse;
use sorby_image::{LabelMap, Shot};
use sorby_measure::otsu;

/// How light is separated from dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// One threshold for the image, by its histogram.
    Otsu,
    /// A threshold for each pixel, by mean and contrast of the window around it: for uneven light.
    Sauvola,
}

impl Method {
    /// The method of this name, in small letters.
    ///
    /// # Errors
    /// For another word; the names are listed.
    pub fn from_name(name: &str) -> Result<Self> {
        let named = [(OTSU, Self::Otsu), (SAUVOLA, Self::Sauvola)];
        match named.into_iter().find(|(word, _)| word.to_lowercase() == name) {
            Some((_, method)) => Ok(method),
            None => refuse!("{name}: unknown method; choose otsu or sauvola"),
        }
    }
}

/// An image separated into light and dark.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholded {
    /// 1 where it is lighter than the threshold, 0 elsewhere; 255 in the rows of a data bar.
    pub mask: LabelMap,
    /// Otsu's threshold on the 0..255 scale.
    pub threshold: Option<u8>,
}

/// Separates an image as [`thresholds`](super::thresholds) does. `window_px` is Sauvola's window; default: an eighth of the
/// shorter side.
///
/// # Errors
/// For a window of fewer than 3 pixels.
pub fn threshold(shot: &Shot, method: Method, window_px: Option<usize>) -> Result<Thresholded> {
    if let Some(window) = window_px.filter(|w| *w < 3) {
        refuse!("a window of {window} pixels holds no contrast; give 3 or more");
    }
    let (grey, width, rows) = (shot.field_grey8(), shot.image.width, shot.field_rows());
    let (mut mask, threshold) = match method {
        Method::Otsu => {
            let threshold = otsu(&grey);
            (binary(&grey, width, rows, threshold), Some(threshold))
        }
        Method::Sauvola => (local(&grey, width, rows, window_px), None),
    };
    mask.pad_rows(shot.image.height);
    Ok(Thresholded { mask, threshold })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sorby_image::Micrograph;

    #[test]
    fn light_is_found_by_both_methods() {
        let light = |i: usize| (i % 40).abs_diff(20) < 6 && (i / 40).abs_diff(20) < 6;
        let pixels = (0..1600).map(|i| if light(i) { 200 } else { 50 + (i % 7) as u8 }).collect();
        let shot = Shot::plain(Micrograph::grey8(40, 40, pixels));
        let found = threshold(&shot, Method::Otsu, None).unwrap();
        assert_eq!(found.mask.histogram()[1], 121);
        assert_eq!(found.threshold, Some(56));
        let local = threshold(&shot, Method::from_name("sauvola").unwrap(), Some(25)).unwrap();
        assert!(local.threshold.is_none() && local.mask.labels[20 * 40 + 20] == 1);
        assert!(Method::from_name("Yen").is_err() && threshold(&shot, Method::Otsu, Some(2)).is_err());
    }
}
