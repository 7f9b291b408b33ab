//! YAML as a description needs it: maps, lists, texts, numbers. Texts stand in double quotes, as JSON writes them.

/// A value.
pub(super) enum Yaml {
    Text(String),
    /// Written as it is: a number or `null`.
    Plain(String),
    /// On one line.
    Row(Vec<Yaml>),
    List(Vec<Yaml>),
    /// In this order; values that are not there are left out.
    Map(Vec<(&'static str, Option<Yaml>)>),
}

pub(super) fn text(text: impl Into<String>) -> Yaml {
    Yaml::Text(text.into())
}

pub(super) fn number(number: impl std::fmt::Display) -> Yaml {
    Yaml::Plain(number.to_string())
}

pub(super) fn row<T: std::fmt::Display>(numbers: &[T]) -> Yaml {
    Yaml::Row(numbers.iter().map(number).collect())
}

/// A map all of whose values are there.
pub(super) fn map<const N: usize>(entries: [(&'static str, Yaml); N]) -> Yaml {
    Yaml::Map(entries.into_iter().map(|(key, value)| (key, Some(value))).collect())
}

impl Yaml {
    /// Lines of a document.
    pub fn document(&self) -> String {
        let mut out = String::new();
        self.block(0, &mut out);
        out
    }

    /// What fits behind a key or a dash, if it is short.
    fn inline(&self) -> Option<String> {
        match self {
            Yaml::Text(text) => Some(serde_json::Value::from(text.as_str()).to_string()),
            Yaml::Plain(plain) => Some(plain.clone()),
            Yaml::Row(items) => {
                let items: Option<Vec<String>> = items.iter().map(Yaml::inline).collect();
                Some(format!("[{}]", items?.join(", ")))
            }
            Yaml::List(items) if items.is_empty() => Some("[]".to_owned()),
            Yaml::List(_) | Yaml::Map(_) => None,
        }
    }

    fn block(&self, indent: usize, out: &mut String) {
        let margin = " ".repeat(indent);
        match self {
            Yaml::Map(entries) => {
                for (key, value) in entries {
                    let Some(value) = value else { continue };
                    match value.inline() {
                        Some(inline) => *out += &format!("{margin}{key}: {inline}\n"),
                        None => {
                            *out += &format!("{margin}{key}:\n");
                            value.block(indent + 2, out);
                        }
                    }
                }
            }
            Yaml::List(items) => {
                for item in items {
                    let mut lines = String::new();
                    match item.inline() {
                        Some(inline) => lines = format!("{margin}  {inline}\n"),
                        None => item.block(indent + 2, &mut lines),
                    }
                    // The dash takes the place of two spaces.
                    *out += &format!("{margin}- {}", &lines[indent + 2..]);
                }
            }
            other => *out += &format!("{margin}{}\n", other.inline().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_reads_as_it_should() {
        let value = map([
            ("name", text("a \"b\": c")),
            ("list", Yaml::List(vec![map([("x", number(1)), ("y", row(&[0.5, 2.0]))]), text("z")])),
            ("deep", map([("empty", Yaml::List(vec![]))])),
        ]);
        let expected =
            "name: \"a \\\"b\\\": c\"\nlist:\n  - x: 1\n    y: [0.5, 2]\n  - \"z\"\ndeep:\n  empty: []\n";
        assert_eq!(value.document(), expected);
    }
}
