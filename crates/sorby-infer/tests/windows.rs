//! Sliding windows against the reference definitions (`reference/fixtures`).

use serde_json::Value;
use sorby_infer::windows;

fn fixture(name: &str) -> Value {
    let path = format!("{}/../../reference/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn count(v: &Value) -> usize {
    v.as_u64().unwrap() as usize
}

/// A network whose classifier ignores its input gives the same answer everywhere, whatever the windows,
/// also for images smaller than a window and odd sizes; every window is told to the progress.
#[test]
fn a_constant_network_gives_a_constant_mask() {
    use sorby_image::{Micrograph, Shot};
    use sorby_infer::{InferenceOptions, Model, ModelCard, predict};
    use sorby_nn::{Arch, ModelSpec, Segmentor, Stem};
    let device = sorby_infer::Device::flex();
    for (arch, input_scale) in [(Arch::DeepLabV3Plus, 1.0), (Arch::PspNet, 0.5)] {
        let spec = ModelSpec { arch, stem: Stem::V1c, classes: 3, output_stride: 8 };
        let mut network = Segmentor::new(spec, 1, &device);
        let mut state = network.state();
        state.get_mut("decode_head.conv_seg.weight").unwrap().values.fill(0.0);
        state.get_mut("decode_head.conv_seg.bias").unwrap().values = vec![0.5, 2.0, 2.0];
        network.load(state).unwrap();
        let card = ModelCard { input_scale, window_px: 64, stride_px: 40, ..ModelCard::new(spec) };
        let mut model = Model::new(card, network);
        for (width, height) in [(101, 77), (40, 30), (64, 65)] {
            let pixels = (0..width * height).map(|i| (i % 256) as u8).collect();
            let image = Shot::plain(Micrograph::grey8(width, height, pixels));
            for (ratios, adapt) in [(vec![], false), (vec![0.75, 1.25], false), (vec![], true)] {
                let options = InferenceOptions {
                    adapt,
                    flip: !ratios.is_empty(),
                    ratios,
                    ..InferenceOptions::of(&model.card)
                };
                let mut seen = 0;
                let result = predict(&mut model, &image, &options, &device, &mut |n| seen += n).unwrap();
                assert_eq!(seen, options.window_count(&model.card, (width, height)));
                // Classes 1 and 2 tie: the lower index wins.
                assert!(result.labels.labels.iter().all(|&l| l == 1), "{width}x{height} {options:?}");
                let p = 2f32.exp() / (0.5f32.exp() + 2.0 * 2f32.exp());
                let off = result.probabilities.values.chunks(3).map(|v| (v[1] - p).abs()).fold(0.0, f32::max);
                assert!(off < 1e-5 && result.labels.labels.len() == width * height, "off by {off}");
            }
        }
    }
}

/// Enlarged much or little, with rows wanted late or soon, the rows are all there.
#[test]
fn any_magnification_gives_a_whole_mask() {
    use sorby_image::{Micrograph, Shot};
    use sorby_infer::{InferenceOptions, Model, ModelCard, predict};
    use sorby_nn::{Arch, ModelSpec, Segmentor, Stem};
    let device = sorby_infer::Device::flex();
    let spec = ModelSpec { arch: Arch::PspNet, stem: Stem::V1c, classes: 2, output_stride: 32 };
    let card = ModelCard { window_px: 64, stride_px: 32, ..ModelCard::new(spec) };
    let mut model = Model::new(card, Segmentor::new(spec, 1, &device));
    let pixels = (0..1200).map(|i| (i * 7 % 256) as u8).collect();
    let image = Shot::plain(Micrograph::grey8(40, 30, pixels));
    for magnify in [0.3, 0.9, 2.0, 2.5, 4.0, 7.0] {
        let options = InferenceOptions { magnify, ..InferenceOptions::of(&model.card) };
        let found = predict(&mut model, &image, &options, &device, &mut |_| ()).unwrap();
        assert_eq!(found.labels.labels.len(), 1200, "{magnify}");
        let sums = found.probabilities.values.chunks_exact(2).map(|p| (p[0] + p[1] - 1.0).abs());
        assert!(sums.fold(0.0, f32::max) < 1e-5, "{magnify}: every pixel has its probabilities");
    }
}

#[test]
fn windows_match_the_reference_and_cover_every_pixel() {
    let json = fixture("slide.json");
    let cases = json["cases"].as_array().unwrap();
    assert!(cases.len() >= 8);
    for case in cases {
        let [h, w, crop, stride] = ["height", "width", "crop", "stride"].map(|k| count(&case[k]));
        let got = windows(h, w, crop, stride);
        assert_eq!(got.len(), count(&case["count"]), "{h}x{w}");
        if let Some(want) = case["windows"].as_array() {
            let got: Vec<[usize; 4]> = got.iter().map(|w| [w.y1, w.y2, w.x1, w.x2]).collect();
            let want: Vec<[usize; 4]> = want.iter().map(|w| std::array::from_fn(|i| count(&w[i]))).collect();
            assert_eq!(got, want, "{h}x{w}");
        }
        let mut covered = vec![false; h * w];
        for window in got {
            for y in window.y1..window.y2 {
                covered[y * w + window.x1..y * w + window.x2].fill(true);
            }
        }
        assert!(covered.iter().all(|&c| c), "{h}x{w} has pixels without a window");
    }
}

/// The answer of an ensemble is the mean of its members' answers; models that do not answer alike are refused.
#[test]
fn an_ensemble_averages_its_members() {
    use sorby_image::{Micrograph, Shot};
    use sorby_infer::{Device, InferenceOptions, Model, ModelCard, predict};
    use sorby_nn::{Arch, ModelSpec, Segmentor, Stem};
    let device = Device::flex();
    let model = |arch, seed: u64| {
        let spec = ModelSpec { arch, stem: Stem::V1c, classes: 3, output_stride: 16 };
        let card = ModelCard { window_px: 64, stride_px: 40, ..ModelCard::new(spec) };
        Model { blake3: format!("{seed}"), ..Model::new(card, Segmentor::new(spec, seed, &device)) }
    };
    let image = Shot::plain(Micrograph::grey8(90, 70, (0..90 * 70).map(|i| (i * 31 % 251) as u8).collect()));
    let answer = |model: &mut Model| {
        let companions = model.companions.iter().map(|m| m.blake3.clone()).collect();
        let options = InferenceOptions { companions, ..InferenceOptions::of(&model.card) };
        let mut windows = 0;
        let found = predict(model, &image, &options, &device, &mut |n| windows += n).unwrap();
        assert_eq!(windows, options.window_count(&model.card, (90, 70)));
        found
    };
    let (mut first, mut second) = (model(Arch::DeepLabV3Plus, 1), model(Arch::PspNet, 2));
    let (one, two) = (answer(&mut first), answer(&mut second));
    first.join(second).unwrap();
    let both = answer(&mut first);
    assert_ne!(one.probabilities, two.probabilities);
    for ((mean, a), b) in
        both.probabilities.values.iter().zip(&one.probabilities.values).zip(&two.probabilities.values)
    {
        assert!((mean - (a + b) / 2.0).abs() < 1e-6, "{mean} of {a} and {b}");
    }
    let refused = |other: Model, first: &mut Model| first.join(other).unwrap_err();
    assert!(refused(model(Arch::PspNet, 2), &mut first).contains("once more"));
    let mut other = model(Arch::PspNet, 3);
    other.card.classes[2] = "pearlite".into();
    assert!(refused(other, &mut first).contains("pearlite"));
    let mut other = model(Arch::PspNet, 4);
    other.card.input_scale = 0.5;
    assert!(refused(other, &mut first).contains("0.5"));
}
