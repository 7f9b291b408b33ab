//! What a file stores, as against what is made of it to be shown or learnt from: the values themselves, and a hash
//! that says whether two images are the same pixels.

use crate::{ImageError, Micrograph, Pixels, read};
use std::path::Path;

impl Micrograph {
    /// BLAKE3 of the stored pixels: of their kind, the size and every value, not of a copy in 8 bits. Files of other
    /// formats or names that hold the same pixels have the same hash.
    pub fn pixels_blake3(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(self.width as u64).to_le_bytes()).update(&(self.height as u64).to_le_bytes());
        match &self.pixels {
            Pixels::Grey8(p) => hasher.update(b"grey8").update(p),
            Pixels::Rgb8(p) => hasher.update(b"rgb8").update(p),
            Pixels::Grey16(p) => words(hasher.update(b"grey16"), p, |v| v.to_le_bytes()),
            Pixels::Rgb16(p) => words(hasher.update(b"rgb16"), p, |v| v.to_le_bytes()),
            Pixels::Float(p) => words(hasher.update(b"float"), p, |v| v.to_le_bytes()),
        };
        hasher.finalize().to_hex().to_string()
    }

    /// Reads a picture with the numbers that its file stores: floats within 0..1 stay so, which [`Micrograph::read`] gives
    /// 16 bits.
    ///
    /// # Errors
    /// As [`Micrograph::read`].
    pub fn read_stored(path: &Path) -> Result<Self, ImageError> {
        Ok(read::numbers(path)?.0)
    }

    /// The value of a pixel (by its place in the image, row by row): 0..255, 0..65535, or a number of a floating-point or
    /// signed file.
    pub fn value(&self, pixel: usize, channel: usize) -> f64 {
        let at = pixel * self.channels() + channel;
        match &self.pixels {
            Pixels::Grey8(p) | Pixels::Rgb8(p) => p[at].into(),
            Pixels::Grey16(p) | Pixels::Rgb16(p) => p[at].into(),
            Pixels::Float(p) => p[at].into(),
        }
    }
}

/// Feeds values to a hash in blocks, so that large images are not there twice.
fn words<'a, T: Copy, const N: usize>(
    hasher: &'a mut blake3::Hasher,
    values: &[T],
    bytes: impl Fn(T) -> [u8; N],
) -> &'a mut blake3::Hasher {
    let mut block = Vec::with_capacity(N << 14);
    for part in values.chunks(1 << 14) {
        block.clear();
        part.iter().for_each(|v| block.extend(bytes(*v)));
        hasher.update(&block);
    }
    hasher
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(pixels: Pixels) -> Micrograph {
        Micrograph { width: 2, height: 1, pixels }
    }

    #[test]
    fn a_hash_sees_every_bit_the_kind_and_the_size() {
        let dark = image(Pixels::Grey16(vec![256, 512]));
        let all = [
            dark.clone(),
            image(Pixels::Grey16(vec![256, 513])),
            image(Pixels::Grey8(vec![1, 2])),
            image(Pixels::Float(vec![1.0, 2.0])),
            image(Pixels::Float(vec![1.0, 2.0 + 1e-6])),
            Micrograph { width: 1, height: 2, pixels: dark.pixels.clone() },
        ];
        let hashes: std::collections::BTreeSet<String> = all.iter().map(Micrograph::pixels_blake3).collect();
        assert_eq!(hashes.len(), all.len());
        assert_eq!(dark.pixels_blake3(), dark.clone().pixels_blake3());
        // 513 and 512 are the same in 8 bits: such a copy would not have seen the change.
        assert_eq!(all[0].to_grey8(), all[1].to_grey8());
    }

    #[test]
    fn stored_values_are_those_of_the_file() {
        assert_eq!(image(Pixels::Grey16(vec![2000, 4095])).value(1, 0), 4095.0);
        let rgb = image(Pixels::Rgb8(vec![1, 2, 3, 4, 5, 6]));
        assert_eq!((rgb.value(1, 0), rgb.value(1, 2)), (4.0, 6.0));
        assert_eq!(image(Pixels::Float(vec![-7.5, 3e6])).value(0, 0), -7.5);
    }
}
