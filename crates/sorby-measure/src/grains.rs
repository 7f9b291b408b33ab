//! Grain size of classes whose objects are grains, after ASTM E112 and ISO 643.

use crate::components::Run;
use crate::particles::Particles;
use serde::Serialize;

/// Grain size of one or more fields.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GrainSize {
    /// Grains per square millimetre by the planimetric method: those inside, half of those that the edge cuts, and
    /// one for the four corners.
    pub grains_per_mm2: f64,
    /// Grain size number of ASTM E112 from it, `3.321928 lg N_A - 2.954`.
    pub g_planimetric: f64,
    /// Grain size number of ISO 643 from it, `lg N_A / lg 2 - 3`.
    pub g_iso_643: f64,
    /// Mean lineal intercept in micrometres along rows and columns, ends counting half.
    pub mean_lineal_intercept_um: f64,
    /// Grain size number of ASTM E112 from it, `-6.643856 lg l_mm - 3.288`.
    pub g_intercept: f64,
}

/// Counts of one field, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GrainCounts {
    /// Grains by the planimetric rule: whole ones, half of the cut ones, and one for the four corners.
    pub grains: f64,
    /// Area of the field.
    pub area_px: f64,
    /// Chords of grains along all rows and columns, ends at the edge of the field counting half.
    pub intercepts: f64,
    /// Length of all these rows and columns.
    pub line_px: f64,
}

/// Counts the grains of one field and their chords.
pub fn grain_counts(p: &Particles) -> GrainCounts {
    let (width, height) = p.field_px;
    let mut corner = vec![false; p.regions.len()];
    let mut row_chords = 0.0;
    for run in &p.runs {
        let ends = u8::from(run.x_start == 0) + u8::from(run.x_end as usize == width);
        if ends > 0 && (run.y == 0 || run.y as usize + 1 == height) {
            corner[run.region as usize] = true;
        }
        row_chords += 1.0 - f64::from(ends) / 2.0;
    }
    let cut = p.regions.iter().zip(&corner).filter(|(r, c)| r.touches_border && !**c).count() as f64;
    let inside = p.regions.iter().filter(|r| !r.touches_border).count() as f64;
    let corners = if corner.iter().any(|c| *c) { 1.0 } else { 0.0 };
    // A chord of a column has two ends; those at the edge of the field count for nothing, so such a chord is half one.
    let ends: u64 = RowPair::all(p).iter().map(|r| r.length - 2 * r.same).sum();
    let column_chords = ends as f64 / 2.0;
    GrainCounts {
        grains: inside + cut / 2.0 + corners,
        area_px: p.field_area_px as f64,
        intercepts: row_chords + column_chords,
        line_px: 2.0 * p.field_area_px as f64,
    }
}

/// Grain size over fields with their pixel sizes; `None` without grains.
pub fn grain_size(fields: &[(GrainCounts, f64)]) -> Option<GrainSize> {
    let mm = |nm: f64| nm * 1e-6;
    let sum = |f: &dyn Fn(&GrainCounts, f64) -> f64| fields.iter().map(|(c, nm)| f(c, mm(*nm))).sum::<f64>();
    let (grains, area) = (sum(&|c, _| c.grains), sum(&|c, mm| c.area_px * mm * mm));
    let (intercepts, line) = (sum(&|c, _| c.intercepts), sum(&|c, mm| c.line_px * mm));
    if grains <= 0.0 || intercepts <= 0.0 || area <= 0.0 {
        return None;
    }
    let (per_area, intercept) = (grains / area, line / intercepts);
    Some(GrainSize {
        grains_per_mm2: per_area,
        g_planimetric: per_area.log2() - 2.954,
        g_iso_643: per_area.log2() - 3.0,
        mean_lineal_intercept_um: 1000.0 * intercept,
        g_intercept: -2.0 * intercept.log2() - 3.288,
    })
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
