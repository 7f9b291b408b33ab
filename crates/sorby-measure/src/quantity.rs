//! What is reported of a class: each quantity as a ratio of two sums, so that fields, parts of fields and sets of
//! fields are all reported in the same way.

use serde::{Deserialize, Serialize};

/// A number that is reported of one or more fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Share of the field that the class covers; equals the volume fraction in the mean (Delesse).
    AreaFraction,
    /// Objects per area, N_A, by the edge rule.
    NumberDensity,
    /// Mean equivalent circle diameter of the objects, by the edge rule.
    MeanDiameter,
    /// Diameter that 10 % of the objects do not exceed, by the edge rule.
    D10,
    /// Diameter that 50 % of the objects do not exceed, by the edge rule.
    D50,
    /// Diameter that 90 % of the objects do not exceed, by the edge rule.
    D90,
    /// Boundary surface per volume, `S_V = 2 P_L` (Underwood 1970).
    SurfaceDensity,
    /// Mean chord within the class, `2 L_class / P`.
    MeanIntercept,
    /// Mean distance along a line between objects, `2 (L - L_class) / P`.
    MeanFreePath,
    /// Mean of [`circularity`](crate::Shape::circularity) over the objects, by the edge rule.
    MeanCircularity,
    /// Mean of [`aspect_ratio`](crate::Shape::aspect_ratio) over the objects, by the edge rule.
    MeanAspectRatio,
}

impl Quantity {
    /// In the order of reports.
    pub const ALL: [Self; 11] = [
        Self::AreaFraction,
        Self::NumberDensity,
        Self::MeanDiameter,
        Self::D10,
        Self::D50,
        Self::D90,
        Self::SurfaceDensity,
        Self::MeanIntercept,
        Self::MeanFreePath,
        Self::MeanCircularity,
        Self::MeanAspectRatio,
    ];

    /// Column name with unit: nanometres and micrometres where the pixel size is known, else pixels.
    pub fn name(self, scaled: bool) -> &'static str {
        match (self, scaled) {
            (Self::AreaFraction, _) => "area_fraction_percent",
            (Self::NumberDensity, true) => "number_density_per_um2",
            (Self::NumberDensity, false) => "number_density_per_mpx",
            (Self::MeanDiameter, true) => "mean_diameter_nm",
            (Self::MeanDiameter, false) => "mean_diameter_px",
            (Self::D10, true) => "d10_nm",
            (Self::D10, false) => "d10_px",
            (Self::D50, true) => "d50_nm",
            (Self::D50, false) => "d50_px",
            (Self::D90, true) => "d90_nm",
            (Self::D90, false) => "d90_px",
            (Self::SurfaceDensity, true) => "surface_density_per_um",
            (Self::SurfaceDensity, false) => "surface_density_per_px",
            (Self::MeanIntercept, true) => "mean_intercept_nm",
            (Self::MeanIntercept, false) => "mean_intercept_px",
            (Self::MeanFreePath, true) => "mean_free_path_nm",
            (Self::MeanFreePath, false) => "mean_free_path_px",
            (Self::MeanCircularity, _) => "mean_circularity",
            (Self::MeanAspectRatio, _) => "mean_aspect_ratio",
        }
    }

    /// Power of length: by how many percent it is off when the pixel size is off by one.
    pub fn length_power(self) -> i32 {
        match self {
            Self::NumberDensity => -2,
            Self::SurfaceDensity => -1,
            Self::MeanDiameter | Self::D10 | Self::D50 | Self::D90 => 1,
            Self::MeanIntercept | Self::MeanFreePath => 1,
            Self::AreaFraction | Self::MeanCircularity | Self::MeanAspectRatio => 0,
        }
    }

    /// Whether objects count by their edge weights.
    pub fn by_edge_weights(self) -> bool {
        match self {
            Self::NumberDensity | Self::MeanDiameter | Self::D10 | Self::D50 | Self::D90 => true,
            Self::MeanCircularity | Self::MeanAspectRatio => true,
            Self::AreaFraction | Self::SurfaceDensity | Self::MeanIntercept | Self::MeanFreePath => false,
        }
    }

    /// Percentiles are not ratios of sums; the share of objects below them is.
    pub(crate) fn percentile(self) -> Option<f64> {
        match self {
            Self::D10 => Some(0.1),
            Self::D50 => Some(0.5),
            Self::D90 => Some(0.9),
            _ => None,
        }
    }

    /// Numerator and denominator of a cell of a field, in the units of [`Self::name`].
    pub(crate) fn ratio(self, s: &Sums, nm_per_px: Option<f64>) -> (f64, f64) {
        let nm = nm_per_px.unwrap_or(1.0);
        let um = nm_per_px.map_or(1.0, |nm| nm / 1000.0);
        let area = nm_per_px.map_or(1e-6, |_| um * um);
        match self {
            Self::AreaFraction => (100.0 * s.class_area, s.field_area),
            Self::NumberDensity => (s.weight, s.counting_area * area),
            Self::MeanDiameter => (s.diameter * nm, s.weight),
            Self::SurfaceDensity => (2.0 * s.crossings, s.line * um),
            Self::MeanIntercept => (2.0 * s.class_line * nm, s.crossings),
            Self::MeanFreePath => (2.0 * (s.line - s.class_line) * nm, s.crossings),
            Self::MeanCircularity => (s.circularity, s.weight),
            Self::MeanAspectRatio => (s.aspect_ratio, s.weight),
            Self::D10 | Self::D50 | Self::D90 => (f64::NAN, s.weight),
        }
    }
}

/// Sums over a cell of a field, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sums {
    pub class_area: f64,
    pub field_area: f64,
    /// Of the objects whose centroid lies in the cell: weights, and weighted sums.
    pub weight: f64,
    pub diameter: f64,
    pub circularity: f64,
    pub aspect_ratio: f64,
    /// Area that the weights are of.
    pub counting_area: f64,
    pub line: f64,
    pub class_line: f64,
    pub crossings: f64,
}

impl Sums {
    pub(crate) fn add(&mut self, o: &Self) {
        self.class_area += o.class_area;
        self.field_area += o.field_area;
        self.weight += o.weight;
        self.diameter += o.diameter;
        self.circularity += o.circularity;
        self.aspect_ratio += o.aspect_ratio;
        self.counting_area += o.counting_area;
        self.line += o.line;
        self.class_line += o.class_line;
        self.crossings += o.crossings;
    }
}
