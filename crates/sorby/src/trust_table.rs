//! `trust.csv`: what can be expected of masks, written and read.

use crate::segment::Trust;
use sorby_image::{MaskNote, Origin};
use sorby_report::{Cell, Table, csv_text};
use std::io;

/// File name of the table, next to the folder of masks.
pub const TRUST_FILE: &str = "trust.csv";

const COLUMNS: [&str; 11] = [
    "image",
    "class",
    "expected_IoU_percent",
    "expected_IoU_low_percent",
    "expected_IoU_high_percent",
    "mean_confidence_percent",
    "distance_from_training",
    "unlike_training",
    "nm_per_px",
    "image_blake3",
    "model_blake3",
];

/// What can be expected of one class in one mask.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrustRow {
    /// Name of the image.
    pub image: String,
    /// Name of the class.
    pub class: String,
    /// IoU with a label that nobody has drawn yet, in percent.
    pub expected_iou_percent: Option<f64>,
    /// Its 95 % interval in percent; `None` where the validation images say nothing of such an image.
    pub interval_percent: Option<(f64, f64)>,
    /// Mean calibrated probability of the class given, over the image, in percent.
    pub confidence_percent: Option<f64>,
    /// Distance from the training images; above 1 the image is unlike them.
    pub distance: Option<f64>,
    /// Whether the image is unlike the training images, where that is known.
    pub unlike: Option<bool>,
    /// Pixel size of the image.
    pub nm_per_px: Option<f64>,
    /// Hash of the image's pixels; empty in tables of older versions.
    pub image_blake3: String,
    /// Hash of the model's file; empty in tables of older versions.
    pub model_blake3: String,
}

impl TrustRow {
    /// A row for each class of an image.
    pub(crate) fn of_image(image: &str, trust: &Trust, note: &MaskNote) -> Vec<Self> {
        let hash = |of: fn(&Origin) -> &String| note.origin.as_ref().map(of).cloned().unwrap_or_default();
        let row = |(class, expected): (&String, &Option<sorby_infer::ExpectedIou>)| Self {
            image: image.to_owned(),
            class: class.clone(),
            expected_iou_percent: expected.map(|e| 100.0 * e.value),
            interval_percent: expected
                .and_then(|e| e.interval)
                .map(|(low, high)| (100.0 * low, 100.0 * high)),
            confidence_percent: trust.confidence().map(|c| 100.0 * c),
            distance: trust.distance(),
            unlike: trust.distance().map(|_| trust.is_unlike()),
            nm_per_px: note.nm_per_px,
            image_blake3: hash(|o| &o.image_blake3),
            model_blake3: hash(|o| &o.model_blake3),
        };
        note.classes.iter().zip(trust.expected()).map(row).collect()
    }

    /// The table of these rows.
    pub fn table(rows: &[Self]) -> Table {
        let mut table = Table::new(COLUMNS);
        for row in rows {
            let percent = |value| Cell::number(value, 2);
            table.row(vec![
                row.image.clone().into(),
                row.class.clone().into(),
                percent(row.expected_iou_percent),
                percent(row.interval_percent.map(|i| i.0)),
                percent(row.interval_percent.map(|i| i.1)),
                percent(row.confidence_percent),
                Cell::number(row.distance, 3),
                row.unlike.map_or(Cell::Missing, |yes| (if yes { "yes" } else { "no" }).into()),
                Cell::number(row.nm_per_px, 4),
                row.image_blake3.clone().into(),
                row.model_blake3.clone().into(),
            ]);
        }
        table
    }

    /// Reads the table; `None` if it is no table of this kind. Columns that older versions had not are empty.
    pub fn read(file: impl io::Read) -> Option<Vec<Self>> {
        let mut file = csv::Reader::from_reader(file);
        let head = file.headers().ok()?.clone();
        let places = COLUMNS.map(|name| head.iter().position(|h| h == name));
        places[0].and(places[7])?;
        file.into_records().map(|record| Self::of_record(&record.ok()?, &places)).collect()
    }

    fn of_record(record: &csv::StringRecord, places: &[Option<usize>; 11]) -> Option<Self> {
        let text = |column: usize| places[column].and_then(|i| record.get(i)).unwrap_or_default();
        let name = |column: usize| csv_text(text(column)).to_owned();
        let number = |column: usize| text(column).parse::<f64>().ok();
        Some(Self {
            image: csv_text(record.get(places[0]?)?).to_owned(),
            class: name(1),
            expected_iou_percent: number(2),
            interval_percent: number(3).zip(number(4)),
            confidence_percent: number(5),
            distance: number(6),
            unlike: match record.get(places[7]?)? {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            nm_per_px: number(8),
            image_blake3: name(9),
            model_blake3: name(10),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let rows = [
            TrustRow {
                image: "=a,1".into(),
                class: "carbide".into(),
                expected_iou_percent: Some(81.25),
                interval_percent: Some((70.5, 92.0)),
                confidence_percent: Some(97.5),
                distance: Some(1.25),
                unlike: Some(true),
                nm_per_px: Some(7.344),
                image_blake3: "ab".into(),
                model_blake3: "cd".into(),
            },
            TrustRow { image: "b".into(), class: "matrix".into(), ..TrustRow::default() },
        ];
        let text = TrustRow::table(&rows).to_csv();
        assert_eq!(TrustRow::read(text.as_bytes()).unwrap(), rows);
        assert_eq!(TrustRow::read(&b"image,unlike_training\nx,no\n"[..]).unwrap()[0].unlike, Some(false));
        assert!(TrustRow::read(&b"file,problem\nx,y\n"[..]).is_none());
        assert!(TrustRow::read(&b"image,unlike_training\nx\n"[..]).is_none());
    }
}
