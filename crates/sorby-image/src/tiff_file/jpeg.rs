//! Strips and tiles that are JPEG pictures.

use super::chunks::{self, INCOMPLETE, damaged};
use super::layout::{Layout, photometric};
use crate::jpeg_complete;
use std::fs::File;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// All samples; luminance and chrominance become red, green and blue.
pub(super) fn read(layout: &Layout, file: &mut File, count: usize) -> Result<Vec<u8>, String> {
    if layout.bits != 8 {
        return Err(format!(
            "is a JPEG of {} bits; save it without compression, or with LZW or deflate",
            layout.bits
        ));
    }
    let (chunk_width, chunk_height) = layout.chunk;
    let together = layout.samples_in_chunk();
    let across = layout.width.div_ceil(chunk_width);
    let per_plane = across * layout.height.div_ceil(chunk_height);
    let mut out = vec![0; count];
    for index in 0..per_plane * if layout.planes { layout.samples } else { 1 } {
        let (plane, place) = (index / per_plane, index % per_plane);
        let (top, left) = (place / across * chunk_height, place % across * chunk_width);
        let rows = chunk_height.min(layout.height - top);
        let columns = chunk_width.min(layout.width - left);
        let picture = whole(layout, chunks::stored(layout, file, index)?)?;
        jpeg_complete::require_complete(&picture)?;
        let (pixels, width, height) = decode(layout, &picture)?;
        if width != chunk_width || height < rows || pixels.len() != width * height * together {
            return Err(INCOMPLETE.into());
        }
        for (y, row) in pixels.chunks_exact(width * together).take(rows).enumerate() {
            let start = ((top + y) * layout.width + left) * layout.samples + plane;
            for (x, pixel) in row.chunks_exact(together).take(columns).enumerate() {
                out[start + x * layout.samples..][..together].copy_from_slice(pixel);
            }
        }
    }
    Ok(out)
}

/// A chunk as a file of its own: tables that all chunks share come before its own segments.
fn whole(layout: &Layout, chunk: Vec<u8>) -> Result<Vec<u8>, String> {
    const START: [u8; 2] = [0xff, 0xd8];
    const END: [u8; 2] = [0xff, 0xd9];
    let own = chunk.strip_prefix(&START).ok_or(INCOMPLETE)?;
    match &layout.jpeg_tables {
        Some(tables) => {
            let tables = tables.strip_suffix(&END).filter(|t| t.starts_with(&START)).ok_or(INCOMPLETE)?;
            Ok([tables, own].concat())
        }
        None => Ok(chunk),
    }
}

fn decode(layout: &Layout, picture: &[u8]) -> Result<(Vec<u8>, usize, usize), String> {
    let most = DecoderOptions::default().set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(picture), most);
    decoder.decode_headers().map_err(damaged)?;
    let stored = decoder.input_colorspace().ok_or(INCOMPLETE)?;
    if layout.photometric == photometric::YCBCR && stored != ColorSpace::YCbCr {
        return Err("its tags and its JPEG data disagree about colour; save it as PNG".into());
    }
    // What the tags say is what the numbers are: the decoder does not change them.
    decoder.set_options(most.jpeg_set_out_colorspace(stored));
    let mut pixels = decoder.decode().map_err(damaged)?;
    if layout.photometric == photometric::YCBCR {
        pixels.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&rgb(pixel)));
    }
    let (width, height) = decoder.dimensions().ok_or(INCOMPLETE)?;
    Ok((pixels, width, height))
}

/// Red, green and blue of luminance and chrominance (JFIF, ITU-R BT.601 of full range).
fn rgb(pixel: &[u8]) -> [u8; 3] {
    let [y, blue, red] = [f32::from(pixel[0]), f32::from(pixel[1]) - 128.0, f32::from(pixel[2]) - 128.0];
    [y + 1.402 * red, y - 0.344_136 * blue - 0.714_136 * red, y + 1.772 * blue].map(|v| v.round() as u8)
}
