//! Text files that instruments write next to an image.

use super::metadata::read_limited;
use super::text;
use crate::names::{composed, parent_of};
use crate::{OneLine, files};
use std::path::{Path, PathBuf};

pub(super) struct Sidecar {
    pub name: String,
    pub text: String,
}

/// Sidecars of an image, in the order of their names, and those that are there but cannot be read.
///
/// For `steel.tif` these are `steel.txt`, `steel.hdr`, `steel.tif.txt`, `steel.tif.hdr`, `steel-tif.txt` and
/// `steel-tif.hdr` (Tescan's own way), in capital or small letters: Windows does not distinguish them.
pub(super) fn of(image: &Path) -> (Vec<Sidecar>, Vec<String>) {
    let (mut sidecars, mut unreadable) = (Vec::new(), Vec::new());
    for path in names(image) {
        let name = OneLine(path.file_name().unwrap_or_default().to_string_lossy()).to_string();
        match read_limited(&path) {
            Ok(Some(bytes)) => sidecars.push(Sidecar { name, text: text::decode(&bytes) }),
            Ok(None) => {}
            Err(error) => unreadable.push(format!("{name} next to it cannot be read ({error})")),
        }
    }
    (sidecars, unreadable)
}

/// Whether a file may state the pixel size of an image next to it, by its ending.
pub fn is_sidecar(file: &Path) -> bool {
    file.extension().is_some_and(|e| e.eq_ignore_ascii_case("txt") || e.eq_ignore_ascii_case("hdr"))
}

/// The files next to an image that belong to it, whether they can be read or not.
pub fn sidecars(image: &Path) -> Vec<PathBuf> {
    names(image)
}

fn names(image: &Path) -> Vec<PathBuf> {
    let (Some(stem), Some(name)) = (image.file_stem(), image.file_name()) else { return Vec::new() };
    let (stem, name) = (stem.to_string_lossy(), name.to_string_lossy());
    let Ok(entries) = files::entries(parent_of(image)) else { return Vec::new() };
    let mut found: Vec<(bool, PathBuf)> = entries
        .into_iter()
        .filter_map(|path| {
            let file = path.file_name()?.to_string_lossy().into_owned();
            let exact = belongs(&file, &stem, &name)
                .or_else(|| belongs(&composed(&file), &composed(&stem), &composed(&name)).map(|_| false))?;
            // A sidecar may be a link to one.
            files::is_file(&path).then_some((exact, path))
        })
        .collect();
    // Where `a.tif` and `A.tif` lie in one folder, each has its own.
    if found.iter().any(|f| f.0) {
        found.retain(|f| f.0);
    }
    found.sort();
    found.into_iter().map(|f| f.1).collect()
}

/// Whether a file's name is that of a sidecar, and if so, whether in the very letters of the image's name.
fn belongs(file: &str, stem: &str, name: &str) -> Option<bool> {
    if !is_sidecar(Path::new(file)) {
        return None;
    }
    let own = &file[..file.len() - ".txt".len()];
    if own == stem || own == name {
        return Some(true);
    }
    let (own_small, stem_small) = (own.to_lowercase(), stem.to_lowercase());
    let dashed = name.rsplit_once('.').map(|(_, format)| format.to_lowercase()).and_then(|format| {
        let rest = own_small.strip_prefix(&stem_small)?.strip_prefix('-')?;
        let same = |format: &str| match format {
            "tiff" => "tif".to_owned(),
            "jpeg" => "jpg".to_owned(),
            other => other.to_owned(),
        };
        (same(rest) == same(&format)).then(|| own.starts_with(stem))
    });
    dashed.or_else(|| (own_small == stem_small || own_small == name.to_lowercase()).then_some(false))
}

#[cfg(test)]
mod tests {
    use super::{belongs, of};

    #[test]
    fn names_of_sidecars() {
        for (file, exact) in [
            ("Steel 1.a.txt", Some(true)),
            ("Steel 1.a.TXT", Some(true)),
            ("Steel 1.a.Txt", Some(true)),
            ("Steel 1.a.hdr", Some(true)),
            ("Steel 1.a.TIF.txt", Some(true)),
            ("Steel 1.a-tif.hdr", Some(true)),
            ("Steel 1.a-TIFF.HDR", Some(true)),
            ("STEEL 1.A.TXT", Some(false)),
            ("steel 1.a-tif.hdr", Some(false)),
            ("steel 1.a.tif.txt", Some(false)),
            ("Steel 1.a-png.hdr", None),
            ("Steel 1.txt", None),
            ("Steel 1.a.tif", None),
            ("Steel 1.a.png.txt", None),
            ("txt", None),
            ("ä.txt", None),
            ("\u{1f52c}xt", None),
        ] {
            assert_eq!(belongs(file, "Steel 1.a", "Steel 1.a.TIF"), exact, "{file}");
        }
        assert_eq!(belongs("ÄTZUNG.TXT", "Ätzung", "Ätzung.png"), Some(false));
    }

    #[test]
    fn each_image_has_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let found = |name: &str| -> Vec<String> { of(&at(name)).0.into_iter().map(|s| s.name).collect() };
        std::fs::write(at("A.TXT"), "1").unwrap();
        std::fs::create_dir(at("a.hdr")).unwrap();
        assert_eq!(found("a.tif"), ["A.TXT"]);
        std::fs::write(at("a.txt"), "2").unwrap();
        assert_eq!(found("a.tif"), ["a.txt"]);
        assert_eq!(found("A.tif"), ["A.TXT"]);
        std::fs::write(at("a.tif.hdr"), "3").unwrap();
        assert_eq!(found("a.tif"), ["a.tif.hdr", "a.txt"]);
        assert_eq!(found("b.tif"), [""; 0]);
        std::fs::write(at("u\u{308}1.txt"), "4").unwrap();
        assert_eq!(found("ü1.tif"), ["u\u{308}1.txt"], "decomposed");
        std::fs::write(at("ü1.txt"), "5").unwrap();
        assert_eq!(found("ü1.tif"), ["ü1.txt"]);
        assert_eq!(found("u\u{308}1.tif"), ["u\u{308}1.txt"]);
        std::fs::write(at("b.txt"), vec![b' '; (4 << 20) + 1]).unwrap();
        assert_eq!(found("b.tif"), [""; 0], "too long for a sidecar");
    }
}
