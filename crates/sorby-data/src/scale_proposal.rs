//! The `[scale]` that is proposed for a data set: what the image files state.

use rayon::prelude::*;
use sorby_image::scale::agreement;
use sorby_image::{ImageError, KnownScale, Said};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const EMPTY: &str =
    "# nm_per_px = 5.0   # pixel size of all images; or per image:\n# [scale.images]\n# \"name\" = 5.0\n";

/// The section, with comments on where the numbers come from and which files are refused.
pub(crate) fn section(images: &[PathBuf]) -> String {
    let ask = |image: &PathBuf| (name_of(image), agreement::of_file(image, &Said::default()));
    let asked: Vec<(String, Result<Option<KnownScale>, ImageError>)> = images.par_iter().map(ask).collect();
    let known: Vec<(&str, &KnownScale)> = asked
        .iter()
        .filter_map(|(name, scale)| Some((name.as_str(), scale.as_ref().ok()?.as_ref()?)))
        .collect();
    let mut out = "\n[scale]\n".to_owned();
    for (name, error) in asked.iter().filter_map(|(name, scale)| Some((name, scale.as_ref().err()?))) {
        let reason = match error {
            ImageError::Scale { cause, .. } => cause.to_string(),
            other => other.to_string(),
        };
        out += &format!("# {}: {}\n", one_line(name), one_line(&reason));
    }
    let Some((_, first)) = known.first() else { return out + EMPTY };
    let same = known.iter().all(|(_, k)| (k.nm_per_px / first.nm_per_px - 1.0).abs() < 1e-6);
    let sources: BTreeSet<&str> = known.iter().map(|(_, k)| k.source.as_str()).collect();
    let sources = sources.into_iter().collect::<Vec<_>>().join("; ");
    if same && known.len() == asked.len() {
        let nm = seven_digits(first.nm_per_px);
        return out
            + &format!("nm_per_px = {nm}   # as all {} files state: {}\n", known.len(), one_line(&sources));
    }
    out += &format!("[scale.images]   # as the files state: {}\n", one_line(&sources));
    for (name, scale) in known {
        out += &format!("{} = {}\n", key(name), seven_digits(scale.nm_per_px));
    }
    for (name, _) in asked.iter().filter(|(_, scale)| matches!(scale, Ok(None))) {
        out += &format!("# {} = 5.0   # its file states nothing\n", key(name));
    }
    out
}

fn name_of(image: &Path) -> String {
    image.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A name as a key of a TOML table.
fn key(name: &str) -> String {
    toml::Value::String(name.to_owned()).to_string()
}

/// As many digits as any file means: what a conversion of units adds behind them is dropped.
fn seven_digits(nm: f64) -> f64 {
    format!("{nm:.6e}").parse().unwrap_or(nm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sorby_image::write::{PngKind, png};

    fn images(folder: &Path, stated: &[(&str, Option<&str>)]) -> Vec<PathBuf> {
        let write = |(name, nm): &(&str, Option<&str>)| {
            let file = folder.join(format!("{name}.png"));
            png(&file, 4, 2, PngKind::Grey, &[9; 8]).unwrap();
            if let Some(text) = nm {
                std::fs::write(folder.join(format!("{name}.txt")), format!("[SemImageFile]\r\n{text}\r\n"))
                    .unwrap();
            }
            file
        };
        stated.iter().map(write).collect()
    }

    fn proposed(stated: &[(&str, Option<&str>)]) -> (String, crate::Scale) {
        let folder = tempfile::tempdir().unwrap();
        let text = section(&images(folder.path(), stated));
        let classes = "[[classes]]\nname = \"a\"\n[[classes]]\nname = \"b\"\n";
        let manifest = crate::Manifest::parse(&format!("{classes}{text}")).unwrap();
        (text, manifest.scale)
    }

    #[test]
    fn one_size_for_all() {
        let (text, scale) = proposed(&[("a", Some("PixelSize=7.344")), ("b", Some("PixelSize=7.344"))]);
        assert_eq!(scale.nm_per_px, Some(7.344), "{text}");
        assert!(scale.images.is_empty() && text.contains("all 2 files"), "{text}");
    }

    #[test]
    fn sizes_of_some() {
        let stated = [("a \"x\"", Some("PixelSize=7.344")), ("é", Some("PixelSize=10")), ("silent", None)];
        let (text, scale) = proposed(&stated);
        assert_eq!(scale.nm_per_px, None);
        assert_eq!(scale.images.len(), 2, "{text}");
        assert_eq!((scale.images["a \"x\""], scale.images["é"]), (7.344, 10.0));
        assert!(text.contains("silent"), "{text}");
    }

    #[test]
    fn a_refused_file_is_named_and_none_is_proposed_for_all() {
        let stated = [("a", Some("PixelSize=7.344")), ("half", Some("PixelSize=7.344\r\nDataSize=8x4"))];
        let (text, scale) = proposed(&stated);
        assert_eq!((scale.nm_per_px, scale.images.len()), (None, 1), "{text}");
        assert!(text.contains("# half: ") && text.contains("8x4"), "{text}");
    }

    #[test]
    fn nothing_is_stated() {
        let (text, scale) = proposed(&[("a", None)]);
        assert_eq!((scale.nm_per_px, scale.images.len()), (None, 0), "{text}");
    }
}
