//! Trainings in this process: what a run leaves, when it stops, and that it is the same when asked twice.

use sorby_data::Dataset;
use sorby_data::synth::{Kind, SynthSet, write_dataset};
use sorby_infer::{Device, Model};
use sorby_train::{Event, Metric, Outcome, PastRun, Recipe, RunFolder, Trainer, ValidationRecord, parse};
use std::cell::Cell;
use std::path::Path;

const TINY: &str = "[data]\nbatch = 2\ncrop = 64\n[schedule]\niterations = 6\nvalidate_every = 3\n\
                    checkpoint_every = 2\n[inference]\nwindow = 64\nstride = 48\n";

fn steel(at: &Path) -> Dataset {
    let set = SynthSet { kind: Kind::Carbide, images: 5, width: 120, height: 96, seed: 2 };
    write_dataset(&at.join("steel"), set).unwrap();
    Dataset::open(&at.join("steel")).unwrap()
}

fn recipe(changes: &[&str]) -> Recipe {
    parse(TINY, &changes.iter().map(|c| c.to_string()).collect::<Vec<_>>()).unwrap()
}

/// Trains a new run, or one that is there, until `stop` steps are done; gives what was reported, in words.
fn run(data: &Dataset, root: &Path, new: Option<Recipe>, stop: u64) -> (Outcome, Vec<String>) {
    let (mut told, done) = (Vec::new(), Cell::new(0));
    let folder = match new {
        Some(_) => RunFolder::create(root).unwrap(),
        None => RunFolder::open(root).unwrap(),
    };
    let device = Device::flex();
    let trainer = match new {
        Some(recipe) => Trainer::new(recipe, data, &folder, device).unwrap(),
        None => Trainer::resume(data, &folder, device, None).unwrap(),
    };
    let mut show = |event: Event| match event {
        Event::Started { done, train_images, val_images } => {
            told.push(format!("started after {done} with {train_images} and {val_images}"));
        }
        Event::Step(metric) => {
            assert!(metric.loss.is_finite() && metric.lr >= 0.0 && metric.seconds >= 0.0);
            told.push(format!("step {}", metric.iteration));
            done.set(metric.iteration);
        }
        Event::Validated { iteration, scores } => {
            assert_eq!(scores.classes.len(), 2);
            told.push(format!("validated {iteration}"));
        }
        Event::Pretrained(_) | Event::Note(_) => {}
    };
    let outcome = trainer.run(&mut show, &|| done.get() >= stop).unwrap();
    (outcome, told)
}

fn bytes(root: &Path, file: &str) -> Vec<u8> {
    std::fs::read(root.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

#[test]
fn a_run_reports_its_steps_and_leaves_what_a_report_needs() {
    let folder = tempfile::tempdir().unwrap();
    let (at, data) = (folder.path(), steel(folder.path()));
    let root = at.join("run");
    let (outcome, told) = run(&data, &root, Some(recipe(&[])), u64::MAX);
    let steps = ["step 1", "step 2", "step 3", "validated 3", "step 4", "step 5", "step 6", "validated 6"];
    assert_eq!(told[0], "started after 0 with 3 and 1");
    assert_eq!(told[1..], steps);
    assert_eq!((outcome.iterations, outcome.stopped), (6, false));

    let metrics: Vec<Metric> = RunFolder::read_lines(&root);
    assert_eq!(metrics.iter().map(|m| m.iteration).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert!(metrics.windows(2).all(|m| m[1].lr < m[0].lr), "poly decay");
    let validations: Vec<ValidationRecord> = RunFolder::read_lines(&root);
    assert_eq!(validations.iter().map(|v| v.iteration).collect::<Vec<_>>(), [3, 6]);
    assert_eq!(validations[1].mean_iou, outcome.last.unwrap().mean_iou);

    let past = PastRun::open(&root, None).unwrap();
    assert!(past.notes.is_empty(), "{:?}", past.notes);
    assert_eq!(past.split.iter().filter(|r| r.part == "train").count(), 3);
    let model = Model::read(&root, &Device::flex()).unwrap();
    assert_eq!(past.model_blake3, Some(model.blake3));
    assert_eq!((model.card.iteration, &model.card.classes[..]), (6, &data.manifest.class_names()[..]));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (at, data) = (folder.path(), steel(folder.path()));
    let model = |name: &str, changes: &[&str]| {
        run(&data, &at.join(name), Some(recipe(changes)), u64::MAX);
        bytes(&at.join(name), "model.safetensors")
    };
    let first = model("first", &[]);
    assert!(model("second", &[]) == first);
    assert!(model("other", &["seed=1"]) != first);
}

#[test]
fn a_stopped_run_goes_on_to_the_bytes_of_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let (at, data) = (folder.path(), steel(folder.path()));
    run(&data, &at.join("whole"), Some(recipe(&[])), u64::MAX);
    let root = at.join("stopped");
    for (stop, from) in [(1, 0), (4, 1), (u64::MAX, 4)] {
        let (outcome, told) = run(&data, &root, (from == 0).then(|| recipe(&[])), stop);
        assert!(told[0].starts_with(&format!("started after {from} ")), "{told:?}");
        assert_eq!((outcome.stopped, outcome.iterations), (stop < 6, stop.min(6)));
        let kept = std::fs::read_dir(root.join("checkpoints")).unwrap().count();
        assert!((1..=2).contains(&kept), "{kept} checkpoints");
    }
    for file in ["model.safetensors", "best.safetensors", "validation.jsonl", "validation_images.json"] {
        assert!(bytes(&root, file) == bytes(&at.join("whole"), file), "{file}");
    }
}

#[test]
fn a_run_folder_has_one_owner_and_is_not_begun_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (at, data) = (folder.path(), steel(folder.path()));
    let root = at.join("run");
    let held = RunFolder::create(&root).unwrap();
    assert!(RunFolder::is_held(&root) && held.is_new() && !held.has_checkpoint());
    let told = RunFolder::create(&root).err().unwrap().to_string();
    assert!(told.contains("another process is working on this run"), "{told}");
    drop(held);
    assert!(!RunFolder::is_held(&root));
    run(&data, &root, Some(recipe(&["schedule.iterations=1"])), u64::MAX);
    let told = RunFolder::create(&root).err().unwrap().to_string();
    assert!(told.contains("--resume"), "{told}");
    let told = RunFolder::open(&at.join("steel")).err().unwrap().to_string();
    assert!(told.contains("is not a run folder"), "{told}");
}

/// What a network is asked to learn by heart it learns: the steps go downhill.
#[test]
fn the_loss_falls_on_images_that_are_seen_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let (at, data) = (folder.path(), steel(folder.path()));
    let changes = ["schedule.iterations=24", "schedule.validate_every=24", "optimizer.lr=0.05"];
    let root = at.join("run");
    run(&data, &root, Some(recipe(&changes)), u64::MAX);
    let metrics: Vec<Metric> = RunFolder::read_lines(&root);
    let mean = |part: &[Metric]| part.iter().map(|m| f64::from(m.loss)).sum::<f64>() / part.len() as f64;
    let (first, last) = (mean(&metrics[..4]), mean(&metrics[20..]));
    assert!(last < 0.7 * first, "from {first} to {last}");
}
