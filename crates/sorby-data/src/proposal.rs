//! A proposal for the `dataset.toml` that a folder lacks.

use crate::dataset::images_in;
use crate::default_colour;
use crate::problem::DataError;
use crate::scale_proposal;
use sorby_image::RawLabels;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Folder-name endings that say "labels of the folder without it".
const LABEL_WORDS: [&str; 9] =
    ["labels", "label", "masks", "mask", "annot", "annotations", "annotation", "gt", "segmentation"];
const IMAGE_WORDS: [&str; 4] = ["images", "image", "img", "imgs"];

struct Pair {
    images: PathBuf,
    labels: PathBuf,
    suffix: String,
    matched: usize,
}

/// Text of a `dataset.toml` for `root`, with comments on what was found and what is guessed.
///
/// # Errors
/// When `root` has no folder of images next to a folder of labels with the same file names.
pub fn propose(root: &Path) -> Result<String, DataError> {
    let pairs = find_pairs(root);
    if pairs.is_empty() {
        return Err(DataError::one(root, without_labels(root)));
    }
    let found = look_at_labels(root, &pairs);
    let mut out =
        String::from("# Proposed by `sorby data init`. Check it, then save it as dataset.toml.\n\n");
    for (i, label) in found.classes.iter().enumerate() {
        let name = if i == 0 { "matrix".to_owned() } else { format!("class{i}") };
        out += &format!("[[classes]]\nname = \"{name}\"   # {label}\ncolor = \"{}\"\n", default_colour(i));
        if let Some(colour) = found.paint.get(i).copied().flatten() {
            out += &format!("label_color = \"{}\"\n", crate::Colour(colour));
        }
        out.push('\n');
    }
    for pair in &pairs {
        out += &format!(
            "[[folders]]   # {} labelled images\nimages = {}\nlabels = {}\n",
            pair.matched,
            in_toml(&text(&pair.images)),
            in_toml(&text(&pair.labels))
        );
        if !pair.suffix.is_empty() {
            out += &format!("label_suffix = {}\n", in_toml(&pair.suffix));
        }
        if let Some(split) = split_of(pair, &pairs) {
            out += &format!("split = {}\n", in_toml(&split));
        }
        out.push('\n');
    }
    out += &match &found.values[..] {
        [] => format!("[labels]\nkind = \"{}\"   # {}\n", found.kind, found.reason),
        values => format!("[labels]\nvalues = {values:?}   # {}\n", found.reason),
    };
    let bars = count_data_bars(root, &pairs);
    if bars > 0 {
        out += &format!(
            "data_bar = \"refuse\"   # {bars} images have more rows than their labels: \"crop\" if that is a data bar\n"
        );
    }
    let images: Vec<PathBuf> = label_paths(root, &pairs).into_iter().map(|(image, _)| image).collect();
    out += &scale_proposal::section(&images);
    if pairs.iter().all(|p| split_of(p, &pairs).is_none()) {
        out += &propose_splits(root, &pairs);
    }
    Ok(out)
}

/// A text as TOML writes it.
fn in_toml(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn names_in_toml(names: Vec<String>) -> String {
    toml::Value::from(names).to_string()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// Folders at most two levels down, relative to `root`.
fn folders(root: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
        let mut folders: Vec<_> = entries.filter(|p| p.is_dir()).collect();
        folders.sort();
        folders
    };
    let first = list(root);
    let second: Vec<_> = first.iter().flat_map(|f| list(f)).collect();
    let relative = |p: PathBuf| p.strip_prefix(root).map(Path::to_owned).ok();
    first.into_iter().chain(second).filter_map(relative).collect()
}

/// Why nothing can be proposed, and what to do.
fn without_labels(root: &Path) -> String {
    let all = std::iter::once(PathBuf::new()).chain(folders(root));
    let images: usize = all.filter_map(|f| images_in(&root.join(f)).ok()).map(|found| found.len()).sum();
    if images == 0 {
        return "found no images; expected for example images/ and labels/ with the same file names".into();
    }
    format!(
        "found {images} image{} but no labels of the same names next to them (expected for example images/ and labels/); \
         to draw labels: sorby serve FOLDER; labels of other programs: sorby data import",
        if images == 1 { "" } else { "s" }
    )
}

fn find_pairs(root: &Path) -> Vec<Pair> {
    let folders = folders(root);
    let mut pairs = Vec::new();
    for labels in &folders {
        for word in LABEL_WORDS {
            let name = labels.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(stem) = name.to_ascii_lowercase().strip_suffix(word).map(|s| s.len()) else { continue };
            let stem = name[..stem].trim_end_matches(['_', '-', ' ']).to_owned();
            let parent = labels.parent().unwrap_or(Path::new(""));
            let candidates =
                if stem.is_empty() { IMAGE_WORDS.map(str::to_owned).to_vec() } else { vec![stem] };
            let images = candidates.iter().map(|c| parent.join(c)).find(|c| folders.contains(c));
            if let Some(pair) = images.and_then(|images| match_names(root, images, labels.clone())) {
                pairs.push(pair);
            }
            break;
        }
    }
    pairs
}

/// Pairs two folders by equal names, or names with one common suffix.
fn match_names(root: &Path, images: PathBuf, labels: PathBuf) -> Option<Pair> {
    let (image_files, label_files) =
        (images_in(&root.join(&images)).ok()?, images_in(&root.join(&labels)).ok()?);
    let mut suffixes: BTreeSet<String> = BTreeSet::from([String::new()]);
    for name in image_files.keys() {
        suffixes.extend(label_files.keys().filter_map(|l| l.strip_prefix(name.as_str())).map(str::to_owned));
    }
    let count =
        |s: &String| image_files.keys().filter(|n| label_files.contains_key(&format!("{n}{s}"))).count();
    let suffix = suffixes.into_iter().max_by_key(|s| (count(s), std::cmp::Reverse(s.len())))?;
    let matched = count(&suffix);
    (matched > 0).then_some(Pair { images, labels, suffix, matched })
}

/// `train` for `train/images` or `train`, when there are several folders.
fn split_of(pair: &Pair, pairs: &[Pair]) -> Option<String> {
    let last = pair.images.file_name()?.to_string_lossy().into_owned();
    let name = if IMAGE_WORDS.contains(&last.to_ascii_lowercase().as_str()) {
        pair.images.parent()?.file_name()?.to_string_lossy().into_owned()
    } else {
        last
    };
    let name = if name.to_ascii_lowercase().starts_with("val") { "val".to_owned() } else { name };
    (pairs.len() > 1).then_some(name)
}

fn label_paths(root: &Path, pairs: &[Pair]) -> Vec<(PathBuf, PathBuf)> {
    let mut out = Vec::new();
    for pair in pairs {
        let labels = images_in(&root.join(&pair.labels)).unwrap_or_default();
        for (name, image) in images_in(&root.join(&pair.images)).unwrap_or_default() {
            if let Some(label) = labels.get(&format!("{name}{}", pair.suffix)) {
                out.push((image, label.clone()));
            }
        }
    }
    out
}

struct Found {
    /// What each class was seen as.
    classes: Vec<String>,
    paint: Vec<Option<[u8; 3]>>,
    kind: &'static str,
    /// The stored value of each class, where `kind` does not say it.
    values: Vec<usize>,
    reason: String,
}

fn look_at_labels(root: &Path, pairs: &[Pair]) -> Found {
    let mut counts = [0u64; 256];
    let mut paint: BTreeMap<[u8; 3], u64> = BTreeMap::new();
    for (_, label) in label_paths(root, pairs) {
        match RawLabels::read(&label) {
            Ok(RawLabels::Values(map)) => {
                counts.iter_mut().zip(map.histogram()).for_each(|(c, n)| *c += n);
            }
            Ok(RawLabels::Colours { pixels, .. }) => {
                let pure =
                    pixels.iter().filter(|p| p.iter().all(|&v| v == 0 || v == 255) && p[..] != [p[0]; 3]);
                pure.for_each(|p| *paint.entry(*p).or_default() += 1);
            }
            Err(_) => {}
        }
    }
    if !paint.is_empty() {
        let mut by_count: Vec<_> = paint.into_iter().collect();
        by_count.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let classes = std::iter::once("everything that is not painted".to_owned());
        return Found {
            classes: classes.chain(by_count.iter().map(|(_, n)| format!("{n} painted pixels"))).collect(),
            paint: std::iter::once(None).chain(by_count.iter().map(|(c, _)| Some(*c))).collect(),
            kind: "painted",
            values: Vec::new(),
            reason: "labels are colour pictures with pure colours in them".into(),
        };
    }
    let total = counts.iter().sum::<u64>().max(1) as f64;
    let values: Vec<usize> = (0..256).filter(|&v| counts[v] > 0).collect();
    let describe = |v: usize| format!("value {v}, {:.1} % of the area", 100.0 * counts[v] as f64 / total);
    let k = values.len();
    let evenly = k >= 2
        && values.iter().enumerate().all(|(i, &v)| v == (i as f64 * 255.0 / (k - 1) as f64).round() as usize);
    if evenly && values.last() == Some(&255) && values.get(1) != Some(&1) {
        let classes = values.iter().map(|&v| describe(v)).collect();
        return Found {
            classes,
            paint: Vec::new(),
            kind: "grey",
            values: Vec::new(),
            reason: "evenly spaced grey levels".into(),
        };
    }
    let own: Vec<usize> = values.iter().copied().filter(|v| *v != 255).collect();
    if own.len() > 1 && own.iter().enumerate().all(|(i, v)| *v == i + 1) {
        return Found {
            classes: own.iter().map(|v| describe(*v)).collect(),
            paint: Vec::new(),
            kind: "index",
            reason: "no label has the value 0: value 1 is the first class, as ilastik writes them".into(),
            values: own,
        };
    }
    let classes = own.iter().max().copied().unwrap_or(0).clamp(1, 31);
    Found {
        classes: (0..=classes).map(describe).collect(),
        paint: Vec::new(),
        kind: "index",
        values: Vec::new(),
        reason: format!(
            "values found: {}",
            values.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn count_data_bars(root: &Path, pairs: &[Pair]) -> usize {
    let taller = |(image, label): &(PathBuf, PathBuf)| {
        let image = sorby_image::dimensions(image);
        let label = sorby_image::dimensions(label);
        matches!((image, label), (Some((iw, ih)), Some((lw, lh))) if iw == lw && ih > lh)
    };
    label_paths(root, pairs).iter().filter(|p| taller(p)).count()
}

/// Every fifth image for validation.
fn propose_splits(root: &Path, pairs: &[Pair]) -> String {
    let mut names: Vec<String> = label_paths(root, pairs)
        .into_iter()
        .map(|(image, _)| image.file_stem().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let (mut train, mut val) = (Vec::new(), Vec::new());
    for (i, name) in names.into_iter().enumerate() {
        if i % 5 == 4 { val.push(name) } else { train.push(name) }
    }
    if val.is_empty() && train.len() > 1 {
        val.extend(train.pop());
    }
    format!(
        "\n[splits]   # every fifth image validates; keep images of one specimen on one side\ntrain = {}\nval = {}\n",
        names_in_toml(train),
        names_in_toml(val)
    )
}
