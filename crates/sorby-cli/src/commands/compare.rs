//! `sorby compare`.

use crate::args::CompareArgs;
use crate::console::Console;
use crate::made_by::typed;
use sorby::compare;
use std::process::ExitCode;

pub fn run(args: CompareArgs) -> anyhow::Result<ExitCode> {
    let comparison = compare(&args.runs, &Console::default())?;
    for table in comparison.exhibits.iter().filter_map(|e| e.table.as_ref()) {
        println!("{}", table.to_text());
    }
    let page = comparison.publish(&args.out, typed("compare"))?;
    super::published(&page, &args.out);
    Ok(ExitCode::SUCCESS)
}
