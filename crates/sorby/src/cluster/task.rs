//! A command that any machine may start.

use crate::error::{Context as _, refuse};
use crate::words::quoted;
use crate::{Program, Result};
use std::ffi::{OsStr, OsString};

/// One task as a command, which may be started again and again: it does what is missing, or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its name.
    pub id: String,
    /// The program's file, and what comes before its arguments.
    pub program: Vec<String>,
    /// The program's arguments.
    pub arguments: Vec<String>,
}

impl Task {
    /// A task of this program.
    ///
    /// # Errors
    /// When a word cannot be written on a line.
    pub fn of(id: impl Into<String>, arguments: &[OsString]) -> Result<Self> {
        let arguments = arguments.iter().map(|word| on_a_line(word)).collect::<Result<_>>()?;
        Ok(Self { id: id.into(), program: own_words()?, arguments })
    }

    /// The program's file and its arguments.
    pub fn words(&self) -> Vec<String> {
        [self.program.clone(), self.arguments.clone()].concat()
    }

    /// One line for a shell.
    pub fn line(&self) -> String {
        line(&self.words())
    }
}

/// One line for a shell.
pub fn line(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The words that start this program.
pub fn own_words() -> Result<Vec<String>> {
    let command = Program::own()?.command();
    std::iter::once(command.get_program()).chain(command.get_args()).map(on_a_line).collect()
}

fn on_a_line(word: &OsStr) -> Result<String> {
    let word = word.to_str().with_context(|| format!("{}: is no Unicode", word.display()))?;
    if word.contains(['\n', '\r']) {
        refuse!("{word:?}: has a line break, and a command is one line");
    }
    Ok(word.to_owned())
}
