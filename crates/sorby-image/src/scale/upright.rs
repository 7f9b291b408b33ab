//! What a file says of its stored picture, said of the picture as it is turned upright.

use super::{PixelSize, ScaleReading};
use crate::orientation::upright;
use image::metadata::Orientation;

impl ScaleReading {
    /// Exchanges the two directions where the picture is stored lying on its side. A data bar that is not at the bottom
    /// once the picture is upright is no bar that could be cut off.
    pub(super) fn upright(mut self, orientation: Orientation) -> Self {
        let bottom_stays = matches!(orientation, Orientation::NoTransforms | Orientation::FlipHorizontal);
        if !bottom_stays && self.data_bar_px().is_some() {
            let reason =
                "the file asks to be turned, and its data bar is then not at the bottom: save it upright";
            self.unusable.push(reason.into());
        }
        let turned = |size: PixelSize| {
            let (nm_x, nm_y) = upright(size.nm_x, size.nm_y, orientation);
            let written_for_px = size.written_for_px.map(|(w, h)| upright(w, h, orientation));
            let data_bar_px = size.data_bar_px.filter(|_| bottom_stays);
            PixelSize { nm_x, nm_y, written_for_px, data_bar_px, ..size }
        };
        (self.width_px, self.height_px) = upright(self.width_px, self.height_px, orientation);
        self.found = self.found.map(turned);
        self.others = self.others.into_iter().map(turned).collect();
        self
    }
}
