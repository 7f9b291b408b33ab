//! Values that stand in one file only, where nobody says what the classes are.

use super::survey::{Values, words};
use crate::problem::Problem;
use sorby_image::IGNORE;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is to be said of one file.
pub(crate) enum Stray {
    /// Its values are beyond those of all others: it is no mask like them.
    Refused(String),
    /// They may be a class that the others lack.
    Told(Problem),
}

/// Files none of whose classes stand in another file, so that `measured` would be found nowhere in them in silence.
pub(crate) fn strays<'a>(files: &[(&'a Path, &Values)], measured: i64) -> Vec<(&'a Path, Stray)> {
    let classes = |values: &Values| -> BTreeSet<i64> {
        values.counts.keys().copied().filter(|v| !matches!(*v, 0) && *v != i64::from(IGNORE)).collect()
    };
    let all: Vec<BTreeSet<i64>> = files.iter().map(|(_, values)| classes(values)).collect();
    let mut out = Vec::new();
    for (i, (path, values)) in files.iter().enumerate() {
        let others: BTreeSet<i64> =
            all.iter().enumerate().filter(|(j, _)| *j != i).flat_map(|(_, c)| c.iter().copied()).collect();
        let (Some(highest), Some(known)) = (all[i].last(), others.last()) else { continue };
        if all[i].contains(&measured) || !all[i].is_disjoint(&others) {
            continue;
        }
        let own: BTreeMap<i64, u64> =
            values.counts.iter().filter(|(v, _)| all[i].contains(v)).map(|(v, n)| (*v, *n)).collect();
        out.push(if *highest > known + 1 {
            let what = format!(
                "has the value {}, which no other file has (theirs are up to {known}): is it another coding? Save it as the others, \
                 or measure it apart",
                words(&own)
            );
            (*path, Stray::Refused(what))
        } else {
            let what = format!("only this file has the value {}, and class {measured} is not in it", words(&own));
            (*path, Stray::Told(Problem::new(path, what)))
        });
    }
    out
}
