//! Arguments of the verbs that measure.

use super::PartArgs;
use super::out::new_or_folder;
use clap::Args as ClapArgs;
use std::path::PathBuf;

#[derive(ClapArgs)]
pub struct ScaleArgs {
    /// Images, or folders of images.
    #[arg(required = true)]
    pub images: Vec<PathBuf>,
}

/// What the user says of masks whose values could mean several things.
#[derive(ClapArgs, Default)]
pub struct CodingArgs {
    /// Stored value of each class, the first class (matrix) first: 0,255 or 1,2 or 0,127,255. Masks that Sorby wrote
    /// say it themselves.
    #[arg(long, value_name = "VALUES", value_delimiter = ',')]
    pub values: Vec<u32>,
    /// The masks hold numbers of objects, 0 for none (napari, Cellpose, ilastik): each number is an object.
    #[arg(long)]
    pub instances: bool,
}

#[derive(ClapArgs)]
pub struct MeasureArgs {
    /// Index masks, or folders of masks.
    #[arg(required = true)]
    pub masks: Vec<PathBuf>,
    /// New folder, or one in which the same command was before.
    #[arg(long, value_parser = new_or_folder())]
    pub out: PathBuf,
    /// Move what another command left in the folder into DIR first.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["shard", "merge"])]
    pub put_aside: Option<PathBuf>,
    /// Class to measure, by name or index; default: 1.
    #[arg(long)]
    pub class: Option<String>,
    #[command(flatten)]
    pub coding: CodingArgs,
    /// Data set that names the classes and gives pixel sizes; its labels are the truth to compare with.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Pixel size in nanometres; without it, results are in pixels.
    #[arg(long, value_name = "NM")]
    pub nm_per_px: Option<f64>,
    /// Folder of true masks with the same names, to compare with.
    #[arg(long, value_name = "DIR")]
    pub truth: Option<PathBuf>,
    /// 8: pixels touching at corners belong together (default); 4: only at edges (default with --grains).
    #[arg(long, value_parser = clap::value_parser!(u8).range(4..=8))]
    pub connectivity: Option<u8>,
    /// Leave out objects of fewer pixels.
    #[arg(long, default_value_t = 0, value_name = "PX")]
    pub min_area_px: u64,
    /// Leave out objects that touch the image's edge, from counts too.
    #[arg(long)]
    pub exclude_edge: bool,
    /// How objects cut by the edge count for sizes and numbers per area.
    #[arg(long, value_enum, default_value = "weighted")]
    pub edges: EdgeArg,
    /// Take touching objects apart where they narrow by this half width (1 splits readily, 3 rarely).
    #[arg(long, value_name = "PX")]
    pub split: Option<f64>,
    /// Errors of the segmentation, learnt from labelled images: a calibration.json that measuring with true masks
    /// wrote.
    #[arg(long, value_name = "FILE")]
    pub calibration: Option<PathBuf>,
    /// How well the pixel size is known: half width of its 95 % interval in percent.
    #[arg(long, default_value_t = 2.0, value_name = "PERCENT")]
    pub scale_accuracy: f64,
    /// Say how many images would bring the relative accuracy to so many percent.
    #[arg(long, value_name = "PERCENT")]
    pub plan: Option<f64>,
    /// Give the grain size (ASTM E112, ISO 643): the objects are grains.
    #[arg(long, conflicts_with = "exclude_edge")]
    pub grains: bool,
    /// Unfold section sizes to spheres per volume, in so many size classes (Saltykov).
    #[arg(long, value_name = "CLASSES", num_args = 0..=1, require_equals = true, default_missing_value = "12", value_parser = clap::value_parser!(u16).range(2..=60))]
    pub spheres: Option<u16>,
    /// Folder of the micrographs, for each object's mean grey value.
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,
    /// Folder of the probabilities that `segment --probabilities` wrote, for each object's mean probability.
    #[arg(long, value_name = "DIR")]
    pub probabilities: Option<PathBuf>,
    /// Also write for other programs: parquet (table with units), roi (ImageJ), geojson (QuPath, napari), tiff (numbers of
    /// the objects, OME-TIFF), datapackage (datapackage.json, which describes the folder).
    #[arg(long, value_enum, value_delimiter = ',')]
    pub export: Vec<ExportArg>,
    /// Licence of the results for datapackage.json, by its SPDX identifier: CC-BY-4.0.
    #[arg(long, value_name = "SPDX")]
    pub licence: Option<String>,
    #[command(flatten)]
    pub part: PartArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum EdgeArg {
    /// Whole objects, each weighted for those of its size that were cut (Miles-Lantuejoul): unbiased.
    Weighted,
    /// Those that meet a frame within the field and not its forbidden lines (Gundersen): unbiased.
    Frame,
    /// Whole objects only: large ones are missed.
    Exclude,
    /// All as they are seen: cut ones look too small.
    All,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportArg {
    Parquet,
    Roi,
    Geojson,
    Tiff,
    Datapackage,
}

/// What the user says of the pixel size of pictures.
#[derive(ClapArgs)]
pub struct GivenScale {
    /// Pixel size in nanometres, where the files do not state it.
    #[arg(long, value_name = "NM")]
    pub nm_per_px: Option<f64>,
    /// Length in nanometres that is written next to the scale bar in the pictures.
    #[arg(long, value_name = "NM")]
    pub bar_nm: Option<f64>,
    /// The pictures have no data bar: all rows are the field, whatever they look like.
    #[arg(long)]
    pub no_data_bar: bool,
    /// Data set whose dataset.toml states pixel sizes of its own images too.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[derive(ClapArgs)]
pub struct ThresholdArgs {
    /// Images, or folders of images.
    #[arg(required = true)]
    pub images: Vec<PathBuf>,
    #[arg(long, value_parser = new_or_folder())]
    pub out: PathBuf,
    /// Folder of true masks with the same names.
    #[arg(long, value_name = "DIR")]
    pub truth: Option<PathBuf>,
    /// Folder of a model's masks with the same names, to compare with.
    #[arg(long, value_name = "DIR")]
    pub masks: Option<PathBuf>,
    #[command(flatten)]
    pub coding: CodingArgs,
    /// Window of the local threshold in pixels; default: an eighth of the shorter side.
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u16).range(3..=4001))]
    pub window: Option<u16>,
    #[command(flatten)]
    pub scale: GivenScale,
}
