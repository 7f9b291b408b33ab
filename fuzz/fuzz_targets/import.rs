//! Labels of other programs: the first byte picks the format, the rest is the annotation file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sorby_data::import::{Format, Source, detect, import};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("sorby-fuzz-import-{}", std::process::id()));
    for sub in ["", "labels", "SegmentationClass", "labelsTr", "imagesTr"] {
        std::fs::create_dir_all(folder.join(sub)).unwrap();
    }
    let grey = sorby_image::write::PngKind::Grey;
    sorby_image::write::png(&folder.join("a.png"), 8, 6, grey, &[0; 48]).unwrap();
    folder
});

/// The annotation file of each format, beside the picture `a.png` of 8 x 6.
const FILES: [&str; 8] = [
    "c/annotations.json",
    "a.json",
    "labels/a.txt",
    "labelmap.txt",
    "a.zip",
    "a.geojson",
    "a_masks.png",
    "dataset.json",
];

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let at = usize::from(*first) % FILES.len();
    let format = Format::ALL[at].1;
    let path = FOLDER.join(FILES[at]);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    if format == Format::YoloSeg {
        std::fs::write(FOLDER.join("data.yaml"), "names: [p, q]\n").unwrap();
    }
    std::fs::write(&path, rest).unwrap();
    let folder: &Path = if format == Format::Coco { path.parent().unwrap() } else { &FOLDER };
    let source = Source { path: folder, images: Some(&FOLDER), class: "object" };
    let _ = detect(folder);
    if let Ok(found) = import(format, &source) {
        for image in found.images {
            let classes = found.classes.len();
            assert!(image.label.labels.iter().all(|l| usize::from(*l) < classes || *l == 255));
        }
    }
    std::fs::remove_file(&path).unwrap();
    // A region on its own, too.
    if format == Format::ImageJ {
        let path = FOLDER.join("a.roi");
        std::fs::write(&path, rest).unwrap();
        let _ = import(format, &source);
        std::fs::remove_file(&path).unwrap();
    }
});
