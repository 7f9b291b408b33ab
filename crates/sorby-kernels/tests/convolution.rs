//! Every convolution path against a direct f64 reference, over random shapes.

use sorby_kernels::{Algorithm, ConvGeometry, FoldedConv, Nhwc, choose, conv};

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

/// Norm of the error over the norm of the reference. No single error may be more than eight times as large
/// as that allows on average.
fn relative_error(got: &[f32], want: &[f64], limit: f64) -> f64 {
    assert_eq!(got.len(), want.len());
    let rms = |values: &mut dyn Iterator<Item = f64>| {
        (values.map(|v| v * v).sum::<f64>() / want.len() as f64).sqrt().max(1e-30)
    };
    let scale = rms(&mut want.iter().copied());
    let mut errors = got.iter().zip(want).map(|(g, w)| (f64::from(*g) - w) / scale);
    let largest = errors.clone().map(f64::abs).fold(0.0, f64::max);
    assert!(largest < 8.0 * limit, "largest error {largest:e} of the reference's root mean square");
    rms(&mut errors)
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
        ("forward", relative_error(&conv::forward(&x, xs, &w, cout, g), &y, limit)),
        ("input gradient", relative_error(&conv::input_gradient(&gy, xs, &w, cout, g), &gx, limit)),
        ("weight gradient", relative_error(&conv::weight_gradient(&x, xs, &gy, cout, g), &gw, limit)),
    ] {
        assert!(error < limit, "{what} of {xs:?} -> {cout}, {g:?}: relative error {error:e}");
    }
}

/// A shape of up to 9 images of up to 70 x 70 whose direct sum stays affordable.
fn shape(r: &mut Noise, smallest: usize, channels: usize, per_pixel: usize) -> Nhwc {
    let edge = |r: &mut Noise| smallest + r.below(71 - smallest);
    let (h, w) = (edge(r), edge(r));
    let affordable = (30_000_000 / (h * w * per_pixel)).clamp(1, 9);
    Nhwc::new(1 + r.below(affordable), h, w, channels)
}

#[test]
fn winograd_matches_the_direct_sum() {
    let mut r = Noise(1);
    for _ in 0..40 {
        let dilation = [1, 1, 2, 4, 3][r.below(5)];
        let (cin, cout) = (8 + r.below(70), 8 + r.below(70));
        let xs = shape(&mut r, 1, cin, 9 * cin * cout);
        check(xs, cout, &ConvGeometry::new(3, 1, dilation, dilation), &mut r);
    }
}

/// Many channels are computed stage by stage: in one round, in several, with a last panel that is not full.
#[test]
fn staged_winograd_matches_the_direct_sum() {
    let mut r = Noise(5);
    for (n, h, w, cin, cout, dilation) in
        [(2, 9, 14, 100, 96, 1), (1, 17, 12, 140, 67, 4), (1, 50, 62, 8, 960, 1), (1, 57, 52, 930, 8, 2)]
    {
        let g = ConvGeometry::new(3, 1, dilation, dilation);
        check(Nhwc::new(n, h, w, cin), cout, &g, &mut r);
    }
}

#[test]
fn pointwise_and_strided_match_the_direct_sum() {
    let mut r = Noise(2);
    for _ in 0..60 {
        let g = [
            ConvGeometry::new(1, 1, 0, 1),
            ConvGeometry::new(1, 2, 0, 1),
            ConvGeometry::new(3, 2, 1, 1),
            ConvGeometry::new(7, 2, 3, 1),
            ConvGeometry::new(3, 1, 1, 1),
            ConvGeometry::new(5, 3, 1, 2),
        ][r.below(6)];
        let (cin, cout) = (1 + r.below(20), 1 + r.below(70));
        let xs = shape(&mut r, 7, cin, g.kernel * g.kernel * cin * cout);
        check(xs, cout, &g, &mut r);
    }
}

/// Inference: scale in the weights; shift, residual and ReLU done while the output is in cache.
#[test]
fn folded_convolutions_match_the_direct_sum() {
    let mut r = Noise(6);
    let conv3 = ConvGeometry::new(3, 1, 1, 1);
    for (c, cout, g) in [
        (20, 33, conv3),
        (100, 90, conv3),
        (9, 40, ConvGeometry::new(1, 1, 0, 1)),
        (3, 32, ConvGeometry::new(3, 2, 1, 1)),
        (37, 37, ConvGeometry::new(3, 1, 2, 2).grouped(37)),
    ] {
        let xs = Nhwc::new(2, 15, 22, c);
        let ys = g.out_shape(xs, cout);
        let x = r.fill(xs.len());
        let w = r.fill(cout * c / g.groups * g.kernel * g.kernel);
        let (scale, shift, residual) = (r.fill(cout), r.fill(cout), r.fill(ys.len()));
        let folded = FoldedConv::new(&w, c, g, &scale, shift.clone());
        let mut sum = vec![0.0; ys.len()];
        products(xs, cout, &g, |i, k, o| sum[o] += f64::from(x[i]) * f64::from(w[k]));
        for (with_residual, relu) in [(false, false), (false, true), (true, false), (true, true)] {
            let want: Vec<f64> = (0..ys.len())
                .map(|o| {
                    let (s, b) = (f64::from(scale[o % cout]), f64::from(shift[o % cout]));
                    let r = if with_residual { f64::from(residual[o]) } else { 0.0 };
                    let v = sum[o] * s + b + r;
                    if relu { v.max(0.0) } else { v }
                })
                .collect();
            let got = folded.forward(&x, xs, with_residual.then_some(&residual), relu);
            let error = relative_error(&got, &want, 5e-5);
            assert!(error < 5e-5, "{g:?} residual {with_residual} relu {relu}: relative error {error:e}");
        }
    }
}

/// The processor's best instruction set is what the other tests run on; here they run on the lesser ones.
#[test]
fn the_lesser_instruction_sets_are_right_too() {
    for level in ["avx2", "baseline"] {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["direct_sum", "--test-threads", "1"])
            .env("SORBY_SIMD", level)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "with {level}: {text}");
        assert!(text.contains("5 passed"), "with {level}: {text}");
    }
}

#[test]
fn depthwise_matches_the_direct_sum() {
    let mut r = Noise(3);
    for _ in 0..30 {
        let c = 1 + r.below(70);
        let d = [1, 2, 12, 36][r.below(4)];
        let g = ConvGeometry::new(3, 1 + r.below(2), d, d).grouped(c);
        check(shape(&mut r, 1, c, 9 * c), c, &g, &mut r);
    }
}

#[test]
fn the_same_bytes_for_any_number_of_threads() {
    let mut r = Noise(4);
    let xs = Nhwc::new(3, 37, 29, 48);
    let strided = ConvGeometry::new(3, 2, 1, 1);
    for (cout, g) in [
        (40, ConvGeometry::new(3, 1, 2, 2)),
        (200, ConvGeometry::new(3, 1, 1, 1)),
        (40, strided),
        (40, ConvGeometry::new(1, 1, 0, 1)),
    ] {
        let (x, w) = (r.fill(xs.len()), r.fill(cout * 48 * g.kernel * g.kernel));
        let gy = r.fill(g.out_shape(xs, cout).len());
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                [
                    conv::forward(&x, xs, &w, cout, &g),
                    conv::input_gradient(&gy, xs, &w, cout, &g),
                    conv::weight_gradient(&x, xs, &gy, cout, &g),
                ]
            })
        };
        let one = run(1);
        for threads in [2, 3, 8] {
            assert!(one == run(threads), "{g:?} differs with {threads} threads");
        }
    }
}
