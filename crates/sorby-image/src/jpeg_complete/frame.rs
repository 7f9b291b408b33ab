//! A JPEG's picture: its components, and what of them has come.

use super::DAMAGED;

/// More blocks than this are not counted: no picture of a microscope has so many pixels.
const MOST_BLOCKS: usize = 1 << 28;

pub(super) struct Frame {
    pub progressive: bool,
    pub components: Vec<Component>,
    /// Units of an interleaved scan, across and down.
    pub units: (usize, usize),
}

pub(super) struct Component {
    id: u8,
    /// Blocks of a unit, across and down.
    pub sampling: (usize, usize),
    /// Blocks that hold pixels, and blocks of a row with those that fill units.
    pub blocks: (usize, usize),
    pub row: usize,
    /// Of each coefficient: the lowest bit that has come; 255 for none.
    pub lowest_bit: [u8; 64],
    /// Of each block: the coefficients that are not 0, kept for progressive pictures.
    pub not_zero: Vec<u64>,
}

impl Frame {
    pub fn of(body: &[u8], progressive: bool) -> Result<Self, String> {
        let [bits, h0, h1, w0, w1, count, rest @ ..] = body else { return Err(DAMAGED.into()) };
        if *bits != 8 {
            return Err(format!(
                "is a JPEG of {bits} bits, which is not read; save it as PNG or TIFF of 16 bits"
            ));
        }
        let number = |high: &u8, low: &u8| usize::from(*high) << 8 | usize::from(*low);
        let (width, height) = (number(w0, w1), number(h0, h1));
        let parts = rest.get(..3 * usize::from(*count)).ok_or(DAMAGED)?;
        let samplings: Vec<(usize, usize)> =
            parts.chunks_exact(3).map(|p| (usize::from(p[1] >> 4), usize::from(p[1] & 15))).collect();
        let most = |of: fn(&(usize, usize)) -> usize| samplings.iter().map(of).max().unwrap_or(0);
        let (most_x, most_y) = (most(|s| s.0), most(|s| s.1));
        let sound = samplings.iter().all(|s| (1..=4).contains(&s.0) && (1..=4).contains(&s.1));
        if width == 0 || height == 0 || !sound || samplings.is_empty() {
            return Err(DAMAGED.into());
        }
        let units = (width.div_ceil(8 * most_x), height.div_ceil(8 * most_y));
        let component = |(part, sampling): (&[u8], &(usize, usize))| {
            let blocks = (
                (width * sampling.0).div_ceil(most_x).div_ceil(8),
                (height * sampling.1).div_ceil(most_y).div_ceil(8),
            );
            let (row, rows) = (units.0 * sampling.0, units.1 * sampling.1);
            let kept = if progressive { row * rows } else { 0 };
            if kept > MOST_BLOCKS {
                return Err("has more pixels than are read".to_owned());
            }
            let not_zero = vec![0; kept];
            Ok(Component { id: part[0], sampling: *sampling, blocks, row, lowest_bit: [255; 64], not_zero })
        };
        let components = parts.chunks_exact(3).zip(&samplings).map(component).collect::<Result<_, _>>()?;
        Ok(Self { progressive, components, units })
    }

    pub fn component(&self, id: u8) -> Option<usize> {
        self.components.iter().position(|c| c.id == id)
    }

    /// Whether every component has come, be it coarsely: where the end marker follows, its writer meant it so.
    pub fn has_a_picture(&self) -> bool {
        self.components.iter().all(|c| c.lowest_bit[0] != 255)
    }

    /// Whether every coefficient has come to its last bit.
    pub fn has_everything(&self) -> bool {
        self.components.iter().all(|c| c.lowest_bit.iter().all(|bit| *bit == 0))
    }
}
