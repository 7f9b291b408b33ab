//! Samples in memory, and batches of crops from them.

use crate::augment::{Augment, Patch, augment};
use crate::crop::{self, CropBox, CropRule};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sorby_image::{IGNORE, LabelMap, Micrograph, Pixels, Shot, resize};
use sorby_random::Stream;

/// A labelled micrograph; image and label have the same size, and the label ignores what is no field.
#[derive(Clone, Debug)]
pub struct Sample {
    /// File name of the image without ending.
    pub name: String,
    /// The image with its pixel size and its field.
    pub shot: Shot,
    /// Class index of each pixel, 255 to ignore.
    pub label: LabelMap,
}

/// A sample's pixels prepared for cropping, on the 0..255 scale.
struct Prepared<'a> {
    sample: std::borrow::Cow<'a, Sample>,
    pixels: Vec<f32>,
}

/// Grey levels to network input: `(x - mean) / std` per channel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// Mean of red, green and blue, on the 0..255 scale.
    pub mean: [f32; 3],
    /// Standard deviation of red, green and blue, on the 0..255 scale; not 0.
    pub std: [f32; 3],
}

impl Default for Normalisation {
    /// ImageNet's statistics, red green blue.
    fn default() -> Self {
        Self { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] }
    }
}

impl Normalisation {
    /// Normalises pixels in place: `[n, 3]`, on the 0..255 scale.
    pub fn apply(&self, rgb: &mut [f32]) {
        for pixel in rgb.chunks_exact_mut(3) {
            for (c, v) in pixel.iter_mut().enumerate() {
                *v = (*v - self.mean[c]) / self.std[c];
            }
        }
    }
}

/// Values on the 0..255 scale after resizing, and the new size.
fn scaled_pixels(image: &Micrograph, scale: f64) -> (Vec<f32>, usize, usize) {
    let pixels = image.to_f32();
    if scale == 1.0 {
        return (pixels, image.width, image.height);
    }
    let size = (resize::scaled_len(image.width, scale), resize::scaled_len(image.height, scale));
    (resize::bilinear(&pixels, (image.width, image.height), image.channels(), size), size.0, size.1)
}

/// Network input and labels of one training step.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// `[n, size, size, 3]`, normalised, zero where padded.
    pub images: Vec<f32>,
    /// `[n, size, size]`, 255 where padded.
    pub labels: Vec<u8>,
    /// Number of crops, `n`.
    pub count: usize,
    /// Edge of the square crops, in pixels.
    pub size_px: usize,
}

/// The samples of a training run, resized once by the input scale.
pub struct CropSource<'a> {
    prepared: Vec<Prepared<'a>>,
}

impl<'a> CropSource<'a> {
    /// Resizes images bilinearly and labels by nearest neighbour when `input_scale` is not 1.
    pub fn new(samples: &'a [Sample], input_scale: f64) -> Self {
        let prepare = |sample: &'a Sample| {
            let (pixels, width, height) = scaled_pixels(&sample.shot.image, input_scale);
            let sample = if input_scale == 1.0 {
                std::borrow::Cow::Borrowed(sample)
            } else {
                let labels = resize::nearest(
                    &sample.label.labels,
                    (sample.label.width, sample.label.height),
                    (width, height),
                );
                // Only the channel count of the image is used from here on.
                let image = Micrograph { width, height, pixels: empty_like(&sample.shot.image) };
                let label = LabelMap { width, height, labels };
                std::borrow::Cow::Owned(Sample { shot: Shot::plain(image), label, name: sample.name.clone() })
            };
            Prepared { sample, pixels }
        };
        Self { prepared: samples.iter().map(prepare).collect() }
    }

    /// Where the crops of `iteration` come from: sample names and boxes, in the order of the batch.
    ///
    /// # Panics
    /// When there is no sample.
    pub fn places(
        &self,
        rule: CropRule,
        seed: u64,
        iteration: u64,
        count: usize,
    ) -> impl Iterator<Item = (&str, CropBox)> {
        (0..count).map(move |slot| {
            let (prepared, at, _) = self.place(rule, seed, iteration, count, slot);
            (prepared.sample.name.as_str(), at)
        })
    }

    /// Sample and box of one crop, and its random stream as it stands after the box was drawn.
    fn place(
        &self,
        rule: CropRule,
        seed: u64,
        iteration: u64,
        count: usize,
        slot: usize,
    ) -> (&Prepared<'a>, CropBox, Stream) {
        let prepared = &self.prepared[crop::draw(self.prepared.len(), seed, iteration, count, slot)];
        let mut stream = crop::stream(seed, iteration, slot);
        let at = crop::crop_box(&prepared.sample.label, rule, &mut stream);
        (prepared, at, stream)
    }
}

fn empty_like(image: &Micrograph) -> Pixels {
    if image.channels() == 1 { Pixels::Grey8(Vec::new()) } else { Pixels::Rgb8(Vec::new()) }
}

/// Draws the batch of `iteration`: the same for the same (seed, iteration), whatever was drawn before.
///
/// # Panics
/// When `source` has no sample.
pub fn batch(
    source: &CropSource,
    rule: CropRule,
    kind: Augment,
    normalisation: &Normalisation,
    seed: u64,
    iteration: u64,
    count: usize,
) -> Batch {
    let patches: Vec<Patch> = (0..count)
        .into_par_iter()
        .map(|slot| {
            let (Prepared { sample, pixels }, at, mut stream) =
                source.place(rule, seed, iteration, count, slot);
            let mut patch = augment(crop::cut(sample, pixels, at, rule.size_px), kind, &mut stream);
            normalisation.apply(&mut patch.image);
            patch
        })
        .collect();
    let size = rule.size_px;
    let mut batch = Batch {
        images: vec![0.0; count * size * size * 3],
        labels: vec![IGNORE; count * size * size],
        count,
        size_px: size,
    };
    for (slot, patch) in patches.iter().enumerate() {
        for y in 0..patch.height {
            let (to, from) = ((slot * size + y) * size, y * patch.width);
            batch.labels[to..to + patch.width].copy_from_slice(&patch.labels[from..from + patch.width]);
            batch.images[3 * to..3 * (to + patch.width)]
                .copy_from_slice(&patch.image[3 * from..3 * (from + patch.width)]);
        }
    }
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(width: usize, height: usize) -> Vec<Sample> {
        (0..3u8)
            .map(|i| Sample {
                name: format!("s{i}"),
                shot: Shot::plain(Micrograph::grey8(
                    width,
                    height,
                    (0..width * height).map(|p| (p % 251) as u8).collect(),
                )),
                label: LabelMap {
                    width,
                    height,
                    labels: (0..width * height).map(|p| (p % 2) as u8).collect(),
                },
            })
            .collect()
    }

    const RULE: CropRule = CropRule { size_px: 16, max_class_share: 0.75 };

    fn make(samples: &[Sample], iteration: u64) -> Batch {
        let source = CropSource::new(samples, 1.0);
        batch(&source, RULE, Augment::Strong, &Normalisation::default(), 4, iteration, 4)
    }

    #[test]
    fn a_batch_depends_on_seed_and_iteration_only() {
        let samples = samples(40, 30);
        let late = make(&samples, 7);
        make(&samples, 1);
        assert_eq!(late, make(&samples, 7));
        assert_ne!(late, make(&samples, 8));
        assert_eq!(late.images.len(), 4 * 16 * 16 * 3);
    }

    #[test]
    fn small_images_are_padded_after_normalising() {
        let samples = samples(10, 12);
        let source = CropSource::new(&samples, 1.0);
        let b = batch(&source, RULE, Augment::Weak, &Normalisation::default(), 0, 0, 1);
        for (y, x) in (0..16).flat_map(|y| (0..16).map(move |x| (y, x))) {
            let at = y * 16 + x;
            if y < 12 && x < 10 {
                let grey = ((y * 10 + x) % 251) as f32;
                assert_eq!(b.labels[at], ((y * 10 + x) % 2) as u8);
                assert!((b.images[3 * at] - (grey - 123.675) / 58.395).abs() < 1e-6);
            } else {
                assert_eq!((b.labels[at], b.images[3 * at]), (IGNORE, 0.0));
            }
        }
    }

    #[test]
    fn half_scale_doubles_the_area_a_crop_sees() {
        let samples = samples(40, 32);
        let source = CropSource::new(&samples, 0.5);
        let p = &source.prepared[0];
        assert_eq!((p.sample.label.width, p.sample.label.height), (20, 16));
        // Labels take the upper-left pixel of each 2x2 block, images the mean.
        assert_eq!(p.sample.label.labels[1], samples[0].label.labels[2]);
        let mean = (0.0 + 1.0 + 40.0 + 41.0) / 4.0;
        assert!((p.pixels[0] - mean).abs() < 1e-6);
    }
}
