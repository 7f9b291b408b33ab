//! `datapackage.json`: what the files of a folder are, for programs and archives that know nothing of Sorby.
//!
//! A Data Package (Frictionless) and not an RO-Crate, for its table schema has a place for the type and the unit of every
//! column, and one file of JSON is all there is to it.

mod columns;
mod known;

use crate::error::refuse;
use crate::lot::files_of;
use crate::{Result, checksum};
use serde_json::{Map, Value, json};
use sorby_image::write::atomically;
use std::collections::BTreeSet;
use std::path::Path;

/// Name of the file.
pub(crate) const DATA_PACKAGE: &str = "datapackage.json";

/// What is said of the whole folder.
#[derive(Default)]
pub(crate) struct About<'a> {
    pub title: String,
    pub description: String,
    /// SPDX identifier, if the user gave one.
    pub licence: Option<&'a str>,
    /// When it was made, ISO 8601; None where the same input must give the same bytes.
    pub created: Option<String>,
    /// What it was made from, in words.
    pub sources: Vec<String>,
}

/// Refuses a licence that is no identifier: nothing is written into a package that its readers refuse.
pub(crate) fn check_licence(licence: Option<&str>) -> Result<()> {
    let is_id = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_ascii_alphanumeric() || "-._+".contains(c));
    match licence.filter(|l| !is_id(l)) {
        None => Ok(()),
        Some(licence) => refuse!(
            "--licence {licence:?}: is no identifier of SPDX; give one like CC-BY-4.0, CC0-1.0 or LicenseRef-internal"
        ),
    }
}

/// Describes every file that is in the folder now, but for those of `except`, and writes [`DATA_PACKAGE`] there.
pub(crate) fn write(folder: &Path, about: &About, except: impl Fn(&str) -> bool) -> Result<()> {
    let (mut resources, mut names) = (Vec::new(), BTreeSet::new());
    for (place, path) in
        files_of(folder)?.into_iter().filter(|(place, _)| place != DATA_PACKAGE && !except(place))
    {
        resources.push(resource(&place, &path, &mut names)?);
    }
    let mut package = Map::new();
    let mut say = |key: &str, value: Value| package.insert(key.to_owned(), value);
    say("name", slug(&about.title).into());
    say("title", about.title.clone().into());
    say("description", about.description.clone().into());
    if let Some(created) = &about.created {
        say("created", created.clone().into());
    }
    if let Some(licence) = about.licence {
        say("licenses", json!([{"name": licence}]));
    }
    if !about.sources.is_empty() {
        say("sources", about.sources.iter().map(|title| json!({"title": title})).collect());
    }
    say("resources", resources.into());
    let text = serde_json::to_string_pretty(&package)? + "\n";
    Ok(atomically(&folder.join(DATA_PACKAGE), text.as_bytes())?)
}

fn resource(place: &str, path: &Path, names: &mut BTreeSet<String>) -> Result<Value> {
    let (format, media_type) = known::kind(place);
    let mut resource = json!({
        "name": free_name(place, names),
        "path": place,
        "format": format,
        "mediatype": media_type,
        "bytes": fs_err::metadata(path)?.len(),
        "hash": format!("sha256:{}", checksum::sha256(path)?),
    });
    if let Some(words) = known::description(place) {
        resource["description"] = words.into();
    }
    if format == "csv" {
        resource["encoding"] = "utf-8".into();
        resource["schema"] = columns::schema(path)?;
        resource["type"] = "table".into();
    } else {
        resource["type"] = "file".into();
    }
    Ok(resource)
}

/// Small letters, digits, `-`, `.`, `_` and `/`: what a name may have.
fn slug(text: &str) -> String {
    let one =
        |c: char| if c.is_ascii_alphanumeric() || "-._/".contains(c) { c.to_ascii_lowercase() } else { '-' };
    text.chars().map(one).collect()
}

/// A name of its own for each file.
fn free_name(place: &str, names: &mut BTreeSet<String>) -> String {
    let first = slug(place);
    let numbered = (2..).map(|n| format!("{first}-{n}"));
    let mut free = std::iter::once(first.clone()).chain(numbered).filter(|name| !names.contains(name));
    let name = free.next().unwrap_or(first);
    names.insert(name.clone());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_described_with_units_and_hashes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("a")).unwrap();
        let rows = "image,area_px,area_um2,touches_border,cause\nx,12,0.5,yes,\ny,7,,no,\n";
        std::fs::write(at("a/Particles.csv"), rows).unwrap();
        std::fs::write(at("a/particles.csv"), "solidity\n0.9\n1\n").unwrap();
        std::fs::write(at("seal.json"), "{}").unwrap();
        let about = About { title: "Lot 12".into(), licence: Some("CC-BY-4.0"), ..About::default() };
        write(folder.path(), &about, |place| place == "seal.json").unwrap();
        let text = std::fs::read_to_string(at(DATA_PACKAGE)).unwrap();
        let package: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&package["name"], &package["licenses"][0]["name"]),
            (&json!("lot-12"), &json!("CC-BY-4.0"))
        );
        let resources = package["resources"].as_array().unwrap();
        let names: Vec<&str> = resources.iter().map(|r| r["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["a/particles.csv", "a/particles.csv-2"], "the seal comes later");
        assert_eq!(resources[0]["bytes"], rows.len());
        let hash = format!("sha256:{}", checksum::sha256_of(rows.as_bytes()));
        assert_eq!(resources[0]["hash"], hash.as_str());
        let fields = resources[0]["schema"]["fields"].as_array().unwrap();
        let kinds: Vec<_> =
            fields.iter().map(|f| (f["type"].as_str().unwrap(), f["unit"].as_str())).collect();
        let expected = [
            ("string", None),
            ("integer", Some("px^2")),
            ("number", Some("um^2")),
            ("boolean", None),
            ("string", None),
        ];
        assert_eq!(kinds, expected);
        assert_eq!(resources[1]["schema"]["fields"][0]["type"], "number");
        write(folder.path(), &about, |place| place == "seal.json").unwrap();
        assert_eq!(std::fs::read_to_string(at(DATA_PACKAGE)).unwrap(), text, "the same again");
    }

    #[test]
    fn a_licence_is_an_identifier() {
        assert!(check_licence(None).is_ok() && check_licence(Some("LicenseRef-internal_2.0+")).is_ok());
        for odd in ["", "CC BY 4.0", "a\"b"] {
            assert!(check_licence(Some(odd)).unwrap_err().to_string().contains("no identifier of SPDX"));
        }
    }
}
