//! Which file an output may replace: one of its own kind. A name given by mistake must not cost a micrograph.

use crate::{ImageError, MaskNote};
use std::io::Read as _;
use std::path::Path;

/// What an output is, and so what it may be written over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// A mask or label that Sorby wrote, which its note shows.
    Mask,
    /// A page that Sorby wrote, which its `generator` shows.
    Page,
    /// Weights: a safetensors file.
    Weights,
}

/// A page of Sorby has this within its head.
pub const PAGE_GENERATOR: &str = "<meta name=\"generator\" content=\"Sorby\">";

impl OutputKind {
    fn words(self) -> &'static str {
        match self {
            Self::Mask => "a mask that Sorby wrote",
            Self::Page => "a page that Sorby wrote",
            Self::Weights => "a safetensors file",
        }
    }

    fn fits(self, path: &Path) -> bool {
        match self {
            Self::Mask => MaskNote::read(path).is_some(),
            Self::Page => head(path).is_some_and(|h| String::from_utf8_lossy(&h).contains(PAGE_GENERATOR)),
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
        LabelMap::filled(4, 3, 1).write_mask(&at("mask"), &[[0; 3]; 2], &MaskNote::default()).unwrap();
        LabelMap::filled(4, 3, 1).write_png(&at("label-of-others"), &[[0; 3]; 2]).unwrap();
        std::fs::write(at("page"), format!("<!doctype html><head>{PAGE_GENERATOR}</head>")).unwrap();
        std::fs::write(at("page-of-others"), "<!doctype html><head></head>").unwrap();
        std::fs::write(at("weights"), b"\x02\0\0\0\0\0\0\0{}").unwrap();
        std::fs::write(at("manifest"), "[[classes]]").unwrap();
        std::fs::write(at("empty"), "").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        let kinds = [OutputKind::Mask, OutputKind::Page, OutputKind::Weights];
        for name in
            ["mask", "label-of-others", "page", "page-of-others", "weights", "manifest", "empty", "folder"]
        {
            for (kind, own) in kinds.into_iter().zip(["mask", "page", "weights"]) {
                assert_eq!(require_replaceable(&at(name), kind).is_ok(), name == own, "{kind:?} over {name}");
            }
        }
        assert!(kinds.into_iter().all(|kind| require_replaceable(&at("new"), kind).is_ok()));
    }
}
