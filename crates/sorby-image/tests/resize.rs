//! Resizing against OpenCV (`reference/fixtures/resize.*`, `slide.json`).

use safetensors::SafeTensors;
use sorby_image::resize::{bilinear, keep_ratio_size, nearest, scaled_len};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../reference/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn floats(data: &[u8]) -> Vec<f32> {
    data.chunks_exact(4).map(|c| f32::from_le_bytes(c.try_into().unwrap())).collect()
}

#[test]
fn matches_opencv() {
    let bytes = fixture("resize.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut checked = 0;
    for name in file.names().into_iter().filter_map(|n| n.strip_suffix("_resized")) {
        let (before, after) = (file.tensor(name).unwrap(), file.tensor(&format!("{name}_resized")).unwrap());
        let size = |s: &[usize]| (s[1], s[0]);
        let (from, to) = (size(before.shape()), size(after.shape()));
        if name.ends_with("label") {
            assert_eq!(nearest(before.data(), from, to), after.data(), "{name}");
        } else {
            let channels = before.shape().get(2).copied().unwrap_or(1);
            let got = bilinear(&floats(before.data()), from, channels, to);
            let worst = got.iter().zip(floats(after.data())).map(|(g, w)| (g - w).abs()).fold(0.0, f32::max);
            assert!(got.len() * 4 == after.data().len() && worst < 5e-5, "{name}: off by {worst}");
        }
        checked += 1;
    }
    assert!(checked >= 18, "{checked} cases");
}

#[test]
fn halving_averages_blocks_and_nearest_takes_the_upper_left() {
    let image: Vec<f32> = (0..16).map(|v| v as f32).collect();
    assert_eq!(bilinear(&image, (4, 4), 1, (2, 2)), [2.5, 4.5, 10.5, 12.5]);
    assert_eq!(nearest(&image, (4, 4), (2, 2)), [0.0, 2.0, 8.0, 10.0]);
}

#[test]
fn sizes_of_test_time_scales() {
    assert_eq!((scaled_len(2560, 0.5), scaled_len(1756, 0.5)), (1280, 878));
    let json: serde_json::Value = serde_json::from_slice(&fixture("slide.json")).unwrap();
    let cases = json["keep_ratio"].as_array().unwrap();
    assert!(cases.len() >= 12);
    for case in cases {
        let n = |v: &serde_json::Value| v.as_u64().unwrap() as usize;
        let got = keep_ratio_size(n(&case["width"]), n(&case["height"]), case["ratio"].as_f64().unwrap());
        assert_eq!(got, (n(&case["target"][0]), n(&case["target"][1])), "{case}");
    }
}
