//! Files for other programs.

use super::Measured;
use super::objects::{Columns, Rows};
use super::options::Export;
use crate::Result;
use crate::error::Context as _;
use serde_json::{Map, Value};
use sorby_image::write::{Streamed, atomically};
use sorby_image::{OmePixels, OmeTiff};
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
        if export.contains(&Export::Tiff) {
            numbers(out, f)?;
        }
        if export.contains(&Export::Roi) {
            rois(out, f, connectivity)?;
        }
        if export.contains(&Export::Geojson) {
            geojson(out, f, class, |i| measurements(&columns.names, &rows.row(i)))?;
        }
    }
    csv.finish().with_context(named)?.finish()?;
    if let Some(table) = table {
        atomically(&out.join("particles.parquet"), &table.to_parquet())?;
    }
    Ok(())
}

/// A picture with the number of its object (`particle` in the table) at each pixel.
fn numbers(out: &Path, f: &Measured) -> Result<()> {
    let (width, height) = f.size_px;
    let numbers = f.particles.numbers(f.size_px);
    let pixels = OmePixels::Objects(&numbers);
    let file = OmeTiff { width, height, pixels, nm_per_px: f.particles.nm_per_px, channel: "objects" };
    Ok(file.write(&out.join(format!("{}-objects.tif", f.name)))?)
}

/// Regions for ImageJ, one for each object of a field, written one after the other.
fn rois(out: &Path, f: &Measured, connectivity: Connectivity) -> Result<()> {
    let path = out.join(format!("{}-RoiSet.zip", f.name));
    let named = || path.display().to_string();
    let mut set = RoiSet::begin(Streamed::begin(&path)?);
    let p = &f.particles;
    each_outline(&p.runs, p.regions.len(), connectivity, |_, rings| set.object(rings)).with_context(named)?;
    Ok(set.finish().with_context(named)?.finish()?)
}

/// Polygons with measurements, one feature for each object of a field, written one after the other.
fn geojson(
    out: &Path,
    f: &Measured,
    class: &str,
    measurements: impl Fn(usize) -> Map<String, Value>,
) -> Result<()> {
    let path = out.join(format!("{}.geojson", f.name));
    let named = || path.display().to_string();
    let mut features = GeoJson::begin(Streamed::begin(&path)?, class).with_context(named)?;
    let p = &f.particles;
    // A polygon that touches itself at a corner is not valid: such an object is several polygons.
    each_outline(&p.runs, p.regions.len(), Connectivity::Four, |i, rings| {
        features.object(rings, &measurements(i))
    })
    .with_context(named)?;
    Ok(features.finish().with_context(named)?.finish()?)
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
