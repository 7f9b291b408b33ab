//! Arguments of `sorby label` and `sorby serve`.

use super::GivenScale;
use clap::{Args as ClapArgs, Subcommand};
use std::net::IpAddr;
use std::path::PathBuf;

#[derive(ClapArgs)]
pub struct ServeArgs {
    /// The project's folder: images, labels, and all that comes of them.
    #[arg(default_value = ".")]
    pub project: PathBuf,
    #[arg(long, default_value_t = 7878)]
    pub port: u16,
    /// Address to listen on. Other machines can reach any but 127.0.0.1: a token is then asked for.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub bind: IpAddr,
    /// What visitors have to know; default: none on this machine, a random one on other addresses.
    #[arg(long)]
    pub token: Option<String>,
    /// Do not open a browser.
    #[arg(long)]
    pub no_open: bool,
}

#[derive(Subcommand)]
pub enum LabelCommand {
    /// Draft a whole label from a few strokes: a pixel classifier that learns in a second.
    Draft(DraftArgs),
    /// Say which images a label would help most, and where.
    Next {
        /// The project's folder.
        #[arg(default_value = ".")]
        project: PathBuf,
        #[arg(long)]
        json: bool,
    },
    /// Measure how much drawing drafts and smart fills save, with strokes taken from a data set's own labels.
    Trial(TrialArgs),
}

#[derive(ClapArgs)]
pub struct DraftArgs {
    pub image: PathBuf,
    /// Index mask of the strokes: classes from 0, 255 where nothing was painted.
    #[arg(long, value_name = "FILE")]
    pub strokes: PathBuf,
    /// The label to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Number of classes; default: as many as the strokes have.
    #[arg(long, value_name = "N")]
    pub classes: Option<usize>,
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub scale: GivenScale,
}

#[derive(ClapArgs)]
pub struct TrialArgs {
    /// Folder with a dataset.toml, or such a file.
    pub data: PathBuf,
    /// Split or fold of dataset.toml; `all` for every image.
    #[arg(long, default_value = "all")]
    pub split: String,
    /// Strokes that the simulated annotator draws in each image.
    #[arg(long, default_value_t = 10)]
    pub strokes: usize,
    #[arg(long)]
    pub json: bool,
}
