//! `sorby data export`: labels for other programs.

use super::super::inputs;
use super::super::out_folder::OutFolder;
use super::copy::Copy;
use crate::args::{ExportArgs, ExportFormat};
use anyhow::{Context as _, bail};
use serde_json::json;
use sorby_data::{DataBar, Dataset, Item};
use sorby_image::write::{PngKind, atomically, png};
use sorby_image::{IGNORE, LabelMap, Micrograph};
use sorby_measure::{Connectivity, label_runs};
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let data = inputs::open(&args.data)?;
    OutFolder::require_new(&args.out)?;
    match args.format {
        ExportFormat::Png => indexed(&data, &args.out)?,
        ExportFormat::Coco => coco(&data, &args.out)?,
        ExportFormat::Nnunet => nnunet(&data, &args.out)?,
    }
    println!("{} images -> {}", data.items.len(), args.out.display());
    Ok(ExitCode::SUCCESS)
}

/// The label, as large as its image: where it lacks the rows of a data bar, they are to be ignored.
fn label(data: &Dataset, item: &Item) -> anyhow::Result<LabelMap> {
    let mut label = data.load_label(item).map_err(|p| anyhow::anyhow!("{p}"))?;
    let size = sorby_image::dimensions(&item.image);
    let (width, height) = size.with_context(|| format!("{}: cannot be read", item.image.display()))?;
    if width == label.width && height > label.height && data.manifest.labels.data_bar == DataBar::Crop {
        label.pad_rows(height);
    }
    if (width, height) != (label.width, label.height) {
        bail!(
            "{}: label is {}x{} but its image is {width}x{height}",
            item.label.display(),
            label.width,
            label.height
        );
    }
    Ok(label)
}

/// A data set of ours, with labels as indices whatever they were.
fn indexed(data: &Dataset, out: &Path) -> anyhow::Result<()> {
    let mut copy = Copy::begin(out, &data.manifest)?;
    for item in &data.items {
        copy.add(&item.name, &item.image, &label(data, item)?)?;
    }
    copy.finish(super::with_all_splits(data))
}

/// One file for all images. Each connected object of a class is an annotation with run lengths: they keep holes and
/// every pixel, which polygons do not. Pixels to ignore have no place in COCO and become background.
fn coco(data: &Dataset, out: &Path) -> anyhow::Result<()> {
    let (mut images, mut annotations) = (Vec::new(), Vec::new());
    for (i, item) in data.items.iter().enumerate() {
        let map = label(data, item)?;
        let file = copy_image(item, &out.join("images"))?;
        images.push(json!({"id": i + 1, "file_name": file, "width": map.width, "height": map.height}));
        for class in 1..data.manifest.classes.len() {
            for pixels in objects(&map, class as u8) {
                let id = annotations.len() + 1;
                annotations.push(annotation(id, i + 1, class, &pixels, (map.width, map.height)));
            }
        }
    }
    let categories = data.manifest.classes.iter().enumerate().skip(1);
    let categories: Vec<_> = categories.map(|(id, class)| json!({"id": id, "name": class.name})).collect();
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

/// nnU-Net's raw folder: PNG images of 8 bits, labels as indices, `ignore` where there is any as the highest label.
fn nnunet(data: &Dataset, out: &Path) -> anyhow::Result<()> {
    let classes = data.manifest.classes.len();
    let mut any_ignored = false;
    for item in &data.items {
        let mut map = label(data, item)?;
        for l in map.labels.iter_mut().filter(|l| **l == IGNORE) {
            *l = classes as u8;
            any_ignored = true;
        }
        let image = Micrograph::read(&item.image)?;
        let path = out.join("imagesTr").join(format!("{}_0000.png", item.name));
        png(&path, image.width, image.height, PngKind::Grey, &image.to_grey8())?;
        let path = out.join("labelsTr").join(format!("{}.png", item.name));
        png(&path, map.width, map.height, PngKind::Grey, &map.labels)?;
    }
    let mut labels = serde_json::Map::new();
    for (i, class) in data.manifest.classes.iter().enumerate() {
        // Its name for what has no class is fixed.
        labels.insert(if i == 0 { "background".into() } else { class.name.clone() }, i.into());
    }
    if any_ignored {
        labels.insert("ignore".into(), classes.into());
    }
    let value = json!({
        "channel_names": {"0": "micrograph"},
        "labels": labels,
        "numTraining": data.items.len(),
        "file_ending": ".png",
    });
    Ok(atomically(&out.join("dataset.json"), format!("{value:#}\n").as_bytes())?)
}

/// Copies an image, and gives its file's name.
fn copy_image(item: &Item, folder: &Path) -> anyhow::Result<String> {
    let name = item.image.file_name().unwrap_or_default().to_string_lossy().into_owned();
    fs_err::create_dir_all(folder)?;
    fs_err::copy(&item.image, folder.join(&name))?;
    Ok(name)
}
