//! Files for other programs.

use super::Measured;
use crate::args::{ExportArg, MeasureArgs};
use serde_json::{Map, Value};
use sorby_image::write::atomically;
use sorby_measure::{Connectivity, outlines};
use sorby_report::{Cell, Table, geojson, roi_set};

pub fn write(
    args: &MeasureArgs,
    fields: &[Measured],
    class: &str,
    connectivity: Connectivity,
    objects: &Table,
) -> anyhow::Result<()> {
    let wanted = |kind| args.export.contains(&kind);
    if wanted(ExportArg::Parquet) {
        atomically(&args.out.join("particles.parquet"), &objects.to_parquet())?;
    }
    if !wanted(ExportArg::Roi) && !wanted(ExportArg::Geojson) {
        return Ok(());
    }
    for f in fields {
        let p = &f.particles;
        let rings = outlines(&p.runs, p.regions.len(), connectivity);
        if wanted(ExportArg::Roi) {
            atomically(&args.out.join(format!("{}-RoiSet.zip", f.name)), &roi_set(&rings))?;
        }
        if wanted(ExportArg::Geojson) {
            let own = objects.rows.iter().filter(|r| r[0] == Cell::Text(f.name.clone()));
            let described =
                rings.iter().zip(own).map(|(rings, row)| (&rings[..], measurements(objects, row)));
            atomically(&args.out.join(format!("{}.geojson", f.name)), geojson(class, described).as_bytes())?;
        }
    }
    Ok(())
}

/// The numbers of one object by column name.
fn measurements(table: &Table, row: &[Cell]) -> Map<String, Value> {
    let number = |(name, cell): (&String, &Cell)| match cell {
        Cell::Integer(n) => Some((name.clone(), Value::from(*n))),
        Cell::Number(v, _) | Cell::Signed(v, _) => Some((name.clone(), Value::from(*v))),
        Cell::Text(_) | Cell::Missing => None,
    };
    table.columns.iter().zip(row).filter_map(number).collect()
}
