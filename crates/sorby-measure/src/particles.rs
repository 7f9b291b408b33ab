//! Particles of one class: their sizes, and what a field of view holds of them.

use crate::components::{Connectivity, Objects, Region, Run, components, numbered};
use crate::split::split;
use crate::unknown;
use serde::{Deserialize, Serialize};
use sorby_image::{IGNORE, LabelMap};
use std::borrow::Borrow;

/// Which objects count as particles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectRule {
    /// Which pixels are of one object.
    pub connectivity: Connectivity,
    /// Objects of fewer pixels are left out.
    pub min_area_px: u64,
    /// Leaves out objects that touch the image's edge.
    pub exclude_edge: bool,
    /// Takes touching objects apart where their half width narrows by this much, see [`measure`]; `None`: they stay
    /// one.
    pub split_depth_px: Option<f64>,
}

impl Default for ObjectRule {
    /// The paper's rule: every 8-connected component counts.
    fn default() -> Self {
        Self { connectivity: Connectivity::Eight, min_area_px: 0, exclude_edge: false, split_depth_px: None }
    }
}

/// The particles of one mask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Particles {
    /// Measures of each particle that counts, in order of its first pixel.
    pub regions: Vec<Region>,
    /// Their pixels, in raster order.
    pub runs: Vec<Run>,
    /// For each, the first of the objects that were one with it before splitting: its own number if it was whole.
    pub part_of: Vec<usize>,
    /// Pixels of the class, whatever the filter; area fractions always use all of them.
    pub class_area_px: u64,
    /// Pixels that were not marked as to be ignored.
    pub field_area_px: u64,
    /// Of them, ignored pixels in lines between objects of the class: taken for boundaries.
    pub boundary_px: u64,
    /// Width and height of the field, a data bar left out.
    pub field_px: (usize, usize),
    /// Left, top, right and bottom of the smallest box that holds every pixel that is not ignored: the field for the
    /// rules of the edge.
    pub labelled_px: (u32, u32, u32, u32),
    /// Ends of the particles' chords along rows, and along columns, at ignored areas: the field ends there.
    pub ends_at_unknown: (u64, u64),
    /// Pixel size in nanometres, where it is known.
    pub nm_per_px: Option<f64>,
}

impl Particles {
    /// A picture with the number of its particle at each pixel, from 1 and row by row; 0 where there is none.
    ///
    /// # Panics
    /// When the size is smaller than that of the mask that was measured.
    pub fn numbers(&self, (width, height): (usize, usize)) -> Vec<u32> {
        let mut numbers = vec![0; width * height];
        for run in &self.runs {
            let row = run.y as usize * width;
            numbers[row + run.x_start as usize..row + run.x_end as usize].fill(run.region + 1);
        }
        numbers
    }
}

/// Objects of `class` in a mask: its connected components. Objects that touch are one, unless the filter takes
/// them apart where they narrow:
///
/// ```
/// use sorby_image::LabelMap;
/// use sorby_measure::{ObjectRule, measure};
///
/// let image = ["#####.#####",
///              "#####.#####",
///              "###########",
///              "#####.#####",
///              "#####.#####"];
/// let labels = image.concat().bytes().map(|b| u8::from(b == b'#')).collect();
/// let mask = LabelMap { width: 11, height: 5, labels };
///
/// // Every object drawn with its number.
/// let numbers = |split_depth_px| {
///     let mut rows = image.map(|_| *b"...........");
///     for run in measure(&mask, 1, ObjectRule { split_depth_px, ..ObjectRule::default() }, None).runs {
///         rows[run.y as usize][run.x_start as usize..run.x_end as usize].fill(b'0' + run.region as u8);
///     }
///     rows.map(|row| String::from_utf8_lossy(&row).into_owned())
/// };
///
/// assert_eq!(numbers(None), ["00000.00000",
///                            "00000.00000",
///                            "00000000000",
///                            "00000.00000",
///                            "00000.00000"]);
/// // The half width is 3 px in the squares and 1 px between them: narrower by 2 px.
/// assert_eq!(numbers(Some(2.0)), ["00000.11111",
///                                 "00000.11111",
///                                 "00000011111",
///                                 "00000.11111",
///                                 "00000.11111"]);
/// assert_eq!(numbers(Some(2.5)), numbers(None));
/// ```
pub fn measure(mask: &LabelMap, class: u8, filter: ObjectRule, nm_per_px: Option<f64>) -> Particles {
    let (mask, boundary_px) = unknown::with_boundaries(mask, class);
    let height = field_rows(&mask, class);
    let labels = &mask.labels[..mask.width * height];
    let objects = components(mask.width, height, filter.connectivity, labels, |l| l == class);
    Particles { boundary_px, ..of_objects(objects, &mask, class, filter, nm_per_px) }
}

/// Objects of `class` that have numbers, see [`numbered`]; `mask` has `class` where `numbers` is not 0.
///
/// # Panics
/// If there are fewer numbers than pixels in the field of the mask.
pub fn measure_numbered(
    mask: &LabelMap,
    numbers: &[u32],
    class: u8,
    filter: ObjectRule,
    nm_per_px: Option<f64>,
) -> Particles {
    let (mask, boundary_px) = unknown::with_boundaries(mask, class);
    let height = field_rows(&mask, class);
    let objects = numbered(mask.width, height, &numbers[..mask.width * height]);
    Particles { boundary_px, ..of_objects(objects, &mask, class, filter, nm_per_px) }
}

/// Rows without any label, such as a data bar, end the field: what reaches them is cut off there.
fn field_rows(mask: &LabelMap, class: u8) -> usize {
    if class == IGNORE { mask.height } else { mask.field_rows() }
}

fn of_objects(
    mut objects: Objects,
    mask: &LabelMap,
    class: u8,
    filter: ObjectRule,
    nm_per_px: Option<f64>,
) -> Particles {
    let height = objects.height;
    let labels = &mask.labels[..mask.width * height];
    let keep = |r: &Region| r.area_px >= filter.min_area_px && !(filter.exclude_edge && r.touches_border);
    let class_area_px = objects.regions.iter().map(|r| r.area_px).sum();
    let ignored = mask.labels.iter().filter(|&&l| l == IGNORE && l != class).count();
    let ignored_inside = class != IGNORE && labels.contains(&IGNORE);
    let beyond = if ignored_inside { unknown::areas(labels, mask.width) } else { Vec::new() };
    let labelled_px = if ignored_inside {
        mark_cut(&mut objects, &beyond);
        labelled_box(labels, mask.width)
    } else {
        (0, 0, mask.width as u32, height as u32)
    };
    let mut parents: Vec<u32> = (0..objects.regions.len() as u32).collect();
    if let Some(depth) = filter.split_depth_px {
        let parts = split(&objects, filter.connectivity, depth);
        (objects, parents) = (parts.objects, parts.parents);
    }
    let mut kept = objects.regions.iter().map(keep);
    parents.retain(|_| kept.next().unwrap_or(false));
    objects.retain(keep);
    let mut first = std::collections::HashMap::new();
    let part_of = parents.iter().enumerate().map(|(i, parent)| *first.entry(*parent).or_insert(i)).collect();
    Particles {
        ends_at_unknown: ends_at(&beyond, &objects.runs, (mask.width, height)),
        regions: objects.regions,
        runs: objects.runs,
        part_of,
        class_area_px,
        field_area_px: (mask.labels.len() - ignored) as u64,
        boundary_px: 0,
        field_px: (mask.width, height),
        labelled_px,
        nm_per_px,
    }
}

/// Ends of chords along rows and columns next to pixels that are not known; `beyond` is empty where all are.
fn ends_at(beyond: &[u8], runs: &[Run], (width, height): (usize, usize)) -> (u64, u64) {
    if beyond.is_empty() {
        return (0, 0);
    }
    let (mut of_rows, mut of_columns) = (0, 0);
    for run in runs {
        let (y, start, end) = (run.y as usize, run.x_start as usize, run.x_end as usize);
        let row = y * width;
        of_rows += u64::from(start > 0 && beyond[row + start - 1] == 1);
        of_rows += u64::from(end < width && beyond[row + end] == 1);
        let next_to = |row: usize| beyond[row + start..row + end].iter().filter(|b| **b == 1).count() as u64;
        of_columns += if y > 0 { next_to(row - width) } else { 0 };
        of_columns += if y + 1 < height { next_to(row + width) } else { 0 };
    }
    (of_rows, of_columns)
}

/// Left, top, right and bottom of the smallest box that holds every pixel that is not ignored.
fn labelled_box(labels: &[u8], width: usize) -> (u32, u32, u32, u32) {
    let (mut left, mut right) = (width, 0);
    let (mut top, mut bottom) = (usize::MAX, 0);
    for (y, row) in labels.chunks_exact(width.max(1)).enumerate() {
        let Some(first) = row.iter().position(|l| *l != IGNORE) else { continue };
        let last = row.iter().rposition(|l| *l != IGNORE).unwrap_or(first);
        (left, right) = (left.min(first), right.max(last + 1));
        (top, bottom) = (top.min(y), y + 1);
    }
    if bottom == 0 { (0, 0, 0, 0) } else { (left as u32, top as u32, right as u32, bottom as u32) }
}

/// Objects next to an area that is not known may go on there: the edge of what is known is an edge of the field. Lines
/// of ignored pixels are boundaries.
fn mark_cut(objects: &mut Objects, beyond: &[u8]) {
    let (width, height) = (objects.width, objects.height);
    for run in &objects.runs {
        let (y, columns) =
            (run.y as usize, (run.x_start as usize).saturating_sub(1)..(run.x_end as usize + 1).min(width));
        let rows = y.saturating_sub(1)..(y + 2).min(height);
        let unknown = rows.into_iter().any(|y| beyond[y * width..][columns.clone()].contains(&1));
        objects.regions[run.region as usize].touches_border |= unknown;
    }
}

/// What a mask, or a set of masks, holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Number of particles.
    pub count: usize,
    /// Mean over particles of `sqrt(A / pi)`; none without particles.
    pub mean_radius_px: Option<f64>,
    /// Twice the mean radius.
    pub mean_diameter_px: Option<f64>,
    /// In nanometres, only when the pixel size is known (for a set: of every mask).
    pub mean_radius_nm: Option<f64>,
    /// Twice that.
    pub mean_diameter_nm: Option<f64>,
    /// Share of the field covered by the class.
    pub area_fraction: f64,
    /// Particles per square micrometre, when the pixel size is known.
    pub number_density_per_um2: Option<f64>,
}

impl Particles {
    /// Statistics over the particles of this mask.
    pub fn summary(&self) -> Summary {
        pool(std::slice::from_ref(self))
    }

    /// Mean over each object of a picture's values, of which a row has `width`; `value` gives that of a pixel.
    pub fn mean_values(&self, width: usize, value: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.regions.len()];
        for run in &self.runs {
            let row = run.y as usize * width;
            let part = row + run.x_start as usize..row + run.x_end as usize;
            sums[run.region as usize] += part.map(&value).sum::<f64>();
        }
        sums.iter().zip(&self.regions).map(|(s, r)| s / r.area_px as f64).collect()
    }

    /// Area of the field in square micrometres.
    fn field_area_um2(&self) -> Option<f64> {
        self.nm_per_px.map(|nm| self.field_area_px as f64 * (nm / 1000.0).powi(2))
    }
}

/// Statistics over all particles of several masks together (the paper's means are pooled so).
pub fn pool<P: Borrow<Particles>>(fields: &[P]) -> Summary {
    let fields = || fields.iter().map(Borrow::borrow);
    let count: usize = fields().map(|f| f.regions.len()).sum();
    let mean = |value: &dyn Fn(&Particles, &Region) -> Option<f64>| -> Option<f64> {
        let values = fields().flat_map(|f| f.regions.iter().map(move |r| value(f, r)));
        values.sum::<Option<f64>>().filter(|_| count > 0).map(|sum| sum / count as f64)
    };
    let mean_radius_px = mean(&|_, r| Some(r.equivalent_radius_px()));
    let mean_radius_nm = mean(&|f, r| Some(r.equivalent_radius_px() * f.nm_per_px?));
    let (class, field) = fields().fold((0, 0), |(c, f), p| (c + p.class_area_px, f + p.field_area_px));
    let area_um2: Option<f64> = fields().map(Particles::field_area_um2).sum();
    Summary {
        count,
        mean_radius_px,
        mean_diameter_px: mean_radius_px.map(|r| 2.0 * r),
        mean_radius_nm,
        mean_diameter_nm: mean_radius_nm.map(|r| 2.0 * r),
        area_fraction: if field > 0 { class as f64 / field as f64 } else { 0.0 },
        number_density_per_um2: area_um2.filter(|a| *a > 0.0).map(|a| count as f64 / a),
    }
}

/// Signed errors of a measurement against the truth: measured minus true.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Particles too many; below 0, too few.
    pub count_error: i64,
    /// In pixels; `None` where one of the two has no particles.
    pub mean_radius_error_px: Option<f64>,
    /// In nanometres; `None` where a pixel size is not known, or one of the two has no particles.
    pub mean_radius_error_nm: Option<f64>,
    /// As a share of the field, -1 to 1.
    pub area_fraction_error: f64,
}

/// What is too much in `measured`, next to `truth`.
pub fn compare(measured: &Summary, truth: &Summary) -> Comparison {
    let difference = |a: Option<f64>, b: Option<f64>| Some(a? - b?);
    Comparison {
        count_error: measured.count as i64 - truth.count as i64,
        mean_radius_error_px: difference(measured.mean_radius_px, truth.mean_radius_px),
        mean_radius_error_nm: difference(measured.mean_radius_nm, truth.mean_radius_nm),
        area_fraction_error: measured.area_fraction - truth.area_fraction,
    }
}
