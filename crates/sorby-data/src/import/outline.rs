//! Outlines that programs keep by a few numbers, as polygons.

use super::shapes::Area;

type Point = (f64, f64);

/// Sides that bring a polygon within a hundredth of a pixel of a curve of this radius.
fn sides(radius: f64) -> u32 {
    // The sagitta of one of n sides is r (1 - cos(pi / n)).
    let sides = (std::f64::consts::PI / (2.0 * 0.005 / radius.max(1.0)).sqrt()).ceil();
    sides.clamp(16.0, 1e5) as u32
}

impl Area {
    pub fn polygon(ring: Vec<Point>) -> Self {
        Self::Rings(vec![ring])
    }

    pub fn rectangle((x, y): Point, (width, height): (f64, f64)) -> Self {
        Self::polygon(vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
    }

    /// An ellipse inscribed in a box.
    pub fn ellipse((left, top): Point, (width, height): (f64, f64)) -> Self {
        let (rx, ry) = (width / 2.0, height / 2.0);
        Self::ellipse_of_axes((left + rx, top + ry), (rx, 0.0), (0.0, ry))
    }

    /// An ellipse by its centre and two half-axes at right angles.
    pub fn ellipse_of_axes((cx, cy): Point, u: Point, v: Point) -> Self {
        let sides = sides(u.0.hypot(u.1).max(v.0.hypot(v.1)));
        let corner = |i: u32| {
            let (sin, cos) = (std::f64::consts::TAU * f64::from(i) / f64::from(sides)).sin_cos();
            (cx + u.0 * cos + v.0 * sin, cy + u.1 * cos + v.1 * sin)
        };
        Self::polygon((0..sides).map(corner).collect())
    }

    /// A rectangle by the line from the middle of one side to the middle of the opposite one, and its width across.
    pub fn rectangle_along((x1, y1): Point, (x2, y2): Point, width: f64) -> Self {
        let length = (x2 - x1).hypot(y2 - y1);
        let (dx, dy) = ((y2 - y1) / length * width / 2.0, (x1 - x2) / length * width / 2.0);
        Self::polygon(vec![(x1 + dx, y1 + dy), (x2 + dx, y2 + dy), (x2 - dx, y2 - dy), (x1 - dx, y1 - dy)])
    }

    /// A rectangle whose corners are quarters of ellipses of these widths and heights, twice the half-axes.
    pub fn rounded_rectangle((x, y): Point, (width, height): (f64, f64), corner: f64) -> Self {
        let (rx, ry) = (corner.min(width) / 2.0, corner.min(height) / 2.0);
        let quarter = sides(rx.max(ry)).div_ceil(4);
        let centres = [
            (x + width - rx, y + height - ry),
            (x + rx, y + height - ry),
            (x + rx, y + ry),
            (x + width - rx, y + ry),
        ];
        let corner = |(turn, (cx, cy)): (usize, Point)| {
            (0..=quarter).map(move |i| {
                let part = turn as f64 + f64::from(i) / f64::from(quarter);
                let (sin, cos) = (part * std::f64::consts::FRAC_PI_2).sin_cos();
                (cx + rx * cos, cy + ry * sin)
            })
        };
        Self::polygon(centres.into_iter().enumerate().flat_map(corner).collect())
    }

    /// Four corners in whatever order, of a shape without dents; `None` where they are none.
    pub fn four_corners(corners: &[Point]) -> Option<Self> {
        let mut ring = <[Point; 4]>::try_from(corners).ok()?;
        let mean = |of: fn(&Point) -> f64| ring.iter().map(of).sum::<f64>() / 4.0;
        let (cx, cy) = (mean(|p| p.0), mean(|p| p.1));
        let angle = |p: &Point| (p.1 - cy).atan2(p.0 - cx);
        ring.sort_by(|a, b| angle(a).total_cmp(&angle(b)));
        let turn = |i: usize| {
            let (a, b, c) = (ring[i], ring[(i + 1) % 4], ring[(i + 2) % 4]);
            (b.0 - a.0) * (c.1 - b.1) - (b.1 - a.1) * (c.0 - b.0)
        };
        (0..4).all(|i| turn(i) > 0.0).then(|| Self::polygon(ring.to_vec()))
    }
}

/// Points along a quadratic or cubic curve from `from`, its end included, its start not; off by less than 0.01 pixels
/// for curves of up to thousands of pixels.
pub(super) fn curve(from: Point, controls: &[Point]) -> Vec<Point> {
    let steps =
        controls.iter().fold((0.0, from), |(sum, last), p| (sum + (p.0 - last.0).hypot(p.1 - last.1), *p)).0;
    let steps = if steps.is_finite() { (steps * 2.0).ceil().clamp(16.0, 10_000.0) as u32 } else { 1 };
    let at = |i: u32| {
        let t = f64::from(i) / f64::from(steps);
        // De Casteljau's construction.
        let mut points: Vec<Point> = std::iter::once(from).chain(controls.iter().copied()).collect();
        while points.len() > 1 {
            points = points
                .windows(2)
                .map(|p| (p[0].0 + (p[1].0 - p[0].0) * t, p[0].1 + (p[1].1 - p[0].1) * t))
                .collect();
        }
        points[0]
    };
    (1..=steps).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(area: Area) -> Vec<Point> {
        let Area::Rings(rings) = area else { panic!() };
        rings.into_iter().next().unwrap()
    }

    /// Area by the shoelace formula.
    fn size(ring: &[Point]) -> f64 {
        let next = ring.iter().cycle().skip(1);
        (ring.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum::<f64>() / 2.0).abs()
    }

    #[test]
    fn areas_are_those_of_the_formulas() {
        let pi = std::f64::consts::PI;
        let near =
            |found: f64, truth: f64| assert!((found / truth - 1.0).abs() < 1e-3, "{found} for {truth}");
        near(size(&ring(Area::ellipse((3.0, 4.0), (80.0, 60.0)))), pi * 40.0 * 30.0);
        // Turned by 30 degrees: the area stays.
        let (s, c) = (0.5, 0.75f64.sqrt());
        near(
            size(&ring(Area::ellipse_of_axes((50.0, 50.0), (40.0 * c, 40.0 * s), (-20.0 * s, 20.0 * c)))),
            pi * 800.0,
        );
        near(size(&ring(Area::rectangle_along((0.0, 0.0), (30.0, 40.0), 7.0))), 350.0);
        near(size(&ring(Area::rounded_rectangle((5.0, 5.0), (40.0, 20.0), 10.0))), 800.0 - (4.0 - pi) * 25.0);
        // Corners larger than the rectangle: an ellipse is left.
        near(size(&ring(Area::rounded_rectangle((5.0, 5.0), (40.0, 20.0), 99.0))), pi * 200.0);
    }

    #[test]
    fn four_corners_in_any_order() {
        let square = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)];
        for order in [[0, 1, 2, 3], [0, 2, 1, 3], [3, 1, 0, 2], [2, 1, 0, 3]] {
            assert_eq!(size(&ring(Area::four_corners(&order.map(|i| square[i])).unwrap())), 16.0);
        }
        let dented = [(0.0, 0.0), (4.0, 0.0), (1.0, 1.0), (0.0, 4.0)];
        assert!(Area::four_corners(&dented).is_none());
        assert!(Area::four_corners(&[(1.0, 1.0); 4]).is_none());
        assert!(Area::four_corners(&square[..3]).is_none());
    }

    #[test]
    fn four_cubics_make_a_circle() {
        let k = 10.0 * 0.552_284_75;
        let mut ring = Vec::new();
        let mut from = (10.0, 0.0);
        for (a, b, to) in [
            ((10.0, k), (k, 10.0), (0.0, 10.0)),
            ((-k, 10.0), (-10.0, k), (-10.0, 0.0)),
            ((-10.0, -k), (-k, -10.0), (0.0, -10.0)),
            ((k, -10.0), (10.0, -k), (10.0, 0.0)),
        ] {
            ring.extend(curve(from, &[a, b, to]));
            from = to;
        }
        assert_eq!(from, *ring.last().unwrap());
        assert!((size(&ring) / (std::f64::consts::PI * 100.0) - 1.0).abs() < 2e-3);
        assert_eq!(curve((0.0, 0.0), &[(f64::NAN, 0.0), (1.0, 1.0)]).len(), 1);
    }
}
