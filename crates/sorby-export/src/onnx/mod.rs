//! A model as an ONNX file: opset 13, IR 7, one grey channel in, logits and probabilities out.

mod file;
pub(crate) mod graph;
mod input;
mod network;
mod pooling;
mod wire;

use crate::meaning::Meaning;
use crate::{ExportError, Source};
pub(crate) use file::OPSET;
use file::{File, Port, Setting, Side};
use graph::{Graph, Maps};
use network::Network;

/// Shape and contents of an ONNX file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnnxOptions {
    /// Height and width are free; else both are the model's window.
    pub dynamic: bool,
    /// Weights of convolutions are stored in 16 bits, which halves the file; sums stay in 32 bits.
    pub half: bool,
    /// Probabilities are the only output.
    pub probabilities_only: bool,
}

/// Name of the input, `[N, 1, H, W]`.
pub const INPUT: &str = "image";
/// Name of the first output, `[N, classes, H, W]`.
pub const LOGITS: &str = "logits";
/// Name of the second output: softmax of the first over the classes.
pub const PROBABILITIES: &str = "probabilities";

/// Bytes of the file. Its input is `image`, float32 `[N, 1, H, W]` (what its values are stands in the notes); its outputs
/// are `logits` and `probabilities`, float32 `[N, classes, H, W]`. The same model gives the same bytes.
///
/// # Errors
/// [`ExportError::Missing`] when the weights are not those of the card's network.
pub fn onnx_file(source: &Source, options: &OnnxOptions) -> Result<Vec<u8>, ExportError> {
    let card = source.card;
    let side_px = (!options.dynamic).then_some(card.window_px);
    let mut graph = Graph::new(options.half);
    let image = Maps { name: INPUT.to_owned(), channels: 1, side_px };
    let full = graph.size_of(&image);
    let normalised = input::normalised(&mut graph, image, &card.grey_range, &card.normalisation);
    let small = Network { graph: &mut graph, state: source.state, spec: card.spec() }.logits(normalised)?;
    let resized = graph.resize(&small, &full);
    let logits = graph.add("Identity", LOGITS, &[&resized.name], vec![]);
    graph.add("Softmax", PROBABILITIES, &[&logits], vec![("axis", Setting::Int(1))]);
    let meaning = Meaning::of(source);
    let port = |name: &str, channels: usize, what: &str| {
        let side = |name| side_px.map_or(Side::Named(name), Side::Fixed);
        let sides = vec![Side::Named("N"), Side::Fixed(channels), side("H"), side("W")];
        Port { name: name.to_owned(), sides, what: what.to_owned() }
    };
    let classes = card.classes.len();
    let probabilities = port(PROBABILITIES, classes, "softmax of the logits over the classes");
    let outputs = match options.probabilities_only {
        true => vec![probabilities],
        false => vec![port(LOGITS, classes, "one value for each class; the largest wins"), probabilities],
    };
    let file = File {
        nodes: graph.nodes,
        constants: graph.constants,
        inputs: vec![port(INPUT, 1, &meaning.input)],
        outputs,
        what: meaning.summary(),
        notes: meaning.notes().into_iter().map(|(key, value)| (format!("sorby.{key}"), value)).collect(),
    };
    Ok(file.to_bytes())
}

/// Softmax over the classes of `[classes, pixels]`, as the graph's last operation gives it.
pub(crate) fn softmax_of_planes(logits: &[f32], classes: usize, pixels: usize) -> Vec<f32> {
    let mut out = logits.to_vec();
    for p in 0..pixels {
        let most = (0..classes).map(|c| logits[c * pixels + p]).fold(f32::NEG_INFINITY, f32::max);
        let share = |c: usize| (logits[c * pixels + p] - most).exp();
        let sum: f32 = (0..classes).map(share).sum();
        (0..classes).for_each(|c| out[c * pixels + p] = share(c) / sum);
    }
    out
}
