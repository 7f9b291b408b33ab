//! Closed outlines of particles and pores: wavy circles, ellipses, facets.

use sorby_random::Stream;

/// A shape around its centre.
pub(super) struct Outline {
    radius: f64,
    stretch: f64,
    direction: (f64, f64),
    /// Height and phase of the waves with 2, 3, 4 and 5 periods around the outline.
    waves: [(f64, f64); 4],
    /// Normals and distances of straight sides.
    facets: Vec<(f64, f64, f64)>,
}

impl Outline {
    /// `rough` is the height of the waves as a share of the radius; `facets` straight sides, or none where it is 0.
    pub fn new(
        radius: f64,
        stretch: f64,
        angle: f64,
        rough: f64,
        facets: usize,
        stream: &mut Stream,
    ) -> Self {
        let side = |k: usize, s: &mut Stream| {
            let angle = (k as f64 + s.uniform(-0.3, 0.3)) * std::f64::consts::TAU / facets as f64;
            (angle.cos(), angle.sin(), s.uniform(0.75, 1.05))
        };
        Self {
            radius,
            stretch: stretch.sqrt(),
            direction: angle.sin_cos(),
            waves: std::array::from_fn(|i| {
                (rough * stream.unit() / (1.0 + 0.4 * i as f64), stream.uniform(0.0, std::f64::consts::TAU))
            }),
            facets: (0..facets).map(|k| side(k, stream)).collect(),
        }
    }

    /// No point of the outline is farther from the centre.
    pub fn reach(&self) -> f64 {
        let corner = if self.facets.is_empty() { 1.0 } else { 1.5 };
        self.radius * self.stretch * (corner + self.waves.iter().map(|w| w.0).sum::<f64>())
    }

    pub fn holds(&self, dx: f64, dy: f64) -> bool {
        let (s, c) = self.direction;
        let (u, v) = ((c * dx + s * dy) / self.stretch, (c * dy - s * dx) * self.stretch);
        let (u, v) = (u / self.radius, v / self.radius);
        let theta = v.atan2(u);
        let waves = self.waves.iter().enumerate();
        let waves: f64 = waves.map(|(i, (a, phase))| a * ((i + 2) as f64 * theta + phase).cos()).sum();
        if self.facets.is_empty() {
            return u.hypot(v) <= 1.0 + waves;
        }
        u.hypot(v) <= 1.45 && self.facets.iter().all(|(a, b, far)| a * u + b * v <= far + waves)
    }
}
