//! What `sorby measure` says of a measurement.

use crate::answer::{Answer, say};
use sorby::measure::{MeasureOptions, Measurement, Results, size_classes};
use std::path::Path;

pub fn show(
    answer: &mut Answer,
    measured: &Measurement,
    results: &Results,
    options: &MeasureOptions,
    calibration: Option<&Path>,
) {
    say!(answer, "{}\n{}", results.shown_images().to_text(), results.estimates.shown().to_text().trim_end());
    say!(answer, "{}", results.estimates.told());
    if let Some(percent) = options.plan_percent {
        say!(
            answer,
            "images_needed: images in all for an accuracy of {percent} %; - where no number would do"
        );
    }
    if let (Some(path), Some(Ok(learnt))) = (calibration, &results.learnt) {
        say!(answer, "");
        let table = size_classes(learnt);
        if !table.rows.is_empty() {
            answer.text(&table.to_text());
        }
        let path = path.display();
        say!(
            answer,
            "errors of this segmentation against the true masks: {path}\n  for other images, if no model was trained on these: sorby measure MASKS --calibration {path}"
        );
    }
    if options.min_area_px > 0 {
        say!(
            answer,
            "objects of fewer than {} pixels are left out, of the area fraction not",
            options.min_area_px
        );
    }
    if let Some(split) = &results.split {
        say!(answer, "splitting made {} objects of {}", split["objects_after"], split["objects_before"]);
    }
    if let Some(g) = &results.grain_size {
        let within = |half: Option<f64>| half.map_or(String::new(), |h| format!(" +- {h:.2}"));
        say!(
            answer,
            "grain size: G {:.2}{} by counting ({:.0} grains per mm2; ISO 643: {:.2}), G {:.2}{} by intercepts (mean {:.2} um)",
            g.g_planimetric,
            within(g.g_planimetric_half_width),
            g.grains_per_mm2,
            g.g_iso_643,
            g.g_intercept,
            within(g.g_intercept_half_width),
            g.mean_lineal_intercept_um
        );
        if let Some(largest) = &g.largest {
            say!(
                answer,
                "largest grain that lies whole in an image: {:.1} um2, ALA G {:.1}",
                largest.area_um2,
                largest.g
            );
        }
        if g.larger_is_cut {
            answer.line(
                "a larger grain is cut by the edge of an image: the largest grain (ASTM E930) is not known",
            );
        }
    } else if options.grains {
        say!(answer, "grain size: not given; it needs the pixel size of every image, and grains");
    }
    results.spheres_in_words().iter().for_each(|line| say!(answer, "{line}"));
    let without = measured.fields.iter().filter(|f| f.particles.nm_per_px.is_none()).count();
    if without > 0 {
        say!(
            answer,
            "no pixel size for {without} of {} images: their sizes are in pixels only (give --nm-per-px, or segment \
             images that state it)",
            measured.fields.len()
        );
    }
}
