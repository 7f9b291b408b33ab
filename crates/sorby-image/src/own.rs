//! Which file an output may replace: one of its own kind. A name given by mistake must not cost a micrograph.

use crate::{ImageError, MaskNote};
use std::io::Read as _;
use std::path::Path;

/// What an output is, and so what it may be written over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// A draft of a label: a mask with a note that names neither classes nor a model. Masks of a model and labels that
    /// somebody has drawn name them.
    Draft,
    /// A page of the data check, which its `generator` and its title show.
    Check,
    /// Weights: a safetensors file. Whether a training made it stands in the file's metadata, which the caller reads.
    Weights,
}

/// A page of Sorby has this within its head.
pub const PAGE_GENERATOR: &str = "<meta name=\"generator\" content=\"Sorby\">";

/// Title of the page of the data check.
pub const CHECK_TITLE: &str = "Check of the data";

impl OutputKind {
    fn words(self) -> &'static str {
        match self {
            Self::Draft => "a draft that Sorby wrote",
            Self::Check => "a page of the data check",
            Self::Weights => "a safetensors file",
        }
    }

    fn fits(self, path: &Path) -> bool {
        match self {
            Self::Draft => {
                MaskNote::read(path).is_some_and(|note| note.classes.is_empty() && note.origin.is_none())
            }
            Self::Check => head(path).is_some_and(|h| {
                let text = String::from_utf8_lossy(&h);
                text.contains(PAGE_GENERATOR) && text.contains(&format!("<title>{CHECK_TITLE}</title>"))
            }),
            // Eight bytes of length, then a JSON object.
            Self::Weights => head(path).is_some_and(|h| h.get(8) == Some(&b'{')),
        }
    }
}

fn head(path: &Path) -> Option<Vec<u8>> {
    const HEAD_BYTES: u64 = 4096;
    let mut bytes = Vec::new();
    crate::files::open(path).ok()?.take(HEAD_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Refuses a name that belongs to a folder or to a file of another kind. To be asked before the work, not after it.
///
/// # Errors
/// Names the file and what to do.
pub fn require_replaceable(path: &Path, kind: OutputKind) -> Result<(), ImageError> {
    let Ok(there) = std::fs::metadata(path) else { return Ok(()) };
    if there.is_dir() {
        return Err(ImageError::unreadable(path, "is a folder; name a file"));
    }
    // A pipe would hold who looks into it for ever.
    if !there.is_file() {
        return Err(ImageError::unreadable(path, "is no regular file; name a file"));
    }
    if kind.fits(path) {
        return Ok(());
    }
    let reason = format!("exists and is not {}; it is not overwritten, choose another name", kind.words());
    Err(ImageError::unreadable(path, reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LabelMap;

    #[test]
    fn an_output_replaces_its_own_kind_only() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        LabelMap::filled(4, 3, 1).write_mask(&at("draft"), &[[0; 3]; 2], &MaskNote::default()).unwrap();
        LabelMap::filled(4, 3, 1).write_png(&at("label-of-others"), &[[0; 3]; 2]).unwrap();
        let page =
            |title: &str| format!("<!doctype html><head>{PAGE_GENERATOR}<title>{title}</title></head>");
        std::fs::write(at("page"), page(CHECK_TITLE)).unwrap();
        std::fs::write(at("report"), page("Report")).unwrap();
        let classes = ["matrix", "carbide"].map(str::to_owned).to_vec();
        let note = MaskNote { classes, ..MaskNote::default() };
        LabelMap::filled(4, 3, 1).write_mask(&at("drawn-label"), &[[0; 3]; 2], &note).unwrap();
        let note = MaskNote { origin: Some(crate::Origin::default()), ..MaskNote::default() };
        LabelMap::filled(4, 3, 1).write_mask(&at("mask-of-model"), &[[0; 3]; 2], &note).unwrap();
        std::fs::write(at("page-of-others"), "<!doctype html><head></head>").unwrap();
        std::fs::write(at("weights"), b"\x02\0\0\0\0\0\0\0{}").unwrap();
        std::fs::write(at("manifest"), "[[classes]]").unwrap();
        std::fs::write(at("empty"), "").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        let kinds = [OutputKind::Draft, OutputKind::Check, OutputKind::Weights];
        let there = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name());
        let there: Vec<String> = there.map(|n| n.into_string().unwrap()).collect();
        assert_eq!(there.len(), 11);
        for name in &there {
            for (kind, own) in kinds.into_iter().zip(["draft", "page", "weights"]) {
                assert_eq!(
                    require_replaceable(&at(name), kind).is_ok(),
                    *name == own,
                    "{kind:?} over {name}"
                );
            }
        }
        assert!(kinds.into_iter().all(|kind| require_replaceable(&at("new"), kind).is_ok()));
    }
}
