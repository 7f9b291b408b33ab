//! Zips in memory that are the same for the same content.

use crate::ExportError;
use std::io::{Cursor, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A file of a zip.
pub(crate) struct Entry {
    pub name: String,
    pub bytes: Vec<u8>,
    /// Not compressed; begins at a multiple of 64, as PyTorch wants its tensors.
    stored: bool,
}

impl Entry {
    pub fn stored(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), bytes, stored: true }
    }

    pub fn compressed(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), bytes, stored: false }
    }
}

/// Bytes of a zip, in this order.
pub(crate) fn zip(entries: &[Entry]) -> Result<Vec<u8>, ExportError> {
    const ALIGNED_TO: u16 = 64;
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default().last_modified_time(DateTime::default());
    let failed = |e: &dyn std::fmt::Display| ExportError::Zip(e.to_string());
    for entry in entries {
        let options = match entry.stored {
            true => plain.compression_method(CompressionMethod::Stored).with_alignment(ALIGNED_TO),
            false => plain.compression_method(CompressionMethod::Deflated),
        };
        out.start_file(entry.name.as_str(), options).map_err(|e| failed(&e))?;
        out.write_all(&entry.bytes).map_err(|e| failed(&e))?;
    }
    Ok(out.finish().map_err(|e| failed(&e))?.into_inner())
}
