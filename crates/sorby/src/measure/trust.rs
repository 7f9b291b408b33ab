//! What `segment` found out about the images of the masks: whether they are like those that the model learnt from.

use crate::Observer;
use crate::trust_table::{TRUST_FILE, TrustRow};
use serde::{Deserialize, Serialize};
use sorby_image::Origin;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The tables that lie with a set of masks.
#[derive(Default)]
pub struct TrustTables {
    tables: HashMap<PathBuf, HashMap<String, TrustRow>>,
}

/// Where `trust.csv` of a mask's folder would be: next to it, or in it.
fn places(mask: &Path) -> Vec<PathBuf> {
    let folder = folder_of(mask);
    vec![folder.parent().unwrap_or(&folder).join(TRUST_FILE), folder.join(TRUST_FILE)]
}

/// The folder of a mask; in full where its own name or what is above it is not said.
fn folder_of(mask: &Path) -> PathBuf {
    let folder = mask.parent().unwrap_or(Path::new(""));
    let named = folder.file_name().is_some() && folder.parent().is_some_and(|p| !p.as_os_str().is_empty());
    let whole = || std::path::absolute(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    if named { folder.to_owned() } else { whole().unwrap_or_else(|_| folder.to_owned()) }
}

impl TrustTables {
    /// The tables of these masks; one that cannot be read is told of and passed over.
    pub fn next_to(masks: &[PathBuf], observer: &dyn Observer) -> Self {
        let mut tables = HashMap::new();
        for place in masks.iter().flat_map(|m| places(m)) {
            if tables.contains_key(&place) || !place.is_file() {
                continue;
            }
            match read(&place) {
                Some(rows) => _ = tables.insert(place, rows),
                None => {
                    observer.warn(format!(
                        "{}: cannot be read as a table of `sorby segment`; it is passed over",
                        place.display()
                    ));
                    tables.insert(place, HashMap::new());
                }
            }
        }
        Self { tables }
    }

    /// The table that lies with a mask.
    pub fn table_of(&self, mask: &Path) -> Option<PathBuf> {
        places(mask).into_iter().find(|place| self.tables.contains_key(place))
    }

    /// Whether the image of a mask is unlike the training images, by the mask's note or its table; and what is wrong
    /// with the table, if anything.
    pub fn of(&self, mask: &Path, name: &str, origin: Option<&Origin>) -> (Option<bool>, Option<Doubt>) {
        let noted = origin.and_then(|o| o.unlike_training);
        let table = places(mask).into_iter().find_map(|p| self.tables.get(&p).map(|t| (p, t)));
        let Some((place, table)) = table.filter(|(_, t)| !t.is_empty()) else { return (noted, None) };
        // A mask without a hash can only be of the table by its place: the folder that `segment` writes into.
        let by_place = folder_of(mask).file_name().is_some_and(|n| n == "masks" || n == "masks-tiff");
        let Some(row) = table.get(name) else {
            let doubt = (by_place || origin.is_some()).then_some(Doubt { table: place, other_image: false });
            return (noted, doubt);
        };
        match origin {
            Some(o) if !row.image_blake3.is_empty() && row.image_blake3 != o.image_blake3 => {
                (noted, Some(Doubt { table: place, other_image: true }))
            }
            None if !by_place => (noted, None),
            // Where either says unlike, it is to be looked at.
            _ => (row.unlike.zip(noted).map(|(a, b)| a || b).or(row.unlike).or(noted), None),
        }
    }
}

/// A mask that its table does not speak of.
#[derive(Serialize, Deserialize)]
pub struct Doubt {
    /// The table.
    pub table: PathBuf,
    /// The table speaks of another image of the same name.
    pub other_image: bool,
}

/// The rows by image; classes of one image say the same of it.
fn read(path: &Path) -> Option<HashMap<String, TrustRow>> {
    let rows = TrustRow::read(std::fs::File::open(path).ok()?)?;
    Some(rows.into_iter().map(|row| (row.image.clone(), row)).collect())
}
