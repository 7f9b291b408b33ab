//! Palettes whose colours stand in another order in some files.

use super::survey::Values;
use crate::Colour;
use std::collections::{BTreeMap, BTreeSet};

/// Black is what programs paint where there is nothing.
const BLACK: [u8; 3] = [0; 3];

/// One mapping of values for each file whose palette differs from the others' (none where all agree).
///
/// # Errors
/// When the same index has different colours and these do not say which index is which class: the file, and why.
pub(crate) fn agree(
    files: &[(usize, &Values)],
    class_colours: &[Option<[u8; 3]>],
) -> Result<BTreeMap<usize, BTreeMap<i64, i64>>, (usize, String)> {
    // A ramp of greys, each index its own grey, says nothing.
    let says = |palette: &&BTreeMap<i64, [u8; 3]>| {
        palette.iter().any(|(i, c)| c.iter().any(|v| i64::from(*v) != *i))
    };
    let with: Vec<(usize, &BTreeMap<i64, [u8; 3]>)> =
        files.iter().filter_map(|(i, v)| Some((*i, v.palette.as_ref().filter(says)?))).collect();
    let mut first = BTreeMap::<i64, (usize, [u8; 3])>::new();
    let mut differ = None;
    for (file, palette) in &with {
        for (index, colour) in *palette {
            let (other, known) = *first.entry(*index).or_insert((*file, *colour));
            if known != *colour {
                differ.get_or_insert((*file, other, *index, *colour, known));
            }
        }
    }
    let order = in_another_order(&with);
    // Of one class apart from the first only the order of colours matters: what is painted how does not.
    let one_class = with.iter().all(|(_, p)| p.keys().all(|i| matches!(*i, 0 | 1 | 255)));
    if order.is_none() && (differ.is_none() || one_class) {
        return Ok(BTreeMap::new());
    }
    let colours: BTreeSet<[u8; 3]> = with.iter().flat_map(|(_, p)| p.values().copied()).collect();
    if let Some(class_of) = classes_of(&colours, class_colours) {
        let map = |palette: &BTreeMap<i64, [u8; 3]>| palette.iter().map(|(i, c)| (*i, class_of[c])).collect();
        return Ok(with.into_iter().map(|(file, palette)| (file, map(palette))).collect());
    }
    let (file, here) = match (differ, order) {
        (Some((file, other, index, colour, known)), _) => {
            let [colour, known] = [colour, known].map(Colour);
            (file, format!("index {index} is {colour} here but {known} in another file ({other})"))
        }
        (None, Some((file, colour, here, there))) => {
            (file, format!("{} is index {here} here but {there} in another file", Colour(colour)))
        }
        (None, None) => return Ok(BTreeMap::new()),
    };
    let what = format!(
        "{here}: the palettes stand in another order, or mean other classes; save all labels with one palette, or give each \
         class its label_color with labels.kind = \"painted\", or, if the indices are right whatever their colours, set \
         labels.kind = \"index\""
    );
    Err((file, what))
}

/// A colour that stands at some indices in one file and at none of these in another: that file, the colour, its index
/// there and in the first.
fn in_another_order(files: &[(usize, &BTreeMap<i64, [u8; 3]>)]) -> Option<(usize, [u8; 3], i64, i64)> {
    let mut first = BTreeMap::<[u8; 3], BTreeSet<i64>>::new();
    for (file, palette) in files {
        let mut own = BTreeMap::<[u8; 3], BTreeSet<i64>>::new();
        palette.iter().for_each(|(index, colour)| {
            own.entry(*colour).or_default().insert(*index);
        });
        for (colour, places) in own {
            let known = first.entry(colour).or_insert_with(|| places.clone());
            if known.is_disjoint(&places) {
                return Some((*file, colour, *places.first()?, *known.first()?));
            }
            known.extend(places);
        }
    }
    None
}

/// The class of each colour: the one that has it, or, for black and one colour more, the first and the second.
fn classes_of(
    colours: &BTreeSet<[u8; 3]>,
    class_colours: &[Option<[u8; 3]>],
) -> Option<BTreeMap<[u8; 3], i64>> {
    let named = |colour: &[u8; 3]| {
        let mut own = class_colours.iter().enumerate().filter(|(_, c)| c.as_ref() == Some(colour));
        let class = own.next()?.0 as i64;
        own.next().is_none().then_some((*colour, class))
    };
    if let Some(all) = colours.iter().map(named).collect() {
        return Some(all);
    }
    let other = colours.iter().find(|c| **c != BLACK)?;
    // Of three classes it may be either.
    (class_colours.len() <= 2 && colours.len() == 2 && colours.contains(&BLACK))
        .then(|| BTreeMap::from([(BLACK, 0), (*other, 1)]))
}
