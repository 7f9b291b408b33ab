//! COCO: one JSON file.

use super::{copy_image, label, require_free_names};
use crate::Result;
use serde_json::json;
use sorby_data::Dataset;
use sorby_data::import::{BACKGROUND, IGNORED};
use sorby_image::write::atomically;
use sorby_image::{IGNORE, LabelMap};
use sorby_measure::{Connectivity, label_runs};
use std::path::Path;

/// One file for all images. Each connected object of a class is an annotation with run lengths: they keep holes and
/// every pixel, which polygons do not. Pixels to ignore are a crowd of the category `ignore`.
pub(super) fn coco(data: &Dataset, out: &Path) -> Result<()> {
    require_free_names(data, &[BACKGROUND, IGNORED, "_background_", "__ignore__", "Ignore*"])?;
    let classes = data.manifest.classes.len();
    let (mut images, mut annotations, mut any_ignored) = (Vec::new(), Vec::new(), false);
    for (i, item) in data.items.iter().enumerate() {
        let map = label(data, item)?;
        let size = (map.width, map.height);
        let file = copy_image(item, &out.join("images"))?;
        images.push(json!({"id": i + 1, "file_name": file, "width": map.width, "height": map.height}));
        for class in 1..classes {
            for pixels in objects(&map, class as u8) {
                annotations.push(annotation(annotations.len() + 1, i + 1, class, &pixels, size));
            }
        }
        let ignored: Vec<(usize, usize)> = (0..map.labels.len())
            .filter(|at| map.labels[*at] == IGNORE)
            .map(|at| (at % map.width, at / map.width))
            .collect();
        if !ignored.is_empty() {
            let mut crowd = annotation(annotations.len() + 1, i + 1, classes, &ignored, size);
            crowd["iscrowd"] = 1.into();
            annotations.push(crowd);
            any_ignored = true;
        }
    }
    let names = data.manifest.classes.iter().map(|class| class.name.as_str());
    let names = names.chain(any_ignored.then_some(IGNORED)).enumerate().skip(1);
    let categories: Vec<_> = names.map(|(id, name)| json!({"id": id, "name": name})).collect();
    let value = json!({"images": images, "annotations": annotations, "categories": categories});
    Ok(atomically(&out.join("annotations.json"), (value.to_string() + "\n").as_bytes())?)
}

/// Pixels (x, y) of each connected object of a class.
fn objects(map: &LabelMap, class: u8) -> Vec<Vec<(usize, usize)>> {
    let (runs, count) = label_runs(map.width, map.height, Connectivity::Eight, &map.labels, |l| l == class);
    let mut pixels = vec![Vec::new(); count];
    for run in runs {
        pixels[run.region as usize].extend((run.x_start..run.x_end).map(|x| (x as usize, run.y as usize)));
    }
    pixels
}

fn annotation(
    id: usize,
    image: usize,
    class: usize,
    pixels: &[(usize, usize)],
    (width, height): (usize, usize),
) -> serde_json::Value {
    let mut columns: Vec<usize> = pixels.iter().map(|(x, y)| x * height + y).collect();
    columns.sort_unstable();
    let (mut counts, mut end) = (Vec::new(), 0);
    for run in columns.chunk_by(|a, b| a + 1 == *b) {
        counts.extend([run[0] - end, run.len()]);
        end = run[0] + run.len();
    }
    if end < width * height {
        counts.push(width * height - end);
    }
    let side = |of: fn(&(usize, usize)) -> usize| {
        let values = pixels.iter().map(of);
        (values.clone().min().unwrap_or(0), values.max().unwrap_or(0))
    };
    let ((left, right), (top, bottom)) = (side(|p| p.0), side(|p| p.1));
    json!({
        "id": id,
        "image_id": image,
        "category_id": class,
        "iscrowd": 0,
        "area": pixels.len(),
        "bbox": [left, top, right + 1 - left, bottom + 1 - top],
        "segmentation": {"size": [height, width], "counts": counts},
    })
}
