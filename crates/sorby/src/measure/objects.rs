//! The table of all objects, line by line.

use super::{Measured, intensity};
use sorby_measure::{Region, nearest_centroids_px, nearest_edges_px};
use sorby_report::Cell;

const COLUMNS: [&str; 33] = [
    "image",
    "particle",
    "part_of",
    "area_px",
    "area_um2",
    "equivalent_radius_px",
    "equivalent_diameter_area_px",
    "equivalent_radius_nm",
    "equivalent_diameter_area_nm",
    "centroid_row_px",
    "centroid_column_px",
    "bbox_min_row_px",
    "bbox_min_column_px",
    "bbox_max_row_px",
    "bbox_max_column_px",
    "touches_border",
    "area_filled_px",
    "perimeter_crofton_px",
    "feret_diameter_max_px",
    "feret_diameter_min_px",
    "feret_angle_deg",
    "feret_diameter_max_nm",
    "feret_diameter_min_nm",
    "axis_major_length_px",
    "axis_minor_length_px",
    "orientation_rad",
    "circularity",
    "roundness",
    "solidity",
    "aspect_ratio",
    "nearest_neighbour_distance_px",
    "nearest_neighbour_gap_px",
    "nearest_neighbour_gap_nm",
];

/// `yes`, `no`, or nothing where it is not known.
pub fn yes_no(known: Option<bool>) -> Cell {
    known.map_or(Cell::Missing, |yes| (if yes { "yes" } else { "no" }).into())
}

/// A mean in the units of its file, with six significant digits and four decimals at least.
fn mean_cell(value: f64) -> Cell {
    let digits = if value == 0.0 { 4 } else { (5 - value.abs().log10().floor() as i32).clamp(4, 12) };
    Cell::Number(value, digits as usize)
}

/// Which columns the objects of a lot have.
pub struct Columns {
    /// Channels of the pictures that means were taken of: grey pictures and colour pictures have columns of their own.
    channels: Vec<usize>,
    unlike: bool,
    probability: bool,
    pub names: Vec<String>,
}

impl Columns {
    /// `mean_intensity` and `mean_probability` where pictures were given, `unlike_training` where it is known.
    pub fn of(fields: &[Measured]) -> Self {
        let channels: Vec<usize> = [1, 3]
            .into_iter()
            .filter(|n| fields.iter().any(|f| f.mean_grey.as_ref().is_some_and(|m| m.len() == *n)))
            .collect();
        let unlike = fields.iter().any(|f| f.unlike.is_some());
        let probability = fields.iter().any(|f| f.mean_probability.is_some());
        let means = channels.iter().flat_map(|n| intensity::columns(*n));
        let more = [("mean_probability", probability), ("unlike_training", unlike)];
        let more = more.into_iter().filter(|(_, given)| *given).map(|(name, _)| name.to_owned());
        let names = COLUMNS.into_iter().map(str::to_owned).chain(means).chain(more).collect();
        Self { channels, unlike, probability, names }
    }
}

/// The lines of one field's objects, each made when it is asked for: a million of them are not kept.
pub struct Rows<'a> {
    columns: &'a Columns,
    field: &'a Measured,
    centroids_px: Vec<Option<f64>>,
    gaps_px: Vec<Option<f64>>,
}

impl<'a> Rows<'a> {
    pub fn of(columns: &'a Columns, field: &'a Measured) -> Self {
        let p = &field.particles;
        let centroids_px = nearest_centroids_px(&p.regions);
        Self { columns, field, centroids_px, gaps_px: nearest_edges_px(&p.runs, p.regions.len()) }
    }

    pub fn len(&self) -> usize {
        self.field.particles.regions.len()
    }

    pub fn row(&self, i: usize) -> Vec<Cell> {
        let (f, columns) = (self.field, self.columns);
        let mut row = cells(f, i, &f.particles.regions[i], self.centroids_px[i], self.gaps_px[i]);
        for channels in &columns.channels {
            let own = f.mean_grey.as_ref().filter(|m| m.len() == *channels);
            row.extend((0..*channels).map(|c| own.map_or(Cell::Missing, |m| mean_cell(m[c][i]))));
        }
        row.extend(columns.probability.then(|| Cell::number(f.mean_probability.as_ref().map(|v| v[i]), 4)));
        row.extend(columns.unlike.then(|| yes_no(f.unlike)));
        row
    }
}

fn cells(f: &Measured, i: usize, r: &Region, centroid: Option<f64>, gap: Option<f64>) -> Vec<Cell> {
    let scale = f.particles.nm_per_px;
    let nm = |px: f64| Cell::number(scale.map(|s| s * px), 3);
    let (radius, diameter) = (r.equivalent_radius_px(), r.equivalent_diameter_area_px());
    let whole = |v: u64| Cell::Integer(v as i64);
    let (top, left, bottom, right) = r.bbox_px;
    vec![
        f.name.clone().into(),
        (i + 1).into(),
        (f.particles.part_of[i] + 1).into(),
        whole(r.area_px),
        Cell::number(scale.map(|s| r.area_px as f64 * (s / 1000.0).powi(2)), 6),
        Cell::Number(radius, 4),
        Cell::Number(diameter, 4),
        nm(radius),
        nm(diameter),
        Cell::Number(r.centroid_px.0, 3),
        Cell::Number(r.centroid_px.1, 3),
        whole(top.into()),
        whole(left.into()),
        whole(bottom.into()),
        whole(right.into()),
        (if r.touches_border { "yes" } else { "no" }).into(),
        whole(r.shape.area_filled_px),
        Cell::Number(r.shape.perimeter_crofton_px, 4),
        Cell::Number(r.shape.feret_diameter_max_px, 4),
        Cell::Number(r.shape.feret_diameter_min_px, 4),
        Cell::Number(r.shape.feret_angle_deg, 2),
        nm(r.shape.feret_diameter_max_px),
        nm(r.shape.feret_diameter_min_px),
        Cell::Number(r.shape.axis_major_length_px, 4),
        Cell::Number(r.shape.axis_minor_length_px, 4),
        Cell::Number(r.shape.orientation_rad, 4),
        Cell::Number(r.shape.circularity, 4),
        Cell::Number(r.shape.roundness, 4),
        Cell::Number(r.shape.solidity, 4),
        Cell::Number(r.shape.aspect_ratio, 4),
        Cell::number(centroid, 4),
        Cell::number(gap, 4),
        gap.map_or(Cell::Missing, nm),
    ]
}
