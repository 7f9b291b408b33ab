//! Hand-written gradients against central differences of f64 definitions.

use sorby_kernels::{Nhwc, focal, norm, pool, resize};

/// Values in -1..1.
fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as f32 / (1u64 << 30) as f32 - 1.0
        })
        .collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Compares `gradient` with the slopes of `f` at `x`.
fn check(what: &str, x: &[f32], gradient: &[f32], f: impl Fn(&[f64]) -> f64) {
    const STEP: f64 = 1e-5;
    assert_eq!(x.len(), gradient.len());
    let scale = (gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>() / x.len() as f64).sqrt();
    assert!(scale > 0.0, "{what}: nothing to compare");
    for i in 0..x.len() {
        let at = |d: f64| {
            let mut x = wide(x);
            x[i] += d;
            f(&x)
        };
        let slope = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        let error = (slope - f64::from(gradient[i])).abs();
        assert!(error < 1e-4 * scale, "{what} at {i}: {} against {slope}", gradient[i]);
    }
}

/// Training-mode batch norm of `[pixels, c]`, then `+ residual`, then a ReLU if asked.
fn batch_norm(x: &[f64], gamma: &[f64], beta: &[f64], residual: &[f64], relu: bool, eps: f64) -> Vec<f64> {
    let (c, mut y) = (gamma.len(), x.to_vec());
    let n = (x.len() / c) as f64;
    for i in 0..c {
        let column = || x.iter().skip(i).step_by(c);
        let mean = column().sum::<f64>() / n;
        let var = column().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        for v in y.iter_mut().skip(i).step_by(c) {
            *v = (*v - mean) / (var + eps).sqrt() * gamma[i] + beta[i];
        }
    }
    y.iter_mut().zip(residual).for_each(|(y, r)| *y += r);
    if relu {
        y.iter_mut().for_each(|y| *y = y.max(0.0));
    }
    y
}

#[test]
fn batch_norm_gradients_are_the_slopes() {
    const EPS: f32 = 1e-5;
    let c = 3;
    let (x, residual, gy) = (noise(40 * c, 1), noise(40 * c, 2), noise(40 * c, 3));
    let (gamma, beta) = (noise(c, 4), noise(c, 5));
    let (wx, wr, wg, wb, wgy) = (wide(&x), wide(&residual), wide(&gamma), wide(&beta), wide(&gy));
    let moments = norm::moments(&x, c);
    let (scale, shift) = norm::fold(&gamma, &beta, &moments.mean, &moments.var, EPS);
    for (add, relu) in [(false, false), (false, true), (true, false), (true, true)] {
        let y = norm::affine(&x, add.then_some(&residual[..]), &scale, &shift, relu);
        let passed = match (add, relu) {
            (_, false) => norm::Passed::All,
            (false, true) => norm::Passed::PositiveNormalised { beta: &beta },
            (true, true) => norm::Passed::PositiveOutput(&y),
        };
        let g = norm::backward(&x, passed, &gy, &gamma, &moments, EPS, add);
        let r: &[f64] = if add { &wr } else { &[] };
        let f = |x: &[f64], gamma: &[f64], beta: &[f64], r: &[f64]| {
            dot(&batch_norm(x, gamma, beta, r, relu, f64::from(EPS)), &wgy)
        };
        let what = format!("residual {add}, relu {relu}");
        check(&format!("input, {what}"), &x, &g.x, |x| f(x, &wg, &wb, r));
        check(&format!("gamma, {what}"), &gamma, &g.gamma, |gamma| f(&wx, gamma, &wb, r));
        check(&format!("beta, {what}"), &beta, &g.beta, |beta| f(&wx, &wg, beta, r));
        if let Some(gr) = &g.residual {
            check(&format!("residual, {what}"), &residual, gr, |r| f(&wx, &wg, &wb, r));
        }
    }
}

/// PyTorch's `align_corners = false`.
fn bilinear(x: &[f64], s: Nhwc, oh: usize, ow: usize) -> Vec<f64> {
    let tap = |o: usize, n: usize, m: usize| {
        let at = ((o as f64 + 0.5) * n as f64 / m as f64 - 0.5).max(0.0);
        let first = (at.floor() as usize).min(n - 1);
        (first, (first + 1).min(n - 1), at - first as f64)
    };
    let mut y = Vec::new();
    for n in 0..s.n {
        for (oy, ox) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
            let ((y0, y1, ty), (x0, x1, tx)) = (tap(oy, s.h, oh), tap(ox, s.w, ow));
            for c in 0..s.c {
                let v = |y, x| x_at(x, y, n, c, s);
                let x_at_corner = |yy: usize, xx: usize| x[v(yy, xx)];
                let top = x_at_corner(y0, x0) * (1.0 - tx) + x_at_corner(y0, x1) * tx;
                let bottom = x_at_corner(y1, x0) * (1.0 - tx) + x_at_corner(y1, x1) * tx;
                y.push(top * (1.0 - ty) + bottom * ty);
            }
        }
    }
    y
}

fn x_at(x: usize, y: usize, n: usize, c: usize, s: Nhwc) -> usize {
    s.offset(n, y, x) + c
}

#[test]
fn resize_gradients_are_the_slopes() {
    for (h, w, oh, ow) in [(3, 4, 7, 9), (1, 1, 4, 3), (6, 5, 4, 2), (4, 3, 8, 6)] {
        let s = Nhwc::new(2, h, w, 2);
        let (x, gy) = (noise(s.len(), 6), noise(2 * oh * ow * 2, 7));
        let gradient = resize::bilinear_gradient(&gy, s, oh, ow);
        check(&format!("{h}x{w} to {oh}x{ow}"), &x, &gradient, |x| dot(&bilinear(x, s, oh, ow), &wide(&gy)));
    }
}

#[test]
fn pooling_gradients_are_the_slopes() {
    let s = Nhwc::new(2, 7, 6, 3);
    let x = noise(s.len(), 8);
    let ys = pool::max_pool_shape(s);
    let gy = noise(ys.len(), 9);
    let (_, taps) = pool::max_pool(&x, s);
    check("max pool", &x, &pool::max_pool_gradient(&gy, &taps, s), |x| {
        let mut sum = 0.0;
        for n in 0..s.n {
            for (oy, ox, c) in
                (0..ys.h).flat_map(|y| (0..ys.w).flat_map(move |x| (0..s.c).map(move |c| (y, x, c))))
            {
                let (rows, columns) = (
                    (2 * oy).saturating_sub(1)..(2 * oy + 2).min(s.h),
                    (2 * ox).saturating_sub(1)..(2 * ox + 2).min(s.w),
                );
                let inside = rows.flat_map(|y| columns.clone().map(move |x| (y, x)));
                let max = inside.map(|(y, xx)| x[x_at(xx, y, n, c, s)]).fold(f64::NEG_INFINITY, f64::max);
                sum += max * f64::from(gy[x_at(ox, oy, n, c, ys)]);
            }
        }
        sum
    });
    for bins in [1, 2, 3, 6] {
        let gy = noise(2 * bins * bins * 3, 10);
        check(&format!("{bins} bins"), &x, &pool::adaptive_average_gradient(&gy, s, bins), |x| {
            let bin = |i: usize, n: usize| i * n / bins..((i + 1) * n).div_ceil(bins);
            let mut sum = 0.0;
            for n in 0..s.n {
                for (by, bx) in (0..bins).flat_map(|y| (0..bins).map(move |x| (y, x))) {
                    let (rows, columns) = (bin(by, s.h), bin(bx, s.w));
                    let area = (rows.len() * columns.len()) as f64;
                    for (y, xx) in rows.flat_map(|y| columns.clone().map(move |x| (y, x))) {
                        for c in 0..s.c {
                            let g = gy[((n * bins + by) * bins + bx) * s.c + c];
                            sum += x[x_at(xx, y, n, c, s)] / area * f64::from(g);
                        }
                    }
                }
            }
            sum
        });
    }
}

#[test]
fn loss_gradients_are_the_slopes() {
    let classes = 3;
    let labels = [0u8, 1, 2, 255, 2, 0, 1, 255];
    let z: Vec<f32> = noise(labels.len() * classes, 11).iter().map(|v| 4.0 * v).collect();
    let focal = focal::Focal { alpha: 0.25, gamma: 2.0 };
    check("focal", &z, &focal.mean_with_gradient(&z, &labels, 1.0).1, |z| {
        let entry = |z: f64, positive: bool| {
            let (u, weight) = if positive { (z, 0.25) } else { (-z, 0.75) };
            let wrong = 1.0 / (1.0 + u.exp());
            weight * wrong.powi(2) * (1.0 + (-u).exp()).ln()
        };
        let pixels = z.chunks(classes).zip(labels).filter(|(_, l)| *l != 255);
        let sum: f64 = pixels
            .flat_map(|(z, l)| z.iter().enumerate().map(move |(c, z)| entry(*z, c == usize::from(l))))
            .sum();
        sum / z.len() as f64
    });
    check("cross-entropy", &z, &focal::cross_entropy_with_gradient(&z, &labels, 1.0).1, |z| {
        let pixels = z.chunks(classes).zip(labels).filter(|(_, l)| *l != 255);
        let sum: f64 =
            pixels.map(|(z, l)| z.iter().map(|z| z.exp()).sum::<f64>().ln() - z[usize::from(l)]).sum();
        sum / labels.len() as f64
    });
}
