//! Near-duplicates, pictures of the same place: the same file again, or saved anew, brightened, or cut a little.

/// A picture reduced to a grid of mean grey values about their mean, of unit length.
#[derive(Clone, Debug)]
pub struct Fingerprint(Vec<f32>);

/// Cells along each edge.
const GRID: usize = 24;
/// Fingerprints of one place correlate at least this much.
const SAME: f32 = 0.97;

impl Fingerprint {
    /// The fingerprint of an 8-bit grey picture, row-major; `None` for pictures too small or too flat to distinguish.
    ///
    /// # Panics
    /// When `grey` has fewer than `width * height` values.
    pub fn of(grey: &[u8], width: usize, height: usize) -> Option<Self> {
        if width < GRID || height < GRID {
            return None;
        }
        let mut cells: Vec<f32> = (0..GRID * GRID)
            .map(|i| {
                let (cx, cy) = (i % GRID, i / GRID);
                let (rows, columns) = (
                    cy * height / GRID..(cy + 1) * height / GRID,
                    cx * width / GRID..(cx + 1) * width / GRID,
                );
                let count = (rows.len() * columns.len()) as f32;
                let sum: u64 = rows
                    .map(|y| grey[y * width..][columns.clone()].iter().map(|&v| u64::from(v)).sum::<u64>())
                    .sum();
                sum as f32 / count
            })
            .collect();
        let mean = cells.iter().sum::<f32>() / cells.len() as f32;
        cells.iter_mut().for_each(|v| *v -= mean);
        let norm = cells.iter().map(|v| v * v).sum::<f32>().sqrt();
        // Less than a grey level of contrast between cells is noise.
        if norm < GRID as f32 {
            return None;
        }
        cells.iter_mut().for_each(|v| *v /= norm);
        Some(Self(cells))
    }

    /// Correlation, 1 for the same picture whatever its brightness and contrast.
    pub fn likeness(&self, other: &Self) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }
}

/// Near-duplicates: pairs of indices (the smaller first) whose pictures show the same place, each with its likeness.
pub fn near_duplicates(prints: &[Option<Fingerprint>]) -> Vec<(usize, usize, f32)> {
    let mut out = Vec::new();
    for (i, a) in prints.iter().enumerate() {
        for (j, b) in prints.iter().enumerate().skip(i + 1) {
            if let (Some(a), Some(b)) = (a, b) {
                let likeness = a.likeness(b);
                if likeness >= SAME {
                    out.push((i, j, likeness));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::{Kind, make};

    #[test]
    fn the_same_place_is_known_again_and_others_are_not() {
        let pictures: Vec<Vec<u8>> = (0..12)
            .map(|i| make(if i < 6 { Kind::Carbide } else { Kind::Ferrite }, 240, 200, 9, i).pixels)
            .collect();
        let print = |p: &[u8]| Fingerprint::of(p, 240, 200);
        let mut prints: Vec<_> = pictures.iter().map(|p| print(p)).collect();
        assert!(near_duplicates(&prints).is_empty(), "{:?}", near_duplicates(&prints));
        // Darker, and with noise of eight levels.
        let again: Vec<u8> = pictures[4]
            .iter()
            .enumerate()
            .map(|(i, &v)| (f32::from(v) * 0.7 + (i * 7919 % 17) as f32 - 8.0).clamp(0.0, 255.0) as u8)
            .collect();
        prints.push(print(&again));
        let found = near_duplicates(&prints);
        assert_eq!(found.iter().map(|t| (t.0, t.1)).collect::<Vec<_>>(), [(4, 12)]);
        assert!(Fingerprint::of(&[5; 240 * 200], 240, 200).is_none());
    }
}
