//! One image to its mask, and what goes with it.

use super::segmenter::Segmenter;
use super::trust::{Trust, TrustSums};
use super::{SegmentOptions, offer};
use crate::error::{Context as _, refuse};
use crate::scale::SaidOutside;
use crate::{Event, Observer, Result, listing};
use sorby_image::write::{PngKind, PngRows, safe_name};
use sorby_image::{LabelMap, MaskNote, Micrograph, Shot};
use sorby_infer::InferenceOptions;
use sorby_report::overlay;
use sorby_train::available_bytes;
use std::path::{Path, PathBuf};

pub struct Work<'a> {
    pub segmenter: &'a mut Segmenter,
    pub said: &'a SaidOutside,
    pub wanted: &'a SegmentOptions,
    /// Folder of the results.
    pub out: &'a Path,
    pub observer: &'a dyn Observer,
    /// Whether `--adapt` was offered: once for all images.
    pub offered: bool,
}

/// What is known of a segmented image.
pub struct Done {
    pub name: String,
    pub trust: Trust,
    /// Pixels of each class.
    pub found_px: Vec<u64>,
    pub note: MaskNote,
}

/// Magnifications beyond those of the training images by this factor are warned of.
const FAR: f64 = 1.5;
/// The program with its network, and a batch of windows under way.
const FIXED_BYTES: u64 = 350 << 20;

impl Work<'_> {
    pub fn segment(
        &mut self,
        file: &Path,
        image: Micrograph,
        (index, count): (usize, usize),
    ) -> Result<Done> {
        let name = listing::stem(file);
        let shot = Shot::of(file, image, &self.said.of(file))?;
        let options = self.options_for(file, shot.nm_per_px())?;
        let (width, height) = (shot.image.width, shot.image.height);
        self.require_memory(file, &shot.image, &options)?;
        let windows = options.window_count(self.segmenter.card(), (width, height));
        self.observer.event(Event::Line(format!(
            "[{}/{count}] {} ({width}x{height})",
            index + 1,
            file.display()
        )));
        self.observer.event(Event::Begin { total: windows, unit: "windows" });
        let inferred = self.infer(&name, &shot, &options);
        self.observer.event(Event::End);
        let (labels, sums) = inferred?;
        let rows = shot.data_bar_px();
        if rows > 0 {
            let line = format!("  the last {rows} rows are taken for a data bar: no part of the field");
            self.observer.event(Event::Line(line));
        }
        let card = self.segmenter.card();
        let (seen, trust) = self.segmenter.judge(&shot, sums)?;
        if trust.is_unlike() {
            self.observer.warn(format!(
                "{}: is unlike the images this model learnt from (trust.csv): check its mask, or train on such \
                 images too",
                file.display()
            ));
        }
        let mut tinted = PngRows::begin(&self.path("overlays", &name, "png"), (width, height), PngKind::Rgb)?;
        for y in 0..height {
            let row = overlay::class_row(&seen.image.row_grey8(y), &labels, y, &card.colours);
            tinted.row(row.as_flattened())?;
        }
        tinted.finish()?;
        if self.wanted.tiff {
            let path = self.path("masks-tiff", &name, "tif");
            labels.write_ome_tiff(&path, (&card.classes, &card.colours), shot.nm_per_px())?;
        }
        // The mask last: where it exists, the image is finished.
        let note = self.segmenter.note(&shot, &options, &trust);
        labels.write_mask(&self.path("masks", &name, "png"), &card.colours, &note)?;
        let found_px = labels.histogram()[..card.classes.len()].to_vec();
        self.offer_adapting(file, &shot, &options, &trust)?;
        Ok(Done { name, trust, found_px, note })
    }

    /// For the first image that is unlike the training images.
    fn offer_adapting(
        &mut self,
        file: &Path,
        shot: &Shot,
        options: &InferenceOptions,
        trust: &Trust,
    ) -> Result<()> {
        if trust.is_unlike() && !std::mem::replace(&mut self.offered, true) {
            let offer = offer::of_adapting(self.segmenter, shot, options)?;
            offer.into_iter().for_each(|words| self.observer.say(format!("{}: {words}", file.display())));
        }
        Ok(())
    }

    fn path(&self, folder: &str, name: &str, ending: &str) -> PathBuf {
        self.out.join(folder).join(format!("{name}.{ending}"))
    }

    /// The mask, row by row; confidence and probabilities go to their files on the way.
    fn infer(
        &mut self,
        name: &str,
        shot: &Shot,
        options: &InferenceOptions,
    ) -> Result<(LabelMap, TrustSums)> {
        let (width, height, classes) =
            (shot.image.width, shot.image.height, self.segmenter.card().classes.len());
        let grey = |path: PathBuf| PngRows::begin(&path, (width, height), PngKind::Grey);
        let mut confidence = grey(self.path("confidence", name, "png"))?;
        let mut probabilities = Vec::new();
        for class in self.segmenter.card().classes.iter().filter(|_| self.wanted.probabilities) {
            let file = format!("{name}-{}", safe_name(class));
            probabilities.push(grey(self.path("probabilities", &file, "png"))?);
        }
        let (mut written, mut bytes) = (Ok(()), Vec::with_capacity(width));
        let mut each_row = |sure: &[u8], scores: &[f32]| {
            let mut write = |file: &mut PngRows, bytes: &[u8]| {
                if written.is_ok() {
                    written = file.row(bytes);
                }
            };
            write(&mut confidence, sure);
            for (class, file) in probabilities.iter_mut().enumerate() {
                bytes.clear();
                bytes.extend(scores.iter().skip(class).step_by(classes).map(|p| (p * 255.0).round() as u8));
                write(file, &bytes);
            }
            written.is_ok()
        };
        let observer = self.observer;
        let mut advance = |n| observer.event(Event::Advance(n));
        let inferred = self
            .segmenter
            .infer(shot, options, &mut advance, &mut each_row)
            .with_context(|| name.to_owned())?;
        written?;
        confidence.finish()?;
        probabilities.into_iter().try_for_each(PngRows::finish)?;
        Ok(inferred)
    }

    /// Warns of a magnification that the model does not know, or brings the image to one it does.
    fn options_for(&self, file: &Path, nm_per_px: Option<f64>) -> Result<InferenceOptions> {
        if self.wanted.match_scale {
            let (target, options) =
                self.segmenter.matched(nm_per_px).with_context(|| file.display().to_string())?;
            if let Some(nm) = nm_per_px.filter(|nm| *nm != target) {
                self.observer.event(Event::Line(format!(
                    "{}: {nm:.2} nm per pixel are brought to {target:.2} for the network; the mask has the image's own",
                    file.display()
                )));
            }
            return Ok(options);
        }
        if let (Some(nm), Some((low, high))) = (nm_per_px, self.segmenter.card().nm_per_px)
            && (nm * FAR < low || nm > high * FAR)
        {
            self.observer.warn(format!(
                "{}: {nm:.2} nm per pixel, but the model was trained on {low:.2} to {high:.2}: check its mask, try --match-scale, \
                 or train on such images too",
                file.display()
            ));
        }
        Ok(self.segmenter.options().clone())
    }

    /// Refuses an image that would not fit, before the hours it takes.
    fn require_memory(&self, file: &Path, image: &Micrograph, options: &InferenceOptions) -> Result<()> {
        let pixels = (image.width * image.height) as u64;
        let card = self.segmenter.card();
        // The image itself is there already; its mask comes to a byte a pixel. An image that is brought to another range is there twice more for a while.
        let mapped = if card.grey_range == Default::default() { 0 } else { 2 * 2 * image.channels() as u64 };
        let needed =
            FIXED_BYTES + pixels * (1 + mapped) + options.band_bytes(card, (image.width, image.height));
        match available_bytes() {
            Some(free) if needed > free => refuse!(
                "{}: needs about {} MB more memory but {} MB are free; close other programs, leave out --tta, \
                 or cut the image",
                file.display(),
                needed >> 20,
                free >> 20
            ),
            _ => Ok(()),
        }
    }
}
