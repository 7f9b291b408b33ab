//! Training and segmentation on Vulkan next to the CPU, whole: from images to weights and to masks. Where there is no card,
//! Debian's software device answers (package `mesa-vulkan-drivers`).
#![cfg(feature = "wgsl")]

use sorby_data::synth::{Kind, SynthSet, write_dataset};
use sorby_data::{Dataset, Sample};
use sorby_infer::{Backend, Device, InferenceOptions, Model, Prediction, predict};
use sorby_nn::check::{CheckedNetwork, check_network};
use sorby_nn::device::{DeviceProblem, OpenDevice};
use sorby_train::{Metric, RunFolder, Trainer, parse};
use std::path::Path;

/// The device; `None`, with the reason said, where there is none. In CI there must be one.
fn vulkan() -> Option<OpenDevice> {
    match Backend::Vulkan.look() {
        Ok(open) => {
            println!("on {} {}", open.name, open.driver);
            Some(open)
        }
        Err(problem) => {
            assert!(matches!(problem, DeviceProblem::NotThere { .. }), "{problem}");
            assert!(std::env::var_os("CI").is_none(), "{problem}");
            println!("skipped: {problem}");
            None
        }
    }
}

fn steel(at: &Path) -> Dataset {
    let set = SynthSet { kind: Kind::Carbide, images: 4, width: 96, height: 80, seed: 2 };
    write_dataset(&at.join("steel"), set).unwrap();
    Dataset::open(&at.join("steel")).unwrap()
}

/// Losses of five steps.
fn losses(arch: &str, data: &Dataset, root: &Path, device: &Device) -> Vec<f32> {
    let changes = [format!("arch={arch}")];
    let tiny = "[data]\nbatch = 2\ncrop = 32\nval = \"\"\n[schedule]\niterations = 5\n[optimizer]\nlr = 0.001\n\
                [inference]\nwindow = 64\nstride = 64\n";
    let folder = RunFolder::create(root).unwrap();
    let trainer = Trainer::new(parse(tiny, &changes).unwrap(), data, &folder, device.clone()).unwrap();
    trainer.run(&mut |_| (), &|| false).unwrap();
    let metrics: Vec<Metric> = RunFolder::read_lines(root);
    metrics.iter().map(|m| m.loss).collect()
}

fn segment(run: &Path, sample: &Sample, device: &Device) -> Prediction {
    let mut model = Model::read(run, device).unwrap();
    let options = InferenceOptions::of(&model.card);
    predict(&mut model, &sample.shot, &options, device, &mut |_| ()).unwrap()
}

#[test]
fn five_steps_have_the_losses_of_the_cpu_and_its_masks() {
    let Some(open) = vulkan() else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = steel(folder.path());
    for arch in ["deeplabv3plus", "pspnet"] {
        let at = |name: &str| folder.path().join(format!("{arch}-{name}"));
        let want = losses(arch, &data, &at("cpu"), &Device::flex());
        let got = losses(arch, &data, &at("vulkan"), &open.device);
        assert!(want.len() == 5 && want.iter().all(|w| *w > 0.0), "{want:?}");
        for (got, want) in got.iter().zip(&want) {
            assert!((got - want).abs() < 1e-3 * want, "{arch}: losses {got:?}, on the CPU {want:?}");
        }
        assert_eq!(got.len(), 5);
        // The same model on both.
        let sample = data.load_one(&data.items[0]).unwrap();
        let want = segment(&at("cpu"), &sample, &Device::flex());
        let got = segment(&at("cpu"), &sample, &open.device);
        let pairs = got.probabilities.values.iter().zip(&want.probabilities.values);
        let off = pairs.map(|(g, w)| (g - w).abs()).fold(0.0, f32::max);
        assert!(off < 1e-3, "{arch}: probabilities are off by {off}");
        let classes = want.probabilities.classes;
        let same =
            got.labels.labels.iter().zip(&want.labels.labels).zip(want.probabilities.values.chunks(classes));
        for ((got, want), scores) in same {
            // Where both classes are as probable, either is right.
            assert!(
                got == want || (scores[0] - scores[1]).abs() < 2e-3,
                "{arch}: {got} for {want}, {scores:?}"
            );
        }
    }
}

#[test]
fn every_layer_is_right() {
    let Some(open) = vulkan() else { return };
    let recipe = parse("[data]\nbatch = 2\ncrop = 32\n", &[]).unwrap();
    let network = CheckedNetwork {
        spec: recipe.model_spec(2),
        loss: recipe.loss.pixel_loss(),
        batch: recipe.data.batch,
        crop_px: recipe.data.crop,
    };
    let found = check_network(&network, &open.device, false, &mut |layer| {
        println!("{}: {:?}", layer.layer, layer.results);
    });
    assert!(found.len() > 40, "{} layers", found.len());
    let wrong: Vec<_> = found.iter().filter_map(|layer| layer.wrong(Backend::Vulkan.tolerance())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
