//! The focal loss with gamma = 2 on many entries at once, in f32: the case that trains every network here.

use crate::dispatch::dispatched;

/// `e^-a` for `a >= 0`, to 2e-7 of its value; from 87 on as at 87, 1.6e-38. NaN stays NaN.
#[inline(always)]
fn exp_of_minus(a: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = -(if a > 87.0 { 87.0 } else { a });
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let f = x - n * LN_2_HIGH - n * LN_2_LOW;
    let series = 1.0
        + f * (1.0
            + f * (0.5
                + f * (1.0 / 6.0
                    + f * (1.0 / 24.0 + f * (1.0 / 120.0 + f * (1.0 / 720.0 + f * (1.0 / 5040.0)))))));
    series * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

/// `ln(1 + e)` for `0 <= e <= 1`, to 2e-7 of its value: `2 atanh(e / (2 + e))` as a series.
#[inline(always)]
fn ln_1p(e: f32) -> f32 {
    let t = e / (2.0 + e);
    let s = t * t;
    2.0 * t
        * (1.0
            + s * (1.0 / 3.0
                + s * (1.0 / 5.0 + s * (1.0 / 7.0 + s * (1.0 / 9.0 + s * (1.0 / 11.0 + s * (1.0 / 13.0)))))))
}

dispatched! {
    /// Losses and their slopes by the logits `z`. `sign` is +1 for positive entries and -1 for negative ones,
    /// `weight` their weight, 0 for those that do not count.
    pub(crate) fn entries(loss: &mut [f32], slope: &mut [f32], z: &[f32], sign: &[f32], weight: &[f32]) {
        let n = z.len();
        let (loss, slope, sign, weight) = (&mut loss[..n], &mut slope[..n], &sign[..n], &weight[..n]);
        for i in 0..n {
            let u = sign[i] * z[i];
            let a = u.abs();
            let e = exp_of_minus(a);
            // Of the right and of the wrong answer.
            let (larger, smaller) = (1.0 / (1.0 + e), e / (1.0 + e));
            let (p, q) = if u > 0.0 { (larger, smaller) } else { (smaller, larger) };
            let softplus = if u > 0.0 { 0.0 } else { a } + ln_1p(e);
            let modulated = weight[i] * q * q;
            // What does not count is nothing, whatever its logit.
            let counts = weight[i] > 0.0;
            loss[i] = if counts { modulated * softplus } else { 0.0 };
            slope[i] = if counts { -sign[i] * modulated * (q + 2.0 * p * softplus) } else { 0.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::focal::Focal;

    #[test]
    fn lanes_agree_with_the_definition() {
        let z: Vec<f32> = (-4000..=4000).map(|i| i as f32 / 100.0).collect();
        let focal = Focal { alpha: 0.25, gamma: 2.0 };
        let (mut loss, mut slope) = (vec![0.0; z.len()], vec![0.0; z.len()]);
        for positive in [false, true] {
            let (s, w) = if positive { (1.0, 0.25) } else { (-1.0, 0.75) };
            super::entries(&mut loss, &mut slope, &z, &vec![s; z.len()], &vec![w; z.len()]);
            for (i, z) in z.iter().enumerate() {
                let want = focal.entry(f64::from(*z), positive);
                for (got, want) in [(loss[i], want.0), (slope[i], want.1)] {
                    let error = (f64::from(got) - want).abs();
                    assert!(error <= 2e-6 * want.abs() + 1e-36, "{z} {positive}: {got:e} against {want:e}");
                }
            }
        }
        super::entries(&mut loss, &mut slope, &[f32::NAN], &[1.0], &[0.25]);
        assert!(loss[0].is_nan() && slope[0].is_nan(), "a diverging network is seen");
        super::entries(&mut loss, &mut slope, &[f32::NAN, f32::INFINITY], &[1.0, -1.0], &[0.0, 0.0]);
        assert!(loss[..2] == [0.0; 2] && slope[..2] == [0.0; 2], "ignored pixels count for nothing");
    }
}
