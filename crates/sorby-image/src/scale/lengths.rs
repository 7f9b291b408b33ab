//! Lengths as instruments write them: numbers of every country, units in every spelling.

/// What stands where a pixel size should be, and is none.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    /// Something else than a length of the specimen: diffraction patterns, pixels, printing resolutions.
    NoScale(String),
    /// It may be a length, but which cannot be known.
    Unreadable(String),
}

pub(super) enum Unit {
    /// A length of so many nanometres.
    Length(f64),
    /// Not calibrated, or calibrated in something that is no length; says what.
    NoLength(&'static str),
    Unknown,
}

/// What is left of the Greek letter or the micro sign in other codings, in lower case: UTF-8, Shift-JIS (also read as
/// Windows-1252), GB 2312 or EUC-JP, Big5, KS X 1001, ISO 8859-7 and code page 850 read as Latin-1; Latin-1 read as
/// half-width katakana; what could not be coded at all; and escapes of Java, HTML and XML.
const MICRO: [&str; 24] = [
    "µ", "μ", "u", "âµ", "î¼", "\u{83}ê", "ƒê", "¦ì", "£g", "¥ì", "ì", "æ", "ｵ", "\u{fffd}", "?", "\\u00b5",
    "\\u03bc", "&#181;", "&#xb5;", "&#956;", "&#x3bc;", "&micro;", "&mu;", "\\xb5",
];

pub(super) fn unit(text: &str) -> Unit {
    let lower: String = text.chars().filter(|c| !c.is_whitespace()).map(half_width).collect();
    let lower = lower.to_lowercase();
    let lower = lower.trim_matches(|c| "[](){}\"'".contains(c));
    if ["1/", "^-1", "⁻¹", "**-1"].iter().any(|s| lower.contains(s)) {
        return Unit::NoLength("a reciprocal length, as of a diffraction pattern");
    }
    let lower = ["/px", "/pixel", "/pix", "perpixel", "perpx"]
        .iter()
        .find_map(|end| lower.strip_suffix(end))
        .unwrap_or(lower);
    if MICRO.iter().any(|micro| lower.strip_suffix('m') == Some(micro)) {
        return Unit::Length(1e3);
    }
    Unit::Length(match lower {
        "m" | "metre" | "meter" | "metres" | "meters" => 1e9,
        "dm" => 1e8,
        "in" | "inch" | "inches" => 2.54e7,
        "cm" | "centimetre" | "centimeter" | "centimetres" | "centimeters" | "㎝" => 1e7,
        "mm" | "millimetre" | "millimeter" | "millimetres" | "millimeters" | "㎜" => 1e6,
        "µ" | "μ" | "㎛" | "micron" | "microns" | "micrometre" | "micrometer" | "micrometres"
        | "micrometers" | "mikrometer" | "mikron" => 1e3,
        "nm" | "nanometre" | "nanometer" | "nanometres" | "nanometers" | "㎚" => 1.0,
        // Also as UTF-8 and as Shift-JIS read as Latin-1.
        "å" | "a" | "ang" | "angstrom" | "angstroms" | "ångström" | "ångstrom" | "ã\u{85}" | "\u{81}ð"
        | "\\u00c5" | "&#197;" | "&aring;" => 0.1,
        "pm" | "picometre" | "picometer" | "picometres" | "picometers" => 1e-3,
        "fm" => 1e-6,
        "" => return Unit::NoLength("without a unit"),
        "px" | "pixel" | "pixels" | "pix" | "referenceframe" => {
            return Unit::NoLength("pixels, so not calibrated");
        }
        "rad" | "mrad" | "deg" | "°" | "ev" | "kev" | "s" | "ms" | "µs" | "sec" | "kv" | "counts"
        | "a.u." => {
            return Unit::NoLength("not a length");
        }
        _ => return Unit::Unknown,
    })
}

/// Japanese texts may have letters as wide as ideographs.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// `value` in a unit, as nanometres.
pub(super) fn in_unit(value: f64, name: &str) -> Result<f64, Fault> {
    match unit(name) {
        Unit::Length(nm) => Ok(value * nm),
        Unit::NoLength(what) => {
            let statement = short(&format!("{value} {}", name.trim()));
            Err(Fault::NoScale(format!("states `{}`: {what}", statement.trim())))
        }
        Unit::Unknown => Err(unknown_unit(&format!("{value} {}", name.trim()))),
    }
}

fn unknown_unit(statement: &str) -> Fault {
    Fault::Unreadable(format!("states `{}`: unit not known", short(statement)))
}

/// "2.615 µm", "500nm": a number and its unit, or the one that it is known to be in.
pub(super) fn parse(text: &str, comma: Comma, known: Option<&str>) -> Result<f64, Fault> {
    let text = text.trim();
    let (value, rest) = split(text);
    let value =
        number(value, comma).map_err(|why| Fault::Unreadable(format!("states `{}`: {why}", short(text))))?;
    match (rest.trim(), known) {
        ("", Some(known)) => in_unit(value, known),
        ("", None) => Err(Fault::Unreadable(format!("states `{}` without a unit", short(text)))),
        (own, _) => match unit(own) {
            Unit::Length(nm) => Ok(value * nm),
            Unit::NoLength(what) => Err(Fault::NoScale(format!("states `{}`: {what}", short(text)))),
            Unit::Unknown => Err(unknown_unit(text)),
        },
    }
}

/// The beginning of a text, for a message of one line.
pub(super) fn short(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect()
}

/// Where the number ends and its unit begins.
fn split(text: &str) -> (&str, &str) {
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    let is_sign = |c: char| "+-\u{2212}".contains(c);
    let digit_at = |i: usize| letters.get(i).is_some_and(|l| l.1.is_ascii_digit());
    let mut at = 0;
    while let Some(&(_, c)) = letters.get(at) {
        let exponent = "eEdD".contains(c)
            && at > 0
            && (digit_at(at + 1) || letters.get(at + 1).is_some_and(|l| is_sign(l.1)) && digit_at(at + 2));
        if !(c.is_ascii_digit() || ".,'\u{2019}".contains(c) || is_sign(c) || c.is_whitespace() || exponent) {
            break;
        }
        at += 1;
    }
    let mut end = letters.get(at).map_or(text.len(), |l| l.0);
    // The 1 of "5 1/nm" is part of the unit.
    if text[end..].starts_with('/') {
        end = text[..end].trim_end().rfind(char::is_whitespace).unwrap_or(end);
    }
    (&text[..end], &text[end..])
}

/// What a comma within a number means in a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comma {
    Unknown,
    Decimal,
    Thousands,
}

impl Comma {
    /// By the other numbers of the text: `7,9` has a decimal comma, `1,234.5` none.
    pub fn of(text: &str) -> Self {
        let (mut decimal, mut thousands) = (false, false);
        for line in text.lines() {
            let value = line.split_once('=').or_else(|| line.trim().split_once(' ')).map_or(line, |l| l.1);
            let (number, unit) = split(value.trim());
            if number.contains(',') && unit.len() <= 8 {
                match meaning(number.trim()) {
                    Some(Self::Decimal) => decimal = true,
                    Some(Self::Thousands) => thousands = true,
                    _ => {}
                }
            }
        }
        match (decimal, thousands) {
            (true, false) => Self::Decimal,
            (false, true) => Self::Thousands,
            _ => Self::Unknown,
        }
    }
}

/// What the commas of one number mean; `None` where it is no number, `Unknown` where both would do.
fn meaning(number: &str) -> Option<Comma> {
    let mantissa = number.split(['e', 'E', 'd', 'D']).next()?.trim_start_matches(['+', '-', '\u{2212}']);
    let digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let parts: Vec<&str> = mantissa.split(',').collect();
    let grouped = (1..=3).contains(&parts[0].len())
        && parts[1..].iter().enumerate().all(|(i, part)| {
            let whole = if i + 2 == parts.len() { part.split('.').next().unwrap_or(part) } else { part };
            whole.len() == 3 && digits(whole)
        });
    match parts.as_slice() {
        [_] => Some(Comma::Unknown),
        [_, last] if !last.contains('.') => {
            Some(if grouped && parts[0] != "0" && !number.contains(['e', 'E', 'd', 'D']) {
                Comma::Unknown
            } else {
                Comma::Decimal
            })
        }
        _ if grouped => Some(Comma::Thousands),
        _ => None,
    }
}

/// A number with a decimal point or comma and, at most, groups of three digits.
///
/// # Errors
/// Says why it is none, or that it could be two.
pub(super) fn number(text: &str, comma: Comma) -> Result<f64, String> {
    let text = text.trim().replace('\u{2212}', "-");
    let (mantissa, exponent) = match text.find(['e', 'E', 'd', 'D']) {
        Some(at) => (&text[..at], format!("e{}", &text[at + 1..])),
        None => (text.as_str(), String::new()),
    };
    let mantissa =
        ungrouped(mantissa, |c| c.is_whitespace() || "'\u{2019}".contains(c)).ok_or("not a number")?;
    let (commas, points) = (mantissa.matches(',').count(), mantissa.matches('.').count());
    let plain = match (commas, points) {
        (0, 0 | 1) => Some(mantissa),
        (0, _) => ungrouped(&mantissa, |c| c == '.'),
        (1, 0) => {
            let meant = if exponent.is_empty() { meaning(&mantissa) } else { Some(Comma::Decimal) };
            match (meant, comma) {
                (Some(Comma::Decimal), _) | (Some(Comma::Unknown), Comma::Decimal) => {
                    Some(mantissa.replace(',', "."))
                }
                (Some(Comma::Unknown), Comma::Thousands) => Some(mantissa.replace(',', "")),
                (Some(Comma::Unknown), Comma::Unknown) => {
                    let (point, none) = (mantissa.replace(',', "."), mantissa.replace(',', ""));
                    return Err(format!("could be {point} or {none}"));
                }
                _ => None,
            }
        }
        // Both: the last of them is the decimal mark.
        (_, 1) if mantissa.find('.') > mantissa.rfind(',') => ungrouped(&mantissa, |c| c == ','),
        (1, _) if mantissa.find(',') > mantissa.rfind('.') => {
            ungrouped(&mantissa, |c| c == '.').map(|m| m.replace(',', "."))
        }
        (_, 0) => ungrouped(&mantissa, |c| c == ','),
        _ => None,
    };
    let value = plain.and_then(|plain| format!("{plain}{exponent}").parse::<f64>().ok());
    value.ok_or_else(|| "not a number".to_owned())
}

/// Takes the marks between groups of three digits away; `None` where the groups are others.
fn ungrouped(mantissa: &str, mark: impl Fn(char) -> bool) -> Option<String> {
    let whole = mantissa.trim();
    let end = whole.rfind(['.', ',']).filter(|at| !whole[*at..].starts_with(&mark)).unwrap_or(whole.len());
    let groups: Vec<&str> = whole[..end].split(&mark).collect();
    let first = groups[0].trim_start_matches(['+', '-']);
    let sound = groups.len() == 1
        || (1..=3).contains(&first.len())
            && groups[1..].iter().all(|g| g.len() == 3 && g.chars().all(|c| c.is_ascii_digit()));
    (sound && !whole[end..].contains(&mark)).then(|| groups.concat() + &whole[end..])
}

#[cfg(test)]
mod tests {
    use super::{Comma, Fault, number, parse};

    #[test]
    fn lengths_with_units() {
        for (text, nm) in [
            ("2.615 µm", 2615.0),
            ("2.615 μm", 2615.0),
            ("93.89 nm", 93.89),
            ("5um", 5000.0),
            ("5 UM", 5000.0),
            ("850 pm", 0.85),
            ("2.677 mm", 2.677e6),
            ("1e-6 m", 1000.0),
            ("5.0E-8m", 50.0),
            ("5,0E-8 m", 50.0),
            ("5.0D-08 m", 50.0),
            ("\u{ff11}\u{ff10}\u{ff4e}\u{ff4d}", f64::NAN),
            ("10\u{ff4e}\u{ff4d}", 10.0),
            ("1\u{83}\u{ca}m", 1000.0),
            ("1ƒÊm", 1000.0),
            ("1\u{ff75}m", 1000.0),
            ("1¦Ìm", 1000.0),
            ("1Âµm", 1000.0),
            ("1Î¼m", 1000.0),
            ("1?m", 1000.0),
            ("1 &#181;m", 1000.0),
            ("1 \\u00B5m", 1000.0),
            ("1㎛", 1000.0),
            ("5 Å", 0.5),
            ("0.5 nm/pixel", 0.5),
            ("0.5 [nm]", 0.5),
            ("1 inch", 2.54e7),
            ("1 234,5 nm", 1234.5),
        ] {
            match parse(text, Comma::Unknown, None) {
                Ok(got) => assert!((got / nm - 1.0).abs() < 1e-12, "{text}: {got}"),
                Err(error) => assert!(nm.is_nan(), "{text}: {error:?}"),
            }
        }
        assert_eq!(parse("12", Comma::Unknown, Some("nm")), Ok(12.0));
        assert!(matches!(parse("12", Comma::Unknown, None), Err(Fault::Unreadable(_))));
        assert!(matches!(parse("5 1/nm", Comma::Unknown, None), Err(Fault::NoScale(_))));
        assert!(matches!(parse("5 pixel", Comma::Unknown, None), Err(Fault::NoScale(_))));
        let Err(Fault::Unreadable(reason)) = parse("50 furlong", Comma::Unknown, Some("m")) else { panic!() };
        assert_eq!(reason, "states `50 furlong`: unit not known");
    }

    #[test]
    fn numbers_of_every_country() {
        for (text, value) in [
            ("5e-008", 5e-8),
            ("0,05", 0.05),
            ("0,050", 0.05),
            ("82,68229", 82.68229),
            ("12,5", 12.5),
            ("1,234.5", 1234.5),
            ("1.234,5", 1234.5),
            ("1'234.5", 1234.5),
            ("1 234.5", 1234.5),
            ("1\u{a0}234,5", 1234.5),
            ("1,234,567", 1_234_567.0),
            ("1.234.567", 1_234_567.0),
            ("1,234,567.5", 1_234_567.5),
            ("1.234", 1.234),
            ("-5", -5.0),
            ("\u{2212}5", -5.0),
            ("+5,25", 5.25),
            ("1,234e-3", 1.234e-3),
            (".5", 0.5),
            ("1234,567", 1234.567),
        ] {
            assert_eq!(number(text, Comma::Unknown), Ok(value), "{text}");
        }
        for text in [
            "",
            "soon",
            "1,23,4",
            "1.2.3",
            "1,2345,678",
            "50 60",
            "1-2",
            "--5",
            "1e",
            "1,234.567,8",
            ",",
            ".",
        ] {
            assert!(number(text, Comma::Unknown).is_err(), "{text}");
        }
    }

    #[test]
    fn a_comma_before_three_digits_is_judged_by_the_other_numbers() {
        let reason = number("82,683", Comma::Unknown).unwrap_err();
        assert!(number("+82,683", Comma::Unknown).is_err());
        assert!(reason.contains("82.683") && reason.contains("82683"), "{reason}");
        assert_eq!(number("82,683", Comma::of("PixelSize=82,683\nWorkingDistance=7,9 mm")), Ok(82.683));
        assert_eq!(number("82,683", Comma::of("PixelSize=82,683\nEmission=1,234.5 nA")), Ok(82683.0));
        assert_eq!(Comma::of("PixelSize=82,683\nPosition=17,250 um"), Comma::Unknown);
        assert_eq!(Comma::of("a=7,9\nb=1,234.5"), Comma::Unknown);
        assert_eq!(Comma::of("Name=steel, grade 5,5 and more text"), Comma::Unknown);
    }
}
