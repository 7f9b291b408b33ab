//! The folder that is served.
//!
//! ```text
//! dataset.toml, images/, labels/   the data set (or all that in data/)
//! runs/NAME/                       trainings
//! studies/NAME/                    studies
//! predictions/MODEL/               what `sorby segment` wrote
//! measurements/NAME/               what `sorby measure` wrote
//! jobs/NAME.toml                   how lots are measured
//! lots-in/LOT/                     images of a lot
//! lots/LOT/                        what `sorby run` wrote
//! comparisons/, exports/           what `sorby compare` and `sorby data export` wrote
//! weights/                         files for the encoder to start from
//! .sorby/                          originals of labels that were drawn over, small pictures
//! ```

use crate::error::{Answer, Refusal};
use crate::memory::Memory;
use anyhow::{Context as _, bail};
use axum::http::StatusCode;
use sorby::data::LabelPlaces;
use sorby_data::{Class, Entry, Labels, Manifest, Missing, entries};
use sorby_image::files::{self, Confined};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MANIFEST: &str = "dataset.toml";

/// A folder with images, labels, runs and predictions.
#[derive(Clone, Debug)]
pub struct Project {
    pub(crate) root: PathBuf,
    /// Folder of the data set.
    pub(crate) data: PathBuf,
    pub(crate) memory: Arc<Memory>,
    /// All that is opened below `root` is opened from this handle.
    held: Arc<Confined>,
}

impl Project {
    /// The project in a folder, which all its files are read and written below.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let root =
            std::fs::canonicalize(root).with_context(|| format!("{}: no such folder", root.display()))?;
        if !root.is_dir() {
            bail!("{}: is not a folder", root.display());
        }
        let held = files::confine(&root).with_context(|| format!("{}: cannot be opened", root.display()))?;
        let inner = root.join("data");
        let data =
            if !root.join(MANIFEST).is_file() && files::is_folder(&inner) { inner } else { root.clone() };
        Ok(Self { root, data, memory: Arc::default(), held: Arc::new(held) })
    }

    /// Refuses when the folder is no more where it was: what is done by name would be done to another one.
    pub(crate) fn require_in_place(&self) -> Answer<()> {
        if self.held.is_in_place() {
            return Ok(());
        }
        let what = format!(
            "{} has been renamed or removed while it was served; end `sorby serve` and start it where the folder is now",
            self.root.display()
        );
        Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, what))
    }

    /// Takes the project for this process until the file returned is dropped. `None` where the project cannot be written
    /// to: then nobody can.
    ///
    /// # Errors
    /// When another process has it.
    pub(crate) fn lock(&self) -> anyhow::Result<Option<std::fs::File>> {
        match sorby_image::lock::take(&self.root.join(".sorby").join("serve.lock")) {
            Ok(Some(lock)) => Ok(Some(lock)),
            Ok(None) => bail!(
                "{}: another `sorby serve` has this project open; use its page, or end it first",
                self.root.display()
            ),
            // What the system itself does not let us write, nobody of this user can.
            Err(e)
                if e.raw_os_error().is_some()
                    && [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem].contains(&e.kind()) =>
            {
                Ok(None)
            }
            Err(e) => {
                Err(anyhow::Error::new(e).context(format!("{}: .sorby/serve.lock", self.root.display())))
            }
        }
    }

    /// Ends what a process that was killed has left half-done.
    pub(crate) fn tidy(&self) -> Answer<()> {
        for folder in files::entries(&self.uploads()).unwrap_or_default() {
            for trial in files::entries(&folder).unwrap_or_default() {
                // What cannot be removed does no harm.
                let _ = files::remove(&trial);
            }
            let _ = files::remove_folder(&folder).or_else(|_| files::remove(&folder));
        }
        let renamed = crate::renaming::make_up(self);
        if let Ok(Some(manifest)) = self.manifest() {
            sorby_data::finish_replacements(&manifest, &self.data, &self.kept_labels())?;
        }
        renamed
    }

    pub(crate) fn name(&self) -> String {
        self.root.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// `None` while the project has no `dataset.toml`.
    pub(crate) fn manifest(&self) -> Answer<Option<Manifest>> {
        let file = self.manifest_file();
        match files::open(&file) {
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(sorby_image::ImageError::io(&file, e).into()),
        }
        let manifest = Manifest::read(&file)?;
        for folder in manifest.folders.iter().flat_map(|f| [&f.images, &f.labels]) {
            let path = self.data.join(folder);
            if !path.starts_with(&self.root) || files::leads_out(&path) {
                return Err(Refusal::new(
                    StatusCode::FORBIDDEN,
                    format!(
                        "dataset.toml: the folder `{folder}` lies outside the project; copy it into the project's folder"
                    ),
                ));
            }
        }
        Ok(Some(manifest))
    }

    pub(crate) fn require_manifest(&self) -> Answer<Manifest> {
        self.manifest()?
            .ok_or_else(|| Refusal::bad("the project has no dataset.toml yet; name its classes first"))
    }

    pub(crate) fn entries(&self, manifest: &Manifest) -> Vec<Entry> {
        entries(manifest, &self.data)
    }

    /// The image of this name. Names come from visitors: they are looked up, never made into a path.
    pub(crate) fn entry(&self, name: &str) -> Answer<(Manifest, Entry)> {
        let manifest = self.require_manifest()?;
        let found = self.entries(&manifest).into_iter().find(|e| e.name == name);
        let entry = found.ok_or_else(|| Refusal::not_found(format!("no image `{name}`")))?;
        self.confine(&entry.image)?;
        if let Some(label) = &entry.label {
            self.confine(label)?;
        }
        Ok((manifest, entry))
    }

    /// Refuses what lies outside the project, wherever links or a manifest's `..` lead, and what is not there.
    pub(crate) fn confine(&self, path: &Path) -> Answer<()> {
        if !path.starts_with(&self.root) || files::leads_out(path) {
            let what =
                format!("{} lies outside the project; copy it into the project's folder", path.display());
            return Err(Refusal::new(StatusCode::FORBIDDEN, what));
        }
        if files::is_file(path) || files::is_folder(path) {
            return Ok(());
        }
        Err(Refusal::not_found("no such file"))
    }

    /// Refuses a place for results that a link leads out of the project, before another process writes there.
    pub(crate) fn require_inside(&self, place: &Path) -> Answer<()> {
        let mut above = place.ancestors().take_while(|p| p.starts_with(&self.root));
        let out = above.find(|p| files::leads_out(p)).map(Path::to_owned);
        match out.or_else(|| link_out_below(place)) {
            Some(path) => self.confine(&path),
            None => Ok(()),
        }
    }

    /// Names of sub-folders, sorted; hidden ones left out.
    pub(crate) fn folders(&self, parent: &str) -> Vec<String> {
        let paths = files::entries(&self.root.join(parent)).unwrap_or_default();
        let mut names: Vec<String> = paths
            .iter()
            .filter(|p| files::is_folder(p))
            .map(|p| p.file_name().unwrap_or_default().to_string_lossy().into_owned())
            .filter(|n| !n.starts_with('.'))
            .collect();
        names.sort();
        names
    }

    /// The sub-folder of this name, which must be there.
    pub(crate) fn folder(&self, parent: &str, name: &str) -> Answer<PathBuf> {
        match self.folders(parent).into_iter().find(|n| n == name) {
            Some(name) => Ok(self.root.join(parent).join(name)),
            None => Err(Refusal::not_found(format!("no `{name}` in {parent}/"))),
        }
    }

    /// Writes the first `dataset.toml`: these classes, images from `images/` or the folder itself, labels to come.
    pub(crate) fn set_up(&self, classes: Vec<Class>) -> Answer<()> {
        if self.manifest()?.is_some() {
            return Err(Refusal::new(StatusCode::CONFLICT, "the project has a dataset.toml already"));
        }
        let mut manifest = Manifest::of_classes(classes);
        if !files::is_folder(&self.data.join("images")) {
            let found = files::entries(&self.data).unwrap_or_default();
            if found.iter().any(|f| sorby_image::is_image(f)) {
                manifest.folders[0].images = ".".to_owned();
            }
        }
        manifest.labels = Labels { missing: Missing::Skip, ..Labels::default() };
        let text = toml::to_string(&manifest).map_err(|e| Refusal::bad(e.to_string()))?;
        Manifest::parse(&text).map_err(|e| Refusal::bad(e.to_string()))?;
        for folder in [&manifest.folders[0].images, &manifest.folders[0].labels] {
            let folder = self.data.join(folder);
            files::create_folders(&folder).map_err(|e| sorby_image::ImageError::io(&folder, e))?;
        }
        sorby_image::write::atomically(&self.data.join(MANIFEST), text.as_bytes())?;
        Ok(())
    }

    /// Where originals of labels are kept that were drawn over.
    pub(crate) fn kept_labels(&self) -> PathBuf {
        self.label_places().kept
    }

    pub(crate) fn label_places(&self) -> LabelPlaces {
        LabelPlaces::of(&self.root)
    }

    pub(crate) fn manifest_file(&self) -> PathBuf {
        self.data.join(MANIFEST)
    }

    /// Earlier versions of an image's label.
    pub(crate) fn label_versions(&self, name: &str) -> PathBuf {
        self.label_places().versions.join(name)
    }

    /// Strokes that drafts of an image are made from.
    pub(crate) fn sketches(&self, name: &str) -> PathBuf {
        self.root.join(".sorby").join("sketches").join(name)
    }

    /// Where what the user throws away is kept.
    pub(crate) fn removed(&self) -> PathBuf {
        self.root.join(".sorby").join("removed")
    }

    /// Where what is sent is tried before it becomes part of the data set.
    pub(crate) fn uploads(&self) -> PathBuf {
        self.root.join(".sorby").join("upload")
    }
}

/// A link in a folder, or in one below it, that leads out of the project.
fn link_out_below(folder: &Path) -> Option<PathBuf> {
    for path in files::entries(folder).unwrap_or_default() {
        if files::leads_out(&path) {
            return Some(path);
        }
        // What a link inside leads to is looked at where it is.
        if !path.is_symlink()
            && files::is_folder(&path)
            && let Some(found) = link_out_below(&path)
        {
            return Some(found);
        }
    }
    None
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
        let class = |name: &str| Class::named(name);
        project.set_up(vec![class("matrix"), class("carbide")]).unwrap();
        assert!(project.entry("own").is_ok());
        assert!(project.entry("link").is_err());
        assert!(project.entry("../secret").is_err());
        assert!(project.set_up(vec![class("a"), class("b")]).is_err(), "never written over");
    }
}
