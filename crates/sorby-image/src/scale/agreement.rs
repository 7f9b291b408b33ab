//! The one rule for the pixel size of an image: whoever states it (the user, a manifest, a mask's note, a file, its
//! sidecar, the drawn scale bar), all statements agree, or the image is refused with all of them.

use super::{PixelSize, SCALE_TOLERANCE, ScaleReading};
use crate::{DataBar, ImageError, MaskNote, ScaleBar};
use std::path::Path;

/// One statement of a pixel size.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleClaim {
    /// Nanometres per pixel.
    pub nm_per_px: f64,
    /// Who states it, as a person would look for it: `--nm-per-px`, `dataset.toml`, `Zeiss settings, ...`.
    pub source: String,
    /// Share by which the statement itself may be off, above the 2 % that all may: a drawn bar's ends.
    pub uncertainty: f64,
}

impl ScaleClaim {
    /// A statement by `source` that has no uncertainty of its own.
    pub fn new(nm_per_px: f64, source: impl Into<String>) -> Self {
        Self { nm_per_px, source: source.into(), uncertainty: 0.0 }
    }

    /// The scale bar in the picture, `nm` nanometres long by `source`.
    fn of_bar(nm: f64, bar: &ScaleBar, source: &str) -> Self {
        Self {
            nm_per_px: nm / bar.length_px,
            source: format!("{source} over the scale bar's {:.1} pixels", bar.length_px),
            uncertainty: bar.uncertainty_px / bar.length_px,
        }
    }

    fn agrees(&self, other: &Self) -> bool {
        let (low, high) = (self.nm_per_px.min(other.nm_per_px), self.nm_per_px.max(other.nm_per_px));
        high / low - 1.0 <= SCALE_TOLERANCE + self.uncertainty + other.uncertainty
    }
}

/// A pixel size that nothing contradicts.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownScale {
    /// Nanometres per pixel.
    pub nm_per_px: f64,
    /// Who stated it first, as in [`ScaleClaim::source`].
    pub source: String,
}

impl KnownScale {
    /// What is settled, as a statement among others.
    pub fn claim(&self) -> ScaleClaim {
        ScaleClaim::new(self.nm_per_px, &self.source)
    }
}

/// Why an image has no pixel size that can be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScaleError {
    /// Statements that differ by more than 2 %; all that there are.
    #[error("{}; find out which is right and correct the other", told(claims))]
    Contradiction {
        /// All statements, those that agree too.
        claims: Vec<ScaleClaim>,
    },
    /// What the file states cannot be relied on, and nobody else states anything.
    #[error("{reason} (--nm-per-px, or [scale] in dataset.toml)")]
    Unreliable {
        /// What is wrong with the file's statement.
        reason: String,
    },
    /// The file was resized, and what is said of it is the size before.
    #[error(
        "{} says {:.4} nm per pixel, as the file did before the image was resized ({reason}); by its width a pixel is \
         now {resized_nm:.4} nm",
        claim.source, claim.nm_per_px
    )]
    Outdated {
        /// The statement that repeats the size before.
        claim: ScaleClaim,
        /// Nanometres per pixel now, by the width of the image.
        resized_nm: f64,
        /// How the resizing is detected.
        reason: String,
    },
    /// A length is given for a scale bar that is not in the picture.
    #[error("no scale bar is found in the picture; give --nm-per-px")]
    NoScaleBar,
}

/// "A says 1.0000 nm per pixel, but B says 2.0000, C says 3.0000".
fn told(claims: &[ScaleClaim]) -> String {
    let mut text = String::new();
    for (i, claim) in claims.iter().enumerate() {
        let (before, unit) = match i {
            0 => ("", " nm per pixel"),
            1 => (", but ", ""),
            _ => (", ", ""),
        };
        text += &format!("{before}{} says {:.4}{unit}", claim.source, claim.nm_per_px);
    }
    text
}

/// What is stated of an image outside of its file, in the order in which it counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Statements of the user, a manifest or a mask's note; the first counts where all agree.
    pub claims: Vec<ScaleClaim>,
    /// Length in nanometres that the user reads next to the scale bar in the picture.
    pub bar_nm: Option<f64>,
    /// The picture has no data bar, whatever it looks like.
    pub no_data_bar: bool,
}

impl Said {
    /// These statements, and nothing of a bar.
    pub fn of(claims: impl IntoIterator<Item = ScaleClaim>) -> Self {
        Self { claims: claims.into_iter().collect(), ..Self::default() }
    }
}

/// A file's own statements, and the image's shape now and when they were made.
#[derive(Clone, Debug)]
struct Doubt {
    reason: String,
    /// The stated size and the one it became, where the image was resized and kept its shape.
    outdated: Option<(f64, f64)>,
    /// Statements that are sound each for itself and differ: a word from outside chooses between them.
    one_of: Vec<ScaleClaim>,
}

/// Collects all statements of one image's pixel size, and settles them.
#[derive(Clone, Debug, Default)]
pub struct Statements {
    claims: Vec<ScaleClaim>,
    /// Drawn bars whose length the file itself states: they bear witness, but settle nothing alone.
    witnesses: Vec<ScaleClaim>,
    doubts: Vec<Doubt>,
    missing_bar: bool,
}

impl Statements {
    /// Begins with statements from outside of the file; their order stays.
    pub fn new(claims: impl IntoIterator<Item = ScaleClaim>) -> Self {
        Self { claims: claims.into_iter().collect(), ..Self::default() }
    }

    /// What a mask's note says.
    pub fn note(&mut self, note: &MaskNote) {
        self.claims.extend(note.claim());
    }

    /// What a file states, and what its drawn bar shows where the pixels were read. `prefix` names the file where it is
    /// not the one that is spoken of.
    pub fn file(&mut self, prefix: &str, reading: &ScaleReading, bar: Option<DataBar>) {
        let source = |size: &PixelSize| format!("{prefix}{}", size.whereabouts());
        let first = reading.found.as_ref().map(source).unwrap_or_default();
        let written = reading.found.as_ref().and_then(|f| f.scale_bar_nm);
        let drawn = bar.and_then(|b| b.scale_bar).zip(written.filter(|nm| nm.is_finite() && *nm > 0.0));
        self.witnesses.extend(drawn.map(|(bar, nm)| ScaleClaim::of_bar(nm, &bar, &first)));
        match (reading.nm_per_px(), reading.check_scale_bar(bar)) {
            (Ok(Some(nm)), Ok(())) => self.claims.push(ScaleClaim::new(nm, first)),
            (Ok(Some(nm)), Err(reason)) => {
                let outdated = drawn.map(|(bar, written)| (nm, written / bar.length_px));
                self.doubts.push(Doubt { reason: reason.to_string(), outdated, one_of: Vec::new() });
            }
            (Ok(None), _) => {}
            (Err(reason), _) => {
                let each = reading.found.iter().chain(&reading.others);
                let sound = each.filter_map(|size| {
                    let alone =
                        ScaleReading { found: Some(size.clone()), others: Vec::new(), ..reading.clone() };
                    Some(ScaleClaim::new(alone.nm_per_px().ok()??, source(size)))
                });
                let (reason, outdated) = (reason.to_string(), resized(reading));
                self.doubts.push(Doubt { reason, outdated, one_of: sound.collect() });
            }
        }
    }

    /// Adds a length in nanometres that the user reads next to the scale bar of the picture.
    pub fn bar(&mut self, nm: f64, bar: Option<ScaleBar>) {
        match bar {
            Some(bar) => self.claims.push(ScaleClaim::of_bar(nm, &bar, "--bar-nm")),
            None => self.missing_bar = true,
        }
    }

    /// The pixel size by the first statement, when all agree; `None` where there is none.
    ///
    /// # Errors
    /// When two statements differ by more than 2 %, or the file's own cannot be relied on and nobody else's settles it.
    pub fn settle(self) -> Result<Option<KnownScale>, ScaleError> {
        let all: Vec<&ScaleClaim> = self.claims.iter().chain(&self.witnesses).collect();
        let apart = all.iter().enumerate().any(|(i, a)| all[..i].iter().any(|b| !a.agrees(b)));
        if apart {
            return Err(ScaleError::Contradiction { claims: all.into_iter().cloned().collect() });
        }
        let Some(first) = self.claims.first() else {
            return match self.doubts.into_iter().next() {
                Some(doubt) => Err(ScaleError::Unreliable { reason: doubt.reason }),
                None if self.missing_bar => Err(ScaleError::NoScaleBar),
                None => Ok(None),
            };
        };
        for doubt in self.doubts {
            if !doubt.one_of.is_empty() && !doubt.one_of.iter().any(|c| c.agrees(first)) {
                let claims = self.claims.iter().chain(&doubt.one_of).cloned().collect();
                return Err(ScaleError::Contradiction { claims });
            }
            let Some((before, resized_nm)) = doubt.outdated else { continue };
            let before = ScaleClaim::new(before, "");
            let repeats = |c: &&ScaleClaim| c.agrees(&before);
            if let Some(claim) = self.claims.iter().find(repeats) {
                return Err(ScaleError::Outdated { claim: claim.clone(), resized_nm, reason: doubt.reason });
            }
        }
        Ok(Some(KnownScale { nm_per_px: first.nm_per_px, source: first.source.clone() }))
    }
}

/// The pixel size that a file states and the one that it has become, where both sides were resized alike. An image that
/// was cut has another shape, but for cuts that keep it; then the user's word alone cannot be checked.
fn resized(reading: &ScaleReading) -> Option<(f64, f64)> {
    let resized =
        |s: &&PixelSize| s.written_for_px.is_some_and(|(w, h)| w > 0 && h > 0 && w != reading.width_px);
    let found = reading.found.iter().chain(&reading.others).find(resized)?;
    let (width, height) = found.written_for_px?;
    let (nm_x, nm_y) = (found.nm_x, found.nm_y);
    let sound = nm_x.is_finite() && nm_x > 0.0 && (nm_x / nm_y - 1.0).abs() <= SCALE_TOLERANCE;
    let across = f64::from(reading.width_px) / f64::from(width);
    let down = f64::from(reading.height_px) / f64::from(height);
    let bar = f64::from(found.data_bar_px.unwrap_or(0)) / f64::from(height);
    // Half a pixel at each side, and a bar that may have gone or come.
    let open = 1.0 / f64::from(reading.width_px.min(reading.height_px).max(1)) + bar;
    (sound && (down / across - 1.0).abs() <= open).then(|| {
        let nm = (nm_x * nm_y).sqrt();
        (nm, nm / across)
    })
}

/// The pixel size of an image file, without its pixels: a drawn bar is not looked at.
///
/// # Errors
/// [`ImageError::Scale`] where [`Statements::settle`] refuses; else when the file cannot be read.
pub fn of_file(path: &Path, said: &Said) -> Result<Option<KnownScale>, ImageError> {
    let mut statements = Statements::new(said.claims.iter().cloned());
    statements.file("", &super::read(path)?, None);
    statements.settle().map_err(|cause| ImageError::scale(path, cause))
}

/// The pixel size of an image whose pixels, and so its drawn bar, are known.
///
/// # Errors
/// As [`of_file`].
pub fn of_image(
    path: &Path,
    reading: &ScaleReading,
    bar: Option<DataBar>,
    said: &Said,
) -> Result<Option<KnownScale>, ImageError> {
    of_picture(reading, bar, said).map_err(|cause| ImageError::scale(path, cause))
}

/// The same, of a picture that need not be a file's.
pub(crate) fn of_picture(
    reading: &ScaleReading,
    bar: Option<DataBar>,
    said: &Said,
) -> Result<Option<KnownScale>, ScaleError> {
    let mut statements = Statements::new(said.claims.iter().cloned());
    statements.file("", reading, bar);
    if let Some(nm) = said.bar_nm {
        statements.bar(nm, bar.and_then(|b| b.scale_bar));
    }
    statements.settle()
}

#[cfg(test)]
#[path = "agreement_tests.rs"]
mod tests;
