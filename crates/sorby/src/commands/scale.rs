//! `sorby scale`: what files say of their pixel size, where, and whether it can be relied on.

use super::inputs;
use crate::args::ScaleArgs;
use serde_json::json;
use sorby_image::scale::{self, ScaleReading};
use sorby_report::{Cell, Table};
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: ScaleArgs) -> anyhow::Result<ExitCode> {
    let files = inputs::images(&args.images)?;
    let mut table = Table::new([
        "file",
        "width_px",
        "height_px",
        "nm_per_px",
        "data_bar_px",
        "vendor",
        "where",
        "verdict",
    ]);
    let mut records = Vec::new();
    let mut all_known = true;
    for file in &files {
        let (row, record, known) = describe(file);
        table.row(row);
        records.push(record);
        all_known &= known;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&records)?);
    } else {
        print!("{}", table.to_text());
        if !all_known {
            println!(
                "where nothing reliable is found, give the pixel size: --nm-per-px, or [scale] in dataset.toml"
            );
        }
    }
    Ok(if all_known { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn describe(file: &Path) -> (Vec<Cell>, serde_json::Value, bool) {
    let name = file.display().to_string();
    let reading = match scale::read(file) {
        Ok(reading) => reading,
        Err(error) => {
            let row = vec![
                name.clone().into(),
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
    let (nm, verdict) = match reading.nm_per_px() {
        Ok(Some(nm)) => (Some(nm), "reliable".to_owned()),
        Ok(None) => (None, "no scale in or beside the file".to_owned()),
        Err(reason) => (None, format!("REFUSED: {reason}")),
    };
    let ScaleReading { width_px, height_px, found } = &reading;
    let text = |value: Option<&'static str>| value.map_or(Cell::Missing, Cell::from);
    let bar = reading.data_bar_px();
    let row = vec![
        name.clone().into(),
        (*width_px as usize).into(),
        (*height_px as usize).into(),
        Cell::number(nm, 4),
        bar.map_or(Cell::Missing, |rows| (rows as usize).into()),
        text(found.as_ref().map(|f| f.vendor)),
        text(found.as_ref().map(|f| f.place)),
        verdict.clone().into(),
    ];
    let record = json!({
        "file": name,
        "width_px": width_px,
        "height_px": height_px,
        "nm_per_px": nm,
        "data_bar_px": bar,
        "vendor": found.as_ref().map(|f| f.vendor),
        "where": found.as_ref().map(|f| f.place),
        "stated_nm_per_px": found.as_ref().map(|f| [f.nm_x, f.nm_y]),
        "verdict": verdict,
    });
    (row, record, nm.is_some())
}
