//! Colours of classes, written `#rrggbb`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A colour: red, green, blue, each 0..=255. In files it is a text like `#e69f00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

/// A text that is no colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColourError {
    text: String,
}

impl std::fmt::Display for ColourError {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "`{}` is not a colour; write it as \"#rrggbb\"", self.text)
    }
}

impl std::error::Error for ColourError {}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0[0], self.0[1], self.0[2])
    }
}

impl std::str::FromStr for Colour {
    type Err = ColourError;

    fn from_str(text: &str) -> Result<Self, ColourError> {
        let wrong = || ColourError { text: text.to_owned() };
        let digits = text.strip_prefix('#').filter(|d| d.len() == 6 && d.is_ascii()).ok_or_else(wrong)?;
        let part = |i: usize| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).map_err(|_| wrong());
        Ok(Self([part(0)?, part(1)?, part(2)?]))
    }
}

impl Serialize for Colour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Colour of class `index` where none is given: distinct for colour-blind readers too (Okabe-Ito).
pub fn default_colour(index: usize) -> Colour {
    const COLOURS: [[u8; 3]; 8] = [
        [32, 32, 32],
        [230, 159, 0],
        [86, 180, 233],
        [0, 158, 115],
        [240, 228, 66],
        [0, 114, 178],
        [213, 94, 0],
        [204, 121, 167],
    ];
    Colour(COLOURS[index % COLOURS.len()])
}
