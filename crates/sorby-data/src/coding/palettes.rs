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
    let with: Vec<(usize, &BTreeMap<i64, [u8; 3]>)> =
        files.iter().filter_map(|(i, v)| Some((*i, v.palette.as_ref()?))).collect();
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
