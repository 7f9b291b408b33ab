//! The shards of one command as the tasks of an engine.

use super::{Collect, EngineOptions, Submission, Task, Work, submit};
use crate::words::quoted;
use crate::{Result, Shard, listing};
use sorby_image::write::safe_name;
use std::ffi::OsString;
use std::path::Path;

/// What a process answers that was stopped before its end and is to be started again: `EX_TEMPFAIL` of sysexits.h.
pub const EXIT_CODE_FOR_MORE: u8 = 75;

/// Hands `count` shards of a command to an engine, and after them the merge. `typed`: its arguments, which know `--shard`
/// and `--merge`; they are started in the folder of this process.
///
/// # Errors
/// As [`submit`]; also when a word of the command cannot be written on a line.
pub fn submit_shards(
    out: &Path,
    typed: &[OsString],
    count: usize,
    engine: &EngineOptions,
) -> Result<Submission> {
    let with = |id: String, before: &[String], more: &[String]| {
        let words = |list: &[String]| list.iter().map(OsString::from).collect::<Vec<_>>();
        Task::of(id, &[words(before), typed.to_vec(), words(more)].concat())
    };
    let for_more = ["--exit-code-for-more".to_owned(), EXIT_CODE_FOR_MORE.to_string()];
    let shard = |shard: Shard| with(shard.to_string(), &for_more, &["--shard".to_owned(), shard.to_string()]);
    let out = std::path::absolute(out)?;
    let logs = quoted(&out.join(super::FOLDER).join("logs").display().to_string());
    let work = Work {
        name: safe_name(&listing::stem(&out)),
        folder: std::env::current_dir()?,
        tasks: Shard::all(count).map(shard).collect::<Result<_>>()?,
        collect: Collect {
            task: with("merge".to_owned(), &[], &[format!("--merge={count}")])?,
            even_if_some_failed: false,
        },
        watch: vec![format!("tail -n 1 {logs}/*")],
        out,
    };
    submit(&work, engine)
}
