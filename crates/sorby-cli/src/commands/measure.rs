//! `sorby measure`.

use crate::answer::{Answer, say};
use crate::args::MeasureArgs;
use crate::console::Console;
use crate::made_by::typed;
use anyhow::bail;
use sorby::measure::{MeasureOptions, Measurement, Results, measure, size_classes};
use sorby::{OutFolder, listing, tables};
use std::path::Path;

pub fn run(args: MeasureArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let options = args.options();
    options.check()?;
    let files = listing::images(&args.masks)?;
    let made_by = typed("measure").with_files("masks", &files);
    let mut out = OutFolder::check_or_put_aside(&args.out, made_by, &[], args.put_aside.as_deref())?;
    let console = Console::default();
    let measured = measure(&files, &options, &console)?;
    if measured.fields.is_empty() && !out.again {
        // Without a result the folder stays free for a better command.
        bail!("no mask could be measured");
    }
    out.claim()?;
    tables::write_problems(&args.out, &measured.problems)?;
    if measured.fields.is_empty() {
        bail!("no mask could be measured");
    }
    let results = measured.results();
    results.report_doubts(&console);
    let calibration = results.write(&args.out)?;
    answer.set_all(results.summary());
    show(&mut answer, &measured, &results, &options, calibration.as_deref());
    let particles = args.out.join("particles.csv");
    say!(answer, "every {} particle: {}", measured.class, particles.display());
    Ok(answer.exit(if measured.problems.rows.is_empty() { 0 } else { 1 }))
}

fn show(
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
