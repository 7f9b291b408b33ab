//! `sorby study plan`, and `--budget`: what a study takes and what it can find.

use super::folder::pool;
use crate::args::StudyPlanArgs;
use crate::console::duration;
use anyhow::bail;
use sorby_infer::Device;
use sorby_study::{Design, Noise, Protocol, StudySpec, best_design};
use std::path::Path;
use std::process::ExitCode;

/// Scatter of gains in points of mIoU, from the sound study in `results/` (uhcs-spheroidite): a guide until the
/// study at hand has runs of its own.
const USUAL_NOISE: Noise = Noise { images: 2.0, trainings: 1.5 };

/// Steps timed for each architecture, after one that is not.
const TIMED_STEPS: u64 = 4;

/// Power that `smallest gain` speaks of.
const POWER: f64 = 0.8;

pub fn run(args: StudyPlanArgs) -> anyhow::Result<ExitCode> {
    let device = super::super::inputs::device(&args.device)?;
    let spec = super::read_spec(&args.spec)?;
    let costs = Costs::measure(&spec, &args.data, &device)?;
    let spec = match args.budget {
        Some(budget) => costs.fit(spec, budget)?,
        None => spec,
    };
    costs.tell(&spec)?;
    Ok(ExitCode::SUCCESS)
}

/// `spec` with folds, seeds and iterations that fit `budget_s`. A study that is laid out keeps what it has.
pub fn within(
    spec: StudySpec,
    data: &Path,
    budget_s: f64,
    device: &Device,
    root: &Path,
) -> anyhow::Result<StudySpec> {
    if root.join("study.toml").is_file() {
        let kept = super::read_spec(&root.join("study.toml"))?;
        println!("{}: planned before; --budget is passed over", root.display());
        return Ok(kept);
    }
    let costs = Costs::measure(&spec, data, device)?;
    let spec = costs.fit(spec, budget_s)?;
    costs.tell(&spec)?;
    Ok(spec)
}

/// Measured times.
struct Costs {
    /// Mean seconds of a step, over architectures.
    step_s: f64,
    /// Seconds to segment one image.
    image_s: f64,
    images: usize,
    iterations: u64,
    validations: u64,
}

impl Costs {
    fn measure(spec: &StudySpec, data: &Path, device: &Device) -> anyhow::Result<Self> {
        let dataset = super::super::inputs::open(data)?;
        let names = pool(spec, &dataset)?;
        let items: Vec<_> = dataset.items.iter().filter(|i| names.contains(&i.name)).collect();
        let samples = dataset.load(&items)?;
        let classes = dataset.manifest.classes.len();
        let (_, base) = spec.recipe_with(&[])?;
        let (mut step_s, mut image_s) = (0.0, 0.0);
        for arch in &spec.archs {
            let recipe = sorby_train::Recipe { arch: *arch, ..base.clone() };
            let mut total = 0.0;
            let steps = TIMED_STEPS + 1;
            sorby_train::bench_training(&recipe, &samples, classes, device, steps, &mut |t, cost| {
                total += if t > 0 { cost.total_s() } else { 0.0 };
            })?;
            step_s += total / TIMED_STEPS as f64 / spec.archs.len() as f64;
            let window = (recipe.inference.window, recipe.inference.stride);
            let network = recipe.model_spec(classes);
            let image = &samples[0].image;
            let times = sorby_infer::bench_image(network, image, window, 1, device, &mut || ());
            image_s += times.iter().sum::<f64>() / times.len() as f64 / spec.archs.len() as f64;
        }
        Ok(Self {
            step_s,
            image_s,
            images: names.len(),
            iterations: base.schedule.iterations,
            validations: base.schedule.iterations / base.schedule.validation_interval(),
        })
    }

    /// Seconds of one training.
    fn training_s(&self, folds: usize, iterations: u64) -> f64 {
        let scored = self.images as f64 / folds as f64 * self.validations.max(1) as f64;
        // Starting a process and reading the data.
        const START_S: f64 = 2.0;
        START_S + iterations as f64 * self.step_s + scored * self.image_s
    }

    fn fit(&self, mut spec: StudySpec, budget_s: f64) -> anyhow::Result<StudySpec> {
        if spec.protocol == Protocol::Paper {
            bail!(
                "--budget plans folds and seeds, which the paper's protocol has not; set schedule.iterations instead"
            );
        }
        let size = (spec.archs.len(), spec.tricks.len());
        let seconds = |folds, iterations| self.training_s(folds, iterations);
        let Some(design) = best_design(budget_s, size, self.images, self.iterations, USUAL_NOISE, seconds)
        else {
            let least = Design { folds: 2, seeds: 2, iterations: self.iterations / 4 };
            let needed = least.trainings(size.0, size.1) as f64 * seconds(2, least.iterations);
            bail!(
                "{} do not hold the smallest study (2 folds, 2 seeds, a quarter of the iterations): that takes {}; \
                 take fewer tricks or one architecture",
                duration(budget_s),
                duration(needed)
            );
        };
        (spec.folds, spec.seeds) = (design.folds, design.seeds);
        if design.iterations != self.iterations {
            println!("iterations cut from {} to {} to fit", self.iterations, design.iterations);
            let schedule = spec.recipe.entry("schedule").or_insert_with(|| toml::Table::new().into());
            if let Some(schedule) = schedule.as_table_mut() {
                schedule.insert("iterations".into(), (design.iterations as i64).into());
            }
        }
        Ok(spec)
    }

    fn tell(&self, spec: &StudySpec) -> anyhow::Result<()> {
        let iterations = spec.recipe_with(&[])?.1.schedule.iterations;
        println!("{:.2} s per step, {:.1} s to segment an image", self.step_s, self.image_s);
        if spec.protocol == Protocol::Paper {
            let trainings = spec.archs.len() * (2 * spec.tricks.len());
            let seconds = trainings as f64 * self.training_s(1, iterations);
            println!(
                "paper's protocol: at most {trainings} trainings of {iterations} iterations, about {}; one seed, so \
                 nothing is known of what repeating would give",
                duration(seconds)
            );
            return Ok(());
        }
        let design = Design { folds: spec.folds, seeds: spec.seeds, iterations };
        let trainings = design.trainings(spec.archs.len(), spec.tricks.len());
        let seconds = trainings as f64 * self.training_s(spec.folds, iterations);
        println!(
            "{} folds, {} seeds, {iterations} iterations: at most {trainings} trainings, {}",
            spec.folds,
            spec.seeds,
            duration(seconds)
        );
        println!(
            "finds a gain of {:.1} points of mIoU in {:.0} % of studies, if gains scatter by {} points between images \
             and {} between trainings",
            design.smallest_gain(USUAL_NOISE, self.images, spec.tricks.len(), POWER),
            100.0 * POWER,
            USUAL_NOISE.images,
            USUAL_NOISE.trainings
        );
        Ok(())
    }
}
