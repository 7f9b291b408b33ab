//! One object as a picture.

use crate::components::Run;

/// The box of an object with a margin of one pixel all around: 1 inside, 0 outside.
pub(crate) struct Raster {
    /// Place of the box, without its margin, in the image.
    pub left: u32,
    pub top: u32,
    /// Pixels to a row, margin included.
    pub width: usize,
    pub pixels: Vec<u8>,
}

impl Raster {
    pub fn of(runs: &[Run]) -> Self {
        let (mut left, mut right) = (u32::MAX, 0);
        runs.iter().for_each(|r| (left, right) = (left.min(r.x_start), right.max(r.x_end)));
        let (top, bottom) = (runs[0].y, runs[runs.len() - 1].y);
        let width = (right - left) as usize + 2;
        let mut pixels = vec![0; width * ((bottom - top) as usize + 3)];
        for r in runs {
            let start = ((r.y - top) as usize + 1) * width + 1 + (r.x_start - left) as usize;
            pixels[start..start + (r.x_end - r.x_start) as usize].fill(1);
        }
        Self { left, top, width, pixels }
    }

    pub fn height(&self) -> usize {
        self.pixels.len() / self.width
    }
}
