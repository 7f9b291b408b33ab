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
    /// A mask with a note.
    Mask,
    /// A page of the data check, which its `generator` and its title show.
    Check,
    /// Weights: a safetensors file. Whether a training made it stands in the file's metadata, which the caller reads.
    Weights,
    /// A model exported as ONNX, which names its producer at the beginning.
    Onnx,
    /// A model exported as a package of bioimage.io: its first file begins with [`PACKAGE_MARK`].
    Package,
    /// A model exported as PyTorch weights: [`STATE_DICT_MARK`] is the zip's first name. A checkpoint of a training has
    /// another.
    StateDict,
    /// Its configuration for MMSegmentation, which begins with [`CONFIG_MARK`].
    Config,
}

/// First line of the description in an exported package.
pub const PACKAGE_MARK: &str = "# bioimage.io model, written by Sorby";

/// First name in the zip of exported PyTorch weights.
pub const STATE_DICT_MARK: &str = "sorby/data.pkl";

/// First line of an exported configuration.
pub const CONFIG_MARK: &str = "# Configuration for MMSegmentation 1, written by Sorby";

/// A page of Sorby has this within its head.
pub const PAGE_GENERATOR: &str = "<meta name=\"generator\" content=\"Sorby\">";

/// Title of the page of the data check.
pub const CHECK_TITLE: &str = "Check of the data";

impl OutputKind {
    fn words(self) -> &'static str {
        match self {
            Self::Draft => "a draft that Sorby wrote",
            Self::Mask => "a mask that Sorby wrote",
            Self::Check => "a page of the data check",
            Self::Weights => "a safetensors file",
            Self::Onnx => "an ONNX file that Sorby wrote",
            Self::Package => "a bioimage.io package that Sorby wrote",
            Self::StateDict => "a file of PyTorch that Sorby wrote",
            Self::Config => "a configuration that Sorby wrote",
        }
    }

    fn fits(self, path: &Path) -> bool {
        match self {
            Self::Draft => {
                MaskNote::read(path).is_some_and(|note| note.classes.is_empty() && note.origin.is_none())
            }
            Self::Mask => MaskNote::read(path).is_some(),
            Self::Check => head(path).is_some_and(|h| {
                let text = String::from_utf8_lossy(&h);
                text.contains(PAGE_GENERATOR) && text.contains(&format!("<title>{CHECK_TITLE}</title>"))
            }),
            // Eight bytes of length, then a JSON object.
            Self::Weights => head(path).is_some_and(|h| h.get(8) == Some(&b'{')),
            // Field 1 is the version of the format, field 2 the producer, five letters long.
            Self::Onnx => head(path).is_some_and(|h| h.get(2..9) == Some(b"\x12\x05sorby")),
            Self::Package => head(path).is_some_and(|h| is_zip_with(&h, PACKAGE_MARK)),
            Self::StateDict => head(path).is_some_and(|h| is_zip_with(&h, STATE_DICT_MARK)),
            Self::Config => head(path).is_some_and(|h| h.starts_with(CONFIG_MARK.as_bytes())),
        }
    }
}

/// Whether the head of a zip holds `mark`, as a name or as text that is not compressed.
fn is_zip_with(head: &[u8], mark: &str) -> bool {
    head.starts_with(b"PK") && head.windows(mark.len()).any(|w| w == mark.as_bytes())
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
        std::fs::write(at("onnx"), b"\x08\x07\x12\x05sorby\x1a\x05").unwrap();
        std::fs::write(at("onnx-of-others"), b"\x08\x07\x12\x07pytorch").unwrap();
        std::fs::write(at("package"), format!("PK\x03\x04..rdf.yaml{PACKAGE_MARK}\n")).unwrap();
        std::fs::write(at("state"), format!("PK\x03\x04..{STATE_DICT_MARK}..")).unwrap();
        std::fs::write(at("state-of-others"), "PK\x03\x04..archive/data.pkl..").unwrap();
        std::fs::write(at("config"), format!("{CONFIG_MARK}\nmodel = dict()\n")).unwrap();
        use OutputKind::{Check, Config, Draft, Onnx, Package, StateDict, Weights};
        let kinds = [Draft, Check, Weights, Onnx, Package, StateDict, Config];
        let own_names = ["draft", "page", "weights", "onnx", "package", "state", "config"];
        let there = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name());
        let there: Vec<String> = there.map(|n| n.into_string().unwrap()).collect();
        assert_eq!(there.len(), 17);
        for name in &there {
            for (kind, own) in kinds.into_iter().zip(own_names) {
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
