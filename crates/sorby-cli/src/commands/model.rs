//! `sorby model`.

use crate::answer::Answer;
use crate::args::ModelCommand;
use sorby::model::{Given, convert, describe};

pub fn run(command: ModelCommand) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let lines = match command {
        ModelCommand::Info { file } => describe(&file)?,
        ModelCommand::Convert { file, out, encoder, classes, output_stride } => {
            let classes = classes.iter().map(|name| name.trim().to_owned()).collect();
            convert(&file, &out, encoder, &Given { classes, output_stride })?
        }
    };
    lines.iter().for_each(|line| answer.line(line));
    answer.set("lines", lines);
    Ok(answer)
}
