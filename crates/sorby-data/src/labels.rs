//! From stored label values to class indices.

use crate::manifest::{LabelKind, Manifest};
use sorby_image::{IGNORE, LabelMap, RawLabels};

/// How the label files of a data set code their classes, decided once for all files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelCoding {
    Index { classes: usize },
    Grey { classes: usize },
    Painted { colours: Vec<Option<[u8; 3]>> },
}

/// Grey level of class `i` of `k` when classes are spread evenly over 0..255.
fn grey_level(i: usize, k: usize) -> u8 {
    (i as f64 * 255.0 / (k - 1) as f64).round() as u8
}

impl LabelCoding {
    /// The coding that the manifest names, or that the values of all `files` (name, values seen) agree with.
    ///
    /// # Errors
    /// When the values fit no coding, or some file may be meant in two ways.
    pub fn decide(manifest: &Manifest, files: &[(&str, [bool; 256])]) -> Result<Self, String> {
        let classes = manifest.classes.len();
        match manifest.labels.kind {
            LabelKind::Index => return Ok(Self::Index { classes }),
            LabelKind::Grey => return Ok(Self::Grey { classes }),
            LabelKind::Painted => {
                let colours = manifest.classes.iter().map(|c| c.label_color.map(|c| c.0)).collect();
                return Ok(Self::Painted { colours });
            }
            LabelKind::Auto => {}
        }
        let values: Vec<usize> = (0..256).filter(|&v| files.iter().any(|(_, seen)| seen[v])).collect();
        let is_grey = values.iter().all(|&v| (0..classes).any(|i| usize::from(grey_level(i, classes)) == v));
        let is_index = values.iter().all(|&v| v < classes || v == usize::from(IGNORE));
        let has_foreground_index = values.iter().any(|&v| (1..classes).contains(&v));
        let only_0_and_255 = |seen: &[bool; 256]| seen[255] && seen[1..255].iter().all(|s| !s);
        let ambiguous = files.iter().find(|(_, seen)| only_0_and_255(seen)).map(|(name, _)| name);
        match (is_index, is_grey) {
            // Read as indices, 0 and 255 alone would be a data set without any foreground.
            (true, true) if !has_foreground_index && ambiguous.is_some() && classes == 2 => {
                Ok(Self::Grey { classes })
            }
            (true, _) => match ambiguous {
                None => Ok(Self::Index { classes }),
                Some(name) => Err(format!(
                    "label `{name}` holds only 0 and 255: a black and white mask among index masks, or an index mask \
                     with ignored pixels and no foreground? Set labels.kind to say which all labels are"
                )),
            },
            (false, true) => Ok(Self::Grey { classes }),
            (false, false) => Err(format!(
                "label values {} fit neither indices 0..{} (255 = ignore) nor {classes} evenly spaced grey levels; \
                 correct the masks or the number of [[classes]]",
                list(&values),
                classes - 1
            )),
        }
    }

    /// Class indices of one file.
    ///
    /// # Errors
    /// Names the values that stand for no class.
    pub fn decode(&self, raw: RawLabels) -> Result<LabelMap, String> {
        let mut table = [None; 256];
        match (self, raw) {
            (Self::Painted { colours }, RawLabels::Colours { width, height, pixels }) => {
                let class =
                    |p: &[u8; 3]| colours.iter().position(|c| c.as_ref() == Some(p)).unwrap_or(0) as u8;
                Ok(LabelMap { width, height, labels: pixels.iter().map(class).collect() })
            }
            (Self::Painted { .. }, RawLabels::Values(_)) => {
                Err("painted labels must be read as colours".into())
            }
            (_, RawLabels::Colours { .. }) => {
                Err("is a colour picture; labels must be index or grey masks. If classes are painted \
                 in pure colours, set labels.kind = \"painted\" and each class's label_color"
                    .into())
            }
            (Self::Index { classes }, RawLabels::Values(map)) => {
                (0..*classes).for_each(|i| table[i] = Some(i as u8));
                table[usize::from(IGNORE)] = Some(IGNORE);
                translate(map, &table)
            }
            (Self::Grey { classes }, RawLabels::Values(map)) => {
                (0..*classes).for_each(|i| table[usize::from(grey_level(i, *classes))] = Some(i as u8));
                translate(map, &table)
            }
        }
    }
}

fn translate(mut map: LabelMap, table: &[Option<u8>; 256]) -> Result<LabelMap, String> {
    let histogram = map.histogram();
    let strange: Vec<usize> = (0..256).filter(|&v| histogram[v] > 0 && table[v].is_none()).collect();
    if !strange.is_empty() {
        let pixels: u64 = strange.iter().map(|&v| histogram[v]).sum();
        return Err(format!("{pixels} pixels have label values that stand for no class: {}", list(&strange)));
    }
    for label in &mut map.labels {
        *label = table[usize::from(*label)].unwrap_or(IGNORE);
    }
    Ok(map)
}

/// The first few values, readable.
fn list(values: &[usize]) -> String {
    let shown: Vec<String> = values.iter().take(8).map(|v| v.to_string()).collect();
    if values.len() > 8 {
        format!("{}, ... ({} values)", shown.join(", "), values.len())
    } else {
        shown.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(classes: usize, kind: &str) -> Manifest {
        let list: String = (0..classes).map(|i| format!("[[classes]]\nname = \"c{i}\"\n")).collect();
        Manifest::parse(&format!("{list}[labels]\nkind = \"{kind}\"\n")).unwrap()
    }

    fn seen(values: &[u8]) -> (&'static str, [bool; 256]) {
        let mut seen = [false; 256];
        values.iter().for_each(|&v| seen[usize::from(v)] = true);
        ("a file", seen)
    }

    fn values(labels: &[u8]) -> RawLabels {
        RawLabels::Values(LabelMap { width: labels.len(), height: 1, labels: labels.to_vec() })
    }

    #[test]
    fn codings_are_told_apart() {
        let decide = |k, v: &[u8]| LabelCoding::decide(&manifest(k, "auto"), &[seen(v)]);
        assert_eq!(decide(2, &[0, 1]), Ok(LabelCoding::Index { classes: 2 }));
        assert_eq!(decide(2, &[0, 1, 255]), Ok(LabelCoding::Index { classes: 2 }));
        assert_eq!(decide(2, &[0, 255]), Ok(LabelCoding::Grey { classes: 2 }));
        assert_eq!(decide(2, &[0]), Ok(LabelCoding::Index { classes: 2 }));
        assert_eq!(decide(4, &[0, 85, 170, 255]), Ok(LabelCoding::Grey { classes: 4 }));
        assert_eq!(decide(4, &[0, 170]), Ok(LabelCoding::Grey { classes: 4 }));
        assert_eq!(decide(3, &[0, 2, 255]), Ok(LabelCoding::Index { classes: 3 }));
        let mixed = LabelCoding::decide(&manifest(2, "auto"), &[seen(&[0, 1]), seen(&[0, 255])]);
        assert!(mixed.unwrap_err().contains("a file"), "one file of another coding is not passed over");
        assert!(decide(3, &[0, 255]).is_err(), "which of three classes is 255?");
        let message = decide(3, &[0, 1, 7]).unwrap_err();
        assert!(message.contains('7') && message.contains("0..2"), "{message}");
        assert!(decide(2, &[0, 128]).is_err());
    }

    #[test]
    fn values_become_classes_or_are_named() {
        let grey = LabelCoding::Grey { classes: 4 };
        assert_eq!(grey.decode(values(&[0, 85, 170, 255])).unwrap().labels, [0, 1, 2, 3]);
        let index = LabelCoding::Index { classes: 2 };
        assert_eq!(index.decode(values(&[0, 1, 255])).unwrap().labels, [0, 1, 255]);
        let message = index.decode(values(&[0, 1, 9, 9])).unwrap_err();
        assert!(message.contains("2 pixels") && message.contains('9'), "{message}");
        let paint =
            RawLabels::Colours { width: 3, height: 1, pixels: vec![[0, 0, 255], [10, 10, 10], [255, 0, 0]] };
        assert!(index.decode(paint.clone()).unwrap_err().contains("painted"));
        let painted = LabelCoding::Painted { colours: vec![None, Some([0, 0, 255]), Some([255, 0, 0])] };
        assert_eq!(painted.decode(paint).unwrap().labels, [1, 0, 2]);
    }
}
