//! Pictures of object numbers: the value that marks what does not count, and files that are no such pictures.

use super::survey::{Seen, Values, survey};
use crate::problem::Problem;
use sorby_image::IGNORE;
use std::path::Path;

const WHITE: i64 = IGNORE as i64;

/// What the highest value is, where it is the highest that the file's bits can hold, or 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A number like the others.
    None,
    /// Far from the numbers: it marks what does not count.
    Ignored(i64),
    /// Perhaps the one, perhaps the other.
    Doubt(i64),
}

/// A mark is at least so far from the highest number,
const GAP: i64 = 8;
/// and at least so many times as far as the numbers are from each other.
const GAPS: i64 = 4;

/// What the highest value of a picture of object numbers is.
pub(crate) fn mark(values: &Values) -> Mark {
    let numbers: Vec<i64> = values.counts.keys().copied().filter(|v| *v > 0).collect();
    let [rest @ .., top] = &numbers[..] else { return Mark::None };
    let Some(highest) = rest.last() else { return Mark::None };
    let is_full = match values.bits {
        ..=8 => *top == WHITE,
        9..=16 => *top == 65535,
        _ => [65535, i64::from(i32::MAX), i64::from(u32::MAX)].contains(top),
    };
    if !(is_full || *top == WHITE) || rest.len() as i64 == top - 1 {
        return Mark::None;
    }
    let widest = rest.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(1).max(rest[0]);
    let gap = top - highest;
    match (gap > GAP && gap >= GAPS * widest, is_full) {
        (true, true) => Mark::Ignored(*top),
        // Of 16 bits 255 is a number as good as its neighbours, and the last number one next to the last but one.
        (false, false) => Mark::None,
        _ if gap == 1 && values.bits > 8 => Mark::None,
        _ => Mark::Doubt(*top),
    }
}

/// The values that are numbers of objects: neither 0 nor the mark.
pub(crate) fn own(values: &Values) -> Vec<i64> {
    let marked = match mark(values) {
        Mark::None => None,
        Mark::Ignored(v) | Mark::Doubt(v) => Some(v),
    };
    values.counts.keys().copied().filter(|v| *v != 0 && Some(*v) != marked).collect()
}

/// Whether the numbers that are one piece are fewer than those that are not.
pub(crate) fn in_many_pieces(values: &Values) -> bool {
    let own = own(values);
    let Some(pieces) = &values.pieces else { return !own.is_empty() };
    let whole = own.iter().filter(|v| pieces.get(v) == Some(&1)).count();
    2 * whole < own.len()
}

/// Why a file cannot be a picture of object numbers among such pictures.
pub(crate) fn why_not(values: &Values) -> Option<String> {
    if values.holds_only(&[0, WHITE]) && values.counts.contains_key(&WHITE) {
        return Some(format!(
            "holds only 0 and 255 ({}) among files of object numbers: is it black and white, or does it not count at 255? Measure \
             it apart",
            values.words()
        ));
    }
    if in_many_pieces(values) {
        return Some(format!(
            "has values in many pieces each ({}) among files of object numbers: is it a mask of classes? Measure it apart, or, if \
             each value is one object, give --instances",
            values.words()
        ));
    }
    if !own(values).is_empty() && !values.counts.contains_key(&0) {
        return Some(no_ground(", or, if they are grains that fill the image, give --instances"));
    }
    match mark(values) {
        Mark::Doubt(v) => Some(doubt(v, "; with --instances it is an object")),
        _ => None,
    }
}

/// What the numbers of a file are, where the user says that they are of objects, and each is to be a part of one class.
pub(crate) struct Numbered {
    /// The value of what does not count.
    pub mark: Option<i64>,
    pub told: Option<String>,
}

/// Looks at a file that is to be imported as object numbers.
///
/// # Errors
/// When it is a picture of something else.
pub(crate) fn object_numbers(file: &Path) -> Result<Numbered, Problem> {
    let Seen::Values(values) = survey(file)?.seen else { return Ok(Numbered { mark: None, told: None }) };
    let refused = |what: String| Err(Problem::new(file, what));
    if values.graded {
        return refused(format!("{}; give object numbers", values.as_a_picture()));
    }
    if values.soft.is_sure() {
        return refused("is black and white with soft edges, not a picture of object numbers".to_owned());
    }
    if own(&values).len() > 1 && in_many_pieces(&values) {
        return refused(format!(
            "has values in many pieces each ({}): classes, not object numbers?",
            values.words()
        ));
    }
    match mark(&values) {
        Mark::None => Ok(Numbered { mark: None, told: None }),
        Mark::Ignored(v) => Ok(Numbered { mark: Some(v), told: Some(ignored(&values, v)) }),
        Mark::Doubt(v) => refused(doubt(v, "")),
    }
}

/// Numbers of which none is 0; `more` is another cure.
pub(crate) fn no_ground(more: &str) -> String {
    format!(
        "has no pixel of 0, which stands for no object; if its lowest number, or another, is the background, store 0 there; if \
         objects fill the image, draw their boundaries as 0{more}"
    )
}

pub(crate) fn doubt(mark: i64, more: &str) -> String {
    format!(
        "has the value {mark} above its object numbers: an object, or what does not count? Store 0 there, or the next free number \
         if it is an object{more}"
    )
}

pub(crate) fn ignored(values: &Values, mark: i64) -> String {
    let n = values.counts.get(&mark).copied().unwrap_or(0);
    format!(
        "the value {mark} ({n} pixels), far above its object numbers, is not counted: neither an object nor field"
    )
}
