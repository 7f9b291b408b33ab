//! `sorby report` and `sorby replay`.

use crate::answer::{Answer, say};
use crate::args::{ReplayArgs, ReportArgs};
use crate::console::Console;
use sorby::report::{Replay, ReportOptions, Verdict, print_pdf, report};

/// Differences shown.
const SHOWN: usize = 10;

pub fn run(args: ReportArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let options = ReportOptions {
        run: args.run,
        data: args.data,
        split: args.split,
        class: args.class,
        inference: args.inference.settings(),
    };
    let made = report(&options, args.out.as_deref(), &Console::default())?;
    made.nothing_found.iter().for_each(|line| say!(answer, "{line}"));
    say!(answer, "mIoU {} %", made.mean_iou.map_or("-".into(), |v| format!("{:.2}", 100.0 * v)));
    say!(answer, "report: {}", made.page.display());
    if let Some(calibration) = &made.calibration {
        say!(
            answer,
            "errors on {}, to correct other measurements with: {}",
            made.calibrated_on.join(", "),
            calibration.display()
        );
    }
    say!(answer, "every number again: sorby replay {}", super::typed_again(&made.page));
    answer.set_path("page", &made.page);
    answer.set("mean_iou", made.mean_iou);
    answer.set("nothing_found", &made.nothing_found);
    answer.set("calibration", made.calibration.as_ref().map(|path| path.display().to_string()));
    if args.pdf {
        let pdf = made.page.with_extension("pdf");
        if let Err(error) = print_pdf(&made.page, &pdf) {
            return Ok(answer.failed(&error.to_string(), 1));
        }
        say!(answer, "report: {}", pdf.display());
        answer.set_path("pdf", &pdf);
    }
    Ok(answer)
}

pub fn replay(args: ReplayArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let at = Replay { run: args.run, data: args.data, device: args.device.options() };
    let page = args.report.display();
    match sorby::report::replay(&args.report, &at, &Console::default())? {
        Verdict::Same { numbers } => {
            answer.set("verdict", "same");
            answer.set("numbers", numbers);
            say!(answer, "{page}: all {numbers} numbers are the same again, and the page to the byte");
        }
        Verdict::SameButRounding { then, now, numbers, shown, rounded } => {
            answer.set("verdict", "same but rounding");
            answer.set("numbers", numbers);
            answer.set("processors", [&then, &now]);
            say!(
                answer,
                "{page}: made on another kind of processor ({then}; this is {now}): all {numbers} numbers are the same again \
             within a millionth; of {shown} that are shown, {rounded} are rounded the other way"
            )
        }
        Verdict::Different { same, numbers, lines } => {
            lines.iter().take(SHOWN).for_each(|line| say!(answer, "{line}"));
            if lines.len() > SHOWN {
                say!(answer, "and {} more", lines.len() - SHOWN);
            }
            say!(
                answer,
                "{page}: is not what is computed again: {numbers} of {} numbers of its record and {} places of the page \
                 differ",
                same + numbers,
                lines.len() - numbers
            );
            answer.set("verdict", "different");
            answer.set("numbers", same + numbers);
            answer.set("differences", lines);
            return Ok(answer.exit(1));
        }
    }
    Ok(answer)
}
