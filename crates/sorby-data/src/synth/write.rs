//! A synthetic data set on disk.

use super::{Kind, make, radii_px};
use crate::DataError;
use crate::colour::default_colour;
use crate::manifest::{Class, Labels, Manifest};
use rayon::prelude::*;
use sorby_image::NewFolder;
use sorby_image::write::{PngKind, atomically, png};
use std::fmt::Write as _;
use std::path::Path;

/// What to write.
#[derive(Clone, Copy, Debug)]
pub struct SynthSet {
    /// Which steel.
    pub kind: Kind,
    /// Number of images.
    pub images: usize,
    /// Columns of each image, in pixels.
    pub width: usize,
    /// Rows of each image, in pixels.
    pub height: usize,
    /// The same seed gives the same data set.
    pub seed: u64,
}

/// What is known of an image after it was written.
struct Truth {
    areas_px: Vec<u64>,
    area_fraction: f64,
    /// Pixels of each value of the label.
    counts: [u64; 256],
}

/// Images between two reports.
const REPORTED_TOGETHER: usize = 32;

/// Writes `images/`, `labels/`, `dataset.toml` (three fifths train, the rest val and test),
/// `truth.csv` (one line per image) and `particles.csv` (one per particle); of a family `truth.csv` alone, one line per
/// image and class.
///
/// # Errors
/// When `out` holds anything, or cannot be written.
pub fn write_dataset(out: &Path, set: SynthSet) -> Result<(), DataError> {
    write_dataset_reporting(out, set, |_| {})
}

/// [`write_dataset`] that reports how many images are written, from time to time.
///
/// # Errors
/// As [`write_dataset`].
pub fn write_dataset_reporting(
    out: &Path,
    set: SynthSet,
    mut written: impl FnMut(usize),
) -> Result<(), DataError> {
    let folder = NewFolder::begin(out).map_err(|e| DataError(vec![e.into()]))?;
    let out = folder.path();
    let name = |i: usize| format!("{}-{:03}", set.kind.name(), i + 1);
    let colours = label_colours(set.kind);
    let make_one = |i: usize| -> Result<Truth, DataError> {
        let s = make(set.kind, set.width, set.height, set.seed, i as u64);
        let failed = |e: sorby_image::ImageError| DataError(vec![e.into()]);
        let image = out.join("images").join(name(i) + ".png");
        png(&image, set.width, set.height, PngKind::Grey, &s.pixels).map_err(failed)?;
        let label = out.join("labels").join(name(i) + ".png");
        s.label.write_png(&label, &colours).map_err(failed)?;
        Ok(Truth { area_fraction: s.area_fraction(), counts: s.label.histogram(), areas_px: s.areas_px })
    };
    let mut made: Vec<Result<Truth, DataError>> = Vec::new();
    while made.len() < set.images {
        let next = made.len()..set.images.min(made.len() + REPORTED_TOGETHER);
        made.par_extend(next.into_par_iter().map(make_one));
        written(made.len());
    }
    let made = made.into_iter().collect::<Result<Vec<_>, _>>()?;
    let names: Vec<String> = (0..set.images).map(name).collect();
    let write =
        |path: &Path, text: &str| atomically(path, text.as_bytes()).map_err(|e| DataError(vec![e.into()]));
    match set.kind {
        Kind::Family(..) => write(&out.join("truth.csv"), &fractions(set.kind, &names, &made))?,
        _ => {
            let (truth, particles) = particles(set.kind.nm_per_px(), &names, &made);
            write(&out.join("truth.csv"), &truth)?;
            write(&out.join("particles.csv"), &particles)?;
        }
    }
    write(&out.join("dataset.toml"), &manifest(set, names))?;
    folder.finish().map_err(|e| DataError(vec![e.into()]))
}

/// Black and orange for the two steels, the default colours of classes for families.
fn label_colours(kind: Kind) -> Vec<[u8; 3]> {
    match kind {
        Kind::Family(family, _) => (0..family.classes().len()).map(|i| default_colour(i).0).collect(),
        _ => vec![[0, 0, 0], [230, 159, 0]],
    }
}

/// The classes with the colours that a family's label files have.
fn classes(kind: Kind) -> Vec<Class> {
    let colour = |i: usize| matches!(kind, Kind::Family(..)).then(|| default_colour(i));
    let class = |(i, name): (usize, &&str)| Class { color: colour(i), ..Class::named(*name) };
    kind.classes().iter().enumerate().map(class).collect()
}

/// Fractions of a family's classes vary so much from image to image that what a value stands for is said, not left to be
/// found.
fn stored_values(kind: Kind) -> Vec<u32> {
    match kind {
        Kind::Family(family, _) => (0..family.classes().len() as u32).collect(),
        _ => Vec::new(),
    }
}

/// `truth.csv` and `particles.csv` of particles.
fn particles(nm: f64, names: &[String], made: &[Truth]) -> (String, String) {
    let mut truth = String::from("image,count,mean_radius_px,mean_radius_nm,area_fraction,nm_per_px\n");
    let mut particles = String::from("image,area_px,radius_px,radius_nm\n");
    for (name, s) in names.iter().zip(made) {
        let mean = radii_px(&s.areas_px).sum::<f64>() / s.areas_px.len().max(1) as f64;
        let (count, fraction) = (s.areas_px.len(), s.area_fraction);
        let _ = writeln!(truth, "{name},{count},{mean:.4},{:.3},{fraction:.6},{nm}", mean * nm);
        for (radius, area) in radii_px(&s.areas_px).zip(&s.areas_px) {
            let _ = writeln!(particles, "{name},{area},{radius:.4},{:.3}", radius * nm);
        }
    }
    (truth, particles)
}

/// `truth.csv` of a family: what each class covers of each image's field, the data bar left out.
fn fractions(kind: Kind, names: &[String], made: &[Truth]) -> String {
    let mut truth = String::from("image,class,area_px,area_fraction,nm_per_px\n");
    for (name, s) in names.iter().zip(made) {
        let field: u64 = s.counts[..kind.classes().len()].iter().sum();
        for (class, word) in kind.classes().iter().enumerate() {
            let (area, nm) = (s.counts[class], kind.nm_per_px());
            let _ = writeln!(truth, "{name},{word},{area},{:.6},{nm}", area as f64 / field as f64);
        }
    }
    truth
}

fn manifest(set: SynthSet, names: Vec<String>) -> String {
    let held_out = (names.len() / 5).max(usize::from(names.len() > 2));
    let train = names.len() - 2 * held_out;
    let mut manifest = Manifest {
        classes: classes(set.kind),
        folders: crate::manifest::default_folders(),
        labels: Labels { values: stored_values(set.kind), ..Default::default() },
        scale: crate::manifest::Scale { nm_per_px: Some(set.kind.nm_per_px()), ..Default::default() },
        splits: Default::default(),
        folds: Default::default(),
        specimens: Default::default(),
    };
    let mut add = |split: &str, part: &[String]| manifest.splits.insert(split.to_owned(), part.to_vec());
    add("train", &names[..train]);
    add("val", &names[train..train + held_out]);
    add("test", &names[train + held_out..]);
    let text = toml::to_string(&manifest).expect("a manifest has no value that TOML cannot hold");
    format!(
        "# Synthetic {} micrographs, seed {}, made by `sorby synth`.\n\n{text}",
        set.kind.name(),
        set.seed
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dataset, check};

    #[test]
    fn a_synthetic_set_is_a_clean_data_set_with_exact_truth() {
        for kind in [Kind::Carbide, Kind::Ferrite] {
            let folder = tempfile::tempdir().unwrap();
            let set = SynthSet { kind, images: 5, width: 200, height: 160, seed: 3 };
            write_dataset(folder.path(), set).unwrap();
            let data = Dataset::open(folder.path()).unwrap();
            let summary = check(&data);
            assert!(summary.problems.is_empty(), "{:?}", summary.problems);
            assert_eq!(summary.splits["train"], 3);
            let made = make(kind, 200, 160, 3, 0);
            let sample = data.load_one(&data.items[0]).unwrap();
            assert_eq!(sample.shot.image.to_grey8(), made.pixels);
            assert_eq!(sample.label.histogram()[1], made.areas_px.iter().sum::<u64>());
            assert!(made.areas_px.len() > 1 && made.area_fraction() > 0.02 && made.area_fraction() < 0.5);
            assert!(write_dataset(folder.path(), set).is_err(), "never overwrites");
        }
    }

    #[test]
    fn images_depend_on_seed_and_index_only() {
        let a = make(Kind::Carbide, 96, 80, 1, 2);
        assert_eq!(a.pixels, make(Kind::Carbide, 96, 80, 1, 2).pixels);
        assert_ne!(a.pixels, make(Kind::Carbide, 96, 80, 1, 3).pixels);
        assert_ne!(a.pixels, make(Kind::Carbide, 96, 80, 2, 2).pixels);
    }
}
