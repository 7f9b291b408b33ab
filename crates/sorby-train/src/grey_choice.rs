//! The grey range that suits a training set, by a rule on the contrast of its images.

use serde::{Deserialize, Serialize};
use sorby_data::Sample;
use sorby_image::{GreyRange, spanned_share};

/// `data.grey_range` of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "must be \"auto\", \"full\", \"percentile\" or [black, white]")]
pub enum GreyRangeSetting {
    /// [`choose`] decides when the training begins; the recipe in the run folder has what came of it.
    #[serde(with = "auto")]
    Auto,
    /// Decided by the user.
    Given(GreyRange),
}

impl Default for GreyRangeSetting {
    fn default() -> Self {
        Self::Given(GreyRange::default())
    }
}

mod auto {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    const WORD: &str = "auto";

    pub fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(WORD)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        if String::deserialize(deserializer)? == WORD { Ok(()) } else { Err(D::Error::custom(WORD)) }
    }
}

/// Below this share of black to white, contrast is low: the network's first layers then see little but their bias.
const LOW: f64 = 0.5;
/// Images whose spans differ by more than this factor were not taken with one setting of contrast.
const UNEVEN: f64 = 2.5;

/// The full range where the images use it alike, else each image's own; with the reason, for a person.
pub fn choose(train: &[Sample]) -> (GreyRange, String) {
    let shares: Option<Vec<f64>> = train.iter().map(|s| spanned_share(&s.shot)).collect();
    let (range, why) = match shares.filter(|s| !s.is_empty()) {
        None => (
            GreyRange::Percentile,
            "the training images hold numbers without a natural black and white".to_owned(),
        ),
        Some(mut shares) => by_shares(&mut shares),
    };
    (range, format!("grey range `{range}`: {why} (data.grey_range)"))
}

fn by_shares(shares: &mut [f64]) -> (GreyRange, String) {
    shares.sort_by(f64::total_cmp);
    let (least, median, most) = (shares[0], shares[shares.len() / 2], shares[shares.len() - 1]);
    let spans = format!("from {:.0} to {:.0} % of black to white", 100.0 * least, 100.0 * most);
    if median < LOW {
        (GreyRange::Percentile, format!("the training images have low contrast: they span {spans}"))
    } else if most > UNEVEN * least {
        (GreyRange::Percentile, format!("the contrast of the training images varies: they span {spans}"))
    } else {
        (GreyRange::Full, format!("the training images span {spans}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sorby_data::synth::{Kind, make};
    use sorby_image::{Micrograph, Pixels, Shot};

    /// A synthetic field whose contrast is `gain` times its own.
    fn sample(gain: f64, seed: u64) -> Sample {
        let s = make(Kind::Carbide, 96, 96, seed, 0);
        let (least, most) = (*s.pixels.iter().min().unwrap(), *s.pixels.iter().max().unwrap());
        let span = f64::from(most - least);
        let pixel = |v: &u8| (20.0 + 235.0 * gain * f64::from(v - least) / span).round() as u8;
        let pixels = Pixels::Grey8(s.pixels.iter().map(pixel).collect());
        let shot = Shot::plain(Micrograph { width: 96, height: 96, pixels });
        Sample { name: seed.to_string(), shot, label: s.label }
    }

    #[test]
    fn the_rule_follows_the_contrast_of_the_images() {
        let of = |gains: &[f64]| {
            let samples: Vec<Sample> = gains.iter().zip(0..).map(|(g, seed)| sample(*g, seed)).collect();
            choose(&samples)
        };
        assert_eq!(of(&[1.0, 0.9, 1.0]).0, GreyRange::Full);
        let (range, why) = of(&[0.1, 0.2, 0.15]);
        assert!(range == GreyRange::Percentile && why.contains("low contrast"), "{why}");
        let (range, why) = of(&[1.0, 0.9, 0.2]);
        assert!(range == GreyRange::Percentile && why.contains("varies"), "{why}");
        let mut float = sample(1.0, 9);
        float.shot.image.pixels = Pixels::Float(vec![1e4; 96 * 96]);
        assert_eq!(choose(&[float]).0, GreyRange::Percentile);
    }

    #[test]
    fn recipes_say_it_in_a_word() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Holder {
            r: GreyRangeSetting,
        }
        for (text, r) in [
            ("r = \"auto\"\n", GreyRangeSetting::Auto),
            ("r = \"percentile\"\n", GreyRangeSetting::Given(GreyRange::Percentile)),
            ("r = [0.0, 4095.0]\n", GreyRangeSetting::Given(GreyRange::Fixed([0.0, 4095.0]))),
        ] {
            assert_eq!(toml::from_str::<Holder>(text).unwrap(), Holder { r });
            assert_eq!(toml::to_string(&Holder { r }).unwrap(), text);
        }
        let message = toml::from_str::<Holder>("r = \"automatic\"").unwrap_err().to_string();
        assert!(message.contains("\"auto\"") && message.contains("percentile"), "{message}");
    }
}
