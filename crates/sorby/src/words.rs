//! Times, and words of command lines.

/// `1 h 02 min`, `3 min 20 s`, `7 s`.
pub fn duration(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

/// A word of a command line that is shown, so that it can be typed again: in quotes where a shell would take it apart.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c) || (cfg!(windows) && c == '\\');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else if !word.contains(['"', '$', '`', '!']) && (cfg!(windows) || !word.contains('\\')) {
        format!("\"{word}\"")
    } else {
        // Within single quotes a POSIX shell changes nothing.
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        for (word, shown) in [
            ("runs/a-1.toml", "runs/a-1.toml"),
            ("my steel", "\"my steel\""),
            ("it's", "\"it's\""),
            ("", "\"\""),
            ("a$b's", "'a$b'\\''s'"),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }
}
