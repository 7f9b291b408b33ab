//! What a file holds, in 64 characters.

use crate::Result;
use sha2::{Digest as _, Sha256};
use sorby_image::{ImageError, files};
use std::io::Read as _;
use std::path::Path;

/// SHA-256 of a file.
pub fn sha256(file: &Path) -> Result<String> {
    let mut hasher = Sha256::new();
    // A pipe or a device would be read for ever.
    let mut reader = files::open_regular(file).map_err(|e| ImageError::io(file, e))?;
    let mut block = vec![0; 1 << 16];
    loop {
        match reader.read(&mut block)? {
            0 => break,
            n => hasher.update(&block[..n]),
        }
    }
    Ok(hex(&hasher.finalize()))
}

/// SHA-256 of bytes.
pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(hash: &[u8]) -> String {
    hash.iter().map(|b| format!("{b:02x}")).collect()
}

/// SHA-256 of a model: a file, or that of a run folder.
pub(crate) fn of_model(path: &Path) -> Result<String> {
    sha256(&sorby_infer::model_file(path))
}
