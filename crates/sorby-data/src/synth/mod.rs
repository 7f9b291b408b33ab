//! Synthetic SEM micrographs with exact labels: to try Sorby on, to test it with a known truth, to pretrain on.
//!
//! Two steels are made hard for a global threshold on purpose: shading across the field, grains of different
//! grey, rims brighter than interiors, polishing scratches, specks that are no particles. Twelve families of
//! microstructures ([`Family`]) have widely drawn sizes, fractions and textures, and a camera ([`CameraRange`]).

mod camera;
mod carbide;
mod distance;
mod families;
mod ferrite;
mod field;
mod grains;
mod noise;
mod objects;
mod picture;
mod scene;
mod texture;
mod write;

#[cfg(test)]
mod tests;

pub use camera::{CameraRange, Effect};
pub use families::Family;
pub use write::{SynthSet, write_dataset, write_dataset_reporting};

use sorby_image::LabelMap;
use sorby_random::Stream;

/// Value of the label's pixels that lie in a data bar.
const IN_BAR: u8 = 255;

/// What to imitate.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one is made for a whole set of images")]
pub enum Kind {
    /// Granular carbides of log-normal size in a ferrite matrix.
    Carbide,
    /// Blocky ferrite in martensite laths.
    Ferrite,
    /// A family of microstructures, seen by a camera of a range.
    Family(Family, CameraRange),
}

impl Kind {
    /// The word that stands for it in names of files and on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Carbide => "carbide",
            Kind::Ferrite => "ferrite",
            Kind::Family(family, _) => family.name(),
        }
    }

    /// Names of its classes, in index order.
    pub fn classes(&self) -> &'static [&'static str] {
        match self {
            Kind::Carbide => &["matrix", "carbide"],
            Kind::Ferrite => &["matrix", "ferrite"],
            Kind::Family(family, _) => family.classes(),
        }
    }

    /// Pixel size written into the data set, in nanometres.
    pub fn nm_per_px(&self) -> f64 {
        match self {
            Kind::Carbide => 12.5,
            Kind::Ferrite => 40.0,
            Kind::Family(family, _) => family.nm_per_px(),
        }
    }
}

/// A micrograph with its truth.
#[derive(Clone, Debug)]
pub struct Synthetic {
    /// 8-bit grey values, row-major.
    pub pixels: Vec<u8>,
    /// The truth: the class of each pixel, 255 in a data bar.
    pub label: LabelMap,
    /// Labelled pixels of each particle that shows in the field; of a family, of each connected region of class 1.
    pub areas_px: Vec<u64>,
}

impl Synthetic {
    /// Radius of the circle that has the area of a particle, in pixels; one per particle.
    pub fn radii_px(&self) -> impl Iterator<Item = f64> {
        radii_px(&self.areas_px)
    }

    /// Share of the field that the particles cover, 0..1.
    pub fn area_fraction(&self) -> f64 {
        let field = self.label.labels.iter().filter(|l| **l != IN_BAR).count();
        self.areas_px.iter().sum::<u64>() as f64 / field as f64
    }
}

fn radii_px(areas_px: &[u64]) -> impl Iterator<Item = f64> {
    areas_px.iter().map(|&a| (a as f64 / std::f64::consts::PI).sqrt())
}

/// Makes image number `index` of the set of `seed`: the same pixels for the same arguments.
pub fn make(kind: Kind, width: usize, height: usize, seed: u64, index: u64) -> Synthetic {
    match kind {
        Kind::Carbide => carbide::make(width, height, seed, index),
        Kind::Ferrite => ferrite::make(width, height, seed, index),
        Kind::Family(family, range) => make_family(family, &range, width, height, seed, index),
    }
}

/// Geometry and camera draw from streams of their own: the same labels under every camera, but for the data bar.
fn make_family(
    family: Family,
    range: &CameraRange,
    width: usize,
    height: usize,
    seed: u64,
    index: u64,
) -> Synthetic {
    let stream =
        |part: &str| Stream::numbered(seed, &format!("synthetic {} {part}", family.name()), &[index]);
    let scene = family.scene(width, height, &mut stream("geometry"));
    let (pixels, bar_rows) = camera::photograph(&scene, family.tones(), range, &mut stream("camera"));
    let mut label = LabelMap { width, height, labels: scene.labels };
    label.labels[(height - bar_rows) * width..].fill(IN_BAR);
    let areas_px = objects::object_areas(&label, 1);
    Synthetic { pixels, label, areas_px }
}
