//! `sorby bench`.

use crate::answer::Answer;
use crate::args::BenchArgs;
use sorby::bench::{bench, bench_measure, write_pictures};

pub fn run(args: BenchArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    match args.options() {
        Some(options) => {
            let timed = bench(&options)?;
            answer.text(&timed.text());
            answer.set_all(&timed);
        }
        None => {
            if let Some(folder) = &args.write {
                write_pictures(args.size, folder)?;
            }
            let timed = bench_measure(args.size, args.repeats.into());
            answer.text(&timed.text());
            answer.set_all(&timed);
        }
    }
    Ok(answer)
}
