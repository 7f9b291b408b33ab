//! The lock of a job file: a hash of what it says, whatever its comments and line ends.

use super::{Job, Lock, LockedJob};
use crate::error::{Context as _, refused};
use crate::{Result, checksum};
use sorby_image::write::atomically;
use std::path::Path;

/// SHA-256 of the keys and values of a job file, the table `lock` apart.
pub(super) fn contents_sha256(text: &str) -> Result<String> {
    let mut table: toml::Table =
        toml::from_str(text).map_err(|e| refused!("{}", sorby_data::one_line(&e.to_string())))?;
    table.remove("lock");
    let mut canonical = String::new();
    write_canonical(&toml::Value::Table(table), &mut canonical);
    Ok(checksum::sha256_of(canonical.as_bytes()))
}

/// Keys in order, strings and numbers as TOML writes them: one text for one content.
fn write_canonical(value: &toml::Value, out: &mut String) {
    match value {
        toml::Value::Table(table) => {
            let mut keys: Vec<&String> = table.keys().collect();
            keys.sort();
            *out += "{";
            for key in keys {
                *out += &toml::Value::String(key.clone()).to_string();
                *out += "=";
                write_canonical(&table[key], out);
                *out += ";";
            }
            *out += "}";
        }
        toml::Value::Array(list) => {
            *out += "[";
            for value in list {
                write_canonical(value, out);
                *out += ",";
            }
            *out += "]";
        }
        other => *out += &format!("{}:{other}", other.type_str()),
    }
}

/// A text without its lock, and with this one at its end.
pub(super) fn with_lock(text: &str, lock: &Lock) -> String {
    let body = text.split("\n[lock]").next().unwrap_or(text).trim_end();
    let replaces = lock.replaces.as_ref().map_or(String::new(), |old| format!("replaces = \"{old}\"\n"));
    format!("{body}\n\n[lock]\nsha256 = \"{}\"\n{replaces}", lock.sha256)
}

/// A job file that was locked again.
#[derive(Debug)]
pub struct Relocked {
    /// The version that it has now.
    pub version: u32,
    /// The seal of that version.
    pub sha256: String,
    /// What is another than in the version before, in words, as far as hashes show it.
    pub changes: Vec<String>,
}

/// Locks a job file after an intended edit: it gets the next version number, the hashes of the files as they are now, and a
/// new seal that names the one it replaces. A file without changes stays as it is.
///
/// # Errors
/// When the file is no job, or a file that it names is not there.
pub fn relock(path: &Path) -> Result<Relocked> {
    let text = fs_err::read_to_string(path)?;
    let job = Job::parse(path, &text)?;
    let old = job.lock.clone();
    let mut changes = Vec::new();
    let mut body = text.replace("\r\n", "\n");
    if old.as_ref().is_none_or(|l| contents_sha256(&text).ok().as_ref() != Some(&l.sha256)) {
        changes.push("settings".to_owned());
    }
    let version = job.version;
    let locked = LockedJob {
        path: path.to_owned(),
        lock: Lock { sha256: String::new(), replaces: None },
        sha256: String::new(),
        job,
    };
    for (what, named) in locked.files() {
        let place = locked.place(named);
        let now = checksum::sha256(&place).with_context(|| format!("{}: its {what}", path.display()))?;
        if now != named.sha256 {
            body = body.replace(&named.sha256, &now);
            changes.push(format!("{what} {}", place.display()));
        }
    }
    if let (Some(old), true) = (&old, changes.is_empty()) {
        return Ok(Relocked { version, sha256: old.sha256.clone(), changes });
    }
    // A job that was never locked is its first version still.
    let version = if old.is_some() { version + 1 } else { version };
    let body = with_version(&body, version);
    let lock = Lock { sha256: contents_sha256(&body)?, replaces: old.map(|l| l.sha256) };
    let text = with_lock(&body, &lock);
    Job::parse(path, &text)?;
    atomically(path, text.as_bytes())?;
    Ok(Relocked { version, sha256: lock.sha256, changes })
}

/// The text with another version number in its first `version =`.
fn with_version(text: &str, version: u32) -> String {
    let mut done = false;
    let line = |line: &str| {
        let is_it = !done && line.split('=').next().is_some_and(|key| key.trim() == "version");
        done |= is_it;
        if is_it { format!("version = {version}") } else { line.to_owned() }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}
