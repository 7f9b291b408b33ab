//! CVAT's segmentation masks: `labelmap.txt` gives each class a colour, `SegmentationClass` has the masks,
//! `JPEGImages` (or --images) the pictures.

use super::pictures::Pictures;
use super::source_files::{files_below, place, stem, text};
use super::{BACKGROUND, Imported, ImportedImage, Source};
use crate::problem::{DataError, Problem};
use sorby_image::{IGNORE, LabelMap, RawLabels};

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let root = source.path;
    let file = root.join("labelmap.txt");
    let map = labelmap(&text(&file).map_err(|p| DataError(vec![p]))?)
        .map_err(|what| DataError::one(&file, what))?;
    let masks = [root.join("SegmentationClass"), root.to_owned()];
    let Some(masks) = masks.iter().find(|m| m.is_dir()) else {
        return Err(DataError::one(root, "has no folder SegmentationClass"));
    };
    let pictures = [root.join("JPEGImages"), root.join("images"), root.to_owned()];
    let pictures = source.images.map_or_else(
        || pictures.iter().find(|p| p.is_dir()).unwrap_or(&pictures[2]).clone(),
        |images| images.to_owned(),
    );
    let pictures = Pictures::below(&pictures);
    let (mut images, mut problems) = (Vec::new(), Vec::new());
    for mask in files_below(masks, &["png"]) {
        let name = stem(&mask);
        let image = match pictures.of_stem(&name, &place(masks, &mask), &mask) {
            Ok(found) => found.path.to_owned(),
            Err(what) => {
                problems.push(Problem::new(&mask, format!("its image {what}")));
                continue;
            }
        };
        let raw = RawLabels::read_colours(&mask).map_err(Problem::from);
        match raw.and_then(|raw| decode(raw, &map).map_err(|what| Problem::new(&mask, what))) {
            Ok(label) => images.push(ImportedImage { name, image, label, split: None }),
            Err(problem) => problems.push(problem),
        }
    }
    let classes = map.into_iter().map(|c| c.0).collect();
    Ok(Imported { classes, images, problems, remarks: Vec::new() })
}

/// Colour of pixels that Pascal VOC leaves open.
const VOID: [u8; 3] = [224, 224, 192];

fn decode(raw: RawLabels, map: &[(String, [u8; 3])]) -> Result<LabelMap, String> {
    let RawLabels::Colours { width, height, pixels } = raw else { return Err("is no colour picture".into()) };
    let mut strange = std::collections::BTreeMap::<[u8; 3], usize>::new();
    let mut class = |p: &[u8; 3]| match map.iter().position(|c| c.1 == *p) {
        Some(class) => class as u8,
        None => {
            if *p != VOID {
                *strange.entry(*p).or_default() += 1;
            }
            IGNORE
        }
    };
    let labels = pixels.iter().map(&mut class).collect();
    match strange.iter().next() {
        None => Ok(LabelMap { width, height, labels }),
        Some((c, _)) => Err(format!(
            "{} pixels have colours that labelmap.txt does not name, the first {},{},{}",
            strange.values().sum::<usize>(),
            c[0],
            c[1],
            c[2]
        )),
    }
}

/// Lines `name:r,g,b:parts:actions`; the background comes first.
fn labelmap(text: &str) -> Result<Vec<(String, [u8; 3])>, String> {
    let mut map = Vec::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let mut fields = line.split(':');
        let (name, colour) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let numbers: Vec<u8> = colour.split(',').filter_map(|n| n.trim().parse().ok()).collect();
        let Ok(colour) = <[u8; 3]>::try_from(numbers) else {
            return Err(format!("line `{line}` is not name:r,g,b::"));
        };
        map.push((name.trim().to_owned(), colour));
    }
    for (i, (name, colour)) in map.iter().enumerate() {
        if map[..i].iter().any(|c: &(String, [u8; 3])| c.0 == *name || c.1 == *colour) {
            return Err(format!("has the name or the colour of `{name}` twice"));
        }
    }
    // The others keep their order.
    let background = map.iter().position(|c| c.0 == BACKGROUND).or(map.iter().position(|c| c.1 == [0, 0, 0]));
    let background = background.map_or_else(|| (BACKGROUND.to_owned(), [0, 0, 0]), |at| map.remove(at));
    map.insert(0, background);
    if !(2..=255).contains(&map.len()) {
        return Err(format!("names {} classes; 2 to 255 are needed", map.len()));
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes_or_are_named() {
        let map = labelmap(
            "# label:color_rgb:parts:actions\ncarbide:250,50,83::\nbackground:0,0,0::\nvoid2:9,9,9::\n",
        )
        .unwrap();
        assert_eq!(map.iter().map(|c| c.0.as_str()).collect::<Vec<_>>(), ["background", "carbide", "void2"]);
        let picture = |p: &[[u8; 3]]| RawLabels::Colours { width: p.len(), height: 1, pixels: p.to_vec() };
        let label = decode(picture(&[[0; 3], [250, 50, 83], VOID, [9; 3]]), &map).unwrap();
        assert_eq!(label.labels, [0, 1, 255, 2]);
        assert!(decode(picture(&[[1, 2, 3], [0; 3]]), &map).unwrap_err().contains("1,2,3"));
        assert!(labelmap("carbide:250,50\n").is_err());
        assert!(labelmap("a:1,1,1::\nb:1,1,1::\n").unwrap_err().contains("twice"));
        assert!(labelmap("a:1,1,1::\na:2,1,1::\n").unwrap_err().contains("twice"));
        let map = labelmap("ferrite:9,0,0::\r\nite:0,9,0::\r\nbackground:0,0,0::\r\n").unwrap();
        assert_eq!(map.iter().map(|c| c.0.as_str()).collect::<Vec<_>>(), ["background", "ferrite", "ite"]);
    }
}
