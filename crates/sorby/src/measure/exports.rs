//! Files for other programs.

use super::Measured;
use super::objects::{Columns, Rows};
use super::options::Export;
use crate::Result;
use crate::error::Context as _;
use serde_json::{Map, Value};
use sorby_image::write::{Streamed, atomically};
use sorby_measure::{Connectivity, each_outline};
use sorby_report::{Cell, CsvRows, GeoJson, RoiSet, Table};
use std::path::Path;

/// The table of all objects, and their outlines for other programs.
pub fn write(
    out: &Path,
    export: &[Export],
    fields: &[Measured],
    class: &str,
    connectivity: Connectivity,
) -> Result<()> {
    let columns = Columns::of(fields);
    let path = out.join("particles.csv");
    let named = || path.display().to_string();
    let mut csv = CsvRows::begin(Streamed::begin(&path)?, &columns.names).with_context(named)?;
    // Parquet lays columns one after the other, so it needs all rows at once.
    let mut table = export.contains(&Export::Parquet).then(|| Table::new(columns.names.clone()));
    for f in fields {
        let rows = Rows::of(&columns, f);
        for i in 0..rows.len() {
            let row = rows.row(i);
            csv.row(&row).with_context(named)?;
            if let Some(table) = &mut table {
                table.row(row);
            }
        }
        outlines((out, export), f, class, connectivity, |i| measurements(&columns.names, &rows.row(i)))?;
    }
    csv.finish().with_context(named)?.finish()?;
    if let Some(table) = table {
        atomically(&out.join("particles.parquet"), &table.to_parquet())?;
    }
    Ok(())
}

/// Writes the outlines of one field's objects, one after the other, into each file that is wanted.
fn outlines(
    (out, export): (&Path, &[Export]),
    f: &Measured,
    class: &str,
    connectivity: Connectivity,
    measurements: impl Fn(usize) -> Map<String, Value>,
) -> Result<()> {
    let path = |ending: &str| out.join(format!("{}{ending}", f.name));
    let begin = |kind, ending| -> Result<Option<Streamed>> {
        Ok(export.contains(&kind).then(|| Streamed::begin(&path(ending))).transpose()?)
    };
    let mut roi = begin(Export::Roi, "-RoiSet.zip")?.map(RoiSet::begin);
    let mut geojson =
        begin(Export::Geojson, ".geojson")?.map(|out| GeoJson::begin(out, class)).transpose()?;
    if roi.is_none() && geojson.is_none() {
        return Ok(());
    }
    let p = &f.particles;
    each_outline(&p.runs, p.regions.len(), connectivity, |i, rings| -> Result<()> {
        if let Some(roi) = &mut roi {
            roi.object(rings).with_context(|| path("-RoiSet.zip").display().to_string())?;
        }
        if let Some(geojson) = &mut geojson {
            let of_object = measurements(i);
            geojson.object(rings, &of_object).with_context(|| path(".geojson").display().to_string())?;
        }
        Ok(())
    })?;
    if let Some(roi) = roi {
        roi.finish()?.finish()?;
    }
    if let Some(geojson) = geojson {
        geojson.finish()?.finish()?;
    }
    Ok(())
}

/// The numbers of one object by column name.
fn measurements(columns: &[String], row: &[Cell]) -> Map<String, Value> {
    let number = |(name, cell): (&String, &Cell)| match cell {
        Cell::Integer(n) => Some((name.clone(), Value::from(*n))),
        Cell::Number(v, _) | Cell::Signed(v, _) => Some((name.clone(), Value::from(*v))),
        Cell::Text(_) | Cell::Missing => None,
    };
    columns.iter().zip(row).filter_map(number).collect()
}
