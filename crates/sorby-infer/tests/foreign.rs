//! A training checkpoint of MMSegmentation becomes a model that answers as MMSegmentation does. Checkpoint and answer
//! are of `reference/make_checkpoint.py`, whose network MMSegmentation 1.2.2 itself was seen to equal.

use sorby_image::{Micrograph, Shot};
use sorby_infer::foreign::{Given, model_of};
use sorby_infer::{Device, InferenceOptions, Model, predict};
use sorby_nn::weights::{CLASSIFIER, StateDict, from_safetensors, to_safetensors};
use sorby_nn::weights_file::{Checkpoint, is_pytorch, read_checkpoint};
use sorby_nn::{Arch, ModelSpec, Segmentor, Stem};
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/fixtures/weights").join(name)
}

fn given(classes: &[&str]) -> Given {
    Given { classes: classes.iter().map(|c| (*c).to_owned()).collect(), output_stride: None }
}

#[test]
fn probabilities_are_those_of_mmsegmentation() {
    let device = Device::flex();
    let checkpoint = read_checkpoint(&file("mmseg.pth")).unwrap();
    // Five momentum buffers are of the optimiser.
    assert_eq!(checkpoint.left_out, 5);
    assert_eq!(checkpoint.training.classes, ["matrix", "carbide", "pearlite"]);
    assert!(is_pytorch(&file("mmseg.pth")) && is_pytorch(&file("legacy.pth")));
    let (mut made, told) = model_of(checkpoint, &given(&[]), &device).unwrap();
    assert!(told.iter().any(|t| t.contains("named by the file: matrix, carbide, pearlite")), "{told:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    std::fs::write(&path, made.to_bytes(&device).unwrap()).unwrap();
    let mut model = Model::read(&path, &device).unwrap();
    assert_eq!((model.card.window_px, model.card.stride_px, model.card.iteration), (64, 48, 4000));
    assert_eq!(model.card.normalisation.mean, [120.0, 115.0, 100.0]);
    assert_eq!(model.card.colours[1], [230, 159, 0]);

    let (answer, _) = from_safetensors(&std::fs::read(file("mmseg_answer.safetensors")).unwrap()).unwrap();
    let picture = answer["picture"].values.iter().map(|v| *v as u8).collect();
    let image = Shot::plain(Micrograph::grey8(64, 64, picture));
    let options = InferenceOptions::of(&model.card);
    let found = predict(&mut model, &image, &options, &device, &mut |_| ()).unwrap();
    let truth = &answer["probabilities"].values;
    let off =
        found.probabilities.values.iter().enumerate().map(|(i, p)| (p - truth[i % 3 * 4096 + i / 3]).abs());
    let off = off.fold(0.0, f32::max);
    println!("largest difference of a probability: {off:e}");
    assert!(off < 1e-4, "{off}");
    let doubtful = truth[..4096].iter().filter(|p| (0.01..0.99).contains(*p)).count();
    assert!(doubtful > 500, "the comparison says something: {doubtful}");
}

/// A network's state as in a checkpoint.
fn checkpoint(arch: Arch, classes: usize, device: &Device) -> Checkpoint {
    let spec = ModelSpec { arch, stem: Stem::V1c, classes, output_stride: 8 };
    Checkpoint { state: Segmentor::new(spec, 1, device).state(), ..Checkpoint::default() }
}

#[test]
fn what_is_no_such_network_says_why() {
    let device = Device::flex();
    let two = given(&["matrix", "carbide"]);
    let refused = |change: &dyn Fn(&mut Checkpoint), given: &Given| {
        let mut checkpoint = checkpoint(Arch::DeepLabV3Plus, 2, &device);
        change(&mut checkpoint);
        match model_of(checkpoint, given, &device) {
            Ok((model, told)) => format!("made {:?} {told:?}", model.card.classes),
            Err(what) => what.to_string(),
        }
    };
    let rename = |state: &mut StateDict, from: &str, to: &str| {
        *state = std::mem::take(state).into_iter().map(|(k, a)| (k.replace(from, to), a)).collect();
    };
    assert!(refused(&|_| {}, &two).starts_with("made [\"matrix\", \"carbide\"]"));
    assert!(refused(&|_| {}, &given(&[])).contains("does not name its 2 classes; give --classes"));
    assert!(
        refused(&|c| c.training.classes = vec!["a".into(), "b".into()], &given(&["x"]))
            .contains("has 2 classes, not 1; the file names them a, b")
    );
    assert!(refused(&|_| {}, &given(&["a", "a"])).contains("named twice"));
    assert!(refused(&|_| {}, &given(&["a", ""])).contains("a class has no name"));
    // A training that diverged, and a file that is damaged.
    let diverged = |c: &mut Checkpoint| c.state.get_mut(CLASSIFIER).unwrap().values[7] = f32::NAN;
    assert!(refused(&diverged, &two).contains("`decode_head.conv_seg.weight` holds NaN"));
    let negative =
        |c: &mut Checkpoint| c.state.get_mut("backbone.layer1.0.bn1.running_var").unwrap().values[3] = -1.0;
    assert!(refused(&negative, &two).contains("running_var` holds a negative variance"));
    assert!(refused(&|c| c.state.retain(|k, _| k.starts_with("backbone.")), &two).contains("no decode head"));
    assert!(refused(&|c| rename(&mut c.state, "c1_bottleneck", "c1"), &two).contains("DeepLabV3's"));
    assert!(refused(&|c| rename(&mut c.state, "aspp_modules", "lateral"), &two).contains("none of PSPNet"));
    let deep = |c: &mut Checkpoint| {
        let array = c.state["backbone.layer1.0.conv2.weight"].clone();
        c.state.insert("backbone.layer1.0.conv3.weight".into(), array);
    };
    assert!(refused(&deep, &two).contains("larger than a ResNet-18"));
    let more = |c: &mut Checkpoint| {
        let array = c.state[CLASSIFIER].clone();
        c.state.insert("decode_head.attention.weight".into(), array);
    };
    assert!(
        refused(&more, &two).contains("1 tensors are no part of the network, first `decode_head.attention")
    );
    let less = |c: &mut Checkpoint| drop(c.state.remove("decode_head.bottleneck.bn.weight"));
    assert!(refused(&less, &two).contains("missing, first `decode_head.bottleneck.bn.weight`"));
    let sigmoid = |c: &mut Checkpoint| {
        let weight = c.state.get_mut(CLASSIFIER).unwrap();
        weight.shape[0] = 1;
        weight.values.truncate(128);
    };
    assert!(refused(&sigmoid, &two).contains("sigmoid"));
    assert!(
        refused(&|c| c.training.config = Some("align_corners=True".into()), &two).contains("align_corners")
    );
    let far = Given { output_stride: Some(16), ..two.clone() };
    assert!(
        refused(&|c| c.training.config = Some("strides=(1, 2, 1, 1)".into()), &far)
            .contains("output stride 8, not 16")
    );
    assert!(refused(&|_| {}, &Given { output_stride: Some(4), ..two.clone() }).contains("not 8, 16 or 32"));
    // Without an auxiliary head, or with another: masks do not need it.
    let headless = |c: &mut Checkpoint| c.state.retain(|k, _| !k.starts_with("auxiliary_head."));
    assert!(refused(&headless, &two).contains("auxiliary head is not taken over"));
    let other =
        |c: &mut Checkpoint| c.state.get_mut("auxiliary_head.convs.0.conv.weight").unwrap().shape[2] = 1;
    assert!(refused(&other, &two).contains("auxiliary head is not taken over"));
}

#[test]
fn wrappers_and_training_states_are_taken_off() {
    let device = Device::flex();
    let state = checkpoint(Arch::PspNet, 2, &device).state;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrapped.safetensors");
    for wrapper in ["module.", "model.", "_orig_mod.module.", "model.net."] {
        let mut wrapped: StateDict =
            state.iter().map(|(k, a)| (format!("{wrapper}{k}"), a.clone())).collect();
        wrapped.insert("optimizer.state.0.exp_avg".into(), state[CLASSIFIER].clone());
        wrapped.insert("ema_backbone_conv1".into(), state[CLASSIFIER].clone());
        std::fs::write(&path, to_safetensors(&wrapped, Default::default()).unwrap()).unwrap();
        let read = read_checkpoint(&path).unwrap();
        assert!(read.state == state && read.left_out == 2, "{wrapper}");
    }
    // A bare file is no model, and says what to do.
    let error = Model::read(&path, &device).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("bare weight file") && error.contains("model convert"), "{error}");
    let error = Model::read(&file("mmseg.pth"), &device).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("file of PyTorch") && error.contains("--classes"), "{error}");
}
