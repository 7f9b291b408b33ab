//! `sorby evaluate`.

use crate::args::EvaluateArgs;
use crate::console::Console;
use crate::made_by::typed;
use sorby::{EvaluateOptions, evaluate};
use std::process::ExitCode;

pub fn run(args: EvaluateArgs) -> anyhow::Result<ExitCode> {
    let options = EvaluateOptions {
        data: args.data,
        split: args.split,
        out: args.out,
        inference: args.inference.settings(),
    };
    let scored = evaluate(&args.model, &options, typed("evaluate"), &Console::default())?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&scored.summary())?);
        return Ok(ExitCode::SUCCESS);
    }
    scored.nothing_found.iter().for_each(|line| println!("{line}"));
    println!("{} images of split `{}`; counts summed over all of them", scored.images.len(), options.split);
    print!("{}\n{}", scored.class_table().to_text(), scored.image_table().to_text());
    if let Some(out) = &options.out {
        println!("\ntables and overlays: {}", out.display());
    }
    Ok(ExitCode::SUCCESS)
}
