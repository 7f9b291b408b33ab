//! `sorby measure`.

use crate::args::MeasureArgs;
use crate::console::Console;
use crate::made_by::typed;
use anyhow::bail;
use sorby::measure::{MeasureOptions, Measurement, Results, measure, size_classes};
use sorby::{OutFolder, listing, tables};
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: MeasureArgs) -> anyhow::Result<ExitCode> {
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
    if args.json {
        println!("{}", serde_json::to_string_pretty(&results.summary())?);
    } else {
        show(&measured, &results, &options, calibration.as_deref());
        let particles = args.out.join("particles.csv");
        println!("every {} particle: {}", measured.class, particles.display());
    }
    Ok(if measured.problems.rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn show(measured: &Measurement, results: &Results, options: &MeasureOptions, calibration: Option<&Path>) {
    print!("{}\n{}", results.shown_images().to_text(), results.estimates.shown().to_text());
    println!("{}", results.estimates.told());
    if let Some(percent) = options.plan_percent {
        println!("images_needed: images in all for an accuracy of {percent} %; - where no number would do");
    }
    if let (Some(path), Some(Ok(learnt))) = (calibration, &results.learnt) {
        println!();
        let table = size_classes(learnt);
        if !table.rows.is_empty() {
            print!("{}", table.to_text());
        }
        let path = path.display();
        println!(
            "errors of this segmentation against the true masks: {path}\n  for other images, if no model was trained on these: sorby measure MASKS --calibration {path}"
        );
    }
    if options.min_area_px > 0 {
        println!(
            "objects of fewer than {} pixels are left out, of the area fraction not",
            options.min_area_px
        );
    }
    if let Some(split) = &results.split {
        println!("splitting made {} objects of {}", split["objects_after"], split["objects_before"]);
    }
    if let Some(g) = &results.grain_size {
        println!(
            "grain size: G {:.2} by counting ({:.0} grains per mm2; ISO 643: {:.2}), G {:.2} by intercepts (mean {:.2} um)",
            g.g_planimetric, g.grains_per_mm2, g.g_iso_643, g.g_intercept, g.mean_lineal_intercept_um
        );
    } else if options.grains {
        println!("grain size: not given; it needs the pixel size of every image, and grains");
    }
    results.spheres_in_words().iter().for_each(|line| println!("{line}"));
    let without = measured.fields.iter().filter(|f| f.particles.nm_per_px.is_none()).count();
    if without > 0 {
        println!(
            "no pixel size for {without} of {} images: their sizes are in pixels only (give --nm-per-px, or segment \
             images that state it)",
            measured.fields.len()
        );
    }
}
