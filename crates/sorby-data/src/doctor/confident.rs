//! Labels that models doubt which did not learn from them: confident learning (Northcutt et al. 2021, J. Artif.
//! Intell. Res. 70:1373), pixel by pixel, kept where whole places are in doubt.

use sorby_image::{IGNORE, LabelMap};

/// A label, and the probabilities of a model that did not learn from it.
pub struct HeldOut<'a> {
    /// The label that is judged.
    pub label: &'a LabelMap,
    /// Probability of each class, 0..1: `[height, width, classes]`.
    pub probabilities: &'a [f32],
}

/// A place of an image whose label is in doubt.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Bounding box in pixels: left, top, width, height.
    pub bbox_px: (usize, usize, usize, usize),
    /// Number of its pixels.
    pub area_px: usize,
    /// Class index that most of its pixels have in the label.
    pub labelled: u8,
    /// Class index that the models see in most of its pixels.
    pub looks_like: u8,
}

/// The doubts about one label.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Doubts {
    /// Share of the labelled pixels that lie in such places.
    pub share: f64,
    /// Largest first.
    pub places: Vec<Place>,
    /// Of what is an object by the label or by the models, the share in doubt; of the quarter where it is highest. A
    /// part that was not labelled at all shows here, even where objects are few.
    pub worst_quarter: f64,
    /// Whether one of the two shares is far above those of the other images.
    pub outlier: bool,
}

/// Half of the width that a place must have, less one half: outlines of objects are always a little in doubt, and
/// their rims of one to four pixels are no mistakes.
const CORE_PX: usize = 2;
/// Deviations (1.4826 times the median one) above the median at which an image stands out.
const FAR: f64 = 3.0;
/// Below these shares no image stands out, however alike the others are.
const LEAST_SHARE: f64 = 0.01;
const LEAST_OF_QUARTER: f64 = 0.25;
/// A quarter with fewer pixels of objects, as a share of it, says nothing.
const LEAST_OBJECTS: f64 = 0.01;

/// Doubts about every label, in the order of `images`. Labels have class indices below `classes`, or 255 to ignore.
///
/// # Panics
/// When a label has an index that is no class, or there are fewer probabilities than pixels times classes.
pub fn doubts(images: &[HeldOut], classes: usize) -> Vec<Doubts> {
    let sure = thresholds(images, classes);
    let mut found: Vec<Doubts> = images.iter().map(|image| of_image(image, &sure)).collect();
    let of_all = limit(found.iter().map(|d| d.share).collect(), LEAST_SHARE);
    let of_quarter = limit(found.iter().map(|d| d.worst_quarter).collect(), LEAST_OF_QUARTER);
    for doubts in &mut found {
        doubts.outlier = doubts.share > of_all || doubts.worst_quarter > of_quarter;
    }
    found
}

/// Above this an image stands out among the others.
fn limit(shares: Vec<f64>, least: f64) -> f64 {
    let middle = median(shares.clone());
    let spread = 1.4826 * median(shares.iter().map(|s| (s - middle).abs()).collect());
    (middle + FAR * spread).max(least)
}

/// Mean probability of each class where it is the label: how sure models are of it when they are right.
fn thresholds(images: &[HeldOut], classes: usize) -> Vec<f64> {
    let (mut sums, mut counts) = (vec![0.0; classes], vec![0u64; classes]);
    for image in images {
        for (p, &label) in image.probabilities.chunks_exact(classes).zip(&image.label.labels) {
            if label != IGNORE {
                sums[usize::from(label)] += f64::from(p[usize::from(label)]);
                counts[usize::from(label)] += 1;
            }
        }
    }
    sums.into_iter().zip(counts).map(|(s, n)| if n > 0 { s / n as f64 } else { 1.0 }).collect()
}

fn of_image(image: &HeldOut, sure: &[f64]) -> Doubts {
    let LabelMap { width, height, labels } = image.label;
    let (width, height) = (*width, *height);
    // The class that a pixel confidently is.
    let looks = |p: &[f32]| -> Option<u8> {
        let candidates = p.iter().zip(sure).enumerate().filter(|(_, (p, t))| f64::from(**p) >= **t);
        candidates.max_by(|a, b| a.1.0.total_cmp(b.1.0)).map(|(best, _)| best as u8)
    };
    let confident: Vec<Option<u8>> = image.probabilities.chunks_exact(sure.len()).map(looks).collect();
    let other = |(best, label): (&Option<u8>, &u8)| best.filter(|b| *label != IGNORE && b != label);
    let doubted: Vec<Option<u8>> = confident.iter().zip(labels).map(other).collect();
    let core = cores(&doubted, width, height);
    let mut seen = vec![false; doubted.len()];
    let (mut places, mut area) = (Vec::new(), 0);
    let mut in_place = vec![false; doubted.len()];
    for start in 0..doubted.len() {
        if !core[start] || seen[start] {
            continue;
        }
        let pixels = connected(start, (width, height), &mut seen, |i| doubted[i].is_some());
        area += pixels.len();
        pixels.iter().for_each(|i| in_place[*i] = true);
        places.push(place(&pixels, width, labels, &doubted));
    }
    places.sort_by_key(|p| std::cmp::Reverse(p.area_px));
    let labelled = labels.iter().filter(|l| **l != IGNORE).count();
    let object = |i: usize| labels[i] != IGNORE && (labels[i] != 0 || confident[i].is_some_and(|c| c != 0));
    let worst_quarter = worst_quarter((width, height), |i| in_place[i], object);
    Doubts { share: area as f64 / labelled.max(1) as f64, places, worst_quarter, outlier: false }
}

/// The highest share of object pixels that lie in places of doubt, over nine overlapping quarters of the image.
fn worst_quarter(
    (width, height): (usize, usize),
    doubted: impl Fn(usize) -> bool,
    object: impl Fn(usize) -> bool,
) -> f64 {
    let mut cells = [[(0u64, 0u64); 4]; 4];
    for i in 0..width * height {
        if object(i) {
            let cell = &mut cells[(i / width) * 4 / height][(i % width) * 4 / width];
            cell.0 += u64::from(doubted(i));
            cell.1 += 1;
        }
    }
    let least = LEAST_OBJECTS * (width * height) as f64 / 4.0;
    let mut worst = 0.0f64;
    for y in 0..3 {
        for x in 0..3 {
            let part = [cells[y][x], cells[y][x + 1], cells[y + 1][x], cells[y + 1][x + 1]];
            let (wrong, all) = part.iter().fold((0, 0), |sum, c| (sum.0 + c.0, sum.1 + c.1));
            if all as f64 >= least {
                worst = worst.max(wrong as f64 / all.max(1) as f64);
            }
        }
    }
    worst
}

/// Pixels whose whole neighbourhood is in doubt.
fn cores(doubted: &[Option<u8>], width: usize, height: usize) -> Vec<bool> {
    let near = |at: usize, len: usize| at.saturating_sub(CORE_PX)..(at + CORE_PX + 1).min(len);
    let across: Vec<bool> = (0..doubted.len())
        .map(|i| near(i % width, width).all(|x| doubted[i / width * width + x].is_some()))
        .collect();
    (0..doubted.len()).map(|i| near(i / width, height).all(|y| across[y * width + i % width])).collect()
}

/// Pixels that hang together with `start`, corners included.
fn connected(
    start: usize,
    (width, height): (usize, usize),
    seen: &mut [bool],
    inside: impl Fn(usize) -> bool,
) -> Vec<usize> {
    let (mut pixels, mut next) = (Vec::new(), vec![start]);
    seen[start] = true;
    while let Some(at) = next.pop() {
        pixels.push(at);
        let (x, y) = (at % width, at / width);
        for ny in y.saturating_sub(1)..(y + 2).min(height) {
            for nx in x.saturating_sub(1)..(x + 2).min(width) {
                let i = ny * width + nx;
                if !seen[i] && inside(i) {
                    seen[i] = true;
                    next.push(i);
                }
            }
        }
    }
    pixels
}

fn place(pixels: &[usize], width: usize, labels: &[u8], doubted: &[Option<u8>]) -> Place {
    let range = |of: &dyn Fn(usize) -> usize| {
        let values = pixels.iter().map(|i| of(*i));
        (values.clone().min().unwrap_or(0), values.max().unwrap_or(0))
    };
    let ((left, right), (top, bottom)) = (range(&|i| i % width), range(&|i| i / width));
    let most = |of: &dyn Fn(usize) -> u8| {
        let mut counts = [0usize; 256];
        pixels.iter().for_each(|i| counts[usize::from(of(*i))] += 1);
        (0..256).max_by_key(|c| (counts[*c], std::cmp::Reverse(*c))).unwrap_or(0) as u8
    };
    Place {
        bbox_px: (left, top, right + 1 - left, bottom + 1 - top),
        area_px: pixels.len(),
        labelled: most(&|i| labels[i]),
        looks_like: most(&|i| doubted[i].unwrap_or(0)),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 60;

    /// Squares of 10 pixels at these places.
    fn squares(corners: &[(usize, usize)]) -> LabelMap {
        let mut map = LabelMap::filled(SIZE, SIZE, 0);
        for (left, top) in corners {
            for y in *top..top + 10 {
                map.labels[y * SIZE + left..y * SIZE + left + 10].fill(1);
            }
        }
        map
    }

    /// A model that sees what is there, moved by a pixel, and is 90 % sure.
    fn seen(truth: &LabelMap) -> Vec<f32> {
        let sure = |i: usize| if truth.labels[i.saturating_sub(1)] == 1 { [0.1, 0.9] } else { [0.9, 0.1] };
        (0..truth.labels.len()).flat_map(sure).collect()
    }

    #[test]
    fn places_that_were_forgotten_or_made_up_are_found() {
        let all = [(5, 5), (25, 5), (45, 5), (5, 30), (30, 30)];
        let truth = squares(&all);
        let probabilities = seen(&truth);
        // One image where (25, 5) was forgotten and (45, 45) was made up, and six that are right.
        let wrong = squares(&[(5, 5), (45, 5), (5, 30), (30, 30), (45, 45)]);
        let labels = [&truth, &truth, &wrong, &truth, &truth, &truth, &truth];
        let images: Vec<HeldOut> =
            labels.iter().map(|label| HeldOut { label, probabilities: &probabilities }).collect();
        let found = doubts(&images, 2);
        for (i, doubts) in found.iter().enumerate() {
            assert_eq!(
                (doubts.outlier, doubts.places.len()),
                if i == 2 { (true, 2) } else { (false, 0) },
                "{i}"
            );
        }
        let (forgotten, made_up) = (&found[2].places[0], &found[2].places[1]);
        assert_eq!((forgotten.bbox_px, forgotten.labelled, forgotten.looks_like), ((26, 5, 10, 10), 0, 1));
        assert_eq!((made_up.bbox_px, made_up.labelled, made_up.looks_like), ((45, 45, 10, 10), 1, 0));
        assert!((found[2].share - 200.0 / 3600.0).abs() < 1e-12);
    }

    #[test]
    fn a_quarter_that_nobody_labelled_stands_out() {
        // Of nine squares, the one in the last corner was forgotten: 2.8 % of the image, half of its quarter.
        let all = [(5, 5), (25, 5), (45, 5), (5, 25), (25, 25), (45, 25), (5, 45), (25, 45), (45, 45)];
        let truth = squares(&all);
        let probabilities = seen(&truth);
        let blanked = squares(&all[..8]);
        let images = [&truth, &truth, &blanked, &truth, &truth]
            .map(|label| HeldOut { label, probabilities: &probabilities });
        let found = doubts(&images, 2);
        assert!(found[2].outlier && found[2].worst_quarter > 0.25, "{}", found[2].worst_quarter);
        assert!(found[0].worst_quarter == 0.0 && !found[0].outlier);
    }

    #[test]
    fn ignored_pixels_are_never_in_doubt() {
        let truth = squares(&[(5, 5)]);
        let blank = LabelMap::filled(SIZE, SIZE, IGNORE);
        let probabilities = seen(&truth);
        let images = [&truth, &blank].map(|label| HeldOut { label, probabilities: &probabilities });
        assert_eq!(doubts(&images, 2), [Doubts::default(), Doubts::default()]);
    }
}
