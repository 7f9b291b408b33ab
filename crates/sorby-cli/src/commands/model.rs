//! `sorby model`.

use crate::answer::Answer;
use crate::args::ModelCommand;
use sorby::model::{Given, convert, describe, export};

pub fn run(command: ModelCommand) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let lines = match command {
        ModelCommand::Info { file } => describe(&file)?,
        ModelCommand::Convert { file, out, encoder, classes, output_stride } => {
            let classes = classes.iter().map(|name| name.trim().to_owned()).collect();
            convert(&file, &out, encoder, &Given { classes, output_stride })?
        }
        ModelCommand::Export(args) => {
            let model = args.model.clone();
            let written = export(&model, &args.options())?;
            let files: Vec<String> = written.files.iter().map(|f| f.display().to_string()).collect();
            answer.set("files", files);
            written.lines
        }
    };
    lines.iter().for_each(|line| answer.line(line));
    answer.set("lines", lines);
    Ok(answer)
}
