//! What the models of a study make of the images they were scored on.

use super::ReportedStudy;
use crate::Result;
use crate::error::{Context as _, refused};
use sorby_data::{Dataset, Sample};
use sorby_image::LabelMap;
use sorby_infer::{Device, InferenceOptions, Model, predict};
use sorby_study::{Part, TrickSet};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

/// Images with their labels, and a mask for each.
pub type Masks = Rc<Vec<(Rc<Sample>, LabelMap)>>;

/// Segments on demand, each set of tricks once.
pub struct Predictions<'a> {
    device: &'a Device,
    done: HashMap<(usize, usize, TrickSet), Masks>,
    /// By study, opened once: that looks at every label.
    data: HashMap<usize, Dataset>,
    /// By study and part: all sets of tricks share them.
    samples: HashMap<(usize, Part), Vec<Rc<Sample>>>,
}

impl<'a> Predictions<'a> {
    pub fn new(device: &'a Device) -> Self {
        Self { device, done: HashMap::new(), data: HashMap::new(), samples: HashMap::new() }
    }

    /// Masks by the first seed's model: of the test images in the paper's protocol, of every training image by the
    /// model that did not learn from it in the sound one. `book` is the study's place among the books.
    pub fn of(
        &mut self,
        place: usize,
        book: &ReportedStudy,
        arch: usize,
        tricks: &TrickSet,
    ) -> Result<Masks> {
        let key = (place, arch, tricks.clone());
        if let Some(masks) = self.done.get(&key) {
            return Ok(masks.clone());
        }
        let runs = book.runs_of(arch, tricks);
        let first = runs.iter().map(|r| r.seed).min().unwrap_or(0);
        let mut masks = Vec::new();
        for run in runs.iter().filter(|r| r.seed == first) {
            let mut model = Model::read(&book.folder.run_path(run), self.device).with_context(|| {
                format!("the model of {} is needed for pictures", book.folder.spec.run_id(run))
            })?;
            let options = InferenceOptions::of(&model.card);
            let data = match self.data.entry(place) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(vacant) => vacant.insert(Dataset::open(&book.folder.dataset_path())?),
            };
            let samples = match self.samples.entry((place, run.part)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(vacant) => vacant.insert(samples(data, &book.folder.scored_on(run.part))?),
            };
            for sample in samples {
                let mask = predict(&mut model, &sample.shot, &options, self.device, &mut |_| ())
                    .map_err(|what| refused!("{}: {what}", sample.name))?;
                masks.push((sample.clone(), mask.labels));
            }
        }
        masks.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        let masks = Rc::new(masks);
        self.done.insert(key, masks.clone());
        Ok(masks)
    }
}

fn samples(data: &Dataset, names: &[String]) -> Result<Vec<Rc<Sample>>> {
    let items: Vec<_> = data.items.iter().filter(|i| names.contains(&i.name)).collect();
    Ok(data.load(&items)?.into_iter().map(Rc::new).collect())
}
