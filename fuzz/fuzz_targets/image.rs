//! Everything that is read from an image file: pixels, labels, notes, pixel sizes, data bars.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sorby_image::{GreyRange, LabelFile, MaskNote, Micrograph, RawLabels, Said, Shot};
use std::sync::LazyLock;

static FOLDER: LazyLock<std::path::PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("sorby-fuzz-image-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
});

fuzz_target!(|data: &[u8]| {
    let path = FOLDER.join("a.tif");
    std::fs::write(&path, data).unwrap();
    // A header alone may ask for gigabytes that the file could hold; that is refused elsewhere, by free memory.
    if sorby_image::dimensions(&path).is_some_and(|(w, h)| w * h > 1 << 22) {
        return;
    }
    if let Ok(image) = Micrograph::read(&path) {
        assert_eq!(image.to_f32().len(), image.width * image.height * image.channels());
        let mut shot = Shot::without_scale(&path, image, false);
        shot.end_field_at(shot.image.height / 2);
        let _ = GreyRange::Percentile.apply(&shot);
        let _ = Shot::read(&path, &Said::default());
        let _ = sorby_image::scale::read(&path).map(|reading| reading.nm_per_px());
    }
    let _ = RawLabels::read(&path);
    let _ = LabelFile::read(&path);
    let _ = MaskNote::read(&path);
});
