//! Labels that models doubt which learnt from the other images.

use super::learnt_from;
use crate::budget::{self, Costs};
use crate::error::{Context as _, refuse, refused};
use crate::study::manifest_with_folds;
use crate::words::duration;
use crate::{Event, Observer, Result};
use sorby_data::doctor::{Doubts, HeldOut, doubts};
use sorby_data::{Dataset, Manifest, Sample};
use sorby_infer::{Backend, Device, InferenceOptions, Model, predict};
use sorby_report::{Picture, Section, overlay};
use sorby_train::{Recipe, RunFolder, Trainer, available_bytes, parse, preset};
use std::path::Path;

/// Each image is judged by a model of the other folds.
const FOLDS: usize = 3;
/// Places shown of an image.
const SHOWN: usize = 4;

/// An image with the doubts about its label.
pub struct Doubted {
    pub sample: Sample,
    pub doubts: Doubts,
}

/// Trains one model for each fold, all within about `time_s`, and has it judge the images that it did not see; nor
/// did it see their `near_duplicates`.
pub fn judge(
    data: &Dataset,
    near_duplicates: &[(String, String)],
    path: &Path,
    time_s: f64,
    observer: &dyn Observer,
) -> Result<Vec<Doubted>> {
    let device = Backend::from_name("cpu").context("no CPU backend")?.open().context("no CPU backend")?;
    // Images that cannot be read are told by the other checks.
    let names: Vec<String> =
        data.items.iter().filter(|i| data.load_one(i).is_ok()).map(|i| i.name.clone()).collect();
    let specimens = sorby_study::with_near_duplicates(&data.manifest.specimens, near_duplicates);
    let folds =
        sorby_study::assign(&names, &specimens, FOLDS, 0).map_err(|what| refused!("--deep: {what}"))?;
    require_memory(&data.manifest, &names, data)?;
    let work = tempfile::tempdir()?;
    let manifest = manifest_with_folds(&data.manifest, path, &named(&folds))?;
    let file = work.path().join("dataset.toml");
    fs_err::write(&file, toml::to_string(&manifest)?)?;
    let data = Dataset::open(&file)?;
    observer.begin_stopping();
    let (mut samples, mut probabilities) = (Vec::new(), Vec::new());
    for fold in 0..FOLDS {
        let mut recipe = recipe(fold)?;
        let training = data.load(&learnt_from(&data, &recipe)?)?;
        let classes = data.manifest.classes.len();
        let measured = Costs::measure(&recipe, &training, classes, &device)?;
        budget::fit(&mut recipe, time_s / FOLDS as f64, measured, 0)?;
        let mut model =
            train(&recipe, &data, &work.path().join(fold.to_string()), fold, (&device, observer))?;
        let options = InferenceOptions::of(&model.card);
        for sample in data.load(&data.split(&fold_name(fold))?)? {
            let prediction = predict(&mut model, &sample.shot, &options, &device, &mut |_| ())
                .map_err(|what| refused!("{}: {what}", sample.name))?;
            probabilities.push(prediction.probabilities.values);
            samples.push(sample);
        }
        sorby_nn::release_buffers();
    }
    let images: Vec<HeldOut> = samples
        .iter()
        .zip(&probabilities)
        .map(|(sample, probabilities)| HeldOut { label: &sample.label, probabilities })
        .collect();
    let found = doubts(&images, data.manifest.classes.len());
    let mut doubted: Vec<Doubted> =
        samples.into_iter().zip(found).map(|(sample, doubts)| Doubted { sample, doubts }).collect();
    doubted.sort_by(|a, b| b.doubts.share.total_cmp(&a.doubts.share));
    Ok(doubted)
}

/// The probabilities of all images are kept until the last is judged.
fn require_memory(manifest: &Manifest, names: &[String], data: &Dataset) -> Result<()> {
    let pixels = |name: &String| {
        let item = data.items.iter().find(|i| i.name == *name)?;
        sorby_image::dimensions(&item.image).map(|(w, h)| (w * h) as u64)
    };
    let needed = names.iter().filter_map(pixels).sum::<u64>() * 4 * manifest.classes.len() as u64;
    match available_bytes() {
        Some(free) if needed > free / 2 => refuse!(
            "the answers for all images take {} MB and {} MB are free; check a part of the data set",
            needed >> 20,
            free >> 20
        ),
        _ => Ok(()),
    }
}

fn fold_name(fold: usize) -> String {
    format!("deep-check-{}", fold + 1)
}

fn named(folds: &[Vec<String>]) -> Vec<(String, Vec<String>)> {
    folds.iter().enumerate().map(|(i, names)| (fold_name(i), names.clone())).collect()
}

/// The short recipe, on all folds but one.
fn recipe(held_out: usize) -> Result<Recipe> {
    let text = preset("coffee").context("no recipe coffee")?;
    let mut recipe = parse(text, &[])?;
    recipe.data.train = (0..FOLDS).filter(|f| *f != held_out).map(fold_name).collect();
    recipe.data.val = String::new();
    Ok(recipe)
}

fn train(
    recipe: &Recipe,
    data: &Dataset,
    root: &Path,
    fold: usize,
    (device, observer): (&Device, &dyn Observer),
) -> Result<Model> {
    let run = RunFolder::create(root)?;
    let iterations = recipe.schedule.iterations;
    observer.event(Event::Begin { total: iterations as usize, unit: "it" });
    observer.say(format!("model {} of {FOLDS}: {iterations} iterations on the other images", fold + 1));
    let trainer = Trainer::new(recipe.clone(), data, &run, device.clone())?;
    let mut show = |event: sorby_train::Event| {
        if let sorby_train::Event::Step(m) = event {
            let left = (iterations - m.iteration) as f64 * m.seconds;
            let text = format!("loss {:.4}  {} left of this model", m.loss, duration(left));
            observer.event(Event::At { done: m.iteration, text });
        }
    };
    let outcome = trainer.run(&mut show, &|| observer.stop_asked());
    observer.event(Event::End);
    let outcome = outcome?;
    if outcome.stopped {
        refuse!("stopped; nothing was judged yet");
    }
    Ok(Model::read(root, device)?)
}

/// What is to be said of a label that should be looked at.
pub fn words(doubted: &Doubted, classes: &[String]) -> Option<String> {
    let Doubts { share, places, worst_quarter, outlier } = &doubted.doubts;
    let place = places.first()?;
    let (left, top, width, height) = place.bbox_px;
    let name = |class: u8| classes.get(usize::from(class)).map_or("?", String::as_str);
    Some(format!(
        "models that did not learn from it doubt {:.1} % of it ({:.0} % of the objects in one quarter){}, in {} places, the \
         largest {width}x{height} px at column {left}, row {top}, labelled `{}`, which looks like `{}`",
        100.0 * share,
        100.0 * worst_quarter,
        if *outlier { ", far more than of the others" } else { "" },
        places.len(),
        name(place.labelled),
        name(place.looks_like)
    ))
}

/// The label with its places in doubt framed.
pub fn section(doubted: &Doubted, colours: &[[u8; 3]]) -> Section {
    const FRAME: [u8; 3] = [255, 255, 0];
    let sample = &doubted.sample;
    let mut picture = overlay::classes(&sample.shot.image.to_grey8(), &sample.label, colours);
    let plain = picture.clone();
    for place in doubted.doubts.places.iter().take(SHOWN) {
        let (left, top, width, height) = place.bbox_px;
        let edge = width.max(height) + 12;
        picture.draw_box((left.saturating_sub(6), top.saturating_sub(6)), edge, FRAME);
    }
    Section {
        heading: format!("Doubts about the label of {}", sample.name),
        pictures: vec![
            Picture::png("the largest places in doubt", &picture.png()),
            Picture::png("the label", &plain.png()),
        ],
        ..Section::default()
    }
}
