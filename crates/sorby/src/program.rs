//! How the program `sorby` is started once more: the page, studies and jobs do long work in processes of their own. Every
//! such process is started here.

use crate::Result;
use crate::error::Context as _;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The environment variable that names the program's file, whatever else is known.
pub const PROGRAM_VARIABLE: &str = "SORBY_PROGRAM";

static SET: OnceLock<Program> = OnceLock::new();

/// The words that start the program: a file, and what comes before its own arguments.
///
/// ```
/// use sorby::Program;
///
/// let python = Program::of("/usr/bin/python3", ["-m", "sorby"]);
/// assert_eq!(format!("{:?}", python.command().arg("--version")), r#""/usr/bin/python3" "-m" "sorby" "--version""#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    file: PathBuf,
    first: Vec<OsString>,
}

impl Program {
    /// A file, and the arguments that come before all others.
    pub fn of(file: impl Into<PathBuf>, first: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self { file: file.into(), first: first.into_iter().map(Into::into).collect() }
    }

    /// The program itself: what `SORBY_PROGRAM` names, else what was [set](Program::set), else the file of this process.
    ///
    /// # Errors
    /// When the system does not say which file this process is of.
    pub fn own() -> Result<Self> {
        let named = std::env::var_os(PROGRAM_VARIABLE).filter(|name| !name.is_empty());
        if let Some(known) = named.map(Self::from).or_else(|| SET.get().cloned()) {
            return Ok(known);
        }
        let file = std::env::current_exe();
        file.map(|f| Self::from(f.into_os_string())).with_context(|| {
            format!("cannot find this program's own file; name it in the variable {PROGRAM_VARIABLE}")
        })
    }

    /// Says how the program is started, where the file of this process is another program's (Python's, say). The first
    /// word counts; whether this was it.
    pub fn set(self) -> bool {
        SET.set(self).is_ok()
    }

    /// A command that starts it, to which its arguments are added.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.file);
        command.args(&self.first);
        command
    }
}

impl From<OsString> for Program {
    fn from(file: OsString) -> Self {
        Self { file: file.into(), first: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_counts_before_the_file_of_this_process() {
        let this = std::env::current_exe().unwrap();
        assert_eq!(Program::own().unwrap(), Program::of(&this, [""; 0]));
        let python = Program::of("/p/python3", ["-m", "sorby"]);
        assert!(python.clone().set());
        assert!(!Program::of("/other", [""; 0]).set(), "the first counts");
        assert_eq!(Program::own().unwrap(), python);
        let words: Vec<_> = python.command().get_args().map(ToOwned::to_owned).collect();
        assert_eq!(words, ["-m", "sorby"]);
    }
}
