//! An import, and what came of it.

use crate::{sorby, succeed};
use sorby_data::Dataset;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What an import said, and the data set that it made.
pub struct Imported {
    pub code: i32,
    pub told: String,
    pub data: PathBuf,
}

/// Imports into a new folder of `at`.
pub fn import(at: &Path, source: &str, arguments: &[&str]) -> Imported {
    let data = (0..).map(|i| at.join(format!("out-{i}"))).find(|p| !p.exists()).unwrap();
    let all = [&["data", "import", source, "--out", data.to_str().unwrap()], arguments].concat();
    let output = sorby(at, &all);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!told.contains("panicked"), "{told}");
    Imported { code: output.status.code().unwrap(), told, data }
}

impl Imported {
    #[track_caller]
    fn dataset(&self) -> Dataset {
        assert!(self.data.exists(), "{}", self.told);
        Dataset::open(&self.data).unwrap()
    }

    /// Pixels of each class by name (255 is `ignored`) of each image; not of `background`.
    #[track_caller]
    pub fn pixels(&self) -> BTreeMap<String, BTreeMap<String, usize>> {
        let data = self.dataset();
        let names = data.manifest.class_names();
        let mut all = BTreeMap::new();
        for item in &data.items {
            let mut counts = BTreeMap::new();
            for label in data.load_label(item).unwrap().labels {
                let name = names.get(usize::from(label)).map_or("ignored", |n| n);
                *counts.entry(name.to_owned()).or_default() += 1;
            }
            counts.remove("background");
            all.insert(item.name.clone(), counts);
        }
        all
    }

    /// The only image's pixels of a class that is not background.
    #[track_caller]
    pub fn of(&self, class: &str) -> usize {
        let pixels = self.pixels();
        assert_eq!(pixels.len(), 1, "{}", self.told);
        pixels.values().next().unwrap().get(class).copied().unwrap_or(0)
    }

    /// By image: pixels of objects of any class, and pixels that are not counted.
    #[track_caller]
    pub fn pixels_of_objects(&self) -> BTreeMap<String, (usize, usize)> {
        let data = self.dataset();
        let count = |item| {
            let labels = data.load_label(item).unwrap().labels;
            let of = |wanted: fn(u8) -> bool| labels.iter().filter(|l| wanted(**l)).count();
            (of(|l| l != 0 && l != 255), of(|l| l == 255))
        };
        data.items.iter().map(|item| (item.name.clone(), count(item))).collect()
    }

    /// Rows and columns of the first image that hold a class, as left, top, right, bottom.
    #[track_caller]
    pub fn bounds(&self, label: u8) -> [usize; 4] {
        let data = self.dataset();
        let map = data.load_label(&data.items[0]).unwrap();
        let at = || {
            (0..map.labels.len()).filter(|i| map.labels[*i] == label).map(|i| (i % map.width, i / map.width))
        };
        let (xs, ys) = (|| at().map(|p| p.0), || at().map(|p| p.1));
        [xs().min().unwrap(), ys().min().unwrap(), xs().max().unwrap() + 1, ys().max().unwrap() + 1]
    }

    /// Objects that `measure` finds in the imported labels.
    #[track_caller]
    pub fn objects(&self, at: &Path) -> usize {
        let out = self.data.with_extension("m");
        let (labels, out) = (self.data.join("labels"), out.to_str().unwrap());
        succeed(
            at,
            &["measure", labels.to_str().unwrap(), "--out", out, "--nm-per-px", "1", "--edges", "all"],
        );
        fs::read_to_string(Path::new(out).join("particles.csv")).unwrap().lines().count() - 1
    }
}
