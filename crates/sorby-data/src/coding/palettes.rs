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
    let Some((file, other, index, colour, known)) = differ else { return Ok(BTreeMap::new()) };
    // Of one class besides the first only the order of colours matters: what is painted how does not.
    let one_class = with.iter().all(|(_, p)| p.keys().all(|i| matches!(*i, 0 | 1 | 255)));
    if one_class && !in_another_order(&with) {
        return Ok(BTreeMap::new());
    }
    let colours: BTreeSet<[u8; 3]> = with.iter().flat_map(|(_, p)| p.values().copied()).collect();
    if let Some(class_of) = classes_of(&colours, class_colours) {
        let map = |palette: &BTreeMap<i64, [u8; 3]>| palette.iter().map(|(i, c)| (*i, class_of[c])).collect();
        return Ok(with.into_iter().map(|(file, palette)| (file, map(palette))).collect());
    }
    let what = format!(
        "index {index} is {} here but {} in another file ({other}): the palettes stand in another order, or mean other \
         classes; save all labels with one palette, or give each class its label_color with labels.kind = \"painted\", \
         or, if the indices are right whatever their colours, set labels.kind = \"index\"",
        Colour(colour),
        Colour(known)
    );
    Err((file, what))
}

/// Whether a colour stands at one index in one file and at another in another.
fn in_another_order(files: &[(usize, &BTreeMap<i64, [u8; 3]>)]) -> bool {
    let mut place = BTreeMap::new();
    let mut entries =
        files.iter().enumerate().flat_map(|(file, (_, p))| p.iter().map(move |(i, c)| (file, *i, *c)));
    entries.any(|(file, index, colour)| {
        let (first, known) = *place.entry(colour).or_insert((file, index));
        first != file && known != index
    })
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
    (colours.len() == 2 && colours.contains(&BLACK)).then(|| BTreeMap::from([(BLACK, 0), (*other, 1)]))
}
