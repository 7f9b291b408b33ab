//! Command-line arguments as typed.

mod demo;
mod engine;
mod job;
mod label;
mod measure;
mod model;
mod options;
mod out;
mod part;
mod simulate;
mod study;
mod synth;

pub use demo::DemoArgs;
pub use engine::{ClusterCommand, EngineArgs, ShardedEngineArgs, SimdArg, without_engine};
pub use job::{JobCommand, NewJobArgs, PaperArg, RunArgs, SignArgs, UnitArg, VerifyArgs};
pub use label::{DraftArgs, LabelCommand, ServeArgs, TrialArgs};
pub use measure::{CodingArgs, EdgeArg, ExportArg, GivenScale, MeasureArgs, ScaleArgs, ThresholdArgs};

pub use model::ModelExportArgs;
pub use part::PartArgs;
pub use simulate::SimulateArgs;
pub use study::{PlanFormat, StudyCommand, StudyReportArgs, StudyRoundArgs, StudyRunArgs, StudySubmitArgs};
pub use synth::{CameraArg, SynthArgs, SynthKind};

use clap::{Args as ClapArgs, Parser, Subcommand};
use out::new_or_folder;
use std::path::PathBuf;

/// Learn to segment steel micrographs from a handful of labelled images, and measure what is found.
#[derive(Parser)]
#[command(name = "sorby", version, about, max_term_width = 100)]
pub struct Args {
    /// CPU threads; default: all.
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
    /// Print one JSON object instead of words; what each verb gives: docs/json.md.
    #[arg(long, global = true)]
    pub json: bool,
    /// Exit code of a command that was asked to stop (Ctrl-C, SIGTERM, SIGUSR1, SIGUSR2) and goes on when it is started
    /// again; default: 130. Clusters start a task again on 75.
    #[arg(long, global = true, value_name = "CODE", hide_short_help = true, value_parser = clap::value_parser!(u8).range(3..))]
    pub exit_code_for_more: Option<u8>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Show the main job from start to end on synthetic micrographs, in a few minutes.
    Demo(DemoArgs),
    /// Look at a data set: propose its dataset.toml, or check it.
    #[command(subcommand)]
    Data(DataCommand),
    /// Open a project in the browser: look, label, correct, train, measure.
    Serve(ServeArgs),
    /// Help with drawing labels.
    #[command(subcommand)]
    Label(LabelCommand),
    /// Train a network.
    Train(TrainArgs),
    /// Try training tricks one by one, stack those that help: the n+2 recipe, with error bars.
    #[command(subcommand)]
    Study(StudyCommand),
    /// Work on many machines.
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Score a model on labelled images.
    Evaluate(EvaluateArgs),
    /// Segment images with a model.
    Segment(SegmentArgs),
    /// Show the pixel size that image files state, and whether it can be relied on.
    Scale(ScaleArgs),
    /// Count and size the particles of masks.
    Measure(MeasureArgs),
    /// Settle once how lots are measured.
    #[command(subcommand)]
    Job(JobCommand),
    /// Measure a lot by a job: segment, measure, judge, report.
    Run(RunArgs),
    /// Say whether anything of a lot was changed since its report was made.
    Verify(VerifyArgs),
    /// Sign a lot with a key, next to the signatures on paper.
    Sign(SignArgs),
    /// The traditional methods (Otsu, Sauvola, a sweep of all thresholds) next to a model and the truth.
    Threshold(ThresholdArgs),
    /// Make synthetic micrographs with exact labels.
    Synth(SynthArgs),
    /// Put everything known about a run on one page.
    Report(ReportArgs),
    /// Remove the checkpoints of finished trainings: model, curves and records stay.
    Clean {
        /// Run folders.
        #[arg(required = true)]
        runs: Vec<PathBuf>,
    },
    /// Put trainings side by side: scores, differences, and accuracy against time.
    Compare(CompareArgs),
    /// Make a report again, number by number and page by page, and compare.
    Replay(ReplayArgs),
    /// Look into weight files, and convert them.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Say what this program and machine can do.
    #[command(visible_alias = "doctor")]
    System(SystemArgs),
    /// Time training, inference or plain matrix products on this machine.
    Bench(BenchArgs),
    /// Print what a shell needs to complete words of `sorby`: `sorby completions bash > ~/.local/share/bash-completion/completions/sorby`.
    Completions { shell: clap_complete::Shell },
    /// Write manual pages, one for each verb.
    Man {
        /// Folder for the pages.
        #[arg(long, value_parser = new_or_folder(), value_name = "DIR")]
        out: PathBuf,
    },
}

#[derive(Subcommand)]
pub enum DataCommand {
    /// Print a proposal for a folder's dataset.toml.
    Init { dir: PathBuf },
    /// List every problem of a data set.
    Check(CheckArgs),
    /// Bring labels of other programs into a data set: COCO, LabelMe, YOLO, CVAT, ImageJ, QuPath, napari, nnU-Net.
    Import(ImportArgs),
    /// Write labels for other programs.
    Export(ExportArgs),
    /// List the classes of a data set, or change them: labels are converted, and kept as they were.
    Classes(ClassesArgs),
}

#[derive(ClapArgs)]
pub struct ClassesArgs {
    /// Folder with a dataset.toml, or such a file.
    pub data: PathBuf,
    /// Give a class another name.
    #[arg(long, value_name = "OLD=NEW", value_parser = pair)]
    pub rename: Vec<(String, String)>,
    /// Make a class part of another.
    #[arg(long, value_name = "FROM=INTO", value_parser = pair)]
    pub merge: Vec<(String, String)>,
    /// Add a class at the end.
    #[arg(long, value_name = "NAME")]
    pub add: Vec<String>,
    /// Colour of a class in pictures, such as carbide=#ffcc00.
    #[arg(long, value_name = "NAME=COLOUR", value_parser = pair)]
    pub color: Vec<(String, String)>,
    /// All classes in another order; the first is the background or matrix.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub order: Vec<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (left, right) = text.split_once('=').ok_or("write it as A=B")?;
    if left.is_empty() || right.is_empty() {
        return Err("write it as A=B".to_owned());
    }
    Ok((left.to_owned(), right.to_owned()))
}

#[derive(ClapArgs)]
pub struct ImportArgs {
    /// Annotation file, or folder.
    pub source: PathBuf,
    /// New folder for the data set.
    #[arg(long, value_parser = new_or_folder(), value_name = "DIR")]
    pub out: PathBuf,
    /// Folder of the images, where it is not next to the annotations.
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,
    /// Who wrote the labels: coco, labelme, yolo-seg, cvat, imagej, qupath, instances, nnunet. Default: told by the
    /// files.
    #[arg(long)]
    pub format: Option<String>,
    /// Class of objects that have none of their own.
    #[arg(long, default_value = "object", value_name = "NAME")]
    pub class: String,
}

#[derive(ClapArgs)]
pub struct ExportArgs {
    /// Folder with a dataset.toml, or such a file.
    pub data: PathBuf,
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// New folder.
    #[arg(long, value_parser = new_or_folder(), value_name = "DIR")]
    pub out: PathBuf,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum ExportFormat {
    /// One JSON file, an annotation for each connected object.
    Coco,
    /// PNG labels of class indices with a dataset.toml.
    Png,
    /// nnU-Net's raw folder.
    Nnunet,
}

#[derive(ClapArgs)]
pub struct CheckArgs {
    /// Folder with a dataset.toml, or such a file.
    pub data: PathBuf,
    /// Writes a page with pictures of labels that lie wrong.
    #[arg(long, value_name = "FILE")]
    pub page: Option<PathBuf>,
    /// Also trains models on parts of the data, in about this time, and has each judge the labels it did not learn
    /// from.
    #[arg(long, value_parser = study::parse_time, value_name = "TIME", num_args = 0..=1, default_missing_value = "10min")]
    pub deep: Option<f64>,
    /// Writes a repaired copy into a new folder.
    #[arg(long, value_name = "DIR")]
    pub fix: Option<PathBuf>,
}

#[derive(Subcommand)]
pub enum ModelCommand {
    /// Say what a weight file holds: a model, or weights for an encoder (safetensors, PyTorch's .pth).
    Info {
        /// Weight file or run folder.
        file: PathBuf,
    },
    /// Write weights as safetensors by MMSegmentation's names; a whole network of MMSegmentation becomes a model.
    Convert {
        /// Weight file (safetensors, PyTorch's .pth) or run folder.
        file: PathBuf,
        #[arg(long)]
        out: PathBuf,
        /// The encoder only, whatever library named it.
        #[arg(long)]
        encoder: bool,
        /// Makes a model of a whole PSPNet or DeepLabV3+ on ResNet-18: names of its classes, in index order.
        #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "encoder")]
        classes: Vec<String>,
        /// The network's output stride (8, 16 or 32), where its file does not say it.
        #[arg(long, value_name = "N", conflicts_with = "encoder")]
        output_stride: Option<usize>,
    },
    /// Write a trained model for other programs: ONNX, a package of bioimage.io, or MMSegmentation.
    Export(ModelExportArgs),
}

#[derive(ClapArgs)]
pub struct DeviceArg {
    /// Where to compute: cpu, or vulkan, cuda, metal where built in.
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Compute with Burn's own operations on the CPU too: slow, to compare with.
    #[arg(long, hide_short_help = true)]
    pub stock_operations: bool,
}

#[derive(ClapArgs)]
pub struct SystemArgs {
    /// Check every layer of the networks on this device against the CPU: vulkan, cuda, metal where built in.
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Network to check; default: both.
    #[arg(long, value_enum, requires = "device")]
    pub arch: Option<BenchArch>,
    /// Crops at once in the check.
    #[arg(long, default_value_t = 8, requires = "device", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub batch: u16,
    /// Edge of a crop in the check.
    #[arg(long, default_value_t = 256, requires = "device", value_name = "PX", value_parser = clap::value_parser!(u16).range(32..=4096))]
    pub crop: u16,
}

#[derive(ClapArgs)]
pub struct TrainArgs {
    /// Recipe file, or a built-in recipe: coffee, lunch, overnight, paper. An empty file is the paper's.
    #[arg(required_unless_present = "resume")]
    pub recipe: Option<PathBuf>,
    /// Folder with a dataset.toml, or such a file.
    #[arg(long, required_unless_present = "resume")]
    pub data: Option<PathBuf>,
    /// Change a key of the recipe: --set optimizer.lr=0.02 (repeatable).
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Run folder; default: runs/<recipe's name>.
    #[arg(long, value_parser = new_or_folder(), value_name = "RUN")]
    pub out: Option<PathBuf>,
    /// As many iterations as take this long here: 15min, 1h. Measured first; the recipe keeps the number.
    #[arg(long, value_parser = study::parse_time, value_name = "TIME")]
    pub time: Option<f64>,
    /// Begin the run in --out, or go on with it where it is there; do nothing where it is finished. So the same command may
    /// be started again and again.
    #[arg(long = "continue", requires = "out", conflicts_with_all = ["resume", "time"])]
    pub go_on: bool,
    /// Continue an interrupted run, with the recipe, classes and data it began with.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["recipe", "overrides", "out", "time"])]
    pub resume: Option<PathBuf>,
    /// With --resume: end the run at this iteration instead of the recipe's. The learning rate then goes on as in a run of
    /// this length.
    #[arg(long, value_name = "N", requires = "resume", value_parser = clap::value_parser!(u64).range(1..))]
    pub iterations: Option<u64>,
    /// Stop when the process that started this one ends.
    #[arg(long, hide = true)]
    pub stop_with_parent: bool,
    /// The data has been looked at already.
    #[arg(long, hide = true)]
    pub looked: bool,
    /// Note in this file why the training failed, for `study status`.
    #[arg(long, hide = true, value_name = "FILE")]
    pub note_failure: Option<PathBuf>,
    #[command(flatten)]
    pub simd: SimdArg,
    #[command(flatten)]
    pub device: DeviceArg,
}

#[derive(ClapArgs)]
pub struct InferenceArgs {
    /// Edge of the sliding window in pixels; default: the recipe's, 256.
    #[arg(long, value_name = "PX")]
    pub window: Option<usize>,
    /// Step of the sliding window in pixels; default: the recipe's, 128.
    #[arg(long, value_name = "PX")]
    pub stride: Option<usize>,
    /// Average over six image scales (test-time augmentation).
    #[arg(long)]
    pub tta: bool,
    /// Average over mirrored images too.
    #[arg(long)]
    pub flip: bool,
    #[command(flatten)]
    pub device: DeviceArg,
}

/// Where nothing is made again from a record that does not know of it.
#[derive(ClapArgs)]
pub struct AdaptableInferenceArgs {
    /// For images unlike those of the training: average over networks whose batch norms lean towards each image. Takes
    /// three times as long.
    #[arg(long)]
    pub adapt: bool,
    /// Another model, or run folder, of the same classes whose answers are averaged with the first one's; may be given
    /// again. A PSPNet and a DeepLabV3+ of the same images agree where both are right. Takes as many times as long as there
    /// are models.
    #[arg(long, value_name = "MODEL")]
    pub ensemble: Vec<PathBuf>,
    #[command(flatten)]
    pub inference: InferenceArgs,
}

#[derive(ClapArgs)]
pub struct EvaluateArgs {
    /// Model file or run folder.
    pub model: PathBuf,
    #[arg(long)]
    pub data: PathBuf,
    /// Split or fold of dataset.toml; `all` for every image.
    #[arg(long, default_value = "val")]
    pub split: String,
    /// Folder for tables and overlays.
    #[arg(long, value_parser = new_or_folder())]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub inference: AdaptableInferenceArgs,
}

#[derive(ClapArgs)]
pub struct SegmentArgs {
    /// Model file or run folder.
    pub model: PathBuf,
    /// Images, or folders of images.
    #[arg(required = true)]
    pub images: Vec<PathBuf>,
    /// New folder, or one in which the same command was interrupted: then it goes on.
    #[arg(long, value_parser = new_or_folder())]
    pub out: PathBuf,
    /// Add to the masks that the same model with the same settings made of other images in this folder.
    #[arg(long)]
    pub add: bool,
    /// Move what another command left in the folder into DIR first.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["shard", "merge"])]
    pub put_aside: Option<PathBuf>,
    #[command(flatten)]
    pub scale: GivenScale,
    /// Also write the masks as OME-TIFF, which Fiji, QuPath and napari open with their pixel size.
    #[arg(long)]
    pub tiff: bool,
    /// Bring images of another magnification to the nearest one that the model was trained on.
    #[arg(long)]
    pub match_scale: bool,
    /// Also write each class's probability as a grey image.
    #[arg(long)]
    pub probabilities: bool,
    #[command(flatten)]
    pub part: PartArgs,
    #[command(flatten)]
    pub inference: AdaptableInferenceArgs,
    #[command(flatten)]
    pub simd: SimdArg,
    #[command(flatten)]
    pub engine: ShardedEngineArgs,
}

fn parse_size(text: &str) -> Result<(usize, usize), String> {
    let wrong = || format!("`{text}` is not a size; write width x height, for example 1024x768");
    let (w, h) = text.split_once(['x', 'X']).ok_or_else(wrong)?;
    let (w, h) = (w.trim().parse().map_err(|_| wrong())?, h.trim().parse().map_err(|_| wrong())?);
    if (64..=20_000).contains(&w) && (64..=20_000).contains(&h) { Ok((w, h)) } else { Err(wrong()) }
}

#[derive(ClapArgs)]
pub struct ReportArgs {
    /// Run folder.
    pub run: PathBuf,
    #[arg(long)]
    pub data: PathBuf,
    #[arg(long, default_value = "val")]
    pub split: String,
    /// Class whose particles are measured, by name or index.
    #[arg(long, default_value = "1")]
    pub class: String,
    /// Output file; default: report.html in the run folder.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Also print the page as PDF, if there is a browser of the Chromium family.
    #[arg(long)]
    pub pdf: bool,
    #[command(flatten)]
    pub inference: InferenceArgs,
}

#[derive(ClapArgs)]
pub struct CompareArgs {
    /// Run folders, validated on the same images; differences are told to the first.
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// Folder for the page, tables and charts.
    #[arg(long, value_parser = new_or_folder(), value_name = "DIR", default_value = "comparison")]
    pub out: PathBuf,
}

#[derive(ClapArgs)]
pub struct ReplayArgs {
    /// A page that `sorby report` wrote.
    pub report: PathBuf,
    /// Where its run is now, if it was moved or renamed.
    #[arg(long)]
    pub run: Option<PathBuf>,
    /// Where its data set is now, if it was moved or renamed.
    #[arg(long)]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    pub device: DeviceArg,
}

#[derive(ClapArgs)]
pub struct BenchArgs {
    #[arg(value_enum)]
    pub work: BenchWork,
    #[arg(long, value_enum, default_value = "deeplabv3plus")]
    pub arch: BenchArch,
    /// Crops or windows at once.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub batch: u16,
    /// Edge of a crop or window in pixels.
    #[arg(long, default_value_t = 256, value_name = "PX", value_parser = clap::value_parser!(u16).range(32..=4096))]
    pub crop: u16,
    /// Size of the image of `bench image` (its windows overlap by half) and `bench measure`, width x height.
    #[arg(long, default_value = "2048x1536", value_parser = parse_size)]
    pub size: (usize, usize),
    /// Writes the pictures of `bench measure` into this folder.
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
    /// Timed runs, after one that is not counted.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub repeats: u16,
    #[command(flatten)]
    pub device: DeviceArg,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum BenchWork {
    /// One training step.
    Train,
    /// One batch of windows.
    Infer,
    /// One whole image by sliding window.
    Image,
    /// Matrix products.
    Gemm,
    /// Labelling, the full table of objects and the sweep of thresholds.
    Measure,
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum BenchArch {
    #[value(name = "deeplabv3plus")]
    DeepLabV3Plus,
    #[value(name = "pspnet")]
    PspNet,
}

#[cfg(test)]
mod tests {
    use super::*;
    use sorby::data::ExportFormat as Format;
    use sorby_serve::{JobRules, ObjectChoice, Verb};
    use std::ffi::OsString;

    fn parsed(verb: &Verb) -> Command {
        let line = std::iter::once(OsString::from("sorby")).chain(verb.arguments());
        Args::try_parse_from(line).unwrap_or_else(|e| panic!("{verb:?}: {e}")).command
    }

    /// What the page starts is what the program understands, also for names that look like options.
    #[test]
    fn command_lines_of_the_page_say_what_is_meant() {
        let data = || OsString::from("-d");
        let verb = Verb::Train {
            recipe: "--help.toml".into(),
            out: "runs/a b".into(),
            data: data(),
            time_s: Some(90.0),
            changes: vec!["data.val=\"x\"".into(), "seed=1".into()],
        };
        let Command::Train(a) = parsed(&verb) else { panic!() };
        assert_eq!(a.recipe.unwrap().as_os_str(), "./--help.toml");
        assert_eq!(
            (a.out.unwrap().as_os_str(), a.data.unwrap().as_os_str()),
            ("runs/a b".as_ref(), "./-d".as_ref())
        );
        assert_eq!(
            (a.time, a.overrides, a.stop_with_parent),
            (Some(90.0), vec!["data.val=\"x\"".into(), "seed=1".into()], true)
        );
        let Command::Train(a) = parsed(&Verb::Resume { run: "runs/r".into(), data: data() }) else {
            panic!()
        };
        assert_eq!((a.resume.unwrap().as_os_str(), a.stop_with_parent), ("runs/r".as_ref(), true));
        let (out, images) = ("predictions/m".to_owned(), vec!["-i.png".into(), "j.png".into()]);
        let Command::Segment(a) =
            parsed(&Verb::Segment { model: "runs/m".into(), out, data: data(), images })
        else {
            panic!()
        };
        assert!(a.add && a.probabilities && a.put_aside.is_some() && a.scale.data.is_some());
        assert_eq!(a.images, [PathBuf::from("./-i.png"), "j.png".into()]);
        let Command::Data(DataCommand::Check(a)) =
            parsed(&Verb::Check { data: data(), page: "p.html".into() })
        else {
            panic!()
        };
        assert!(a.page == Some("p.html".into()) && a.data.as_os_str() == "./-d");
        let (run, split, out) = ("runs/r".to_owned(), "-s".to_owned(), "runs/r/report.html".to_owned());
        let Command::Report(a) = parsed(&Verb::Report { run, split, out, data: data() }) else { panic!() };
        assert_eq!((a.split.as_str(), a.out), ("-s", Some("runs/r/report.html".into())));
        let (masks, class) = (vec!["-l.png".into()], "-1".to_owned());
        let objects = ObjectChoice { min_area_px: 7, exclude_edge: true, split_depth_px: Some(1.5) };
        let verb = Verb::Measure { masks, class, objects, out: "m".into(), data: data() };
        let Command::Measure(a) = parsed(&verb) else { panic!() };
        assert_eq!((a.min_area_px, a.exclude_edge, a.split), (7, true, Some(1.5)));
        assert_eq!(
            (a.class.as_deref(), a.export.len(), &a.masks[..]),
            (Some("-1"), 3, &["./-l.png".into()][..])
        );
        let study = Verb::Study {
            file: "-h.toml".into(),
            out: "studies/-h".into(),
            data: data(),
            budget_s: Some(5400.0),
        };
        let Command::Study(StudyCommand::Run(a)) = parsed(&study) else { panic!() };
        assert_eq!(a.plan.budget, Some(5400.0));
        assert_eq!((a.plan.spec.as_os_str(), a.out), ("./-h.toml".as_ref(), Some("studies/-h".into())));
        let report = Verb::StudyReport { study: "studies/s".into(), out: "studies/s/report".into() };
        let Command::Study(StudyCommand::Report(a)) = parsed(&report) else { panic!() };
        assert_eq!(a.studies, [PathBuf::from("studies/s")]);
    }

    /// The routine, comparing and exporting; values that look like options are values.
    #[test]
    fn command_lines_of_the_routine_say_what_is_meant() {
        use clap::ValueEnum as _;
        let line = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let rules = JobRules {
            classes: vec!["-c".into()],
            limits: vec!["--x at most 3 %".into()],
            fields: Some(7),
            accuracy_percent: Some(5.0),
            min_area_px: Some(12),
            nm_per_px: Some(7.344),
            pixel_sizes: Some((7.0, 7.7)),
            header: [line("customer", "Works = 7")].into(),
            ask: vec!["lot".into(), "operator".into()],
        };
        let (run, name, out) = ("runs/r".into(), "-n".into(), "jobs/-n.toml".into());
        let Command::Job(JobCommand::New(a)) = parsed(&Verb::JobNew { run, name, out, rules }) else {
            panic!()
        };
        assert_eq!((a.model.as_os_str(), a.out.as_os_str()), ("runs/r".as_ref(), "jobs/-n.toml".as_ref()));
        assert_eq!(
            (a.name.as_deref(), a.classes[0].as_str(), a.limits[0].as_str()),
            (Some("-n"), "-c", "--x at most 3 %")
        );
        assert_eq!((a.fields, a.accuracy, a.min_area_px, a.nm_per_px), (7, 5.0, 12, Some(7.344)));
        assert_eq!(
            (a.pixel_sizes, a.header, a.required.len()),
            (Some((7.0, 7.7)), vec![line("customer", "Works = 7")], 2)
        );

        let (job, images, out) = ("jobs/j.toml".into(), "lots-in/-l".into(), "lots/-l".into());
        let header = [line("lot", "-12 \"x\"")].into();
        let Command::Run(a) = parsed(&Verb::RunLot { job, images, out, header, pdf: true }) else { panic!() };
        assert_eq!((a.images, a.out.as_os_str()), (vec!["lots-in/-l".into()], "lots/-l".as_ref()));
        assert_eq!((a.header, a.pdf.len()), (vec![line("lot", "-12 \"x\"")], 1));

        let runs = vec!["runs/a".into(), "runs/b".into()];
        let Command::Compare(a) = parsed(&Verb::Compare { runs, out: "comparisons/c".into() }) else {
            panic!()
        };
        assert_eq!((a.runs.len(), a.out.as_os_str()), (2, "comparisons/c".as_ref()));
        for (format, word) in [(Format::Coco, "coco"), (Format::Png, "png"), (Format::NnUnet, "nnunet")] {
            let verb = Verb::Export { data: "-d".into(), format, out: "exports/e".into() };
            let Command::Data(DataCommand::Export(a)) = parsed(&verb) else { panic!() };
            assert_eq!(
                (a.format.to_possible_value().unwrap().get_name(), a.data.as_os_str()),
                (word, "./-d".as_ref())
            );
        }
    }
}
