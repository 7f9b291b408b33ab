//! Every convolution path against a direct f64 reference, over random shapes.

use sorby_kernels::{Algorithm, ConvGeometry, Nhwc, choose, conv};

/// A small deterministic generator; values are uniform in -1..1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 33
    }
    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }
    fn fill(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.next() as f32 / (1u64 << 30) as f32 - 1.0).collect()
    }
}

/// Visits every product of the convolution: (input index, weight index, output index).
fn products(xs: Nhwc, cout: usize, g: &ConvGeometry, mut visit: impl FnMut(usize, usize, usize)) {
    let ys = g.out_shape(xs, cout);
    let (cin, per_group) = (xs.c / g.groups, cout / g.groups);
    for n in 0..xs.n {
        for (oy, ox) in (0..ys.h).flat_map(|y| (0..ys.w).map(move |x| (y, x))) {
            for (ky, kx) in (0..g.kernel).flat_map(|y| (0..g.kernel).map(move |x| (y, x))) {
                let (Some(iy), Some(ix)) = (g.tap(oy, ky, xs.h), g.tap(ox, kx, xs.w)) else { continue };
                for o in 0..cout {
                    for i in 0..cin {
                        let w = ((o * cin + i) * g.kernel + ky) * g.kernel + kx;
                        visit(xs.offset(n, iy, ix) + o / per_group * cin + i, w, ys.offset(n, oy, ox) + o);
                    }
                }
            }
        }
    }
}

/// Largest error over the root mean square of the reference.
fn relative_error(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let rms = (want.iter().map(|w| w * w).sum::<f64>() / want.len() as f64).sqrt().max(1e-30);
    got.iter().zip(want).map(|(g, w)| (f64::from(*g) - w).abs()).fold(0.0, f64::max) / rms
}

fn check(xs: Nhwc, cout: usize, g: &ConvGeometry, noise: &mut Noise) {
    let x = noise.fill(xs.len());
    let w = noise.fill(cout * xs.c / g.groups * g.kernel * g.kernel);
    let gy = noise.fill(g.out_shape(xs, cout).len());
    let (mut y, mut gx, mut gw) = (vec![0.0; gy.len()], vec![0.0; x.len()], vec![0.0; w.len()]);
    products(xs, cout, g, |i, k, o| {
        y[o] += f64::from(x[i]) * f64::from(w[k]);
        gx[i] += f64::from(gy[o]) * f64::from(w[k]);
        gw[k] += f64::from(gy[o]) * f64::from(x[i]);
    });
    let limit = if choose(g, xs.c, cout) == Algorithm::Winograd { 5e-5 } else { 1e-5 };
    for (what, error) in [
        ("forward", relative_error(&conv::forward(&x, xs, &w, cout, g), &y)),
        ("input gradient", relative_error(&conv::input_gradient(&gy, xs, &w, cout, g), &gx)),
        ("weight gradient", relative_error(&conv::weight_gradient(&x, xs, &gy, cout, g), &gw)),
    ] {
        assert!(error < limit, "{what} of {xs:?} -> {cout}, {g:?}: relative error {error:e}");
    }
}

#[test]
fn winograd_matches_the_direct_sum() {
    let mut r = Noise(1);
    for _ in 0..40 {
        let dilation = [1, 1, 2, 4, 3][r.below(5)];
        let xs = Nhwc::new(1 + r.below(3), 1 + r.below(40), 1 + r.below(40), 8 + r.below(70));
        check(xs, 8 + r.below(70), &ConvGeometry::new(3, 1, dilation, dilation), &mut r);
    }
}

#[test]
fn pointwise_and_strided_match_the_direct_sum() {
    let mut r = Noise(2);
    for _ in 0..40 {
        let g = [
            ConvGeometry::new(1, 1, 0, 1),
            ConvGeometry::new(1, 2, 0, 1),
            ConvGeometry::new(3, 2, 1, 1),
            ConvGeometry::new(7, 2, 3, 1),
            ConvGeometry::new(3, 1, 1, 1),
            ConvGeometry::new(5, 3, 1, 2),
        ][r.below(6)];
        let xs = Nhwc::new(1 + r.below(9), 7 + r.below(30), 7 + r.below(30), 1 + r.below(20));
        check(xs, 1 + r.below(20), &g, &mut r);
    }
}

#[test]
fn depthwise_matches_the_direct_sum() {
    let mut r = Noise(3);
    for _ in 0..30 {
        let c = 1 + r.below(40);
        let d = [1, 2, 12, 36][r.below(4)];
        let g = ConvGeometry::new(3, 1 + r.below(2), d, d).grouped(c);
        check(Nhwc::new(1 + r.below(4), 1 + r.below(45), 1 + r.below(45), c), c, &g, &mut r);
    }
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    let mut r = Noise(4);
    let xs = Nhwc::new(3, 37, 29, 48);
    for g in [ConvGeometry::new(3, 1, 2, 2), ConvGeometry::new(3, 2, 1, 1), ConvGeometry::new(1, 1, 0, 1)] {
        let (x, w) = (r.fill(xs.len()), r.fill(40 * 48 * g.kernel * g.kernel));
        let gy = r.fill(g.out_shape(xs, 40).len());
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                [
                    conv::forward(&x, xs, &w, 40, &g),
                    conv::input_gradient(&gy, xs, &w, 40, &g),
                    conv::weight_gradient(&x, xs, &gy, 40, &g),
                ]
            })
        };
        let one = run(1);
        for threads in [2, 3, 8] {
            assert!(one == run(threads), "{g:?} differs with {threads} threads");
        }
    }
}
