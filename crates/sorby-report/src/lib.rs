//! Showing results: tables, plots, overlays and the HTML report. Knows no network.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod arrow_schema;
mod column;
mod geojson;
mod imagej_roi;
pub mod overlay;
mod page;
mod parquet;
mod plot;
mod sheet;
mod table;

pub use column::unit_of;
pub use geojson::GeoJson;
pub use imagej_roi::RoiSet;
pub use page::{Page, Picture, Section, record_of, render};
pub use plot::{Chart, Drawn, Series, bin_edges, histogram};
pub use sheet::{Paper, Sheet, Tone, render_sheet, sheet_table};
pub use table::{Cell, CsvRows, Table, csv_text};
