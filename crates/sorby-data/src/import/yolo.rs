//! YOLO segmentation: a text file for each image, a line for each object: class number, then corners x y as shares
//! of width and height. Names are in `data.yaml` or `classes.txt`.

use super::shapes::{Area, Shape};
use super::{Drawing, Imported, Source, files, image_of_stem, stem, text};
use crate::problem::{DataError, Problem};
use std::path::{Path, PathBuf};

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let root = source.path;
    let names = names(root)?;
    let mut drawing = Drawing::new(source);
    let mut splits = Vec::new();
    for name in &names {
        drawing.class(name);
    }
    for (folder, split) in label_folders(root) {
        // `images/train` goes with `labels/train`, and `train/images` with `train/labels`.
        let relative = folder.strip_prefix(root).unwrap_or(&folder);
        let beside: PathBuf =
            relative.iter().map(|part| if part == "labels" { "images".as_ref() } else { part }).collect();
        let beside = root.join(beside);
        let folders: Vec<&Path> = source.images.into_iter().chain([&*beside, &*folder, root]).collect();
        for file in files(&folder, &["txt"]) {
            if ["classes", "train", "val", "test", "labelmap"].contains(&stem(&file).as_str()) {
                continue;
            }
            let Some(image) = folders.iter().find_map(|f| image_of_stem(f, &stem(&file))) else {
                drawing.problems.push(Problem::new(&file, "its image is not found; give --images"));
                continue;
            };
            let (width, height) = sorby_image::dimensions(&image).unwrap_or((1, 1));
            let content = match text(&file) {
                Ok(content) => content,
                Err(problem) => {
                    drawing.problems.push(problem);
                    continue;
                }
            };
            let (mut shapes, mut whole) = (Vec::new(), true);
            for (i, line) in content.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
                match object(line, names.len(), (width as f64, height as f64)) {
                    Ok((number, ring)) => {
                        let class = drawing.class(&names[number]);
                        shapes.push(Shape { class, area: Area::polygon(ring) });
                    }
                    Err(what) => {
                        whole = false;
                        drawing.refuse(&file, format!("line {}: {what}", i + 1));
                    }
                }
            }
            if !whole {
                continue;
            }
            splits.push((stem(&image), split.clone()));
            drawing.add(&file, image, None, &shapes);
        }
    }
    let mut imported = drawing.finish();
    for image in &mut imported.images {
        image.split = splits.iter().find(|s| s.0 == image.name).and_then(|s| s.1.clone());
    }
    Ok(imported)
}

/// Class number and corners in pixels.
fn object(
    line: &str,
    classes: usize,
    (width, height): (f64, f64),
) -> Result<(usize, Vec<(f64, f64)>), String> {
    let mut words = line.split_whitespace();
    let number: usize =
        words.next().and_then(|w| w.parse().ok()).ok_or("does not begin with a class number")?;
    if number >= classes {
        return Err(format!("class {number}, but there are names for {classes}"));
    }
    let numbers: Vec<f64> =
        words.map(str::parse).collect::<Result<_, _>>().map_err(|_| "has corners that are no numbers")?;
    match numbers.len() {
        4 => Err("is a box, not an outline; boxes are no labels of pixels".into()),
        n if n < 6 || n % 2 == 1 => Err(format!("has {n} numbers, which are no corners")),
        _ if numbers.iter().any(|v| !(-1.0..=2.0).contains(v)) => {
            Err("has corners far outside the image; they must be shares of its width and height".into())
        }
        _ => Ok((number, numbers.chunks_exact(2).map(|p| (p[0] * width, p[1] * height)).collect())),
    }
}

/// Folders of label files with the split they stand for.
fn label_folders(root: &Path) -> Vec<(PathBuf, Option<String>)> {
    let mut found = Vec::new();
    for (word, split) in [("train", "train"), ("val", "val"), ("valid", "val"), ("test", "test")] {
        for folder in [root.join("labels").join(word), root.join(word).join("labels")] {
            if folder.is_dir() {
                found.push((folder, Some(split.to_owned())));
            }
        }
    }
    let plain = [root.join("labels"), root.to_owned()];
    found.extend(plain.into_iter().filter(|f| found_texts(f)).map(|f| (f, None)));
    found
}

fn found_texts(folder: &Path) -> bool {
    files(folder, &["txt"]).iter().any(|f| stem(f) != "classes")
}

/// Names by class number: lines of `classes.txt`, or `names:` of `data.yaml`.
fn names(root: &Path) -> Result<Vec<String>, DataError> {
    let list = root.join("classes.txt");
    if list.is_file() {
        let text = text(&list).map_err(|p| DataError(vec![p]))?;
        let names: Vec<String> = text.trim_end().lines().map(|l| l.trim().to_owned()).collect();
        return if names.iter().any(String::is_empty) {
            Err(DataError::one(list, "has an empty line; each line names the class of its number, from 0"))
        } else {
            Ok(names)
        };
    }
    let Some(file) = files(root, &["yaml", "yml"]).into_iter().next() else {
        return Err(DataError::one(root, "has no data.yaml and no classes.txt, which name the classes"));
    };
    let text = text(&file).map_err(|p| DataError(vec![p]))?;
    yaml_names(&text).ok_or_else(|| {
        let what = "has no list `names:` that can be read; write the names, one to a line, into classes.txt beside it";
        DataError::one(file, what)
    })
}

/// The forms that `names:` takes in the wild: a list in brackets, dashes, or numbers with colons; `None` for any
/// other, and for numbers that are not 0, 1, 2, ...
fn yaml_names(text: &str) -> Option<Vec<String>> {
    let clean = |word: &str| word.trim().trim_matches(['"', '\'']).trim().to_owned();
    let mut lines = text
        .lines()
        .map(|l| l.split(" #").next().unwrap_or_default().trim_end())
        .skip_while(|l| !l.starts_with("names:"));
    let first = lines.next()?["names:".len()..].trim().to_owned();
    // What follows belongs to it as long as it is indented, or a dash.
    let belongs = |l: &&str| l.starts_with([' ', '-', ']', '}']);
    let more: Vec<&str> = lines.filter(|l| !l.is_empty()).take_while(belongs).collect();
    let entries: Vec<String> = if first.starts_with(['[', '{']) {
        let all = std::iter::once(&*first).chain(more).collect::<Vec<_>>().join(" ");
        let inner =
            all.strip_prefix(['[', '{'])?.trim().strip_suffix([']', '}'])?.trim().trim_end_matches(',');
        inner.split(',').map(|e| e.trim().to_owned()).collect()
    } else if first.is_empty() {
        more.iter().map(|l| l.trim().to_owned()).collect()
    } else {
        return None;
    };
    let numbered = |e: &String| {
        let (number, name) = e.split_once(':')?;
        Some((number.trim().parse::<usize>().ok()?, clean(name)))
    };
    let names: Vec<String> = match entries.iter().map(numbered).collect::<Option<Vec<_>>>() {
        Some(mut pairs) => {
            pairs.sort();
            let in_order = pairs.iter().enumerate().all(|(i, p)| p.0 == i);
            in_order.then(|| pairs.into_iter().map(|p| p.1).collect())?
        }
        None if first.is_empty() => {
            entries.iter().map(|e| e.strip_prefix('-').map(clean)).collect::<Option<_>>()?
        }
        None => entries.iter().map(|e| clean(e)).collect(),
    };
    (!names.is_empty() && !names.iter().any(String::is_empty)).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_all_their_forms() {
        for text in [
            "path: x\nnames: ['pearlite', \"carbide\"]\n",
            "names:\n  0: pearlite\n  1: carbide  # small\nnc: 2\n",
            "nc: 2\nnames:\n- pearlite\n- 'carbide'\n",
            "names: {0: pearlite, 1: carbide}\n",
            "names:\n  1: carbide\n  0: pearlite\n",
            "names: ['pearlite',\n        'carbide']\nnc: 2\n",
        ] {
            assert_eq!(yaml_names(text).unwrap(), ["pearlite", "carbide"], "{text}");
        }
        for text in
            ["nc: 3\n", "names: x\n", "names:\n  0: a\n  2: b\n", "names: ['a', '']\n", "names: ['a',\n"]
        {
            assert_eq!(yaml_names(text), None, "{text}");
        }
    }

    #[test]
    fn lines_are_read_or_refused() {
        let size = (100.0, 50.0);
        assert_eq!(
            object("1 0 0 0.5 0 0.5 1", 2, size).unwrap(),
            (1, vec![(0.0, 0.0), (50.0, 0.0), (50.0, 50.0)])
        );
        for (line, word) in [
            ("x 0 0", "class number"),
            ("2 0 0 1 0 1 1", "class 2"),
            ("0 0.5 0.5 0.1 0.1", "box"),
            ("0 0 0 1 0 1", "5 numbers"),
            ("0 0 0 640 0 1 1", "shares"),
            ("0 0 0 nan 0 1 1", "shares"),
        ] {
            assert!(object(line, 2, size).unwrap_err().contains(word), "{line}");
        }
    }
}
