//! Images in memory, with their smaller copies.

use crate::error::{Answer, Refusal};
use crate::lock::lock;
use crate::memory::Memory;
use crate::scales::Seen;
use sorby_image::files::{self, FileState};
use sorby_image::{GreyRange, Micrograph, Pixels, Shot};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// One size of an image, 8 bits, grey or red green blue.
pub struct Layer {
    pub width: usize,
    pub height: usize,
    pub bytes: Vec<u8>,
}

/// An image and its halves, quarters, ... down to one tile.
pub struct Picture {
    pub channels: usize,
    /// Largest first.
    pub layers: Vec<Layer>,
    /// What the pixels as they are in the file say of scale and field.
    pub seen: Seen,
}

/// Edge of a tile in pixels.
pub const TILE_PX: usize = 512;
/// Images kept until they come to this much.
const KEPT_BYTES: usize = 600 << 20;

#[derive(PartialEq, Clone)]
struct Key(PathBuf, FileState);

/// The images last looked at.
#[derive(Default)]
pub struct Pictures {
    kept: Mutex<Vec<(Key, Arc<Picture>)>>,
    /// One image is read at a time: several windows of a viewer ask for the same at once.
    reading: Mutex<()>,
}

impl Pictures {
    pub fn get(&self, memory: &Memory, path: &Path) -> Answer<Arc<Picture>> {
        let state = files::state(path).map_err(|_| Refusal::not_found("the image is gone"))?;
        let key = Key(path.to_owned(), state);
        if let Some(found) = self.find(&key) {
            return Ok(found);
        }
        let _one = lock(&self.reading);
        if let Some(found) = self.find(&key) {
            return Ok(found);
        }
        let share = memory.for_image(path).or_else(|_| {
            // Images that are only kept for later make room first.
            lock(&self.kept).clear();
            memory.for_image(path)
        })?;
        let picture = Arc::new(Picture::read(path)?);
        drop(share);
        let mut kept = lock(&self.kept);
        kept.push((key, picture.clone()));
        let mut bytes: usize = kept.iter().map(|(_, p)| p.bytes()).sum();
        while bytes > KEPT_BYTES && kept.len() > 1 {
            bytes -= kept.remove(0).1.bytes();
        }
        Ok(picture)
    }

    /// The picture if it is there; it is then the last to go.
    fn find(&self, key: &Key) -> Option<Arc<Picture>> {
        let mut kept = lock(&self.kept);
        let place = kept.iter().position(|(k, _)| k == key)?;
        let entry = kept.remove(place);
        let picture = entry.1.clone();
        kept.push(entry);
        Some(picture)
    }
}

impl Picture {
    fn read(path: &Path) -> Answer<Self> {
        let image = Micrograph::read(path)?;
        // A screen shows 256 greys: of more, those that the image uses.
        let deep = matches!(image.pixels, Pixels::Grey16(_) | Pixels::Float(_));
        let range = if deep { GreyRange::Percentile } else { GreyRange::Full };
        let seen = Seen::of(path, &image);
        let plain = Shot::plain(image);
        let shown = &range.apply(&plain).map_err(|e| Refusal::bad(e.to_string()))?.into_owned().image;
        let (width, height, channels) = (shown.width, shown.height, shown.channels());
        let bytes = match &shown.pixels {
            Pixels::Grey8(p) | Pixels::Rgb8(p) => p.clone(),
            _ => shown.to_f32().iter().map(|v| v.round() as u8).collect(),
        };
        let mut layers = vec![Layer { width, height, bytes }];
        while let Some(last) = layers.last().filter(|l| l.width.max(l.height) > TILE_PX) {
            let next = last.half(channels);
            layers.push(next);
        }
        Ok(Self { channels, layers, seen })
    }

    fn bytes(&self) -> usize {
        self.layers.iter().map(|l| l.bytes.len()).sum()
    }

    pub fn size(&self) -> (usize, usize) {
        (self.layers[0].width, self.layers[0].height)
    }

    /// Grey values at full size.
    pub fn grey(&self) -> Vec<u8> {
        let full = &self.layers[0].bytes;
        match self.channels {
            1 => full.clone(),
            _ => Micrograph {
                width: self.layers[0].width,
                height: self.layers[0].height,
                pixels: Pixels::Rgb8(full.clone()),
            }
            .to_grey8(),
        }
    }
}

impl Layer {
    /// Half the size, each pixel the mean of up to four.
    fn half(&self, channels: usize) -> Self {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let mut bytes = Vec::with_capacity(width * height * channels);
        for y in 0..height {
            let (upper, lower) = (2 * y, (2 * y + 1).min(self.height - 1));
            for x in 0..width {
                let (left, right) = (2 * x, (2 * x + 1).min(self.width - 1));
                for c in 0..channels {
                    let at = |x: usize, y: usize| u16::from(self.bytes[(y * self.width + x) * channels + c]);
                    let sum = at(left, upper) + at(right, upper) + at(left, lower) + at(right, lower);
                    bytes.push(((sum + 2) / 4) as u8);
                }
            }
        }
        Self { width, height, bytes }
    }

    /// The part of `width` by `height` pixels at (x, y), cut off at the layer's edges.
    pub fn cut(
        &self,
        channels: usize,
        (x, y): (usize, usize),
        (width, height): (usize, usize),
    ) -> Option<Self> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let (width, height) = (width.min(self.width - x), height.min(self.height - y));
        let row = |y: usize| &self.bytes[(y * self.width + x) * channels..][..width * channels];
        let bytes = (y..y + height).flat_map(row).copied().collect();
        Some(Self { width, height, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_means_and_cuts_are_exact() {
        let layer = Layer { width: 3, height: 2, bytes: vec![10, 20, 5, 30, 40, 7] };
        let half = layer.half(1);
        assert_eq!((half.width, half.height, half.bytes.as_slice()), (2, 1, [25, 6].as_slice()));
        let cut = layer.cut(1, (1, 0), (9, 9)).unwrap();
        assert_eq!((cut.width, cut.height, cut.bytes.as_slice()), (2, 2, [20, 5, 40, 7].as_slice()));
        assert!(layer.cut(1, (3, 0), (1, 1)).is_none());
    }
}
