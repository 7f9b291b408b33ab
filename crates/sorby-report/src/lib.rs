//! Showing results: tables, plots, overlays and the HTML report. Knows no network.

pub mod overlay;
mod page;
mod plot;
mod table;

pub use page::{Page, Picture, Section, render};
pub use plot::{Chart, Series, bin_edges, histogram};
pub use table::{Cell, Table};
