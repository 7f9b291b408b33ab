//! `rdf.yaml` of a package, by bioimage.io's model description 0.5.

use super::yaml::{Yaml, map, number, row, text};
use super::{About, Files, halo_px};
use crate::Source;
use crate::meaning::Meaning;
use crate::onnx::OPSET;
use sha2::{Digest as _, Sha256};
use sorby_image::{GreyRange, PACKAGE_MARK};
use sorby_infer::ModelCard;
use sorby_nn::geometry::{POOL_SCALES, aspp_dilations, strides_and_dilations};

/// Old enough for readers of 2025, new enough to need no licence and authors.
const FORMAT_VERSION: &str = "0.5.5";
/// Oldest PyTorch that reads the weights and knows the network's operations, among those that readers ship.
const PYTORCH_VERSION: &str = "2.0.0";
/// Pixels between two sizes that a model of free size is tested with.
const SIZE_STEP_PX: usize = 32;

pub(super) fn description(source: &Source, about: &About, files: &Files) -> String {
    let card = source.card;
    let what = format!(
        "{} on ResNet-18 for {} in grey micrographs, trained with Sorby",
        card.arch.title(),
        card.classes.join(", ")
    );
    let limited = |t: String| t.chars().take(1024).collect::<String>();
    let author = |author: &String| Yaml::List(vec![map([("name", text(author))])]);
    let document = Yaml::Map(vec![
        ("format_version", Some(text(FORMAT_VERSION))),
        ("type", Some(text("model"))),
        ("name", Some(text(&about.name))),
        ("description", Some(text(limited(what)))),
        ("authors", about.author.as_ref().map(author)),
        ("license", about.licence.as_ref().map(text)),
        ("cite", Some(Yaml::List(vec![citation()]))),
        ("tags", Some(Yaml::List(tags(card)))),
        ("documentation", Some(file("README.md", files))),
        ("covers", Some(Yaml::List(vec![file("cover.png", files)]))),
        ("inputs", Some(Yaml::List(vec![input(source, about, files)]))),
        ("outputs", Some(Yaml::List(vec![output(source, files)]))),
        ("weights", Some(weights(source, files))),
        ("config", Some(config(source))),
    ]);
    format!("{PACKAGE_MARK}\n{}", document.document())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// The method.
fn citation() -> Yaml {
    map([
        (
            "text",
            text(
                "Ma and Yu, Training Tricks for Steel Microstructure Segmentation with Deep Learning, Processes 11 (2023) 3298",
            ),
        ),
        ("doi", text("10.3390/pr11123298")),
    ])
}

fn tags(card: &ModelCard) -> Vec<Yaml> {
    ["2d", "semantic-segmentation", "microstructure", "steel", "materials-science", card.arch.name(), "sorby"]
        .map(text)
        .into()
}

/// nm per pixel that stands on the axes: in the middle of the range, by ratio.
fn axis_nm(source: &Source) -> Option<f64> {
    Meaning::of(source).seen_nm_per_px().map(|(low, high)| (low * high).sqrt())
}

fn space(id: &'static str, size: Yaml, nm: Option<f64>, halo: Option<usize>) -> Yaml {
    Yaml::Map(vec![
        ("type", Some(text("space"))),
        ("id", Some(text(id))),
        ("size", Some(size)),
        ("unit", nm.map(|_| text("nanometer"))),
        ("scale", nm.map(number)),
        ("halo", halo.map(number)),
    ])
}

fn axes(channels: Vec<Yaml>, y: Yaml, x: Yaml) -> Yaml {
    let channels = map([("type", text("channel")), ("channel_names", Yaml::Row(channels))]);
    Yaml::List(vec![map([("type", text("batch"))]), channels, y, x])
}

/// A file of the package with its hash.
fn file(name: &'static str, files: &Files) -> Yaml {
    map([("source", text(name)), ("sha256", text(sha256(files.of(name))))])
}

fn input(source: &Source, about: &About, files: &Files) -> Yaml {
    let (card, nm) = (source.card, axis_nm(source));
    let size = || match about.dynamic {
        true => map([("min", number(card.window_px)), ("step", number(SIZE_STEP_PX))]),
        false => number(card.window_px),
    };
    let (range, preprocessing) = match card.grey_range {
        GreyRange::Full => (Some(row(&[0, 255])), Vec::new()),
        GreyRange::Percentile => (None, own_range()),
        GreyRange::Fixed(range) => (Some(row(&range)), Vec::new()),
    };
    let data = Yaml::Map(vec![("type", Some(text("float32"))), ("range", range)]);
    let (black, white) = match card.grey_range {
        GreyRange::Full | GreyRange::Percentile => (0.0, 255.0),
        GreyRange::Fixed([black, white]) => (black, white),
    };
    let what = format!("One grey channel: {black} is black, {white} is white");
    map([
        ("id", text("raw")),
        ("description", text(what)),
        ("axes", axes(vec![text("grey")], space("y", size(), nm, None), space("x", size(), nm, None))),
        ("data", data),
        ("preprocessing", Yaml::List(preprocessing)),
        ("test_tensor", file("test_input.npy", files)),
        ("sample_tensor", file("sample_input.png", files)),
    ])
}

/// Each image's own range, as `GreyRange::Percentile` has it, to 0..255.
fn own_range() -> Vec<Yaml> {
    let step = |id: &'static str, kwargs: Yaml| map([("id", text(id)), ("kwargs", kwargs)]);
    let axes = Yaml::Row(["channel", "y", "x"].map(text).into());
    vec![
        step(
            "scale_range",
            map([("axes", axes), ("min_percentile", number(0.175)), ("max_percentile", number(99.825))]),
        ),
        step("clip", map([("min", number("0.0")), ("max", number("1.0"))])),
        step("scale_linear", map([("gain", number("255.0"))])),
    ]
}

fn output(source: &Source, files: &Files) -> Yaml {
    let (card, nm) = (source.card, axis_nm(source));
    let as_input = |axis: &'static str| map([("tensor_id", text("raw")), ("axis_id", text(axis))]);
    let side = |axis: &'static str| space(axis, as_input(axis), nm, Some(halo_px(card)));
    map([
        ("id", text("probability")),
        ("description", text("Probability of each class, 0 to 1; those of a pixel sum to 1")),
        ("axes", axes(channel_names(&card.classes).into_iter().map(text).collect(), side("y"), side("x"))),
        ("data", map([("type", text("float32")), ("range", row(&[0, 1]))])),
        ("test_tensor", file("test_output.npy", files)),
        ("sample_tensor", file("sample_output.png", files)),
    ])
}

/// Names of classes as identifiers, which the format wants of channels; the README has the names themselves.
fn channel_names(classes: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (i, class) in classes.iter().enumerate() {
        let plain: String = class.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let begins = plain.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let name = if begins { plain } else { format!("class_{plain}") };
        names.push(if names.contains(&name) || is_keyword(&name) { format!("{name}_{i}") } else { name });
    }
    names
}

/// Words of Python that a class may be called and a channel may not.
fn is_keyword(name: &str) -> bool {
    const KEYWORDS: &str = " False None True and as assert async await break class continue def del elif else except finally for \
                            from global if import in is lambda nonlocal not or pass raise return try while with yield ";
    KEYWORDS.contains(&format!(" {name} "))
}

fn weights(source: &Source, files: &Files) -> Yaml {
    let card = source.card;
    let (strides, dilations) = strides_and_dilations(card.output_stride);
    let range = match card.grey_range {
        GreyRange::Fixed(range) => row(&range),
        GreyRange::Full | GreyRange::Percentile => number("null"),
    };
    let stem = format!("{:?}", card.stem).to_lowercase();
    let kwargs = map([
        ("arch", text(card.arch.name())),
        ("stem", text(stem)),
        ("classes", number(card.classes.len())),
        ("strides", row(&strides)),
        ("dilations", row(&dilations)),
        ("pool_scales", row(&POOL_SCALES)),
        ("head_dilations", row(&aspp_dilations(card.output_stride))),
        ("mean", floats(&card.normalisation.mean)),
        ("std", floats(&card.normalisation.std)),
        ("grey_range", range),
    ]);
    let architecture = map([
        ("source", text("network.py")),
        ("sha256", text(sha256(files.of("network.py")))),
        ("callable", text("Network")),
        ("kwargs", kwargs),
    ]);
    let torch = map([
        ("source", text("weights.pt")),
        ("sha256", text(sha256(files.of("weights.pt")))),
        ("architecture", architecture),
        ("pytorch_version", text(PYTORCH_VERSION)),
    ]);
    let onnx = map([
        ("source", text("model.onnx")),
        ("sha256", text(sha256(files.of("model.onnx")))),
        ("opset_version", number(OPSET)),
        ("parent", text("pytorch_state_dict")),
    ]);
    map([("pytorch_state_dict", torch), ("onnx", onnx)])
}

/// With a point, so that they are read as floats.
fn floats(values: &[f32]) -> Yaml {
    Yaml::Row(values.iter().map(|v| number(format!("{v:?}"))).collect())
}

/// What readers compare by, and what only Sorby knows.
fn config(source: &Source) -> Yaml {
    let tolerance = map([("relative_tolerance", number("0.001")), ("absolute_tolerance", number("0.0001"))]);
    let notes = Meaning::of(source).notes().into_iter().map(|(key, value)| (key, Some(text(value))));
    map([
        ("bioimageio", map([("reproducibility_tolerance", Yaml::List(vec![tolerance]))])),
        ("sorby", Yaml::Map(notes.collect())),
    ])
}

#[cfg(test)]
mod tests {
    use super::channel_names;

    #[test]
    fn channels_are_identifiers() {
        let classes = ["Härte", "M23C6 (coarse)", "100Cr6", "in", "a-b", "a b"].map(str::to_owned);
        let expected = ["H_rte", "M23C6__coarse_", "class_100Cr6", "in_3", "a_b", "a_b_5"];
        assert_eq!(channel_names(&classes), expected);
    }
}
