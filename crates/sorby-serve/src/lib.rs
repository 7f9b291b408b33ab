//! A project folder as a web page on this machine. The truth stays in plain files: labels, runs, predictions and
//! reports are those that the other verbs read and write, and long work is done by the program's own verbs as child
//! processes.

mod app;
mod draft;
mod error;
mod events;
mod files;
mod gallery;
mod guard;
mod jobs;
mod labels;
mod measure;
mod next;
mod page;
mod pictures;
mod predictions;
mod project;
mod runs;
mod scales;
mod studies;
mod tiles;
mod work;

pub use error::Refusal;
pub use next::{Suggestion, suggestions};
pub use project::Project;

use anyhow::Context as _;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What to serve, and to whom.
pub struct Settings {
    /// The project's folder.
    pub project: PathBuf,
    /// The program whose verbs do the work.
    pub program: PathBuf,
    pub address: SocketAddr,
    /// What a visitor has to know. Always asked for on addresses that other machines can reach.
    pub token: Option<String>,
}

/// Serves until Ctrl-C. `ready` is told the address to open.
///
/// # Errors
/// When the folder is no project, or the address cannot be had.
pub fn serve(settings: Settings, ready: impl FnOnce(&str)) -> anyhow::Result<()> {
    let project = Project::open(&settings.project)?;
    let token = match settings.token {
        Some(token) => Some(token),
        None if settings.address.ip().is_loopback() => None,
        None => Some(guard::random_token()?),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(settings.address)
            .await
            .with_context(|| format!("{}: cannot be listened to; choose another --port", settings.address))?;
        let address = listener.local_addr()?;
        let app = app::App::new(project, settings.program, guard::Guard::new(address, token.clone()));
        let query = token.map_or(String::new(), |t| format!("?token={t}"));
        ready(&format!("http://{address}/{query}"));
        let watcher = tokio::spawn(events::watch(app.clone()));
        let jobs = app.clone();
        axum::serve(listener, page::router(app))
            .with_graceful_shutdown(async move {
                let _ = tokio::signal::ctrl_c().await;
                // Pages hold their stream of events open; nobody waits for them.
                jobs.jobs.stop_all();
                watcher.abort();
                std::thread::spawn(|| {
                    std::thread::sleep(std::time::Duration::from_millis(300));
                    std::process::exit(0);
                });
            })
            .await?;
        Ok(())
    })
}
