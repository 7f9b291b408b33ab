//! How the numbers were made, in sentences.

use super::super::class_result::ClassResult;
use super::super::record::LotRecord;
use super::super::rounding::percent;
use super::results::smallest;
use super::source_words;
use sorby_report::Section;
use std::collections::BTreeSet;

pub fn section(record: &LotRecord) -> Section {
    let mut lines = vec![segmentation(record), pixel_size(record)];
    lines.extend(record.classes.iter().map(particles));
    lines.push(QUANTITIES.to_owned());
    lines.push(intervals(record));
    lines.push(ACCURACY.to_owned());
    Section { heading: "Method".into(), text: lines.join("\n\n"), ..Section::default() }
}

const QUANTITIES: &str = "\
Area fraction: pixels of the class over pixels of the field; in the mean it is the volume fraction (Delesse). Equivalent \
diameter of a particle: that of the circle of the same area. Number per area: sum of the particles' weights over the area of \
the fields. Mean diameter: weighted mean. Surface per volume: 2 P / L, from the crossings P of test lines of the length L in \
four directions (Underwood). Mean intercept length: 2 L(class) / P. Mean free path: 2 (L - L(class)) / P. Circularity is 1 for \
a circle and smaller for other shapes. Data bars and pixels marked as unknown belong to no field.";

const ACCURACY: &str = "\
Relative accuracy: half width of the 95 % interval over the value, in percent; the smaller, the better (ASTM E562). The \
interval joins its parts as independent errors: their squares add, so that the parts are together more than the whole. A \
quantity whose interval is wider than its value is no result. A limit is kept where the whole interval lies inside, and missed \
where it lies outside; anything else is undecided.";

fn segmentation(record: &LotRecord) -> String {
    let s = &record.job.job.segmentation;
    let mut text = format!(
        "Each image was segmented by the trained network named under Provenance, in windows of {} pixels with a step of {} \
         pixels",
        s.window_px, s.stride_px
    );
    for (on, words) in [
        (s.tta, "averaged over six image scales"),
        (s.flip, "averaged over mirrored images"),
        (s.match_scale, "with images of another pixel size brought to that of the training"),
    ] {
        if on {
            text += &format!(", {words}");
        }
    }
    text + "."
}

fn pixel_size(record: &LotRecord) -> String {
    let rules = &record.job.job.scale;
    let sources: BTreeSet<String> =
        record.images.iter().filter_map(|i| Some(source_words(&i.input.scale.as_ref()?.source))).collect();
    if sources.is_empty() {
        return "No pixel size is known: lengths are in pixels.".to_owned();
    }
    format!(
        "The pixel size is stated by: {}. All statements of an image agree within 2 %, or the image is left out. It is taken \
         to be known to ± {} % ({}).",
        sources.into_iter().collect::<Vec<_>>().join("; "),
        percent(rules.accuracy_percent),
        rules.accuracy_from
    )
}

fn particles(class: &ClassResult) -> String {
    let rules = &class.rules;
    let touching = match rules.connectivity {
        4 => "at edges",
        _ => "at edges or corners",
    };
    let edges = match rules.edges.as_str() {
        "weighted" => {
            "For numbers and sizes whole particles count, each weighted by W H / ((W - w - 1)(H - h - 1)) for its box of w x h \
             pixels in a field of W x H (Miles and Lantuejoul), so that those cut by the edge do not bias the result."
        }
        "frame" => {
            "For numbers and sizes the particles count that meet a frame within the field and not its left and lower sides \
             (Gundersen), so that those cut by the edge do not bias the result."
        }
        "exclude" => "Particles cut by the edge of the field do not count; large ones are therefore too few.",
        _ => "All particles count as they are seen; those cut by the edge of the field look too small.",
    };
    let mut text = format!(
        "{}: pixels that touch {touching} are one particle. {edges} Holes do not belong to a particle.",
        class.class
    );
    if let Some(split) = rules.split_px {
        text += &format!(
            " Touching particles are taken apart where they narrow by {split} pixels in half width (watershed)."
        );
    }
    text + " "
        + &if rules.smallest_px > 0 {
            smallest(class)
        } else {
            "No particle is too small to count.".to_owned()
        }
}

fn intervals(record: &LotRecord) -> String {
    let fields = match record.images.len() {
        1 => "Between fields: there is one image only; its part of the interval is taken from the variation within it, which \
              holds for a steel that is alike all over."
            .to_owned(),
        n => format!(
            "Between fields: Student's t for {n} fields times the standard error of a ratio of sums (Cochran), which for equal \
             fields is t s / √n (ASTM E562, ISO 9042); percentiles after Woodruff."
        ),
    };
    let known = record.job.job.measure.iter().any(|m| m.calibration.is_some());
    let segmentation = match known {
        true => {
            "Segmentation: bias against labelled images and its uncertainty, by leaving out one image at a time."
        }
        false => "Segmentation: not known, and not in the intervals.",
    };
    format!(
        "95 % intervals. {fields} {segmentation} Pixel size: its half width times the power of length in the quantity."
    )
}
