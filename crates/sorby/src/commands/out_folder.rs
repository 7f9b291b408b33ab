//! The folder that a verb writes into: one rule for all verbs.
//!
//! It must be new or empty, or hold what the very same command (verb, inputs, settings, model, version of the program)
//! left there, finished or not: then the command goes on, or does it again. So results of two commands are never taken
//! for those of one. `made-by.json` in the folder says which command it is of. One process at a time writes there.

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sorby_image::write::atomically;
use sorby_image::{ImageError, lock, new_folder};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// File name of the record.
pub const RECORD: &str = "made-by.json";

/// What tells one command from another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Command {
    pub verb: String,
    pub sorby_version: String,
    /// What the answers depend on, by the names of the options.
    pub settings: BTreeMap<String, Value>,
}

impl Command {
    pub fn new(verb: &str) -> Self {
        let sorby_version = env!("CARGO_PKG_VERSION").to_owned();
        Self { verb: verb.to_owned(), sorby_version, settings: BTreeMap::new() }
    }

    /// The command as it was typed, without what its answers do not depend on.
    pub fn typed(verb: &str) -> Self {
        Self::new(verb).with(
            "arguments",
            relevant(std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned())),
        )
    }

    /// Adds a setting.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.settings.insert(name.to_owned(), value);
        self
    }

    /// Adds the files that are worked on, by their paths as typed.
    pub fn with_files(self, name: &str, files: &[PathBuf]) -> Self {
        self.with(name, files.iter().map(|f| f.display().to_string()).collect::<Vec<_>>())
    }

    /// In what it differs from another, settings of `except` apart, in words; `None` where they are the same.
    fn difference(&self, old: &Self, except: &[&str]) -> Option<String> {
        if self.verb != old.verb {
            return Some(format!("was made by `sorby {}`", old.verb));
        }
        if self.sorby_version != old.sorby_version {
            return Some(format!("was made by version {} of Sorby", old.sorby_version));
        }
        let names = self.settings.keys().chain(old.settings.keys());
        let differs = |name: &&String| {
            !except.contains(&name.as_str()) && self.settings.get(*name) != old.settings.get(*name)
        };
        let name = names.into_iter().find(differs)?;
        let (old_value, new_value) = apart(old.settings.get(name), self.settings.get(name));
        let shown = |value: Option<&Value>| match value {
            Some(Value::Array(list)) if list.is_empty() => "nothing".to_owned(),
            Some(Value::Array(list)) if list.len() > 3 => format!("{} of them", list.len()),
            Some(Value::Array(list)) => list
                .iter()
                .map(|v| v.as_str().map_or(v.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(" "),
            None | Some(Value::Null) => "none".to_owned(),
            Some(Value::String(text)) if text.len() > 40 => {
                format!("{}...", text.chars().take(12).collect::<String>())
            }
            Some(value) => value.to_string(),
        };
        Some(format!(
            "was made by `sorby {}` with {} {name} ({}, now {})",
            old.verb,
            if name.ends_with('s') { "other" } else { "another" },
            shown(old_value.as_ref()),
            shown(new_value.as_ref())
        ))
    }
}

/// Of two lists only what the other has not.
fn apart(old: Option<&Value>, new: Option<&Value>) -> (Option<Value>, Option<Value>) {
    match (old, new) {
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            let without = |list: &[Value], other: &[Value]| {
                Some(list.iter().filter(|v| !other.contains(v)).cloned().collect())
            };
            (without(old, new), without(new, old))
        }
        (old, new) => (old.cloned(), new.cloned()),
    }
}

/// Options that change where results go and how they are shown, not what they are; whether a value follows.
const IRRELEVANT: [(&str, bool); 5] =
    [("--out", true), ("--threads", true), ("--put-aside", true), ("--json", false), ("--add", false)];

fn relevant(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let (mut kept, mut skip) = (Vec::new(), false);
    for argument in arguments {
        let option = |(name, _): &&(&str, bool)| {
            argument == *name || argument.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
        };
        match (std::mem::take(&mut skip), IRRELEVANT.iter().find(option)) {
            (true, _) => {}
            (false, Some((name, valued))) => skip = *valued && argument == *name,
            (false, None) => kept.push(argument),
        }
    }
    kept
}

/// File name of the lock in the folder.
const LOCK: &str = ".lock";

/// A folder that a command may write into.
#[derive(Debug)]
pub struct OutFolder {
    root: PathBuf,
    command: Command,
    /// Settings that may be others than those of the command that was here before.
    except: Vec<String>,
    /// Held until the command ends.
    lock: Option<File>,
    /// The same command has been here before.
    pub again: bool,
}

impl OutFolder {
    /// Looks whether `command` may write into `root`. Nothing is written yet. Settings named in `except` may be others
    /// than those of the command that was here before.
    ///
    /// # Errors
    /// When the folder holds anything that is not of the same command, or is a file.
    pub fn check(root: &Path, command: Command, except: &[&str]) -> anyhow::Result<Self> {
        require_own(root, &command, except)?;
        // Nothing is made before there are results.
        let lock = if root.is_dir() { Some(locked(root)?) } else { None };
        let except = except.iter().map(|e| e.to_string()).collect();
        let mut out = Self { root: root.to_owned(), command, except, lock, again: false };
        out.look()?;
        Ok(out)
    }

    /// Looks again now that nobody else writes here.
    fn look(&mut self) -> anyhow::Result<()> {
        let except: Vec<&str> = self.except.iter().map(String::as_str).collect();
        require_own(&self.root, &self.command, &except)?;
        self.again = !is_empty(&self.root)?;
        Ok(())
    }

    /// The same; what another command left is moved into the folder `aside` first.
    pub fn check_or_put_aside(
        root: &Path,
        command: Command,
        except: &[&str],
        aside: Option<&Path>,
    ) -> anyhow::Result<Self> {
        if let Some(aside) = aside
            && foreign(root, &command, except)?.is_some()
        {
            // Not from under a process that writes there.
            let lock = locked(root)?;
            let name = root.file_name().context("--out names a folder")?.to_string_lossy().into_owned();
            let place = (1..).map(|n| aside.join(format!("{name}-{n}"))).find(|p| !p.exists());
            fs_err::create_dir_all(aside)?;
            if cfg!(windows) {
                // No folder is renamed there in which a file is open.
                drop(lock);
            }
            fs_err::rename(root, place.context("no free name")?)?;
        }
        Self::check(root, command, except)
    }

    /// Makes the folder this command's, before the first result is written.
    ///
    /// # Errors
    /// When another process has begun to write there since it was looked at.
    pub fn claim(&mut self) -> anyhow::Result<()> {
        if self.lock.is_none() {
            self.lock = Some(locked(&self.root)?);
            self.look()?;
        }
        if self.again {
            return Ok(());
        }
        let text = serde_json::to_string_pretty(&self.command)? + "\n";
        atomically(&self.root.join(RECORD), text.as_bytes())
            .with_context(|| format!("{}: cannot be written to", self.root.display()))
    }
}

/// Whether an error says that nothing more can be written.
pub fn disk_is_full(error: &anyhow::Error) -> bool {
    error.chain().any(|e| matches!(e.downcast_ref(), Some(ImageError::DiskFull { .. })))
}

const CURE: &str = "name a new folder with --out: results of two commands are not mixed";

/// The lock of the folder, which is made where it is missing.
fn locked(root: &Path) -> anyhow::Result<File> {
    let taken = lock::take(&root.join(LOCK)).map_err(|e| ImageError::io(root, e))?;
    taken.with_context(|| {
        format!("{}: another process writes into this folder; wait for it, or name another", root.display())
    })
}

fn require_own(root: &Path, command: &Command, except: &[&str]) -> anyhow::Result<()> {
    match foreign(root, command, except)? {
        Some(what) => bail!("{}: {what}; {CURE}", root.display()),
        None => Ok(()),
    }
}

/// What in a folder is not of this command, in words.
fn foreign(root: &Path, command: &Command, except: &[&str]) -> anyhow::Result<Option<String>> {
    if root.is_file() {
        bail!("{}: is a file; --out names a folder", root.display());
    }
    if is_empty(root)? {
        return Ok(None);
    }
    Ok(match read(root) {
        Some(old) => command.difference(&old, except),
        None => Some("is not empty".to_owned()),
    })
}

fn is_empty(root: &Path) -> Result<bool, ImageError> {
    new_folder::is_empty(root).map_err(|e| ImageError::io(root, e))
}

fn read(root: &Path) -> Option<Command> {
    serde_json::from_slice(&std::fs::read(root.join(RECORD)).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_command_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let command =
            |window: usize| Command::new("segment").with("window", window).with("model", "a".repeat(64));
        let mut first = OutFolder::check(&out, command(64), &[]).unwrap();
        assert!(!first.again && !out.exists(), "looking writes nothing");
        first.claim().unwrap();
        std::fs::write(out.join("x.csv"), "1").unwrap();
        let told = OutFolder::check(&out, command(64), &[]).unwrap_err().to_string();
        assert!(told.contains("another process writes"), "{told}");
        drop(first);
        assert!(OutFolder::check(&out, command(64), &[]).unwrap().again);
        let told = OutFolder::check(&out, command(128), &[]).unwrap_err().to_string();
        assert!(told.contains("another window (64, now 128)"), "{told}");
        assert!(OutFolder::check(&out, command(128), &["window"]).unwrap().again);
        let told = OutFolder::check(&out, Command::new("measure"), &[]).unwrap_err().to_string();
        assert!(told.contains("`sorby segment`"), "{told}");
        assert!(
            OutFolder::check(&out.join("x.csv"), command(1), &[])
                .unwrap_err()
                .to_string()
                .contains("is a file")
        );
        let foreign = folder.path().join("foreign");
        std::fs::create_dir(&foreign).unwrap();
        std::fs::write(foreign.join(".DS_Store"), "").unwrap();
        assert!(!OutFolder::check(&foreign, command(1), &[]).unwrap().again, "hidden files do not count");
        std::fs::write(foreign.join("mine.txt"), "").unwrap();
        assert!(OutFolder::check(&foreign, command(1), &[]).unwrap_err().to_string().contains("not empty"));
        let aside = folder.path().join("earlier");
        assert!(!OutFolder::check_or_put_aside(&foreign, command(1), &[], Some(&aside)).unwrap().again);
        assert!(aside.join("foreign-1/mine.txt").is_file() && !foreign.exists());
    }

    #[test]
    fn only_what_answers_depend_on_counts() {
        let typed = |text: &str| relevant(text.split(' ').map(str::to_owned));
        let plain = typed("measure masks --class 2");
        assert_eq!(typed("--threads 2 measure masks --out=o --class 2 --json"), plain);
        assert_eq!(typed("measure --out o masks --class 2"), plain);
        assert_ne!(typed("measure masks --class 1"), plain);
    }
}
