//! The number of a report, and the report that a revision replaces.

use crate::error::{Context as _, refuse};
use crate::{Result, checksum};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A lot whose report is replaced, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revises {
    /// Folder of the lot.
    pub lot: PathBuf,
    /// Why, in words.
    pub reason: String,
}

/// Number of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportNumber {
    /// The same for all revisions.
    pub number: String,
    /// 0 for the first report.
    pub revision: u64,
    /// The report that this one replaces.
    pub replaces: Option<Replaced>,
}

/// A report that is not valid any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// Its number and revision, as they stand on it.
    pub shown: String,
    pub date: String,
    /// Of its `lot.json`.
    pub sha256: String,
    pub reason: String,
}

impl ReportNumber {
    /// A first report: the number given, or one made of its date and its images.
    pub fn first(given: Option<&str>, date: &str, images: &[String]) -> Self {
        let made = || {
            let digits: String = date.chars().filter(char::is_ascii_digit).collect();
            let hash = checksum::sha256_of(images.concat().as_bytes());
            format!("{}-{}-{}", &digits[..8], &digits[8..], &hash[..4])
        };
        Self { number: given.map_or_else(made, str::to_owned), revision: 0, replaces: None }
    }

    /// The next revision of a finished report.
    ///
    /// # Errors
    /// When the folder holds no report, or no reason is given.
    pub fn next(revises: &Revises) -> Result<Self> {
        if revises.reason.trim().is_empty() {
            refuse!("--reason: say why the report is replaced");
        }
        let path = revises.lot.join(super::LOT_FILE);
        let shown = path.display();
        let bytes = fs_err::read(&path).context("--revises names the folder of a lot")?;
        let old: Value =
            serde_json::from_slice(&bytes).with_context(|| format!("{shown}: cannot be read"))?;
        let number =
            old["report"]["number"].as_str().with_context(|| format!("{shown}: has no report number"))?;
        let revision = old["report"]["revision"].as_u64().unwrap_or(0);
        let was = Self { number: number.to_owned(), revision, replaces: None };
        let replaced = Replaced {
            shown: was.shown(),
            date: old["date"].as_str().unwrap_or_default().to_owned(),
            sha256: checksum::sha256_of(&bytes),
            reason: revises.reason.trim().to_owned(),
        };
        Ok(Self { revision: revision + 1, replaces: Some(replaced), ..was })
    }

    /// As it stands on every page.
    pub fn shown(&self) -> String {
        match self.revision {
            0 => self.number.clone(),
            n => format!("{} revision {n}", self.number),
        }
    }

    /// A sentence on the report that it replaces.
    pub fn replaces_words(&self) -> Option<String> {
        let r = self.replaces.as_ref()?;
        Some(format!(
            "This report replaces report {} of {}, which is not valid any more: {}",
            r.shown, r.date, r.reason
        ))
    }

    pub fn json(&self) -> Value {
        let replaces = self.replaces.as_ref().map(
            |r| json!({"report": r.shown, "date": r.date, "lot_json_sha256": r.sha256, "reason": r.reason}),
        );
        json!({"number": self.number, "revision": self.revision, "shown": self.shown(), "replaces": replaces})
    }
}

/// The lot may not be written over the one that it replaces.
pub fn require_apart(revises: Option<&Revises>, out: &Path) -> Result<()> {
    let same = |r: &Revises| {
        std::fs::canonicalize(&r.lot).is_ok_and(|old| std::fs::canonicalize(out).is_ok_and(|new| new == old))
    };
    if revises.is_some_and(same) {
        refuse!("--out: a revision goes into a folder of its own; the report that it replaces is kept");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_names_what_it_replaces() {
        let first = ReportNumber::first(None, "2026-11-27 10:59:21 UTC", &["ab".into()]);
        assert_eq!((first.number.len(), first.shown().starts_with("20261127-105921-")), (20, true));
        let folder = tempfile::tempdir().unwrap();
        let lot = json!({"report": first.json(), "date": "2026-11-27"});
        std::fs::write(folder.path().join("lot.json"), lot.to_string()).unwrap();
        let revises = |reason: &str| Revises { lot: folder.path().to_owned(), reason: reason.into() };
        let second = ReportNumber::next(&revises("wrong heat number")).unwrap();
        assert_eq!(second.shown(), format!("{} revision 1", first.number));
        let words = second.replaces_words().unwrap();
        assert!(words.contains(&first.number) && words.ends_with("wrong heat number"), "{words}");
        assert!(ReportNumber::next(&revises(" ")).is_err());
        assert!(require_apart(Some(&revises("x")), folder.path()).is_err());
        assert!(require_apart(Some(&revises("x")), &folder.path().join("new")).is_ok());
    }
}
