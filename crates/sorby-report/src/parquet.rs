//! Tables as Parquet.

use crate::arrow_schema::schema_entry;
use crate::table::{Cell, Table};
use arrow_schema::DataType;
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::sync::Arc;

/// What the cells of a column have in common.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Integer,
    Number,
}

fn kind(table: &Table, column: usize) -> Kind {
    let mut out = Kind::Integer;
    for row in &table.rows {
        match row[column] {
            Cell::Text(_) => return Kind::Text,
            Cell::Number(..) | Cell::Signed(..) => out = Kind::Number,
            Cell::Integer(_) | Cell::Missing => {}
        }
    }
    out
}

impl Table {
    /// Columns of text, 64-bit integers or doubles (in full precision), every value optional. Each column's unit stands in
    /// its field's metadata as Arrow reads them (`unit`).
    ///
    /// # Panics
    /// When a row has not one cell per column.
    pub fn to_parquet(&self) -> Vec<u8> {
        self.parquet().expect("memory takes any table")
    }

    fn parquet(&self) -> parquet::errors::Result<Vec<u8>> {
        let kinds: Vec<Kind> = (0..self.columns.len()).map(|c| kind(self, c)).collect();
        let field = |(name, kind): (&String, &Kind)| {
            let (physical, logical) = match kind {
                Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
                Kind::Integer => (Physical::INT64, None),
                Kind::Number => (Physical::DOUBLE, None),
            };
            let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
            builder.with_logical_type(logical).build().map(Arc::new)
        };
        let fields = self.columns.iter().zip(&kinds).map(field).collect::<Result<Vec<_>, _>>()?;
        let schema = Arc::new(Type::group_type_builder("table").with_fields(fields).build()?);
        let arrow = |kind: &Kind| match kind {
            Kind::Text => DataType::Utf8,
            Kind::Integer => DataType::Int64,
            Kind::Number => DataType::Float64,
        };
        let units = schema_entry(self.columns.iter().cloned().zip(kinds.iter().map(arrow)));
        let creator = format!("sorby {}", env!("CARGO_PKG_VERSION"));
        let properties = WriterProperties::builder()
            .set_created_by(creator)
            .set_key_value_metadata(Some(vec![units]))
            .build();
        let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
        let mut group = file.next_row_group()?;
        let mut column = 0;
        while let Some(mut writer) = group.next_column()? {
            let cells = || self.rows.iter().map(|r| &r[column]);
            let present: Vec<i16> = cells().map(|c| i16::from(c.has_value())).collect();
            match writer.untyped() {
                ColumnWriter::ByteArrayColumnWriter(w) => {
                    let texts = cells().filter(|c| c.has_value()).map(|c| c.text(""));
                    let texts: Vec<ByteArray> = texts.map(|t| ByteArray::from(t.into_bytes())).collect();
                    w.write_batch(&texts, Some(&present), None)?;
                }
                ColumnWriter::Int64ColumnWriter(w) => {
                    let whole = |c: &Cell| if let Cell::Integer(n) = c { Some(*n) } else { None };
                    w.write_batch(&cells().filter_map(whole).collect::<Vec<_>>(), Some(&present), None)?;
                }
                ColumnWriter::DoubleColumnWriter(w) => {
                    let number = |c: &Cell| match c {
                        Cell::Number(v, _) | Cell::Signed(v, _) => Some(*v).filter(|v| v.is_finite()),
                        Cell::Integer(n) => Some(*n as f64),
                        _ => None,
                    };
                    w.write_batch(&cells().filter_map(number).collect::<Vec<_>>(), Some(&present), None)?;
                }
                _ => unreachable!("the schema above has no other type"),
            }
            writer.close()?;
            column += 1;
        }
        group.close()?;
        file.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    #[test]
    fn values_are_read_back() {
        let mut t = Table::new(["name", "count", "size_nm"]);
        t.row(vec!["a".into(), 3usize.into(), Cell::Number(1.0 / 3.0, 2)]);
        t.row(vec!["b".into(), Cell::Missing, Cell::Missing]);
        let path = std::env::temp_dir().join(format!("sorby-table-{}.parquet", std::process::id()));
        std::fs::write(&path, t.to_parquet()).unwrap();
        let file = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        let rows: Vec<String> = file.get_row_iter(None).unwrap().map(|r| r.unwrap().to_string()).collect();
        assert_eq!(rows[0], format!("{{name: \"a\", count: 3, size_nm: {}}}", 1.0 / 3.0));
        assert_eq!(rows[1], "{name: \"b\", count: null, size_nm: null}");
        std::fs::remove_file(&path).unwrap();
    }
}
