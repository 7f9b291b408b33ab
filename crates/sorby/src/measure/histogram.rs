//! How many objects of which size.

use super::Measured;
use super::estimates::significant;
use sorby_report::{Cell, Table};

/// Bins aimed at.
const BINS: f64 = 16.0;

/// Objects by equivalent diameter in bins of a round width: as counted, by the weights of the edge rule, and per area.
pub fn table(fields: &[Measured]) -> Table {
    let scaled = fields.iter().all(|f| f.particles.nm_per_px.is_some());
    let (unit, area_unit) = if scaled { ("nm", "um2") } else { ("px", "mpx") };
    let mut table = Table::new([
        format!("diameter_from_{unit}"),
        format!("diameter_to_{unit}"),
        "objects".to_owned(),
        "weighted_objects".to_owned(),
        "share_percent".to_owned(),
        format!("number_density_per_{area_unit}"),
    ]);
    let told: Vec<_> = fields.iter().map(|f| f.field.diameters()).collect();
    let area: f64 = told.iter().map(|t| t.1).sum();
    let sizes: Vec<(f64, f64)> = told.into_iter().flat_map(|t| t.0).collect();
    let total: f64 = sizes.iter().map(|s| s.1).sum();
    let largest = sizes.iter().map(|s| s.0).fold(0.0, f64::max);
    if largest <= 0.0 {
        return table;
    }
    let width = round_width(largest / BINS);
    for bin in 0..=(largest / width) as usize {
        let (from, to) = (bin as f64 * width, (bin + 1) as f64 * width);
        let inside = sizes.iter().filter(|s| (from..to).contains(&s.0));
        let (count, weight) = inside.fold((0usize, 0.0), |c, s| (c.0 + 1, c.1 + s.1));
        table.row(vec![
            Cell::Number(from, 3),
            Cell::Number(to, 3),
            count.into(),
            Cell::Number(weight, 3),
            Cell::Number(100.0 * weight / total, 3),
            significant((area > 0.0).then(|| weight / area * if scaled { 1.0 } else { 1e6 })),
        ]);
    }
    table
}

/// The nearest of 1, 2, 5 times a power of ten at or above.
fn round_width(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|m| m * power).find(|w| *w >= raw).unwrap_or(10.0 * power)
}

/// Objects after splitting, and those they were before.
pub fn split_counts(fields: &[Measured]) -> (usize, usize) {
    let parts = fields.iter().map(|f| f.particles.regions.len()).sum();
    let first = |f: &Measured| f.particles.part_of.iter().enumerate().filter(|(i, part)| i == *part).count();
    (parts, fields.iter().map(first).sum())
}
