//! Which picture an annotation means. Its name may come from another machine, with folders, drives and accents
//! written otherwise; and several pictures may share a name. The wrong picture would get the label, so it is the one
//! that agrees in most, and where two agree in as much, none.

use super::Source;
use super::source_files::{composed, files_below, folder_of, place, stem};
use std::path::{Path, PathBuf};

/// The pictures of a source, below the folder of its images or else of its annotations.
pub(super) struct Pictures(Vec<Picture>);

struct Picture {
    path: PathBuf,
    /// Folders from the source's down to it.
    folders: Vec<String>,
    /// Its name with and without its ending.
    file: String,
    stem: String,
}

/// A picture, and how many folders before its name agreed with what was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found<'a> {
    pub path: &'a Path,
    pub folders: usize,
}

impl Pictures {
    pub fn of(source: &Source) -> Self {
        Self::below(source.images.unwrap_or_else(|| folder_of(source.path)))
    }

    pub fn below(root: &Path) -> Self {
        let picture = |path: PathBuf| Picture {
            folders: place(root, &path),
            file: composed(&path.file_name().unwrap_or_default().to_string_lossy()),
            stem: stem(&path),
            path,
        };
        Self(files_below(root, &sorby_image::EXTENSIONS).into_iter().map(picture).collect())
    }

    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|p| &*p.path)
    }

    /// The picture that an annotation calls `name`: by its whole name, else with another ending, else in capitals or
    /// small letters. `beside` are the folders of the annotation itself, where names are counted from there.
    ///
    /// # Errors
    /// Says that there is none, or which there are.
    pub fn called(&self, name: &str, beside: Option<&[String]>) -> Result<Found<'_>, String> {
        let mut wanted = parts(name, beside.unwrap_or_default());
        let file = wanted.pop().unwrap_or_default();
        let bare = stem(Path::new(&file));
        let levels: [&dyn Fn(&Picture) -> bool; 4] = [
            &|p| p.file == file,
            &|p| p.stem == bare,
            &|p| p.file.to_lowercase() == file.to_lowercase(),
            &|p| p.stem.to_lowercase() == bare.to_lowercase(),
        ];
        self.first_of(&levels, &wanted, beside)
    }

    /// The picture with this name before its ending, for an annotation that lies in the folders `beside`; never
    /// `annotation` itself, which may be a picture too.
    ///
    /// # Errors
    /// As [`Pictures::called`].
    pub fn of_stem(&self, name: &str, beside: &[String], annotation: &Path) -> Result<Found<'_>, String> {
        let lower = name.to_lowercase();
        let levels: [&dyn Fn(&Picture) -> bool; 2] = [&|p| p.stem == name && p.path != annotation, &|p| {
            p.stem.to_lowercase() == lower && p.path != annotation
        }];
        self.first_of(&levels, beside, Some(beside))
    }

    fn first_of(
        &self,
        levels: &[&dyn Fn(&Picture) -> bool],
        wanted: &[String],
        beside: Option<&[String]>,
    ) -> Result<Found<'_>, String> {
        let found = levels.iter().map(|level| self.0.iter().filter(|p| level(p)).collect::<Vec<_>>());
        match found.into_iter().find(|found| !found.is_empty()) {
            Some(candidates) => best(candidates, wanted, beside),
            None => Err("is not found; give --images".to_owned()),
        }
    }
}

/// The one that lies just where it should, or agrees in most folders.
fn best<'a>(
    candidates: Vec<&'a Picture>,
    wanted: &[String],
    beside: Option<&[String]>,
) -> Result<Found<'a>, String> {
    let within = |folder: &[String]| -> Option<&'a Picture> {
        let mut there = candidates.iter().filter(|p| p.folders == folder);
        there.next().filter(|_| there.next().is_none()).copied()
    };
    let images: Vec<String> = std::iter::once("images".to_owned()).chain(wanted.iter().cloned()).collect();
    if let Some(exact) = within(wanted).or_else(|| within(&images)) {
        return Ok(Found { path: &exact.path, folders: usize::MAX });
    }
    let agreement =
        |p: &Picture| p.folders.iter().rev().zip(wanted.iter().rev()).take_while(|(a, b)| a == b).count();
    let most = candidates.iter().map(|p| agreement(p)).max().unwrap_or(0);
    let top: Vec<&Picture> = candidates.iter().filter(|p| agreement(p) == most).copied().collect();
    match (&top[..], beside.and_then(within)) {
        ([one], _) => Ok(Found { path: &one.path, folders: most }),
        (_, Some(beside)) => Ok(Found { path: &beside.path, folders: most }),
        ([a, b, ..], None) => Err(format!(
            "may be {} or {}; leave one, or name their folder with --images",
            a.path.display(),
            b.path.display()
        )),
        ([], None) => Err("is not found; give --images".to_owned()),
    }
}

/// Folders and file of a name as any system writes it, counted from `beside`.
fn parts(name: &str, beside: &[String]) -> Vec<String> {
    let mut parts = beside.to_vec();
    for part in name.trim().split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            drive if drive.ends_with(':') => parts.clear(),
            part => parts.push(composed(part)),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictures(paths: &[&str]) -> Pictures {
        let picture = |path: &&str| {
            let path = Path::new(path);
            let (file, folders) = (path.file_name().unwrap().to_string_lossy(), place(Path::new(""), path));
            Picture { path: path.to_owned(), folders, file: composed(&file), stem: stem(path) }
        };
        Pictures(paths.iter().map(picture).collect())
    }

    fn beside(folders: &[&str]) -> Vec<String> {
        folders.iter().map(|f| (*f).to_owned()).collect()
    }

    #[test]
    fn the_longest_agreement_wins_and_a_draw_is_refused() {
        let all = pictures(&[
            "train/001.png",
            "val/001.png",
            "a/x.tif",
            "a/x.png",
            "Ü.png",
            "images/k.png",
            "m/k.png",
        ]);
        let called = |name: &str| all.called(name, None).map(|f| f.path.to_str().unwrap().to_owned());
        assert_eq!(called("val/001.png").unwrap(), "val/001.png");
        assert_eq!(called("C:\\data\\train\\001.png").unwrap(), "train/001.png");
        assert_eq!(called("/home/me/set/val/001.jpg").unwrap(), "val/001.png", "another ending");
        assert!(called("001.png").unwrap_err().contains("train/001.png or val/001.png"));
        assert!(called("test/001.png").is_err());
        assert_eq!(called("a/x.png").unwrap(), "a/x.png");
        assert!(called("a/x.jpg").unwrap_err().contains("a/x.tif or a/x.png"));
        assert_eq!(called("u\u{308}.PNG").unwrap_or_default(), "Ü.png", "decomposed, and in capitals");
        assert_eq!(called("k.png").unwrap(), "images/k.png");
        assert_eq!(called("../../../etc/k.png").unwrap_or_default(), "", "two have it");
        assert!(called("absent.png").unwrap_err().contains("--images"));
        assert!(called("").is_err());
    }

    #[test]
    fn annotations_find_their_neighbours() {
        let all = pictures(&["train/001.png", "val/001.png", "a.png", "masks/a.png"]);
        let of = |name: &str, folders: &[&str]| {
            all.called(name, Some(&beside(folders))).map(|f| f.path.to_str().unwrap().to_owned())
        };
        assert_eq!(of("001.png", &["val"]).unwrap(), "val/001.png");
        assert_eq!(of("../train/001.png", &["val"]).unwrap(), "train/001.png");
        assert_eq!(of("C:\\work\\a.png", &[]).unwrap(), "a.png");
        let stem = all.of_stem("a", &[], Path::new("a.png")).unwrap();
        assert_eq!(stem.path, Path::new("masks/a.png"), "never the annotation itself");
    }
}
