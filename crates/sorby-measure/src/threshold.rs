//! Global thresholds: Otsu's, and count and mean radius at every threshold.

/// Otsu's threshold as OpenCV computes it: pixels greater than it are foreground. The first maximum of
/// the between-class variance wins; levels that leave (almost) nothing on one side are passed over.
pub fn otsu(pixels: &[u8]) -> u8 {
    let mut histogram = [0u64; 256];
    pixels.iter().for_each(|&v| histogram[usize::from(v)] += 1);
    let scale = 1.0 / pixels.len().max(1) as f64;
    let mean: f64 = histogram.iter().enumerate().map(|(v, &n)| v as f64 * n as f64).sum::<f64>() * scale;
    let (mut q1, mut mean1, mut best, mut threshold) = (0.0f64, 0.0, 0.0, 0);
    for (level, &n) in histogram.iter().enumerate() {
        let share = n as f64 * scale;
        mean1 *= q1;
        q1 += share;
        let q2 = 1.0 - q1;
        if q1.min(q2) < f64::from(f32::EPSILON) || q1.max(q2) > 1.0 - f64::from(f32::EPSILON) {
            continue;
        }
        mean1 = (mean1 + level as f64 * share) / q1;
        let mean2 = (mean - q1 * mean1) / q2;
        let variance = q1 * q2 * (mean1 - mean2).powi(2);
        if variance > best {
            (best, threshold) = (variance, level as u8);
        }
    }
    threshold
}

/// Count and mean radius of the objects `pixel > t`, for every t of 0..=255.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    pub counts: Vec<u32>,
    /// `None` where there is no object.
    pub mean_radii_px: Vec<Option<f64>>,
}

impl Sweep {
    /// Threshold whose count is nearest to `truth`; ties go to the lowest.
    pub fn best_for_count(&self, truth: usize) -> u8 {
        nearest(self.counts.iter().map(|&n| Some((f64::from(n) - truth as f64).abs())))
    }

    /// Threshold whose mean radius is nearest to `truth_px`; ties go to the lowest.
    pub fn best_for_radius(&self, truth_px: f64) -> u8 {
        nearest(self.mean_radii_px.iter().map(|r| r.map(|r| (r - truth_px).abs())))
    }
}

fn nearest(errors: impl Iterator<Item = Option<f64>>) -> u8 {
    let mut best = (f64::INFINITY, 0);
    for (t, error) in errors.enumerate() {
        if let Some(error) = error.filter(|e| *e < best.0) {
            best = (error, t as u8);
        }
    }
    best.1
}

/// A union-find over pixels that knows the number of 8-connected objects and the sum of `sqrt(area)`.
struct Growing {
    /// Parent, or `u32::MAX` for pixels not yet added.
    parent: Vec<u32>,
    area: Vec<u32>,
    objects: u32,
    sum_of_roots: f64,
}

impl Growing {
    fn find(&mut self, mut i: u32) -> u32 {
        while self.parent[i as usize] != i {
            self.parent[i as usize] = self.parent[self.parent[i as usize] as usize];
            i = self.parent[i as usize];
        }
        i
    }

    fn add(&mut self, i: u32) {
        self.parent[i as usize] = i;
        self.area[i as usize] = 1;
        self.objects += 1;
        self.sum_of_roots += 1.0;
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        let (large, small) = if self.area[a as usize] >= self.area[b as usize] { (a, b) } else { (b, a) };
        let root = |n: u32| f64::from(n).sqrt();
        let (p, q) = (self.area[large as usize], self.area[small as usize]);
        self.sum_of_roots += root(p + q) - root(p) - root(q);
        self.area[large as usize] = p + q;
        self.parent[small as usize] = large;
        self.objects -= 1;
    }
}

/// All 256 thresholds in one pass: pixels are added from bright to dark while a union-find keeps the
/// objects.
pub fn sweep(pixels: &[u8], width: usize, height: usize) -> Sweep {
    assert_eq!(pixels.len(), width * height);
    assert!(pixels.len() < u32::MAX as usize, "image too large for a sweep");
    let order = brightest_first(pixels);
    let mut growing = Growing {
        parent: vec![u32::MAX; pixels.len()],
        area: vec![0; pixels.len()],
        objects: 0,
        sum_of_roots: 0.0,
    };
    let mut out = Sweep { counts: vec![0; 256], mean_radii_px: vec![None; 256] };
    let mut next = 0;
    for threshold in (0..256usize).rev() {
        while let Some(&i) = order.get(next).filter(|&&i| usize::from(pixels[i as usize]) > threshold) {
            growing.add(i);
            let (y, x) = (i as usize / width, i as usize % width);
            for ny in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for nx in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    let neighbour = ny * width + nx;
                    if growing.parent[neighbour] != u32::MAX {
                        growing.join(i, neighbour as u32);
                    }
                }
            }
            next += 1;
        }
        out.counts[threshold] = growing.objects;
        if growing.objects > 0 {
            let mean_root = growing.sum_of_roots / f64::from(growing.objects);
            out.mean_radii_px[threshold] = Some(mean_root / std::f64::consts::PI.sqrt());
        }
    }
    out
}

/// Pixel indices by descending value (a counting sort).
fn brightest_first(pixels: &[u8]) -> Vec<u32> {
    let mut starts = [0usize; 257];
    pixels.iter().for_each(|&v| starts[256 - usize::from(v)] += 1);
    (1..257).for_each(|i| starts[i] += starts[i - 1]);
    let mut order = vec![0u32; pixels.len()];
    for (i, &v) in pixels.iter().enumerate() {
        let slot = &mut starts[255 - usize::from(v)];
        order[*slot] = i as u32;
        *slot += 1;
    }
    order
}
