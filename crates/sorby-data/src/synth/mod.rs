//! Synthetic SEM micrographs with exact labels: to try Sorby on, and to test it with a known truth.
//!
//! They are made hard for a global threshold on purpose: shading across the field, grains of different
//! grey, rims brighter than interiors, polishing scratches, specks that are no particles.

mod carbide;
mod ferrite;
mod field;
mod picture;
mod write;

pub use write::{SynthSet, write_dataset, write_dataset_reporting};

use sorby_image::LabelMap;

/// Which steel to imitate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Granular carbides of log-normal size in a ferrite matrix.
    Carbide,
    /// Blocky ferrite in martensite laths.
    Ferrite,
}

impl Kind {
    /// Name of the second class; the first is `matrix`.
    pub fn class_name(&self) -> &'static str {
        match self {
            Kind::Carbide => "carbide",
            Kind::Ferrite => "ferrite",
        }
    }

    /// Pixel size written into the data set, in nanometres.
    pub fn nm_per_px(&self) -> f64 {
        match self {
            Kind::Carbide => 12.5,
            Kind::Ferrite => 40.0,
        }
    }
}

/// A micrograph with its truth.
#[derive(Clone, Debug)]
pub struct Synthetic {
    /// 8-bit grey values, row-major.
    pub pixels: Vec<u8>,
    /// The truth: 1 on a particle or grain of the kind, 0 elsewhere.
    pub label: LabelMap,
    /// Labelled pixels of each particle that shows in the field.
    pub areas_px: Vec<u64>,
}

impl Synthetic {
    /// Radius of the circle that has the area of a particle, in pixels; one per particle.
    pub fn radii_px(&self) -> impl Iterator<Item = f64> {
        self.areas_px.iter().map(|&a| (a as f64 / std::f64::consts::PI).sqrt())
    }

    /// Share of the field that the particles cover, 0..1.
    pub fn area_fraction(&self) -> f64 {
        self.areas_px.iter().sum::<u64>() as f64 / self.label.labels.len() as f64
    }
}

/// Makes image number `index` of the set of `seed`: the same pixels for the same arguments.
pub fn make(kind: Kind, width: usize, height: usize, seed: u64, index: u64) -> Synthetic {
    match kind {
        Kind::Carbide => carbide::make(width, height, seed, index),
        Kind::Ferrite => ferrite::make(width, height, seed, index),
    }
}
