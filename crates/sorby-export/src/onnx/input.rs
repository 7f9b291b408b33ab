//! From what a consumer has to what the network sees: the model's grey range, where it is one rule for all images, three
//! equal channels, normalised. It stands within the graph, before any padding, so that borders are as in training.

use super::graph::{Graph, Maps};
use sorby_data::Normalisation;
use sorby_image::GreyRange;

/// White of 16 bits, and so many of its steps for one of 0..255.
const WHITE_16: f32 = 65535.0;
const STEPS: f32 = 257.0;

/// Normalised `[N, 3, H, W]` from grey values `[N, 1, H, W]`.
pub(crate) fn normalised(
    graph: &mut Graph,
    image: Maps,
    range: &GreyRange,
    normalisation: &Normalisation,
) -> Maps {
    let grey = match range {
        GreyRange::Fixed([black, white]) => fixed_range(graph, &image.name, *black, *white),
        // As it is, or by each image's own range: that is for the consumer.
        GreyRange::Full | GreyRange::Percentile => image.name.clone(),
    };
    let mean = graph.floats("input.mean", &[1, 3, 1, 1], normalisation.mean.to_vec());
    let deviation = graph.floats("input.deviation", &[1, 3, 1, 1], normalisation.std.to_vec());
    let centred = graph.add("Sub", "input.centred", &[&grey, &mean], vec![]);
    let name = graph.add("Div", "input.normalised", &[&centred, &deviation], vec![]);
    Maps { name, channels: 3, ..image }
}

/// As [`GreyRange::apply`]: black to white become 0 to 65535, what lies outside is clipped, rounded to whole steps.
fn fixed_range(graph: &mut Graph, image: &str, black: f64, white: f64) -> String {
    let (black, white) = (black as f32, white as f32);
    let gain = (f64::from(WHITE_16) / f64::from(white - black)) as f32;
    let mut scalar = |name: &str, value: f32| graph.floats(format!("input.{name}"), &[], vec![value]);
    let (black, gain, zero, top) =
        (scalar("black", black), scalar("gain", gain), scalar("zero", 0.0), scalar("top", WHITE_16));
    let (half, steps) = (scalar("half", 0.5), scalar("steps", STEPS));
    let above = graph.add("Sub", "input.above_black", &[image, &black], vec![]);
    let scaled = graph.add("Mul", "input.scaled", &[&above, &gain], vec![]);
    let clipped = graph.add("Clip", "input.clipped", &[&scaled, &zero, &top], vec![]);
    // Halves go up; ONNX's own rounding takes them to even numbers.
    let raised = graph.add("Add", "input.raised", &[&clipped, &half], vec![]);
    let whole = graph.add("Floor", "input.whole", &[&raised], vec![]);
    graph.add("Div", "input.grey", &[&whole, &steps], vec![])
}
