//! What a study takes and what it can find; and folds, seeds and iterations that fit into a time.

use super::contents::pool;
use crate::budget::Costs;
use crate::error::{Context as _, refuse};
use crate::words::duration;
use crate::{Observer, Result};
use sorby_data::Dataset;
use sorby_infer::Device;
use sorby_study::{Design, Noise, Protocol, StudySpec, best_design, most_folds};
use std::path::Path;

/// Scatter of gains in points of mIoU, from the sound study in `results/` (uhcs-spheroidite): a guide until the
/// study at hand has runs of its own.
const USUAL_NOISE: Noise = Noise { images: 4.5, trainings: 2.1 };

/// Power that `smallest gain` speaks of.
const POWER: f64 = 0.8;

/// Measures how long a study would take here; gives what it takes and what it could find, a line for each.
///
/// # Errors
/// When spec or data cannot be used, or no study fits into `budget_s`.
pub fn plan(spec: StudySpec, data: &Path, budget_s: Option<f64>, device: &Device) -> Result<Vec<String>> {
    let times = Times::measure(&spec, data, device)?;
    let mut lines = Vec::new();
    let spec = match budget_s {
        Some(budget_s) => times.fit(spec, budget_s, &mut |line| lines.push(line))?.0,
        None => spec,
    };
    lines.extend(times.lines(&spec)?);
    Ok(lines)
}

/// Where a study keeps what `--budget` decided.
const PLANNED: &str = "budget.json";

/// `spec` with the folds, seeds and iterations that were planned for this study, or fit `budget_s` now; then also
/// what is to be [kept](keep), once the study is laid out.
pub fn within(
    spec: StudySpec,
    data: &Path,
    budget_s: Option<f64>,
    device: &Device,
    root: &Path,
    observer: &dyn Observer,
) -> Result<(StudySpec, Option<Design>)> {
    let path = root.join(PLANNED);
    if path.is_file() {
        let design: Design = serde_json::from_slice(&fs_err::read(&path)?)
            .with_context(|| format!("{} is damaged; remove it to plan anew", path.display()))?;
        let (folds, seeds, iterations) = (design.folds, design.seeds, design.iterations);
        observer.say(format!(
            "as planned: {folds} folds, {seeds} seeds, {iterations} iterations (remove {} to plan anew)",
            path.display()
        ));
        return Ok((designed(spec, design), None));
    }
    let Some(budget_s) = budget_s else { return Ok((spec, None)) };
    if root.join("runs").is_dir() {
        refuse!(
            "{}: has trainings that were not planned by --budget, which may want others; leave --budget out, or give \
             another --out",
            root.display()
        );
    }
    let times = Times::measure(&spec, data, device)?;
    let (spec, design) = times.fit(spec, budget_s, &mut |line| observer.say(line))?;
    times.lines(&spec)?.into_iter().for_each(|line| observer.say(line));
    Ok((spec, Some(design)))
}

/// Writes down what was planned.
pub fn keep(root: &Path, design: &Design) -> Result<()> {
    Ok(sorby_image::write::atomically(&root.join(PLANNED), serde_json::to_string_pretty(design)?.as_bytes())?)
}

fn designed(mut spec: StudySpec, design: Design) -> StudySpec {
    (spec.folds, spec.seeds) = (design.folds, design.seeds);
    let schedule = spec.recipe.entry("schedule").or_insert_with(|| toml::Table::new().into());
    if let Some(schedule) = schedule.as_table_mut() {
        schedule.insert("iterations".into(), (design.iterations as i64).into());
    }
    spec
}

/// Measured times and what they are of.
struct Times {
    /// Means over architectures.
    costs: Costs,
    images: usize,
    most_folds: usize,
    iterations: u64,
    validations: u64,
}

impl Times {
    fn measure(spec: &StudySpec, data: &Path, device: &Device) -> Result<Self> {
        let dataset = Dataset::open(data)?;
        let names = pool(spec, &dataset)?;
        let items: Vec<_> = dataset.items.iter().filter(|i| names.contains(&i.name)).collect();
        let samples = dataset.load(&items)?;
        let classes = dataset.manifest.classes.len();
        let (_, base) = spec.recipe_with(&[])?;
        let mut costs = Costs { step_s: 0.0, image_s: 0.0 };
        for arch in &spec.archs {
            let recipe = sorby_train::Recipe { arch: *arch, ..base.clone() };
            let of_arch = Costs::measure(&recipe, &samples, classes, device)?;
            costs.step_s += of_arch.step_s / spec.archs.len() as f64;
            costs.image_s += of_arch.image_s / spec.archs.len() as f64;
        }
        Ok(Self {
            costs,
            images: names.len(),
            most_folds: most_folds(&names, &dataset.manifest.specimens),
            iterations: base.schedule.iterations,
            validations: base.schedule.validations(),
        })
    }

    /// Seconds of one training.
    fn training_s(&self, folds: usize, iterations: u64) -> f64 {
        let scored = self.images as f64 / folds as f64;
        self.costs.training_s(iterations, self.validations, scored)
    }

    fn fit(
        &self,
        spec: StudySpec,
        budget_s: f64,
        say: &mut dyn FnMut(String),
    ) -> Result<(StudySpec, Design)> {
        if spec.protocol == Protocol::Paper {
            refuse!(
                "--budget plans folds and seeds, which the paper's protocol has not; set schedule.iterations instead"
            );
        }
        if self.most_folds < 2 {
            refuse!("the training images are of one specimen; folds need two at least");
        }
        let size = (spec.archs.len(), spec.tricks.len());
        let seconds = |folds, iterations| self.training_s(folds, iterations);
        let Some(design) = best_design(
            budget_s,
            size,
            (self.images, self.most_folds),
            self.iterations,
            USUAL_NOISE,
            seconds,
        ) else {
            let least = Design { folds: 2, seeds: 2, iterations: self.iterations / 4 };
            let needed = least.trainings(size.0, size.1) as f64 * seconds(2, least.iterations);
            refuse!(
                "{} do not hold the smallest study (2 folds, 2 seeds, a quarter of the iterations): that takes {}; \
                 take fewer tricks or one architecture",
                duration(budget_s),
                duration(needed)
            );
        };
        if design.iterations != self.iterations {
            say(format!("iterations cut from {} to {} to fit", self.iterations, design.iterations));
        }
        Ok((designed(spec, design), design))
    }

    fn lines(&self, spec: &StudySpec) -> Result<Vec<String>> {
        let iterations = spec.recipe_with(&[])?.1.schedule.iterations;
        let mut lines = vec![format!(
            "{:.2} s per step, {:.1} s to segment an image",
            self.costs.step_s, self.costs.image_s
        )];
        if spec.protocol == Protocol::Paper {
            let trainings = spec.trainings_at_most();
            let seconds = trainings as f64 * self.training_s(1, iterations);
            lines.push(format!(
                "paper's protocol: at most {trainings} trainings of {iterations} iterations, about {}; one seed, so \
                 nothing is known of what repeating would give",
                duration(seconds)
            ));
            return Ok(lines);
        }
        if spec.folds > self.most_folds {
            refuse!(
                "{} folds need as many specimens, and the training images are of {}",
                spec.folds,
                self.most_folds
            );
        }
        let design = Design { folds: spec.folds, seeds: spec.seeds, iterations };
        let trainings = design.trainings(spec.archs.len(), spec.tricks.len());
        let seconds = trainings as f64 * self.training_s(spec.folds, iterations);
        lines.push(format!(
            "{} folds, {} seeds, {iterations} iterations: at most {trainings} trainings, {}",
            spec.folds,
            spec.seeds,
            duration(seconds)
        ));
        lines.push(format!(
            "finds a gain of {:.1} points of mIoU in {:.0} % of studies, if gains scatter by {} points between images \
             and {} between trainings",
            design.smallest_gain(USUAL_NOISE, self.images, spec.tests(), POWER),
            100.0 * POWER,
            USUAL_NOISE.images,
            USUAL_NOISE.trainings
        ));
        Ok(lines)
    }
}
