//! Whether the phases of an image differ by more than its noise.

use sorby_image::{IGNORE, LabelMap, Micrograph};

/// A class of fewer pixels has no mean to speak of.
const FEWEST_PIXELS: u64 = 64;

/// The two means of a class's grey values that lie farthest apart, in standard deviations of the noise: below 1 no
/// pixel says by itself to which phase it belongs. `None` with fewer than two classes, or without noise.
///
/// The noise is that of Immerkær (1996), <https://doi.org/10.1006/cviu.1996.0060>: what is left of the picture after a filter that takes
/// out planes.
pub fn contrast_to_noise(image: &Micrograph, label: &LabelMap) -> Option<f64> {
    let (width, rows) = (image.width, image.height.min(label.height));
    if label.width != width || width < 3 || rows < 3 {
        return None;
    }
    let (values, channels) = (image.to_f32(), image.channels());
    let (mut sums, mut counts) = ([0.0f64; 256], [0u64; 256]);
    let mut lines: [Vec<f32>; 3] = Default::default();
    let (mut residual, mut seen) = (0.0f64, 0u64);
    for y in 0..rows {
        lines.rotate_left(1);
        // Mean of the channels, unrounded.
        let row = &values[y * width * channels..(y + 1) * width * channels];
        lines[2] = row.chunks_exact(channels).map(|p| p.iter().sum::<f32>() / channels as f32).collect();
        for (value, class) in lines[2].iter().zip(&label.labels[y * width..]) {
            sums[usize::from(*class)] += f64::from(*value);
            counts[usize::from(*class)] += 1;
        }
        if y >= 2 {
            let across = |line: &[f32], x: usize| line[x - 1] - 2.0 * line[x] + line[x + 1];
            for x in 1..width - 1 {
                let mask = across(&lines[0], x) - 2.0 * across(&lines[1], x) + across(&lines[2], x);
                residual += f64::from(mask.abs());
            }
            seen += width as u64 - 2;
        }
    }
    let noise = (std::f64::consts::PI / 2.0).sqrt() / 6.0 * residual / seen as f64;
    let of_class = (0..usize::from(IGNORE)).filter(|c| counts[*c] >= FEWEST_PIXELS);
    let means: Vec<f64> = of_class.map(|c| sums[c] / counts[c] as f64).collect();
    let (least, most) =
        means.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), v| (l.min(*v), m.max(*v)));
    (means.len() > 1 && noise > 0.0).then(|| (most - least) / noise)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sorby_random::Stream;

    /// Left half and right half `step` apart, with noise of a standard deviation of `noise`.
    fn halves(step: f64, noise: f64) -> (Micrograph, LabelMap) {
        let (width, height) = (64, 48);
        let labels: Vec<u8> = (0..width * height).map(|i| u8::from(i % width >= width / 2)).collect();
        let mut stream = Stream::numbered(7, "halves", &[]);
        let mut grey =
            |class: &u8| (100.0 + step * f64::from(*class) + noise * stream.normal()).round() as u8;
        let pixels = labels.iter().map(&mut grey).collect();
        (Micrograph::grey8(width, height, pixels), LabelMap { width, height, labels })
    }

    #[test]
    fn known_steps_and_noises_come_out() {
        for (step, noise) in [(40.0, 10.0), (5.0, 10.0), (60.0, 5.0)] {
            let (image, label) = halves(step, noise);
            let found = contrast_to_noise(&image, &label).unwrap();
            assert!((found * noise / step - 1.0).abs() < 0.15, "{step} / {noise}: {found}");
        }
        let (image, mut label) = halves(5.0, 10.0);
        label.labels.fill(1);
        assert_eq!(contrast_to_noise(&image, &label), None);
        let (flat, label) = halves(0.0, 0.0);
        assert_eq!(contrast_to_noise(&flat, &label), None);
    }
}
