//! `sorby evaluate`.

use crate::answer::{Answer, say};
use crate::args::EvaluateArgs;
use crate::console::Console;
use crate::made_by::typed;
use sorby::{EvaluateOptions, evaluate};

pub fn run(args: EvaluateArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let options = EvaluateOptions {
        data: args.data,
        split: args.split,
        out: args.out,
        inference: args.inference.settings(),
    };
    let scored = evaluate(&args.model, &options, typed("evaluate"), &Console::default())?;
    answer.set_all(scored.summary());
    scored.nothing_found.iter().for_each(|line| say!(answer, "{line}"));
    say!(
        answer,
        "{} images of split `{}`; counts summed over all of them",
        scored.images.len(),
        options.split
    );
    answer.text(&format!("{}\n{}", scored.class_table().to_text(), scored.image_table().to_text()));
    if let Some(out) = &options.out {
        say!(answer, "\ntables and overlays: {}", out.display());
    }
    Ok(answer)
}
