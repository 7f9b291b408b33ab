//! The sheet of docs/synthetic.md: five pictures of each family, the first two by a mild camera, the others by a wide one.
//!
//! `cargo run -p sorby-data --example synthetic_sheet -- docs/pictures/synthetic.jpg`

use image::codecs::jpeg::JpegEncoder;
use image::{GrayImage, imageops};
use sorby_data::synth::{CameraRange, Family, Kind, make};

/// Edge of a picture in pixels.
const TILE: usize = 160;
const PER_FAMILY: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = std::env::args().nth(1).ok_or("name the picture to write: synthetic_sheet OUT.jpg")?;
    let rows = Family::ALL.len() / 2;
    let mut sheet = GrayImage::new((2 * PER_FAMILY * TILE) as u32, (rows * TILE) as u32);
    for (place, family) in Family::ALL.into_iter().enumerate() {
        for index in 0..PER_FAMILY {
            let range = if index < 2 { CameraRange::MILD } else { CameraRange::WIDE };
            let made = make(Kind::Family(family, range), TILE, TILE, 0, index as u64);
            let tile = GrayImage::from_raw(TILE as u32, TILE as u32, made.pixels).ok_or("no picture")?;
            // Six families on the left, six on the right, a row each.
            let (column, row) = (place / rows * PER_FAMILY + index, place % rows);
            imageops::replace(&mut sheet, &tile, (column * TILE) as i64, (row * TILE) as i64);
        }
    }
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 80).encode_image(&sheet)?;
    std::fs::write(out, bytes)?;
    Ok(())
}
