//! From an ideal picture to what a microscope records: dirt, scratches, blur, noise.

use sorby_random::Stream;

/// Grey levels under construction.
pub(super) struct Picture {
    pub width: usize,
    pub height: usize,
    pub grey: Vec<f64>,
}

impl Picture {
    /// Fills every pixel from its centre's coordinates.
    pub fn new(width: usize, height: usize, f: impl Fn(f64, f64) -> f64) -> Self {
        let grey = (0..width * height).map(|i| f((i % width) as f64, (i / width) as f64)).collect();
        Self { width, height, grey }
    }

    /// Straight polishing scratches, bright or dark, all of one rough direction.
    pub fn scratch(&mut self, count: usize, stream: &mut Stream) {
        let direction = stream.uniform(0.0, std::f64::consts::PI);
        for _ in 0..count {
            let angle = direction + 0.15 * stream.normal();
            let (nx, ny) = (-angle.sin(), angle.cos());
            let at = (stream.uniform(0.0, self.width as f64), stream.uniform(0.0, self.height as f64));
            let offset = nx * at.0 + ny * at.1;
            let (width, depth) = (stream.uniform(0.5, 1.3), stream.uniform(12.0, 38.0));
            let depth = if stream.chance(0.5) { depth } else { -depth };
            for (i, g) in self.grey.iter_mut().enumerate() {
                let d = nx * (i % self.width) as f64 + ny * (i / self.width) as f64 - offset;
                *g += depth * (-(d / width).powi(2)).exp();
            }
        }
    }

    /// Small spots that are no particles: bright specks of one or two pixels, dark dust of several.
    pub fn dirty(&mut self, specks: usize, dust: usize, stream: &mut Stream) {
        for i in 0..specks + dust {
            let (radius, height) = if i < specks {
                (stream.uniform(0.6, 1.3), stream.uniform(60.0, 120.0))
            } else {
                (stream.uniform(2.0, 4.5), stream.uniform(-45.0, -20.0))
            };
            let (cx, cy) = (stream.uniform(0.0, self.width as f64), stream.uniform(0.0, self.height as f64));
            self.each_near(cx, cy, 3.0 * radius, |g, d| *g += height * (-(d / radius).powi(2)).exp());
        }
    }

    /// Calls `f` with every pixel within `reach` of a point, and its distance.
    pub fn each_near(&mut self, cx: f64, cy: f64, reach: f64, mut f: impl FnMut(&mut f64, f64)) {
        let range = |c: f64, len: usize| {
            let (low, high) = ((c - reach).floor().max(0.0), (c + reach).ceil().min(len as f64 - 1.0));
            low as usize..(high.max(-1.0) + 1.0) as usize
        };
        for y in range(cy, self.height) {
            for x in range(cx, self.width) {
                let d = ((x as f64 - cx).powi(2) + (y as f64 - cy).powi(2)).sqrt();
                if d <= reach {
                    f(&mut self.grey[y * self.width + x], d);
                }
            }
        }
    }

    /// The beam's width: a Gaussian of about 0.8 pixels.
    pub fn blur(&mut self) {
        const KERNEL: [f64; 5] = [0.02, 0.23, 0.5, 0.23, 0.02];
        let pass = |src: &[f64], width: usize, height: usize, dx: i64, dy: i64| -> Vec<f64> {
            let at = |x: i64, y: i64| {
                src[y.clamp(0, height as i64 - 1) as usize * width + x.clamp(0, width as i64 - 1) as usize]
            };
            let mix = |x: i64, y: i64| -> f64 {
                (-2..=2i64).map(|k| KERNEL[(k + 2) as usize] * at(x + k * dx, y + k * dy)).sum()
            };
            (0..width * height).map(|i| mix((i % width) as i64, (i / width) as i64)).collect()
        };
        self.grey = pass(&self.grey, self.width, self.height, 1, 0);
        self.grey = pass(&self.grey, self.width, self.height, 0, 1);
    }

    /// Shot noise that grows with brightness, detector noise that does not; then 8 bits.
    pub fn record(&self, noise: f64, stream: &mut Stream) -> Vec<u8> {
        let level = |&g: &f64, n: f64| (g + noise * (0.6 + 0.4 * (g.max(0.0) / 128.0).sqrt()) * n).round();
        self.grey.iter().map(|g| level(g, stream.normal()).clamp(0.0, 255.0) as u8).collect()
    }
}
