//! What the report was made from, by hash.

use super::super::manifest::MANIFEST;
use super::super::record::LotRecord;
use crate::report::seen_from;
use sorby_image::parent_of;
use sorby_report::{Section, sheet_table};

pub fn section(record: &LotRecord, manifest: &str) -> Section {
    let mut rows = vec![vec!["File".to_owned(), "SHA-256".to_owned()]];
    for image in &record.images {
        rows.push(vec![image.place.clone(), image.input.sha256.clone()]);
        rows.push(vec![
            format!("its mask: segmentation/masks/{}.png", image.input.name),
            image.mask_sha256.clone(),
        ]);
    }
    let job = record.job;
    for (what, named) in job.files() {
        let place = seen_from(parent_of(&job.path), &job.place(named)).unwrap_or(named.file.clone());
        rows.push(vec![format!("{what}: {place} (as seen from the job)"), named.sha256.clone()]);
    }
    rows.push(vec![format!("job: {} version {}", job.job.name, job.job.version), job.sha256.clone()]);
    rows.push(vec![
        format!("{MANIFEST}, which has the SHA-256 of every table and mask"),
        manifest.to_owned(),
    ]);
    Section {
        heading: "Provenance".into(),
        text: format!(
            "Paths are as seen from the folder of this report. Lock of the job: {}. BLAKE3 of the model, as its masks carry it: \
             {}. In the folder of this report, `sorby verify .` compares every file with its hash.",
            job.lock.sha256, record.model_blake3
        ),
        blocks: vec![sheet_table(&rows)],
        code: record.command.clone(),
        ..Section::default()
    }
}
