//! Tables that several verbs print.

use crate::error::Context as _;
use crate::{Error, Event, Observer, Result};
use sorby_image::write::atomically;
use sorby_measure::Summary;
use sorby_report::{Cell, Table, csv_text};
use sorby_score::Scores;
use std::path::Path;

/// Scores per class, with a last row of means.
pub fn scores(scores: &Scores, classes: &[String]) -> Table {
    let mut table =
        Table::new(["class", "IoU_percent", "Dice_percent", "precision_percent", "recall_percent"]);
    for (name, s) in classes.iter().zip(&scores.classes) {
        let cells = [s.iou, s.dice, s.precision, s.recall].map(Cell::percent);
        table.row(std::iter::once(name.clone().into()).chain(cells).collect());
    }
    let means =
        [scores.mean_iou, scores.mean_dice, scores.mean_precision, scores.mean_recall].map(Cell::percent);
    table.row(std::iter::once("mean".into()).chain(means).collect());
    let accuracy = [Cell::percent(scores.pixel_accuracy), Cell::Missing, Cell::Missing, Cell::Missing];
    table.row(std::iter::once("pixel accuracy".into()).chain(accuracy).collect());
    table
}

/// One image's scores, and its pixel size.
pub type ScoredImage = (String, Option<f64>, Scores);

/// IoU of every image.
pub fn per_image(images: &[ScoredImage], classes: &[String]) -> Table {
    let columns = classes.iter().map(|c| format!("IoU_{c}_percent"));
    let first = ["image".to_owned(), "mIoU_percent".to_owned(), "accuracy_percent".to_owned()];
    let last = std::iter::once("nm_per_px".to_owned());
    let mut table = Table::new(first.into_iter().chain(columns).chain(last));
    for (name, nm_per_px, s) in images {
        let ious = s.classes.iter().map(|c| Cell::percent(c.iou));
        let cells = [name.clone().into(), Cell::percent(s.mean_iou), Cell::percent(s.pixel_accuracy)];
        let scale = std::iter::once(Cell::number(*nm_per_px, 4));
        table.row(cells.into_iter().chain(ious).chain(scale).collect());
    }
    table
}

/// Columns of particle results.
pub const PARTICLE_COLUMNS: [&str; 6] = [
    "count",
    "mean_radius_px",
    "mean_diameter_px",
    "mean_radius_nm",
    "mean_diameter_nm",
    "area_fraction_percent",
];

/// The cells of [`PARTICLE_COLUMNS`].
pub fn particle_cells(s: &Summary) -> Vec<Cell> {
    vec![
        s.count.into(),
        Cell::number(s.mean_radius_px, 3),
        Cell::number(s.mean_diameter_px, 3),
        Cell::number(s.mean_radius_nm, 2),
        Cell::number(s.mean_diameter_nm, 2),
        Cell::percent(Some(s.area_fraction)),
    ]
}

/// Writes `problems.csv` into `folder`, or removes that of an earlier run when there are none.
///
/// # Errors
/// When the file cannot be written or removed.
pub fn write_problems(folder: &Path, problems: &Table) -> Result<()> {
    let path = folder.join("problems.csv");
    if !problems.rows.is_empty() {
        atomically(&path, problems.to_csv().as_bytes())?;
    } else if path.exists() {
        fs_err::remove_file(&path)?;
    }
    Ok(())
}

/// A table of files that could not be used.
pub fn problems() -> Table {
    Table::new(["file", "problem"])
}

/// Reads `problems.csv` of a folder: the file as it was typed, and its problem. None where there is no such table.
///
/// # Errors
/// When the table cannot be read.
pub(crate) fn read_problems(folder: &Path) -> Result<Vec<(String, String)>> {
    let path = folder.join("problems.csv");
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let mut file = csv::Reader::from_reader(fs_err::File::open(&path)?);
    let mut rows = Vec::new();
    for record in file.records() {
        let record = record.ok().with_context(|| format!("{}: is damaged", path.display()))?;
        let text = |i: usize| csv_text(record.get(i).unwrap_or_default()).to_owned();
        rows.push((text(0), text(1)));
    }
    Ok(rows)
}

/// Adds a file that could not be used, and reports it.
pub(crate) fn problem(table: &mut Table, file: &Path, error: &Error, observer: &dyn Observer) {
    observer.event(Event::Problem(error.to_string()));
    table.row(vec![file.display().to_string().into(), error.to_string().into()]);
}
