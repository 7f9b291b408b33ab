//! What a model's numbers mean, for whoever uses it without Sorby: classes, pixel size, what its input must be.

use crate::Source;
use serde_json::json;
use sorby_image::GreyRange;

/// The meaning of a model, in words and values.
pub(crate) struct Meaning<'a> {
    source: &'a Source<'a>,
    /// What the values of the input are.
    pub input: String,
    /// What is to be done to an image before, a sentence each; empty where 8-bit grey values go in as they are.
    pub steps: Vec<String>,
}

impl<'a> Meaning<'a> {
    pub fn of(source: &'a Source<'a>) -> Self {
        let card = source.card;
        let mut steps = Vec::new();
        let input = match card.grey_range {
            GreyRange::Full => {
                steps.push("16-bit values are divided by 257 first.".to_owned());
                "grey values, 0 is black and 255 is white".to_owned()
            }
            GreyRange::Percentile => {
                steps.push(
                    "The values of each image are brought to 0..255 by its own range first: the whole image (without a data \
                     bar) at its 0.175th percentile becomes 0, at its 99.825th 255, what lies outside is clipped. The range is \
                     that of the image, not of a window."
                        .to_owned(),
                );
                "grey values after the image's own range was stretched to 0..255".to_owned()
            }
            GreyRange::Fixed([black, white]) => format!(
                "stored values of the file: {black} is black and {white} is white, what lies outside is clipped by the \
                 network's first operations"
            ),
        };
        if card.input_scale != 1.0 {
            steps.push(format!(
                "The image is resized by {} first (bilinear, corners not aligned, without smoothing); its probabilities \
                 are resized back to the size of the image.",
                card.input_scale
            ));
        }
        if card.input_scale != 1.0 && matches!(card.grey_range, GreyRange::Fixed(_)) {
            steps.push("Clip the values to black and white before resizing.".to_owned());
        }
        steps.push("Colour images are turned to grey first: one channel goes in.".to_owned());
        Self { source, input, steps }
    }

    /// One paragraph.
    pub fn summary(&self) -> String {
        let card = self.source.card;
        format!(
            "{} on ResNet-18 by Sorby, classes {}. Input: {}. {}",
            card.arch.title(),
            card.classes.join(", "),
            self.input,
            self.steps.join(" ")
        )
    }

    /// nm per pixel of what the network sees: of the images after resizing; smallest and largest.
    pub fn seen_nm_per_px(&self) -> Option<(f64, f64)> {
        let scale = self.source.card.input_scale;
        self.source.card.nm_per_px.map(|(low, high)| (low / scale, high / scale))
    }

    /// Keys and values; lists as JSON.
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        let card = self.source.card;
        let colours: Vec<String> =
            card.colours.iter().map(|[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}")).collect();
        let mut notes = vec![
            ("classes", json!(card.classes).to_string()),
            ("colours", json!(colours).to_string()),
            ("input", self.input.clone()),
            ("input_steps", self.steps.join(" ")),
            ("grey_range", card.grey_range.to_string()),
            ("input_scale", card.input_scale.to_string()),
            ("window_px", card.window_px.to_string()),
            ("stride_px", card.stride_px.to_string()),
            ("architecture", card.arch.title().to_owned()),
            ("output_stride", card.output_stride.to_string()),
            ("iterations", card.iteration.to_string()),
            ("recipe_hash", self.source.recipe_hash()),
            ("model_blake3", self.source.model_blake3.to_owned()),
            ("data_blake3", card.data_hash.clone()),
            ("trained_by", format!("Sorby {}", card.sorby_version)),
            ("written_by", format!("Sorby {}", env!("CARGO_PKG_VERSION"))),
        ];
        if let Some((low, high)) = card.nm_per_px {
            notes.push(("nm_per_px_of_images", json!([low, high]).to_string()));
        }
        notes.retain(|(_, value)| !value.is_empty());
        notes
    }
}
