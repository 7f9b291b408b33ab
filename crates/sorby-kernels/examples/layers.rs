//! Times the convolutions of one DeepLabV3+ training step at batch 8, 256 x 256.
use sorby_kernels::{ConvGeometry, Nhwc, conv};
use std::time::Instant;

fn main() {
    sorby_kernels::memory::keep_freed_buffers();
    let layers = [
        ("stem.0", 256, 3, 32, ConvGeometry::new(3, 2, 1, 1), 1),
        ("stem.3", 128, 32, 32, ConvGeometry::new(3, 1, 1, 1), 1),
        ("stem.6", 128, 32, 64, ConvGeometry::new(3, 1, 1, 1), 1),
        ("layer1", 64, 64, 64, ConvGeometry::new(3, 1, 1, 1), 4),
        ("layer2.0", 64, 64, 128, ConvGeometry::new(3, 2, 1, 1), 1),
        ("layer2", 32, 128, 128, ConvGeometry::new(3, 1, 1, 1), 3),
        ("layer3.0", 32, 128, 256, ConvGeometry::new(3, 1, 1, 1), 1),
        ("layer3 d2", 32, 256, 256, ConvGeometry::new(3, 1, 2, 2), 3),
        ("layer4.0 d2", 32, 256, 512, ConvGeometry::new(3, 1, 2, 2), 1),
        ("layer4 d4", 32, 512, 512, ConvGeometry::new(3, 1, 4, 4), 3),
        ("bottleneck", 32, 640, 128, ConvGeometry::new(3, 1, 1, 1), 1),
        ("aspp 1x1", 32, 512, 128, ConvGeometry::new(1, 1, 0, 1), 4),
        ("depthwise", 64, 140, 140, ConvGeometry::new(3, 1, 1, 1).grouped(140), 2),
        ("depthwise d12", 32, 512, 512, ConvGeometry::new(3, 1, 12, 12).grouped(512), 3),
    ];
    let mut total = 0.0;
    for (name, size, cin, cout, g, times) in layers {
        let xs = Nhwc::new(8, size, size, cin);
        let ys = g.out_shape(xs, cout);
        let flop = 2.0 * (ys.len() * cin / g.groups * g.kernel * g.kernel) as f64;
        let x: Vec<f32> = (0..xs.len()).map(|i| (i % 97) as f32 / 50.0 - 1.0).collect();
        let w: Vec<f32> =
            (0..cout * cin / g.groups * g.kernel * g.kernel).map(|i| (i % 89) as f32 / 800.0).collect();
        let gy: Vec<f32> = (0..ys.len()).map(|i| (i % 83) as f32 / 50.0 - 1.0).collect();
        let time = |f: &dyn Fn() -> Vec<f32>| {
            let mut best = f64::MAX;
            for _ in 0..4 {
                let start = Instant::now();
                let out = std::hint::black_box(f());
                best = best.min(start.elapsed().as_secs_f64());
                sorby_kernels::recycle::give_back(out);
            }
            best
        };
        let t = [
            time(&|| conv::forward(&x, xs, &w, cout, &g)),
            time(&|| conv::input_gradient(&gy, xs, &w, cout, &g)),
            time(&|| conv::weight_gradient(&x, xs, &gy, cout, &g)),
        ];
        total += t.iter().sum::<f64>() * times as f64;
        print!("{name:14} x{times}");
        t.iter().for_each(|t| print!("  {:7.1} ms {:6.0} GF/s", t * 1e3, flop / t / 1e9));
        println!();
    }
    println!("sum {total:.3} s");
}
