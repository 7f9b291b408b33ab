//! Labelling, the full table of objects, and the sweep of all thresholds.

use super::Spread;
use crate::Result;
use serde::Serialize;
use sorby_image::write::{PngKind, png};
use sorby_image::{LabelMap, NewFolder};
use sorby_measure::{
    Connectivity, EdgeRule, ObjectRule, label_runs, measure, nearest_centroids_px, nearest_edges_px, sizes,
    sweep,
};
use sorby_random::Stream;
use sorby_report::{Cell, Table};
use std::path::Path;
use std::time::Instant;

/// Times of the parts of a measurement.
#[derive(Serialize)]
pub struct MeasureBench {
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

/// Writes the pictures that are measured into a new folder, for other programs to measure the same.
///
/// # Errors
/// When the folder holds anything, or cannot be written.
pub fn write_pictures((width, height): (usize, usize), folder: &Path) -> Result<()> {
    let (grey, mask) = picture(width, height);
    let new = NewFolder::begin(folder)?;
    png(&new.path().join("mask.png"), width, height, PngKind::Grey, &mask.labels)?;
    png(&new.path().join("grey.png"), width, height, PngKind::Grey, &grey)?;
    Ok(new.finish()?)
}

/// Times the parts of a measurement on a picture of this size.
pub fn bench_measure((width, height): (usize, usize), repeats: usize) -> MeasureBench {
    let (grey, mask) = picture(width, height);
    let mut particles = 0;
    let labelling = timed(repeats, || {
        std::hint::black_box(label_runs(width, height, Connectivity::Eight, &mask.labels, |l| l == 1));
    });
    let table = timed(repeats, || {
        let p = measure(&mask, 1, ObjectRule::default(), None);
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
    MeasureBench {
        work: "measure",
        image_px: (width, height),
        particles,
        threads: rayon::current_num_threads(),
        sweep_in_labellings: swept.median_s / labelling.median_s,
        labelling,
        table,
        sweep: swept,
    }
}

impl MeasureBench {
    /// The whole in words and a table.
    pub fn text(&self) -> String {
        let (width, height) = self.image_px;
        let mut shown = Table::new(["work", "median_ms", "min_ms", "max_ms"]);
        for (name, s) in
            [("labelling", &self.labelling), ("full table", &self.table), ("256 thresholds", &self.sweep)]
        {
            let ms = |seconds: f64| Cell::Number(1000.0 * seconds, 2);
            shown.row(vec![name.into(), ms(s.median_s), ms(s.min_s), ms(s.max_s)]);
        }
        format!(
            "{} particles in {width} x {height} pixels, {} threads\n{}the sweep takes {:.1} labellings\n",
            self.particles,
            self.threads,
            shown.to_text(),
            self.sweep_in_labellings
        )
    }
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
