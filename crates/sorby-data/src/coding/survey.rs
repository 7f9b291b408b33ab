//! What one label or mask file holds, before its values are given a meaning.

use super::greys;
use super::objects::pieces;
use super::soft::{self, Soft};
use crate::problem::Problem;
use sorby_image::{LabelFile, LabelValues, MaskNote};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One file, looked at.
#[derive(Clone, Debug)]
pub(crate) struct Survey {
    pub path: PathBuf,
    pub seen: Seen,
}

#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// A mask that Sorby wrote: class indices.
    Noted,
    Values(Values),
}

/// A file of one number per pixel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    /// Bits of a stored number.
    pub bits: u32,
    /// Pixels of each value.
    pub counts: BTreeMap<i64, u64>,
    /// Colours of the values that occur, where the file has a palette.
    pub palette: Option<BTreeMap<i64, [u8; 3]>>,
    /// Connected pieces (corners join) of each value; `None` where neighbours are seldom alike, as in a micrograph.
    pub pieces: Option<BTreeMap<i64, u64>>,
    /// Whether it is nearly 0 and 255, with soft edges or the noise of compression.
    pub soft: Soft,
    /// Compressed with loss.
    pub lossy: bool,
    /// All pixels of 255 are whole rows or columns at the frame, as a data bar's.
    pub bars: bool,
    /// Neighbours differ as in a picture of greys, though the values are few.
    pub graded: bool,
}

/// Values that a picture of classes or objects of one number may have before it is taken for a picture of something.
const MANY: usize = 32;

/// Looks at a file.
///
/// # Errors
/// When it cannot be read, or is no mask whatever others hold: a colour picture, one whose objects may be in its
/// transparency, a micrograph.
pub(crate) fn survey(path: &Path) -> Result<Survey, Problem> {
    if MaskNote::read(path).is_some() {
        return Ok(Survey { path: path.to_owned(), seen: Seen::Noted });
    }
    let file = LabelFile::read(path)?;
    let values = values_of(&file).map_err(|what| Problem::new(path, what))?;
    Ok(Survey { path: path.to_owned(), seen: Seen::Values(values) })
}

fn values_of(file: &LabelFile) -> Result<Values, String> {
    let mut out = Values { bits: file.bits, lossy: file.lossy, ..Values::default() };
    match &file.values {
        LabelValues::Colours(pixels) => return Err(colours_refused(pixels)),
        LabelValues::Small(values) => {
            let mut counts = [0u64; 256];
            values.iter().for_each(|v| counts[usize::from(*v)] += 1);
            out.counts = (0i64..).zip(counts).filter(|(_, n)| *n > 0).collect();
            out.pieces = pieces(file.width, values);
            out.graded = greys::look_graded(file.width, values, &out.counts);
            out.bars = out.counts.contains_key(&255) && greys::are_bars(file.width, values, 255);
        }
        LabelValues::Wide(values) => {
            values.iter().for_each(|v| *out.counts.entry(*v).or_default() += 1);
            out.pieces = pieces(file.width, values);
            out.graded = greys::look_graded(file.width, values, &out.counts);
        }
    }
    out.soft = soft::look(file.width, &file.values, &out);
    out.palette = file.palette.as_ref().map(|palette| {
        let colour = |v: &i64| Some((*v, *palette.get(usize::try_from(*v).ok()?)?));
        out.counts.keys().filter_map(colour).collect()
    });
    require_plain(file)?;
    if out.counts.len() > MANY && !out.soft.is_sure() && (out.graded || !out.mostly_whole()) {
        if let Soft::Unsure(what) = out.soft {
            return Err(what);
        }
        return Err(format!("{}; give the masks", out.as_a_picture()));
    }
    if out.lossy && !out.soft.is_sure() && !out.holds_only(&[0, 255]) {
        return Err(format!(
            "was compressed with loss (JPEG), which changes values ({}): only black and white survive it; save masks as PNG or TIFF",
            out.words()
        ));
    }
    Ok(out)
}

/// Transparency that says nothing else than the values do.
pub(crate) fn require_plain(file: &LabelFile) -> Result<(), String> {
    let Some(alpha) = &file.alpha else { return Ok(()) };
    let cure = "save the mask without transparency";
    let half = alpha.iter().filter(|a| !matches!(a, 0 | 255)).count();
    if half > 0 {
        return Err(format!(
            "{half} of its pixels are partly transparent: what they are cannot be known; {cure}"
        ));
    }
    let value = |i: usize| match &file.values {
        LabelValues::Small(v) => i64::from(v[i]),
        LabelValues::Wide(v) => v[i],
        LabelValues::Colours(v) => i64::from_be_bytes([0, 0, 0, 0, 0, v[i][0], v[i][1], v[i][2]]),
    };
    let (mut clear, mut opaque) = (BTreeMap::new(), BTreeMap::new());
    for (i, a) in alpha.iter().enumerate() {
        *(if *a == 0 { &mut clear } else { &mut opaque }).entry(value(i)).or_insert(0u64) += 1;
    }
    let clear_px: u64 = clear.values().sum();
    // All transparent pixels of one value that no other has: then the values say where they are.
    if clear_px == 0 || opaque.is_empty() || clear.len() == 1 && clear.keys().all(|v| !opaque.contains_key(v))
    {
        return Ok(());
    }
    Err(format!("{clear_px} of its pixels are transparent: the objects, or what is not labelled? {cure}"))
}

fn colours_refused(pixels: &[[u8; 3]]) -> String {
    let mut counts = BTreeMap::<[u8; 3], u64>::new();
    for pixel in pixels {
        *counts.entry(*pixel).or_default() += 1;
        if counts.len() > 4096 {
            break;
        }
    }
    let found = if counts.len() > 8 {
        "many colours".to_owned()
    } else {
        let share = |n: &u64| 100.0 * *n as f64 / pixels.len() as f64;
        let one = |(c, n): (&[u8; 3], &u64)| format!("{} ({:.1} %)", crate::Colour(*c), share(n));
        counts.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    format!(
        "is a colour picture ({found}), not an index or grey mask; give the mask, not the overlay. If classes are \
         painted in pure colours, set labels.kind = \"painted\" and each class's label_color in a dataset.toml"
    )
}

impl Values {
    /// Whether most values are one connected piece each: as numbers of objects are, of which there may be many.
    fn mostly_whole(&self) -> bool {
        let Some(pieces) = &self.pieces else { return false };
        2 * pieces.values().filter(|n| **n == 1).count() > pieces.len()
    }

    /// That it is a picture of something, and the values that say so.
    pub fn as_a_picture(&self) -> String {
        let (low, high) = (self.counts.keys().next(), self.counts.keys().next_back());
        format!(
            "looks like a micrograph or another picture in greys, not like a mask: {} values from {} to {}",
            self.counts.len(),
            low.unwrap_or(&0),
            high.unwrap_or(&0)
        )
    }

    /// Values with their pixels, for messages.
    pub fn words(&self) -> String {
        words(&self.counts)
    }

    pub fn holds_only(&self, allowed: &[i64]) -> bool {
        self.counts.keys().all(|v| allowed.contains(v))
    }
}

/// The first few values with their pixels.
pub(crate) fn words(counts: &BTreeMap<i64, u64>) -> String {
    const SHOWN: usize = 8;
    let mut shown: Vec<String> =
        counts.iter().take(SHOWN).map(|(v, n)| format!("{v} ({n} pixels)")).collect();
    if counts.len() > SHOWN {
        shown.push(format!("... ({} values)", counts.len()));
    }
    shown.join(", ")
}
