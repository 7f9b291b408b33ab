//! Which images had a part in a model, and what must be said where it is scored on them.

use serde_json::{Value, json};
use sorby_data::Sample;
use sorby_image::{ImagePart, Micrograph};
use sorby_infer::{InferenceOptions, Model};
use sorby_train::{SplitRecord, part_in};
use std::path::Path;

/// What is known of the images that a model was made with.
pub struct Makers {
    seen: Vec<sorby_infer::SeenImage>,
    /// Of a model file that does not name them: those of its run folder.
    records: Vec<SplitRecord>,
    chosen_by_validation: bool,
}

impl Makers {
    /// Of a model read from `path`, a file or a run folder.
    pub fn of(model: &Model, path: &Path) -> Self {
        let old = model.card.seen.is_empty();
        let folder = if path.is_dir() { Some(path) } else { path.parent() };
        let best = path.file_name().is_some_and(|n| n == sorby_train::RunFile::Best.name());
        let cards = || std::iter::once(&model.card).chain(model.companions.iter().map(|m| &m.card));
        Self {
            seen: cards().flat_map(|card| card.seen.clone()).collect(),
            records: folder.filter(|_| old).map(SplitRecord::read).unwrap_or_default(),
            chosen_by_validation: cards().any(|card| card.chosen_by_validation) || (old && best),
        }
    }

    /// The part of an image, by its pixels, whatever its name; `None` if it is not known.
    pub fn part(&self, image: &Micrograph) -> Option<ImagePart> {
        if self.seen.is_empty() {
            return part_in(&self.records, image);
        }
        let part = |image: &Micrograph| {
            let hash = image.pixels_blake3();
            self.seen.iter().filter(|s| s.image_blake3 == hash).map(|s| s.part).min()
        };
        // The model may have learnt from the image without its data bar.
        let mut heights: Vec<usize> =
            self.seen.iter().filter(|s| s.size_px.0 == image.width).map(|s| s.size_px.1).collect();
        heights.retain(|h| *h < image.height);
        heights.sort_unstable();
        heights.dedup();
        let cut = |rows: usize| {
            let mut image = image.clone();
            image.crop_rows(rows);
            part(&image)
        };
        Some(part(image).or_else(|| heights.into_iter().find_map(cut)).unwrap_or(ImagePart::Unseen))
    }
}

/// How a model was applied, in words that are the same wherever it was applied so.
pub fn settings(options: &InferenceOptions) -> String {
    let yes_no = |yes: bool| if yes { "yes" } else { "no" };
    // Masks of versions without it say nothing of it.
    let adapt = if options.adapt { ", adapt yes" } else { "" };
    let ensemble = match options.companions.as_slice() {
        [] => String::new(),
        hashes => format!(", ensemble with {}", hashes.join(" and ")),
    };
    format!(
        "window {} px, stride {} px, tta {}, flip {}, match-scale {}{adapt}{ensemble}",
        options.crop_px,
        options.stride_px,
        yes_no(!options.ratios.is_empty()),
        yes_no(options.flip),
        yes_no(options.magnify != 1.0)
    )
}

/// The part of each scored image, and what follows for the scores.
pub struct Standing {
    parts: Vec<(String, Option<ImagePart>)>,
    chosen_by_validation: bool,
}

impl Standing {
    pub fn of(makers: &Makers, samples: &[Sample]) -> Self {
        Self {
            parts: samples.iter().map(|s| (s.name.clone(), makers.part(&s.shot.image))).collect(),
            chosen_by_validation: makers.chosen_by_validation,
        }
    }

    /// The part of the image of this place in the list.
    pub fn part(&self, index: usize) -> Option<ImagePart> {
        self.parts.get(index).and_then(|p| p.1)
    }

    fn names(&self, part: Option<ImagePart>) -> Vec<&str> {
        self.parts.iter().filter(|p| p.1 == part).map(|p| p.0.as_str()).collect()
    }

    /// Images that the weights were fitted to.
    pub fn trained(&self) -> Vec<&str> {
        self.names(Some(ImagePart::Train))
    }

    /// Images that chose this model among others.
    pub fn chose(&self) -> Vec<&str> {
        if self.chosen_by_validation { self.names(Some(ImagePart::Val)) } else { Vec::new() }
    }

    /// A sentence for each reason why the scores are not those of new images.
    pub fn warnings(&self) -> Vec<String> {
        let all = self.parts.len();
        let mut out = Vec::new();
        let (trained, chose, unknown) = (self.trained(), self.chose(), self.names(None));
        if !trained.is_empty() {
            out.push(format!(
                "{} of {all} images trained this model ({}): the scores on them say what it remembers, not how good it is \
                 on new images",
                trained.len(),
                listed(&trained)
            ));
        }
        if !chose.is_empty() {
            out.push(format!(
                "{} of {all} images chose this iteration of the training as the best ({}): the scores on them are better \
                 than those on new images will be",
                chose.len(),
                listed(&chose)
            ));
        }
        if !unknown.is_empty() {
            out.push(format!(
                "whether {} of {all} images trained this model is not known: its file is of an older version and no \
                 split.json of its run lies next to it",
                unknown.len()
            ));
        }
        out
    }

    pub fn json(&self) -> Value {
        json!({
            "trained_the_model": self.trained(),
            "chose_the_model": self.chose(),
            "part_not_known": self.names(None),
        })
    }
}

/// Names in a sentence: the first few.
pub fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sorby_image::ImagePart::{Train, Unseen, Val};

    fn standing(parts: &[Option<ImagePart>], chosen_by_validation: bool) -> Standing {
        let parts = parts.iter().enumerate().map(|(i, p)| (format!("i{i}"), *p)).collect();
        Standing { parts, chosen_by_validation }
    }

    #[test]
    fn scores_of_images_the_model_knows_are_warned_of() {
        assert!(standing(&[Some(Unseen), Some(Val)], false).warnings().is_empty());
        let mixed = standing(&[Some(Train), Some(Val), Some(Train), Some(Unseen)], true).warnings();
        assert!(mixed[0].starts_with("2 of 4 images trained this model (i0, i2)"), "{mixed:?}");
        assert!(mixed[1].starts_with("1 of 4 images chose this iteration"), "{mixed:?}");
        let unknown = standing(&[None, None], true).warnings();
        assert!(unknown.len() == 1 && unknown[0].contains("is not known"), "{unknown:?}");
        let many = standing(&[Some(Train); 7], false).warnings();
        assert!(many[0].contains("i0, i1, i2, i3, i4 and 2 more"), "{many:?}");
    }
}
