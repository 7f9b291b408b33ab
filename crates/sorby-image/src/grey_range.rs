//! Which stored values become black and white.

use crate::{Micrograph, Pixels, Shot};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How an image's values are brought to the 0..255 that a network sees. A recipe names it, the model keeps it,
/// and training and inference use the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "must be \"full\", \"percentile\" or [black, white]")]
pub enum GreyRange {
    /// The full range of the stored type: 0..255 for 8 bits, 0..65535 for 16 bits. Floats beyond 0..1 have none.
    #[default]
    #[serde(with = "full")]
    Full,
    /// Each image's own range, of which 0.35 % of the pixels (half at each end) are clipped, as ImageJ does.
    #[serde(with = "percentile")]
    Percentile,
    /// These stored values are black and white: `[0, 4095]` for 12 bits kept in 16.
    Fixed([f64; 2]),
}

/// As a recipe says it.
impl std::fmt::Display for GreyRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Percentile => f.write_str("percentile"),
            Self::Fixed([black, white]) => write!(f, "[{black}, {white}]"),
        }
    }
}

/// Why the values of an image cannot be brought to 0..255.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GreyRangeError {
    /// [`GreyRange::Full`] of numbers that have no full range, where the recipe can still be changed.
    #[error(
        "has numbers from {low} to {high} as pixels, which have no natural black and white: set data.grey_range = \
         \"percentile\", or [black, white], in the recipe"
    )]
    NoRange {
        /// The least stored value.
        low: f32,
        /// The largest stored value.
        high: f32,
    },
    /// The same for a model that is trained already.
    #[error(
        "has numbers from {low} to {high} as pixels, which have no natural black and white, and this model was trained \
         on images that have: save it with 8 or 16 bits and the black and white of the training images, or train a \
         model with data.grey_range = \"percentile\""
    )]
    NoRangeAsTrained {
        /// The least stored value.
        low: f32,
        /// The largest stored value.
        high: f32,
    },
}

/// The unit variants as words.
macro_rules! word {
    ($module:ident, $word:literal) => {
        mod $module {
            use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

            pub fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($word)
            }

            pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
                let word = String::deserialize(deserializer)?;
                if word == $word { Ok(()) } else { Err(D::Error::custom($word)) }
            }
        }
    };
}
word!(full, "full");
word!(percentile, "percentile");

/// Share of pixels clipped at each end by [`GreyRange::Percentile`].
const CLIPPED: f64 = 0.00175;

impl GreyRange {
    /// The image with its black at 0 and its white at the top of 16 bits; as it is when nothing is to be done. An
    /// image's own range is that of its field: a data bar's black and white are not the steel's.
    ///
    /// # Errors
    /// When the values of a floating-point image have no full range, with what a recipe can say of it.
    pub fn apply<'a>(&self, shot: &'a Shot) -> Result<Cow<'a, Shot>, GreyRangeError> {
        self.mapped(shot).map_err(|(low, high)| GreyRangeError::NoRange { low, high })
    }

    /// The same for a model that is trained, whose range stays as it is.
    ///
    /// # Errors
    /// When the values of a floating-point image have no full range, with what can be done to the image.
    pub fn apply_as_trained<'a>(&self, shot: &'a Shot) -> Result<Cow<'a, Shot>, GreyRangeError> {
        self.mapped(shot).map_err(|(low, high)| GreyRangeError::NoRangeAsTrained { low, high })
    }

    /// The error is the least and the largest value of an image that has no full range.
    fn mapped<'a>(&self, shot: &'a Shot) -> Result<Cow<'a, Shot>, (f32, f32)> {
        let image = &shot.image;
        let (low, high) = match self {
            Self::Full => match &image.pixels {
                Pixels::Float(values) => return Err(extremes(values)),
                _ => return Ok(Cow::Borrowed(shot)),
            },
            Self::Percentile => own_range(shot),
            Self::Fixed([low, high]) => (*low as f32, *high as f32),
        };
        Ok(Cow::Owned(shot.with_pixels(stretched(image, low, high))))
    }

    /// Checks the two values of [`GreyRange::Fixed`].
    ///
    /// # Errors
    /// When black is not below white, or one of them is not finite.
    pub fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::Fixed([low, high]) if !(low.is_finite() && high.is_finite() && low < high) => Err(
                "data.grey_range must be \"full\", \"percentile\" or [black, white] with black below white",
            ),
            _ => Ok(()),
        }
    }
}

/// Share of the range of its stored type that an image's field spans, from 0 to 1, with the same pixels clipped as by
/// [`GreyRange::Percentile`]; `None` for numbers that have no such range.
pub fn spanned_share(shot: &Shot) -> Option<f64> {
    let image = &shot.image;
    let white = match image.pixels {
        Pixels::Grey8(_) | Pixels::Rgb8(_) => 255.0,
        Pixels::Grey16(_) | Pixels::Rgb16(_) => 65535.0,
        Pixels::Float(_) => return None,
    };
    let (low, high) = own_range(shot);
    Some(f64::from(high - low) / white)
}

/// Black and white of a field by [`GreyRange::Percentile`].
fn own_range(shot: &Shot) -> (f32, f32) {
    let values = stored(&shot.image.pixels);
    let field = shot.field_rows() * shot.image.width * shot.image.channels();
    percentiles(&values[..if field > 0 { field } else { values.len() }])
}

/// `low` becomes 0, `high` 65535, what lies outside is clipped. A flat image becomes black.
pub(crate) fn stretched(image: &Micrograph, low: f32, high: f32) -> Micrograph {
    let span = f64::from(high - low);
    let map = |v: f32| of_share(if span > 0.0 { f64::from(v - low) / span } else { 0.0 });
    let values = stored(&image.pixels).iter().map(|v| map(*v)).collect();
    let pixels = if image.channels() == 1 { Pixels::Grey16(values) } else { Pixels::Rgb16(values) };
    Micrograph { pixels, ..*image }
}

/// 0 becomes 0, 1 becomes 65535.
fn of_share(share: f64) -> u16 {
    (65535.0 * share.clamp(0.0, 1.0)).round() as u16
}

/// Floats within 0..1, which have their black and white.
pub(crate) fn of_unit(values: &[f32]) -> Vec<u16> {
    values.iter().map(|v| of_share(f64::from(*v))).collect()
}

/// Range that leaves [`CLIPPED`] of the values out at each end.
pub(crate) fn percentiles(values: &[f32]) -> (f32, f32) {
    let mut sorted = values.to_vec();
    let mut at = |share: f64| {
        let place = (share * (sorted.len() - 1) as f64).round() as usize;
        *sorted.select_nth_unstable_by(place, f32::total_cmp).1
    };
    match (at(CLIPPED), at(1.0 - CLIPPED)) {
        // Nearly all pixels alike: the few others are what there is to see.
        (low, high) if low == high => extremes(values),
        range => range,
    }
}

fn extremes(values: &[f32]) -> (f32, f32) {
    values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)))
}

/// Values as the file has them.
fn stored(pixels: &Pixels) -> Cow<'_, [f32]> {
    match pixels {
        Pixels::Grey8(p) | Pixels::Rgb8(p) => p.iter().map(|v| f32::from(*v)).collect(),
        Pixels::Grey16(p) | Pixels::Rgb16(p) => p.iter().map(|v| f32::from(*v)).collect(),
        Pixels::Float(p) => Cow::Borrowed(p),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(range: GreyRange, image: &Micrograph) -> Micrograph {
        range.apply(&Shot::plain(image.clone())).unwrap().into_owned().image
    }

    fn deep(values: &[u16]) -> Micrograph {
        Micrograph { width: values.len(), height: 1, pixels: Pixels::Grey16(values.to_vec()) }
    }

    #[test]
    fn ranges_map_as_they_say() {
        let twelve = deep(&[0, 1365, 4095, 5000]);
        assert_eq!(seen(GreyRange::Full, &twelve), twelve);
        let fixed = seen(GreyRange::Fixed([0.0, 4095.0]), &twelve);
        assert_eq!(fixed, deep(&[0, 21845, 65535, 65535]));
        // 1000 values 0..999: 0.175 % is 2 at each end.
        let ramp = deep(&(0..1000).collect::<Vec<u16>>());
        let Pixels::Grey16(mapped) = seen(GreyRange::Percentile, &ramp).pixels else { panic!() };
        assert_eq!((mapped[1], mapped[2], mapped[997], mapped[998]), (0, 0, 65535, 65535));
        assert_eq!(mapped[3], (65535.0f64 / 995.0).round() as u16);
        let flat = seen(GreyRange::Percentile, &deep(&[7, 7]));
        assert_eq!(flat, deep(&[0, 0]));
        // A white bar below the field does not change the field's range; a single bright pixel is not lost.
        let bar = Micrograph { width: 2, height: 3, pixels: Pixels::Grey16(vec![10, 20, 30, 40, 65535, 0]) };
        let mut bar = Shot::plain(bar);
        bar.end_field_at(2);
        let mapped = GreyRange::Percentile.apply(&bar).unwrap().into_owned();
        assert_eq!(mapped.image.pixels, Pixels::Grey16(vec![0, 21845, 43690, 65535, 65535, 0]));
        let mut lonely = vec![5; 1000];
        lonely[7] = 9;
        let Pixels::Grey16(mapped) = seen(GreyRange::Percentile, &deep(&lonely)).pixels else { panic!() };
        assert_eq!((mapped[6], mapped[7]), (0, 65535));
        // 10 to 40 of 65535, without the bar.
        assert!((spanned_share(&bar).unwrap() - 30.0 / 65535.0).abs() < 1e-9);
        let float = Micrograph { width: 2, height: 1, pixels: Pixels::Float(vec![-3.0, 900.0]) };
        assert!(GreyRange::Full.apply(&Shot::plain(float)).unwrap_err().to_string().contains("-3 to 900"));
    }

    #[test]
    fn words_are_read_and_written() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Holder {
            r: GreyRange,
        }
        for (text, r) in [
            ("r = \"full\"\n", GreyRange::Full),
            ("r = \"percentile\"\n", GreyRange::Percentile),
            ("r = [0.0, 4095.0]\n", GreyRange::Fixed([0.0, 4095.0])),
        ] {
            assert_eq!(toml::from_str::<Holder>(text).unwrap(), Holder { r });
            assert_eq!(toml::to_string(&Holder { r }).unwrap(), text);
        }
        let message = toml::from_str::<Holder>("r = \"auto\"").unwrap_err().to_string();
        assert!(message.contains("percentile"), "{message}");
    }
}
