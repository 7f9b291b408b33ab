//! A trained model as a file of other programs.

use super::open_model;
use crate::Result;
use crate::error::{Context as _, Error, refuse, refused};
use sorby_export::{
    About, ExportError, OnnxOptions, Scores, Source, TestPair, bioimageio_package, mmseg_files, onnx_file,
    package_name,
};
use sorby_image::write::atomically;
use sorby_image::{ImagePart, OutputKind, Said, Shot, require_replaceable};
use sorby_infer::{Backend, Device, Model, ModelCard, model_file};
use sorby_train::{RunFolder, ValidationRecord};
use std::path::{Path, PathBuf};

/// Which program's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// One ONNX file.
    Onnx,
    /// One zip: a package of bioimage.io.
    Bioimageio,
    /// Weights (`.pth`) and a configuration (`.py`) of MMSegmentation.
    Mmseg,
}

/// What to write, and what to say of it.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// Which program's files.
    pub format: ExportFormat,
    /// The file; of MMSegmentation's two the `.pth`. Default: next to the model, under its name.
    pub out: Option<PathBuf>,
    /// Height and width of the input are free.
    pub dynamic: bool,
    /// 16-bit weights in the ONNX file.
    pub half: bool,
    /// Name of the package; default: that of the run folder.
    pub name: Option<String>,
    /// Who made the model, for the package.
    pub author: Option<String>,
    /// SPDX identifier of the package's licence.
    pub licence: Option<String>,
    /// Image whose middle is the package's test; default: a synthetic one.
    pub image: Option<PathBuf>,
}

impl ExportOptions {
    /// With nothing but the format.
    pub fn of(format: ExportFormat) -> Self {
        let (out, name, author, licence, image) = (None, None, None, None, None);
        Self { format, out, dynamic: false, half: false, name, author, licence, image }
    }

    /// An option that another format has is a mistake, not a wish that can be left out.
    fn require_fitting(&self) -> Result<()> {
        let package = [
            ("--name", self.name.is_some()),
            ("--author", self.author.is_some()),
            ("--licence", self.licence.is_some()),
            ("--image", self.image.is_some()),
        ];
        if self.format != ExportFormat::Bioimageio
            && let Some((option, _)) = package.iter().find(|(_, given)| *given)
        {
            refuse!("{option} is for --format bioimageio");
        }
        let onnx = [("--dynamic", self.dynamic), ("--half", self.half)];
        if self.format == ExportFormat::Mmseg
            && let Some((option, _)) = onnx.iter().find(|(_, given)| *given)
        {
            refuse!("{option} is for --format onnx and bioimageio");
        }
        Ok(())
    }

    /// The files that will be written, with what each may replace.
    fn files(&self, model: &Path) -> Vec<(PathBuf, OutputKind)> {
        let out = |extension: &str| self.out.clone().unwrap_or_else(|| model.with_extension(extension));
        match self.format {
            ExportFormat::Onnx => vec![(out("onnx"), OutputKind::Onnx)],
            ExportFormat::Bioimageio => vec![(out("bioimageio.zip"), OutputKind::Package)],
            ExportFormat::Mmseg => {
                let weights = out("pth");
                let config = weights.with_extension("py");
                vec![(weights, OutputKind::StateDict), (config, OutputKind::Config)]
            }
        }
    }
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The files, the weights first.
    pub files: Vec<PathBuf>,
    /// What a user should know of them, a line for each thing.
    pub lines: Vec<String>,
}

/// Writes the model of a run folder, or a model file, for another program. Each file is there whole or not at all.
///
/// # Errors
/// When the model cannot be read, an option does not fit the format, a file is there already that Sorby did not write in
/// that format, or the test image cannot be used.
pub fn export(model: &Path, options: &ExportOptions) -> Result<Exported> {
    options.require_fitting()?;
    let path = model_file(model);
    let files = options.files(&path);
    if files.len() == 2 && files[0].0 == files[1].0 {
        refuse!(
            "{}: is the name of the configuration; give --out a name that ends in .pth",
            files[0].0.display()
        );
    }
    files.iter().try_for_each(|(file, kind)| require_replaceable(file, *kind))?;
    let device = Backend::Cpu.open().context("the CPU is always there")?;
    let mut model = open_model(model, &device)?;
    let contents = contents(&mut model, &path, options, &device)?;
    let mut lines = remarks(&model.card, options);
    for ((file, _), bytes) in files.iter().zip(&contents) {
        atomically(file, bytes)?;
        lines.push(format!("{} ({:.1} MB)", file.display(), bytes.len() as f64 / 1e6));
    }
    Ok(Exported { files: files.into_iter().map(|(file, _)| file).collect(), lines })
}

/// Bytes of the files.
fn contents(
    model: &mut Model,
    path: &Path,
    options: &ExportOptions,
    device: &Device,
) -> Result<Vec<Vec<u8>>> {
    let failed = |e: ExportError| refused!("{}: {e}", path.display());
    let test = match options.format {
        ExportFormat::Bioimageio => Some(test_pair(model, options, device)?),
        ExportFormat::Onnx | ExportFormat::Mmseg => None,
    };
    let state = model.network.state();
    let source = Source { card: &model.card, state: &state, model_blake3: &model.blake3 };
    let (dynamic, half) = (options.dynamic, options.half);
    Ok(match (options.format, test) {
        (ExportFormat::Mmseg, _) => {
            let files = mmseg_files(&source).map_err(failed)?;
            vec![files.checkpoint, files.config.into_bytes()]
        }
        (ExportFormat::Bioimageio, Some(test)) => {
            let about = about(path, &model.card, options);
            vec![bioimageio_package(&source, &about, &test).map_err(failed)?]
        }
        _ => {
            let options = OnnxOptions { dynamic, half, probabilities_only: false };
            vec![onnx_file(&source, &options).map_err(failed)?]
        }
    })
}

fn test_pair(model: &mut Model, options: &ExportOptions, device: &Device) -> Result<TestPair> {
    let shot = options.image.as_ref().map(|image| Shot::read(image, &Said::default())).transpose()?;
    let named = |e: sorby_export::SampleError| match &options.image {
        Some(image) => refused!("{}: {e}", image.display()),
        None => Error::Refused(e.to_string()),
    };
    TestPair::of(model, shot.as_ref(), device).map_err(named)
}

fn about(path: &Path, card: &ModelCard, options: &ExportOptions) -> About {
    let folder = path.parent().and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
    let name = options.name.clone().or(folder).unwrap_or_else(|| card.arch.title().to_owned());
    About {
        name: package_name(&name),
        author: options.author.clone(),
        licence: options.licence.clone(),
        scores: scores(path, card),
        dynamic: options.dynamic,
        half: options.half,
    }
}

/// Of the validation after the model's last iteration, where the run folder has it.
fn scores(path: &Path, card: &ModelCard) -> Option<Scores> {
    let records: Vec<ValidationRecord> = RunFolder::read_lines(path.parent()?);
    let last = records.into_iter().rev().find(|r| r.iteration == card.iteration)?;
    // A model that was copied next to another run has other classes.
    (last.iou.len() == card.classes.len()).then(|| Scores {
        iteration: last.iteration,
        images: card.seen.iter().filter(|s| s.part == ImagePart::Val).count(),
        iou: last.iou,
        mean_iou: last.mean_iou,
        pixel_accuracy: last.pixel_accuracy,
    })
}

/// What the other program must know, or what is missing.
fn remarks(card: &ModelCard, options: &ExportOptions) -> Vec<String> {
    let mut lines = Vec::new();
    if card.input_scale != 1.0 {
        lines.push(format!(
            "look at: this model sees images resized by {}; the other program must resize them before",
            card.input_scale
        ));
    }
    if card.grey_range == sorby_image::GreyRange::Percentile && options.format != ExportFormat::Bioimageio {
        lines.push(
            "look at: this model sees each image after its own grey range was stretched to 0..255; the other program must \
             do so before"
                .to_owned(),
        );
    }
    if options.format == ExportFormat::Mmseg && matches!(card.grey_range, sorby_image::GreyRange::Fixed(_)) {
        lines.push(format!(
            "look at: this model sees images whose grey range {} was stretched to 0..255; save them so before",
            card.grey_range
        ));
    }
    if options.format == ExportFormat::Bioimageio {
        if options.licence.is_none() {
            lines.push("look at: the package names no licence; --licence CC-BY-4.0, for example".to_owned());
        }
        if options.author.is_none() {
            lines.push("look at: the package names no author; give --author".to_owned());
        }
    }
    lines
}
