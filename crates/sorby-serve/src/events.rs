//! What happens, told to every open page as server-sent events.

use crate::app::Shared;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use serde_json::json;
use sorby_train::RunFile;
use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// `GET /api/events`.
pub async fn stream(State(app): State<Shared>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = futures_util::stream::unfold(app.events.subscribe(), |mut events| async {
        let text = match events.recv().await {
            Ok(text) => text,
            // A page that was too slow looks at everything again.
            Err(RecvError::Lagged(_)) => json!({"kind": "project"}).to_string(),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(Event::default().data(text)), events))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Tells of runs whose curves have grown, whoever trains them.
pub async fn watch(app: Shared) {
    let mut seen: HashMap<String, (u64, u64)> = HashMap::new();
    loop {
        tokio::time::sleep(Duration::from_millis(1000)).await;
        if app.events.receiver_count() == 0 {
            continue;
        }
        for run in app.project.folders("runs") {
            let root = app.project.root.join("runs").join(&run);
            let size = |file: RunFile| {
                sorby_image::files::open(&file.path_in(&root))
                    .and_then(|f| f.metadata())
                    .map_or(0, |m| m.len())
            };
            let now = (size(RunFile::Metrics), size(RunFile::Validation));
            let before = seen.insert(run.clone(), now);
            if before.is_some_and(|b| b != now) {
                app.tell(
                    json!({"kind": "run", "name": run, "validated": before.is_some_and(|b| b.1 != now.1)}),
                );
            }
        }
    }
}
