//! What requests share.

use crate::draft::Sketches;
use crate::error::{Answer, Refusal};
use crate::guard::Guard;
use crate::jobs::Jobs;
use crate::pictures::{Picture, Pictures};
use crate::project::Project;
use crate::scales::Scales;
use axum::http::StatusCode;
use sorby_data::{Dataset, LabelCoding, Manifest, read_label};
use sorby_image::{LabelMap, MaskNote};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::sync::{Semaphore, broadcast};

pub struct App {
    pub project: Project,
    /// The program whose verbs do the long work.
    pub program: PathBuf,
    pub guard: Guard,
    pub pictures: Pictures,
    pub scales: Scales,
    pub sketches: Sketches,
    pub jobs: Jobs,
    pub events: broadcast::Sender<String>,
    /// How the labels code classes, told once for a state of the manifest.
    coding: Mutex<Option<(Manifest, LabelCoding)>>,
    /// Held while a label is compared with its revision and replaced.
    pub saving: Mutex<()>,
    /// Requests that hold whole images in memory, at the same time.
    heavy: Arc<Semaphore>,
}

pub type Shared = Arc<App>;

impl App {
    pub fn new(project: Project, program: PathBuf, guard: Guard) -> Shared {
        let (events, _) = broadcast::channel(256);
        Arc::new(Self {
            project,
            program,
            guard,
            pictures: Pictures::default(),
            scales: Scales::default(),
            sketches: Sketches::default(),
            jobs: Jobs::new(events.clone()),
            events,
            coding: Mutex::new(None),
            saving: Mutex::new(()),
            heavy: Arc::new(Semaphore::new(4)),
        })
    }

    /// The image of this name.
    pub fn picture(&self, name: &str) -> Answer<Arc<Picture>> {
        self.pictures.get(&self.project.entry(name)?.1.image)
    }

    /// Reads a label of the project.
    pub fn read_label(&self, manifest: &Manifest, file: &Path) -> Answer<LabelMap> {
        self.project.confine(file)?;
        if MaskNote::read(file).is_some() {
            // It says itself what it means; no need to look at all the others.
            let any = LabelCoding::Index { classes: manifest.classes.len() };
            return Ok(read_label(manifest, &any, file)?);
        }
        let mut known = self.coding.lock().unwrap_or_else(|e| e.into_inner());
        if !matches!(&*known, Some((of, _)) if of == manifest) {
            let (data, _) = Dataset::examine(&self.project.data)?;
            *known = Some((manifest.clone(), data.coding().clone()));
        }
        let Some((_, coding)) = &*known else { return Err(Refusal::bad("no label can be read")) };
        Ok(read_label(manifest, coding, file)?)
    }

    pub fn tell(&self, event: serde_json::Value) {
        // Nobody may be listening.
        let _ = self.events.send(event.to_string());
    }
}

/// Does work that takes processor time or memory away from the threads that answer; a few at a time.
pub async fn work<T: Send + 'static>(
    app: &Shared,
    job: impl FnOnce(&App) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let gone =
        || Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "this failed inside Sorby; see the terminal");
    let permit = app.heavy.clone().acquire_owned().await.map_err(|_| gone())?;
    let app = app.clone();
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        job(&app)
    })
    .await
    .map_err(|_| gone())?
}
