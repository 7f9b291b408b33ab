//! Do 95 % intervals hold the truth 95 times in 100? Specimens of known truth, measured through a segmentation that
//! errs and a pixel size that is off. Slow checks, with their table, for docs/validation.md:
//! `cargo test --release -p sorby-measure --test validation -- --ignored --nocapture`

use sorby_image::LabelMap;
use sorby_measure::{
    Calibration, EdgeRule, Field, IntervalInputs, ObjectRule, Pair, Particles, Quantity, estimate, measure,
};
use sorby_random::Stream;
use std::f64::consts::PI;

const CELL_PX: f64 = 28.0;
const NM_PER_PX: f64 = 10.0;
/// 95 % half width of the pixel size.
const SCALE_ACCURACY_PERCENT: f64 = 2.0;

/// A kind of structure: discs of lognormal radius in some cells of a lattice.
#[derive(Clone, Copy)]
struct Specimen {
    /// Chance that a cell holds a disc.
    filled: f64,
    median_radius_px: f64,
    log_sd: f64,
    /// How much the chance differs from place to place, over some five cells.
    patchy: f64,
}

/// What the segmentation does to one image.
#[derive(Clone, Copy)]
struct Errors {
    swelling_px: f64,
    missed: f64,
    invented: f64,
}

impl Errors {
    const NONE: Self = Self { swelling_px: 0.0, missed: 0.0, invented: 0.0 };

    fn draw(random: &mut Stream) -> Self {
        Self {
            swelling_px: 0.4 + 0.25 * random.normal(),
            missed: (0.1 + 0.04 * random.normal()).clamp(0.0, 1.0),
            invented: (0.03 + 0.012 * random.normal()).clamp(0.0, 1.0),
        }
    }
}

/// Radii are cut off here, so that discs stay apart.
const RADII_PX: (f64, f64) = (3.0, 11.5);

impl Specimen {
    fn radius(&self, random: &mut Stream) -> f64 {
        loop {
            let r = self.median_radius_px * (self.log_sd * random.normal()).exp();
            if (RADII_PX.0..RADII_PX.1).contains(&r) {
                return r;
            }
        }
    }

    /// True values in pixels: number, mean diameter, area fraction, by their definition over the lattice.
    fn truth(&self) -> [(Quantity, f64); 4] {
        let mut random = Stream::new(99, &[]);
        let radii: Vec<f64> = (0..200_000).map(|_| self.radius(&mut random)).collect();
        let mean = |f: &dyn Fn(f64) -> f64| radii.iter().map(|r| f(*r)).sum::<f64>() / radii.len() as f64;
        let number = self.filled / (CELL_PX * CELL_PX);
        let mut sorted = radii.clone();
        sorted.sort_by(f64::total_cmp);
        [
            (Quantity::AreaFraction, 100.0 * number * mean(&|r| PI * r * r)),
            (Quantity::NumberDensity, number),
            (Quantity::MeanDiameter, mean(&|r| 2.0 * r)),
            (Quantity::D50, 2.0 * sorted[sorted.len() / 2]),
        ]
    }

    /// The true mask of one field, and the one that a segmentation with these errors gives.
    fn field(&self, side: usize, errors: Errors, random: &mut Stream) -> (LabelMap, LabelMap) {
        let mut masks = [vec![0u8; side * side], vec![0u8; side * side]];
        let origin = [random.uniform(-CELL_PX, 0.0), random.uniform(-CELL_PX, 0.0)];
        let cells = (side as f64 / CELL_PX).ceil() as usize + 2;
        let waves: Vec<[f64; 3]> = (0..3)
            .map(|_| [0, 0, 0].map(|_: i32| random.uniform(-1.0, 1.0)))
            .map(|[a, b, c]| [a * 1.3, b * 1.3, c * PI])
            .collect();
        for (row, column) in (0..cells).flat_map(|r| (0..cells).map(move |c| (r, c))) {
            let wave = waves.iter().map(|w| (w[0] * row as f64 + w[1] * column as f64 + w[2]).sin());
            let chance = self.filled * (1.0 + self.patchy * wave.sum::<f64>() / 3.0);
            let r = self.radius(random);
            let room = CELL_PX / 2.0 - r - 2.0;
            let mut middle =
                |i: usize, o: f64| o + (i as f64 + 0.5) * CELL_PX + random.uniform(-1.0, 1.0) * room.max(0.0);
            let (y, x) = (middle(row, origin[0]), middle(column, origin[1]));
            let real = random.chance(chance);
            // Small ones are missed, and what is invented is small.
            let missed = random.chance(errors.missed) && r < 5.0;
            let invented = random.chance(errors.invented);
            if real {
                disc(&mut masks[0], side, (y, x), r);
            }
            if real && !missed {
                disc(&mut masks[1], side, (y, x), r + errors.swelling_px);
            } else if !real && invented {
                disc(&mut masks[1], side, (y, x), 3.5);
            }
        }
        let [truth, seen] = masks.map(|labels| LabelMap { width: side, height: side, labels });
        (truth, seen)
    }
}

fn disc(labels: &mut [u8], side: usize, (cy, cx): (f64, f64), r: f64) {
    let range =
        |c: f64| (c - r).ceil().max(0.0) as usize..=(c + r).floor().clamp(-1.0, side as f64 - 1.0) as usize;
    if cy + r < 0.0 || cx + r < 0.0 {
        return;
    }
    for (y, x) in range(cy).flat_map(|y| range(cx).map(move |x| (y, x))) {
        if (y as f64 - cy).hypot(x as f64 - cx) <= r {
            labels[y * side + x] = 1;
        }
    }
}

fn seen(mask: &LabelMap) -> (Field, Particles) {
    let p = measure(mask, 1, ObjectRule::default(), Some(NM_PER_PX));
    (Field::of(mask, 1, &p, EdgeRule::MilesLantuejoul), p)
}

struct Case {
    name: &'static str,
    specimen: Specimen,
    fields: usize,
    side: usize,
    labelled: usize,
    specimens: u64,
}

/// Share of specimens whose interval holds the truth, for each quantity: with the segmentation's errors learnt, and
/// as if there were none to learn.
fn coverage(case: &Case) -> Vec<(Quantity, f64, f64, f64)> {
    let truth = case.specimen.truth();
    let mut hits = vec![(0u32, 0u32, 0.0); truth.len()];
    for number in 0..case.specimens {
        let mut random = Stream::numbered(7, case.name, &[number]);
        let real_nm = NM_PER_PX * (1.0 + SCALE_ACCURACY_PERCENT / 196.0 * random.normal());
        let labelled: Vec<_> = (0..case.labelled)
            .map(|_| {
                let errors = Errors::draw(&mut random);
                let (truth, measured) = case.specimen.field(case.side, errors, &mut random);
                (seen(&measured), seen(&truth))
            })
            .collect();
        let pairs: Vec<Pair> =
            labelled.iter().map(|(m, t)| Pair { measured: (&m.0, &m.1), truth: (&t.0, &t.1) }).collect();
        let calibration = Calibration::learn("disc", String::new(), Vec::new(), &pairs);
        let fields: Vec<Field> = (0..case.fields)
            .map(|_| {
                let errors = if case.labelled > 0 { Errors::draw(&mut random) } else { Errors::NONE };
                seen(&case.specimen.field(case.side, errors, &mut random).1).0
            })
            .collect();
        let fields: Vec<&Field> = fields.iter().collect();
        let known = IntervalInputs {
            calibration: calibration.as_ref(),
            scale_accuracy_percent: SCALE_ACCURACY_PERCENT,
            plan_percent: None,
        };
        for ((quantity, px), hit) in truth.iter().zip(&mut hits) {
            let unit = if *quantity == Quantity::NumberDensity { real_nm / 1000.0 } else { real_nm };
            let real = px * unit.powi(quantity.length_power());
            let holds = |known| {
                let e = estimate(*quantity, &fields, known).expect("objects in every specimen");
                let half = e.ci95.expect("an interval");
                ((e.value - real).abs() <= half, 100.0 * half / real)
            };
            let (inside, half) = holds(known);
            hit.0 += u32::from(inside);
            hit.1 += u32::from(holds(IntervalInputs { calibration: None, ..known }).0);
            hit.2 += half;
        }
    }
    let share = |n: u32| 100.0 * f64::from(n) / case.specimens as f64;
    let row = |(t, h): (&(Quantity, f64), &(u32, u32, f64))| {
        (t.0, share(h.0), share(h.1), h.2 / case.specimens as f64)
    };
    truth.iter().zip(&hits).map(row).collect()
}

const EVEN: Specimen = Specimen { filled: 0.6, median_radius_px: 6.0, log_sd: 0.3, patchy: 0.0 };
const PATCHY: Specimen = Specimen { filled: 0.5, patchy: 0.9, ..EVEN };

#[test]
#[ignore = "slow: two minutes; see the top of the file"]
fn intervals_hold_the_truth() {
    let case = |name, specimen, fields, side, labelled| Case {
        name,
        specimen,
        fields,
        side,
        labelled,
        specimens: 1000,
    };
    let cases = [
        case("6 fields, even", EVEN, 6, 256, 12),
        case("6 fields, patchy", PATCHY, 6, 256, 12),
        case("20 fields, patchy", PATCHY, 20, 256, 12),
        case("1 field, even, masks exact", EVEN, 1, 512, 0),
        case("1 field, patchy, masks exact", PATCHY, 1, 512, 0),
        case("1 field, even", EVEN, 1, 512, 8),
    ];
    println!("| specimens | quantity | coverage % | ignoring segmentation % | mean half width % |");
    println!("|---|---|---|---|---|");
    let mut bad = Vec::new();
    for case in &cases {
        for (quantity, share, without, half) in coverage(case) {
            let (name, quantity) = (case.name, quantity.name(true));
            println!("| {name} | {quantity} | {share:.1} | {without:.1} | {half:.1} |");
            // One field of objects that keep apart is known a little better than its parts tell.
            let most = if case.fields == 1 { 98.0 } else { 97.0 };
            if !(93.0..=most).contains(&share) {
                bad.push(format!("{name}, {quantity}: {share:.1}"));
            }
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}

/// The same on few specimens: quick, and wide enough not to fail by chance.
#[test]
fn intervals_of_few_specimens_are_about_right() {
    let case = Case { name: "quick", specimen: EVEN, fields: 6, side: 256, labelled: 8, specimens: 60 };
    for (quantity, share, without, _) in coverage(&case) {
        assert!(share >= 85.0, "{}: {share}", quantity.name(true));
        if quantity == Quantity::MeanDiameter {
            assert!(without < 75.0, "swollen masks must show: {without}");
        }
    }
}
