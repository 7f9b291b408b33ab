//! `sorby job new` and `sorby job lock`.

use crate::args::{JobCommand, NewJobArgs};
use sorby::job::{create_job, relock};
use std::path::Path;
use std::process::ExitCode;

pub fn run(command: JobCommand) -> anyhow::Result<ExitCode> {
    match command {
        JobCommand::New(args) => new(*args),
        JobCommand::Lock { job } => lock(&job),
    }
}

fn new(args: NewJobArgs) -> anyhow::Result<ExitCode> {
    let out = args.out.clone();
    let made = create_job(&args.options(), &out)?;
    made.notes.iter().for_each(|note| eprintln!("note: {note}"));
    let (job, shown) = (&made.job, out.display());
    for rules in &job.measure {
        let limits = if rules.limits.is_empty() { "no limits".to_owned() } else { rules.limits.join(", ") };
        println!("{}: {limits}", rules.class);
    }
    println!("job: {shown}, `{}` version {}, locked as {}", job.name, job.version, made.sha256);
    println!("to change it: edit the file, then sorby job lock {shown}");
    println!("next:\n  sorby run {shown} IMAGES --out LOT --set lot=\"NAME OF THE LOT\"");
    Ok(ExitCode::SUCCESS)
}

fn lock(job: &Path) -> anyhow::Result<ExitCode> {
    let shown = job.display();
    let locked = relock(job)?;
    match locked.changes.is_empty() {
        true => println!("{shown}: nothing was changed; version {} stays", locked.version),
        false => println!(
            "{shown}: version {}, locked as {} (changed: {})",
            locked.version,
            locked.sha256,
            locked.changes.join(", ")
        ),
    }
    Ok(ExitCode::SUCCESS)
}
