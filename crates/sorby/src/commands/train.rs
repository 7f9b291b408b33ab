//! `sorby train`.

use super::costs::{self, Costs};
use super::{inputs, interrupts};
use crate::args::TrainArgs;
use crate::console::{Pace, Progress, duration};
use anyhow::Context as _;
use serde_json::json;
use sorby_data::Dataset;
use sorby_infer::Device;
use sorby_train::{Event, Metric, PRESETS, Recipe, RunFolder, Trainer, nothing_found_by_run, parse, preset};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// What `--resume` needs to know of the first start.
const DATA_FILE: &str = "data_path.txt";

pub fn run(args: TrainArgs) -> anyhow::Result<ExitCode> {
    let device = inputs::device(&args.device)?;
    interrupts::listen();
    if args.stop_with_parent {
        stop_with_parent();
    }
    let (new, run, data) = match &args.resume {
        Some(root) => {
            let run = RunFolder::open(root)?;
            let data = match &args.data {
                Some(data) => data.clone(),
                None => path_noted(fs_err::read(run.path(DATA_FILE))?),
            };
            (None, run, data)
        }
        None => {
            let (recipe, run, data) = start(&args, &device)?;
            (Some(recipe), run, data)
        }
    };
    let dataset = inputs::open(&data)?;
    let trainer = match new {
        Some(recipe) => Trainer::new(recipe, &dataset, &run, device)?,
        None => Trainer::resume(&dataset, &run, device, args.iterations)?,
    };
    let recipe = trainer.recipe().clone();
    let mut console = Console::new(&recipe, &run, dataset.manifest.class_names());
    BEGUN.store(true, Ordering::SeqCst);
    let root = run.root().display();
    // The CPU is what `--resume` takes unless told.
    let on =
        if args.device.device == "cpu" { String::new() } else { format!(" --device {}", args.device.device) };
    let go_on = format!("sorby train --resume {root}{on}");
    let begun = std::cell::Cell::new(false);
    let mut show = |event: Event| {
        begun.set(true);
        console.show(event);
    };
    let outcome = trainer.run(&mut show, &interrupts::asked).inspect_err(|_| {
        // What is refused from the start is not helped by the same command.
        if begun.get() && run.has_checkpoint() {
            eprintln!("what was learnt is kept; go on with: {go_on}");
        }
    })?;
    console.finish();

    if outcome.stopped {
        println!("stopped after iteration {}; go on with:\n  {go_on}", outcome.iterations);
        return Ok(interrupts::exit_code());
    }
    for line in nothing_found_by_run(run.root(), &dataset.manifest.class_names()) {
        println!("{line}");
    }
    println!("trained {} iterations; model: {root}/model.safetensors", outcome.iterations);
    if let Some(miou) = outcome.last.as_ref().and_then(|s| s.mean_iou) {
        println!("validation mIoU of the last iteration: {:.2} %", 100.0 * miou);
    }
    if let Some((iteration, miou)) = outcome.best {
        println!("best: {:.2} % at iteration {iteration} ({root}/best.safetensors)", 100.0 * miou);
    }
    println!("next:\n  sorby evaluate {root} --data {} --split {}", data.display(), recipe.data.val);
    println!("  sorby segment {root} YOUR_IMAGES --out masks");
    println!("  sorby report {root} --data {}", data.display());
    Ok(ExitCode::SUCCESS)
}

/// Whether there is anything to lose by ending at once.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// Stops this process when the one that started it is gone: its end of our standard input closes then.
fn stop_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        if !BEGUN.load(Ordering::SeqCst) {
            std::process::exit(75);
        }
        interrupts::ask();
        // Soon, come what may: the study may have been started again, and waits for this run.
        std::thread::sleep(std::time::Duration::from_secs(25));
        std::process::exit(75);
    });
}

/// Makes the run folder of a new run.
fn start(args: &TrainArgs, device: &Device) -> anyhow::Result<(Recipe, RunFolder, PathBuf)> {
    let path = args.recipe.as_deref().context("a recipe file is needed")?;
    let data = args.data.clone().context("--data is needed")?;
    let source = match path.to_str().and_then(preset) {
        Some(text) if !path.is_file() => text.to_owned(),
        _ => fs_err::read_to_string(path)
            .with_context(|| format!("built-in recipes are {}", PRESETS.map(|(name, _)| name).join(", ")))?,
    };
    let mut recipe = parse(&source, &args.overrides).with_context(|| path.display().to_string())?;
    // Kept whole in the run folder, so that it can be resumed from anywhere.
    if let Some(weights) = &recipe.pretrained {
        recipe.pretrained = Some(std::path::absolute(weights)?);
    }
    // Opened before the folder is made: a mistake in the data should leave nothing behind.
    let dataset = inputs::open(&data)?;
    for split in recipe.data.train.iter().chain((!recipe.data.val.is_empty()).then_some(&recipe.data.val)) {
        dataset.require_scales(&dataset.split(split)?)?;
    }
    // A study has looked at its data before it starts trainings.
    if !args.looked {
        inputs::warn_of(&dataset);
    }
    if let Some(time_s) = args.time {
        fit(&mut recipe, time_s, &dataset, device)?;
    }
    let root = args.out.clone().unwrap_or_else(|| free_name(&Path::new("runs").join(inputs::stem(path))));
    let run = RunFolder::create(&root)?;
    run.write("source.toml", source.as_bytes())?;
    run.write(DATA_FILE, &noted_path(&std::path::absolute(&data)?))?;
    run.write_json("environment.json", &environment(args))?;
    run.write("recipe.toml", recipe.to_toml().as_bytes())?;
    Ok((recipe, run, data))
}

/// A path as a file holds it, also one that is no UTF-8.
fn noted_path(path: &Path) -> Vec<u8> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        path.as_os_str().as_bytes().to_vec()
    }
    #[cfg(not(unix))]
    path.to_string_lossy().into_owned().into_bytes()
}

fn path_noted(bytes: Vec<u8>) -> PathBuf {
    let end = bytes.iter().rposition(|b| !b.is_ascii_whitespace()).map_or(0, |last| last + 1);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        PathBuf::from(std::ffi::OsStr::from_bytes(&bytes[..end]))
    }
    #[cfg(not(unix))]
    PathBuf::from(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

/// Sets the iterations that fit into the time.
fn fit(recipe: &mut Recipe, time_s: f64, dataset: &Dataset, device: &Device) -> anyhow::Result<()> {
    let mut items = Vec::new();
    for split in &recipe.data.train {
        items.extend(dataset.split(split)?);
    }
    let samples = dataset.load(&items)?;
    let val_images = if recipe.data.val.is_empty() { 0 } else { dataset.split(&recipe.data.val)?.len() };
    let costs = Costs::measure(recipe, &samples, dataset.manifest.classes.len(), device)?;
    costs::fit(recipe, time_s, costs, val_images)?;
    eprintln!(
        "{} iterations fit into {}: {:.2} s for each, {:.1} s for a validation",
        recipe.schedule.iterations,
        duration(time_s),
        costs.step_s,
        costs.image_s * val_images as f64
    );
    Ok(())
}

/// `name`, or `name-2`, `name-3`, ... if taken.
fn free_name(name: &Path) -> PathBuf {
    let numbered = |i: u32| PathBuf::from(format!("{}-{i}", name.display()));
    std::iter::once(name.to_owned())
        .chain((2..).map(numbered))
        .find(|p| !p.exists())
        .unwrap_or(name.to_owned())
}

fn environment(args: &TrainArgs) -> serde_json::Value {
    json!({
        "sorby": env!("CARGO_PKG_VERSION"),
        "arguments": std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect::<Vec<_>>(),
        "device": args.device.device,
        "stock_operations": args.device.stock_operations,
        "threads": rayon::current_num_threads(),
        "system": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "simd": format!("{:?}", sorby_nn::simd_level()),
    })
}

/// Shows a run's events, on screen and in the run's log.
struct Console<'a> {
    recipe: &'a Recipe,
    run: &'a RunFolder,
    classes: Vec<String>,
    progress: Progress,
    pace: Pace,
    /// Smoothed seconds per iteration.
    seconds: Option<f64>,
    loss: Option<f64>,
}

impl<'a> Console<'a> {
    fn new(recipe: &'a Recipe, run: &'a RunFolder, classes: Vec<String>) -> Self {
        let progress = Progress::new(recipe.schedule.iterations as usize, "it");
        Self { recipe, run, classes, progress, pace: Pace::new(), seconds: None, loss: None }
    }

    fn say(&self, text: &str) {
        self.progress.line(text);
        let path = self.run.path("log.txt");
        let file = std::fs::File::options().create(true).append(true).open(path);
        // The log repeats what was shown; failing to write it must not stop a run.
        let _ = file.and_then(|mut f| std::io::Write::write_all(&mut f, format!("{text}\n").as_bytes()));
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Started { done, train_images, val_images } => {
                let from =
                    if done > 0 { format!(", continuing after iteration {done}") } else { String::new() };
                self.say(&format!(
                    "{} on {train_images} images, validating on {val_images}, {} iterations{from} -> {}",
                    self.recipe.arch.title(),
                    self.recipe.schedule.iterations,
                    self.run.root().display()
                ));
            }
            Event::Note(note) => self.say(&format!("note: {note}")),
            Event::Pretrained(keys) => {
                self.say(&format!(
                    "{} from the pretrained file: {} tensors loaded, {} not part of it, {} missing \
                     (pretrained.json)",
                    if self.recipe.pretrained_heads { "encoder and heads" } else { "encoder" },
                    keys.loaded.len(),
                    keys.skipped.len(),
                    keys.missing.len()
                ));
            }
            Event::Step(metric) => self.step(metric),
            Event::Validated { iteration, scores } => {
                let percent = |v: Option<f64>| v.map_or("-".into(), |v| format!("{:.2}", 100.0 * v));
                let mut text = format!("iteration {iteration}: mIoU {} %", percent(scores.mean_iou));
                for (name, class) in self.classes.iter().zip(&scores.classes) {
                    let _ = write!(text, ", {name} {}", percent(class.iou));
                }
                self.say(&text);
            }
        }
    }

    fn step(&mut self, m: &Metric) {
        let smooth = |old: Option<f64>, new: f64| old.map_or(new, |old| 0.9 * old + 0.1 * new);
        let (seconds, loss) = (smooth(self.seconds, m.seconds), smooth(self.loss, f64::from(m.loss)));
        (self.seconds, self.loss) = (Some(seconds), Some(loss));
        let left = (self.recipe.schedule.iterations - m.iteration) as f64 * seconds;
        let text = format!("loss {loss:.4}  lr {:.5}  {seconds:.2} s/it  {} left", m.lr, duration(left));
        self.progress.set(m.iteration, text.clone());
        if !self.progress.on_terminal() && self.pace.due() {
            self.say(&format!("iteration {}/{}  {text}", m.iteration, self.recipe.schedule.iterations));
        }
    }

    fn finish(&self) {
        self.progress.finish();
    }
}
