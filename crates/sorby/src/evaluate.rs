//! Scores of a model on labelled images.

use crate::out_folder::{MadeBy, OutFolder};
use crate::provenance::{Makers, Standing};
use crate::{Event, InferenceSettings, Observer, Result, checksum, classes, tables};
use serde_json::{Value, json};
use sorby_data::Dataset;
use sorby_image::write::{atomically, safe_name};
use sorby_infer::InferenceOptions;
use sorby_report::{Table, overlay};
use sorby_score::Confusion;
use sorby_train::{nothing_found, validate};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a model is scored on.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluateOptions {
    /// Data set: a folder with a dataset.toml, or such a file.
    pub data: PathBuf,
    /// Split or fold of dataset.toml; `all` for every image.
    pub split: String,
    /// Folder for tables and overlays.
    pub out: Option<PathBuf>,
    /// What differs from the settings that the model was trained with.
    pub inference: InferenceSettings,
}

/// Scores of a model on a split.
pub struct Evaluation {
    /// Counts over all images.
    pub counts: Confusion,
    /// Each image's scores, and its pixel size.
    pub images: Vec<tables::ScoredImage>,
    /// Class names in index order.
    pub classes: Vec<String>,
    /// Classes that the model found in none of some images, in words.
    pub nothing_found: Vec<String>,
    model: PathBuf,
    model_blake3: String,
    split: String,
    inference: InferenceOptions,
    standing: Standing,
}

impl Evaluation {
    /// IoU, Dice, precision and recall of each class, with means.
    pub fn class_table(&self) -> Table {
        tables::scores(&self.counts.scores(), &self.classes)
    }

    /// A row for each image.
    pub fn image_table(&self) -> Table {
        tables::per_image(&self.images, &self.classes)
    }

    /// Everything in one value, as `summary.json` holds it.
    pub fn summary(&self) -> Value {
        json!({
            "model": self.model.display().to_string(),
            "model_blake3": self.model_blake3,
            "standing": self.standing.json(),
            "nothing_found": self.nothing_found,
            "split": self.split,
            "images": self.images.len(),
            "window_px": self.inference.crop_px,
            "stride_px": self.inference.stride_px,
            "tta_ratios": self.inference.ratios,
            "flip": self.inference.flip,
            "adapt": self.inference.adapt,
            "ensemble_blake3": self.inference.companions,
            "classes": self.classes,
            "nm_per_px": self.images.iter().map(|i| (i.0.clone(), i.1)).collect::<BTreeMap<_, _>>(),
            "scores": self.counts.scores(),
            "confusion": self.counts.matrix(),
        })
    }

    fn write(&self, out: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.summary())? + "\n";
        atomically(&out.join("summary.json"), text.as_bytes())?;
        atomically(&out.join("classes.csv"), self.class_table().to_csv().as_bytes())?;
        atomically(&out.join("per_image.csv"), self.image_table().to_csv().as_bytes())?;
        let names = self.classes.iter().cloned();
        let mut confusion = Table::new(std::iter::once("label".to_owned()).chain(names));
        for (name, row) in self.classes.iter().zip(self.counts.matrix()) {
            let counts = row.iter().map(|&n| (n as usize).into());
            confusion.row(std::iter::once(name.clone().into()).chain(counts).collect());
        }
        atomically(&out.join("confusion.csv"), confusion.to_csv().as_bytes())?;
        Ok(())
    }
}

/// Segments the images of a split and compares the masks with the labels.
///
/// # Errors
/// When model or data cannot be read or do not fit, or when the folder is another job's.
pub fn evaluate(
    model_path: &Path,
    options: &EvaluateOptions,
    made_by: MadeBy,
    observer: &dyn Observer,
) -> Result<Evaluation> {
    let device = options.inference.device.open()?;
    let data = Dataset::open(&options.data)?;
    let items = data.split(&options.split)?;
    let mut model = options.inference.open_model(model_path, &device)?;
    let inference = options.inference.of(&model)?;
    classes::require_same(&model, &data)?;
    let samples = data.load(&items)?;
    let place =
        |root: &PathBuf| OutFolder::check(root, made_by.with("model", checksum::of_model(model_path)?), &[]);
    // Held to the end.
    let mut out = options.out.as_ref().map(place).transpose()?;
    if let Some(out) = &mut out {
        out.claim()?;
    }
    let classes = model.card.classes.clone();
    let colours = model.card.colours.clone();
    let standing = Standing::of(&Makers::of(&model, model_path), &samples);
    let mut per_image: Vec<tables::ScoredImage> = Vec::new();
    let mut counts: Vec<Confusion> = Vec::new();
    let mut failure = None;
    observer.event(Event::Begin { total: samples.len(), unit: "images" });
    let total = validate(&mut model, &samples, &inference, &device, &mut |sample, prediction, confusion| {
        per_image.push((sample.name.clone(), sample.shot.nm_per_px(), confusion.scores()));
        counts.push(confusion.clone());
        if let Some(out) = &options.out {
            let mut write = |name: String, picture: overlay::Rgb| {
                if let Err(e) = atomically(&out.join("overlays").join(name), &picture.png()) {
                    failure.get_or_insert(e);
                }
            };
            for (c, class) in classes.iter().enumerate().skip(1) {
                let picture = overlay::errors(&prediction.labels, &sample.label, c as u8);
                write(format!("{}-{}-errors.png", sample.name, safe_name(class)), picture);
            }
            let picture = overlay::classes(&sample.shot.image.to_grey8(), &prediction.labels, &colours);
            write(format!("{}-classes.png", sample.name), picture);
        }
        observer.event(Event::Advance(1));
    });
    observer.event(Event::End);
    let total = total?;
    if let Some(error) = failure {
        return Err(error.into());
    }
    standing.warnings().into_iter().for_each(|warning| observer.warn(warning));
    let evaluation = Evaluation {
        nothing_found: nothing_found(&classes, counts.iter().map(Confusion::matrix)),
        counts: total,
        images: per_image,
        classes,
        model: model_path.to_owned(),
        model_blake3: model.blake3,
        split: options.split.clone(),
        inference,
        standing,
    };
    if let Some(out) = &options.out {
        evaluation.write(out)?;
    }
    Ok(evaluation)
}
