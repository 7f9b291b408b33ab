//! What the neighbours of pixels say: a picture of greys, or a data bar.

use std::collections::BTreeMap;

/// Fewer values may be any mask's.
const FEW: usize = 4;
/// So many classes are seldom laid in order around each other.
const SEVERAL: usize = 7;
/// Mean length of runs of one value below which they are noise,
const NOISE_PX: f64 = 3.0;
/// and below which neighbours in order are greys; true labels of five classes have 12 and more.
const SHORT_PX: f64 = 6.0;
/// Share of changes that are to the next value of those that occur.
const IN_ORDER: f64 = 0.9;

/// Whether neighbours differ as in a picture of greys, of few values too: in every pixel, or always by one step.
pub(crate) fn look_graded<T: Copy + PartialEq + Into<i64>>(
    width: usize,
    values: &[T],
    counts: &BTreeMap<i64, u64>,
) -> bool {
    if counts.len() < FEW {
        return false;
    }
    let mut changes = 0u64;
    each_change(width, values, |_, _| changes += 1);
    // Changes of both directions, so twice the pixels.
    let run = 2.0 * values.len() as f64 / changes.max(1) as f64;
    if run < NOISE_PX {
        return true;
    }
    let all: Vec<i64> = counts.keys().copied().collect();
    let mut steps = 0u64;
    each_change(width, values, |a, b| {
        let (a, b): (i64, i64) = (a.into(), b.into());
        let at = all.partition_point(|v| *v < a.min(b));
        steps += u64::from(all.get(at + 1) == Some(&a.max(b)));
    });
    let in_order = changes > 0 && steps as f64 >= IN_ORDER * changes as f64;
    in_order && (run < SHORT_PX || counts.len() >= SEVERAL)
}

/// Calls `look` with each two neighbours, next to and below each other, that differ.
fn each_change<T: Copy + PartialEq>(width: usize, values: &[T], mut look: impl FnMut(T, T)) {
    for row in values.chunks_exact(width.max(1)) {
        row.windows(2).filter(|w| w[0] != w[1]).for_each(|w| look(w[0], w[1]));
    }
    values.iter().zip(values.iter().skip(width)).filter(|(a, b)| a != b).for_each(|(a, b)| look(*a, *b));
}

/// Whether all pixels of a value are whole rows or columns at the frame.
pub(crate) fn are_bars(width: usize, values: &[u8], value: u8) -> bool {
    let height = values.len() / width.max(1);
    let row = |y: usize| values[y * width..(y + 1) * width].iter().all(|v| *v == value);
    let column = |x: usize| (0..height).all(|y| values[y * width + x] == value);
    let top = (0..height).take_while(|y| row(*y)).count();
    let bottom = (0..height).rev().take_while(|y| row(*y)).count();
    let (left, right) = if top < height {
        let inner = top..height - bottom;
        let column = |x: usize| column(x) || inner.clone().all(|y| values[y * width + x] == value);
        ((0..width).take_while(|x| column(*x)).count(), (0..width).rev().take_while(|x| column(*x)).count())
    } else {
        return true;
    };
    let within = |i: usize| {
        let (y, x) = (i / width, i % width);
        y < top || y >= height - bottom || x < left || x >= width - right
    };
    values.iter().enumerate().all(|(i, v)| *v != value || within(i))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(values: &[u8]) -> BTreeMap<i64, u64> {
        let mut counts = BTreeMap::new();
        values.iter().for_each(|v| *counts.entry(i64::from(*v)).or_default() += 1);
        counts
    }

    #[test]
    fn few_greys_are_known_by_their_neighbours() {
        let noise: Vec<u8> = (0..900u64).map(|i| ((i * 2_654_435_761) >> 20) as u8 % 5).collect();
        assert!(look_graded(30, &noise, &counts(&noise)));
        let ramp: Vec<u8> = (0..900).map(|i| (i / 90) as u8).collect();
        assert!(look_graded(30, &ramp, &counts(&ramp)));
        // Squares of four classes on a ground; and the same, one within another.
        let squares: Vec<u8> =
            (0..900)
                .map(|i| {
                    if i % 30 % 15 < 9 && i / 30 % 15 < 9 { (1 + i % 30 / 15 + i / 450 * 2) as u8 } else { 0 }
                })
                .collect();
        assert_eq!(counts(&squares).len(), 5);
        assert!(!look_graded(30, &squares, &counts(&squares)));
        let nested: Vec<u8> =
            (0..900).map(|i| (i % 30).min(29 - i % 30).min(i / 30).min(29 - i / 30) as u8 / 4).collect();
        assert!(!look_graded(30, &nested, &counts(&nested)));
    }

    #[test]
    fn bars_lie_at_the_frame() {
        let at = |is: &dyn Fn(usize, usize) -> bool| -> Vec<u8> {
            (0..60).map(|i| if is(i % 10, i / 10) { 255 } else { 0 }).collect()
        };
        assert!(are_bars(10, &at(&|_, y| y >= 4), 255));
        assert!(are_bars(10, &at(&|x, y| y == 0 || x > 7), 255));
        assert!(!are_bars(10, &at(&|x, y| y >= 4 || (x, y) == (3, 1)), 255));
        assert!(!are_bars(10, &at(&|x, y| x == 2 && y < 3), 255));
    }
}
