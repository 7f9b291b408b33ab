//! The folder that a verb writes into: one rule for all verbs.
//!
//! It must be new or empty, or hold what the very same command (verb, inputs, settings, model, version of the program)
//! left there, finished or not: then the command goes on, or does it again. So results of two commands are never taken
//! for those of one. `made-by.json` in the folder says which command it is of. One process at a time writes there.

use crate::Result;
use crate::error::{Context as _, refuse, refused};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sorby_image::held::{self, Held};
use sorby_image::write::atomically;
use sorby_image::{ImageError, lock, new_folder};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// File name of the record.
pub const RECORD: &str = "made-by.json";

/// What tells one command from another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MadeBy {
    /// What was done: `segment`, `measure`.
    pub verb: String,
    /// Version of Sorby.
    pub sorby_version: String,
    /// What the answers depend on, by the names of the options.
    pub settings: BTreeMap<String, Value>,
}

impl MadeBy {
    /// A job of this version, without settings yet.
    pub fn new(verb: &str) -> Self {
        let sorby_version = env!("CARGO_PKG_VERSION").to_owned();
        Self { verb: verb.to_owned(), sorby_version, settings: BTreeMap::new() }
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

/// File name of the lock in the folder.
const LOCK: &str = ".lock";

/// A folder that a command may write into.
#[derive(Debug)]
pub struct OutFolder {
    root: PathBuf,
    command: MadeBy,
    /// Settings that may be others than those of the command that was here before.
    except: Vec<String>,
    /// Held until the command ends.
    lock: Option<Held>,
    /// The same command has been here before.
    pub again: bool,
}

impl OutFolder {
    /// Looks whether `command` may write into `root`. Nothing is written yet. Settings named in `except` may be others
    /// than those of the command that was here before.
    ///
    /// # Errors
    /// When the folder holds anything that is not of the same command, or is a file.
    pub fn check(root: &Path, command: MadeBy, except: &[&str]) -> Result<Self> {
        require_own(root, &command, except)?;
        // Nothing is made before there are results.
        let lock = if root.is_dir() { Some(locked(root)?) } else { None };
        let except = except.iter().map(|e| e.to_string()).collect();
        let mut out = Self { root: root.to_owned(), command, except, lock, again: false };
        out.look()?;
        Ok(out)
    }

    /// Looks again now that nobody else writes here.
    fn look(&mut self) -> Result<()> {
        let except: Vec<&str> = self.except.iter().map(String::as_str).collect();
        require_own(&self.root, &self.command, &except)?;
        self.again = !is_empty(&self.root)?;
        Ok(())
    }

    /// The same; what another command left is moved into the folder `aside` first.
    ///
    /// # Errors
    /// As [`OutFolder::check`]; also when what is there cannot be moved.
    pub fn check_or_put_aside(
        root: &Path,
        command: MadeBy,
        except: &[&str],
        aside: Option<&Path>,
    ) -> Result<Self> {
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

    /// Makes `root` the folder of `command`, of which several processes do a part each, in folders of their own below it.
    ///
    /// # Errors
    /// As [`OutFolder::check`], but that other processes may work there.
    pub fn share(root: &Path, command: &MadeBy) -> Result<()> {
        require_own(root, command, &[])?;
        if read(root).is_none() {
            let text = serde_json::to_string_pretty(command)? + "\n";
            atomically(&root.join(RECORD), text.as_bytes())
                .with_context(|| format!("{}: cannot be written to", root.display()))?;
        }
        // Another command may have come between.
        require_own(root, command, &[])
    }

    /// Makes the folder this command's, before the first result is written.
    ///
    /// # Errors
    /// When another process has begun to write there since it was looked at.
    pub fn claim(&mut self) -> Result<()> {
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

    /// Whoever was taken for dead stops before it writes anything more.
    ///
    /// # Errors
    /// When another machine has taken the folder over.
    pub fn require_held(&self) -> Result<()> {
        if self.lock.as_ref().is_some_and(Held::is_lost) {
            refuse!(
                "{}: another machine has taken this folder over, for this one gave no sign of life; it goes on there",
                self.root.display()
            );
        }
        Ok(())
    }
}

const CURE: &str = "name a new folder with --out: results of two commands are not mixed";

/// The lock of the folder, which is made where it is missing.
fn locked(root: &Path) -> Result<Held> {
    let instructions = sorby_nn::simd_level().word();
    let taken =
        held::take(&root.join(LOCK), lock::WAIT, instructions).map_err(|e| ImageError::io(root, e))?;
    taken.map_err(|holder| {
        let by = holder.map_or(String::new(), |h| format!(" ({h})"));
        refused!(
            "{}: another process writes into this folder{by}; wait for it, or name another",
            root.display()
        )
    })
}

fn require_own(root: &Path, command: &MadeBy, except: &[&str]) -> Result<()> {
    match foreign(root, command, except)? {
        Some(what) => refuse!("{}: {what}; {CURE}", root.display()),
        None => Ok(()),
    }
}

/// What in a folder is not of this command, in words.
fn foreign(root: &Path, command: &MadeBy, except: &[&str]) -> Result<Option<String>> {
    if root.is_file() {
        refuse!("{}: is a file; --out names a folder", root.display());
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

fn read(root: &Path) -> Option<MadeBy> {
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
            |window: usize| MadeBy::new("segment").with("window", window).with("model", "a".repeat(64));
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
        let told = OutFolder::check(&out, MadeBy::new("measure"), &[]).unwrap_err().to_string();
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
}
