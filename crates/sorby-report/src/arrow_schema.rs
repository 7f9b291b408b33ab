//! Units of a table's columns where programs that use Arrow look for them: the metadata of each field, which a Parquet file
//! carries as a schema in Arrow's own form.

use crate::column::unit_of;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};
use arrow_schema::{DataType, Field, Schema};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parquet::file::metadata::KeyValue;
use std::collections::HashMap;

/// Key of a field's metadata that holds its unit.
const UNIT: &str = "unit";

/// The entry of a Parquet file's metadata that holds the schema. Columns are those of the file, in its order.
pub(crate) fn schema_entry(columns: impl Iterator<Item = (String, DataType)>) -> KeyValue {
    let field = |(name, kind): (String, DataType)| {
        let unit = unit_of(&name).map(|unit| (UNIT.to_owned(), unit.to_owned()));
        Field::new(name, kind, true).with_metadata(HashMap::from_iter(unit))
    };
    let schema = Schema::new(columns.map(field).collect::<Vec<_>>());
    let message = IpcDataGenerator::default()
        .schema_to_bytes_with_dictionary_tracker(
            &schema,
            &mut DictionaryTracker::new(true),
            &IpcWriteOptions::default(),
        )
        .ipc_message;
    // A message of Arrow's stream format: a mark, its length, itself.
    let length = (message.len() as u32).to_le_bytes();
    let bytes = [[0xff; 4].as_slice(), &length, &message].concat();
    KeyValue::new("ARROW:schema".to_owned(), STANDARD.encode(bytes))
}
