//! `sorby synth`.

use crate::answer::{Answer, say};
use crate::args::{SynthArgs, SynthKind};
use crate::console::Console;
use anyhow::bail;
use sorby::{Event, Observer as _};
use sorby_data::synth::{Kind, SynthSet, write_dataset_reporting};

/// More is a typing error.
const MOST_IMAGES: usize = 100_000;

pub fn run(args: SynthArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    if !(1..=MOST_IMAGES).contains(&args.images) {
        bail!("--images must be from 1 to {MOST_IMAGES}");
    }
    let kind = match args.kind {
        SynthKind::Carbide => Kind::Carbide,
        SynthKind::Ferrite => Kind::Ferrite,
    };
    let (width, height) = args.size;
    let set = SynthSet { kind, images: args.images, width, height, seed: args.seed };
    let console = Console::default();
    console.event(Event::Begin { total: args.images, unit: "images" });
    write_dataset_reporting(&args.out, set, |done| {
        console.event(Event::At { done: done as u64, text: format!("{done}/{} images", args.images) });
    })?;
    console.event(Event::End);
    let out = super::typed_again(&args.out);
    say!(
        answer,
        "{} synthetic {} micrographs of {width}x{height} in {}",
        args.images,
        kind.class_name(),
        args.out.display()
    );
    say!(answer, "next:\n  sorby data check {out}\n  sorby train RECIPE.toml --data {out}");
    answer.set_path("out", &args.out);
    answer.set("images", args.images);
    Ok(answer)
}
