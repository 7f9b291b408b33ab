//! The beam and the detector: lines off their place, blur, stripes, noise.

use super::picture::Frame;
use sorby_random::Stream;

/// Moves each line sideways by a slow walk and a little jitter, up to `strength` pixels.
pub(super) fn drift(frame: &mut Frame, strength: f64, stream: &mut Stream) {
    if strength == 0.0 {
        return;
    }
    let mut walk = 0.0;
    for row in frame.grey.chunks_mut(frame.width) {
        walk = 0.97 * walk + 0.2 * stream.normal();
        let by = (strength * (0.7 * walk + 0.3 * stream.normal()).clamp(-1.0, 1.0)) as f32;
        let still = row.to_vec();
        let last = still.len() - 1;
        for (x, grey) in row.iter_mut().enumerate() {
            let from = (x as f32 + by).clamp(0.0, last as f32);
            let (left, part) = (from as usize, from.fract());
            *grey = still[left] * (1.0 - part) + still[(left + 1).min(last)] * part;
        }
    }
}

/// A Gaussian blur of this standard deviation in pixels.
pub(super) fn defocus(frame: &mut Frame, sigma: f64) {
    if sigma == 0.0 {
        return;
    }
    let reach = (3.0 * sigma).ceil() as usize;
    let kernel: Vec<f32> = (0..=reach).map(|k| (-0.5 * (k as f64 / sigma).powi(2)).exp() as f32).collect();
    let sum = kernel[0] + 2.0 * kernel[1..].iter().sum::<f32>();
    let kernel: Vec<f32> = kernel.iter().map(|k| k / sum).collect();
    let (width, height) = (frame.width, frame.height);
    for row in frame.grey.chunks_mut(width) {
        let sharp = row.to_vec();
        for (x, grey) in row.iter_mut().enumerate() {
            let pair =
                |(k, w): (usize, &f32)| w * (sharp[x.saturating_sub(k)] + sharp[(x + k).min(width - 1)]);
            *grey = kernel[0] * sharp[x] + kernel.iter().enumerate().skip(1).map(pair).sum::<f32>();
        }
    }
    let sharp = frame.grey.clone();
    for (y, row) in frame.grey.chunks_mut(width).enumerate() {
        row.iter_mut().for_each(|g| *g *= kernel[0]);
        for (k, w) in kernel.iter().enumerate().skip(1) {
            for other in [y.saturating_sub(k), (y + k).min(height - 1)] {
                let line = &sharp[other * width..(other + 1) * width];
                row.iter_mut().zip(line).for_each(|(g, s)| *g += w * s);
            }
        }
    }
}

/// Lines that are brighter or darker as a whole.
pub(super) fn stripe(frame: &mut Frame, strength: f64, stream: &mut Stream) {
    if strength == 0.0 {
        return;
    }
    let kept = stream.uniform(0.0, 0.9);
    let mut level = 0.0;
    for row in frame.grey.chunks_mut(frame.width) {
        level = kept * level + (1.0 - kept * kept).sqrt() * stream.normal();
        row.iter_mut().for_each(|g| *g += (strength * level) as f32);
    }
}

/// Noise of counted electrons and of the detector, some of it smeared along the scan; then 8 bits.
pub(super) fn record(frame: &Frame, shot: f64, detector: f64, stream: &mut Stream) -> Vec<u8> {
    let slow = if stream.chance(0.4) { stream.uniform(0.1, 0.6) as f32 } else { 0.0 };
    let whole = (1.0 - slow * slow).sqrt();
    let mut before = 0.0;
    let quiet = shot == 0.0 && detector == 0.0;
    let level = |grey: &f32| {
        if quiet {
            return grey.round().clamp(0.0, 255.0) as u8;
        }
        before = slow * before + whole * stream.normal() as f32;
        let variance = shot.powi(2) as f32 * (grey.max(0.0) / 128.0) + detector.powi(2) as f32;
        (grey + variance.sqrt() * before).round().clamp(0.0, 255.0) as u8
    };
    frame.grey.iter().map(level).collect()
}
