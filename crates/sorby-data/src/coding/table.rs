//! Stored values that stand for classes.

use super::survey::words;
use sorby_image::{IGNORE, LabelFile, LabelMap, LabelValues};
use std::collections::BTreeMap;

/// The class of each value that has one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table(BTreeMap<i64, u8>);

/// Grey levels of class `i` of `k` when classes are spread evenly over 0..255: programs round down, up or to the
/// nearest.
pub(crate) fn grey_levels(i: usize, k: usize) -> [i64; 2] {
    let level = i as f64 * 255.0 / (k.max(2) - 1) as f64;
    [level.floor() as i64, level.ceil() as i64]
}

impl Table {
    /// 0, 1, ... and 255 for pixels to ignore.
    pub fn index(classes: usize) -> Self {
        let own = (0..classes.min(usize::from(IGNORE))).map(|i| (i as i64, i as u8));
        Self(own.chain([(i64::from(IGNORE), IGNORE)]).collect())
    }

    pub fn grey(classes: usize) -> Self {
        Self((0..classes).flat_map(|i| grey_levels(i, classes).map(|v| (v, i as u8))).collect())
    }

    /// These values, first class first; 255 is ignored where it is none of them.
    pub fn of_values(values: &[u32]) -> Self {
        let mut table = BTreeMap::from([(i64::from(IGNORE), IGNORE)]);
        table.extend(values.iter().zip(0..).map(|(v, class)| (i64::from(*v), class)));
        Self(table)
    }

    pub fn fits(&self, value: i64) -> bool {
        self.0.contains_key(&value)
    }

    /// `0 = class 0, 255 = class 1`; of indices only that they are.
    pub fn words(&self) -> String {
        if self.0.iter().all(|(v, class)| *v == i64::from(*class)) {
            return "class indices, 255 = ignored".to_owned();
        }
        let one = |(v, class): (&i64, &u8)| match *class {
            IGNORE => format!("{v} = ignored"),
            class => format!("{v} = class {class}"),
        };
        self.0.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// Class indices of a file.
    ///
    /// # Errors
    /// Names the values that stand for no class.
    pub fn decode(&self, file: LabelFile) -> Result<LabelMap, String> {
        let (width, height) = (file.width, file.height);
        let labels = match file.values {
            LabelValues::Small(mut values) => {
                let mut table = [None; 256];
                self.0.range(0..256).for_each(|(v, class)| table[*v as usize] = Some(*class));
                let mut strange = [0u64; 256];
                for v in &mut values {
                    match table[usize::from(*v)] {
                        Some(class) => *v = class,
                        None => strange[usize::from(*v)] += 1,
                    }
                }
                refuse((0..).zip(strange).filter(|(_, n)| *n > 0).collect())?;
                values
            }
            LabelValues::Wide(values) => {
                let mut strange = BTreeMap::new();
                let mut class = |v: &i64| {
                    self.0.get(v).copied().unwrap_or_else(|| {
                        *strange.entry(*v).or_default() += 1;
                        IGNORE
                    })
                };
                let labels = values.iter().map(&mut class).collect();
                refuse(strange)?;
                labels
            }
            LabelValues::Colours(_) => {
                return Err("is a colour picture; labels must be index or grey masks. If classes are painted in pure \
                            colours, set labels.kind = \"painted\" and each class's label_color"
                    .into());
            }
        };
        Ok(LabelMap { width, height, labels })
    }
}

fn refuse(strange: BTreeMap<i64, u64>) -> Result<(), String> {
    if strange.is_empty() {
        return Ok(());
    }
    let pixels: u64 = strange.values().sum();
    Err(format!("{pixels} pixels have label values that stand for no class: {}", words(&strange)))
}
