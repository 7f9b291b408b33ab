//! The folder that is served.
//!
//! ```text
//! dataset.toml, images/, labels/   the data set (or all that in data/)
//! runs/NAME/                       trainings
//! studies/NAME/                    studies
//! predictions/MODEL/               what `sorby segment` wrote
//! measurements/NAME/               what `sorby measure` wrote
//! weights/                         files for the encoder to start from
//! .sorby/                          originals of labels that were drawn over, small pictures
//! ```

use crate::error::{Answer, Refusal};
use anyhow::{Context as _, bail};
use axum::http::StatusCode;
use sorby_data::{Class, Entry, Labels, Manifest, Missing, entries};
use std::path::{Path, PathBuf};

const MANIFEST: &str = "dataset.toml";

#[derive(Clone, Debug)]
pub struct Project {
    pub root: PathBuf,
    /// Folder of the data set.
    pub data: PathBuf,
}

impl Project {
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let root =
            std::fs::canonicalize(root).with_context(|| format!("{}: no such folder", root.display()))?;
        if !root.is_dir() {
            bail!("{}: is not a folder", root.display());
        }
        let inner = root.join("data");
        let data = if !root.join(MANIFEST).is_file() && inner.is_dir() { inner } else { root.clone() };
        Ok(Self { root, data })
    }

    pub fn name(&self) -> String {
        self.root.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// `None` while the project has no `dataset.toml`.
    pub fn manifest(&self) -> Answer<Option<Manifest>> {
        let file = self.data.join(MANIFEST);
        if !file.is_file() {
            return Ok(None);
        }
        Ok(Some(Manifest::read(&file)?))
    }

    pub fn require_manifest(&self) -> Answer<Manifest> {
        self.manifest()?
            .ok_or_else(|| Refusal::bad("the project has no dataset.toml yet; name its classes first"))
    }

    pub fn entries(&self, manifest: &Manifest) -> Vec<Entry> {
        entries(manifest, &self.data)
    }

    /// The image of this name. Names come from visitors: they are looked up, never made into a path.
    pub fn entry(&self, name: &str) -> Answer<(Manifest, Entry)> {
        let manifest = self.require_manifest()?;
        let found = self.entries(&manifest).into_iter().find(|e| e.name == name);
        let entry = found.ok_or_else(|| Refusal::not_found(format!("no image `{name}`")))?;
        self.confine(&entry.image)?;
        if let Some(label) = &entry.label {
            self.confine(label)?;
        }
        Ok((manifest, entry))
    }

    /// Refuses what lies outside the project, wherever links or a manifest's `..` lead.
    pub fn confine(&self, path: &Path) -> Answer<()> {
        let real = std::fs::canonicalize(path).map_err(|_| Refusal::not_found("no such file"))?;
        if real.starts_with(&self.root) {
            return Ok(());
        }
        let what = format!("{} lies outside the project; copy it into the project's folder", path.display());
        Err(Refusal::new(StatusCode::FORBIDDEN, what))
    }

    /// Names of sub-folders, sorted; hidden ones left out.
    pub fn folders(&self, parent: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(parent)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries
            .filter(|e| e.path().is_dir())
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .filter(|n| !n.starts_with('.'))
            .collect();
        names.sort();
        names
    }

    /// The sub-folder of this name, which must be there.
    pub fn folder(&self, parent: &str, name: &str) -> Answer<PathBuf> {
        match self.folders(parent).into_iter().find(|n| n == name) {
            Some(name) => Ok(self.root.join(parent).join(name)),
            None => Err(Refusal::not_found(format!("no `{name}` in {parent}/"))),
        }
    }

    /// Writes the first `dataset.toml`: these classes, images from `images/` or the folder itself, labels to come.
    pub fn set_up(&self, classes: Vec<Class>) -> Answer<()> {
        if self.manifest()?.is_some() {
            return Err(Refusal::new(StatusCode::CONFLICT, "the project has a dataset.toml already"));
        }
        let mut manifest = Manifest::of_classes(classes);
        if !self.data.join("images").is_dir() {
            let mut files = std::fs::read_dir(&self.data).into_iter().flatten().flatten();
            if files.any(|f| sorby_image::is_image(&f.path())) {
                manifest.folders[0].images = ".".to_owned();
            }
        }
        manifest.labels = Labels { missing: Missing::Skip, ..Labels::default() };
        let text = toml::to_string(&manifest).map_err(|e| Refusal::bad(e.to_string()))?;
        Manifest::parse(&text).map_err(Refusal::bad)?;
        for folder in [&manifest.folders[0].images, &manifest.folders[0].labels] {
            std::fs::create_dir_all(self.data.join(folder)).map_err(|e| Refusal::bad(e.to_string()))?;
        }
        sorby_image::write::atomically(&self.data.join(MANIFEST), text.as_bytes())?;
        Ok(())
    }

    /// Where originals of labels are kept that were drawn over.
    pub fn kept_labels(&self) -> PathBuf {
        self.root.join(".sorby").join("labels-before")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_is_served() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("project");
        std::fs::create_dir_all(root.join("images")).unwrap();
        std::fs::write(dir.path().join("secret.png"), b"x").unwrap();
        std::fs::write(root.join("images/own.png"), b"x").unwrap();
        let project = Project::open(&root).unwrap();
        assert!(project.confine(&root.join("images/own.png")).is_ok());
        assert!(project.confine(&root.join("../secret.png")).is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path().join("secret.png"), root.join("images/link.png")).unwrap();
            assert!(project.confine(&root.join("images/link.png")).is_err(), "links lead nowhere outside");
        }
        assert!(project.folder("runs", "..").is_err());
        let class = |name: &str| Class { name: name.into(), color: None, label_color: None };
        project.set_up(vec![class("matrix"), class("carbide")]).unwrap();
        assert!(project.entry("own").is_ok());
        assert!(project.entry("link").is_err());
        assert!(project.entry("../secret").is_err());
        assert!(project.set_up(vec![class("a"), class("b")]).is_err(), "never written over");
    }
}
