//! Texts of instruments: their coding, and settings written as `key = value`.

use super::lengths::{self, Comma, Fault};

/// UTF-16 by its mark or its zero bytes, else UTF-8, else Latin-1, in which every byte is a character: what remains of
/// a micro sign of other codings is known to [`lengths::unit`]. Lines end with `\n` alone.
pub(super) fn decode(bytes: &[u8]) -> String {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|b| unit([b[0], b[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    let text = match (bytes, zeros(bytes)) {
        ([0xff, 0xfe, rest @ ..], _) => wide(rest, u16::from_le_bytes),
        ([0xfe, 0xff, rest @ ..], _) => wide(rest, u16::from_be_bytes),
        (_, Zeros::Odd) => wide(bytes, u16::from_le_bytes),
        (_, Zeros::Even) => wide(bytes, u16::from_be_bytes),
        (_, Zeros::Few) => match std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|b| char::from(*b)).collect(),
        },
    };
    text.replace("\r\n", "\n").replace(['\r', '\0'], "\n")
}

/// Where most bytes are zero, as in the UTF-16 of western letters.
#[derive(Clone, Copy, PartialEq)]
enum Zeros {
    Few,
    Even,
    Odd,
}

fn zeros(bytes: &[u8]) -> Zeros {
    // Zeros after the text are padding, not letters.
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 2).min(bytes.len());
    let (pairs, _) = bytes[..end].as_chunks::<2>();
    let many = |n: usize| n >= 2 && n * 10 >= pairs.len() * 7;
    if many(pairs.iter().filter(|p| p[0] != 0 && p[1] == 0).count()) {
        Zeros::Odd
    } else if many(pairs.iter().filter(|p| p[0] == 0 && p[1] != 0).count()) {
        Zeros::Even
    } else {
        Zeros::Few
    }
}

/// Settings as `key=value` lines under `[Section]` lines. Names are compared without regard to case.
pub(super) struct Ini<'a> {
    text: &'a str,
    comma: Comma,
}

impl<'a> Ini<'a> {
    pub fn of(text: &'a str) -> Self {
        Self { text, comma: Comma::of(text) }
    }

    /// The value of `key` in a section, in any section when `section` is empty; `None` where it is blank.
    ///
    /// # Errors
    /// Where it stands there twice with different values.
    pub fn one(&self, section: &str, key: &str) -> Result<Option<&'a str>, Fault> {
        agreed(key, self.all(section, key), |text| Ok(text.to_owned()))?;
        Ok(self.get(section, key))
    }

    /// The first such value, for what says nothing of the scale.
    pub fn get(&self, section: &str, key: &str) -> Option<&'a str> {
        self.all(section, key).next()
    }

    fn all(&self, section: &str, key: &str) -> impl Iterator<Item = &'a str> {
        let mut inside = section.is_empty();
        self.text.lines().map(str::trim).filter_map(move |line| {
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                inside = section.is_empty() || name.trim().eq_ignore_ascii_case(section);
                return None;
            }
            let (name, value) = line.split_once('=').filter(|_| inside)?;
            let value = value.trim();
            (name.trim().eq_ignore_ascii_case(key) && !value.is_empty()).then_some(value)
        })
    }

    /// A length in nanometres, written with its unit or in `unit`.
    ///
    /// # Errors
    /// Where it is no length, or stands there twice with different values.
    pub fn length(&self, section: &str, key: &str, unit: &str) -> Result<Option<f64>, Fault> {
        agreed(key, self.all(section, key), |text| lengths::parse(text, self.comma, Some(unit)))
    }

    /// Rows or columns; `None` where it is no such number.
    ///
    /// # Errors
    /// Where it stands there twice with different values.
    pub fn count(&self, section: &str, key: &str) -> Result<Option<u32>, Fault> {
        let count = |text: &str| {
            let number = lengths::number(text, self.comma).ok()?;
            (number >= 0.0 && number.fract() == 0.0 && number <= f64::from(u32::MAX)).then_some(number as u32)
        };
        agreed(key, self.all(section, key), |text| Ok(count(text))).map(Option::flatten)
    }
}

/// The value of a key that may stand several times in a text.
///
/// # Errors
/// Where one of them cannot be read, or two differ.
pub(super) fn agreed<'a, T: PartialEq>(
    key: &str,
    values: impl Iterator<Item = &'a str>,
    read: impl Fn(&str) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let mut found: Option<(T, &str)> = None;
    for text in values {
        let value = read(text)?;
        match &found {
            Some((first, written)) if *first != value => {
                let (a, b) = (lengths::short(written), lengths::short(text));
                return Err(Fault::Unreadable(format!("states {key} twice, `{a}` and `{b}`")));
            }
            _ => found = Some((value, text)),
        }
    }
    Ok(found.map(|(value, _)| value))
}

/// "1280x960", "1024 * 768", "1280 960": columns and rows.
pub(super) fn size(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split(|c: char| !c.is_ascii_digit()).filter(|p| !p.is_empty()).map(str::parse);
    let size = (parts.next()?.ok()?, parts.next()?.ok()?);
    parts.next().is_none().then_some(size)
}

#[cfg(test)]
mod tests {
    use super::{Ini, decode, size};

    #[test]
    fn texts_of_every_coding() {
        assert_eq!(decode("[Scan]µ".as_bytes()), "[Scan]µ");
        assert_eq!(decode("\u{feff}[Scan]µ".as_bytes()), "[Scan]µ");
        assert_eq!(decode(b"2.6 \xb5m\0").trim_end(), "2.6 µm");
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}[SemImageFile]\r\nPixelSize=5 µm\r\n");
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for mut bytes in [little, big] {
                assert_eq!(decode(&bytes), "[SemImageFile]\nPixelSize=5 µm\n", "{bytes:?}");
                // Padding, and half a character, at the end.
                bytes.extend([0; 41]);
                assert!(decode(&bytes).starts_with("[SemImageFile]\nPixelSize=5 µm\n"));
            }
        }
        assert_eq!(decode(b"a=1\rb=2\r\nc=3\n"), "a=1\nb=2\nc=3\n");
        assert_eq!(decode(b"P\0i\0x\0"), "Pix");
        assert_eq!(decode(&[]), "");
        assert_eq!(decode(&[0; 5]).trim(), "");
    }

    #[test]
    fn a_key_belongs_to_its_section_in_any_case() {
        let ini = Ini::of("[A]\nx=1\n[b]\nX = 2\ny=\n");
        assert_eq!(ini.get("B", "x"), Some("2"));
        assert_eq!(ini.get("", "x"), Some("1"));
        assert_eq!(ini.get("C", "x"), None);
        assert_eq!(ini.get("b", "y"), None, "blank is absent");
        assert_eq!(ini.count("a", "x"), Ok(Some(1)));
        assert!(ini.length("", "x", "nm").is_err(), "two values");
        assert_eq!(ini.length("a", "x", "um").unwrap(), Some(1000.0));
    }

    #[test]
    fn sizes() {
        for text in ["1280x960", "1280 * 960", "1280 960", " 1280X960 "] {
            assert_eq!(size(text), Some((1280, 960)), "{text}");
        }
        for text in ["1280", "", "1280x960x3", "99999999999x3"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
