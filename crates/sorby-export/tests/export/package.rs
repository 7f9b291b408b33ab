//! Packages of bioimage.io: what they hold. Whether bioimageio.core takes them is asked in `reference/check_exports.py`.

use crate::support::model;
use sorby_export::{About, ExportError, Source, TestPair, bioimageio_package, package_name};
use sorby_image::{GreyRange, Micrograph, OutputKind, Shot, require_replaceable};
use sorby_infer::{Device, Model};
use sorby_nn::{Arch, Stem};
use std::io::{Cursor, Read as _};

fn package(model: &mut Model, about: &About, shot: Option<&Shot>) -> Result<Vec<u8>, ExportError> {
    let test = TestPair::of(model, shot, &Device::flex()).unwrap();
    let state = model.network.state();
    let source = Source { card: &model.card, state: &state, model_blake3: "00ff" };
    bioimageio_package(&source, about, &test)
}

fn file(package: &[u8], name: &str) -> Vec<u8> {
    let mut zip = zip::ZipArchive::new(Cursor::new(package)).unwrap();
    let mut bytes = Vec::new();
    zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

/// Numbers of a `.npy` file.
fn numbers(npy: &[u8]) -> Vec<f32> {
    npy[128..].as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

#[test]
fn a_package_holds_a_test_of_its_own_grey_range() {
    let mut model = model(Arch::PspNet, Stem::V1c, 16);
    (model.card.window_px, model.card.stride_px) = (96, 48);
    model.card.grey_range = GreyRange::Fixed([100.0, 1100.0]);
    let about = About { name: package_name("steel"), dynamic: true, ..About::default() };
    let bytes = package(&mut model, &about, None).unwrap();
    assert!(bytes == package(&mut model, &about, None).unwrap(), "the same model gives the same bytes");
    let rdf = String::from_utf8(file(&bytes, "rdf.yaml")).unwrap();
    for line in [
        "channel_names: [\"matrix\", \"carbide\", \"M23C6__H_rte_2_\"]",
        "grey_range: [100, 1100]",
        "halo: 24",
        "min: 96",
        "description: \"One grey channel: 100 is black, 1100 is white\"",
    ] {
        assert!(rdf.contains(line), "{line}: {rdf}");
    }
    assert!(!rdf.contains("license") && !rdf.contains("authors") && !rdf.contains("unit"));
    let input = numbers(&file(&bytes, "test_input.npy"));
    assert!(input.len() == 96 * 96 && input.iter().all(|v| (100.0..=1100.0).contains(v)));
    let output = numbers(&file(&bytes, "test_output.npy"));
    for p in 0..96 * 96 {
        let sum: f32 = (0..3).map(|c| output[c * 96 * 96 + p]).sum();
        assert!((sum - 1.0).abs() < 1e-5);
    }
    assert!(file(&bytes, "cover.png").len() < 500_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.zip");
    std::fs::write(&path, &bytes).unwrap();
    require_replaceable(&path, OutputKind::Package).unwrap();
    assert!(require_replaceable(&path, OutputKind::StateDict).is_err());
}

#[test]
fn the_middle_of_an_image_is_the_test() {
    let mut model = model(Arch::DeepLabV3Plus, Stem::V1, 16);
    (model.card.window_px, model.card.stride_px) = (64, 32);
    let (width, height) = (80, 70);
    let pixels: Vec<u8> = (0..width * height).map(|i| (i % width * 3) as u8).collect();
    let shot = Shot::plain(Micrograph::grey8(width, height, pixels));
    let about = About { name: package_name("steel"), ..About::default() };
    let input = numbers(&file(&package(&mut model, &about, Some(&shot)).unwrap(), "test_input.npy"));
    // Columns 8 to 71.
    assert_eq!((input[0], input[63], input.len()), (24.0, 213.0, 64 * 64));
}
