//! Grain size of classes whose objects are grains, after ASTM E112 and ISO 643.

use crate::components::Run;
use crate::intervals::t_975;
use crate::particles::Particles;
use serde::{Deserialize, Serialize};

/// Grain size of one or more fields.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GrainSize {
    /// Grains per square millimetre by the planimetric method: those inside, half of those that the edge cuts, and
    /// a quarter for each corner that lies in one.
    pub grains_per_mm2: f64,
    /// Grain size number of ASTM E112 from it, `3.321928 lg N_A - 2.954`.
    pub g_planimetric: f64,
    /// Grain size number of ISO 643 from it, `lg N_A / lg 2 - 3`.
    pub g_iso_643: f64,
    /// Mean lineal intercept in micrometres along rows and columns, ends counting half.
    pub mean_lineal_intercept_um: f64,
    /// Grain size number of ASTM E112 from it, `-6.643856 lg l_mm - 3.288`.
    pub g_intercept: f64,
    /// Half width of the 95 % interval of `g_planimetric` between fields, by leaving one field out at a time; `None` for
    /// fewer than two fields.
    pub g_planimetric_half_width: Option<f64>,
    /// The same of `g_intercept`.
    pub g_intercept_half_width: Option<f64>,
    /// The largest grain that lies whole in a field; `None` where all are cut.
    pub largest: Option<LargestGrain>,
    /// Whether a grain that the edge of a field cuts is larger than that already: then the largest grain is not known.
    pub larger_is_cut: bool,
}

/// The largest grain (ALA, "as large as"), after ASTM E930.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LargestGrain {
    /// Its area in square micrometres.
    pub area_um2: f64,
    /// Grain size number of a structure of grains of this area, `-3.321928 lg A_mm2 - 2.954`.
    pub g: f64,
    /// Index of its field.
    pub field: usize,
}

/// Counts of one field, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GrainCounts {
    /// Grains by the planimetric rule: whole ones, half of the cut ones, and a quarter for each corner in one.
    pub grains: f64,
    /// Area of the field.
    pub area_px: f64,
    /// Chords of grains along all rows and columns, ends at the edge of the field counting half.
    pub intercepts: f64,
    /// Length of all these rows and columns.
    pub line_px: f64,
    /// Area of the largest grain that lies whole in the field; 0 without one.
    pub largest_whole_px: u64,
    /// Visible area of the largest grain that the edge cuts; 0 without one.
    pub largest_cut_px: u64,
}

/// Counts the grains of one field and their chords.
pub fn grain_counts(p: &Particles) -> GrainCounts {
    let (width, height) = p.field_px;
    let mut corner = vec![false; p.regions.len()];
    // Ends at an ignored area count as those at the edge: half a chord.
    let mut row_chords = -(p.ends_at_unknown.0 as f64) / 2.0;
    let mut corners = 0.0;
    for run in &p.runs {
        let ends = u8::from(run.x_start == 0) + u8::from(run.x_end as usize == width);
        if ends > 0 && (run.y == 0 || run.y as usize + 1 == height) {
            corner[run.region as usize] = true;
            corners += f64::from(ends) / 4.0;
        }
        row_chords += 1.0 - f64::from(ends) / 2.0;
    }
    let cut = p.regions.iter().zip(&corner).filter(|(r, c)| r.touches_border && !**c).count() as f64;
    let inside = p.regions.iter().filter(|r| !r.touches_border).count() as f64;
    // A chord of a column has two ends; those at the edge of the field count for nothing, so such a chord is half one.
    let largest = |cut: bool| {
        let areas = p.regions.iter().filter(|r| r.touches_border == cut).map(|r| r.area_px);
        areas.max().unwrap_or(0)
    };
    let ends: u64 = RowPair::all(p).iter().map(|r| r.length - 2 * r.same).sum();
    let column_chords = (ends as f64 - p.ends_at_unknown.1 as f64) / 2.0;
    GrainCounts {
        grains: inside + cut / 2.0 + corners,
        area_px: p.field_area_px as f64,
        intercepts: row_chords + column_chords,
        line_px: 2.0 * p.field_area_px as f64,
        largest_whole_px: largest(false),
        largest_cut_px: largest(true),
    }
}

/// Grain size over fields with their pixel sizes in nanometres; `None` without grains.
pub fn grain_size(fields: &[(GrainCounts, f64)]) -> Option<GrainSize> {
    let (per_area, intercept) = means(fields.iter())?;
    let largest = fields
        .iter()
        .enumerate()
        .filter(|(_, (counts, _))| counts.largest_whole_px > 0)
        .map(|(field, (counts, nm))| (field, area_mm2(counts.largest_whole_px, *nm)))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let cut = fields.iter().map(|(counts, nm)| area_mm2(counts.largest_cut_px, *nm)).fold(0.0, f64::max);
    Some(GrainSize {
        grains_per_mm2: per_area,
        g_planimetric: g_of_number(per_area),
        g_iso_643: per_area.log2() - 3.0,
        mean_lineal_intercept_um: 1000.0 * intercept,
        g_intercept: g_of_intercept(intercept),
        g_planimetric_half_width: half_width(fields, |(per_area, _)| g_of_number(per_area)),
        g_intercept_half_width: half_width(fields, |(_, intercept)| g_of_intercept(intercept)),
        largest: largest.map(|(field, mm2)| LargestGrain {
            area_um2: 1e6 * mm2,
            g: g_of_number(1.0 / mm2),
            field,
        }),
        larger_is_cut: cut > largest.map_or(0.0, |(_, mm2)| mm2),
    })
}

fn area_mm2(area_px: u64, nm_per_px: f64) -> f64 {
    area_px as f64 * (nm_per_px * 1e-6).powi(2)
}

/// ASTM E112, from grains per square millimetre.
fn g_of_number(per_mm2: f64) -> f64 {
    per_mm2.log2() - 2.954
}

/// ASTM E112, from the mean lineal intercept in millimetres.
fn g_of_intercept(mm: f64) -> f64 {
    -2.0 * mm.log2() - 3.288
}

/// Grains per square millimetre, and the mean intercept in millimetres.
fn means<'a>(fields: impl Iterator<Item = &'a (GrainCounts, f64)>) -> Option<(f64, f64)> {
    let (mut grains, mut area, mut intercepts, mut line) = (0.0, 0.0, 0.0, 0.0);
    for (counts, nm) in fields {
        let mm = nm * 1e-6;
        grains += counts.grains;
        area += counts.area_px * mm * mm;
        intercepts += counts.intercepts;
        line += counts.line_px * mm;
    }
    (grains > 0.0 && intercepts > 0.0 && area > 0.0).then(|| (grains / area, line / intercepts))
}

/// Student's interval of the jackknife over fields.
fn half_width(fields: &[(GrainCounts, f64)], number: impl Fn((f64, f64)) -> f64) -> Option<f64> {
    let n = fields.len();
    let without = |left_out: usize| {
        let others = fields.iter().enumerate().filter(move |(i, _)| *i != left_out).map(|(_, field)| field);
        Some(number(means(others)?))
    };
    let values: Vec<f64> = (0..n).map(without).collect::<Option<_>>()?;
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (n > 1).then(|| t_975(n as f64 - 1.0) * (squares * (n as f64 - 1.0) / n as f64).sqrt())
}

/// Share of the class's boundary that lies between its own objects (Gurland 1958), `2 N_aa / (2 N_aa + N_ab)`, from
/// the crossings of rows and columns. It says something only of objects that were split.
pub fn contiguity(p: &Particles) -> Option<f64> {
    let width = p.field_px.0;
    let (mut own, mut other) = (0u64, 0u64);
    for (i, run) in p.runs.iter().enumerate() {
        let beside =
            |o: Option<&Run>, at: fn(&Run) -> u32, x: u32| o.is_some_and(|o| o.y == run.y && at(o) == x);
        let touches = beside(p.runs.get(i + 1), |o| o.x_start, run.x_end);
        own += u64::from(touches);
        other += u64::from(!touches && (run.x_end as usize) < width);
        let follows = beside(i.checked_sub(1).map(|i| &p.runs[i]), |o| o.x_end, run.x_start);
        other += u64::from(!follows && run.x_start > 0);
    }
    for r in RowPair::all(p) {
        own += r.different;
        other += r.length - 2 * (r.same + r.different);
    }
    let (own, other) = (2.0 * own as f64, other as f64);
    (own + other > 0.0).then(|| own / (own + other))
}

/// How two neighbouring rows meet.
struct RowPair {
    /// Object pixels of both rows.
    length: u64,
    /// Pixels above one of the same object, and above one of another.
    same: u64,
    different: u64,
}

impl RowPair {
    fn all(p: &Particles) -> Vec<Self> {
        let mut rows = vec![(0usize, 0usize); p.field_px.1];
        for (i, run) in p.runs.iter().enumerate() {
            let row = &mut rows[run.y as usize];
            *row = if row.1 == 0 { (i, i + 1) } else { (row.0, i + 1) };
        }
        rows.windows(2).map(|w| Self::of(&p.runs[w[0].0..w[0].1], &p.runs[w[1].0..w[1].1])).collect()
    }

    fn of(here: &[Run], below: &[Run]) -> Self {
        let length = here.iter().chain(below).map(|r| u64::from(r.x_end - r.x_start)).sum();
        let (mut same, mut different, mut j) = (0, 0, 0);
        for run in here {
            while j < below.len() && below[j].x_end <= run.x_start {
                j += 1;
            }
            for o in below[j..].iter().take_while(|o| o.x_start < run.x_end) {
                let both = u64::from(run.x_end.min(o.x_end) - run.x_start.max(o.x_start));
                *(if o.region == run.region { &mut same } else { &mut different }) += both;
            }
        }
        Self { length, same, different }
    }
}
