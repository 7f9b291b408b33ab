//! Arguments of the routine: jobs, lots, and whether a lot is still what it was.

use super::measure::EdgeArg;
use super::out::new_or_folder;
use super::{DeviceArg, InferenceArgs, PartArgs, ShardedEngineArgs, SimdArg};
use clap::{Args as ClapArgs, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum JobCommand {
    /// Make a locked job from a trained model.
    New(Box<NewJobArgs>),
    /// Lock a job file again after an intended edit: it becomes the next version.
    Lock {
        /// The job file.
        job: PathBuf,
    },
}

#[derive(ClapArgs)]
pub struct NewJobArgs {
    /// Run folder, or a model file.
    pub model: PathBuf,
    /// The job file to write (TOML).
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Name of the job; default: that of its file.
    #[arg(long)]
    pub name: Option<String>,
    /// Class to measure, by name or index (repeatable); default: every one but the first.
    #[arg(long = "class", value_name = "CLASS")]
    pub classes: Vec<String>,
    /// What is asked of a lot (repeatable): "mean diameter 250 to 400 nm", "area fraction at most 3 %". Where several
    /// classes are measured: "carbide: area fraction at most 3 %".
    #[arg(long = "limit", value_name = "LIMIT")]
    pub limits: Vec<String>,
    /// Fields that are wanted; fewer are warned of.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub fields: u16,
    /// Relative accuracy that is aimed at, in percent (ASTM E562 uses 10).
    #[arg(long, default_value_t = 10.0, value_name = "PERCENT")]
    pub accuracy: f64,
    /// Leave out objects of fewer pixels.
    #[arg(long, default_value_t = 0, value_name = "PX")]
    pub min_area_px: u64,
    /// 8: pixels touching at corners belong together (default); 4: only at edges (default with --grains).
    #[arg(long, value_parser = clap::value_parser!(u8).range(4..=8))]
    pub connectivity: Option<u8>,
    /// How objects cut by the edge count for sizes and numbers per area.
    #[arg(long, value_enum, default_value = "weighted")]
    pub edges: EdgeArg,
    /// Take touching objects apart where they narrow by this half width (1 splits readily, 3 rarely).
    #[arg(long, value_name = "PX")]
    pub split: Option<f64>,
    /// Give the grain size (ASTM E112, ISO 643): the objects are grains.
    #[arg(long)]
    pub grains: bool,
    /// Errors of the segmentation on labelled images; default: calibration.json of the run folder, where it fits.
    #[arg(long, value_name = "FILE")]
    pub calibration: Option<PathBuf>,
    /// Pixel size of every image in nanometres, where the files do not state it.
    #[arg(long, value_name = "NM")]
    pub nm_per_px: Option<f64>,
    /// Pixel sizes in nanometres that are allowed: 7.0,7.7. Other images are left out.
    #[arg(long, value_name = "FROM,TO", value_parser = parse_range)]
    pub pixel_sizes: Option<(f64, f64)>,
    /// How well the pixel size is known: half width of its 95 % interval in percent; default: 2, an assumption.
    #[arg(long, value_name = "PERCENT")]
    pub scale_accuracy: Option<f64>,
    /// Measure images without a pixel size too, in pixels.
    #[arg(long)]
    pub without_scale: bool,
    /// The pictures have no data bar: all rows are the field, whatever they look like.
    #[arg(long)]
    pub no_data_bar: bool,
    /// Bring images of another magnification to the nearest one that the model was trained on.
    #[arg(long)]
    pub match_scale: bool,
    /// Unit of lengths in the report.
    #[arg(long, value_enum, default_value = "auto")]
    pub unit: UnitArg,
    /// Paper of the report.
    #[arg(long, value_enum, default_value = "a4")]
    pub paper: PaperArg,
    /// A line of the header that is the same for every lot (repeatable): customer="Works 7".
    #[arg(long = "set", value_name = "LINE=TEXT", value_parser = parse_line)]
    pub header: Vec<(String, String)>,
    /// A line of the header that the operator must give (repeatable): lot.
    #[arg(long = "ask", value_name = "LINE")]
    pub required: Vec<String>,
    #[command(flatten)]
    pub inference: InferenceArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum UnitArg {
    /// Nanometres.
    Nm,
    /// Micrometres.
    Um,
    /// The one that suits each value.
    Auto,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PaperArg {
    A4,
    Letter,
}

#[derive(ClapArgs)]
pub struct RunArgs {
    /// Job file.
    pub job: PathBuf,
    /// Images of the lot, or folders of images.
    #[arg(required_unless_present = "watch")]
    pub images: Vec<PathBuf>,
    /// Wait for the images that the microscope saves into this folder; ends at Ctrl-C, or when the job has the fields and
    /// the accuracy that it wants.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["images", "shard", "merge", "executor"])]
    pub watch: Option<PathBuf>,
    /// New folder for the lot, or one in which the same command was interrupted: then it goes on.
    #[arg(long, value_parser = new_or_folder(), value_name = "LOT")]
    pub out: PathBuf,
    /// A line of the report's header (repeatable): lot="Heat 12", specimen, plane, etch, customer, order, operator;
    /// instrument, voltage, working_distance, detector, magnification where the images do not state them.
    #[arg(long = "set", value_name = "LINE=TEXT", value_parser = parse_line)]
    pub header: Vec<(String, String)>,
    /// Number of the report; default: made of date and images.
    #[arg(long, value_name = "NUMBER")]
    pub report_number: Option<String>,
    /// Folder of the lot whose report this one replaces: it becomes the next revision.
    #[arg(long, value_name = "LOT", requires = "reason", conflicts_with = "report_number")]
    pub revises: Option<PathBuf>,
    /// Why that report is replaced.
    #[arg(long, value_name = "TEXT", requires = "revises")]
    pub reason: Option<String>,
    /// Also print the report as PDF, if there is a browser of the Chromium family: a4, letter, or both; default: a4.
    #[arg(long, value_enum, value_delimiter = ',', num_args = 0..=1, require_equals = true, default_missing_value = "a4")]
    pub pdf: Vec<PaperArg>,
    /// Licence of the results for datapackage.json, by its SPDX identifier: CC-BY-4.0.
    #[arg(long, value_name = "SPDX")]
    pub licence: Option<String>,
    #[command(flatten)]
    pub part: PartArgs,
    #[command(flatten)]
    pub device: DeviceArg,
    #[command(flatten)]
    pub simd: SimdArg,
    #[command(flatten)]
    pub engine: ShardedEngineArgs,
}

#[derive(ClapArgs)]
pub struct VerifyArgs {
    /// Folder of a lot.
    pub lot: PathBuf,
    /// A public key (PEM) whose signature the lot must carry (repeatable).
    #[arg(long, value_name = "PUBLIC.pem")]
    pub signed_by: Vec<PathBuf>,
}

#[derive(ClapArgs)]
pub struct SignArgs {
    /// Folder of a lot.
    #[arg(required_unless_present = "new_key")]
    pub lot: Option<PathBuf>,
    /// Private Ed25519 key (PEM, PKCS #8).
    #[arg(long, value_name = "KEY.pem", required_unless_present = "new_key")]
    pub key: Option<PathBuf>,
    /// Name of the signer.
    #[arg(long = "as", value_name = "NAME", required_unless_present = "new_key")]
    pub signer: Option<String>,
    /// Make a private key in this file, and the public key next to it, instead of signing.
    #[arg(long, value_name = "KEY.pem", conflicts_with_all = ["lot", "key", "signer"])]
    pub new_key: Option<PathBuf>,
}

fn parse_line(text: &str) -> Result<(String, String), String> {
    let wrong = || format!("`{text}` is no line of the header; write lot=\"Heat 12\"");
    let (key, value) = text.split_once('=').ok_or_else(wrong)?;
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if key.is_empty() || !key.chars().all(name) {
        Err(wrong())
    } else {
        Ok((key.to_owned(), value.to_owned()))
    }
}

fn parse_range(text: &str) -> Result<(f64, f64), String> {
    let wrong = || format!("`{text}` is no range of pixel sizes; write 7.0,7.7");
    let (from, to) = text.split_once(',').ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|v| v.is_finite() && *v > 0.0);
    number(from).zip(number(to)).filter(|(from, to)| from <= to).ok_or_else(wrong)
}
