//! What a pixel looks like, at several scales: the filter bank of trainable pixel classifiers (ilastik, Trainable Weka
//! Segmentation).

use rayon::prelude::*;

/// Standard deviations of the Gaussians, in pixels.
const SIGMAS: [f32; 4] = [1.0, 2.0, 4.0, 8.0];
/// Measures at each scale: smoothed grey, gradient, Laplacian, both eigenvalues of the Hessian, local deviation.
const PER_SCALE: usize = 6;
/// Numbers for each pixel: the grey value itself, and six at each of four scales.
pub const FEATURES: usize = 1 + PER_SCALE * SIGMAS.len();

/// [`FEATURES`] bytes for each pixel, pixel after pixel. A forest asks only for order, so each feature is spread over
/// 0..255 between its own extremes (without the outermost 0.1 %).
pub struct Features {
    /// Columns, in pixels.
    pub width: usize,
    /// Rows, in pixels.
    pub height: usize,
    pub(crate) values: Vec<u8>,
}

impl Features {
    /// Features of an 8-bit grey image, row-major.
    ///
    /// # Panics
    /// When `grey` has not `width * height` values.
    pub fn of(grey: &[u8], width: usize, height: usize) -> Self {
        assert_eq!(grey.len(), width * height);
        let mut values = vec![0; grey.len() * FEATURES];
        let image: Vec<f32> = grey.iter().map(|v| f32::from(*v)).collect();
        put(&mut values, 0, &image);
        let squares: Vec<f32> = image.iter().map(|v| v * v).collect();
        for (i, &sigma) in SIGMAS.iter().enumerate() {
            let smooth = gaussian(&image, width, sigma);
            let first = 1 + i * PER_SCALE;
            put(&mut values, first, &smooth);
            for (j, plane) in derivatives(&smooth, width, height).iter().enumerate() {
                put(&mut values, first + 1 + j, plane);
            }
            let mut spread = gaussian(&squares, width, sigma);
            spread.par_iter_mut().zip(&smooth).for_each(|(s, m)| *s = (*s - m * m).max(0.0).sqrt());
            put(&mut values, first + 5, &spread);
        }
        Self { width, height, values }
    }

    pub(crate) fn pixel(&self, i: usize) -> &[u8] {
        &self.values[i * FEATURES..(i + 1) * FEATURES]
    }
}

/// Stores a plane as one feature.
fn put(values: &mut [u8], feature: usize, plane: &[f32]) {
    let (low, high) = extremes(plane);
    let scale = if high > low { 255.0 / (high - low) } else { 0.0 };
    values.par_chunks_exact_mut(FEATURES).zip(plane).for_each(|(pixel, v)| {
        pixel[feature] = ((v - low) * scale + 0.5).clamp(0.0, 255.0) as u8;
    });
}

/// The values below and above which 0.1 % lie, of a sample.
fn extremes(plane: &[f32]) -> (f32, f32) {
    let mut sample: Vec<f32> = plane.iter().step_by((plane.len() / 50_000).max(1)).copied().collect();
    if sample.is_empty() {
        return (0.0, 0.0);
    }
    sample.sort_unstable_by(f32::total_cmp);
    let at = |share: f64| sample[((sample.len() - 1) as f64 * share) as usize];
    (at(0.001), at(0.999))
}

/// Gaussian smoothing, cut off at three standard deviations; edges are repeated outwards.
pub(crate) fn gaussian(image: &[f32], width: usize, sigma: f32) -> Vec<f32> {
    let radius = (3.0 * sigma).ceil() as usize;
    let weights: Vec<f32> = (0..=radius).map(|i| (-((i * i) as f32) / (2.0 * sigma * sigma)).exp()).collect();
    let total = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
    let weights: Vec<f32> = weights.iter().map(|w| w / total).collect();
    let height = image.len() / width.max(1);
    let mut across = vec![0.0; image.len()];
    across.par_chunks_exact_mut(width).zip(image.par_chunks_exact(width)).for_each_init(
        Vec::new,
        |padded, (out, row)| {
            padded.clear();
            padded.extend(std::iter::repeat_n(row[0], radius));
            padded.extend_from_slice(row);
            padded.extend(std::iter::repeat_n(row[width - 1], radius));
            out.iter_mut().zip(&padded[radius..]).for_each(|(o, v)| *o = weights[0] * v);
            for (i, w) in weights.iter().enumerate().skip(1) {
                let (before, after) = (&padded[radius - i..], &padded[radius + i..]);
                out.iter_mut().zip(before).zip(after).for_each(|((o, b), a)| *o += w * (b + a));
            }
        },
    );
    let mut out = vec![0.0; image.len()];
    out.par_chunks_exact_mut(width).enumerate().for_each(|(y, out)| {
        let row = |y: usize| &across[y * width..(y + 1) * width];
        out.iter_mut().zip(row(y)).for_each(|(o, v)| *o = weights[0] * v);
        for (i, w) in weights.iter().enumerate().skip(1) {
            let (above, below) = (row(y.saturating_sub(i)), row((y + i).min(height - 1)));
            out.iter_mut().zip(above).zip(below).for_each(|((o, a), b)| *o += w * (a + b));
        }
    });
    out
}

/// Gradient magnitude, Laplacian, larger and smaller eigenvalue of the Hessian, by central differences.
fn derivatives(image: &[f32], width: usize, height: usize) -> [Vec<f32>; 4] {
    let mut planes = [(); 4].map(|()| vec![0.0; image.len()]);
    let [gradient, laplacian, larger, smaller] = &mut planes;
    gradient
        .par_chunks_exact_mut(width)
        .zip(laplacian.par_chunks_exact_mut(width))
        .zip(larger.par_chunks_exact_mut(width))
        .zip(smaller.par_chunks_exact_mut(width))
        .enumerate()
        .for_each(|(y, (((gradient, laplacian), larger), smaller))| {
            let row = |y: usize| &image[y * width..(y + 1) * width];
            let (above, here, below) = (row(y.saturating_sub(1)), row(y), row((y + 1).min(height - 1)));
            for x in 0..width {
                let (left, right) = (x.saturating_sub(1), (x + 1).min(width - 1));
                let (dx, dy) = (here[right] - here[left], below[x] - above[x]);
                gradient[x] = (dx * dx + dy * dy).sqrt();
                let xx = here[right] + here[left] - 2.0 * here[x];
                let yy = below[x] + above[x] - 2.0 * here[x];
                let xy = 0.25 * (below[right] + above[left] - below[left] - above[right]);
                laplacian[x] = xx + yy;
                let (mean, half) = (0.5 * (xx + yy), 0.5 * (xx - yy));
                let root = (half * half + xy * xy).sqrt();
                larger[x] = mean + root;
                smaller[x] = mean - root;
            }
        });
    planes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_constants_and_sums() {
        assert!(gaussian(&[7.0; 30 * 20], 30, 2.0).iter().all(|v| (v - 7.0).abs() < 1e-4));
        let mut point = vec![0.0; 61 * 61];
        point[30 * 61 + 30] = 1.0;
        let spread = gaussian(&point, 61, 3.0);
        assert!((spread.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        // exp(-9 / 18) at one standard deviation.
        assert!((spread[30 * 61 + 33] / spread[30 * 61 + 30] - 0.606_53).abs() < 1e-4);
    }

    #[test]
    fn curvature_has_its_sign_and_direction() {
        // z = x^2 - 2 y^2: second derivatives 2 and -4 everywhere inside.
        let (width, height) = (21, 21);
        let image: Vec<f32> = (0..height)
            .flat_map(|y| {
                (0..width).map(move |x| (x as f32 - 10.0).powi(2) - 2.0 * (y as f32 - 10.0).powi(2))
            })
            .collect();
        let [gradient, laplacian, larger, smaller] = derivatives(&image, width, height);
        let centre = 10 * width + 10;
        assert_eq!((gradient[centre], laplacian[centre]), (0.0, -2.0));
        assert_eq!((larger[centre], smaller[centre]), (2.0, -4.0));
        assert_eq!(gradient[centre + 3], 12.0, "twice the slope");
    }
}
