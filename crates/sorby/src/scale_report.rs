//! What files say of their pixel size, where, and whether it can be relied on.

use serde_json::{Value, json};
use sorby_image::scale::agreement::Statements;
use sorby_image::scale::{self, ScaleReading};
use sorby_image::{Micrograph, OneLine, ScaleBar};
use sorby_report::{Cell, Table};
use std::path::{Path, PathBuf};

/// What files say of their pixel size.
pub struct ScaleReport {
    /// A row for each file.
    pub table: Table,
    /// The same as values, with all digits.
    pub records: Vec<Value>,
    /// Whether every file has a pixel size that can be relied on.
    pub all_known: bool,
}

/// Reads the pixel sizes that files state; what cannot be read says why.
pub fn report_scales(files: &[PathBuf]) -> ScaleReport {
    let table = Table::new([
        "file",
        "width_px",
        "height_px",
        "nm_per_px",
        "data_bar_px",
        "scale_bar_px",
        "scale_bar_nm",
        "vendor",
        "where",
        "verdict",
    ]);
    let mut report = ScaleReport { table, records: Vec::new(), all_known: true };
    for file in files {
        let (row, record, known) = describe(file);
        report.table.row(row);
        report.records.push(record);
        report.all_known &= known;
    }
    report
}

fn describe(file: &Path) -> (Vec<Cell>, Value, bool) {
    let name = file.display().to_string();
    let reading = match scale::read(file) {
        Ok(reading) => reading,
        Err(error) => {
            let row = vec![
                OneLine(&name).to_string().into(),
                Cell::Missing,
                Cell::Missing,
                Cell::Missing,
                Cell::Missing,
                Cell::Missing,
                Cell::Missing,
                Cell::Missing,
                Cell::Missing,
                format!("{error}").into(),
            ];
            return (row, json!({"file": name, "verdict": error.to_string()}), false);
        }
    };
    // A file whose pixels cannot be read still has its metadata.
    let drawn = Micrograph::read(file).ok().and_then(|image| reading.data_bar(&image));
    let bar = reading.data_bar_px().map(|rows| rows as usize).or(drawn.map(|b| b.rows_px));
    let scale_bar = drawn.and_then(|b| b.scale_bar);
    let mut statements = Statements::default();
    statements.file("", &reading, drawn);
    let (nm, verdict) = match statements.settle() {
        Ok(Some(known)) => (Some(known.nm_per_px), judge(known.nm_per_px, scale_bar)),
        Ok(None) if reading.remarks.is_empty() => (None, "no scale in or next to the file".to_owned()),
        Ok(None) => (None, format!("no scale: {}", reading.remarks.join("; "))),
        Err(cause) => (None, format!("REFUSED: {cause}")),
    };
    let ScaleReading { width_px, height_px, found, .. } = &reading;
    let place = found.as_ref().map(|f| f.whereabouts());
    let text = |value: Option<&'static str>| value.map_or(Cell::Missing, Cell::from);
    let row = vec![
        OneLine(&name).to_string().into(),
        (*width_px as usize).into(),
        (*height_px as usize).into(),
        Cell::number(nm, 4),
        bar.map_or(Cell::Missing, Cell::from),
        Cell::number(scale_bar.map(|b| b.length_px), 1),
        Cell::number(nm.zip(scale_bar).map(|(nm, b)| nm * b.length_px), 0),
        text(found.as_ref().map(|f| f.vendor)),
        place.clone().map_or(Cell::Missing, Cell::from),
        verdict.clone().into(),
    ];
    let record = json!({
        "file": name,
        "width_px": width_px,
        "height_px": height_px,
        "nm_per_px": nm,
        "data_bar_px": bar,
        "scale_bar_px": scale_bar.map(|b| b.length_px),
        "vendor": found.as_ref().map(|f| f.vendor),
        "where": place,
        "stated_nm_per_px": found.as_ref().map(|f| [f.nm_x, f.nm_y]),
        "verdict": verdict,
    });
    (row, record, nm.is_some())
}

/// How sure the pixel size is: does it make the drawn bar a length that one writes next to a bar?
fn judge(nm: f64, bar: Option<ScaleBar>) -> String {
    let Some(bar) = bar else { return "reliable".to_owned() };
    let round = bar.nearest_round_nm(nm);
    if bar.agrees(round, nm) {
        format!("reliable; makes the scale bar {round} nm")
    } else {
        format!(
            "CHECK: makes the scale bar {:.0} nm, which nobody writes; compare with the picture",
            nm * bar.length_px
        )
    }
}
