//! TIFF files, of every kind that microscopes and other programs write. The `tiff` crate reads the tags; the pixels are
//! read here, chunk by chunk, because it lacks palettes, planes in tiles, reversed bits, odd depths and colour JPEG.

mod chunks;
mod facts;
mod jpeg;
mod layout;
mod pages;
mod picture;
mod stored;
mod values;

pub(crate) use facts::alpha;
pub(crate) use layout::{Layout, declared_bytes, is_tiff, size};
pub(crate) use pages::seek_picture;
pub(crate) use picture::micrograph;
pub(crate) use stored::{colours, stored};
