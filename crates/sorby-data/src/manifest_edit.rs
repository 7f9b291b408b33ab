//! Changes to the text of a `dataset.toml` that leave its comments, its order and all else as the user wrote it.

use crate::Colour;
use crate::manifest::{Manifest, ManifestError};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

/// The text with these images in `split`, and in no other of `[splits]`; without one, in none.
///
/// # Errors
/// When an image belongs to a split by its folder, or the text is no manifest before or after.
pub fn put_into_split(text: &str, images: &[String], split: Option<&str>) -> Result<String, ManifestError> {
    let mut document = document(text)?;
    if split.is_none() && document.get("splits").is_none() {
        return Ok(text.to_owned());
    }
    let splits = table(&mut document, "splits")?;
    for (_, list) in splits.iter_mut() {
        let Some(list) = list.as_array_mut() else { continue };
        list.retain(|name| !name.as_str().is_some_and(|n| images.iter().any(|i| i == n)));
    }
    if let Some(split) = split {
        let list = splits.entry(split).or_insert_with(|| value(Array::new()));
        let list =
            list.as_array_mut().ok_or_else(|| ManifestError::new(format!("[splits] {split} is no list")))?;
        images.iter().for_each(|image| list.push(image.as_str()));
    }
    // A split without images would be refused.
    splits.retain(|_, list| list.as_array().is_none_or(|l| !l.is_empty()));
    if splits.is_empty() {
        document.remove("splits");
    }
    checked(document)
}

/// The text with another name for an image, wherever it is named: in splits, folds and specimens, and where its pixel size is
/// stated.
///
/// # Errors
/// When the text is no manifest before or after.
pub fn put_image_name(text: &str, old: &str, new: &str) -> Result<String, ManifestError> {
    let mut document = document(text)?;
    for name in ["splits", "folds", "specimens"] {
        let Some(lists) = document.get_mut(name).and_then(Item::as_table_like_mut) else { continue };
        let lists = lists.iter_mut().filter_map(|(_, list)| list.as_array_mut());
        for entry in lists.flat_map(Array::iter_mut).filter(|entry| entry.as_str() == Some(old)) {
            // Spaces and line breaks around it stay.
            let around = entry.decor().clone();
            *entry = new.into();
            *entry.decor_mut() = around;
        }
    }
    let own = document.get_mut("scale").and_then(|scale| scale.get_mut("images"));
    if let Some(own) = own.and_then(Item::as_table_like_mut)
        && let Some(size) = own.remove(old)
    {
        own.insert(new, size);
    }
    checked(document)
}

/// The text with a pixel size for these images, or for all that have none of their own where `images` is `None`. Without a
/// number, what was stated is taken back.
///
/// # Errors
/// When the text is no manifest before or after: a pixel size must be credible.
pub fn put_scale(
    text: &str,
    images: Option<&[String]>,
    nm_per_px: Option<f64>,
) -> Result<String, ManifestError> {
    let mut document = document(text)?;
    let scale = table(&mut document, "scale")?;
    match images {
        None => put(scale, "nm_per_px", nm_per_px),
        Some(names) => {
            let own = scale.entry("images").or_insert_with(|| Item::Table(Table::new()));
            let own =
                own.as_table_like_mut().ok_or_else(|| ManifestError::new("[scale.images] is no table"))?;
            for name in names {
                match nm_per_px {
                    Some(nm) => _ = own.insert(name, value(nm)),
                    None => _ = own.remove(name),
                }
            }
            if own.is_empty() {
                scale.remove("images");
            }
        }
    }
    if scale.is_empty() {
        document.remove("scale");
    }
    checked(document)
}

/// A class of a changed list.
#[derive(Clone, Debug, PartialEq)]
pub struct NewClass {
    /// Indices of the classes that become this one: none for a new class, several for merged ones.
    pub was: Vec<usize>,
    /// Its name.
    pub name: String,
    /// Its colour; `None` leaves it as it was.
    pub color: Option<Colour>,
}

/// The text with another list of classes. Labels that were drawn for the old list stay readable: each class lists the
/// names that it had ([`Class::was`](crate::Class)). What the values of labels meant for the old list is taken out: labels
/// that do not say it themselves must be converted first.
///
/// # Errors
/// When an old class becomes no class or two, a name is given twice, or the text is no manifest before or after.
pub fn put_classes(text: &str, classes: &[NewClass]) -> Result<String, ManifestError> {
    let old = Manifest::parse(text)?;
    for (index, class) in old.classes.iter().enumerate() {
        if classes.iter().flat_map(|c| &c.was).filter(|i| **i == index).count() != 1 {
            let what =
                format!("say once what becomes of `{}`: keep it, or merge it into another class", class.name);
            return Err(ManifestError::new(what));
        }
    }
    let mut document = document(text)?;
    let tables = document["classes"].as_array_of_tables().cloned();
    let tables = tables.ok_or_else(|| ManifestError::new("write classes as [[classes]]"))?;
    let mut list = ArrayOfTables::new();
    for class in classes {
        // The first of merged classes gives the colour.
        let mut table = class.was.first().and_then(|i| tables.get(*i)).cloned().unwrap_or_default();
        // A position of its own would put the table where the old one stood.
        table.set_position(None);
        table["name"] = value(class.name.as_str());
        if let Some(color) = class.color {
            table["color"] = value(color.to_string());
        }
        let before = class.was.iter().flat_map(|i| &old.classes[*i].was);
        let mut names: Vec<&String> = before.chain(class.was.iter().map(|i| &old.classes[*i].name)).collect();
        names.retain(|name| **name != class.name);
        table.remove("was");
        if !names.is_empty() {
            table["was"] = value(names.into_iter().map(String::as_str).collect::<Array>());
        }
        list.push(table);
    }
    document["classes"] = Item::ArrayOfTables(list);
    if let Some(labels) = document.get_mut("labels").and_then(Item::as_table_like_mut) {
        ["kind", "values"].iter().for_each(|key| drop(labels.remove(key)));
    }
    checked(document)
}

fn put(table: &mut Table, key: &str, number: Option<f64>) {
    match number {
        Some(number) => table[key] = value(number),
        None => _ = table.remove(key),
    }
}

fn document(text: &str) -> Result<DocumentMut, ManifestError> {
    Manifest::parse(text)?;
    text.parse().map_err(|e: toml_edit::TomlError| ManifestError::new(e.message()))
}

fn table<'a>(document: &'a mut DocumentMut, name: &str) -> Result<&'a mut Table, ManifestError> {
    let item = document.entry(name).or_insert_with(|| Item::Table(Table::new()));
    item.as_table_mut().ok_or_else(|| ManifestError::new(format!("write `{name}` as a table, [{name}]")))
}

fn checked(document: DocumentMut) -> Result<String, ManifestError> {
    let text = document.to_string();
    Manifest::parse(&text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Heat 12, do not change\n[[classes]]\nname = \"matrix\"\n[[classes]]\nname = \"pore\" # dark\n\
                        [splits]\ntrain = [\"a\", \"b\"] # good ones\nval = [\"c\"]\n";

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn images_move_between_splits_and_comments_stay() {
        let text = put_into_split(TEXT, &names(&["a", "d"]), Some("val")).unwrap();
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(manifest.splits["train"], ["b"]);
        assert_eq!(manifest.splits["val"], ["c", "a", "d"]);
        assert!(
            text.contains("# Heat 12, do not change")
                && text.contains("# dark")
                && text.contains("# good ones")
        );
        let text = put_into_split(&text, &names(&["a", "b", "c", "d"]), None).unwrap();
        assert!(Manifest::parse(&text).unwrap().splits.is_empty());
        assert_eq!(put_into_split(&text, &names(&["a"]), None).unwrap(), text);
        let text = put_into_split(&text, &names(&["a"]), Some("train")).unwrap();
        assert_eq!(Manifest::parse(&text).unwrap().splits["train"], ["a"]);
    }

    fn class(was: &[usize], name: &str) -> NewClass {
        NewClass { was: was.to_vec(), name: name.to_owned(), color: None }
    }

    #[test]
    fn classes_are_renamed_added_merged_and_ordered_anew() {
        let text =
            put_classes(TEXT, &[class(&[], "crack"), class(&[1], "void"), class(&[0], "matrix")]).unwrap();
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(manifest.class_names(), ["crack", "void", "matrix"]);
        let old = ["matrix", "pore", "void", "crack", "none"].map(|n| manifest.class_of(n));
        assert_eq!(old, [Some(2), Some(1), Some(1), Some(0), None]);
        assert!(text.starts_with("# Heat 12") || text.contains("# Heat 12"), "{text}");
        let merged = put_classes(&text, &[class(&[2], "matrix"), class(&[0, 1], "defect")]).unwrap();
        let manifest = Manifest::parse(&merged).unwrap();
        assert_eq!(["matrix", "pore", "void", "crack"].map(|n| manifest.class_of(n).unwrap()), [0, 1, 1, 1]);
        for (bad, why) in [
            (vec![class(&[0], "matrix")], "pore"),
            (vec![class(&[0], "a"), class(&[0, 1], "b")], "matrix"),
            (vec![class(&[0], "a"), class(&[1], "a")], "`a`"),
            (vec![class(&[0], "pore"), class(&[1], "matrix")], "two classes"),
        ] {
            let error = put_classes(TEXT, &bad).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn pixel_sizes_are_stated_and_taken_back() {
        let one = put_scale(TEXT, Some(&names(&["a", "img 1.x"])), Some(7.344)).unwrap();
        let scale = Manifest::parse(&one).unwrap().scale;
        assert_eq!((scale.images["a"], scale.images["img 1.x"], scale.nm_per_px), (7.344, 7.344, None));
        let all = put_scale(&one, None, Some(20.0)).unwrap();
        assert_eq!(Manifest::parse(&all).unwrap().scale.nm_per_px, Some(20.0));
        let less = put_scale(&all, Some(&names(&["a", "img 1.x"])), None).unwrap();
        assert!(Manifest::parse(&less).unwrap().scale.images.is_empty());
        assert_eq!(put_scale(&less, None, None).unwrap(), TEXT);
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e12] {
            assert!(put_scale(TEXT, None, Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_image_gets_another_name_wherever_it_is_named() {
        let text = put_scale(TEXT, Some(&names(&["a"])), Some(7.344)).unwrap()
            + "\n[specimens]\none = [\n  \"a\", # first\n  \"q\",\n]\n";
        let new = put_image_name(&text, "a", "b 1").unwrap();
        let manifest = Manifest::parse(&new).unwrap();
        assert_eq!(
            (manifest.scale.images["b 1"], manifest.specimens["one"].as_slice()),
            (7.344, &names(&["b 1", "q"])[..])
        );
        assert!(new.contains("# first") && !new.contains("\"a\""), "{new}");
        let named = |manifest: &Manifest| {
            manifest.splits.values().flatten().filter(|n| *n == "a" || *n == "b 1").count()
        };
        assert_eq!(named(&manifest), named(&Manifest::parse(&text).unwrap()));
        assert_eq!(put_image_name(&new, "none", "x").unwrap(), new);
    }
}
