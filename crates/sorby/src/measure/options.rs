//! What is measured, and how.

use crate::Result;
use crate::error::refused;
use crate::masks::CodingOptions;
use std::path::PathBuf;

/// How masks are measured. The default measures class 1 in pixels, every object of it, by unbiased edge weights.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureOptions {
    /// Class to measure, by name or index; default: 1.
    pub class: Option<String>,
    /// What the values of the masks mean, where they do not say it.
    pub coding: CodingOptions,
    /// Data set that names the classes and gives pixel sizes; its labels are the truth to compare with.
    pub data: Option<PathBuf>,
    /// Pixel size in nanometres; without one, results are in pixels.
    pub nm_per_px: Option<f64>,
    /// Folder of true masks with the same names, to compare with.
    pub truth: Option<PathBuf>,
    /// 8: pixels that touch at corners belong together; 4: only at edges. Default: 8, and 4 for grains.
    pub connectivity: Option<u8>,
    /// Objects of fewer pixels are left out.
    pub min_area_px: u64,
    /// Objects that touch the image's edge are left out, from counts too.
    pub exclude_edge: bool,
    /// How objects cut by the edge count for sizes and numbers per area.
    pub edges: Edges,
    /// Touching objects are taken apart where they narrow by this half width.
    pub split_depth_px: Option<f64>,
    /// Errors of the segmentation, learnt from labelled images (`calibration.json`).
    pub calibration: Option<PathBuf>,
    /// How well the pixel size is known: half width of its 95 % interval in percent.
    pub scale_accuracy_percent: f64,
    /// Also say how many images would bring the relative accuracy to so many percent.
    pub plan_percent: Option<f64>,
    /// Give the grain size (ASTM E112, ISO 643): the objects are grains.
    pub grains: bool,
    /// Unfold section sizes to spheres per volume, in so many size classes (Saltykov).
    pub spheres: Option<usize>,
    /// Folder of the micrographs, for each object's mean grey value.
    pub images: Option<PathBuf>,
    /// Folder of the probabilities that were written with the masks, for each object's mean probability.
    pub probabilities: Option<PathBuf>,
    /// Files for other programs.
    pub export: Vec<Export>,
    /// Licence of the results, an identifier of SPDX, for `datapackage.json`.
    pub licence: Option<String>,
}

/// 95 % half width of a pixel size in percent, where nobody says better.
pub const SCALE_ACCURACY_PERCENT: f64 = 2.0;

impl Default for MeasureOptions {
    fn default() -> Self {
        Self {
            class: None,
            coding: CodingOptions::default(),
            data: None,
            nm_per_px: None,
            truth: None,
            connectivity: None,
            min_area_px: 0,
            exclude_edge: false,
            edges: Edges::default(),
            split_depth_px: None,
            calibration: None,
            scale_accuracy_percent: SCALE_ACCURACY_PERCENT,
            plan_percent: None,
            grains: false,
            spheres: None,
            images: None,
            probabilities: None,
            export: Vec::new(),
            licence: None,
        }
    }
}

/// How objects cut by the edge of the field count for sizes and numbers per area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edges {
    /// Whole objects, each weighted for those of its size that were cut (Miles-Lantuejoul): unbiased.
    #[default]
    Weighted,
    /// Those that meet a frame within the field and not its forbidden lines (Gundersen): unbiased.
    Frame,
    /// Whole objects only: large ones are missed.
    Exclude,
    /// All as they are seen: cut ones look too small.
    All,
}

impl Edges {
    /// All of them.
    const ALL: [Self; 4] = [Self::Weighted, Self::Frame, Self::Exclude, Self::All];

    /// The one of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.name() == name)
    }

    /// As [`Edges::from_name`], for words that a person wrote.
    ///
    /// # Errors
    /// For another word; the words are listed.
    pub fn named(name: &str) -> Result<Self> {
        let words = || Self::ALL.map(Self::name).join(", ");
        Self::from_name(name).ok_or_else(|| refused!("--edges {name}: unknown; choose one of {}", words()))
    }

    /// The word for it in options and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weighted => "weighted",
            Self::Frame => "frame",
            Self::Exclude => "exclude",
            Self::All => "all",
        }
    }
}

/// A file for other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// Table of all objects, Apache Parquet.
    Parquet,
    /// Outlines for ImageJ.
    Roi,
    /// Outlines for QuPath and napari.
    Geojson,
    /// Numbers of the objects as OME-TIFF, for Fiji, QuPath, napari, CellProfiler.
    Tiff,
    /// `datapackage.json`, which describes the folder by the Data Package standard.
    Datapackage,
}
