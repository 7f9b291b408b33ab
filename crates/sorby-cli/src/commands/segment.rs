//! `sorby segment`.

use crate::args::SegmentArgs;
use crate::console::Console;
use crate::interrupts;
use sorby::segment;
use std::process::ExitCode;

pub fn run(args: SegmentArgs) -> anyhow::Result<ExitCode> {
    let done = segment(&args.model, &args.images, &args.out, &args.options(), &Console::default())?;
    let out = args.out.display();
    done.nothing_found.iter().for_each(|line| println!("{line}"));
    println!(
        "{} of {} images segmented: masks in {out}/masks, overlays in {out}/overlays, what to expect of them in \
         {out}/trust.csv",
        done.segmented, done.images
    );
    if done.stopped {
        println!("stopped; the same command goes on with the others");
    } else if done.segmented > 0 {
        let unknown = if done.all_have_scale { "" } else { " --nm-per-px YOUR_PIXEL_SIZE" };
        println!("next:\n  sorby measure {out}/masks --out {out}/particles{unknown}");
    }
    Ok(match (done.segmented, done.problems.rows.len()) {
        _ if done.stopped => interrupts::exit_code(),
        (_, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(2),
        _ => ExitCode::from(1),
    })
}
