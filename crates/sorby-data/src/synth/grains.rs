//! Grains that grew from points until they met (Johnson and Mehl), found in constant time for any pixel.

use sorby_random::Stream;

/// Grains of a field. All begin to grow at once (then they are Voronoi cells) or one after another.
pub(super) struct Grains {
    size: f32,
    columns: usize,
    rows: usize,
    left: f32,
    top: f32,
    squeeze: f32,
    direction: (f32, f32),
    /// Place (in the squeezed frame) and delay of each grain's nucleus, in pixels; one for each square of the grid.
    nuclei: Vec<[f32; 3]>,
}

/// Where a point lies among grains.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub grain: usize,
    /// Approximate distance to the nearest boundary, in pixels.
    pub to_boundary: f32,
}

/// What grains look like.
#[derive(Clone, Copy)]
pub(super) struct GrainShape {
    /// Mean diameter in pixels.
    pub size: f64,
    /// Length by width, 1 for equiaxed grains.
    pub stretch: f64,
    /// Direction of their length in radians.
    pub direction: f64,
    /// Latest beginning of growth, 0..0.6 diameters: more gives a wider range of sizes and curved boundaries.
    pub delay: f64,
}

impl GrainShape {
    /// Equiaxed grains.
    pub fn equiaxed(size: f64) -> Self {
        Self { size, stretch: 1.0, direction: 0.0, delay: 0.3 }
    }
}

impl Grains {
    pub fn new(width: usize, height: usize, shape: GrainShape, stream: &mut Stream) -> Self {
        let size = shape.size.max(3.0) as f32;
        let squeeze = shape.stretch.max(1.0).sqrt() as f32;
        // The grid shows a little in the boundaries; where no length says how it lies, it lies anyhow.
        let free = stream.uniform(0.0, std::f64::consts::TAU);
        let direction = if shape.stretch > 1.0 { shape.direction } else { free };
        let (s, c) = (direction as f32).sin_cos();
        let mut grains = Self {
            size,
            columns: 0,
            rows: 0,
            left: 0.0,
            top: 0.0,
            squeeze,
            direction: (s, c),
            nuclei: Vec::new(),
        };
        let (w, h) = (width as f32, height as f32);
        let corners = [(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)].map(|(x, y)| grains.frame(x, y));
        let reach = |of: fn(&(f32, f32)) -> f32| {
            let values = corners.iter().map(of);
            (values.clone().fold(f32::MAX, f32::min), values.fold(f32::MIN, f32::max))
        };
        let ((left, right), (top, bottom)) = (reach(|p| p.0), reach(|p| p.1));
        (grains.left, grains.top) = (left - 3.0 * size, top - 3.0 * size);
        grains.columns = ((right - left) / size).ceil() as usize + 6;
        grains.rows = ((bottom - top) / size).ceil() as usize + 6;
        for i in 0..grains.columns * grains.rows {
            let x = grains.left + ((i % grains.columns) as f32 + stream.unit() as f32) * size;
            let y = grains.top + ((i / grains.columns) as f32 + stream.unit() as f32) * size;
            grains.nuclei.push([x, y, stream.uniform(0.0, shape.delay) as f32 * size]);
        }
        grains
    }

    /// The frame in which grains are equiaxed.
    fn frame(&self, x: f32, y: f32) -> (f32, f32) {
        let (s, c) = self.direction;
        ((c * x + s * y) / self.squeeze, (c * y - s * x) * self.squeeze)
    }

    pub fn len(&self) -> usize {
        self.nuclei.len()
    }

    /// Where a grain began, in pixels of the field.
    pub fn nucleus(&self, grain: usize) -> (f32, f32) {
        let [u, v, _] = self.nuclei[grain];
        let ((s, c), (u, v)) = (self.direction, (u * self.squeeze, v / self.squeeze));
        (c * u - s * v, s * u + c * v)
    }

    /// The grain of a point, which may lie up to a diameter outside of the field.
    pub fn place(&self, x: f32, y: f32) -> Place {
        let (u, v) = self.frame(x, y);
        let column = (((u - self.left) / self.size) as usize).clamp(2, self.columns - 3);
        let row = (((v - self.top) / self.size) as usize).clamp(2, self.rows - 3);
        let (mut first, mut second) = ((f32::MAX, 0), (f32::MAX, 0));
        for j in row - 2..=row + 2 {
            for i in j * self.columns + column - 2..=j * self.columns + column + 2 {
                let [a, b, delay] = self.nuclei[i];
                let time = ((u - a).powi(2) + (v - b).powi(2)).sqrt() + delay;
                if time < first.0 {
                    (second, first) = (first, (time, i));
                } else if time < second.0 {
                    second = (time, i);
                }
            }
        }
        let ([a, b, _], [c, d, _]) = (self.nuclei[first.1], self.nuclei[second.1]);
        let between = ((a - c).powi(2) + (b - d).powi(2)).sqrt().max(1e-3);
        let to_boundary = (second.0 - first.0) * (second.0 + first.0) / (2.0 * between);
        Place { grain: first.1, to_boundary: to_boundary.min((second.0 - first.0).max(0.0) * 4.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grain_of_a_point_is_the_one_that_reached_it_first() {
        for (size, stretch, delay) in [(9.0, 1.0, 0.0), (25.0, 3.0, 0.6), (160.0, 1.0, 0.3)] {
            let shape = GrainShape { size, stretch, direction: 0.7, delay };
            let grains = Grains::new(120, 90, shape, &mut Stream::numbered(2, "grains", &[size as u64]));
            for i in 0..120 * 90 {
                let (x, y) = ((i % 120) as f32, (i / 120) as f32);
                let (u, v) = grains.frame(x, y);
                let time = |n: &[f32; 3]| (u - n[0]).hypot(v - n[1]) + n[2];
                let mut times: Vec<f32> = grains.nuclei.iter().map(time).collect();
                let place = grains.place(x, y);
                let reached = times[place.grain];
                times.sort_by(f32::total_cmp);
                assert!((reached - times[0]).abs() < 1e-3, "{size}: {x} {y}");
            }
        }
    }
}
