//! `sorby synth`.

use crate::answer::{Answer, say};
use crate::args::{CameraArg, SynthArgs, SynthKind};
use crate::console::Console;
use anyhow::bail;
use sorby::{Event, Observer as _};
use sorby_data::synth::{CameraRange, Kind, SynthSet, write_dataset_reporting};

/// More is a typing error.
const MOST_IMAGES: usize = 100_000;

pub fn run(args: SynthArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    if !(1..=MOST_IMAGES).contains(&args.images) {
        bail!("--images must be from 1 to {MOST_IMAGES}");
    }
    let kind = kind(&args)?;
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
        kind.name(),
        args.out.display()
    );
    say!(answer, "next:\n  sorby data check {out}\n  sorby train RECIPE.toml --data {out}");
    answer.set_path("out", &args.out);
    answer.set("images", args.images);
    Ok(answer)
}

fn kind(args: &SynthArgs) -> anyhow::Result<Kind> {
    let family = match args.kind {
        SynthKind::Carbide | SynthKind::Ferrite if args.camera.is_some() => {
            bail!("--camera is for all kinds but carbide and ferrite, which have a camera of their own")
        }
        SynthKind::Carbide => return Ok(Kind::Carbide),
        SynthKind::Ferrite => return Ok(Kind::Ferrite),
        SynthKind::Family(family) => family,
    };
    Ok(Kind::Family(
        family,
        match args.camera {
            Some(CameraArg::Wide) => CameraRange::WIDE,
            _ => CameraRange::MILD,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use clap::Parser as _;
    use sorby_data::synth::Family;

    fn parsed(words: &[&str]) -> anyhow::Result<Kind> {
        let line = ["sorby", "synth", "--out", "new-folder-of-the-test"].iter().chain(words);
        let Command::Synth(args) = Args::try_parse_from(line)?.command else { bail!("another verb") };
        kind(&args)
    }

    #[test]
    fn every_family_is_a_kind_by_its_name() {
        for family in Family::ALL {
            let mild = parsed(&["--kind", family.name()]).unwrap();
            assert_eq!(mild, Kind::Family(family, CameraRange::MILD));
            let wide = parsed(&["--kind", family.name(), "--camera", "wide"]).unwrap();
            assert_eq!(wide, Kind::Family(family, CameraRange::WIDE));
        }
        assert_eq!(parsed(&[]).unwrap(), Kind::Carbide);
        assert!(parsed(&["--kind", "ferrite", "--camera", "mild"]).is_err());
    }
}
