//! A study file from what a form says.

use crate::Result;
use crate::error::{Context as _, refuse, refused};
use sorby_image::parent_of;
use sorby_image::write::atomically;
use sorby_study::StudySpec;
use std::path::Path;
use toml::{Table, Value};

/// What a study shall try.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
pub struct NewStudy {
    /// What tables call the data.
    #[serde(default)]
    pub title: String,
    /// Networks: `deeplabv3plus`, `pspnet`.
    pub archs: Vec<String>,
    /// Tricks that every study knows: T (pretrained encoder), S (strong augmentation), R (receptive field).
    pub tricks: Vec<String>,
    /// The file of T, as seen from the study file.
    #[serde(default)]
    pub pretrained: Option<String>,
    /// Repeats of every training.
    pub seeds: u32,
    /// Folds of the training images.
    pub folds: u32,
    /// Splits to learn from.
    pub train: Vec<String>,
    /// The split that is held out.
    pub test: String,
    /// Built-in schedule, or a recipe file as seen from the study file.
    pub base: String,
}

/// Writes a study file, and gives what it says.
///
/// # Errors
/// When the file is there already, or a study cannot be like this.
pub fn create_study(new: &NewStudy, out: &Path) -> Result<StudySpec> {
    let shown = out.display();
    if out.exists() {
        refuse!("{shown}: is there already; choose another name");
    }
    let list = |items: &[String]| Value::Array(items.iter().cloned().map(Value::String).collect());
    let mut table = Table::new();
    if !new.title.is_empty() {
        table.insert("title".into(), new.title.clone().into());
    }
    table.insert("archs".into(), list(&new.archs));
    table.insert("tricks".into(), list(&new.tricks));
    if let Some(file) = &new.pretrained {
        table.insert("pretrained".into(), file.clone().into());
    }
    table.insert("seeds".into(), i64::from(new.seeds).into());
    table.insert("folds".into(), i64::from(new.folds).into());
    table.insert("train".into(), list(&new.train));
    table.insert("test".into(), new.test.clone().into());
    table.insert("base".into(), new.base.clone().into());
    if new.tricks.iter().any(|trick| trick == "S") {
        // Most schedules augment strongly already: then S would change nothing.
        table.insert("recipe".into(), Table::from_iter([("augment".to_owned(), "weak".into())]).into());
    }
    let text = toml::to_string(&table).map_err(|e| refused!("{shown}: {e}"))?;
    // Paths of the file are as seen from its folder, which must be there for that.
    fs_err::create_dir_all(parent_of(out))?;
    let spec = StudySpec::parse(&text, parent_of(out)).with_context(|| shown.to_string())?;
    atomically(out, text.as_bytes())?;
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_a_study_file() {
        let folder = tempfile::tempdir().unwrap();
        let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let new = NewStudy {
            title: "carbide \"fine\"".into(),
            archs: words(&["pspnet"]),
            tricks: words(&["S", "R"]),
            seeds: 2,
            folds: 3,
            train: words(&["train"]),
            test: "val".into(),
            base: "coffee".into(),
            pretrained: None,
        };
        let out = folder.path().join("studies/first.toml");
        create_study(&new, &out).unwrap();
        let read = crate::study::read_spec(&out).unwrap();
        assert_eq!(
            (read.tricks, read.seeds, read.title),
            (words(&["S", "R"]), 2, "carbide \"fine\"".to_owned())
        );
        assert!(create_study(&new, &out).is_err(), "not written over");
        let other = folder.path().join("other.toml");
        for bad in [
            NewStudy { tricks: words(&["Q"]), ..new.clone() },
            NewStudy { archs: Vec::new(), ..new.clone() },
            NewStudy { archs: words(&["vgg"]), ..new.clone() },
            NewStudy { test: "train".into(), ..new.clone() },
        ] {
            assert!(create_study(&bad, &other).is_err() && !other.exists(), "{bad:?}");
        }
    }
}
