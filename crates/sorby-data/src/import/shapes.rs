//! Shapes to pixels.

use super::contacts::{Owners, part};
use super::fill::fill;
use sorby_image::LabelMap;

/// An area of one class, by index; 255 for what is to be ignored.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    pub class: usize,
    /// Number of the object that it is, or is a part of, within its image.
    pub object: usize,
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

impl Area {
    /// Says why an area cannot be placed in an image of this size.
    pub fn misplaced(&self, (width, height): (usize, usize)) -> Option<&'static str> {
        match self {
            Self::Rings(rings) => {
                let corners = || rings.iter().flatten().flat_map(|(x, y)| [*x, *y]);
                // One pixel at the origin has such corners too, but whole ones.
                let share =
                    corners().all(|v| (0.0..=1.0).contains(&v)) && corners().any(|v| v.fract() != 0.0);
                share.then_some(
                    "has corners between 0 and 1 only, which are no pixels but shares of width and height",
                )
            }
            Self::Columns { height: rows, runs } => {
                let pixels = (width * height) as u64;
                let beyond = runs.iter().any(|(first, length)| first + length > pixels);
                (*rows != height as u64 || beyond).then_some("has run lengths of another size than its image")
            }
            Self::Pixels { .. } => None,
        }
    }

    /// Calls `paint` with the index of each pixel; says whether the area goes beyond the image.
    fn each_pixel(&self, (width, height): (usize, usize), paint: &mut dyn FnMut(usize)) -> bool {
        match self {
            Self::Rings(rings) => {
                fill(rings, (width, height), paint);
                let past = |(x, y): &(f64, f64)| {
                    !(-0.5..=width as f64 + 0.5).contains(x) || !(-0.5..=height as f64 + 0.5).contains(y)
                };
                rings.iter().flatten().any(past)
            }
            Self::Columns { height: rows, runs } => {
                if self.misplaced((width, height)).is_some() {
                    return true;
                }
                let within = runs.iter().flat_map(|&(first, length)| first..first + length);
                within.for_each(|at| paint((at % rows) as usize * width + (at / rows) as usize));
                false
            }
            Self::Pixels { left, top, width: columns, inside } => {
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
        }
    }
}

/// Draws shapes in their order over class 0, parts objects of one class that touch, and reports what did not go as one may
/// expect.
pub(super) fn draw(size: (usize, usize), shapes: &[Shape]) -> (LabelMap, Vec<String>) {
    let mut map = LabelMap::filled(size.0, size.1, 0);
    let mut owners = Owners::of(map.labels.len());
    let (mut outside, mut beyond, mut covered) = (0, 0, 0u64);
    for shape in shapes {
        let (mut drawn, mut over, class) = (0u64, 0u64, shape.class as u8);
        let leaves = shape.area.each_pixel(size, &mut |at| {
            drawn += 1;
            over += u64::from(map.labels[at] != 0 && map.labels[at] != class);
            map.labels[at] = class;
            owners.give(at, shape.object, class);
        });
        outside += usize::from(drawn == 0);
        beyond += usize::from(drawn > 0 && leaves);
        covered += over;
    }
    let (owners, joined) = owners.join();
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
    if joined > 0 {
        let shapes = plural(joined);
        told.push(format!(
            "{joined} {shapes} half or more in another of the class: taken for one object with it"
        ));
    }
    told.extend(part(&mut map, &owners));
    (map, told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polygon(class: usize, ring: Vec<(f64, f64)>) -> Shape {
        Shape { class, object: 0, area: Area::polygon(ring) }
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
        let ring = Shape {
            class: 1,
            object: 0,
            area: Area::Rings(vec![square(0.0, 0.0, 5.0), square(1.0, 1.0, 3.0)]),
        };
        let over = polygon(2, square(3.0, 3.0, 9.0));
        let lost = polygon(1, square(-9.0, -9.0, 4.0));
        let (map, told) = draw((6, 5), &[ring, over, lost]);
        assert_eq!(rows(&map), ["111110", "100010", "100010", "100222", "111222"]);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].starts_with("1 shape without") && told[1].starts_with("1 shape beyond"));
        assert!(told[2].starts_with("3 pixels"), "{told:?}");
    }

    #[test]
    fn objects_that_touch_are_parted() {
        let of = |object: usize, class: usize, left: f64| Shape {
            class,
            object,
            area: Area::rectangle((left, 1.0), (3.0, 2.0)),
        };
        let drawn = |shapes: &[Shape]| {
            let (map, told) = draw((10, 4), shapes);
            assert_eq!(map.labels[..10], [0; 10]);
            let sign = |l: &u8| if *l == 255 { '#' } else { char::from(b'0' + l) };
            (map.labels[10..20].iter().map(sign).collect::<String>(), told.join("; "))
        };
        let line =
            "objects touch in 1 place (2 objects): a line of 2 pixels between them is not counted (255)";
        assert_eq!(drawn(&[of(0, 1, 0.0), of(1, 1, 3.0)]), ("111#110000".into(), line.into()));
        // Parts of one object; two classes; a pixel between them.
        assert_eq!(drawn(&[of(0, 1, 0.0), of(0, 1, 3.0)]), ("1111110000".into(), String::new()));
        assert_eq!(drawn(&[of(0, 1, 0.0), of(1, 2, 3.0)]), ("1112220000".into(), String::new()));
        assert_eq!(drawn(&[of(0, 1, 0.0), of(1, 1, 4.0)]), ("1110111000".into(), String::new()));
        // A third of each is the other's: two objects. Two thirds: one.
        let (row, told) = drawn(&[of(0, 1, 0.0), of(1, 1, 2.0)]);
        assert_eq!((row.as_str(), told.as_str()), ("11#1100000", line));
        let (row, told) = drawn(&[of(0, 1, 0.0), of(1, 1, 1.0)]);
        assert_eq!(row, "1111000000");
        assert!(told.starts_with("1 shape half or more in another"), "{told}");
        // What is not known is no object.
        assert_eq!(drawn(&[of(0, 1, 0.0), of(1, 255, 3.0)]), ("111###0000".into(), String::new()));
        assert_eq!(drawn(&[of(0, 255, 0.0), of(1, 255, 3.0)]), ("######0000".into(), String::new()));
    }

    #[test]
    fn areas_that_cannot_be_placed() {
        let share = Area::polygon(vec![(0.2, 0.2), (0.4, 0.2), (0.4, 0.9)]);
        assert!(share.misplaced((9, 9)).unwrap().contains("between 0 and 1"));
        assert_eq!(Area::polygon(square(0.0, 0.0, 1.0)).misplaced((9, 9)), None, "the pixel at the origin");
        assert_eq!(Area::polygon(square(0.5, 0.5, 1.0)).misplaced((9, 9)), None);
        let runs = |height| Area::Columns { height, runs: vec![(2, 10)] };
        assert_eq!(runs(3).misplaced((4, 3)), None);
        assert!(runs(4).misplaced((4, 3)).is_some() && runs(3).misplaced((3, 3)).is_some());
    }

    #[test]
    fn circles_have_their_area() {
        let (map, _) = draw(
            (100, 100),
            &[Shape { class: 1, object: 0, area: Area::ellipse((10.0, 10.0), (80.0, 60.0)) }],
        );
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
