//! Weights and configuration as MMSegmentation 1 takes them: `init_model("NAME.py", "NAME.pth")`.

use crate::meaning::Meaning;
use crate::pickle::Value;
use crate::torch_file::torch_file;
use crate::{ExportError, Source};
use sorby_image::CONFIG_MARK;
use sorby_infer::ModelCard;
use sorby_nn::geometry::{POOL_SCALES, STAGE_CHANNELS, aspp_dilations, strides_and_dilations};
use sorby_nn::{Arch, Stem};

/// The configuration with blanks, `@so@`.
const TEMPLATE: &str = include_str!("mmseg_config.txt");

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
    let (strides, dilations) = strides_and_dilations(card.output_stride);
    let backbone = match card.stem {
        Stem::V1c => "ResNetV1c",
        Stem::V1 => "ResNet",
    };
    let [.., auxiliary, last] = STAGE_CHANNELS;
    let resize = match card.input_scale {
        1.0 => String::new(),
        scale => format!("    dict(type='Resize', scale_factor={scale:?}, keep_ratio=True),\n"),
    };
    let palette: Vec<String> = card.colours.iter().map(|c| format!("{c:?}")).collect();
    let names: Vec<String> = card.classes.iter().map(|c| python_text(c)).collect();
    // Names last: what stands in them is not filled in again.
    let blanks = [
        ("mean", format!("{:?}", card.normalisation.mean)),
        ("std", format!("{:?}", card.normalisation.std)),
        ("backbone", backbone.to_owned()),
        ("strides", tuple(&strides)),
        ("dilations", tuple(&dilations)),
        ("head", head(card)),
        ("last", last.to_string()),
        ("auxiliary", auxiliary.to_string()),
        ("classes", card.classes.len().to_string()),
        ("window", card.window_px.to_string()),
        ("step", card.stride_px.to_string()),
        ("resize", resize),
        ("palette", palette.join(", ")),
        ("names", names.join(", ")),
    ];
    let filled = blanks
        .iter()
        .fold(TEMPLATE.to_owned(), |text, (blank, value)| text.replace(&format!("@{blank}@"), value));
    format!("{CONFIG_MARK}\n{}\n{filled}", remarks(source))
}

/// The part of the decode head that the architectures do not share.
fn head(card: &ModelCard) -> String {
    match card.arch {
        Arch::PspNet => format!("type='PSPHead',\n        pool_scales={},", tuple(&POOL_SCALES)),
        Arch::DeepLabV3Plus => {
            let [a, b, c] = aspp_dilations(card.output_stride);
            let low = STAGE_CHANNELS[0];
            format!(
                "type='DepthwiseSeparableASPPHead',\n        dilations=(1, {a}, {b}, {c}),\n        \
                 c1_in_channels={low},\n        c1_channels=12,"
            )
        }
    }
}

/// What is to be done to images before, as comments.
fn remarks(source: &Source) -> String {
    let meaning = Meaning::of(source);
    let lines = std::iter::once(format!("Input: {}.", meaning.input)).chain(meaning.steps);
    lines.map(|line| format!("# {line}\n")).collect()
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
