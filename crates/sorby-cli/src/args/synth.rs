//! Arguments of `sorby synth`.

use super::out::new_or_folder;
use super::parse_size;
use clap::builder::PossibleValue;
use clap::{Args as ClapArgs, ValueEnum};
use sorby_data::synth::Family;
use std::path::PathBuf;
use std::sync::LazyLock;

#[derive(ClapArgs)]
pub struct SynthArgs {
    #[arg(long, value_parser = new_or_folder())]
    pub out: PathBuf,
    /// What to imitate.
    #[arg(long, value_enum, default_value = "carbide")]
    pub kind: SynthKind,
    /// Instrument of all kinds but carbide and ferrite, which have their own; default: mild.
    #[arg(long, value_enum)]
    pub camera: Option<CameraArg>,
    #[arg(long, default_value_t = 10)]
    pub images: usize,
    /// Width x height in pixels.
    #[arg(long, default_value = "768x576", value_parser = parse_size)]
    pub size: (usize, usize),
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// What is imitated; families are called as the library calls them.
#[derive(Clone, Copy)]
pub enum SynthKind {
    Carbide,
    Ferrite,
    Family(Family),
}

impl ValueEnum for SynthKind {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<SynthKind>> = LazyLock::new(|| {
            let own = [SynthKind::Carbide, SynthKind::Ferrite];
            own.into_iter().chain(Family::ALL.map(SynthKind::Family)).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Carbide => ("carbide", "Granular carbides in ferrite, with one line of truth per particle"),
            Self::Ferrite => {
                ("ferrite", "Blocky ferrite in martensite laths, with one line of truth per particle")
            }
            Self::Family(family) => (family.name(), family.about()),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum CameraArg {
    /// A well-adjusted instrument.
    Mild,
    /// Contrast from 3 to 200 grey levels, half of it reversed, with every fault: for pretraining.
    Wide,
}
