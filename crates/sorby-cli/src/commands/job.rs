//! `sorby job new` and `sorby job lock`.

use crate::answer::{Answer, say};
use crate::args::{JobCommand, NewJobArgs};
use sorby::job::{create_job, relock};
use std::path::Path;

pub fn run(command: JobCommand) -> anyhow::Result<Answer> {
    match command {
        JobCommand::New(args) => new(*args),
        JobCommand::Lock { job } => lock(&job),
    }
}

fn new(args: NewJobArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let out = args.out.clone();
    let made = create_job(&args.options(), &out)?;
    made.notes.iter().for_each(|note| eprintln!("note: {note}"));
    let (job, shown) = (&made.job, super::typed_again(&out));
    for rules in &job.measure {
        let limits = if rules.limits.is_empty() { "no limits".to_owned() } else { rules.limits.join(", ") };
        say!(answer, "{}: {limits}", rules.class);
    }
    say!(answer, "job: {shown}, `{}` version {}, locked as {}", job.name, job.version, made.sha256);
    say!(answer, "to change it: edit the file, then sorby job lock {shown}");
    say!(answer, "next:\n  sorby run {shown} IMAGES --out LOT --set lot=\"NAME OF THE LOT\"");
    answer.set_path("job", &out);
    answer.set("name", &job.name);
    answer.set("version", job.version);
    answer.set("lock_sha256", &made.sha256);
    answer.set("notes", &made.notes);
    Ok(answer)
}

fn lock(job: &Path) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let shown = job.display();
    let locked = relock(job)?;
    match locked.changes.is_empty() {
        true => say!(answer, "{shown}: nothing was changed; version {} stays", locked.version),
        false => say!(
            answer,
            "{shown}: version {}, locked as {} (changed: {})",
            locked.version,
            locked.sha256,
            locked.changes.join(", ")
        ),
    }
    answer.set_path("job", job);
    answer.set("version", locked.version);
    answer.set("lock_sha256", &locked.sha256);
    answer.set("changes", &locked.changes);
    Ok(answer)
}
