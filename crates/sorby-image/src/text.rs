//! Names and lines that come from others.

/// Whether a character may make a line read as another: control characters, ends of lines and paragraphs, and signs that
/// turn the direction of text (UAX #9).
pub fn is_strange(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::is_strange;

    #[test]
    fn letters_of_all_scripts_are_plain() {
        assert!(!"Zaß µm ²  日本 עברית-1.png".contains(is_strange));
        for c in ['\n', '\u{1b}', '\u{202e}', '\u{2067}', '\u{2029}', '\u{7f}'] {
            assert!(is_strange(c), "{c:?}");
        }
    }
}
