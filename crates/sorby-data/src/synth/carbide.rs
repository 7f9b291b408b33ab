//! Granular carbides in ferrite.

use super::Synthetic;
use super::field::{Cells, Shading};
use super::picture::Picture;
use sorby_image::LabelMap;
use sorby_random::Stream;

/// Median radius and spread of the log-normal size distribution.
const MEDIAN_RADIUS_PX: f64 = 6.5;
const LOG_SIGMA: f64 = 0.45;
const RADII_PX: (f64, f64) = (2.2, 24.0);
/// Free pixels kept between particles, so that each is an object of its own.
const GAP_PX: f64 = 2.5;

/// A star-shaped outline: a circle with a few smooth waves.
struct Outline {
    x: f64,
    y: f64,
    radius: f64,
    stretch: f64,
    angle: f64,
    waves: [(f64, f64); 3],
    /// Grey levels of interior and rim above the matrix.
    body: f64,
    rim: f64,
}

impl Outline {
    fn new(x: f64, y: f64, stream: &mut Stream) -> Self {
        let radius =
            (MEDIAN_RADIUS_PX.ln() + LOG_SIGMA * stream.normal()).exp().clamp(RADII_PX.0, RADII_PX.1);
        let wave = |s: &mut Stream, a: f64| (a * s.unit(), s.uniform(0.0, std::f64::consts::TAU));
        let dull = stream.chance(0.3);
        Self {
            x,
            y,
            radius,
            stretch: stream.uniform(1.0, 1.45).sqrt(),
            angle: stream.uniform(0.0, std::f64::consts::PI),
            waves: [wave(stream, 0.06), wave(stream, 0.06), wave(stream, 0.03)],
            body: if dull { stream.uniform(4.0, 14.0) } else { stream.uniform(18.0, 42.0) },
            rim: stream.uniform(35.0, 75.0),
        }
    }

    /// No point of the outline is farther from the centre.
    fn reach(&self) -> f64 {
        self.radius * self.stretch * (1.0 + self.waves.iter().map(|w| w.0).sum::<f64>())
    }

    /// Approximate distance inside the outline (negative outside).
    fn depth(&self, x: f64, y: f64) -> f64 {
        let (dx, dy) = (x - self.x, y - self.y);
        let (s, c) = self.angle.sin_cos();
        let (u, v) = ((c * dx + s * dy) / self.stretch, (c * dy - s * dx) * self.stretch);
        let (r, theta) = ((u * u + v * v).sqrt(), v.atan2(u));
        let waves: f64 =
            self.waves.iter().enumerate().map(|(i, (a, p))| a * ((i + 2) as f64 * theta + p).cos()).sum();
        self.radius * (1.0 + waves) - r
    }
}

pub(super) fn make(width: usize, height: usize, seed: u64, index: u64) -> Synthetic {
    let mut stream = Stream::numbered(seed, "synthetic carbide", &[index]);
    let shading = Shading::new(width.max(height) as f64, 16.0, &mut stream);
    let cells = Cells::new(width, height, 130.0, &mut stream);
    let tones: Vec<f64> = (0..cells.len()).map(|_| 9.0 * stream.normal()).collect();
    let mut picture = Picture::new(width, height, |x, y| {
        let place = cells.place(x, y);
        let boundary = 26.0 * (-(place.to_boundary / 1.2).powi(2)).exp();
        92.0 + tones[place.cell] + boundary + shading.at(x, y)
    });
    let outlines = place_outlines(width, height, &mut stream);
    let mut label = LabelMap::filled(width, height, 0);
    let mut areas_px = Vec::new();
    for outline in &outlines {
        let area = draw(outline, &mut picture, &mut label);
        if area > 0 {
            areas_px.push(area);
        }
    }
    let area = (width * height) as f64;
    picture.scratch((area / 60_000.0).round() as usize + 1, &mut stream);
    picture.dirty((area / 9_000.0) as usize, (area / 40_000.0) as usize, &mut stream);
    picture.blur();
    Synthetic { pixels: picture.record(9.0, &mut stream), label, areas_px }
}

/// Random places that keep their distance.
fn place_outlines(width: usize, height: usize, stream: &mut Stream) -> Vec<Outline> {
    let wanted = ((width * height) as f64 * stream.uniform(0.10, 0.15) / 190.0) as usize;
    let mut outlines: Vec<Outline> = Vec::with_capacity(wanted);
    for _ in 0..wanted * 6 {
        if outlines.len() == wanted {
            break;
        }
        let (x, y) = (stream.uniform(0.0, width as f64), stream.uniform(0.0, height as f64));
        let outline = Outline::new(x, y, stream);
        let free = |o: &Outline| {
            let distance = ((o.x - x).powi(2) + (o.y - y).powi(2)).sqrt();
            distance > o.reach() + outline.reach() + GAP_PX
        };
        if outlines.iter().all(free) {
            outlines.push(outline);
        }
    }
    outlines
}

/// Paints and labels one particle; returns its labelled pixels.
fn draw(outline: &Outline, picture: &mut Picture, label: &mut LabelMap) -> u64 {
    let reach = outline.reach() + 5.0;
    let mut area = 0;
    let range = |c: f64, len: usize| {
        (c - reach).floor().max(0.0) as usize..((c + reach).ceil().max(0.0) as usize + 1).min(len)
    };
    for y in range(outline.y, label.height) {
        for x in range(outline.x, label.width) {
            let depth = outline.depth(x as f64, y as f64);
            if depth < -5.0 {
                continue;
            }
            let at = y * label.width + x;
            // The edge effect of secondary electrons: bright just inside the outline, a halo outside.
            let rim = if depth >= 0.0 {
                (-(depth / 1.6).powi(2)).exp()
            } else {
                0.35 * (-(depth / 1.8).powi(2)).exp()
            };
            picture.grey[at] += outline.rim * rim;
            if depth >= 0.0 {
                picture.grey[at] += outline.body;
                label.labels[at] = 1;
                area += 1;
            }
        }
    }
    area
}
