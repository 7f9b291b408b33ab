//! `sorby synth`.

use crate::args::{SynthArgs, SynthKind};
use anyhow::bail;
use sorby_data::synth::{Kind, SynthSet, write_dataset};
use std::process::ExitCode;

pub fn run(args: SynthArgs) -> anyhow::Result<ExitCode> {
    if args.images == 0 {
        bail!("--images must be at least 1");
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
