//! The report of a lot, page by page: results first, then method, images, provenance.

mod images;
mod method;
mod provenance;
mod results;

use super::record::LotRecord;
use super::units::length;
use crate::Result;
use crate::job::Verdict;
use sorby_report::{Sheet, Tone};
use std::collections::BTreeMap;
use std::path::Path;

/// The report; `manifest` is the SHA-256 of the lot's manifest.
pub fn sheet(record: &LotRecord, masks: &Path, manifest: &str) -> Result<Sheet> {
    let classes: Vec<&str> = record.classes.iter().map(|c| c.class.as_str()).collect();
    let lot = record.header.value("lot").map_or("lot not named".to_owned(), |lot| format!("Lot {lot}"));
    let number = record.number.shown();
    let mut warnings: Vec<String> = record.number.replaces_words().into_iter().collect();
    warnings.extend(record.warnings.clone());
    let mut rest = results::other_quantities(record);
    rest.extend(results::errors_by_size(record));
    rest.push(method::section(record));
    rest.extend(images::sections(record, masks)?);
    rest.push(provenance::section(record, manifest));
    Ok(Sheet {
        title: format!("Measurement of {}", classes.join(", ")),
        subtitle: format!("Report {number} · {}", record.date),
        head_left: lot,
        head_right: format!("Report {number}"),
        paper: record.job.job.report.paper,
        header: header(record),
        outcome: record.verdict().map(outcome),
        warnings,
        first: results::sections(record),
        signatures: vec![
            "Measured by: name, date, signature".into(),
            "Checked by: name, date, signature".into(),
        ],
        rest,
    })
}

fn outcome(verdict: Verdict) -> (Tone, String) {
    let (tone, text) = match verdict {
        Verdict::Within => (Tone::Good, "Within the limits: every 95 % interval lies inside them."),
        Verdict::Outside => {
            (Tone::Bad, "Outside the limits: at least one 95 % interval lies outside of them.")
        }
        Verdict::Undecided => {
            (Tone::Open, "Undecided: at least one 95 % interval spans a limit, or is not known.")
        }
    };
    (tone, text.to_owned())
}

fn header(record: &LotRecord) -> Vec<(String, String)> {
    let job = &record.job.job;
    let line = |name: &str, value: String| (name.to_owned(), value);
    let mut out = vec![line("Report", record.number.shown()), line("Date and time", record.date.clone())];
    out.extend(record.header.lines.iter().map(|l| (l.name.clone(), l.value.clone())));
    out.push(line("Fields measured", record.images.len().to_string()));
    out.push(line("Pixel size", pixel_sizes(record)));
    out.push(line("Job", format!("{} version {}", job.name, job.version)));
    out.push(line("Model (SHA-256)", job.model.sha256[..16].to_owned()));
    out.push(line("Program", format!("Sorby {}", env!("CARGO_PKG_VERSION"))));
    out
}

/// Pixel sizes and their sources, each with its number of images where they differ.
fn pixel_sizes(record: &LotRecord) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for image in &record.images {
        let words = match &image.input.scale {
            Some(s) => {
                // Where exactly it stands is said with each image.
                let source = source_words(&s.source);
                let short = source.split(',').next().unwrap_or_default();
                format!("{} ({short})", length(s.nm_per_px, 4))
            }
            None => "not known".to_owned(),
        };
        *counts.entry(words).or_default() += 1;
    }
    let all = record.images.len();
    let words = |(text, n): (&String, &usize)| {
        if *n == all { text.clone() } else { format!("{text}: {n} images") }
    };
    counts.iter().map(words).collect::<Vec<_>>().join("; ")
}

/// Who states a pixel size, without the names of options.
fn source_words(source: &str) -> String {
    source.replace("--nm-per-px", "the job")
}
