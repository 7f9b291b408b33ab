//! Pixels that are to be ignored within a field: areas, where what is known ends, and lines, which are boundaries.

use crate::components::{Connectivity, Run, label_runs};
use sorby_image::{IGNORE, LabelMap};
use std::borrow::Cow;

/// Ignored pixels are a line where no square wider than this fits between known ones. Data sets mark boundaries by lines
/// of 5 px (Pascal VOC's "void") or less.
pub const LINE_WIDTH_PX: usize = 8;

/// Pixels at the rim of an ignored area that its squares do not cover, where its outline is round.
const RIM_PX: usize = 2;

/// 1 for pixels of ignored areas, which end the field as the edge of the image does; 0 for all others. A strip along
/// the edge of the image is an area, however thin.
pub(crate) fn areas(labels: &[u8], width: usize) -> Vec<u8> {
    const SIDE: usize = LINE_WIDTH_PX + 1;
    let height = labels.len() / width.max(1);
    let mut beyond = vec![0u8; labels.len()];
    // Rows, ending here, in which the `SIDE` pixels from column x - SIDE + 1 on are ignored or outside the image.
    let mut rows_full = vec![SIDE; width + SIDE - 1];
    for y in 0..height + SIDE - 1 {
        let row = labels.get(y * width..(y + 1) * width);
        let mut in_a_row = SIDE - 1;
        for (right, rows) in rows_full.iter_mut().enumerate() {
            let ignored = right >= width || row.is_none_or(|row| row[right] == IGNORE);
            in_a_row = if ignored { in_a_row + 1 } else { 0 };
            *rows = if in_a_row >= SIDE { *rows + 1 } else { 0 };
        }
        let mut right = 0;
        while let Some(start) = rows_full[right..].iter().position(|rows| *rows >= SIDE).map(|p| right + p) {
            let end = rows_full[start..]
                .iter()
                .position(|rows| *rows < SIDE)
                .map_or(rows_full.len(), |p| start + p);
            let columns = (start + 1).saturating_sub(SIDE)..end.min(width);
            for y in (y + 1).saturating_sub(SIDE)..(y + 1).min(height) {
                beyond[y * width..(y + 1) * width][columns.clone()].fill(1);
            }
            right = end;
        }
    }
    add_rim(&mut beyond, labels, width);
    beyond
}

fn add_rim(beyond: &mut [u8], labels: &[u8], width: usize) {
    let height = labels.len() / width.max(1);
    let near = |at: usize, beyond: &[u8]| {
        let (y, x) = (at / width, at % width);
        let columns = x.saturating_sub(RIM_PX)..(x + RIM_PX + 1).min(width);
        (y.saturating_sub(RIM_PX)..(y + RIM_PX + 1).min(height))
            .any(|y| beyond[y * width..(y + 1) * width][columns.clone()].contains(&1))
    };
    let line = |at: &usize| labels[*at] == IGNORE && beyond[*at] == 0;
    let rim: Vec<usize> = (0..labels.len()).filter(line).filter(|at| near(*at, beyond)).collect();
    rim.into_iter().for_each(|at| beyond[at] = 1);
}

/// The mask in which lines of ignored pixels that lie between objects of `class`, and of nothing else, are part of the
/// field: they are the boundaries of these objects, as lines of another class would be. Gives the number of such pixels.
/// Other lines stay ignored.
pub(crate) fn with_boundaries(mask: &LabelMap, class: u8) -> (Cow<'_, LabelMap>, u64) {
    let field = &mask.labels[..mask.width * mask.field_rows()];
    if class == IGNORE || !field.contains(&IGNORE) {
        return (Cow::Borrowed(mask), 0);
    }
    let mut lines = areas(field, mask.width);
    lines.iter_mut().zip(field).for_each(|(l, label)| *l = u8::from(*l == 0 && *label == IGNORE));
    let between = lines_between(&lines, field, mask.width, class);
    if between.is_empty() {
        return (Cow::Borrowed(mask), 0);
    }
    let mut mask = mask.clone();
    let boundary = u8::from(class == 0);
    let mut pixels = 0;
    for run in between {
        let row = run.y as usize * mask.width;
        mask.labels[row + run.x_start as usize..row + run.x_end as usize].fill(boundary);
        pixels += u64::from(run.x_end - run.x_start);
    }
    (Cow::Owned(mask), pixels)
}

/// Runs of the lines (pixels of 1) that touch `class` and ignored pixels only.
fn lines_between(lines: &[u8], field: &[u8], width: usize, class: u8) -> Vec<Run> {
    let height = lines.len() / width.max(1);
    let (mut runs, count) = label_runs(width, height, Connectivity::Eight, lines, |l| l == 1);
    let mut between = vec![true; count];
    for run in &runs {
        let columns = (run.x_start as usize).saturating_sub(1)..(run.x_end as usize + 1).min(width);
        let rows = (run.y as usize).saturating_sub(1)..(run.y as usize + 2).min(height);
        let other = rows.into_iter().any(|y| {
            field[y * width..(y + 1) * width][columns.clone()].iter().any(|l| *l != IGNORE && *l != class)
        });
        between[run.region as usize] &= !other;
    }
    runs.retain(|run| between[run.region as usize]);
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One class with ignored rows and columns.
    fn map(width: usize, height: usize, ignored: impl Fn(usize, usize) -> bool) -> LabelMap {
        let labels =
            (0..width * height).map(|i| if ignored(i % width, i / width) { IGNORE } else { 1 }).collect();
        LabelMap { width, height, labels }
    }

    #[test]
    fn lines_are_no_areas_up_to_their_width() {
        let line = |from: usize, to: usize| map(60, 50, move |x, _| (from..to).contains(&x));
        let area = |m: &LabelMap| areas(&m.labels, m.width).iter().filter(|a| **a == 1).count();
        assert_eq!(area(&line(20, 28)), 0, "8 px from edge to edge of the image");
        assert_eq!(area(&line(20, 29)), 9 * 50);
        assert_eq!(area(&line(0, 1)), 50, "a strip along the edge is no line");
        assert_eq!(area(&line(58, 60)), 2 * 50);
        let frame = map(60, 50, |x, y| x < 3 || y < 3 || x >= 57 || y >= 47);
        assert_eq!(area(&frame), 60 * 50 - 54 * 44);
        let disc = map(60, 50, |x, y| x.abs_diff(30).pow(2) + y.abs_diff(25).pow(2) <= 15 * 15);
        assert_eq!(area(&disc), disc.labels.iter().filter(|l| **l == IGNORE).count(), "to its round rim");
    }

    #[test]
    fn lines_become_boundaries_only_between_objects_of_the_class() {
        let cross = |x: usize, y: usize| x.abs_diff(20) < 2 || y.abs_diff(30) < 2;
        let grains = map(50, 60, cross);
        let lines = grains.histogram()[255];
        let (known, pixels) = with_boundaries(&grains, 1);
        assert_eq!((pixels, known.histogram()[0], known.histogram()[255]), (lines, lines, 0));
        assert_eq!(with_boundaries(&known, 1).1, 0);
        let mut phases = map(50, 60, cross);
        phases.labels[0..15].fill(2);
        phases.labels.iter_mut().skip(22).step_by(50).take(10).for_each(|l| *l = 2);
        assert_eq!(with_boundaries(&phases, 1).1, 0, "one side is of another class");
        let pore = map(50, 60, |x, y| x.abs_diff(20) < 6 && y.abs_diff(30) < 6);
        assert_eq!(with_boundaries(&pore, 1).1, 0, "an area is no line");
    }
}
