//! Resizing as OpenCV does it (`INTER_LINEAR`, `INTER_NEAREST`), which MMSegmentation's pipelines use.

/// The length `len` in pixels after scaling by `ratio`: `int(len * ratio + 0.5)`, at least one pixel.
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

/// Bilinear resizing row by row, so that a large image need not lie in memory twice. Without antialiasing;
/// halving both sides exactly averages 2x2 blocks, as OpenCV does.
pub struct Bilinear {
    channels: usize,
    halves: bool,
    same: bool,
    rows: Vec<Tap>,
    columns: Vec<Tap>,
}

impl Bilinear {
    /// Prepares the resizing of an image of `channels` values per pixel. Sizes are (width, height), in pixels.
    pub fn new(size: (usize, usize), channels: usize, new_size: (usize, usize)) -> Self {
        Self {
            channels,
            halves: size == (2 * new_size.0, 2 * new_size.1),
            same: size == new_size,
            rows: taps(size.1, new_size.1),
            columns: taps(size.0, new_size.0),
        }
    }

    /// The two rows of the image that row `y` of the result is made of.
    pub fn sources(&self, y: usize) -> (usize, usize) {
        match () {
            () if self.same => (y, y),
            () if self.halves => (2 * y, 2 * y + 1),
            () => (self.rows[y].first, self.rows[y].second),
        }
    }

    /// Adds row `y` of the result to `out`, from the rows that [`Bilinear::sources`] names.
    ///
    /// # Panics
    /// When `y` is not below the new height, or a row has fewer than `width * channels` values.
    pub fn row(&self, y: usize, (first, second): (&[f32], &[f32]), out: &mut Vec<f32>) {
        let channels = self.channels;
        if self.same {
            out.extend_from_slice(first);
        } else if self.halves {
            for (a, b) in first.chunks_exact(2 * channels).zip(second.chunks_exact(2 * channels)) {
                out.extend((0..channels).map(|c| (a[c] + a[channels + c] + b[c] + b[channels + c]) * 0.25));
            }
        } else {
            let weight = self.rows[y].weight;
            for c in &self.columns {
                let mix = |row: &[f32], ch: usize| {
                    row[c.first * channels + ch] * (1.0 - c.weight) + row[c.second * channels + ch] * c.weight
                };
                out.extend(
                    (0..channels).map(|ch| mix(first, ch) * (1.0 - weight) + mix(second, ch) * weight),
                );
            }
        }
    }
}

/// [`Bilinear`] of a whole image, `[height, width, channels]`; returns `[new_height, new_width, channels]`.
///
/// # Panics
/// When `image` has not `width * height * channels` values, or a side of it is 0.
pub fn bilinear(
    image: &[f32],
    (width, height): (usize, usize),
    channels: usize,
    (new_width, new_height): (usize, usize),
) -> Vec<f32> {
    assert_eq!(image.len(), width * height * channels);
    let resizer = Bilinear::new((width, height), channels, (new_width, new_height));
    let row = |y: usize| &image[y * width * channels..][..width * channels];
    let mut out = Vec::with_capacity(new_width * new_height * channels);
    for y in 0..new_height {
        let (first, second) = resizer.sources(y);
        resizer.row(y, (row(first), row(second)), &mut out);
    }
    out
}

/// Nearest neighbour, `src = floor(dst * scale)`: for labels, whose values must not be mixed.
///
/// # Panics
/// When `image` has fewer than `width * height` values, or a side of it is 0.
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
