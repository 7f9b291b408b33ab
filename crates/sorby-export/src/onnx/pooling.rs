//! PSPNet's pooling to bins, exactly. ONNX has no adaptive pooling, and a pooling with a computed kernel is another one
//! wherever the bins do not divide the side (32 by 3 or 6: the networks of the paper). A mean over rows and columns is
//! two matrix products: `rows [bins, H] . x [H, W] . columns [W, bins]`.

use super::file::Setting;
use super::graph::{Graph, Maps};

/// Rows (2) or columns (3) of `[N, C, H, W]`.
#[derive(Clone, Copy)]
enum Axis {
    Rows = 2,
    Columns = 3,
}

/// First and last but one pixel of bin `i` of `bins` along `side` pixels.
fn span(i: usize, bins: usize, side: usize) -> (usize, usize) {
    (i * side / bins, ((i + 1) * side).div_ceil(bins))
}

/// Means over `bins` x `bins` parts of `x`.
pub(crate) fn adaptive_average(graph: &mut Graph, name: &str, x: &Maps, bins: usize) -> Maps {
    let (channels, side_px) = (x.channels, Some(bins));
    if bins == 1 {
        let name = graph.add("GlobalAveragePool", name, &[&x.name], vec![]);
        return Maps { name, channels, side_px };
    }
    let (rows, columns) = match x.side_px {
        Some(side) => {
            let shares = shares(bins, side);
            let turned = (0..side * bins).map(|i| shares[i % bins * side + i / bins]).collect();
            (
                graph.floats(format!("bins_{bins}.rows"), &[bins, side], shares),
                graph.floats(format!("bins_{bins}.columns"), &[side, bins], turned),
            )
        }
        None => {
            let rows = shares_when_run(graph, name, x, bins, Axis::Rows);
            let columns = shares_when_run(graph, name, x, bins, Axis::Columns);
            let order = vec![("perm", Setting::Ints(vec![1, 0]))];
            (rows, graph.add("Transpose", format!("{name}.columns"), &[&columns], order))
        }
    };
    let upright = graph.add("MatMul", format!("{name}.rows_done"), &[&rows, &x.name], vec![]);
    let name = graph.add("MatMul", name, &[&upright, &columns], vec![]);
    Maps { name, channels, side_px }
}

/// Share of each pixel in each bin, `[bins, side]`.
fn shares(bins: usize, side: usize) -> Vec<f32> {
    let mut shares = vec![0.0; bins * side];
    for (i, row) in shares.chunks_exact_mut(side).enumerate() {
        let (first, end) = span(i, bins, side);
        row[first..end].fill(1.0 / (end - first) as f32);
    }
    shares
}

/// [`shares`] of a side that is known when the network runs: the same whole-number divisions as operations.
fn shares_when_run(graph: &mut Graph, name: &str, x: &Maps, bins: usize, axis: Axis) -> String {
    const FLOAT32: i64 = 1;
    let at = |what: &str| format!("{name}.{}.{what}", if matches!(axis, Axis::Rows) { "y" } else { "x" });
    let count = bins as i64;
    let (zero, one, bins) = (graph.int(0), graph.int(1), graph.int(count));
    let indices: Vec<i64> = (0..count).collect();
    let (index, next) =
        (graph.column(&indices), graph.column(&indices.iter().map(|i| i + 1).collect::<Vec<_>>()));
    let place = graph.int(axis as i64);
    let shape = graph.add("Shape", at("shape"), &[&x.name], vec![]);
    let side = graph.add("Gather", at("side"), &[&shape, &place], vec![("axis", Setting::Int(0))]);
    let pixels = graph.add("Range", at("pixels"), &[&zero, &side, &one], vec![]);
    let begin = graph.add("Mul", at("begin"), &[&index, &side], vec![]);
    let first = graph.add("Div", at("first"), &[&begin, &bins], vec![]);
    // Rounded up.
    let up = graph.int(count - 1);
    let close = graph.add("Mul", at("close"), &[&next, &side], vec![]);
    let close = graph.add("Add", at("close_up"), &[&close, &up], vec![]);
    let end = graph.add("Div", at("end"), &[&close, &bins], vec![]);
    let before = graph.add("Less", at("before"), &[&pixels, &first], vec![]);
    let from = graph.add("Not", at("from"), &[&before], vec![]);
    let until = graph.add("Less", at("until"), &[&pixels, &end], vec![]);
    let within = graph.add("And", at("within"), &[&from, &until], vec![]);
    let float = || vec![("to", Setting::Int(FLOAT32))];
    let within = graph.add("Cast", at("within_float"), &[&within], float());
    let length = graph.add("Sub", at("length"), &[&end, &first], vec![]);
    let length = graph.add("Cast", at("length_float"), &[&length], float());
    graph.add("Div", at("shares"), &[&within, &length], vec![])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PyTorch's `AdaptiveAvgPool2d`: 32 pixels in 6 bins overlap.
    #[test]
    fn bins_are_those_of_adaptive_pooling() {
        let spans: Vec<_> = (0..6).map(|i| span(i, 6, 32)).collect();
        assert_eq!(spans, [(0, 6), (5, 11), (10, 16), (16, 22), (21, 27), (26, 32)]);
        // Fewer pixels than bins: some stand for two.
        assert_eq!((0..3).map(|i| span(i, 3, 2)).collect::<Vec<_>>(), [(0, 1), (0, 2), (1, 2)]);
        let shares = shares(3, 4);
        assert_eq!(shares, [0.5, 0.5, 0.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.0, 0.5, 0.5]);
    }
}
