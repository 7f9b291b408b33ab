//! `sorby synth`.

use crate::args::{SynthArgs, SynthKind};
use anyhow::bail;
use sorby_data::synth::{Kind, SynthSet, write_dataset};
use std::process::ExitCode;

/// More is a typing error.
const MOST_IMAGES: usize = 100_000;

pub fn run(args: SynthArgs) -> anyhow::Result<ExitCode> {
    if !(1..=MOST_IMAGES).contains(&args.images) {
        bail!("--images must be from 1 to {MOST_IMAGES}");
    }
    let kind = match args.kind {
        SynthKind::Carbide => Kind::Carbide,
        SynthKind::Ferrite => Kind::Ferrite,
    };
    let (width, height) = args.size;
    write_dataset(&args.out, SynthSet { kind, images: args.images, width, height, seed: args.seed })?;
    let out = args.out.display();
    println!("{} synthetic {} micrographs of {width}x{height} in {out}", args.images, kind.class_name());
    println!("next:\n  sorby data check {out}\n  sorby train RECIPE.toml --data {out}");
    Ok(ExitCode::SUCCESS)
}
