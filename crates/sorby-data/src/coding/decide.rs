//! One meaning for the values of all files.

use super::before::{Before, brought};
use super::judge::{File, Judge, some};
use super::numbers::{self, Mark};
use super::strays::{Stray, strays};
use super::survey::{Seen, Survey, Values};
use super::table::Table;
use super::{Expected, LabelCoding, Meaning, ObjectNumbers, palettes, polarity};
use crate::manifest::LabelKind;
use crate::problem::Problem;
use sorby_image::IGNORE;
use std::collections::BTreeSet;
use std::path::Path;

const WHITE: i64 = IGNORE as i64;

/// Decides over files of which none is refused.
///
/// # Errors
/// When the values fit no coding, or may be meant in two ways.
pub(super) fn decide(expected: &Expected, found: &[Survey]) -> Result<LabelCoding, Problem> {
    let mut coding = LabelCoding::default();
    let foreign = foreign(expected, found, &mut coding);
    let path = |i: usize| found[i].path.as_path();
    if let Some(meaning) = given(expected) {
        coding.meaning = meaning;
        if coding.numbers_objects() {
            let files: Vec<_> = foreign.iter().map(|(i, values)| (path(*i), *values)).collect();
            settle_numbers(&files, true, &mut coding);
        }
        return Ok(coding);
    }
    if foreign.is_empty() {
        let noted = LabelCoding::index(expected.classes.unwrap_or(WHITE as usize));
        return Ok(LabelCoding { refused: coding.refused, ..noted });
    }
    let maps =
        palettes::agree(&foreign, &expected.colours).map_err(|(i, what)| Problem::new(path(i), what))?;
    let mut files = Vec::new();
    for (i, values) in &foreign {
        let (before, values) = brought(values, maps.get(i));
        if let Some(before) = before {
            coding.remarks.extend(before.remark(path(*i), maps.contains_key(i)));
            coding.before.insert(path(*i).to_owned(), before);
        }
        files.push(File { path: path(*i), values });
    }
    coding.meaning = Judge { expected, files: &files }.meaning(&mut coding.remarks)?;
    let list: Vec<(&Path, &Values)> = files.iter().map(|f| (f.path, &f.values)).collect();
    match &coding.meaning {
        Meaning::Table(table) => {
            require_one_polarity(expected, table, &files)?;
            if expected.classes.is_none() {
                settle_strays(&list, expected, &mut coding);
            }
        }
        Meaning::Objects => settle_numbers(&list, false, &mut coding),
        Meaning::Painted(_) => {}
    }
    Ok(coding)
}

/// The files that do not say themselves what they hold. Where nobody says what classes there are, pictures of few greys
/// are refused.
fn foreign<'a>(
    expected: &Expected,
    found: &'a [Survey],
    coding: &mut LabelCoding,
) -> Vec<(usize, &'a Values)> {
    let said = expected.classes.is_some() || !expected.values.is_empty();
    let mut foreign = Vec::new();
    for (i, survey) in found.iter().enumerate() {
        let Seen::Values(values) = &survey.seen else { continue };
        if values.graded && !values.soft.is_sure() && !said {
            let what = format!(
                "{}; if they are classes, say which value is which: --values {}",
                values.as_a_picture(),
                some(&values.counts).replace(", ", ",")
            );
            coding.refused.insert(survey.path.clone(), what);
        } else {
            foreign.push((i, values));
        }
    }
    foreign
}

/// Of pictures of object numbers: what marks pixels that do not count, and files that are no such pictures. What the user
/// says (`given`) is not doubted.
fn settle_numbers(files: &[(&Path, &Values)], given: bool, coding: &mut LabelCoding) {
    for (path, values) in files {
        if let Some(what) = numbers::why_not(values).filter(|_| !given) {
            coding.refused.insert(path.to_path_buf(), what);
        } else if let Mark::Ignored(mark) = numbers::mark(values) {
            coding.remarks.push(Problem::new(*path, numbers::ignored(values, mark)));
            coding.before.insert(path.to_path_buf(), Before::Mark(mark));
        }
        if given && !values.counts.contains_key(&0) {
            coding
                .remarks
                .push(Problem::new(*path, "no pixel is 0: every number is an object, and they fill it"));
        }
    }
}

/// Files whose values no other file has.
fn settle_strays(files: &[(&Path, &Values)], expected: &Expected, coding: &mut LabelCoding) {
    for (path, stray) in strays(files, expected.class.map_or(1, i64::from)) {
        match stray {
            Stray::Refused(what) => {
                coding.refused.insert(path.to_owned(), what);
            }
            Stray::Told(remark) => coding.remarks.push(remark),
        }
    }
}

/// What the user says.
fn given(expected: &Expected) -> Option<Meaning> {
    if expected.objects == ObjectNumbers::Given {
        return Some(Meaning::Objects);
    }
    if !expected.values.is_empty() {
        return Some(Meaning::Table(Table::of_values(&expected.values)));
    }
    match (expected.kind, expected.classes) {
        (LabelKind::Index, classes) => Some(Meaning::Table(Table::index(classes.unwrap_or(WHITE as usize)))),
        (LabelKind::Grey, Some(classes)) => Some(Meaning::Table(Table::grey(classes))),
        _ => None,
    }
}

/// Refuses masks of two values of which some look exchanged.
fn require_one_polarity(expected: &Expected, table: &Table, files: &[File]) -> Result<(), Problem> {
    let own: BTreeSet<i64> =
        files.iter().flat_map(|f| f.values.counts.keys().copied()).filter(|v| table.fits(*v)).collect();
    let ([back, front] | [back, front, WHITE]) = own.iter().copied().collect::<Vec<_>>()[..] else {
        return Ok(());
    };
    let list: Vec<(usize, &Values)> = files.iter().enumerate().map(|(i, f)| (i, &f.values)).collect();
    let Some(place) = polarity::exchanged(&list, back, front).first().copied() else { return Ok(()) };
    let share = |f: &File| {
        let all = f.values.counts.values().sum::<u64>().max(1);
        100.0 * f.values.counts.get(&front).copied().unwrap_or(0) as f64 / all as f64
    };
    let theirs: Vec<f64> =
        files.iter().enumerate().filter(|(i, _)| *i != place).map(|(_, f)| share(f)).collect();
    let (low, high) = theirs.iter().fold((100.0f64, 0.0f64), |(a, b), s| (a.min(*s), b.max(*s)));
    let cure = if expected.objects == ObjectNumbers::Refuse {
        format!("or, if it is meant so, set labels.values = [{back}, {front}] in dataset.toml")
    } else {
        format!("or, if it is meant so, give --values {back},{front}")
    };
    let what = format!(
        "looks inside out: {front} covers {:.1} % of it, of the others {low:.1} to {high:.1} %; exchange {back} and {front} in it, \
         {cure}",
        share(&files[place])
    );
    Err(Problem::new(files[place].path, what))
}
