//! `sorby report` and `sorby replay`.

use crate::args::{ReplayArgs, ReportArgs};
use crate::console::Console;
use sorby::report::{Replay, ReportOptions, Verdict, print_pdf, report};
use std::process::ExitCode;

/// Differences shown.
const SHOWN: usize = 10;

pub fn run(args: ReportArgs) -> anyhow::Result<ExitCode> {
    let options = ReportOptions {
        run: args.run,
        data: args.data,
        split: args.split,
        class: args.class,
        inference: args.inference.settings(),
    };
    let made = report(&options, args.out.as_deref(), &Console::default())?;
    made.nothing_found.iter().for_each(|line| println!("{line}"));
    println!("mIoU {} %", made.mean_iou.map_or("-".into(), |v| format!("{:.2}", 100.0 * v)));
    println!("report: {}", made.page.display());
    if let Some(calibration) = &made.calibration {
        println!(
            "errors on {}, to correct other measurements with: {}",
            made.calibrated_on.join(", "),
            calibration.display()
        );
    }
    if args.pdf {
        let pdf = made.page.with_extension("pdf");
        print_pdf(&made.page, &pdf)?;
        println!("report: {}", pdf.display());
    }
    println!("every number again: sorby replay {}", made.page.display());
    Ok(ExitCode::SUCCESS)
}

pub fn replay(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let at = Replay { run: args.run, data: args.data, device: args.device.options() };
    let page = args.report.display();
    match sorby::report::replay(&args.report, &at, &Console::default())? {
        Verdict::Same { numbers } => {
            println!("{page}: all {numbers} numbers are the same again, and the page to the byte");
        }
        Verdict::SameButRounding { then, now, numbers, shown, rounded } => println!(
            "{page}: made on another kind of processor ({then}; this is {now}): all {numbers} numbers are the same again \
             within a millionth; of {shown} that are shown, {rounded} are rounded the other way"
        ),
        Verdict::Different { same, numbers, lines } => {
            lines.iter().take(SHOWN).for_each(|line| println!("{line}"));
            if lines.len() > SHOWN {
                println!("and {} more", lines.len() - SHOWN);
            }
            println!(
                "{page}: is not what is computed again: {numbers} of {} numbers of its record and {} places of the page \
                 differ",
                same + numbers,
                lines.len() - numbers
            );
            return Ok(ExitCode::from(1));
        }
    }
    Ok(ExitCode::SUCCESS)
}
