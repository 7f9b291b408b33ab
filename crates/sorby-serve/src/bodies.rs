//! Bodies are admitted before they are held: by their length, while there is room for them, and for as long as they keep
//! coming.

use crate::app::Shared;
use crate::error::Refusal;
use crate::gallery::UPLOAD_BYTES;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Largest body but for uploads, labels and strokes.
const SMALL_BYTES: usize = 1 << 20;
/// Largest label on its way, compressed.
const LABEL_BYTES: usize = 64 << 20;
/// Small bodies held at once.
const SMALL_ROOM: usize = 64 << 20;
/// Large bodies held at once, where memory allows as much.
const LARGE_ROOM: usize = 1 << 30;
/// How long a body waits for room.
const WAIT: Duration = Duration::from_secs(60);
/// Nothing may come for so long.
const SILENCE: Duration = Duration::from_secs(20);
/// A body must come at this rate at least, after a start without haste.
const SLOWEST_BYTES_PER_S: u64 = 10_000;
const START: Duration = Duration::from_secs(30);

/// Room for bodies, counted in kilobytes.
pub struct Room {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
    large_bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        let quarter = sorby_train::available_bytes().map_or(LARGE_ROOM, |free| (free / 4) as usize);
        Self::new(quarter.min(LARGE_ROOM))
    }
}

impl Room {
    fn new(large_bytes: usize) -> Self {
        let of = |bytes: usize| Arc::new(Semaphore::new(bytes >> 10));
        Self { small: of(SMALL_ROOM), large: of(large_bytes), large_bytes }
    }

    /// A place for a body of so many bytes.
    async fn place(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        if bytes > self.large_bytes {
            let (mb, room) = (bytes.div_ceil(1 << 20), self.large_bytes >> 20);
            let what =
                format!("{mb} MB are more than fits into the memory that is free ({room} MB for this)");
            return Err(Refusal::new(StatusCode::INSUFFICIENT_STORAGE, what));
        }
        let room = if bytes <= SMALL_BYTES { &self.small } else { &self.large };
        let kilobytes = (bytes >> 10) as u32 + 1;
        let full =
            || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "many large files are on their way; try again");
        let place = tokio::time::timeout(WAIT, room.clone().acquire_many_owned(kilobytes)).await;
        place.map_err(|_| full())?.map_err(|_| full())
    }
}

/// The most that an address takes.
fn limit(path: &str) -> usize {
    match path {
        "/api/images" => UPLOAD_BYTES,
        _ if path.starts_with("/api/lots-in/") => UPLOAD_BYTES,
        _ if ["/label", "/draft", "/sketch"].iter().any(|end| path.ends_with(end)) => LABEL_BYTES,
        _ => SMALL_BYTES,
    }
}

/// The length that a request says its body has; without one, all that might come.
fn length(headers: &HeaderMap, limit: usize) -> Result<usize, Refusal> {
    if headers.contains_key(TRANSFER_ENCODING) {
        return Ok(limit);
    }
    match headers.get(CONTENT_LENGTH) {
        Some(value) => {
            let length = value.to_str().ok().and_then(|t| t.parse::<u64>().ok());
            let length = length.ok_or_else(|| Refusal::bad("Content-Length is no number"))?;
            if length > limit as u64 { Err(too_large(limit)) } else { Ok(length as usize) }
        }
        None => Ok(0),
    }
}

fn too_large(limit: usize) -> Refusal {
    let what = format!("at most {} MB can be sent here", limit >> 20);
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, what)
}

pub async fn admit(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let limit = limit(request.uri().path());
    let length = match length(request.headers(), limit) {
        Ok(0) => return next.run(request).await,
        Ok(length) => length,
        Err(refusal) => return refusal.into_response(),
    };
    let place = match app.room.place(length).await {
        Ok(place) => place,
        Err(refusal) => return refusal.into_response(),
    };
    let (head, body) = request.into_parts();
    let response = match collect(body, length, limit).await {
        Ok(bytes) => next.run(Request::from_parts(head, Body::from(bytes))).await,
        Err(refusal) => refusal.into_response(),
    };
    drop(place);
    response
}

/// All bytes of a body, unless it is too long or too slow.
async fn collect(mut body: Body, length: usize, limit: usize) -> Result<Bytes, Refusal> {
    let slow = || Refusal::new(StatusCode::REQUEST_TIMEOUT, "what was sent came too slowly");
    let end = Instant::now() + START + Duration::from_secs(length as u64 / SLOWEST_BYTES_PER_S);
    let mut bytes = Vec::with_capacity(length.min(8 << 20));
    loop {
        let next = end.min(Instant::now() + SILENCE);
        match timeout_at(next, body.frame()).await {
            Err(_) => return Err(slow()),
            Ok(None) => return Ok(bytes.into()),
            Ok(Some(Err(_))) => return Err(Refusal::bad("what was sent is not complete")),
            Ok(Some(Ok(frame))) => {
                let Ok(data) = frame.into_data() else { continue };
                if bytes.len() + data.len() > limit {
                    return Err(too_large(limit));
                }
                bytes.extend_from_slice(&data);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_compared_with_what_an_address_takes() {
        let head = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            headers
        };
        assert_eq!(length(&head("content-length", "10"), 10).unwrap(), 10);
        assert_eq!(
            length(&head("content-length", "11"), 10).unwrap_err().status,
            StatusCode::PAYLOAD_TOO_LARGE
        );
        assert!(length(&head("content-length", "18446744073709551616"), 10).is_err());
        assert_eq!(length(&head("transfer-encoding", "chunked"), 10).unwrap(), 10, "may be all of it");
        assert_eq!(length(&HeaderMap::new(), 10).unwrap(), 0);
        assert_eq!(limit("/api/images/a/label"), LABEL_BYTES);
        assert_eq!(limit("/api/images"), UPLOAD_BYTES);
        assert_eq!(limit("/api/jobs"), SMALL_BYTES);
    }

    #[tokio::test]
    async fn large_bodies_wait_for_room_and_small_ones_do_not_wait_for_them() {
        let room = Room::new(10 << 20);
        assert_eq!(room.place(11 << 20).await.unwrap_err().status, StatusCode::INSUFFICIENT_STORAGE);
        let first = room.place(8 << 20).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(50), room.place(8 << 20)).await.is_err());
        assert!(room.place(1000).await.is_ok());
        drop(first);
        assert!(room.place(8 << 20).await.is_ok());
    }
}
