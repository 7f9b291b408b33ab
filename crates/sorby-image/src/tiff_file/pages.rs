//! Whether a TIFF holds one picture: pages, pictures in sub-directories, and stacks behind a single directory.

use super::layout::{Layout, Tags, compression};
use crate::ImageError;
use std::collections::HashSet;
use std::path::Path;
use tiff::decoder::ifd::Value;
use tiff::tags::{IfdPointer, Tag};

/// Directories that are looked at; a stack is known for one long before.
const MOST_PAGES: usize = 1000;

/// Goes to the picture of a file that begins with thumbnails of it; else stays at the first.
pub(crate) fn seek_picture(tags: &mut Tags) {
    let mut most_pixels = 0;
    for _ in 0..MOST_PAGES {
        let pixels = tags.dimensions().map_or(0, |(width, height)| u64::from(width) * u64::from(height));
        let mut number = |tag| tags.find_tag_unsigned::<u64>(tag).ok().flatten().unwrap_or(0);
        // Bit 0: a reduced copy. The older tag says 2 for it.
        if number(Tag::NewSubfileType) & 1 == 0 && number(Tag::SubfileType) != 2 {
            if pixels > most_pixels {
                return;
            }
            break;
        }
        most_pixels = most_pixels.max(pixels);
        if !tags.more_images() || tags.next_image().is_err() {
            break;
        }
    }
    // It was there before.
    let _ = tags.seek_to_image(0);
}

/// Refuses files with several pictures: which one is meant cannot be guessed. Thumbnails do not count.
pub(super) fn require_one(path: &Path, layout: &Layout, mut tags: Tags) -> Result<(), ImageError> {
    let stored_bytes =
        crate::files::open(path).and_then(|f| f.metadata()).map_err(|e| ImageError::io(path, e))?.len();
    let stacked = in_one_directory(layout, &mut tags, stored_bytes);
    let pictures = stacked.max(1 + further_pictures(layout, &mut tags));
    if pictures == 1 {
        return Ok(());
    }
    let reason = format!("holds {pictures} pictures; save the one that is meant as a file of its own");
    Err(ImageError::unreadable(path, reason))
}

/// Pictures in the directories behind the first, and in its sub-directories.
fn further_pictures(layout: &Layout, tags: &mut Tags) -> u64 {
    let first = tags.image_ifd();
    let mut waiting: Vec<IfdPointer> = first.directory().next().into_iter().collect();
    let inner = tags.find_tag(Tag::SubIfd).ok().flatten();
    let numbers = |v: Value| v.into_u64_vec().map(|list| list.into_iter().map(IfdPointer).collect());
    let inner = inner.and_then(|v| v.clone().into_ifd_vec().or_else(|_| numbers(v)).ok());
    waiting.extend(inner.unwrap_or_default().into_iter().take(MOST_PAGES));
    let mut seen = HashSet::new();
    let mut pictures = 0;
    // Damaged chains of pages end where they cannot be followed.
    while let Some(pointer) = waiting.pop() {
        if seen.len() >= MOST_PAGES || !seen.insert(pointer.0) {
            continue;
        }
        let Ok(directory) = tags.read_directory(pointer) else { continue };
        waiting.extend(directory.next());
        let mut entries = tags.read_directory_tags(&directory);
        let mut number = |tag| entries.find_tag_unsigned::<u64>(tag).ok().flatten().unwrap_or(0);
        let (width, height) = (number(Tag::ImageWidth), number(Tag::ImageLength));
        // Bit 0: a reduced copy; bit 2: a mask of the picture. The older tag says 2 for a reduced copy.
        let marked = number(Tag::NewSubfileType) & 0b101 != 0 || number(Tag::SubfileType) == 2;
        let small = width <= layout.width as u64 / 2 && height <= layout.height as u64 / 2;
        pictures += u64::from(width > 0 && height > 0 && !marked && !small);
        // A copy that is larger than the picture: the picture is the copy.
        pictures += u64::from(marked && width > layout.width as u64 && height > layout.height as u64);
    }
    pictures
}

/// Pictures behind the first directory itself: MetaMorph, ImageJ and tifffile write stacks so, and volumes have a depth.
fn in_one_directory(layout: &Layout, tags: &mut Tags, stored_bytes: u64) -> u64 {
    const DEPTH: u16 = 32997;
    const METAMORPH: u16 = 33629;
    let tag = |tag| Tag::from_u16_exhaustive(tag);
    let depth = tags.find_tag_unsigned::<u64>(tag(DEPTH)).ok().flatten().unwrap_or(1);
    let metamorph = tags.image_ifd().find_entry(tag(METAMORPH)).map_or(1, |entry| entry.count());
    let description = tags.get_tag_ascii_string(Tag::ImageDescription).unwrap_or_default();
    let picture_bytes =
        (layout.width * layout.samples * layout.bits as usize).div_ceil(8) as u64 * layout.height as u64;
    // A page saved alone may keep the description of its stack: the pictures must be there, too.
    let fits = |pictures: u64| {
        let first = layout.places.first().map_or(0, |place| place.0);
        let end = pictures.checked_mul(picture_bytes).and_then(|bytes| bytes.checked_add(first));
        layout.compression == compression::NONE && end.is_some_and(|end| end <= stored_bytes)
    };
    let described = imagej(&description).or_else(|| tifffile(&description, layout));
    depth.max(metamorph).max(described.filter(|n| fits(*n)).unwrap_or(1))
}

/// `images=12` in the lines that ImageJ writes.
fn imagej(description: &str) -> Option<u64> {
    let lines = description.strip_prefix("ImageJ=")?.lines();
    lines.filter_map(|line| line.strip_prefix("images=")?.trim().parse().ok()).next()
}

/// `{"shape": [12, 96, 128]}`: the pictures are what is left of the shape without the picture's own numbers.
fn tifffile(description: &str, layout: &Layout) -> Option<u64> {
    let inside = description.split_once("\"shape\":")?.1.trim_start().strip_prefix('[')?.split_once(']')?.0;
    let sizes = inside.split(',').map(|n| n.trim().parse::<u64>().ok());
    let all = sizes.collect::<Option<Vec<_>>>()?.into_iter().try_fold(1u64, u64::checked_mul)?;
    let own = (layout.width * layout.height * layout.samples) as u64;
    (all > own && all % own == 0).then(|| all / own)
}
