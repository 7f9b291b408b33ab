//! `sorby segment`.

use crate::answer::{Answer, say};
use crate::args::SegmentArgs;
use crate::console::Console;
use crate::interrupts;
use sorby::{segment, share_segmentation};

pub fn run(args: SegmentArgs) -> anyhow::Result<Answer> {
    if let Some(engine) = args.engine.engine.options() {
        // What is wrong shows itself here, not in every task.
        share_segmentation(&args.model, &args.images, &args.out, &args.options())?;
        return super::cluster::submit_shards(&args.out, &args.engine, &engine);
    }
    args.simd.check()?;
    let mut answer = Answer::new();
    let done = segment(&args.model, &args.images, &args.out, &args.options(), &Console::default())?;
    let out = done.out.display();
    done.nothing_found.iter().for_each(|line| say!(answer, "{line}"));
    say!(
        answer,
        "{} of {} images segmented: masks in {out}/masks, overlays in {out}/overlays, what to expect of them in \
         {out}/trust.csv",
        done.segmented,
        done.images
    );
    if done.stopped {
        say!(answer, "stopped; the same command goes on with the others");
    } else if args.part.shard.is_some() {
        say!(answer, "when all shards are finished: the same command with --merge instead of --shard");
    } else if done.segmented > 0 {
        let unknown = if done.all_have_scale { "" } else { " --nm-per-px YOUR_PIXEL_SIZE" };
        let typed = |name: &str| super::typed_again(&args.out.join(name));
        let (masks, particles) = (typed("masks"), typed("particles"));
        say!(answer, "next:\n  sorby measure {masks} --out {particles}{unknown}");
    }
    answer.set_path("out", &done.out);
    answer.set("images", done.images);
    answer.set("segmented", done.segmented);
    answer.set("nothing_found", done.nothing_found);
    answer.set("all_have_scale", done.all_have_scale);
    answer.set("problems", done.problems.to_json());
    answer.set("stopped", done.stopped);
    Ok(answer.exit(match (done.segmented, done.problems.rows.len()) {
        _ if done.stopped => interrupts::exit_code(),
        // An engine would start it again; the merge says what could not be segmented.
        _ if args.part.shard.is_some() => 0,
        (_, 0) => 0,
        (0, _) => 2,
        _ => 1,
    }))
}
