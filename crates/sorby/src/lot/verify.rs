//! Whether a lot is still what it was when its report was made.

use super::REPORT;
use super::manifest::{MANIFEST, Manifest, SEAL, files_of, is_finished};
use super::signature::{SignedStatement, fingerprint_of_file, signatures_of};
use crate::error::refuse;
use crate::{Result, checksum};
use sorby_image::is_strange;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// What a check of a lot found.
#[derive(Debug)]
pub struct VerifiedLot {
    /// Files of the lot that were compared.
    pub files: usize,
    /// Files outside of it that were compared: images, model, job.
    pub inputs: usize,
    /// A line for each file that is not what it was.
    pub faults: Vec<String>,
    /// SHA-256 of `manifest.json` as it is now.
    pub manifest_sha256: String,
    /// SHA-256 of `seal.json` as it is now: to be compared with the one noted when the report was signed.
    pub seal_sha256: String,
    /// Signatures that hold for this state of the lot.
    pub signatures: Vec<SignedStatement>,
}

impl VerifiedLot {
    /// Adds a fault for each of these public keys (PEM files) that has not signed the lot.
    ///
    /// # Errors
    /// When a file holds no public Ed25519 key.
    pub fn require_signed_by(&mut self, public_keys: &[PathBuf]) -> Result<()> {
        let signed: Vec<String> = self.signatures.iter().map(|s| s.fingerprint()).collect::<Result<_>>()?;
        for key in public_keys {
            if !signed.contains(&fingerprint_of_file(key)?) {
                self.faults.push(format!("not signed with the key of {}", key.display()));
            }
        }
        Ok(())
    }
}

/// A record of hashes may come from anywhere; what it calls files of the lot lies in the lot.
fn is_place_in_lot(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|c| matches!(c, Component::Normal(_)))
}

fn compare(name: &str, path: &Path, sha256: &str, faults: &mut Vec<String>) {
    match checksum::sha256(path) {
        _ if !path.exists() => faults.push(format!("{name}: is missing")),
        Ok(now) if now == *sha256 => {}
        Ok(_) => faults.push(format!("{name}: was changed")),
        Err(error) => faults.push(format!("{name}: cannot be read ({error})")),
    }
}

/// Compares every file of a lot, and every file that it was made from, with its hash, and checks its signatures.
///
/// # Errors
/// When the folder is no finished lot, or a record of hashes cannot be read.
pub fn verify_lot(lot: &Path) -> Result<VerifiedLot> {
    let shown = lot.display();
    if !is_finished(lot) {
        let why = if lot.join(super::JOB_COPY).is_file() {
            "is not finished; the same `sorby run` command goes on with it"
        } else {
            "is no lot of `sorby run`"
        };
        refuse!("{shown}: {why} (it has no {SEAL})");
    }
    let seal = Manifest::read(&lot.join(SEAL))?;
    let mut faults = Vec::new();
    let of_lot = |files: &BTreeMap<String, String>, faults: &mut Vec<String>| {
        for (name, sha) in files {
            match is_place_in_lot(name) {
                true => compare(name, &lot.join(name), sha, faults),
                false => faults.push(format!("{name}: is no place in a lot")),
            }
        }
    };
    of_lot(&seal.files, &mut faults);
    // A changed manifest is named already; what it says now, if anything, is compared all the same.
    let readable = Manifest::read(&lot.join(MANIFEST)).ok();
    let manifest = readable.clone().unwrap_or_default();
    of_lot(&manifest.files, &mut faults);
    for input in &manifest.inputs {
        compare(
            &format!("{} {}", input.what, input.file),
            &lot.join(&input.file),
            &input.sha256,
            &mut faults,
        );
    }
    let signatures = signatures_of(lot)?;
    faults.extend(signatures.faults);
    let there = if readable.is_some() { files_of(lot)? } else { Default::default() };
    for name in there.into_keys() {
        let known = seal.files.contains_key(&name) || manifest.files.contains_key(&name);
        if name != SEAL && !known && !signatures.files.contains(&name) {
            faults.push(format!("{name}: was added"));
        }
    }
    let manifest_sha256 = checksum::sha256(&lot.join(MANIFEST)).unwrap_or_default();
    let page = std::fs::read_to_string(lot.join(REPORT)).unwrap_or_default();
    if manifest_sha256.is_empty() || !page.contains(&manifest_sha256) {
        faults.push(format!("{REPORT}: does not name this {MANIFEST}"));
    }
    // Names come from files that anybody may have written: what is shown of them is one line each.
    let faults = faults.iter().map(|line| line.replace(is_strange, "?")).collect();
    Ok(VerifiedLot {
        files: seal.files.len() + manifest.files.len(),
        inputs: manifest.inputs.len(),
        faults,
        manifest_sha256,
        seal_sha256: checksum::sha256(&lot.join(SEAL))?,
        signatures: signatures.valid,
    })
}
