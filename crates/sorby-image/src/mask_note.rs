//! What a mask written by Sorby says of itself, so that its scale travels with it.

use crate::scale::agreement::{KnownScale, ScaleClaim};
use std::io::BufReader;
use std::path::Path;

/// Keyword of the PNG text chunk.
pub(crate) const KEYWORD: &str = "Sorby mask";

/// Note in a mask file. A file with a note holds class indices, 255 = ignore, whatever its values look like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MaskNote {
    /// Pixel size in nanometres, if it is known.
    pub nm_per_px: Option<f64>,
    /// Where the pixel size comes from.
    pub scale_source: String,
    /// Names of the classes, in order of their indices.
    pub classes: Vec<String>,
}

impl MaskNote {
    /// The note of a mask that was made on an image of this scale.
    pub fn new(scale: Option<&KnownScale>, classes: Vec<String>) -> Self {
        let scale_source = scale.map_or(String::new(), |s| s.source.clone());
        Self { nm_per_px: scale.map(|s| s.nm_per_px), scale_source, classes }
    }

    /// What the note says of the pixel size.
    pub fn claim(&self) -> Option<ScaleClaim> {
        let nm = self.nm_per_px?;
        Some(ScaleClaim::new(nm, format!("the mask's note ({})", self.scale_source)))
    }

    pub(crate) fn to_text(&self) -> String {
        let scale = self.nm_per_px.map_or(String::new(), |nm| {
            format!("nm_per_px={nm}\nscale_source={}\n", self.scale_source.replace('\n', " "))
        });
        let classes: String =
            self.classes.iter().map(|c| format!("class={}\n", c.replace('\n', " "))).collect();
        format!("coding=index\n{scale}{classes}")
    }

    fn from_text(text: &str) -> Self {
        let value = |key: &str| text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='));
        let nm_per_px = value("nm_per_px").and_then(|v| v.parse().ok());
        Self {
            nm_per_px: nm_per_px.filter(|nm: &f64| nm.is_finite() && *nm > 0.0),
            scale_source: value("scale_source").unwrap_or_default().to_owned(),
            classes: text.lines().filter_map(|l| l.strip_prefix("class=")).map(str::to_owned).collect(),
        }
    }

    /// The note of a PNG, `None` for files without one.
    pub fn read(path: &Path) -> Option<Self> {
        let file = std::fs::File::open(path).ok()?;
        let reader = png::Decoder::new(BufReader::new(file)).read_info().ok()?;
        let text = reader.info().utf8_text.iter().find(|t| t.keyword == KEYWORD)?;
        Some(Self::from_text(&text.get_text().ok()?))
    }
}
