//! Weights and configuration as MMSegmentation 1 takes them: `init_model("NAME.py", "NAME.pth")`.

use crate::meaning::Meaning;
use crate::pickle::Value;
use crate::torch_file::torch_file;
use crate::{ExportError, Source};
use sorby_image::CONFIG_MARK;
use sorby_nn::geometry::{POOL_SCALES, STAGE_CHANNELS, aspp_dilations, strides_and_dilations};
use sorby_nn::{Arch, Stem};

/// A `.pth` and a `.py`.
pub struct MmsegFiles {
    /// Weights with classes and configuration.
    pub checkpoint: Vec<u8>,
    /// The configuration.
    pub config: String,
}

/// Both files.
///
/// # Errors
/// [`ExportError::Zip`] when the zip of the weights cannot be made.
pub fn mmseg_files(source: &Source) -> Result<MmsegFiles, ExportError> {
    let config = config(source);
    let card = source.card;
    let text = |t: &str| Value::Text(t.to_owned());
    let classes = Value::List(card.classes.iter().map(|c| text(c)).collect());
    let colour = |rgb: &[u8; 3]| Value::List(rgb.iter().map(|v| Value::Int(i64::from(*v))).collect());
    let entry = |key: &str, value: Value| (key.to_owned(), value);
    let dataset = Value::Dict(vec![
        entry("classes", classes),
        entry("palette", Value::List(card.colours.iter().map(colour).collect())),
    ]);
    let meta = Value::Dict(vec![
        entry("dataset_meta", dataset),
        entry("cfg", text(&config)),
        entry("iter", Value::Int(card.iteration as i64)),
        entry("sorby_model_blake3", text(source.model_blake3)),
    ]);
    let around = |weights| Value::Dict(vec![entry("meta", meta), entry("state_dict", weights)]);
    Ok(MmsegFiles { checkpoint: torch_file(source.state, around)?, config })
}

/// The configuration's text. Numbers are written so that they are read as they are.
fn config(source: &Source) -> String {
    let card = source.card;
    let classes = card.classes.len();
    let (strides, dilations) = strides_and_dilations(card.output_stride);
    let backbone = match card.stem {
        Stem::V1c => "ResNetV1c",
        Stem::V1 => "ResNet",
    };
    let [.., auxiliary, last] = STAGE_CHANNELS;
    let head = match card.arch {
        Arch::PspNet => format!("type='PSPHead',\n        pool_scales={},", tuple(&POOL_SCALES)),
        Arch::DeepLabV3Plus => {
            let [a, b, c] = aspp_dilations(card.output_stride);
            format!(
                "type='DepthwiseSeparableASPPHead',\n        dilations=(1, {a}, {b}, {c}),\n        c1_in_channels={},\n        c1_channels=12,",
                STAGE_CHANNELS[0]
            )
        }
    };
    let (window, step) = (card.window_px, card.stride_px);
    let resize = match card.input_scale {
        1.0 => String::new(),
        scale => format!("    dict(type='Resize', scale_factor={scale:?}, keep_ratio=True),\n"),
    };
    let (mean, std) = (card.normalisation.mean, card.normalisation.std);
    let palette: Vec<String> = card.colours.iter().map(|c| format!("{c:?}")).collect();
    let names: Vec<String> = card.classes.iter().map(|c| python_text(c)).collect();
    let meaning = Meaning::of(source);
    let remarks: String = std::iter::once(format!("Input: {}.", meaning.input))
        .chain(meaning.steps)
        .map(|line| format!("# {line}\n"))
        .collect();
    format!(
        "{CONFIG_MARK}\n{remarks}
norm_cfg = dict(type='BN', requires_grad=True)
data_preprocessor = dict(
    type='SegDataPreProcessor',
    mean={mean:?},
    std={std:?},
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=data_preprocessor,
    pretrained=None,
    backbone=dict(
        type='{backbone}',
        depth=18,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        strides={strides},
        dilations={dilations},
        norm_cfg=norm_cfg,
        norm_eval=False,
        style='pytorch',
        contract_dilation=True),
    decode_head=dict(
        {head}
        in_channels={last},
        in_index=3,
        channels=128,
        dropout_ratio=0.1,
        num_classes={classes},
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0)),
    auxiliary_head=dict(
        type='FCNHead',
        in_channels={auxiliary},
        in_index=2,
        channels=64,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes={classes},
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=0.4)),
    train_cfg=dict(),
    test_cfg=dict(mode='slide', crop_size=({window}, {window}), stride=({step}, {step})))

dataset_type = 'BaseSegDataset'
metainfo = dict(classes=[{names}], palette=[{palette}])
test_pipeline = [
    dict(type='LoadImageFromFile'),
{resize}    dict(type='PackSegInputs'),
]
test_dataloader = dict(
    batch_size=1,
    dataset=dict(type=dataset_type, metainfo=metainfo, pipeline=test_pipeline))
default_scope = 'mmseg'
",
        strides = tuple(&strides),
        dilations = tuple(&dilations),
        names = names.join(", "),
        palette = palette.join(", "),
    )
}

fn tuple(numbers: &[usize]) -> String {
    format!("({})", numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
}

/// A text as Python's source has it.
pub(crate) fn python_text(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\\' | '\'' => out.extend(['\\', c]),
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            c => out.push(c),
        }
    }
    out + "'"
}

#[cfg(test)]
mod tests {
    use super::python_text;

    #[test]
    fn names_of_classes_cannot_leave_their_quotes() {
        assert_eq!(python_text("M23'C6\\\n"), "'M23\\'C6\\\\\\n'");
    }
}
