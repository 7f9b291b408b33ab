//! Objects that the edge of the field cuts: which count, and for how many each.

use crate::particles::Particles;
use serde::Serialize;

/// How objects that the edge of the field cuts count for sizes and numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeRule {
    /// As they are seen: cut objects look too small, and too many are seen.
    All,
    /// Not at all: large objects are cut more often, so they are missed.
    Exclude,
    /// Not at all, but each whole object stands for all of its kind that were cut:
    /// `W H / ((W - w - 1) (H - h - 1))` for an object of w x h pixels in a field of W x H (Miles and Lantuejoul;
    /// there are W - w - 1 places for it that do not touch the edge).
    #[default]
    MilesLantuejoul,
    /// Objects that meet a frame, a guard of so many pixels inside the field, and do not meet its left and lower
    /// sides or their continuations (Gundersen 1977). The guard must be as wide as the largest object.
    Gundersen {
        /// Width of the guard.
        guard_px: u32,
    },
}

/// Each object's weight, and the area that the weights are of.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeWeights {
    /// 0 for objects that do not count.
    pub weights: Vec<f64>,
    /// `sum of weights / area_px` is the number of objects per pixel, where no pixel is ignored.
    pub area_px: f64,
    /// Left, top, right and bottom of the part of the field that the weights are of.
    pub frame_px: (u32, u32, u32, u32),
    /// Objects that count although the edge of the field cuts them, so that their size is not known.
    pub cut: usize,
}

impl EdgeRule {
    /// A Gundersen frame with a guard as wide as the largest object (at most a third of the field).
    pub fn gundersen(fields: &[&Particles]) -> Self {
        let extent = |p: &Particles| {
            let (width, height) = p.field_px;
            let size = p.regions.iter().map(|r| {
                let (top, left, bottom, right) = r.bbox_px;
                (bottom - top).max(right - left)
            });
            size.max().unwrap_or(1).min(width.min(height) as u32 / 3)
        };
        Self::Gundersen { guard_px: fields.iter().map(|p| extent(p)).max().unwrap_or(1).max(1) }
    }

    /// How many objects each object of a field stands for, by this rule.
    ///
    /// ```
    /// use sorby_image::LabelMap;
    /// use sorby_measure::{EdgeRule, ObjectRule, measure};
    ///
    /// let image = ["##..##",   // object 0 at the left and the upper edge, object 1 at the upper and the right one
    ///              "##..##",
    ///              "......",
    ///              ".##...",   // object 2, whole
    ///              ".##...",
    ///              "......"];
    /// let labels = image.concat().bytes().map(|b| u8::from(b == b'#')).collect();
    /// let objects = measure(&LabelMap { width: 6, height: 6, labels }, 1, ObjectRule::default(), None);
    /// let weights = |rule: EdgeRule| rule.weights(&objects).weights;
    ///
    /// assert_eq!(weights(EdgeRule::All), [1.0, 1.0, 1.0]);
    /// assert_eq!(weights(EdgeRule::Exclude), [0.0, 0.0, 1.0]);
    /// // In 6 x 6 pixels there are 3 x 3 places where a square of 2 x 2 does not touch the edge: 36 / 9.
    /// assert_eq!(weights(EdgeRule::MilesLantuejoul), [0.0, 0.0, 4.0]);
    /// // The frame begins one pixel inside. Its left and lower sides exclude, its upper and right sides do not.
    /// assert_eq!(weights(EdgeRule::Gundersen { guard_px: 1 }), [0.0, 1.0, 1.0]);
    /// ```
    pub fn weights(self, p: &Particles) -> EdgeWeights {
        let (left, top, right, bottom) = p.labelled_px;
        let (width, height) = (right - left, bottom - top);
        let whole = p.field_area_px as f64;
        let weights = match self {
            Self::All => vec![1.0; p.regions.len()],
            Self::Exclude => p.regions.iter().map(|r| f64::from(u8::from(!r.touches_border))).collect(),
            Self::MilesLantuejoul => {
                // An object that does not touch leaves a pixel on each side: that many places are there for it.
                let share =
                    |field: u32, object: u32| f64::from(field) / (f64::from(field) - f64::from(object) - 1.0);
                let weight = |r: &crate::Region| {
                    let (top, left, bottom, right) = r.bbox_px;
                    if r.touches_border {
                        0.0
                    } else {
                        share(width, right - left) * share(height, bottom - top)
                    }
                };
                p.regions.iter().map(weight).collect()
            }
            Self::Gundersen { guard_px } => return frame(p, guard_px.max(1)),
        };
        let cut = p.regions.iter().zip(&weights).filter(|(r, w)| r.touches_border && **w > 0.0).count();
        EdgeWeights { weights, area_px: whole, frame_px: p.labelled_px, cut }
    }
}

fn frame(p: &Particles, guard: u32) -> EdgeWeights {
    let (x0, y0, x1, y1) = p.labelled_px;
    let (left, right) = (x0 + guard, x1.saturating_sub(guard));
    let (top, bottom) = (y0 + guard, y1.saturating_sub(guard));
    if left >= right || top >= bottom {
        let weights = vec![0.0; p.regions.len()];
        return EdgeWeights { weights, area_px: 0.0, frame_px: (0, 0, 0, 0), cut: 0 };
    }
    let (mut meets, mut forbidden) = (vec![false; p.regions.len()], vec![false; p.regions.len()]);
    for run in &p.runs {
        let i = run.region as usize;
        let over = |start: u32, end: u32| run.x_start < end && start < run.x_end;
        meets[i] |= (top..bottom).contains(&run.y) && over(left, right);
        // The left side and its continuation upwards, the lower side, and the right side's continuation downwards.
        forbidden[i] |= run.y <= bottom && over(left - 1, left)
            || run.y == bottom && over(left - 1, right)
            || run.y >= bottom && over(right - 1, right);
    }
    let weights: Vec<f64> =
        meets.iter().zip(&forbidden).map(|(m, f)| f64::from(u8::from(*m && !f))).collect();
    let cut = p.regions.iter().zip(&weights).filter(|(r, w)| r.touches_border && **w > 0.0).count();
    let area_px = f64::from(right - left) * f64::from(bottom - top);
    EdgeWeights { weights, area_px, frame_px: (left, top, right, bottom), cut }
}
