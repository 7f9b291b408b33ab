//! Arguments of `sorby demo`.

use super::out::new_or_folder;
use clap::Args as ClapArgs;
use std::path::PathBuf;

#[derive(ClapArgs)]
pub struct DemoArgs {
    /// New folder for data, training, masks, tables and the report.
    #[arg(long, value_parser = new_or_folder(), value_name = "DIR", default_value = "demo")]
    pub out: PathBuf,
    /// Iterations of the training; fewer are quicker and find less.
    #[arg(long, default_value_t = 220, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub iterations: u32,
}
