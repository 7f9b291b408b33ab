//! What is wrong with a TOML file, in words of somebody who writes one, not of the parser.

/// A TOML error's message on one line: what is wrong, what to write instead, and where.
pub fn one_line(message: &str) -> String {
    let lines: Vec<&str> = message.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let (first, last) = (lines.first().copied().unwrap_or(""), lines.last().copied().unwrap_or(""));
    // The parser draws the place of a fault of grammar first, and says what it is last.
    let drawn = first.starts_with("TOML parse error");
    let (what, place) = match lines.len() {
        0 | 1 => (first, None),
        _ if drawn => (
            last,
            Some(first.trim_start_matches("TOML parse error at ").trim_start_matches("TOML parse error")),
        ),
        _ => (first, Some(last)),
    };
    let said = in_words(what);
    let path = lines.iter().any(|l| l.contains(":\\")) || what.contains("escape");
    let cure = if path { "; write a Windows path with / or between single quotes, 'C:\\steel'" } else { "" };
    match place.filter(|p| !p.is_empty()) {
        Some(place) => format!("{said}: {place}{cure}"),
        None => format!("{said}{cure}"),
    }
}

/// The parser's sentence in plain words; one that is not known stays.
fn in_words(what: &str) -> String {
    if let Some((what_kind, name, known)) = unknown(what) {
        let names: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let near = nearest(name, &names).map_or(String::new(), |n| format!("; did you mean `{n}`?"));
        let list =
            if names.is_empty() { String::new() } else { format!(" (there are {})", names.join(", ")) };
        return format!("unknown {what_kind} `{name}`{near}{list}");
    }
    if let Some((given, expected)) =
        what.strip_prefix("invalid type: ").and_then(|w| w.split_once(", expected "))
    {
        return format!("must be {}, not {}", kind(expected), given_in_words(given));
    }
    if let Some((given, expected)) =
        what.strip_prefix("invalid value: ").and_then(|w| w.split_once(", expected "))
    {
        return format!("must be {}, not {}", kind(expected), given_in_words(given));
    }
    what.to_owned()
}

/// Whether a key or a value is unknown, its name, and the list of those that there are.
fn unknown(what: &str) -> Option<(&'static str, &str, &str)> {
    let (kind, rest) = match what.strip_prefix("unknown field `") {
        Some(rest) => ("key", rest),
        None => ("value", what.strip_prefix("unknown variant `")?),
    };
    let (name, known) = rest.split_once('`')?;
    Some((kind, name, known))
}

/// What is most like a mistyped name, if anything is.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    const LIKE: f64 = 0.75;
    let scored = known.iter().map(|k| (strsim::jaro_winkler(&name.to_lowercase(), &k.to_lowercase()), *k));
    scored.filter(|s| s.0 >= LIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|s| s.1)
}

/// The parser's name of a type in words.
fn kind(expected: &str) -> &str {
    match expected {
        "f32" | "f64" => "a number, such as 2.5",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 up",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a boolean" => "true or false",
        "a string" => "a text in quotes",
        "a sequence" => "a list in brackets, such as [\"a\", \"b\"]",
        "a map" => "a table of keys",
        other => other,
    }
}

fn given_in_words(given: &str) -> String {
    let value = || given.split('`').nth(1).unwrap_or(given);
    match given.split_whitespace().next() {
        Some("string") => format!("the text {}", given.trim_start_matches("string ")),
        Some("integer" | "floating" | "boolean") => value().to_owned(),
        Some("map") => "a table".to_owned(),
        Some("sequence") => "a list".to_owned(),
        _ => given.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only the messages are looked at")]
    struct Recipe {
        lr: Option<f64>,
        crop: Option<u32>,
        flip: Option<bool>,
        names: Option<Vec<String>>,
        kind: Option<Kind>,
        path: Option<String>,
    }

    #[derive(Deserialize, Debug)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Weak,
        Strong,
    }

    fn said(text: &str) -> String {
        one_line(&toml::from_str::<Recipe>(text).unwrap_err().to_string())
    }

    #[test]
    fn mistakes_are_named_in_the_user_s_words() {
        for (text, parts) in [
            ("crob = 1", &["unknown key `crob`; did you mean `crop`?", "lr, crop"][..]),
            ("zzz = 1", &["unknown key `zzz` (there are"]),
            ("kind = \"stong\"", &["unknown value `stong`; did you mean `strong`?"]),
            ("lr = \"abc\"", &["must be a number, such as 2.5, not the text \"abc\""]),
            ("crop = -1", &["must be a whole number from 0 up, not -1"]),
            ("crop = 2.5", &["must be a whole number from 0 up, not 2.5"]),
            ("flip = 1", &["must be true or false, not 1"]),
            ("names = \"a\"", &["must be a list in brackets"]),
            ("path = \"C:\\Users\\a\"", &["with / or between single quotes"]),
        ] {
            let said = said(text);
            assert!(!said.contains('\n') && parts.iter().all(|p| said.contains(p)), "{text}: {said}");
        }
    }

    #[test]
    fn nothing_far_is_proposed() {
        let known = ["optimizer", "schedule", "data"];
        assert_eq!(nearest("optimiser", &known), Some("optimizer"));
        assert_eq!(nearest("Optimizer", &known), Some("optimizer"));
        assert_eq!(nearest("pixel", &known), None);
    }
}
