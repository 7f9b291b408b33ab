//! `sorby model export`.

use clap::{Args as ClapArgs, ValueEnum};
use sorby::model::{ExportFormat, ExportOptions};
use std::path::PathBuf;

/// Which program's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormatArg {
    /// One ONNX file (opset 13): one grey channel in, logits and probabilities out.
    Onnx,
    /// A zip for bioimage.io, deepImageJ and others, with tests and documentation.
    Bioimageio,
    /// Weights (.pth) and a configuration (.py) of MMSegmentation.
    Mmseg,
}

#[derive(ClapArgs)]
pub struct ModelExportArgs {
    /// Run folder, or a model file.
    pub model: PathBuf,
    /// Which program's files.
    #[arg(long, value_enum)]
    pub format: ExportFormatArg,
    /// The file to write; default: next to the model, under its name. Of MMSegmentation: the .pth, with a .py next to it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Height and width of the input are free; default: both are the model's window.
    #[arg(long)]
    pub dynamic: bool,
    /// Store the weights of the ONNX file in 16 bits: half the size, probabilities that differ by up to about 0.001.
    #[arg(long)]
    pub half: bool,
    /// Name of the package; default: that of the run folder.
    #[arg(long)]
    pub name: Option<String>,
    /// Who made the model, for the package.
    #[arg(long)]
    pub author: Option<String>,
    /// Licence of the package by its SPDX name, such as CC-BY-4.0.
    #[arg(long, alias = "license", value_name = "SPDX")]
    pub licence: Option<String>,
    /// Image whose middle becomes the package's test and cover; default: a synthetic one.
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<PathBuf>,
}

impl ModelExportArgs {
    pub fn options(self) -> ExportOptions {
        let format = match self.format {
            ExportFormatArg::Onnx => ExportFormat::Onnx,
            ExportFormatArg::Bioimageio => ExportFormat::Bioimageio,
            ExportFormatArg::Mmseg => ExportFormat::Mmseg,
        };
        ExportOptions {
            format,
            out: self.out,
            dynamic: self.dynamic,
            half: self.half,
            name: self.name,
            author: self.author,
            licence: self.licence,
            image: self.image,
        }
    }
}
