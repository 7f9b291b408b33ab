//! PyTorch files: Sorby's own reader takes them back; Python's is asked in `reference/check_exports.py`.

use crate::support::{model, picture};
use sorby_export::{Source, mmseg_files, state_dict_file};
use sorby_image::{Micrograph, Shot};
use sorby_infer::foreign::{Given, model_of};
use sorby_infer::{Device, InferenceOptions, predict};
use sorby_nn::weights_file::read_checkpoint;
use sorby_nn::{Arch, Stem};

#[test]
fn weights_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.pt");
    let state = model(Arch::PspNet, Stem::V1, 8).network.state();
    std::fs::write(&path, state_dict_file(&state).unwrap()).unwrap();
    let back = read_checkpoint(&path).unwrap();
    assert!(back.state == state, "every bit of every tensor");
    assert_eq!(back.left_out, 0);
}

/// The way to MMSegmentation and back: the same classes, window and mask.
#[test]
fn a_model_comes_back_from_mmsegmentation() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pth");
    for (arch, stem, output_stride) in [
        (Arch::PspNet, Stem::V1c, 8),
        (Arch::DeepLabV3Plus, Stem::V1c, 16),
        (Arch::DeepLabV3Plus, Stem::V1, 8),
    ] {
        let mut model = model(arch, stem, output_stride);
        (model.card.window_px, model.card.stride_px, model.card.iteration) = (64, 48, 900);
        model.card.normalisation.mean = [101.25, 99.1, 87.0];
        model.card.classes[1] = "M23'C6".into();
        let state = model.network.state();
        let source = Source { card: &model.card, state: &state, model_blake3: "00ff" };
        let files = mmseg_files(&source).unwrap();
        std::fs::write(&path, &files.checkpoint).unwrap();
        let checkpoint = read_checkpoint(&path).unwrap();
        assert_eq!(checkpoint.training.config.as_deref(), Some(files.config.as_str()));
        let (mut back, _) = model_of(checkpoint, &Given::default(), &device).unwrap();
        assert_eq!(back.card.classes, model.card.classes);
        assert_eq!((back.card.window_px, back.card.stride_px, back.card.iteration), (64, 48, 900));
        assert_eq!(back.card.spec(), model.card.spec());
        assert_eq!(back.card.normalisation, model.card.normalisation);
        assert_eq!(back.card.colours, model.card.colours);
        assert!(back.network.state() == state);
        let pixels = picture(1, 80, 101).iter().map(|v| *v as u8).collect();
        let shot = Shot::plain(Micrograph::grey8(101, 80, pixels));
        let mask = |model: &mut _| {
            let options = InferenceOptions {
                crop_px: 64,
                stride_px: 48,
                ratios: vec![],
                flip: false,
                magnify: 1.0,
                adapt: false,
                companions: Vec::new(),
            };
            predict(model, &shot, &options, &device, &mut |_| ()).unwrap()
        };
        let (ours, theirs) = (mask(&mut model), mask(&mut back));
        assert_eq!(ours.labels, theirs.labels);
        assert_eq!(ours.probabilities, theirs.probabilities);
        assert!((0..3).filter(|c| ours.labels.labels.contains(c)).count() >= 2, "the mask shows something");
    }
}
