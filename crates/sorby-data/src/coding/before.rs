//! What brings a file's values to those of the others before they get their meaning.

use super::soft::Soft;
use super::survey::Values;
use crate::problem::Problem;
use sorby_image::{IGNORE, LabelValues};
use std::collections::BTreeMap;
use std::path::Path;

const WHITE: i64 = IGNORE as i64;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Before {
    Map(BTreeMap<i64, i64>),
    /// Soft edges or noise: 255 from this value on, below 0.
    Threshold(i64),
    /// Among numbers of objects this value marks what does not count.
    Mark(i64),
}

impl Before {
    pub fn apply(&self, values: &mut LabelValues) {
        match (self, values) {
            (Self::Threshold(from), LabelValues::Small(values)) => {
                values.iter_mut().for_each(|v| *v = if i64::from(*v) >= *from { 255 } else { 0 });
            }
            (Self::Threshold(from), LabelValues::Wide(values)) => {
                values.iter_mut().for_each(|v| *v = if *v >= *from { WHITE } else { 0 });
            }
            (Self::Map(map), LabelValues::Wide(values)) => {
                values.iter_mut().for_each(|v| *v = *map.get(v).unwrap_or(v));
            }
            (Self::Map(map), LabelValues::Small(values)) => {
                let table: Vec<u8> =
                    (0..=255u8).map(|v| map.get(&v.into()).map_or(v, |new| *new as u8)).collect();
                values.iter_mut().for_each(|v| *v = table[usize::from(*v)]);
            }
            _ => {}
        }
    }

    /// What a user should know of it.
    pub fn remark(&self, path: &Path, by_palette: bool) -> Option<Problem> {
        let what = match self {
            Self::Threshold(from) => format!(
                "is black and white with soft edges or the noise of compression: values from {from} on are read as 255, others as 0"
            ),
            Self::Map(map) if by_palette && map.iter().any(|(a, b)| a != b) => {
                "has its palette in another order: its values are read by their colours".to_owned()
            }
            Self::Map(_) | Self::Mark(_) => return None,
        };
        Some(Problem::new(path, what))
    }
}

/// Whether a value is the highest number of a count of bits that detectors and programs use.
fn is_full_scale(v: i64) -> bool {
    [10, 12, 14, 15, 16, 31, 32].iter().any(|bits| v == (1i64 << bits) - 1)
}

/// A file's values as those of the others, by its palette, or what it shows.
pub(crate) fn brought(values: &Values, palette: Option<&BTreeMap<i64, i64>>) -> (Option<Before>, Values) {
    let mapped = |map: BTreeMap<i64, i64>| {
        let new = |v: &i64| *map.get(v).unwrap_or(v);
        let counts = values.counts.iter().map(|(v, n)| (new(v), *n)).collect();
        let pieces = values.pieces.as_ref().map(|p| p.iter().map(|(v, n)| (new(v), *n)).collect());
        (Some(Before::Map(map)), Values { counts, pieces, ..values.clone() })
    };
    if let Some(map) = palette {
        return mapped(map.clone());
    }
    // Black and white for certain: its 255 is no data bar.
    if let Soft::From { from, pieces } = &values.soft {
        let light = values.counts.range(from..).map(|(_, n)| n).sum::<u64>();
        let all = values.counts.values().sum::<u64>();
        let counts = BTreeMap::from([(0, all - light), (WHITE, light)]);
        let values = Values { counts, pieces: Some(pieces.clone()), bars: false, ..values.clone() };
        return (Some(Before::Threshold(*from)), values);
    }
    let white = values.counts.keys().next_back().copied().filter(|v| is_full_scale(*v));
    match white {
        Some(white) if values.holds_only(&[0, white]) => {
            let (before, values) = mapped(BTreeMap::from([(white, WHITE)]));
            (before, Values { bars: false, ..values })
        }
        _ => (None, values.clone()),
    }
}
