//! `sorby bench measure`: labelling, the full table of objects, and the sweep of all thresholds.

use super::bench::Spread;
use crate::args::BenchArgs;
use serde::Serialize;
use sorby_image::LabelMap;
use sorby_image::NewFolder;
use sorby_image::write::{PngKind, png};
use sorby_measure::{
    Connectivity, EdgeRule, Filter, label_runs, measure, nearest_centroids_px, nearest_edges_px, sizes, sweep,
};
use sorby_random::Stream;
use sorby_report::{Cell, Table};
use std::process::ExitCode;
use std::time::Instant;

#[derive(Serialize)]
struct Outcome {
    work: &'static str,
    image_px: (usize, usize),
    particles: usize,
    threads: usize,
    /// Objects and areas alone.
    labelling: Spread,
    /// All that `sorby measure` knows of every object.
    table: Spread,
    /// Count and mean radius at all 256 thresholds.
    sweep: Spread,
    sweep_in_labellings: f64,
}

pub fn run(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    let (width, height) = args.size;
    let (grey, mask) = picture(width, height);
    if let Some(folder) = &args.write {
        // For other programs to measure the same.
        let new = NewFolder::begin(folder)?;
        png(&new.path().join("mask.png"), width, height, PngKind::Grey, &mask.labels)?;
        png(&new.path().join("grey.png"), width, height, PngKind::Grey, &grey)?;
        new.finish()?;
    }
    let repeats = usize::from(args.repeats);
    let mut particles = 0;
    let labelling = timed(repeats, || {
        std::hint::black_box(label_runs(width, height, Connectivity::Eight, &mask.labels, |l| l == 1));
    });
    let table = timed(repeats, || {
        let p = measure(&mask, 1, Filter::default(), None);
        particles = p.regions.len();
        std::hint::black_box((
            nearest_centroids_px(&p.regions),
            nearest_edges_px(&p.runs, p.regions.len()),
            sizes(&p, EdgeRule::default()),
        ));
    });
    let swept = timed(repeats, || {
        std::hint::black_box(sweep(&grey, width, height));
    });
    let outcome = Outcome {
        work: "measure",
        image_px: args.size,
        particles,
        threads: rayon::current_num_threads(),
        sweep_in_labellings: swept.median_s / labelling.median_s,
        labelling,
        table,
        sweep: swept,
    };
    if args.json {
        println!("{}", serde_json::to_string(&outcome)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} particles in {width} x {height} pixels, {} threads", outcome.particles, outcome.threads);
    let mut shown = Table::new(["work", "median_ms", "min_ms", "max_ms"]);
    for (name, s) in [
        ("labelling", &outcome.labelling),
        ("full table", &outcome.table),
        ("256 thresholds", &outcome.sweep),
    ] {
        let ms = |seconds: f64| Cell::Number(1000.0 * seconds, 2);
        shown.row(vec![name.into(), ms(s.median_s), ms(s.min_s), ms(s.max_s)]);
    }
    print!("{}", shown.to_text());
    println!("the sweep takes {:.1} labellings", outcome.sweep_in_labellings);
    Ok(ExitCode::SUCCESS)
}

fn timed(repeats: usize, mut work: impl FnMut()) -> Spread {
    work();
    let once = |_| {
        let started = Instant::now();
        work();
        started.elapsed().as_secs_f64()
    };
    Spread::of((0..repeats).map(once).collect())
}

/// Ellipses of many sizes and angles, one per cell of a grid (so 4015 of them in 2048 x 1536), with soft edges and
/// noise as a microscope gives them; and their exact mask.
fn picture(width: usize, height: usize) -> (Vec<u8>, LabelMap) {
    const CELL_PX: usize = 28;
    let mut random = Stream::new(0, &[]);
    let mut grey = vec![70.0f32; width * height];
    let mut labels = vec![0; width * height];
    for (row, column) in (0..height / CELL_PX).flat_map(|r| (0..width / CELL_PX).map(move |c| (r, c))) {
        let (a, angle) = (random.uniform(3.0, 12.0), random.uniform(0.0, std::f64::consts::PI));
        let b = a * random.uniform(0.6, 1.0);
        let middle = |i: usize, shift: f64| (i * CELL_PX) as f64 + CELL_PX as f64 / 2.0 + shift;
        let (cx, cy) = (middle(column, random.uniform(-1.5, 1.5)), middle(row, random.uniform(-1.5, 1.5)));
        for (x, y) in (0..CELL_PX).flat_map(|x| (0..CELL_PX).map(move |y| (x, y))) {
            let (x, y) = (column * CELL_PX + x, row * CELL_PX + y);
            let (dx, dy) = (x as f64 - cx, y as f64 - cy);
            let (u, v) = (dx * angle.cos() + dy * angle.sin(), dy * angle.cos() - dx * angle.sin());
            let r = (u / a).hypot(v / b);
            labels[y * width + x] = u8::from(r <= 1.0);
            grey[y * width + x] += (110.0 / (1.0 + ((r - 1.0) * b * 2.0).exp())) as f32;
        }
    }
    let noisy = |g: f32| (g + 12.0 * random.normal() as f32).round().clamp(0.0, 255.0) as u8;
    (grey.into_iter().map(noisy).collect(), LabelMap { width, height, labels })
}
