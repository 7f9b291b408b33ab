//! What a run wrote of its logs and models, kept as hashes in its checkpoints and its last status: what differs later
//! was changed by others, and is reported.

use serde::{Deserialize, Serialize};

/// Lines of a log, and a hash that goes on with every line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lines {
    pub lines: u64,
    /// BLAKE3 of the hash before and the last line; empty before the first.
    pub blake3: String,
}

impl Lines {
    /// `line` is without its end.
    pub fn add(&mut self, line: &[u8]) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.blake3.as_bytes()).update(line);
        self.blake3 = hasher.finalize().to_hex().to_string();
        self.lines += 1;
    }

    /// Those of a file.
    pub fn of(bytes: &[u8]) -> Self {
        let mut out = Self::default();
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            out.add(line.strip_suffix(b"\n").unwrap_or(line));
        }
        out
    }

    /// In what a log is another now, in words.
    pub fn difference(&self, now: &Self) -> Option<String> {
        match () {
            () if self == now => None,
            () if now.lines == 0 => Some(format!("its {} lines are gone", self.lines)),
            () if self.lines != now.lines => {
                Some(format!("it has {} lines, and this run wrote {}", now.lines, self.lines))
            }
            () => Some("a line of it is not what this run wrote".into()),
        }
    }
}

/// What a run wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub(crate) metrics: Lines,
    pub(crate) validations: Lines,
    /// BLAKE3 of `best.safetensors`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) best: Option<String>,
    /// Of a finished run: BLAKE3 of `validation_images.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counts: Option<String>,
    /// Of a finished run: BLAKE3 of `model.safetensors`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_a_log_is_seen() {
        let log = b"{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n";
        let mut written = Lines::default();
        log.split(|b| *b == b'\n').filter(|l| !l.is_empty()).for_each(|l| written.add(l));
        assert_eq!(written, Lines::of(log));
        assert_eq!(written.difference(&Lines::of(log)), None);
        for (changed, told) in [
            (&b""[..], "its 3 lines are gone"),
            (b"{\"a\":1}\n", "it has 1 lines, and this run wrote 3"),
            (b"{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n{\"a\":3}\n", "it has 4 lines"),
            (b"{\"a\":1}\n{\"a\":2}\n{\"a\":4}\n", "a line of it"),
            (b"{\"a\":2}\n{\"a\":1}\n{\"a\":3}\n", "a line of it"),
        ] {
            let difference = written.difference(&Lines::of(changed)).unwrap();
            assert!(difference.starts_with(told), "{difference}");
        }
    }
}
