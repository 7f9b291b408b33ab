//! `sorby completions`, `sorby man`: files by which a shell and a reader of manuals know the program.

use crate::answer::{Answer, say};
use crate::args::Args;
use clap::CommandFactory as _;
use sorby_image::write::atomically;
use std::path::Path;

pub fn completions(shell: clap_complete::Shell) -> anyhow::Result<Answer> {
    let (mut answer, mut text) = (Answer::new(), Vec::new());
    clap_complete::generate(shell, &mut Args::command(), "sorby", &mut text);
    let text = String::from_utf8(text)?;
    answer.text(&text);
    answer.set("completions", text);
    Ok(answer)
}

pub fn man(out: &Path) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let mut command = Args::command();
    command.build();
    let pages = write_pages(command, "sorby", out)?;
    say!(answer, "{pages} manual pages -> {}", out.display());
    answer.set("pages", pages);
    answer.set_path("out", out);
    Ok(answer)
}

/// The page of a command and those of its verbs, as `sorby-data-check.1`.
fn write_pages(command: clap::Command, name: &str, out: &Path) -> anyhow::Result<usize> {
    let mut pages = 1;
    for verb in command.get_subcommands().filter(|c| c.get_name() != "help") {
        pages += write_pages(verb.clone(), &format!("{name}-{}", verb.get_name()), out)?;
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(command).title(name).render(&mut text)?;
    atomically(&out.join(format!("{name}.1")), &text)?;
    Ok(pages)
}
