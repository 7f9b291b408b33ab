//! `sorby data export`: labels for other programs.

use super::super::inputs;
use super::copy::Copy;
use crate::args::{ExportArgs, ExportFormat};
use anyhow::{Context as _, bail};
use serde_json::json;
use sorby_data::import::{BACKGROUND, IGNORED};
use sorby_data::{DataBar, Dataset, Item};
use sorby_image::write::{self, atomically};
use sorby_image::{IGNORE, LabelMap, Micrograph, NewFolder, Pixels};
use sorby_measure::{Connectivity, label_runs};
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let data = inputs::open(&args.data)?;
    let of_another_program = |write: fn(&Dataset, &Path) -> anyhow::Result<()>| -> anyhow::Result<()> {
        let folder = NewFolder::begin(&args.out)?;
        write(&data, folder.path())?;
        Ok(folder.finish()?)
    };
    match args.format {
        ExportFormat::Png => indexed(&data, &args.out)?,
        ExportFormat::Coco => of_another_program(coco)?,
        ExportFormat::Nnunet => of_another_program(nnunet)?,
    }
    for what in left_behind(&data, args.format) {
        eprintln!("look at: {what}");
    }
    println!("{} images -> {}", data.items.len(), args.out.display());
    Ok(ExitCode::SUCCESS)
}

/// What the format has no place for, though labels and pictures come through whole.
fn left_behind(data: &Dataset, format: ExportFormat) -> Vec<String> {
    let title = match format {
        ExportFormat::Png => return Vec::new(),
        ExportFormat::Coco => "COCO",
        ExportFormat::Nnunet => "nnU-Net",
    };
    let mut left = Vec::new();
    let first = data.manifest.classes.first().map_or(BACKGROUND, |c| &c.name);
    if first != BACKGROUND {
        left.push(format!(
            "class `{first}`: {title} has no name for what is no object; it comes back as `{BACKGROUND}`"
        ));
    }
    if data.items.iter().any(|item| item.stated_scale.is_some()) {
        left.push(format!("pixel sizes of dataset.toml: {title} has no place for them"));
    }
    if data.split_names().next().is_some() {
        left.push(format!("splits: {title} has no place for them"));
    }
    left
}

/// Refuses class names that stand for something else in the other program: their pixels would come back wrong.
fn require_free_names(data: &Dataset, taken: &[&str]) -> anyhow::Result<()> {
    match data.manifest.classes.iter().skip(1).find(|c| taken.contains(&c.name.as_str())) {
        Some(class) => bail!(
            "class `{}` cannot be exported: that name stands for what has no class there; rename it in dataset.toml",
            class.name
        ),
        None => Ok(()),
    }
}

/// Reads the picture, for a copy of a damaged file would look like a good one; and the label, as large as its image: where
/// it lacks the rows of a data bar, they are to be ignored.
fn label(data: &Dataset, item: &Item) -> anyhow::Result<LabelMap> {
    let mut label = data.load_label(item).map_err(|p| anyhow::anyhow!("{p}"))?;
    let Micrograph { width, height, .. } = Micrograph::read(&item.image)?;
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
/// every pixel, which polygons do not. Pixels to ignore are a crowd of the category `ignore`.
fn coco(data: &Dataset, out: &Path) -> anyhow::Result<()> {
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

/// nnU-Net's raw folder: images with all their grey values, labels as indices, `ignore` where there is any as the
/// highest label. Files are PNG; where an image's numbers do not fit that (floats, 16-bit colours), all are TIFF.
fn nnunet(data: &Dataset, out: &Path) -> anyhow::Result<()> {
    require_free_names(data, &[BACKGROUND, IGNORED])?;
    let kind = picture_kind(data)?;
    let classes = data.manifest.classes.len();
    let mut any_ignored = false;
    for item in &data.items {
        let mut map = label(data, item)?;
        for l in map.labels.iter_mut().filter(|l| **l == IGNORE) {
            *l = classes as u8;
            any_ignored = true;
        }
        let path = out.join("imagesTr").join(format!("{}_0000.{}", item.name, kind.ending()));
        match Micrograph::read(&item.image)? {
            // Only TIFF holds such numbers, and copied they stay what they are.
            Micrograph { pixels: Pixels::Float(_), .. } => write::copy(&item.image, &path)?,
            image if kind.colour => image.write(&path)?,
            image => image.into_grey().write(&path)?,
        }
        let path = out.join("labelsTr").join(format!("{}.{}", item.name, kind.ending()));
        Micrograph::grey8(map.width, map.height, map.labels).write(&path)?;
    }
    let mut labels = serde_json::Map::new();
    for (i, class) in data.manifest.classes.iter().enumerate() {
        // Its name for what has no class is fixed.
        labels.insert(if i == 0 { BACKGROUND.into() } else { class.name.clone() }, i.into());
    }
    if any_ignored {
        labels.insert(IGNORED.into(), classes.into());
    }
    let channels = match kind.colour {
        true => json!({"0": "red", "1": "green", "2": "blue"}),
        false => json!({"0": "micrograph"}),
    };
    let value = json!({
        "channel_names": channels,
        "labels": labels,
        "numTraining": data.items.len(),
        "file_ending": format!(".{}", kind.ending()),
    });
    Ok(atomically(&out.join("dataset.json"), format!("{value:#}\n").as_bytes())?)
}

/// What nnU-Net wants to be the same for all files.
struct PictureKind {
    tiff: bool,
    colour: bool,
}

impl PictureKind {
    fn ending(&self) -> &'static str {
        if self.tiff { "tif" } else { "png" }
    }
}

/// The kind that keeps every image's values.
///
/// # Errors
/// When some images are in colour and others are not.
fn picture_kind(data: &Dataset) -> anyhow::Result<PictureKind> {
    let mut kind = PictureKind { tiff: false, colour: false };
    let mut grey: Option<&Item> = None;
    let mut colour: Option<&Item> = None;
    for item in &data.items {
        let image = Micrograph::read(&item.image)?;
        let coloured = image.is_coloured();
        // Readers of PNG take 16-bit colours for 8 bits.
        kind.tiff |=
            matches!(image.pixels, Pixels::Float(_)) || coloured && matches!(image.pixels, Pixels::Rgb16(_));
        *if coloured { &mut colour } else { &mut grey } = Some(item);
    }
    kind.colour = colour.is_some();
    match (colour, grey) {
        (Some(colour), Some(grey)) => bail!(
            "{} is in colour and {} is not; nnU-Net needs one kind: make them all grey first",
            colour.image.display(),
            grey.image.display()
        ),
        _ => Ok(kind),
    }
}

/// Copies an image, and gives its file's name.
fn copy_image(item: &Item, folder: &Path) -> anyhow::Result<String> {
    let ending = item.image.extension().context("an image has no ending")?.to_string_lossy();
    let name = format!("{}.{ending}", item.name);
    write::copy(&item.image, &folder.join(&name))?;
    Ok(name)
}
