//! `sorby data check`.

use crate::answer::{Answer, say};
use crate::args::CheckArgs;
use crate::console::Console;
use sorby::data::{DataCheck, check_data, require_page_free};

pub fn run(args: &CheckArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    if let Some(page) = &args.page {
        require_page_free(page)?;
    }
    let found = check_data(&args.data, args.deep, &Console::default());
    answer.set_all(found.json());
    show(&mut answer, &found);
    // What was found is said, whether or not it can be written as well.
    match args.page.as_deref().map(|page| found.write_page(page)).transpose() {
        Ok(Some(Some(page))) => eprintln!("pictures: {}", page.display()),
        Ok(_) => {}
        Err(error) => return Ok(answer.failed(&error.to_string(), 2)),
    }
    match args.fix.as_deref().map(|out| found.write_repaired(out)).transpose() {
        Ok(Some(Some(done))) => eprintln!("{done}"),
        Ok(_) => {}
        Err(error) => return Ok(answer.failed(&error.to_string(), 2)),
    }
    Ok(answer.exit(if found.problems.is_empty() { 0 } else { 2 }))
}

fn show(answer: &mut Answer, found: &DataCheck) {
    if let Some(s) = &found.summary {
        say!(answer, "{} labelled images", s.images);
        for c in &s.classes {
            let percent = 100.0 * c.fraction;
            say!(answer, "  class {:<24} {percent:6.2} % of the area, in {} images", c.name, c.images);
        }
        for (name, count) in &s.splits {
            say!(answer, "  split {name:<24} {count} images");
        }
        if let Some((low, high)) = s.nm_per_px {
            let to = if low == high { String::new() } else { format!(" to {high:.4}") };
            say!(answer, "  pixel size {low:.4}{to} nm");
        }
        if s.without_scale > 0 {
            say!(answer, "  {} images have no pixel size: their results will be in pixels", s.without_scale);
        }
        s.remarks.iter().for_each(|r| say!(answer, "look at: {r}"));
    }
    found.problems.iter().for_each(|p| say!(answer, "problem: {p}"));
    match found.problems.len() {
        0 => answer.line("no problems found"),
        n => say!(answer, "{n} problem{} found", if n == 1 { "" } else { "s" }),
    }
}
