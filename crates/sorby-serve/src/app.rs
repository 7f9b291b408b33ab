//! What requests share.

use crate::bodies::Room;
use crate::coding::Coding;
use crate::draft::Sketches;
use crate::error::{Answer, Refusal};
use crate::guard::Guard;
use crate::jobs::Jobs;
use crate::labels::Contents;
use crate::pictures::{Picture, Pictures};
use crate::project::Project;
use crate::scales::Scales;
use axum::http::StatusCode;
use sorby::Program;
use std::sync::{Arc, Mutex};
use tokio::sync::{Semaphore, broadcast};

pub struct App {
    pub project: Project,
    /// The program whose verbs do the long work.
    pub program: Program,
    pub guard: Guard,
    pub pictures: Pictures,
    pub scales: Scales,
    pub sketches: Sketches,
    pub jobs: Jobs,
    pub events: broadcast::Sender<String>,
    pub coding: Coding,
    pub contents: Contents,
    pub room: Room,
    /// Held while a label is compared with its revision and replaced.
    pub saving: Mutex<()>,
    /// Held while a name is looked for and given to a new image.
    pub adding: Mutex<()>,
    lanes: [Arc<Semaphore>; 3],
    /// Threads of their own, so that no listing waits in a row behind a thousand images.
    bulk: rayon::ThreadPool,
}

pub type Shared = Arc<App>;

/// Kinds of work. None waits for another kind.
#[derive(Clone, Copy)]
enum Lane {
    /// Listings and states.
    Light,
    /// Whole images in memory.
    Picture,
    /// Many images after one another.
    Bulk,
}

/// Requests of a lane that are worked on at the same time, by [`Lane`].
const AT_ONCE: [usize; 3] = [16, 4, 2];

impl App {
    /// Refuses what would change images or labels under a job that reads them.
    pub fn require_idle(&self, to_do: &str) -> Answer<()> {
        if self.jobs.is_busy() {
            let what = format!("a job works with the images; wait for it, or stop it, then {to_do}");
            return Err(Refusal::new(StatusCode::CONFLICT, what));
        }
        Ok(())
    }

    /// How many trainings may run at once, and threads of each job.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(
        project: Project,
        program: Program,
        guard: Guard,
        (trainings, threads): (usize, Option<usize>),
    ) -> anyhow::Result<Shared> {
        let (events, _) = broadcast::channel(256);
        Ok(Arc::new(Self {
            project,
            program,
            guard,
            pictures: Pictures::default(),
            scales: Scales::default(),
            sketches: Sketches::default(),
            jobs: Jobs::new(events.clone(), trainings, threads),
            events,
            coding: Coding::default(),
            contents: Contents::default(),
            room: Room::default(),
            saving: Mutex::new(()),
            adding: Mutex::new(()),
            lanes: AT_ONCE.map(|n| Arc::new(Semaphore::new(n))),
            bulk: rayon::ThreadPoolBuilder::new().num_threads(rayon::current_num_threads()).build()?,
        }))
    }

    /// The image of this name.
    pub fn picture(&self, name: &str) -> Answer<Arc<Picture>> {
        self.pictures.get(&self.project.memory, &self.project.entry(name)?.1.image)
    }

    pub fn tell(&self, event: serde_json::Value) {
        // Nobody may be listening.
        let _ = self.events.send(event.to_string());
    }
}

/// Does work on whole images away from the threads that answer; a few at a time.
pub async fn work<T: Send + 'static>(
    app: &Shared,
    job: impl FnOnce(&App) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    in_lane(app, Lane::Picture, job).await
}

/// The same for what only looks at files and lists them.
pub async fn light<T: Send + 'static>(
    app: &Shared,
    job: impl FnOnce(&App) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    in_lane(app, Lane::Light, job).await
}

/// The same for work on many images.
pub async fn bulk<T: Send + 'static>(
    app: &Shared,
    job: impl FnOnce(&App) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    in_lane(app, Lane::Bulk, move |app: &App| app.bulk.install(|| job(app))).await
}

async fn in_lane<T: Send + 'static>(
    app: &Shared,
    lane: Lane,
    job: impl FnOnce(&App) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let gone =
        || Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "this failed inside Sorby; see the terminal");
    let permit = app.lanes[lane as usize].clone().acquire_owned().await.map_err(|_| gone())?;
    let app = app.clone();
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        job(&app)
    })
    .await
    .map_err(|_| gone())?
}
