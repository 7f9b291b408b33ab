//! A project folder as a web page on this machine. The truth stays in plain files: labels, runs, predictions and
//! reports are those that the other verbs read and write, and long work is done by the program's own verbs as child
//! processes.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod app;
mod asked;
mod bodies;
mod coding;
mod data_set;
mod disposal;
mod door;
mod draft;
mod error;
mod events;
mod files;
mod gallery;
mod guard;
mod jobs;
mod labels;
mod lock;
mod lot_images;
mod measure;
mod memory;
mod next;
mod pictures;
mod predictions;
mod project;
mod renaming;
mod routes;
mod routine;
mod routine_verbs;
mod runs;
mod scales;
mod sketches;
mod studies;
mod tiles;
mod upload;
mod verbs;
mod versions;
mod work;
mod zipped;

pub use error::Refusal;
pub use next::{Suggestion, suggestions};
pub use project::Project;
pub use verbs::{JobRules, ObjectChoice, Verb};

use anyhow::Context as _;
use sorby::Program;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The environment variable that a token can be given in.
pub const TOKEN_VARIABLE: &str = "SORBY_TOKEN";

/// What visitors have to know.
pub enum Token {
    /// A new one of 128 random bits.
    Random,
    /// This one, which the user chose.
    Given(String),
    /// Everybody who reaches the address may read and write the project.
    None,
}

/// What to serve, and to whom.
pub struct Settings {
    /// The project's folder.
    pub project: PathBuf,
    /// The program whose verbs do the work.
    pub program: Program,
    /// Where connections are taken.
    pub address: SocketAddr,
    /// What visitors have to know.
    pub token: Token,
    /// Trainings that run at once; others wait.
    pub trainings: usize,
    /// Threads of each job; `None`: as many as the job finds right.
    pub threads: Option<usize>,
}

/// Serves until Ctrl-C. `ready` is told the address to open.
///
/// # Errors
/// When the folder is no project, another process serves it, or the address cannot be had.
pub fn serve(settings: Settings, ready: impl FnOnce(&str)) -> anyhow::Result<()> {
    let project = Project::open(&settings.project)?;
    let _lock = project.lock()?;
    if let Err(refusal) = project.tidy() {
        eprintln!("warning: {}", refusal.what);
    }
    let token = match settings.token {
        Token::Random => Some(guard::random_token()?),
        Token::Given(token) => Some(token),
        Token::None => None,
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(settings.address)
            .await
            .with_context(|| format!("{}: cannot be listened to; choose another --port", settings.address))?;
        let address = listener.local_addr()?;
        let guard = guard::Guard::new(address, token.as_deref())?;
        let app = app::App::new(project, settings.program, guard, (settings.trainings, settings.threads))?;
        let query = token.map_or(String::new(), |t| format!("?token={t}"));
        ready(&format!("http://{address}/{query}"));
        let watcher = tokio::spawn(events::watch(app.clone()));
        tokio::select! {
            () = door::open(listener, routes::router(app.clone())) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        // Pages hold their stream of events open; nobody waits for them. What is being saved is saved.
        app.jobs.stop_all();
        watcher.abort();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        Ok(())
    });
    // What is being written gets its time; a long measurement does not.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    served
}
