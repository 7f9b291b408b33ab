//! Taking touching particles apart: watershed of the distance to the background.

use crate::components::{ByRegion, Connectivity, Objects, Run};
use crate::raster::Raster;
use rayon::prelude::*;

/// Objects after splitting.
pub struct Split {
    pub objects: Objects,
    /// For each object, the number of the one it was part of before.
    pub parents: Vec<u32>,
}

/// Splits every object along the valleys of its distance transform. Two parts stay together unless the way between
/// their widest places is narrower, in half width, by `depth_px` than the smaller of these (the dynamics of
/// h-maxima); a larger value splits less. Every pixel stays in an object.
pub fn split(objects: &Objects, connectivity: Connectivity, depth_px: f64) -> Split {
    let grouped = ByRegion::of(&objects.runs, objects.regions.len());
    let parts: Vec<Vec<Run>> = (0..objects.regions.len())
        .into_par_iter()
        .map(|i| basins(grouped.runs(i), connectivity, depth_px))
        .collect();
    // Number the parts by their first pixels, as unsplit objects are.
    let mut runs: Vec<(Run, u32)> = parts
        .into_iter()
        .enumerate()
        .flat_map(|(parent, runs)| runs.into_iter().map(move |r| (r, parent as u32)))
        .collect();
    runs.sort_by_key(|(r, _)| (r.y, r.x_start));
    let mut number = std::collections::HashMap::<(u32, u32), u32>::new();
    let mut parents = Vec::new();
    for (run, parent) in &mut runs {
        run.region = *number.entry((*parent, run.region)).or_insert_with(|| {
            parents.push(*parent);
            parents.len() as u32 - 1
        });
    }
    let runs = runs.into_iter().map(|(r, _)| r).collect();
    let objects = Objects::from_runs(objects.width, objects.height, runs, parents.len(), |_| 1);
    Split { objects, parents }
}

impl Raster {
    /// Squared distance of every pixel to the nearest one outside (Felzenszwalb and Huttenlocher 2012).
    fn squared_distances(&self) -> Vec<f64> {
        let (width, height) = (self.width, self.height());
        // Farther than any pixel can be, and small enough that differences stay exact.
        let far = ((width + height) as f64).powi(2);
        let mut d: Vec<f64> = self.pixels.iter().map(|p| if *p == 1 { far } else { 0.0 }).collect();
        let mut line = Vec::new();
        for x in 0..width {
            line.clear();
            line.extend((0..height).map(|y| d[y * width + x]));
            lower_envelope(&line, |y, v| d[y * width + x] = v);
        }
        for y in 0..height {
            line.clear();
            line.extend_from_slice(&d[y * width..(y + 1) * width]);
            lower_envelope(&line, |x, v| d[y * width + x] = v);
        }
        d
    }
}

/// Minimum over q of `f(q) + (p - q)^2` for every p.
fn lower_envelope(f: &[f64], mut put: impl FnMut(usize, f64)) {
    let (mut at, mut from) = (vec![0usize], vec![f64::NEG_INFINITY]);
    for q in 1..f.len() {
        loop {
            let last = at[at.len() - 1];
            let (a, b) = (q as f64, last as f64);
            let meet = ((f[q] + a * a) - (f[last] + b * b)) / (2.0 * (a - b));
            if meet > from[from.len() - 1] {
                at.push(q);
                from.push(meet);
                break;
            }
            at.pop();
            from.pop();
        }
    }
    let mut k = 0;
    for p in 0..f.len() {
        while k + 1 < at.len() && from[k + 1] < p as f64 {
            k += 1;
        }
        put(p, f[at[k]] + (p as f64 - at[k] as f64).powi(2));
    }
}

/// Floods the object from its widest places down; where two floods meet, the lower joins the higher unless its peak
/// stands out by `depth_px`. Gives the object's runs, cut where parts meet, with the number of the part.
fn basins(runs: &[Run], connectivity: Connectivity, depth_px: f64) -> Vec<Run> {
    const DRY: u32 = u32::MAX;
    let window = Raster::of(runs);
    let distance: Vec<f64> = window.squared_distances().into_iter().map(f64::sqrt).collect();
    let mut order: Vec<u32> =
        (0..distance.len() as u32).filter(|&i| window.pixels[i as usize] == 1).collect();
    order.sort_by(|&a, &b| distance[b as usize].total_cmp(&distance[a as usize]).then(a.cmp(&b)));
    let w = window.width;
    let around: &[isize] = &match connectivity {
        Connectivity::Four => vec![-(w as isize), -1, 1, w as isize],
        Connectivity::Eight => {
            let w = w as isize;
            vec![-w - 1, -w, -w + 1, -1, 1, w - 1, w, w + 1]
        }
    };
    let mut basin = vec![DRY; distance.len()];
    // Parent of each basin and the height of its peak; the higher peak is the root.
    let (mut parent, mut peak) = (Vec::<u32>::new(), Vec::<f64>::new());
    fn root(parent: &mut [u32], mut i: u32) -> u32 {
        while parent[i as usize] != i {
            parent[i as usize] = parent[parent[i as usize] as usize];
            i = parent[i as usize];
        }
        i
    }
    for at in order {
        let level = distance[at as usize];
        let mut own: Option<(u32, f64)> = None;
        for step in around {
            let next = (at as usize).wrapping_add_signed(*step);
            if basin[next] == DRY {
                continue;
            }
            let found = root(&mut parent, basin[next]);
            match own {
                None => own = Some((found, distance[next])),
                Some((kept, height)) if kept != found => {
                    let (higher, lower) = if peak[kept as usize] >= peak[found as usize] {
                        (kept, found)
                    } else {
                        (found, kept)
                    };
                    if peak[lower as usize] - level < depth_px {
                        parent[lower as usize] = higher;
                        own = Some((higher, height.max(distance[next])));
                    } else if distance[next] > height {
                        own = Some((found, distance[next]));
                    }
                }
                Some((kept, height)) => own = Some((kept, height.max(distance[next]))),
            }
        }
        basin[at as usize] = own.map_or_else(
            || {
                parent.push(parent.len() as u32);
                peak.push(level);
                parent.len() as u32 - 1
            },
            |(b, _)| b,
        );
    }
    let mut out = Vec::new();
    for run in runs {
        let row = ((run.y - window.top) as usize + 1) * w + 1;
        let part = |x: u32, parent: &mut [u32]| root(parent, basin[row + (x - window.left) as usize]);
        let mut start = run.x_start;
        let mut region = part(start, &mut parent);
        for x in run.x_start + 1..run.x_end {
            let here = part(x, &mut parent);
            if here != region {
                out.push(Run { y: run.y, x_start: start, x_end: x, region });
                (start, region) = (x, here);
            }
        }
        out.push(Run { y: run.y, x_start: start, x_end: run.x_end, region });
    }
    out
}
