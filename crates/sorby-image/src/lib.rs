//! Pixels in and out: micrographs, label maps, resizing, and writing files without half-written ones.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod array;
mod data_bar;
mod error;
pub mod files;
pub mod folders;
mod grey_range;
mod guard;
pub mod held;
mod integers;
mod jpeg_complete;
mod label_file;
mod label_map;
pub mod lock;
mod mask_note;
mod micrograph;
mod names;
pub mod new_folder;
mod ome_tiff;
mod orientation;
mod own;
mod picture;
mod pixel_values;
mod png_chunks;
mod read;
pub mod resize;
pub mod scale;
mod shot;
mod stored;
mod text;
mod tiff_file;
pub mod union_find;
pub mod write;

pub use array::{ArrayError, ArrayValues};
pub use data_bar::{DataBar, ScaleBar};
pub use error::{ImageError, OneLine};
pub use grey_range::{GreyRange, GreyRangeError, spanned_share};
pub use integers::Integers;
pub use label_file::{LabelFile, LabelValues};
pub use label_map::{IGNORE, LabelMap, RawLabels};
pub use mask_note::{ImagePart, MaskNote, Origin, supersedes};
pub use micrograph::{Micrograph, Pixels};
pub use names::{composed, parent_of};
pub use new_folder::NewFolder;
pub use ome_tiff::{OmePixels, OmeTiff};
pub use own::{
    CHECK_TITLE, CONFIG_MARK, OutputKind, PACKAGE_MARK, PAGE_GENERATOR, STATE_DICT_MARK, require_replaceable,
};
pub use read::{decoded_bytes, dimensions, is_turned};
pub use scale::agreement::{KnownScale, Said, ScaleClaim, ScaleError};
pub use shot::Shot;
pub use text::is_strange;

/// File name endings of images that can be read.
pub const EXTENSIONS: [&str; 6] = ["png", "tif", "tiff", "jpg", "jpeg", "bmp"];

/// Whether a path looks like a readable image.
pub fn is_image(path: &std::path::Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_ascii_lowercase();
    EXTENSIONS.contains(&extension.as_str())
}
