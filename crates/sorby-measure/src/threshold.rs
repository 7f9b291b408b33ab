//! Global thresholds: Otsu's, and count and mean radius at every threshold.

/// Otsu's threshold as OpenCV computes it: pixels greater than it are foreground. The first maximum of
/// the between-class variance wins; levels that leave (almost) nothing on one side are passed over.
///
/// ```
/// use sorby_measure::otsu;
///
/// let image = ["1121",   // grey levels from 1 to 9
///              "1289",
///              "1198"];
/// let pixels: Vec<u8> = image.concat().bytes().map(|digit| digit - b'0').collect();
/// let threshold = otsu(&pixels);
///
/// let rows = pixels.chunks(4).map(|row| row.iter().map(|&v| if v > threshold { '#' } else { '.' }).collect());
/// assert_eq!(rows.collect::<Vec<String>>(), ["....",
///                                            "..##",
///                                            "..##"]);
/// assert_eq!(threshold, 2);
/// ```
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
    /// Number of objects by threshold.
    pub counts: Vec<u32>,
    /// Mean over the objects of `sqrt(A / pi)`, by threshold; `None` where there is no object.
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
    /// Parent of a pixel; for a root, its area below zero; [`ABSENT`] for pixels not yet added. One array, for the
    /// pixels come in no order of place.
    link: Vec<i32>,
    /// Square roots of small areas, which most are.
    roots: Vec<f64>,
    objects: u32,
    sum_of_roots: f64,
}

const ABSENT: i32 = i32::MAX;

impl Growing {
    fn new(pixels: usize) -> Self {
        let roots = (0..4096).map(|n| f64::from(n).sqrt()).collect();
        Self { link: vec![ABSENT; pixels], roots, objects: 0, sum_of_roots: 0.0 }
    }

    fn find(&mut self, mut i: usize) -> usize {
        while self.link[i] >= 0 {
            let parent = self.link[i] as usize;
            if self.link[parent] >= 0 {
                self.link[i] = self.link[parent];
            }
            i = parent;
        }
        i
    }

    fn root(&self, area: i32) -> f64 {
        self.roots.get(area as usize).copied().unwrap_or_else(|| f64::from(area).sqrt())
    }

    /// Adds a pixel and joins it with those of its neighbours that are there.
    fn add(&mut self, i: usize, neighbours: [usize; 8]) {
        self.link[i] = -1;
        let mut own = i;
        let mut area = 1;
        let (mut joined, mut gone) = (0, 0.0);
        for n in neighbours {
            if self.link[n] == ABSENT {
                continue;
            }
            let other = self.find(n);
            if other == own {
                continue;
            }
            let added = -self.link[other];
            gone += self.root(added);
            joined += 1;
            if added > area {
                self.link[own] = other as i32;
                own = other;
            } else {
                self.link[other] = own as i32;
            }
            area += added;
            self.link[own] = -area;
        }
        self.objects = self.objects + 1 - joined;
        self.sum_of_roots += self.root(area) - gone;
    }
}

/// All 256 thresholds in one pass: pixels are added from bright to dark while a union-find keeps the
/// objects.
///
/// # Panics
/// If there are not `width * height` pixels, or nearly 2^31 or more of them.
pub fn sweep(pixels: &[u8], width: usize, height: usize) -> Sweep {
    assert_eq!(pixels.len(), width * height);
    // With a margin of absent pixels, so that every pixel has eight neighbours.
    let stride = width + 2;
    let cells = stride * (height + 2);
    assert!(cells < ABSENT as usize, "image too large for a sweep");
    let order = brightest_first(pixels, width, stride);
    let mut growing = Growing::new(cells);
    let mut out = Sweep { counts: vec![0; 256], mean_radii_px: vec![None; 256] };
    let mut of_value = [0usize; 256];
    pixels.iter().for_each(|&v| of_value[usize::from(v)] += 1);
    let mut next = 0;
    for threshold in (0..256usize).rev() {
        let brighter = of_value.get(threshold + 1).copied().unwrap_or(0);
        for &i in &order[next..next + brighter] {
            let i = i as usize;
            let (above, below) = (i - stride, i + stride);
            growing.add(i, [above - 1, above, above + 1, i - 1, i + 1, below - 1, below, below + 1]);
        }
        next += brighter;
        out.counts[threshold] = growing.objects;
        if growing.objects > 0 {
            let mean_root = growing.sum_of_roots / f64::from(growing.objects);
            out.mean_radii_px[threshold] = Some(mean_root / std::f64::consts::PI.sqrt());
        }
    }
    out
}

/// Places of the pixels, by rows of `stride` with a margin of one, in order of descending value (a counting sort).
fn brightest_first(pixels: &[u8], width: usize, stride: usize) -> Vec<u32> {
    let mut starts = [0usize; 257];
    pixels.iter().for_each(|&v| starts[256 - usize::from(v)] += 1);
    (1..257).for_each(|i| starts[i] += starts[i - 1]);
    let mut order = vec![0u32; pixels.len()];
    for (y, row) in pixels.chunks_exact(width.max(1)).enumerate() {
        for (x, &v) in row.iter().enumerate() {
            let slot = &mut starts[255 - usize::from(v)];
            order[*slot] = ((y + 1) * stride + x + 1) as u32;
            *slot += 1;
        }
    }
    order
}
