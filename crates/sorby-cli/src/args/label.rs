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
    /// Address to listen on. Other machines can reach any but those of this machine itself (127.0.0.1).
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub bind: IpAddr,
    /// File whose first line is what visitors have to know: 16 or more letters, digits, - and _. The environment variable
    /// SORBY_TOKEN can hold it as well; default: a new random token, part of the address that is printed.
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    pub token_file: Option<PathBuf>,
    /// The same, given here, where other users of the machine can read it in the list of processes.
    #[arg(long)]
    pub token: Option<String>,
    /// Let in everybody who reaches the address: every user and program of this machine can then read and change the
    /// project. Only for addresses of this machine itself.
    #[arg(long, conflicts_with_all = ["token", "token_file"])]
    pub no_token: bool,
    /// Trainings that run at the same time; those started beyond that wait.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    pub trainings: u8,
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
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=255))]
    pub classes: Option<u8>,
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
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(2..=10_000))]
    pub strokes: u16,
}
