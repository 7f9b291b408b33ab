//! Annotation files: which there are, and what stands in them.

use crate::problem::Problem;
pub(super) use sorby_image::composed;
use sorby_image::parent_of;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Most that an annotation file may hold.
const MAX_BYTES: u64 = 1 << 29;

pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Problem> {
    let file = File::open(path).map_err(|e| Problem::new(path, e))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| Problem::new(path, e))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Problem::new(path, "is larger than any annotation file should be (512 MB)"));
    }
    Ok(bytes)
}

/// A file's text, with or without the mark that editors on Windows put before it, in UTF-8 or their UTF-16.
pub(super) fn text(path: &Path) -> Result<String, Problem> {
    decode(bytes(path)?).ok_or_else(|| Problem::new(path, "is not a text file (UTF-8)"))
}

/// Text of bytes in UTF-8, or in UTF-16 that begins with its mark; the mark is taken off.
pub(super) fn decode(bytes: Vec<u8>) -> Option<String> {
    let units = |of: fn([u8; 2]) -> u16| -> Option<String> {
        let (pairs, rest) = bytes[2..].as_chunks::<2>();
        rest.is_empty().then(|| String::from_utf16(&pairs.iter().map(|p| of(*p)).collect::<Vec<_>>()).ok())?
    };
    match bytes[..] {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, ref text @ ..] => String::from_utf8(text.to_vec()).ok(),
        _ => String::from_utf8(bytes).ok(),
    }
}

pub(super) fn json(path: &Path) -> Result<serde_json::Value, Problem> {
    parse_json(path, &text(path)?)
}

/// JSON that stands in a file, or in a part of it.
pub(super) fn parse_json(path: &Path, text: &str) -> Result<serde_json::Value, Problem> {
    serde_json::from_str(text).map_err(|e| Problem::new(path, format!("is no valid JSON ({e})")))
}

/// A whole number that may be written as such, as 1.0 or as text.
pub(super) fn whole(value: &serde_json::Value) -> Option<u64> {
    match value {
        serde_json::Value::String(text) => text.trim().parse().ok(),
        number => number.as_u64().or_else(|| {
            number.as_f64().filter(|v| v.fract() == 0.0 && (0.0..1e15).contains(v)).map(|v| v as u64)
        }),
    }
}

/// The folder of a source: itself, or the one that its only file lies in.
pub(super) fn folder_of(path: &Path) -> &Path {
    if path.is_file() { parent_of(path) } else { path }
}

/// Files of a folder with one of these endings, in order; hidden ones are passed over. A file stands for itself.
pub(super) fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    if folder.is_file() {
        return vec![folder.to_owned()];
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    let mut found: Vec<_> = entries.filter(|p| !hidden(p) && has_ending(p, endings) && p.is_file()).collect();
    found.sort();
    found
}

/// The same of a folder and all below it.
pub(super) fn files_below(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = files(folder, endings);
    let mut seen = HashSet::new();
    for below in folders_below(folder, &mut seen, 0) {
        found.extend(files(&below, endings));
    }
    found.sort();
    found
}

/// Folders within folders beyond this are no data set any more.
const MAX_DEPTH: usize = 16;

/// All folders below one, each once however many links lead there.
fn folders_below(folder: &Path, seen: &mut HashSet<PathBuf>, depth: usize) -> Vec<PathBuf> {
    if depth > MAX_DEPTH || !seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.to_owned())) {
        return Vec::new();
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    let mut own: Vec<_> = entries.filter(|p| !hidden(p) && p.is_dir()).collect();
    own.sort();
    let mut found = Vec::new();
    for below in own {
        let deeper = folders_below(&below, seen, depth + 1);
        found.push(below);
        found.extend(deeper);
    }
    found
}

fn hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'))
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    endings.contains(&ending.as_str())
}

/// A file's name without its ending, composed.
pub(super) fn stem(path: &Path) -> String {
    composed(&path.file_stem().unwrap_or_default().to_string_lossy())
}

/// The folders from `root` down to a file, composed.
pub(super) fn place(root: &Path, file: &Path) -> Vec<String> {
    let folder = file.strip_prefix(root).unwrap_or(file).parent().unwrap_or(Path::new(""));
    folder.iter().map(|part| composed(&part.to_string_lossy())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_every_editor() {
        let utf16 = |le: bool| -> Vec<u8> {
            let order = |u: u16| if le { u.to_le_bytes() } else { u.to_be_bytes() };
            "\u{feff}0 µ\r\n".encode_utf16().flat_map(order).collect()
        };
        let marked = [b"\xef\xbb\xbf".to_vec(), "0 µ\r\n".as_bytes().to_vec()].concat();
        for bytes in ["0 µ\r\n".as_bytes().to_vec(), marked, utf16(true), utf16(false)] {
            assert_eq!(decode(bytes).unwrap(), "0 µ\r\n");
        }
        assert_eq!(decode(vec![0xff, 0xfe, 1]), None);
        assert_eq!(decode(vec![0xc3]), None);
    }

    #[test]
    fn whole_numbers_in_any_writing() {
        for text in ["7", "7.0", "\"7\"", "\" 7 \""] {
            assert_eq!(whole(&serde_json::from_str(text).unwrap()), Some(7), "{text}");
        }
        for text in ["7.5", "-7", "\"a\"", "null", "[7]", "true"] {
            assert_eq!(whole(&serde_json::from_str(text).unwrap()), None, "{text}");
        }
    }
}
