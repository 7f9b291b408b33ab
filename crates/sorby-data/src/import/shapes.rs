//! Shapes to pixels.

use sorby_image::LabelMap;

/// An area of one class, by index; 255 for what is to be ignored.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    pub class: usize,
    pub area: Area,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Area {
    /// Closed rings of (x, y) in pixels, the origin at the upper left corner of the image; a point inside an odd
    /// number of rings is inside the shape, so that rings may be holes.
    Rings(Vec<Vec<(f64, f64)>>),
    /// Runs of pixels, first and length, numbered down the columns of an image of this height.
    Columns { height: u64, runs: Vec<(u64, u64)> },
    /// A picture of the object, in rows: its upper left pixel's place in the image, its width, and where it is.
    Pixels { left: i64, top: i64, width: usize, inside: Vec<bool> },
}

/// Draws shapes in their order over class 0, and tells what did not go as one may expect.
pub(super) fn draw((width, height): (usize, usize), shapes: &[Shape]) -> (LabelMap, Vec<String>) {
    let mut map = LabelMap::filled(width, height, 0);
    let (mut outside, mut beyond, mut covered) = (0, 0, 0u64);
    for shape in shapes {
        let (mut drawn, mut over) = (0u64, 0u64);
        let mut paint = |at: usize| {
            drawn += 1;
            over += u64::from(map.labels[at] != 0 && usize::from(map.labels[at]) != shape.class);
            map.labels[at] = shape.class as u8;
        };
        let leaves = match &shape.area {
            Area::Rings(rings) => {
                fill(rings, (width, height), &mut paint);
                let past = |(x, y): &(f64, f64)| {
                    !(-0.5..=width as f64 + 0.5).contains(x) || !(-0.5..=height as f64 + 0.5).contains(y)
                };
                rings.iter().flatten().any(past)
            }
            Area::Columns { height: rows, runs } => {
                let pixels = (width * height) as u64;
                if *rows == height as u64 {
                    let within = runs.iter().flat_map(|&(first, length)| first..(first + length).min(pixels));
                    within.for_each(|at| paint((at % rows) as usize * width + (at / rows) as usize));
                }
                *rows != height as u64 || runs.iter().any(|(first, length)| first + length > pixels)
            }
            Area::Pixels { left, top, width: columns, inside } => {
                let mut beyond = false;
                for (i, _) in inside.iter().enumerate().filter(|(_, inside)| **inside) {
                    let (x, y) = (left + (i % columns) as i64, top + (i / columns) as i64);
                    if (0..width as i64).contains(&x) && (0..height as i64).contains(&y) {
                        paint(y as usize * width + x as usize);
                    } else {
                        beyond = true;
                    }
                }
                beyond
            }
        };
        outside += usize::from(drawn == 0);
        beyond += usize::from(drawn > 0 && leaves);
        covered += over;
    }
    let mut told = Vec::new();
    let plural = |n: usize| if n == 1 { "shape" } else { "shapes" };
    if outside > 0 {
        told.push(format!("{outside} {} without a pixel inside the image: left out", plural(outside)));
    }
    if beyond > 0 {
        told.push(format!("{beyond} {} beyond the image's edge: cut off there", plural(beyond)));
    }
    if covered > 0 {
        told.push(format!(
            "{covered} pixels are claimed by shapes of two classes: the later in the file has them"
        ));
    }
    (map, told)
}

/// An edge of a ring, and the rows whose middles it crosses.
struct Edge {
    rows: std::ops::Range<usize>,
    from: (f64, f64),
    to: (f64, f64),
}

impl Edge {
    fn of((x1, y1): (f64, f64), (x2, y2): (f64, f64), height: usize) -> Self {
        let (low, high) = (y1.min(y2), y1.max(y2));
        // Rows whose middle y + 0.5 lies in low <= middle < high: a corner counts for one of its two edges.
        let row = |y: f64| (y - 0.5).ceil().clamp(0.0, height as f64) as usize;
        Self { rows: row(low)..row(high), from: (x1, y1), to: (x2, y2) }
    }

    /// Where it crosses the middle of a row.
    fn crossing(&self, y: usize) -> f64 {
        let ((x1, y1), (x2, y2)) = (self.from, self.to);
        x1 + (y as f64 + 0.5 - y1) * (x2 - x1) / (y2 - y1)
    }
}

/// Calls `paint` with the index of every pixel whose centre is inside, even-odd. Row by row, with the edges that cross
/// it: memory grows with the corners, however high their edges are.
fn fill(rings: &[Vec<(f64, f64)>], (width, height): (usize, usize), paint: &mut dyn FnMut(usize)) {
    let finite =
        |ring: &&Vec<(f64, f64)>| ring.len() >= 3 && ring.iter().all(|p| p.0.is_finite() && p.1.is_finite());
    let edges_of = |ring: &Vec<(f64, f64)>| {
        let next = ring.iter().cycle().skip(1);
        ring.iter().zip(next).map(|(a, b)| Edge::of(*a, *b, height)).collect::<Vec<_>>()
    };
    let mut edges: Vec<Edge> = rings.iter().filter(finite).flat_map(edges_of).collect();
    edges.retain(|e| !e.rows.is_empty());
    edges.sort_by_key(|e| e.rows.start);
    let (mut waiting, mut crossed, mut crossings) =
        (edges.iter().peekable(), Vec::<&Edge>::new(), Vec::new());
    for y in edges.first().map_or(0, |e| e.rows.start)..height {
        while let Some(edge) = waiting.next_if(|e| e.rows.start == y) {
            crossed.push(edge);
        }
        crossed.retain(|e| e.rows.end > y);
        if crossed.is_empty() && waiting.peek().is_none() {
            break;
        }
        crossings.clear();
        crossings.extend(crossed.iter().map(|e| e.crossing(y)));
        crossings.sort_unstable_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let column = |x: f64| (x - 0.5).ceil().clamp(0.0, width as f64) as usize;
            (column(pair[0])..column(pair[1])).for_each(|x| paint(y * width + x));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polygon(class: usize, ring: Vec<(f64, f64)>) -> Shape {
        Shape { class, area: Area::polygon(ring) }
    }

    fn square(left: f64, top: f64, edge: f64) -> Vec<(f64, f64)> {
        vec![(left, top), (left + edge, top), (left + edge, top + edge), (left, top + edge)]
    }

    fn rows(map: &LabelMap) -> Vec<String> {
        map.labels.chunks(map.width).map(|r| r.iter().map(|l| char::from(b'0' + l)).collect()).collect()
    }

    #[test]
    fn neighbours_share_no_pixel_and_leave_no_gap() {
        // Two triangles of a square along its diagonal, and the square's edges halfway between pixels.
        let (a, b) = (vec![(0.5, 0.5), (4.5, 0.5), (4.5, 4.5)], vec![(0.5, 0.5), (4.5, 4.5), (0.5, 4.5)]);
        let (one, _) = draw((6, 6), &[polygon(1, a.clone())]);
        let (other, _) = draw((6, 6), &[polygon(1, b.clone())]);
        let (both, _) = draw((6, 6), &[polygon(1, square(0.5, 0.5, 4.0))]);
        for ((a, b), both) in one.labels.iter().zip(&other.labels).zip(&both.labels) {
            assert_eq!(a + b, *both);
        }
        assert_eq!(both.labels.iter().filter(|l| **l == 1).count(), 16);
    }

    #[test]
    fn holes_overlaps_and_edges() {
        let ring = Shape { class: 1, area: Area::Rings(vec![square(0.0, 0.0, 5.0), square(1.0, 1.0, 3.0)]) };
        let over = polygon(2, square(3.0, 3.0, 9.0));
        let lost = polygon(1, square(-9.0, -9.0, 4.0));
        let (map, told) = draw((6, 5), &[ring, over, lost]);
        assert_eq!(rows(&map), ["111110", "100010", "100010", "100222", "111222"]);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("1 shape without") && told[1].starts_with("1 shape beyond"));
        assert!(told[2].starts_with("3 pixels"), "{told:?}");
    }

    #[test]
    fn circles_have_their_area() {
        let (map, _) =
            draw((100, 100), &[Shape { class: 1, area: Area::ellipse((10.0, 10.0), (80.0, 60.0)) }]);
        let area = map.labels.iter().filter(|l| **l == 1).count() as f64;
        assert!((area / (std::f64::consts::PI * 40.0 * 30.0) - 1.0).abs() < 0.005, "{area}");
    }

    /// Edges that cross every row of the image: kept as crossings, these would take 1.6 GB.
    #[test]
    fn many_high_edges_take_little_memory() {
        // Teeth of no whole number to a pixel, so that the centres of pixels meet all their parts alike.
        let corner = |i: usize| (i as f64 * 0.001_99, if i.is_multiple_of(2) { 0.0 } else { 40.0 });
        let mut comb: Vec<_> = (0..200_000).map(corner).collect();
        comb.extend([(400.0, 40.0), (400.0, 60.0), (0.0, 60.0)]);
        let (map, _) = draw((400, 60), &[polygon(1, comb)]);
        let row = |y: usize| map.labels[y * 400..(y + 1) * 400].iter().filter(|l| **l == 1).count();
        assert_eq!((row(45), row(59)), (400, 400));
        // Teeth narrow downwards from nothing to all: half of them at half of the height.
        assert!((row(20) as f64 - 200.0).abs() < 30.0, "{}", row(20));
    }

    #[test]
    fn strange_numbers_draw_nothing() {
        for bad in [f64::NAN, f64::INFINITY] {
            let (map, told) = draw((4, 4), &[polygon(1, vec![(0.0, 0.0), (bad, 2.0), (3.0, 3.0)])]);
            assert!(map.labels.iter().all(|l| *l == 0) && told[0].contains("left out"), "{told:?}");
        }
        let (map, _) = draw((4, 4), &[polygon(1, vec![(-1e300, -1e300), (1e300, -1e300), (0.0, 1e300)])]);
        assert!(map.labels.len() == 16);
    }
}
