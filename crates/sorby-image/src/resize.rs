//! Resizing as OpenCV does it (`INTER_LINEAR`, `INTER_NEAREST`), which MMSegmentation's pipelines use.

/// `int(len * ratio + 0.5)`, at least one pixel.
pub fn scaled_len(len: usize, ratio: f64) -> usize {
    ((len as f64 * ratio + 0.5) as usize).max(1)
}

/// MMCV's `keep_ratio` size for a scale factor: (width, height).
pub fn keep_ratio_size(width: usize, height: usize, ratio: f64) -> (usize, usize) {
    let (tw, th) = (scaled_len(width, ratio) as f64, scaled_len(height, ratio) as f64);
    let (long, short) = (width.max(height) as f64, width.min(height) as f64);
    let factor = (tw.max(th) / long).min(tw.min(th) / short);
    (scaled_len(width, factor), scaled_len(height, factor))
}

struct Tap {
    first: usize,
    second: usize,
    weight: f32,
}

fn taps(input: usize, output: usize) -> Vec<Tap> {
    let scale = input as f64 / output as f64;
    (0..output)
        .map(|o| {
            let at = (o as f64 + 0.5) * scale - 0.5;
            let floor = at.floor();
            let last = input as i64 - 1;
            let clamp = |i: i64| i.clamp(0, last) as usize;
            Tap { first: clamp(floor as i64), second: clamp(floor as i64 + 1), weight: (at - floor) as f32 }
        })
        .collect()
}

/// Bilinear without antialiasing; halving both sides exactly averages 2x2 blocks, as OpenCV does.
///
/// `image` is `[height, width, channels]`; returns `[new_height, new_width, channels]`.
pub fn bilinear(
    image: &[f32],
    (width, height): (usize, usize),
    channels: usize,
    (new_width, new_height): (usize, usize),
) -> Vec<f32> {
    assert_eq!(image.len(), width * height * channels);
    if (width, height) == (new_width, new_height) {
        return image.to_vec();
    }
    let at = |y: usize, x: usize, c: usize| image[(y * width + x) * channels + c];
    let mut out = Vec::with_capacity(new_width * new_height * channels);
    if (width, height) == (2 * new_width, 2 * new_height) {
        for (y, x) in (0..new_height).flat_map(|y| (0..new_width).map(move |x| (2 * y, 2 * x))) {
            out.extend(
                (0..channels)
                    .map(|c| (at(y, x, c) + at(y, x + 1, c) + at(y + 1, x, c) + at(y + 1, x + 1, c)) * 0.25),
            );
        }
        return out;
    }
    let (rows, columns) = (taps(height, new_height), taps(width, new_width));
    for r in &rows {
        for c in &columns {
            out.extend((0..channels).map(|ch| {
                let mix = |y| at(y, c.first, ch) * (1.0 - c.weight) + at(y, c.second, ch) * c.weight;
                mix(r.first) * (1.0 - r.weight) + mix(r.second) * r.weight
            }));
        }
    }
    out
}

/// Nearest neighbour, `src = floor(dst * scale)`: for labels.
pub fn nearest<T: Copy>(
    image: &[T],
    (width, height): (usize, usize),
    (new_width, new_height): (usize, usize),
) -> Vec<T> {
    let source = |o: usize, input: usize, output: usize| {
        let scale = input as f64 / output as f64;
        ((o as f64 * scale).floor() as usize).min(input - 1)
    };
    let mut out = Vec::with_capacity(new_width * new_height);
    for y in 0..new_height {
        let row = &image[source(y, height, new_height) * width..][..width];
        out.extend((0..new_width).map(|x| row[source(x, width, new_width)]));
    }
    out
}
