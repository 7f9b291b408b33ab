//! The pair of test tensors of a package, and its cover: one window of a picture and what the network makes of it.

use crate::ExportError;
use crate::onnx::softmax_of_planes;
use sorby_data::synth::{Kind, make};
use sorby_image::write::{PngKind, png_bytes};
use sorby_image::{GreyRange, GreyRangeError, Micrograph, Pixels, Shot};
use sorby_infer::{Device, Model};

/// A window and the probabilities of its classes.
pub struct TestPair {
    /// Edge of both.
    pub(super) side_px: usize,
    /// Values as the model takes them, `[1, 1, side, side]`.
    pub(super) input: Vec<f32>,
    /// `[1, classes, side, side]`.
    pub(super) output: Vec<f32>,
    /// The window as a person sees it.
    grey: Vec<u8>,
}

impl TestPair {
    /// Of the middle of `shot`, one window large, or of a synthetic micrograph.
    ///
    /// # Errors
    /// When the image is in colour, smaller than the model's window, or its values do not fit the model's grey range.
    pub fn of(model: &mut Model, shot: Option<&Shot>, device: &Device) -> Result<Self, SampleError> {
        let side_px = model.card.window_px;
        let window = match shot {
            Some(shot) => middle(&shot.field(), side_px)?,
            None => synthetic(side_px, &model.card.grey_range),
        };
        let stored = stored_values(&window, &model.card.grey_range);
        let shot = Shot::plain(window);
        let seen = model.card.grey_range.apply_as_trained(&shot)?.image.clone();
        let shown = seen.to_f32();
        let logits = model.grey_logits(&shown, (1, side_px, side_px), device);
        let output = softmax_of_planes(&logits, model.card.classes.len(), side_px * side_px);
        Ok(Self { side_px, input: stored, output, grey: seen.to_grey8() })
    }

    /// A PNG, twice as wide as high: the window, and the classes in their colours.
    ///
    /// # Errors
    /// [`ExportError::Picture`] when it cannot be encoded.
    pub(super) fn cover(&self, colours: &[[u8; 3]]) -> Result<Vec<u8>, ExportError> {
        // 512 x 256 pixels cannot come near the 500 kB that a cover may have.
        const LARGEST_PX: usize = 256;
        let side = self.side_px.min(LARGEST_PX);
        let (window, classes) = (self.grey_rgb(), self.class_rgb(colours));
        let begin = (self.side_px - side) / 2;
        let rows = (begin..begin + side)
            .map(|y| 3 * (y * self.side_px + begin)..3 * (y * self.side_px + begin + side));
        let data: Vec<u8> = rows.flat_map(|row| [&window[row.clone()], &classes[row]].concat()).collect();
        rgb_png(2 * side, side, &data)
    }

    /// The window as a person sees it, a PNG.
    ///
    /// # Errors
    /// As [`TestPair::cover`].
    pub(super) fn input_picture(&self) -> Result<Vec<u8>, ExportError> {
        rgb_png(self.side_px, self.side_px, &self.grey_rgb())
    }

    /// The classes in their colours, a PNG.
    ///
    /// # Errors
    /// As [`TestPair::cover`].
    pub(super) fn output_picture(&self, colours: &[[u8; 3]]) -> Result<Vec<u8>, ExportError> {
        rgb_png(self.side_px, self.side_px, &self.class_rgb(colours))
    }

    fn grey_rgb(&self) -> Vec<u8> {
        self.grey.iter().flat_map(|v| [*v; 3]).collect()
    }

    fn class_rgb(&self, colours: &[[u8; 3]]) -> Vec<u8> {
        let pixels = self.side_px * self.side_px;
        let largest = |p: usize| {
            (0..colours.len()).fold(0, |best, c| {
                if self.output[c * pixels + p] > self.output[best * pixels + p] { c } else { best }
            })
        };
        (0..pixels).flat_map(|p| colours[largest(p)]).collect()
    }
}

fn rgb_png(width: usize, height: usize, data: &[u8]) -> Result<Vec<u8>, ExportError> {
    png_bytes(width, height, PngKind::Rgb, data).map_err(|e| ExportError::Picture(e.to_string()))
}

/// Why an image cannot serve as the test of a package.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// It is smaller than one window.
    #[error(
        "is {width} x {height} pixels; the test image needs at least the model's window, {window_px} a side"
    )]
    Small {
        /// Width of its field.
        width: usize,
        /// Height of its field.
        height: usize,
        /// Edge of the window.
        window_px: usize,
    },
    /// It is in colour.
    #[error("is in colour; the exported model takes one grey channel, so give a grey test image")]
    Colour,
    /// Its values do not fit the model.
    #[error(transparent)]
    GreyRange(#[from] GreyRangeError),
}

/// The middle of an image.
fn middle(image: &Micrograph, side: usize) -> Result<Micrograph, SampleError> {
    let (width, height) = (image.width, image.height);
    if image.channels() != 1 {
        return Err(SampleError::Colour);
    }
    if width < side || height < side {
        return Err(SampleError::Small { width, height, window_px: side });
    }
    let (left, top) = ((width - side) / 2, (height - side) / 2);
    let places = || (top..top + side).flat_map(move |y| y * width + left..y * width + left + side);
    let pixels = match &image.pixels {
        Pixels::Grey16(p) => Pixels::Grey16(places().map(|i| p[i]).collect()),
        Pixels::Float(p) => Pixels::Float(places().map(|i| p[i]).collect()),
        Pixels::Grey8(p) => Pixels::Grey8(places().map(|i| p[i]).collect()),
        Pixels::Rgb8(_) | Pixels::Rgb16(_) => return Err(SampleError::Colour),
    };
    Ok(Micrograph { width: side, height: side, pixels })
}

/// Carbides, with black and white where the model has them.
fn synthetic(side: usize, range: &GreyRange) -> Micrograph {
    let pixels = make(Kind::Carbide, side, side, 0, 0).pixels;
    match range {
        GreyRange::Full | GreyRange::Percentile => Micrograph::grey8(side, side, pixels),
        GreyRange::Fixed([black, white]) => {
            let stored = |v: u8| (black + f64::from(v) / 255.0 * (white - black)) as f32;
            let pixels = Pixels::Float(pixels.into_iter().map(stored).collect());
            Micrograph { width: side, height: side, pixels }
        }
    }
}

/// What goes into the model: 0..255, or what the file holds where the network or its consumer applies a range.
fn stored_values(window: &Micrograph, range: &GreyRange) -> Vec<f32> {
    match (range, &window.pixels) {
        (GreyRange::Full, _) => window.to_f32(),
        (_, Pixels::Grey8(p)) => p.iter().map(|v| f32::from(*v)).collect(),
        (_, Pixels::Grey16(p)) => p.iter().map(|v| f32::from(*v)).collect(),
        (_, Pixels::Float(p)) => p.clone(),
        (_, Pixels::Rgb8(_) | Pixels::Rgb16(_)) => window.to_f32(),
    }
}
