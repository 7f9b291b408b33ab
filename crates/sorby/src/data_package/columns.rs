//! The columns of a table that Sorby wrote: what kind of values they hold, and their unit.

use crate::Result;
use crate::error::Context as _;
use serde_json::{Value, json};
use sorby_report::{csv_text, unit_of};
use std::path::Path;

/// What every value of a column that was seen so far is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Unknown,
    Boolean,
    Integer,
    Number,
    Text,
}

impl Kind {
    fn of(cell: &str) -> Self {
        match cell {
            "" => Self::Unknown,
            "yes" | "no" => Self::Boolean,
            _ if cell.parse::<i64>().is_ok() => Self::Integer,
            _ if cell.parse::<f64>().is_ok_and(f64::is_finite) => Self::Number,
            _ => Self::Text,
        }
    }

    /// The narrowest kind that both are of.
    fn joined(self, other: Self) -> Self {
        match (self, other) {
            (one, Self::Unknown) => one,
            (Self::Unknown, one) => one,
            (one, other) if one == other => one,
            (Self::Integer | Self::Number, Self::Integer | Self::Number) => Self::Number,
            _ => Self::Text,
        }
    }
}

/// The table schema of a CSV file, after its name line and all of its values.
pub fn schema(path: &Path) -> Result<Value> {
    let damaged = || format!("{}: is damaged", path.display());
    let mut file = csv::Reader::from_reader(fs_err::File::open(path)?);
    let names = file.headers().ok().with_context(damaged)?.clone();
    let mut kinds = vec![Kind::Unknown; names.len()];
    let mut record = csv::StringRecord::new();
    while file.read_record(&mut record).ok().with_context(damaged)? {
        for (kind, cell) in kinds.iter_mut().zip(&record) {
            *kind = kind.joined(Kind::of(cell));
        }
    }
    let fields: Vec<Value> =
        names.iter().zip(kinds).map(|(name, kind)| field(csv_text(name), kind)).collect();
    Ok(json!({"fields": fields, "missingValues": [""]}))
}

fn field(name: &str, kind: Kind) -> Value {
    let word = match kind {
        Kind::Boolean => "boolean",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Unknown | Kind::Text => "string",
    };
    let mut field = json!({"name": name, "type": word});
    if kind == Kind::Boolean {
        field["trueValues"] = json!(["yes"]);
        field["falseValues"] = json!(["no"]);
    }
    if let Some(unit) = unit_of(name) {
        field["unit"] = unit.into();
    }
    field
}
