//! The families of microstructures, each a formula with widely drawn parameters.

mod banded;
mod blocky;
mod cuboids;
mod dendrites;
mod duplex;
mod grains;
mod granular;
mod graphite;
mod lamellae;
mod needles;
mod network;
mod outline;
mod pores;

use super::scene::Scene;
use sorby_random::Stream;

/// A family of microstructures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Round, long or faceted particles in a matrix: spheroidised carbides, inclusions.
    Granular,
    /// Grains or irregular blocks of a second phase: ferrite in martensite, martensite islands.
    Blocky,
    /// Rounded squares in rows, with fine round precipitates between them: nickel superalloys.
    Cuboids,
    /// Plates in colonies: pearlite, eutectics.
    Lamellae,
    /// Grains with boundaries, some with twins.
    Grains,
    /// Needles and laths in a few directions of each prior grain: martensite, Widmanstatten plates.
    Needles,
    /// Dendrites with secondary arms: castings, welds.
    Dendrites,
    /// A film along grain boundaries, particles within the grains: proeutectoid cementite.
    Network,
    /// Round and irregular pores, cracks.
    Pores,
    /// Two phases that interpenetrate: duplex steels, spinodal structures.
    Duplex,
    /// Bands of a second constituent along the rolling direction: ferrite and pearlite.
    Banded,
    /// Flakes, worms or nodules of graphite with ferrite around them: cast irons.
    Graphite,
}

impl Family {
    /// All families.
    pub const ALL: [Family; 12] = [
        Family::Granular,
        Family::Blocky,
        Family::Cuboids,
        Family::Lamellae,
        Family::Grains,
        Family::Needles,
        Family::Dendrites,
        Family::Network,
        Family::Pores,
        Family::Duplex,
        Family::Banded,
        Family::Graphite,
    ];

    /// The word that stands for the family on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Family::Granular => "granular",
            Family::Blocky => "blocky",
            Family::Cuboids => "cuboids",
            Family::Lamellae => "lamellae",
            Family::Grains => "grains",
            Family::Needles => "needles",
            Family::Dendrites => "dendrites",
            Family::Network => "network",
            Family::Pores => "pores",
            Family::Duplex => "duplex",
            Family::Banded => "banded",
            Family::Graphite => "graphite",
        }
    }

    /// What shows, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Family::Granular => "Round, long or faceted particles",
            Family::Blocky => "Grains or irregular islands of a second phase",
            Family::Cuboids => "Rounded squares in rows, fine precipitates between them",
            Family::Lamellae => "Plates in colonies",
            Family::Grains => "Grains with boundaries, some with twins",
            Family::Needles => "Needles and laths",
            Family::Dendrites => "Dendrites with secondary arms",
            Family::Network => "A film along grain boundaries, particles within",
            Family::Pores => "Pores and cracks",
            Family::Duplex => "Two phases that interpenetrate",
            Family::Banded => "Bands of pearlite in ferrite",
            Family::Graphite => "Graphite as flakes, worms or nodules, ferrite around it",
        }
    }

    /// Names of its classes, in index order.
    pub fn classes(self) -> &'static [&'static str] {
        match self {
            Family::Granular => &["matrix", "particle"],
            Family::Blocky => &["martensite", "ferrite"],
            Family::Cuboids => &["gamma", "gamma prime", "secondary gamma prime"],
            Family::Lamellae => &["ferrite", "cementite"],
            Family::Grains => &["grain", "grain boundary"],
            Family::Needles => &["austenite", "martensite"],
            Family::Dendrites => &["interdendritic", "dendrite"],
            Family::Network => &["matrix", "network", "carbide"],
            Family::Pores => &["metal", "pore", "crack"],
            Family::Duplex => &["ferrite", "austenite"],
            Family::Banded => &["ferrite", "pearlite"],
            Family::Graphite => &["pearlite", "graphite", "ferrite"],
        }
    }

    /// How bright each class is where contrast is not reversed: 0 the darkest, 1 the brightest.
    pub(super) fn tones(self) -> &'static [f64] {
        match self {
            Family::Blocky | Family::Dendrites => &[1.0, 0.0],
            Family::Cuboids => &[1.0, 0.0, 0.15],
            Family::Network => &[0.0, 0.6, 1.0],
            Family::Pores => &[1.0, 0.0, 0.1],
            Family::Graphite => &[0.65, 0.0, 1.0],
            _ => &[0.0, 1.0],
        }
    }

    /// Pixel size written into its data sets, in nanometres: of a magnification at which such structures are looked at.
    pub fn nm_per_px(self) -> f64 {
        match self {
            Family::Cuboids => 10.0,
            Family::Granular | Family::Lamellae => 20.0,
            Family::Blocky | Family::Needles | Family::Network => 50.0,
            Family::Grains | Family::Duplex | Family::Banded | Family::Pores => 500.0,
            Family::Dendrites | Family::Graphite => 1000.0,
        }
    }

    /// Its geometry, of parameters drawn from the stream.
    pub(super) fn scene(self, width: usize, height: usize, stream: &mut Stream) -> Scene {
        let make = match self {
            Family::Granular => granular::scene,
            Family::Blocky => blocky::scene,
            Family::Cuboids => cuboids::scene,
            Family::Lamellae => lamellae::scene,
            Family::Grains => grains::scene,
            Family::Needles => needles::scene,
            Family::Dendrites => dendrites::scene,
            Family::Network => network::scene,
            Family::Pores => pores::scene,
            Family::Duplex => duplex::scene,
            Family::Banded => banded::scene,
            Family::Graphite => graphite::scene,
        };
        make(width, height, stream)
    }
}

/// Places that are tried in vain before a field counts as full.
fn patience(scene: &Scene) -> usize {
    (scene.labels.len() / 16).max(4000)
}

/// The shorter and the longer side of a field, in pixels.
fn sides(width: usize, height: usize) -> (f64, f64) {
    (width.min(height) as f64, width.max(height) as f64 * 1.5)
}
