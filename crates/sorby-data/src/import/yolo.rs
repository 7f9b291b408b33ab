//! YOLO segmentation: a text file for each image, a line for each object: class number, then corners x y as shares
//! of width and height. Names are in `data.yaml` or `classes.txt`.

use super::shapes::{Area, Shape};
use super::source_files::{files, files_below, folder_of, place, stem, text};
use super::{Drawing, Imported, Source, yaml};
use crate::problem::DataError;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let root = folder_of(source.path);
    let names = names(root)?;
    let mut drawing = Drawing::new(source);
    let classes: Vec<usize> = names.iter().map(|name| drawing.class(name)).collect();
    let mut labelled = BTreeSet::new();
    for file in label_files(root) {
        let folders = place(root, &file);
        // `images/train` goes with `labels/train`, and `train/images` with `train/labels`.
        let mut beside = folders.clone();
        if let Some(labels) = beside.iter_mut().rev().find(|part| *part == "labels") {
            *labels = "images".to_owned();
        }
        let image = match drawing.pictures.of_stem(&stem(&file), &beside, &file) {
            Ok(found) => found.path.to_owned(),
            // Lists and notes lie next to the folders.
            Err(_) if folders.is_empty() && root.join("labels").is_dir() => continue,
            Err(what) => {
                drawing.problem(&file, format!("its image {what}"));
                continue;
            }
        };
        labelled.insert(image.clone());
        let (width, height) = sorby_image::dimensions(&image).unwrap_or((1, 1));
        let content = match text(&file) {
            Ok(content) => content,
            Err(problem) => {
                drawing.problems.push(problem);
                continue;
            }
        };
        let (mut shapes, mut whole) = (Vec::new(), true);
        for (i, line) in lines(&content).enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            match object(line, names.len(), (width as f64, height as f64)) {
                Ok((number, ring)) => {
                    let area = Area::polygon(ring);
                    shapes.push(Shape { class: classes[number], object: shapes.len(), area });
                }
                Err(what) => {
                    whole = false;
                    drawing.refuse(&file, format!("line {}: {what}", i + 1));
                }
            }
        }
        if whole {
            drawing.add(&file, image, None, &shapes, split_of(&folders));
        }
    }
    let without = drawing.pictures.paths().filter(|p| !labelled.contains(*p)).count();
    if without > 0 {
        let what = format!(
            "{without} images have no label file and are not taken over (an empty one says: no object)"
        );
        drawing.remark(root, what);
    }
    Ok(drawing.finish())
}

/// Lines by any system's ends.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.trim_end_matches('\r').split('\r'))
}

/// The part of the data that one of the folders stands for.
fn split_of(folders: &[String]) -> Option<String> {
    folders.iter().find_map(|folder| match folder.to_lowercase().as_str() {
        "train" | "training" => Some("train".to_owned()),
        "val" | "valid" | "validation" => Some("val".to_owned()),
        "test" | "testing" => Some("test".to_owned()),
        _ => None,
    })
}

/// A line's words, by spaces or by commas.
fn words(line: &str) -> Result<Vec<&str>, &'static str> {
    let by_spaces: Vec<&str> = line.split_whitespace().map(|w| w.trim_end_matches([',', ';'])).collect();
    match by_spaces[..] {
        _ if !by_spaces.iter().any(|w| w.contains([',', ';'])) => Ok(by_spaces),
        [only] => Ok(only.split([',', ';']).collect()),
        _ => Err("has numbers with commas; write 0.5, not 0,5"),
    }
}

/// Class number and corners in pixels.
fn object(
    line: &str,
    classes: usize,
    (width, height): (f64, f64),
) -> Result<(usize, Vec<(f64, f64)>), String> {
    let words = words(line)?;
    let mut words = words.into_iter();
    let whole = |v: &f64| v.fract() == 0.0 && (0.0..1e6).contains(v);
    let number = words
        .next()
        .and_then(|w| w.parse().ok())
        .filter(whole)
        .ok_or("does not begin with a class number")?;
    let number = number as usize;
    if number >= classes {
        return Err(format!("class {number}, but there are names for {classes}"));
    }
    let numbers: Vec<f64> =
        words.map(str::parse).collect::<Result<_, _>>().map_err(|_| "has corners that are no numbers")?;
    match numbers.len() {
        4 => Err("is a box, not an outline; boxes are no labels of pixels".into()),
        5 => Err("is a box with a confidence, not an outline; boxes are no labels of pixels".into()),
        n if n < 6 => Err(format!("has {n} numbers, which are no corners")),
        n if n % 2 == 1 => {
            Err(format!("has {n} numbers, which are no corners (a confidence at the end? leave it out)"))
        }
        _ if numbers.iter().any(|v| !(-1.0..=2.0).contains(v)) => {
            Err("has corners far outside the image; they must be shares of its width and height".into())
        }
        _ => Ok((number, numbers.chunks_exact(2).map(|p| (p[0] * width, p[1] * height)).collect())),
    }
}

/// Label files: those below folders called `labels`, or else all that are not lists of something else.
fn label_files(root: &Path) -> Vec<PathBuf> {
    let all = files_below(root, &["txt"]);
    let within = |file: &PathBuf| place(root, file).iter().any(|part| part == "labels");
    if all.iter().any(within) {
        return all.into_iter().filter(|f| within(f) && stem(f) != "classes").collect();
    }
    let lists = ["classes", "train", "val", "test", "labelmap", "obj"];
    let note = |name: &str| lists.contains(&name) || name.to_lowercase().starts_with("readme");
    all.into_iter().filter(|f| !note(&stem(f))).collect()
}

/// Names by class number: lines of `classes.txt` (or `labels/classes.txt`), or `names:` of `data.yaml`. Where there are
/// several, they must agree.
fn names(root: &Path) -> Result<Vec<String>, DataError> {
    let lists = [root.join("classes.txt"), root.join("labels/classes.txt"), root.join("obj.names")];
    let mut found: Vec<(PathBuf, Vec<String>)> = Vec::new();
    for list in lists.into_iter().filter(|l| l.is_file()) {
        let text = text(&list).map_err(|p| DataError(vec![p]))?;
        let names: Vec<String> = lines(text.trim_end()).map(|l| l.trim().to_owned()).collect();
        if names.iter().any(String::is_empty) {
            return Err(DataError::one(
                list,
                "has an empty line; each line names the class of its number, from 0",
            ));
        }
        found.push((list, names));
    }
    for file in files(root, &["yaml", "yml"]) {
        let text = text(&file).map_err(|p| DataError(vec![p]))?;
        if lines(&text).any(|line| yaml::value(line, "kpt_shape").is_some()) {
            let what = "has a kpt_shape: its labels are poses, a box and points, not outlines; boxes are no labels of pixels";
            return Err(DataError::one(file, what));
        }
        if !lines(&text).any(|line| yaml::value(line, "names").is_some()) {
            continue;
        }
        let Some(names) = yaml::names(lines(&text), "names") else {
            let what = "has no list `names:` that can be read; write the names, one to a line, into classes.txt next to it";
            return Err(DataError::one(file, what));
        };
        if let Some(count) = count_of_names(&text).filter(|count| *count != names.len()) {
            let what = format!("says nc: {count}, but has {} names", names.len());
            return Err(DataError::one(file, what));
        }
        found.push((file, names));
    }
    if let [(a, first), .., (b, last)] = &found[..]
        && found.iter().any(|(_, names)| names != first)
    {
        let what =
            format!("names {}, but {} has {}; leave one", first.join(", "), b.display(), last.join(", "));
        return Err(DataError::one(a, what));
    }
    match found.into_iter().next() {
        Some((file, names)) => match (1..names.len()).find(|i| names[..*i].contains(&names[*i])) {
            Some(i) => Err(DataError::one(file, format!("gives the name `{}` twice", names[i]))),
            None => Ok(names),
        },
        None => Err(DataError::one(root, "has no data.yaml and no classes.txt, which name the classes")),
    }
}

/// `nc:` of `data.yaml`.
fn count_of_names(text: &str) -> Option<usize> {
    lines(text).find_map(|line| yaml::value(line, "nc")?.split('#').next()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_or_refused() {
        let size = (100.0, 50.0);
        for line in
            ["0 0 0 0.5 0 0.5 1", "0,0,0,0.5,0,0.5,1", "0, 0, 0, 0.5, 0, 0.5, 1", "0.0\t0 0 0.5 0 0.5 1 "]
        {
            assert_eq!(
                object(line, 2, size).unwrap(),
                (0, vec![(0.0, 0.0), (50.0, 0.0), (50.0, 50.0)]),
                "{line}"
            );
        }
        assert_eq!(lines("a\r\nb\rc\nd").collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        assert_eq!(
            object("1 0 0 0.5 0 0.5 1", 2, size).unwrap(),
            (1, vec![(0.0, 0.0), (50.0, 0.0), (50.0, 50.0)])
        );
        for (line, word) in [
            ("x 0 0", "class number"),
            ("2 0 0 1 0 1 1", "class 2"),
            ("0 0.5 0.5 0.1 0.1", "box"),
            ("0 0 0 1 0 1", "confidence"),
            ("0 0 0 1 0 1 1 0.9", "7 numbers"),
            ("0 0,0 0,5 0,1 1 1 1", "commas"),
            ("1.5 0 0 1 0 1 1", "class number"),
            ("-1 0 0 1 0 1 1", "class number"),
            ("0 0 0 640 0 1 1", "shares"),
            ("0 0 0 nan 0 1 1", "shares"),
        ] {
            assert!(object(line, 2, size).unwrap_err().contains(word), "{line}");
        }
    }
}
