//! A lot of files cut into shards of about equal pixels, so that several machines share the work: which files are whose.
//!
//! Every machine computes the same shards from the same files, so nobody has to hand them out.

use crate::error::{Context as _, refuse};
use crate::{Error, Result};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The part of the files that one process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All files.
    #[default]
    All,
    /// One shard, into a folder of its own within the folder of all.
    Shard(Shard),
    /// None: the results of finished shards are joined. Of so many shards; `None`: of as many as there are folders of.
    Merge(Option<usize>),
}

/// One of several shards. As text it is `3/8`, the first is `1/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Counted from 0.
    index: usize,
    count: usize,
}

/// More shards than any array of a cluster has tasks.
const MOST: usize = 1_000_000;

impl Shard {
    /// The shard of this number, counted from 1.
    ///
    /// # Errors
    /// When there is no such shard.
    pub fn new(number: usize, count: usize) -> Result<Self> {
        if !(1..=MOST).contains(&count) || !(1..=count).contains(&number) {
            refuse!("--shard {number}/{count}: the first shard is 1/{count}, the last {count}/{count}");
        }
        Ok(Self { index: number - 1, count })
    }

    /// All shards of so many.
    pub(crate) fn all(count: usize) -> impl Iterator<Item = Self> {
        (0..count).map(move |index| Self { index, count })
    }

    /// Its folder within the folder of all results.
    pub fn folder(self, out: &Path) -> PathBuf {
        out.join(FOLDER).join(format!("{}-of-{}", self.index + 1, self.count))
    }

    /// Its files, in the order of `files`. Shards have about as many pixels: the largest file first, each goes to the
    /// shard that has the fewest pixels so far.
    pub fn files(self, files: &[PathBuf]) -> Vec<PathBuf> {
        let owner = owners(files, self.count);
        files.iter().zip(owner).filter(|(_, o)| *o == self.index).map(|(f, _)| f.clone()).collect()
    }
}

/// Folder of the shards within the folder of all results.
pub const FOLDER: &str = "shards";

/// For each file the index of its shard.
pub(crate) fn owners(files: &[PathBuf], count: usize) -> Vec<usize> {
    // A file whose head cannot be read takes a moment too.
    let pixels = |file: &PathBuf| sorby_image::dimensions(file).map_or(1, |(w, h)| (w * h).max(1) as u64);
    let mut order: Vec<(u64, usize)> = files.iter().map(pixels).zip(0..).collect();
    order.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| files[a.1].cmp(&files[b.1])));
    let mut shards: std::collections::BTreeSet<(u64, usize)> = (0..count).map(|i| (0, i)).collect();
    let mut owner = vec![0; files.len()];
    for (px, file) in order {
        let Some((sum, shard)) = shards.pop_first() else { break };
        owner[file] = shard;
        shards.insert((sum + px, shard));
    }
    owner
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

/// `3/8`; `auto` and `auto/8` ask the engine that started this process.
impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            format!("--shard {text}: write it as 3/8, or auto in a task of Slurm, HyperQueue or Kubernetes")
        };
        let (number, count) = match text.split_once('/') {
            Some((number, count)) => (number, Some(count.parse().ok().with_context(wrong)?)),
            None => (text, None),
        };
        match (number, count) {
            ("auto", count) => super::shard_task::of_environment(count, &|name| std::env::var(name).ok()),
            (number, Some(count)) => Self::new(number.parse().ok().with_context(wrong)?, count),
            _ => refuse!("{}", wrong()),
        }
    }
}

/// The shards that have a folder in `out`.
///
/// # Errors
/// When there are none, or of several numbers and `count` does not say which are meant.
pub(crate) fn found(out: &Path, count: Option<usize>) -> Result<usize> {
    let entries = std::fs::read_dir(out.join(FOLDER)).into_iter().flatten().flatten();
    let counts = entries.filter_map(|e| e.file_name().to_str()?.split_once("-of-")?.1.parse().ok());
    let counts: std::collections::BTreeSet<usize> = counts.filter(|n| (1..=MOST).contains(n)).collect();
    match (count, counts.len()) {
        (Some(count), _) => Ok(count),
        (None, 1) => Ok(*counts.first().context("one")?),
        (None, 0) => {
            refuse!("{}: has no shards to merge; make them with --shard 1/N and so on", out.display())
        }
        (None, _) => {
            let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
            refuse!(
                "{}: has shards of {}; say with --merge=N which are to be joined",
                out.join(FOLDER).display(),
                counts.join(" and of ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_written_from_one_and_hold_every_file_once() {
        let shard: Shard = "3/8".parse().unwrap();
        assert_eq!(
            (shard.to_string(), shard.folder(Path::new("o"))),
            ("3/8".into(), "o/shards/3-of-8".into())
        );
        for wrong in ["0/8", "9/8", "3", "3/0", "a/8", "3/b", "-1/8", "auto/x"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
        let files: Vec<PathBuf> = (0..10).map(|i| PathBuf::from(format!("none/{i}.png"))).collect();
        let mut all: Vec<PathBuf> = Shard::all(3).flat_map(|s| s.files(&files)).collect();
        assert_eq!(Shard::all(3).map(|s| s.files(&files).len()).collect::<Vec<_>>(), [4, 3, 3]);
        all.sort();
        assert_eq!(all, files);
    }

    #[test]
    fn shards_have_equal_pixels_and_not_equal_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, side: usize| {
            let path = folder.path().join(name);
            let mask = sorby_image::LabelMap { width: side, height: side, labels: vec![0; side * side] };
            mask.write_mask(&path, &[[0; 3]], &sorby_image::MaskNote::default()).unwrap();
            path
        };
        let files: Vec<PathBuf> = [("a.png", 10), ("b.png", 10), ("c.png", 20), ("d.png", 10), ("e.png", 10)]
            .map(|(n, s)| file(n, s))
            .into();
        // The one large file has as many pixels as the four small ones.
        assert_eq!(owners(&files, 2), [1, 1, 0, 1, 1]);
        let turned: Vec<PathBuf> = files.iter().rev().cloned().collect();
        assert_eq!(owners(&turned, 2), [1, 1, 0, 1, 1], "the order as typed does not count");
        assert_eq!(found(folder.path(), Some(3)).unwrap(), 3);
        assert!(found(folder.path(), None).is_err());
    }
}
