//! What a run is: its recipe, classes and data, kept from its beginning, so that it goes on as the same run or not at all.

use crate::checkpoint;
use crate::error::TrainError;
use crate::recipe::{Recipe, parse};
use crate::run_file::RunFile;
use crate::run_folder::RunFolder;
use crate::seal::{hash, seal, unseal};
use crate::split_record::{ImageHash, SplitRecord, changes, hash_of, require_same_data};
use crate::start::Pretrained;
use serde::{Deserialize, Serialize};
use sorby_data::Sample;
use sorby_image::files::read_regular;
use sorby_infer::ModelCard;
use std::collections::BTreeMap;
use std::path::Path;

/// The one key of a recipe that may change on the way.
pub(crate) const ITERATIONS: &str = "schedule.iterations";

/// `identity.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The resolved recipe.
    pub recipe: String,
    /// Names in the order of their indices.
    pub classes: Vec<String>,
    pub images: Vec<SplitRecord>,
    /// Labelled pixels of each image by class.
    pub label_px: BTreeMap<String, Vec<u64>>,
    /// BLAKE3 of the file that filled the encoder.
    pub pretrained_blake3: Option<String>,
    /// A run of a version that kept no hashes was taken over at this iteration; its checkpoints up to then have none.
    pub taken_over_at: Option<u64>,
    /// What was changed on the way, on request.
    pub changes: Vec<Change>,
}

/// A wanted change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Change {
    /// Iterations done before it.
    pub at: u64,
    pub key: String,
    pub from: String,
    pub to: String,
    /// Hash of the identity before it, which older checkpoints name.
    pub before: String,
}

impl Identity {
    pub fn of<'a>(
        recipe: &Recipe,
        classes: Vec<String>,
        images: Vec<SplitRecord>,
        samples: impl Iterator<Item = &'a Sample>,
    ) -> Self {
        let label_px = |s: &Sample| (s.name.clone(), s.label.histogram()[..classes.len()].to_vec());
        Self {
            recipe: recipe.to_toml(),
            images,
            label_px: samples.map(label_px).collect(),
            classes,
            pretrained_blake3: recipe.pretrained.as_ref().and_then(Pretrained::blake3),
            taken_over_at: None,
            changes: Vec::new(),
        }
    }

    /// That of a run folder; `None` when it has none.
    pub fn read(root: &Path) -> Result<Option<Self>, TrainError> {
        let path = RunFile::Identity.path_in(root);
        match read_regular(&path) {
            Ok(bytes) => unseal(&bytes).map(Some).map_err(|what| {
                TrainError::run(&path, format!("{what}; put it back as it was, or start a new run"))
            }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(TrainError::io(&path)(e)),
        }
    }

    pub fn write(&self, run: &RunFolder) -> Result<(), TrainError> {
        run.write(
            RunFile::Identity,
            &seal(self).map_err(|e| TrainError::run(&run.path(RunFile::Identity), e))?,
        )
    }

    /// What its checkpoints name it by.
    pub fn hash(&self) -> String {
        hash(self).expect("an identity is plain data")
    }

    /// Whether a checkpoint that names a run by this hash is of this run.
    pub fn is_named(&self, by: &str) -> bool {
        by == self.hash() || self.changes.iter().any(|c| c.before == by)
    }

    pub fn change(&mut self, at: u64, key: &str, from: String, to: String) {
        let before = self.hash();
        self.changes.push(Change { at, key: key.to_owned(), from, to, before });
    }

    /// In what the recipe is another now; `may` is a key that may differ.
    pub fn recipe_differences(&self, now: &Recipe, may: Option<&str>) -> Vec<String> {
        let Ok(then) = parse(&self.recipe, &[]) else {
            return vec!["its first recipe is not one that this version of Sorby knows".into()];
        };
        let value = |v: Option<String>| v.unwrap_or_else(|| "not set".into());
        now.differences(&then)
            .into_iter()
            .filter(|(key, ..)| may != Some(key))
            .map(|(key, now, then)| {
                format!("{key} in recipe.toml is {} and was {} at the beginning", value(now), value(then))
            })
            .collect()
    }

    /// Why a model is none of this run.
    pub fn disowns(&self, card: &ModelCard) -> Option<String> {
        if card.classes != self.classes {
            return Some(format!("its classes are {}", card.classes.join(", ")));
        }
        // The model of a run that was taken over may name its data by older hashes.
        if self.taken_over_at.is_none() && card.data_hash != hash_of(&self.images) {
            return Some("it learnt from other images".into());
        }
        if card.recipe == self.recipe {
            return None;
        }
        let Ok(recipe) = parse(&card.recipe, &[]) else { return Some("its recipe cannot be read".into()) };
        let differences = self.recipe_differences(&recipe, Some(ITERATIONS));
        let iterations = recipe.schedule.iterations.to_string();
        let now = parse(&self.recipe, &[]).is_ok_and(|now| now.schedule.iterations.to_string() == iterations);
        let before = self.changes.iter().any(|c| c.key == ITERATIONS && c.from == iterations);
        match differences.first() {
            Some(first) => Some(first.replace("in recipe.toml", "in its recipe")),
            None if !now && !before => Some(format!("its recipe has {iterations} iterations")),
            None => None,
        }
    }

    /// In what the classes or the data are others now.
    fn data_differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.classes != now.classes {
            found.push(format!(
                "the classes in dataset.toml are {} and were {} at the beginning",
                now.classes.join(", "),
                self.classes.join(", ")
            ));
        }
        let changed = changes(&self.images, &now.images);
        found.extend(changed.into_iter().map(|what| format!("{what} changed since this run began")));
        found
    }
}

/// The recipe that a run in its folder goes on with.
///
/// # Errors
/// When it cannot be read; names the file.
pub(crate) fn recipe_of(run: &RunFolder) -> Result<Recipe, TrainError> {
    let path = run.path(RunFile::Recipe);
    let text = match read_regular(&path).map(String::from_utf8) {
        Ok(Err(_)) => return Err(TrainError::run(&path, "is no text; put it back")),
        Ok(Ok(text)) => Ok(text),
        Err(e) => Err(e),
    };
    let text = match text {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => match Identity::read(run.root())? {
            Some(identity) => identity.recipe,
            None => return Err(TrainError::run(run.root(), "is not a run folder (no recipe.toml)")),
        },
        Err(e) => return Err(TrainError::io(&path)(e)),
    };
    parse(&text, &[]).map_err(|e| {
        let cure = if run.path(RunFile::Identity).is_file() {
            "; put it back, or remove it: it is then written again as it was"
        } else {
            ""
        };
        TrainError::run(&path, format!("{e}{cure}"))
    })
}

/// Compares what a run is now with what it was. Gives its identity, and notes on what cannot be compared.
/// `longer`: the recipe's iterations may differ.
///
/// # Errors
/// In one line what differs.
pub(crate) fn require_same(
    run: &RunFolder,
    recipe: &Recipe,
    now: Identity,
    records: impl Fn(ImageHash) -> Vec<SplitRecord>,
    longer: bool,
) -> Result<(Identity, Vec<String>), TrainError> {
    if run.is_new() {
        now.write(run)?;
        return Ok((now, Vec::new()));
    }
    let (then, notes) = match Identity::read(run.root())? {
        Some(then) => (then, Vec::new()),
        None => take_over(run, now.clone(), records)?,
    };
    let mut found = then.recipe_differences(recipe, longer.then_some(ITERATIONS));
    let only_longer = found.len() == 1 && found[0].starts_with(ITERATIONS);
    found.extend(then.data_differences(&now));
    if let Some(first) = found.first() {
        let more = if found.len() > 1 { format!(" (and {} more)", found.len() - 1) } else { String::new() };
        let cure = if only_longer && found.len() == 1 {
            format!(
                "put it back, or ask for it: sorby train --resume {} --iterations {}",
                run.root().display(),
                recipe.schedule.iterations
            )
        } else {
            "put it back, or start a new run".to_owned()
        };
        return Err(TrainError::run(run.root(), format!("this run cannot go on: {first}{more}; {cure}")));
    }
    let begun = checkpoint::newest(run.root());
    if begun.is_none() && then.pretrained_blake3 != now.pretrained_blake3 {
        let reason = "this run cannot go on: the pretrained weights have changed; start a new run";
        return Err(TrainError::run(run.root(), reason));
    }
    Ok((then, notes))
}

/// Gives an identity to a run that has none: one that was cut off before it began, or one of an older version.
fn take_over(
    run: &RunFolder,
    mut now: Identity,
    records: impl Fn(ImageHash) -> Vec<SplitRecord>,
) -> Result<(Identity, Vec<String>), TrainError> {
    if checkpoint::any_sealed(run.root()) || run.status().is_some_and(|s| s.identity.is_some()) {
        let reason = "is missing, so it cannot be checked that this run is the same; put it back";
        return Err(TrainError::run(&run.path(RunFile::Identity), reason));
    }
    let began = recipe_of(run)?;
    if run.status().is_some_and(|s| s.recipe_hash != began.hash()) {
        let reason = "is not the recipe that this run began with; put it back, or start a new run";
        return Err(TrainError::run(&run.path(RunFile::Recipe), reason));
    }
    now.recipe = began.to_toml();
    let mut notes = Vec::new();
    if let Some(at) = checkpoint::newest(run.root()) {
        require_same_data(run, records)?;
        now.taken_over_at = Some(at);
        notes.push(
            "this run was begun by a version of Sorby that kept no hashes of classes and checkpoints; that they are as \
             they were cannot be checked"
                .into(),
        );
    }
    now.write(run)?;
    Ok((now, notes))
}
