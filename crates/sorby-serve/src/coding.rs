//! How the labels of the project code classes: decided from all label files, and anew when one of them or the manifest
//! changes.

use crate::error::{Answer, Refusal};
use crate::lock::lock;
use crate::project::Project;
use sorby_data::{Expected, LabelCoding, Manifest, read_label};
use sorby_image::files::{self, FileState};
use sorby_image::{LabelMap, MaskNote};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The state of all label files.
type State = Vec<(PathBuf, Option<FileState>)>;

#[derive(Default)]
pub struct Coding(Mutex<Option<(Manifest, State, LabelCoding)>>);

impl Coding {
    /// Reads a label of the project.
    pub fn read(&self, project: &Project, manifest: &Manifest, file: &Path) -> Answer<LabelMap> {
        project.confine(file)?;
        if MaskNote::read(file).is_some() {
            // It says itself what it means; no need to look at all the others.
            let any = LabelCoding::index(manifest.classes.len());
            return Ok(read_label(manifest, &any, file)?);
        }
        let state: State = project
            .entries(manifest)
            .into_iter()
            .filter_map(|e| e.label)
            .map(|label| {
                let state = files::state(&label).ok();
                (label, state)
            })
            .collect();
        let mut known = lock(&self.0);
        if !known.as_ref().is_some_and(|(m, s, _)| m == manifest && *s == state) {
            *known = None;
            let coding = decide(manifest, &state)?;
            if !state.iter().all(|(_, s)| s.is_some_and(|s| s.is_settled())) {
                // A change that follows at once might not show.
                return Ok(read_label(manifest, &coding, file)?);
            }
            *known = Some((manifest.clone(), state, coding));
        }
        let Some((_, _, coding)) = &*known else { return Err(Refusal::bad("no label can be read")) };
        Ok(read_label(manifest, coding, file)?)
    }
}

/// A coding that could not be decided is no coding: what it would read might be wrong.
fn decide(manifest: &Manifest, state: &State) -> Answer<LabelCoding> {
    let labels: Vec<PathBuf> = state.iter().map(|(label, _)| label.clone()).collect();
    Ok(LabelCoding::decide(&Expected::of_manifest(manifest), &labels)?)
}
