//! Writes models with our answers for `reference/check_exports.py`, which asks the other engines.

use crate::support::{model, picture};
use sorby_image::{GreyRange, Micrograph, Pixels, Shot};
use sorby_infer::{Device, Model};
use sorby_nn::{Arch, Stem};
use std::path::Path;

fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// What the file's input is, and our logits; little-endian float32, with their sizes in the names.
fn write_answers(folder: &Path, model: &mut Model) {
    for (n, h, w) in [(1, 256, 256), (2, 256, 256), (1, 253, 199), (3, 97, 130), (2, 33, 41)] {
        let image = picture(n, h, w);
        let (input, grey) = match model.card.grey_range {
            GreyRange::Fixed(_) => twelve_bits(&image, model.card.grey_range),
            // Answers to grey values do not depend on a range that is applied before.
            GreyRange::Full | GreyRange::Percentile => (image.clone(), image),
        };
        let logits = model.grey_logits(&grey, (n, h, w), &Device::flex());
        std::fs::write(folder.join(format!("image_{n}x{h}x{w}.f32")), bytes_of(&input)).unwrap();
        std::fs::write(folder.join(format!("logits_{n}x{h}x{w}.f32")), bytes_of(&logits)).unwrap();
    }
}

/// Stored values, and the grey values that a range makes of them.
fn twelve_bits(image: &[f32], range: GreyRange) -> (Vec<f32>, Vec<f32>) {
    let stored: Vec<f32> = image.iter().map(|v| v * 16.0).collect();
    let all = Micrograph { width: stored.len(), height: 1, pixels: Pixels::Float(stored.clone()) };
    let seen = range.apply_as_trained(&Shot::plain(all)).unwrap().image.to_f32();
    (stored, seen)
}

#[test]
#[ignore = "writes models for reference/check_exports.py into the folder that SORBY_EXPORTS names"]
fn write_models_for_python() {
    let out = std::env::var_os("SORBY_EXPORTS").expect("SORBY_EXPORTS names a folder");
    let fixed = GreyRange::Fixed([200.0, 3900.0]);
    for (name, arch, stem, stride, range, scale) in [
        ("psp8", Arch::PspNet, Stem::V1c, 8, GreyRange::Full, 1.0),
        ("psp16", Arch::PspNet, Stem::V1, 16, GreyRange::Percentile, 1.0),
        ("dl8", Arch::DeepLabV3Plus, Stem::V1c, 8, fixed, 1.0),
        ("dl16", Arch::DeepLabV3Plus, Stem::V1, 16, GreyRange::Full, 0.5),
    ] {
        let folder = Path::new(&out).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let mut model = model(arch, stem, stride);
        (model.card.grey_range, model.card.input_scale) = (range, scale);
        model.card.nm_per_px = Some((10.0, 12.0));
        write_answers(&folder, &mut model);
        let bytes = model.to_bytes(&Device::flex()).unwrap();
        std::fs::write(folder.join("model.safetensors"), bytes).unwrap();
        let (h, w) = (600, 701);
        // Twelve bits in sixteen; eight bits where the model takes the full range.
        let stored: Vec<u16> = picture(1, h, w).iter().map(|v| (v * 16.0) as u16).collect();
        let pixels = match range {
            GreyRange::Full => Pixels::Grey8(stored.iter().map(|v| (v / 16) as u8).collect()),
            _ => Pixels::Grey16(stored),
        };
        write_image(&folder.join("picture.png"), &Micrograph { width: w, height: h, pixels });
    }
}

/// A PNG of 8 or 16 bits.
fn write_image(path: &Path, image: &Micrograph) {
    let (depth, bytes) = match &image.pixels {
        Pixels::Grey16(p) => (png::BitDepth::Sixteen, p.iter().flat_map(|v| v.to_be_bytes()).collect()),
        Pixels::Grey8(p) => (png::BitDepth::Eight, p.clone()),
        _ => unreachable!("pictures here are grey"),
    };
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, image.width as u32, image.height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
}
