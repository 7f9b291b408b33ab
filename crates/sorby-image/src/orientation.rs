//! Turning a picture upright, as its file asks for (EXIF in JPEG and PNG, tag 274 in TIFF): annotators saw it so.

use image::metadata::Orientation;

/// Whether the picture is stored lying on its side, so that turning exchanges width and height.
pub(crate) fn lies(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// Width and height once it is upright.
pub(crate) fn upright<N>(width: N, height: N, orientation: Orientation) -> (N, N) {
    if lies(orientation) { (height, width) } else { (width, height) }
}

/// The values of a picture stored as `width` x `height` pixels of `channels` numbers each, turned upright.
pub(crate) fn turned<T: Copy>(
    values: Vec<T>,
    (width, height): (usize, usize),
    channels: usize,
    orientation: Orientation,
) -> Vec<T> {
    if orientation == Orientation::NoTransforms {
        return values;
    }
    let (across, down) = upright(width, height, orientation);
    let (right, bottom) = (width - 1, height - 1);
    let mut out = Vec::with_capacity(values.len());
    for y in 0..down {
        for x in 0..across {
            let (from_x, from_y) = match orientation {
                Orientation::NoTransforms => (x, y),
                Orientation::FlipHorizontal => (right - x, y),
                Orientation::Rotate180 => (right - x, bottom - y),
                Orientation::FlipVertical => (x, bottom - y),
                Orientation::Rotate90FlipH => (y, x),
                Orientation::Rotate90 => (y, bottom - x),
                Orientation::Rotate270FlipH => (right - y, bottom - x),
                Orientation::Rotate270 => (right - y, x),
            };
            out.extend_from_slice(&values[(from_y * width + from_x) * channels..][..channels]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_eight_ways() {
        // 1 2 3
        // 4 5 6
        let stored = [1, 2, 3, 4, 5, 6];
        for (exif, expected) in [
            (1, [1, 2, 3, 4, 5, 6]),
            (2, [3, 2, 1, 6, 5, 4]),
            (3, [6, 5, 4, 3, 2, 1]),
            (4, [4, 5, 6, 1, 2, 3]),
            (5, [1, 4, 2, 5, 3, 6]),
            (6, [4, 1, 5, 2, 6, 3]),
            (7, [6, 3, 5, 2, 4, 1]),
            (8, [3, 6, 2, 5, 1, 4]),
        ] {
            let orientation = Orientation::from_exif(exif).unwrap();
            assert_eq!(turned(stored.to_vec(), (3, 2), 1, orientation), expected, "{exif}");
            assert_eq!(upright(3, 2, orientation), if exif > 4 { (2, 3) } else { (3, 2) });
        }
        let colours = turned(vec![1, 2, 3, 4, 5, 6], (2, 1), 3, Orientation::Rotate180);
        assert_eq!(colours, [4, 5, 6, 1, 2, 3]);
    }
}
