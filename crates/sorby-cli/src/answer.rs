//! What a verb answers: words for a person and, with `--json`, the same as one JSON object for another program.

use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt::Display;
use std::path::Path;

/// Version of the layout of what `--json` prints; it grows when a key is renamed, removed or gets another meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// The answer of a verb that was not refused.
#[derive(Default)]
pub struct Answer {
    words: String,
    values: Map<String, Value>,
    exit_code: u8,
}

impl Answer {
    pub fn new() -> Self {
        Self::default()
    }

    /// A line for a person.
    pub fn line(&mut self, text: impl Display) {
        self.words += &format!("{text}\n");
    }

    /// Text for a person that has its own line ends, such as a table.
    pub fn text(&mut self, text: &str) {
        self.words += text;
    }

    /// A value for another program. Of paths see [`Answer::set_path`].
    pub fn set(&mut self, key: &str, value: impl Serialize) {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.values.insert(key.to_owned(), value);
    }

    /// A path; JSON has no signs for what is no Unicode in one.
    pub fn set_path(&mut self, key: &str, path: impl AsRef<Path>) {
        self.set(key, path.as_ref().display().to_string());
    }

    /// All keys of a value that is an object.
    pub fn set_all(&mut self, value: impl Serialize) {
        if let Ok(Value::Object(values)) = serde_json::to_value(value) {
            self.values.extend(values);
        }
    }

    /// Something failed after there was an answer: both are given, with this exit code.
    pub fn failed(mut self, error: &str, code: u8) -> Self {
        eprintln!("error: {error}");
        self.set("error", error);
        self.exit(code)
    }

    /// With this exit code: 1 is done with problems.
    pub fn exit(mut self, code: u8) -> Self {
        self.exit_code = code;
        self
    }

    /// Prints what was asked for, and gives the exit code. `verb` is as typed: `data check`.
    pub fn print(self, verb: &str, as_json: bool) -> u8 {
        if as_json {
            println!("{}", pretty(&envelope(verb, self.exit_code, self.values)));
        } else {
            print!("{}", self.words);
        }
        self.exit_code
    }
}

/// What `--json` prints of a refusal.
pub fn print_refusal(verb: &str, error: &str) {
    let values = Map::from_iter([("verb".to_owned(), json!(verb)), ("error".to_owned(), json!(error))]);
    println!("{}", pretty(&envelope("error", 2, values)));
}

/// A file that has a layout of its own, such as `lot.json`, keeps its name and version.
fn envelope(verb: &str, exit_code: u8, mut values: Map<String, Value>) -> Value {
    let own = |key: &str, value: Value| (key.to_owned(), value);
    let name = format!("sorby-{}", verb.replace(' ', "-"));
    for (key, value) in [
        own("schema", name.into()),
        own("schema_version", SCHEMA_VERSION.into()),
        own("exit_code", exit_code.into()),
    ] {
        values.entry(key).or_insert(value);
    }
    Value::Object(values)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

/// A line of an [`Answer`], as `println!` writes it.
macro_rules! say {
    ($answer:expr, $($words:tt)*) => {
        $answer.line(format!($($words)*))
    };
}
pub(crate) use say;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_says_what_it_is_and_keeps_what_it_said_itself() {
        let plain = envelope("data check", 1, Map::from_iter([("a".to_owned(), json!(2))]));
        assert_eq!(plain, json!({"schema": "sorby-data-check", "schema_version": 1, "exit_code": 1, "a": 2}));
        let lot = Map::from_iter([
            ("schema".to_owned(), json!("sorby-lot")),
            ("schema_version".to_owned(), json!(7)),
        ]);
        assert_eq!(envelope("run", 0, lot)["schema"], "sorby-lot");
    }
}
