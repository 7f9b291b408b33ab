//! Where the 36 frequencies of a list of tiles are kept.

use super::FREQUENCIES;
use crate::prefetch::LINE;

/// `[36, channels / panel, tiles, panel]`: channels in panels, so that a product reads each as one stream.
/// With one panel of all channels this is `[36, tiles, channels]`, or a little wider.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    tiles: usize,
    channels: usize,
    pub panel: usize,
}

impl Layout {
    pub fn rows(tiles: usize, channels: usize) -> Self {
        // Rows a multiple of a kilobyte apart fall on the same lines of the first-level cache as each other and
        // as the pixels they come from; a line between them saved a tenth of a layer of 1024 channels.
        let pad = if channels.is_multiple_of(256) { LINE } else { 0 };
        Self { tiles, channels, panel: channels + pad }
    }

    pub fn panels(tiles: usize, channels: usize, panel: usize) -> Self {
        Self { tiles, channels, panel }
    }

    /// Floats of one frequency; the last panel is padded.
    pub fn frequency_len(&self) -> usize {
        self.tiles * self.channels.next_multiple_of(self.panel)
    }

    pub fn len(&self) -> usize {
        FREQUENCIES * self.frequency_len()
    }

    /// Start of channel `c` of a tile; the rest of its panel follows.
    pub fn offset(&self, frequency: usize, tile: usize, c: usize) -> usize {
        let (panel, lane) = (c / self.panel, c % self.panel);
        frequency * self.frequency_len() + (panel * self.tiles + tile) * self.panel + lane
    }
}
