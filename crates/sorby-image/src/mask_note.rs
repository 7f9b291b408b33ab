//! What a mask written by Sorby says of itself, so that its scale travels with it.

use crate::guard::guarded;
use crate::scale::agreement::{KnownScale, ScaleClaim};
use crate::{ImageError, LabelMap};
use serde::{Deserialize, Serialize};
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
    /// What made it; `None` for labels, and for masks of other programs and of older versions.
    pub origin: Option<Origin>,
}

/// What made a mask: enough to know later whether masks, a calibration and an image belong together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// BLAKE3 of the model file.
    pub model_blake3: String,
    /// BLAKE3 of the image, see [`Micrograph::pixels_blake3`](crate::Micrograph::pixels_blake3).
    pub image_blake3: String,
    /// How the model was applied, in words.
    pub settings: String,
    /// What part the image had in the making of the model; `None` if the model does not say.
    pub image_part: Option<ImagePart>,
    /// Whether the image is unlike those the model learnt from; `None` if the model cannot say.
    pub unlike_training: Option<bool>,
}

/// What part an image had in the making of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImagePart {
    /// The weights were fitted to it.
    Train,
    /// The model was validated on it, and so perhaps chosen by it.
    Val,
    /// None: it is new to the model.
    Unseen,
}

impl ImagePart {
    const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Unseen];

    /// The word in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Unseen => "unseen",
        }
    }

    /// The part of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }
}

impl Origin {
    fn to_text(&self) -> String {
        let yes_no = |yes: bool| if yes { "yes" } else { "no" };
        [
            ("model_blake3", Some(self.model_blake3.as_str())),
            ("image_blake3", Some(&self.image_blake3)),
            ("segmentation", Some(&self.settings)),
            ("image_part", self.image_part.map(ImagePart::name)),
            ("unlike_training", self.unlike_training.map(yes_no)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}={}\n", value?.replace('\n', " "))))
        .collect()
    }

    fn from_text(value: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let yes = |word: String| match word.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        Some(Self {
            model_blake3: value("model_blake3")?,
            image_blake3: value("image_blake3").unwrap_or_default(),
            settings: value("segmentation").unwrap_or_default(),
            image_part: value("image_part").and_then(|p| ImagePart::from_name(&p)),
            unlike_training: value("unlike_training").and_then(yes),
        })
    }
}

impl MaskNote {
    /// The note of a mask that was made on an image of this scale.
    pub fn new(scale: Option<&KnownScale>, classes: Vec<String>) -> Self {
        let scale_source = scale.map_or(String::new(), |s| s.source.clone());
        Self { nm_per_px: scale.map(|s| s.nm_per_px), scale_source, classes, origin: None }
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
        let origin = self.origin.as_ref().map_or(String::new(), Origin::to_text);
        format!("coding=index\n{scale}{classes}{origin}")
    }

    fn from_text(text: &str) -> Self {
        let value = |key: &str| text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='));
        let nm_per_px = value("nm_per_px").and_then(|v| v.parse().ok());
        Self {
            nm_per_px: nm_per_px.filter(|nm: &f64| nm.is_finite() && *nm > 0.0),
            scale_source: value("scale_source").unwrap_or_default().to_owned(),
            classes: text.lines().filter_map(|l| l.strip_prefix("class=")).map(str::to_owned).collect(),
            origin: Origin::from_text(|key| value(key).map(str::to_owned)),
        }
    }

    /// The note of a PNG, `None` for files without one.
    pub fn read(path: &Path) -> Option<Self> {
        Some(Self::from_text(&text_of(path)?))
    }
}

fn text_of(path: &Path) -> Option<String> {
    let read = || {
        let file = crate::files::open(path).ok()?;
        let reader = png::Decoder::new(BufReader::new(file)).read_info().ok()?;
        let text = reader.info().utf8_text.iter().find(|t| t.keyword == KEYWORD)?;
        text.get_text().ok()
    };
    guarded(path, || Ok(read())).ok().flatten()
}

/// Line of a note that says which pixels it is of.
pub(crate) fn pixels_line(map: &LabelMap) -> String {
    format!("pixels={}\n", pixels(map.width, map.height, &map.labels))
}

/// Width, height and BLAKE3 of a mask's pixels.
fn pixels(width: usize, height: usize, labels: &[u8]) -> String {
    format!("{width}x{height} {}", blake3::hash(labels).to_hex())
}

/// Refuses a mask whose note is of other pixels: a program that changes a picture may keep its text. Notes of older
/// versions do not say of which pixels they are.
///
/// # Errors
/// When the pixels are others, or (`None`) no class indices at all.
pub(crate) fn require_own_pixels(
    path: &Path,
    (width, height): (usize, usize),
    labels: Option<&[u8]>,
) -> Result<(), ImageError> {
    let Some(text) = text_of(path) else { return Ok(()) };
    let Some(said) = text.lines().find_map(|l| l.strip_prefix("pixels=")) else { return Ok(()) };
    if labels.is_some_and(|labels| pixels(width, height, labels) == said) {
        return Ok(());
    }
    let size = format!("{width}x{height}");
    let then = said.split(' ').next().unwrap_or_default();
    let how = if then == size {
        "its pixels were changed".to_owned()
    } else {
        format!("it was {then} and is {size}")
    };
    Err(ImageError::unreadable(
        path,
        format!(
            "was changed by another program, which kept the note that Sorby wrote ({how}): scale and classes that it says may not \
             be true any more; make the mask again, or save it without its text `{KEYWORD}` (as TIFF, say) and its values are read \
             as any mask's"
        ),
    ))
}

/// Line of a note that names the file of another ending whose place the mask has taken.
pub(crate) fn replaces_line(old: &Path) -> std::io::Result<String> {
    Ok(format!("replaces={}\n", fingerprint(old)?))
}

/// Whether a mask says that it has taken the place of this very file. Both are there when a process was ended between
/// writing the one and removing the other.
pub fn supersedes(mask: &Path, old: &Path) -> bool {
    let Some(text) = text_of(mask) else { return false };
    let Some(said) = text.lines().find_map(|l| l.strip_prefix("replaces=")) else { return false };
    fingerprint(old).is_ok_and(|found| found == said)
}

/// Checksum, length and name of a file.
fn fingerprint(path: &Path) -> std::io::Result<String> {
    let bytes = crate::files::read(path)?;
    let mut checksum = flate2::Crc::new();
    checksum.update(&bytes);
    let name = path.file_name().unwrap_or_default().to_string_lossy().replace('\n', " ");
    Ok(format!("{:08x} {} {name}", checksum.sum(), bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_again_what_was_put_into_it() {
        let origin = Origin {
            model_blake3: "aa".into(),
            image_blake3: "bb".into(),
            settings: "window 256, stride 128".into(),
            image_part: Some(ImagePart::Train),
            unlike_training: Some(true),
        };
        let note = MaskNote {
            nm_per_px: Some(7.344),
            scale_source: "Zeiss settings".into(),
            classes: vec!["matrix".into(), "model_blake3=cc".into()],
            origin: Some(origin),
        };
        assert_eq!(MaskNote::from_text(&note.to_text()), note);
        let bare = MaskNote { origin: None, ..note };
        assert_eq!(MaskNote::from_text(&bare.to_text()), bare);
    }

    #[test]
    fn a_note_is_of_its_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let map = LabelMap { width: 3, height: 2, labels: vec![0, 1, 0, 0, 0, 1] };
        map.write_mask(&path, &[[0; 3], [255; 3]], &MaskNote::default()).unwrap();
        let check =
            |labels: Option<&[u8]>, size| require_own_pixels(&path, size, labels).map_err(|e| e.to_string());
        assert_eq!(check(Some(&map.labels), (3, 2)), Ok(()));
        let told = check(Some(&[0, 255, 0, 0, 0, 255]), (3, 2)).unwrap_err();
        assert!(told.contains("its pixels were changed") && told.contains("as TIFF"), "{told}");
        assert!(check(Some(&[0]), (1, 1)).unwrap_err().contains("it was 3x2 and is 1x1"));
        assert!(check(None, (3, 2)).is_err(), "colours");
        map.write_png(&path, &[[0; 3], [255; 3]]).unwrap();
        assert!(require_own_pixels(&path, (1, 1), Some(&[0])).is_ok(), "no note");
    }

    /// Masks of older versions say nothing of what made them, and are read as ever.
    #[test]
    fn notes_without_hashes_are_read() {
        let old = "coding=index\nnm_per_px=12.5\nscale_source=dataset.toml\nclass=matrix\nclass=carbide\n";
        let note = MaskNote::from_text(old);
        assert_eq!((note.nm_per_px, note.classes.len(), note.origin), (Some(12.5), 2, None));
    }
}
