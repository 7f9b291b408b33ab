//! Smooth random fields and random cells, the grounds of every picture.

use sorby_random::Stream;

/// A few slow waves: the uneven illumination and detector shading of an SEM field.
pub(super) struct Shading {
    waves: Vec<(f64, f64, f64, f64)>,
}

impl Shading {
    /// Waves of about the field's own length, each up to `amplitude` grey levels.
    pub fn new(size: f64, amplitude: f64, stream: &mut Stream) -> Self {
        let wave = |stream: &mut Stream| {
            let (direction, length) =
                (stream.uniform(0.0, std::f64::consts::TAU), size * stream.uniform(0.8, 2.0));
            let k = std::f64::consts::TAU / length;
            let phase = stream.uniform(0.0, std::f64::consts::TAU);
            (k * direction.cos(), k * direction.sin(), phase, amplitude * stream.uniform(0.4, 1.0))
        };
        Self { waves: (0..3).map(|_| wave(stream)).collect() }
    }

    pub fn at(&self, x: f64, y: f64) -> f64 {
        self.waves.iter().map(|(kx, ky, phase, a)| a * (kx * x + ky * y + phase).sin()).sum()
    }
}

/// Voronoi cells: grains or packets.
pub(super) struct Cells {
    seeds: Vec<(f64, f64)>,
}

/// Where a point lies among cells.
pub(super) struct Place {
    pub cell: usize,
    /// Distance to the nearest cell boundary.
    pub to_boundary: f64,
}

impl Cells {
    /// Cells of about `diameter` pixels over a field, with a margin so that its edge has cells too.
    pub fn new(width: usize, height: usize, diameter: f64, stream: &mut Stream) -> Self {
        let (w, h) = (width as f64 + 2.0 * diameter, height as f64 + 2.0 * diameter);
        let count = (w * h / (diameter * diameter)).ceil().max(3.0) as usize;
        let point = |s: &mut Stream| (s.uniform(0.0, w) - diameter, s.uniform(0.0, h) - diameter);
        Self { seeds: (0..count).map(|_| point(stream)).collect() }
    }

    pub fn len(&self) -> usize {
        self.seeds.len()
    }

    pub fn place(&self, x: f64, y: f64) -> Place {
        let (mut first, mut second) = ((f64::INFINITY, 0), (f64::INFINITY, 0));
        for (i, (sx, sy)) in self.seeds.iter().enumerate() {
            let d = (x - sx).powi(2) + (y - sy).powi(2);
            if d < first.0 {
                second = first;
                first = (d, i);
            } else if d < second.0 {
                second = (d, i);
            }
        }
        // Distance to the bisector of the two nearest seeds.
        let (a, b) = (self.seeds[first.1], self.seeds[second.1]);
        let between = ((a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)).sqrt().max(1e-9);
        Place { cell: first.1, to_boundary: (second.0 - first.0) / (2.0 * between) }
    }
}
