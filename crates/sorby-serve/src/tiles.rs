//! Pieces of images for the viewer, and small pictures for the gallery.

use crate::app::{Shared, work};
use crate::error::{Answer, Refusal};
use crate::pictures::{Layer, TILE_PX};
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use sorby_image::files;
use std::time::UNIX_EPOCH;

/// Edge of the gallery's pictures in pixels.
const SMALL_PX: usize = 320;
/// The page asks with the file's version in the address: what it got once stays right.
const KEPT: &str = "private, max-age=86400, immutable";

/// `GET /api/images/{name}/tiles/{layer}/{x}/{y}`: a tile of a layer, 0 the image itself, 1 its half, ...
pub async fn tile(
    State(app): State<Shared>,
    Path((name, layer, x, y)): Path<(String, usize, usize, usize)>,
) -> Answer<Response> {
    work(&app, move |app| {
        let picture = app.picture(&name)?;
        let none = || Refusal::not_found("no such tile");
        let layer = picture.layers.get(layer).ok_or_else(none)?;
        let corner = (x.checked_mul(TILE_PX).ok_or_else(none)?, y.checked_mul(TILE_PX).ok_or_else(none)?);
        let tile = layer.cut(picture.channels, corner, (TILE_PX, TILE_PX)).ok_or_else(none)?;
        Ok(png(&encode(&tile, picture.channels)?))
    })
    .await
}

/// `GET /api/images/{name}/grey`: all grey values, a byte each, row by row.
pub async fn grey(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Response> {
    work(&app, move |app| {
        let bytes = app.picture(&name)?.grey();
        Ok(([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
    })
    .await
}

/// `GET /api/images/{name}/small`: a small picture, kept in `.sorby/small`.
pub async fn small(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Response> {
    work(&app, move |app| {
        let (_, entry) = app.project.entry(&name)?;
        let about = files::open(&entry.image).and_then(|f| f.metadata());
        let about = about.map_err(|_| Refusal::not_found("the image is gone"))?;
        let changed =
            about.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        let key = format!("{} {} {}", entry.image.display(), changed.as_nanos(), about.len());
        let file = format!("{}.png", blake3::hash(key.as_bytes()).to_hex());
        let place = app.project.root.join(".sorby").join("small").join(file);
        if let Ok(bytes) = files::read(&place) {
            return Ok(png(&bytes));
        }
        // Not by way of the kept images: a gallery would push out the one that is worked on.
        let _share = app.project.memory.for_image(&entry.image)?;
        let image = sorby_image::Micrograph::read(&entry.image)?;
        let longest = image.width.max(image.height).max(1);
        let (width, height) = if longest > SMALL_PX {
            let part = |n: usize| (n * SMALL_PX / longest).max(1);
            (part(image.width), part(image.height))
        } else {
            (image.width, image.height)
        };
        let grey = image.to_grey8();
        let bytes = shrink(&grey, (image.width, image.height), (width, height));
        let bytes = encode(&Layer { width, height, bytes }, 1)?;
        // A project that cannot be written to can be looked at all the same.
        let _ = sorby_image::write::atomically(&place, &bytes);
        Ok(png(&bytes))
    })
    .await
}

/// Means over the boxes that new pixels cover.
fn shrink(grey: &[u8], (width, height): (usize, usize), (w, h): (usize, usize)) -> Vec<u8> {
    let mut out = Vec::with_capacity(w * h);
    for y in 0..h {
        let rows = y * height / h..((y + 1) * height / h).max(y * height / h + 1);
        for x in 0..w {
            let columns = x * width / w..((x + 1) * width / w).max(x * width / w + 1);
            let pixels = (rows.len() * columns.len()) as u32;
            let sum: u32 = rows
                .clone()
                .map(|r| grey[r * width..][columns.clone()].iter().map(|v| u32::from(*v)).sum::<u32>())
                .sum();
            out.push(((sum + pixels / 2) / pixels) as u8);
        }
    }
    out
}

/// A PNG written in a hurry: it goes no further than this machine.
pub fn encode(layer: &Layer, channels: usize) -> Answer<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, layer.width as u32, layer.height as u32);
    encoder.set_color(if channels == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb });
    encoder.set_compression(png::Compression::Fast);
    let written = encoder.write_header().and_then(|mut w| w.write_image_data(&layer.bytes));
    written.map_err(|e| Refusal::bad(e.to_string()))?;
    Ok(bytes)
}

fn png(bytes: &[u8]) -> Response {
    ([(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, KEPT)], bytes.to_vec()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pictures_are_means_of_boxes() {
        assert_eq!(shrink(&[0, 10, 20, 30, 40, 50, 60, 70], (4, 2), (2, 1)), [25, 45]);
        assert_eq!(shrink(&[1, 2, 3], (3, 1), (2, 1)), [1, 3]);
    }
}
