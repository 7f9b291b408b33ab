//! Connections: how many are held, and for how long each may say nothing. Visitors beyond that are told so instead of
//! being left without an answer.

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Time for the head of a request, also of the next one on a connection that is kept.
const HEAD: Duration = Duration::from_secs(10);
/// How long a new visitor waits for the place of another.
const WAIT: Duration = Duration::from_secs(2);
/// Most connections, however many files the system would allow.
const MOST: usize = 2048;
/// Visitors that are being told that there is no place.
const REFUSED: usize = 8;

/// Connections for which the system's limit of open files has room, with a quarter left for files and child processes.
fn places(open_files: Option<usize>) -> usize {
    let limit = open_files.unwrap_or(256);
    (limit * 3 / 4).saturating_sub(16).clamp(8, MOST)
}

/// The limit of open files of this process (Linux).
fn open_files() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Answers until the future is dropped.
pub async fn open(listener: TcpListener, router: Router) {
    let (held, refusing) =
        (Arc::new(Semaphore::new(places(open_files()))), Arc::new(Semaphore::new(REFUSED)));
    // Kept so that one more visitor can be answered when the system gives no more files.
    let mut spare = spare_file();
    let mut stuck = false;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => match place(&held, stuck).await {
                Some(place) => {
                    stuck = false;
                    tokio::spawn(converse(stream, router.clone(), place));
                }
                None => {
                    stuck = true;
                    if let Ok(one) = refusing.clone().try_acquire_owned() {
                        tokio::spawn(async move {
                            refuse(stream).await;
                            drop(one);
                        });
                    }
                }
            },
            Err(_) => {
                drop(spare.take());
                if let Ok(Ok((stream, _))) = tokio::time::timeout(HEAD / 50, listener.accept()).await {
                    refuse(stream).await;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
                spare = spare_file();
            }
        }
    }
}

fn spare_file() -> Option<std::fs::File> {
    std::fs::File::open(if cfg!(windows) { "NUL" } else { "/dev/null" }).ok()
}

/// A place for a connection; waited for unless the last visitor waited in vain.
async fn place(held: &Arc<Semaphore>, stuck: bool) -> Option<OwnedSemaphorePermit> {
    if stuck {
        return held.clone().try_acquire_owned().ok();
    }
    tokio::time::timeout(WAIT, held.clone().acquire_owned()).await.ok()?.ok()
}

async fn converse(stream: TcpStream, router: Router, place: OwnedSemaphorePermit) {
    // Small answers must not wait to be joined with later ones.
    let _ = stream.set_nodelay(true);
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    // A visitor that went away, or was too slow, is no fault of ours.
    let _ = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await;
    drop(place);
}

/// Tells a visitor that there is no place. What it has sent is read first: closing with unread bytes would destroy the
/// answer on its way.
async fn refuse(mut stream: TcpStream) {
    const BODY: &str = r#"{"error":"too many connections at once; try again in a few seconds"}"#;
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: {}\r\nRetry-After: 5\r\n\
         Connection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    let tell = async {
        let mut sent = [0; 8192];
        let _ = tokio::time::timeout(Duration::from_millis(200), stream.read(&mut sent)).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        // Until the other side has seen it.
        while stream.read(&mut sent).await.is_ok_and(|n| n > 0) {}
    };
    let _ = tokio::time::timeout(Duration::from_millis(500), tell).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_open_files_is_left_for_work() {
        assert_eq!(places(Some(64)), 32);
        assert_eq!(places(Some(1024)), 752);
        assert_eq!(places(Some(1 << 20)), MOST);
        assert_eq!(places(Some(8)), 8);
        assert!(!cfg!(target_os = "linux") || open_files().is_some());
    }
}
