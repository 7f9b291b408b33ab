//! Distances between neighbouring objects.

use crate::components::{ByRegion, Region, Run};
use rayon::prelude::*;

/// Distance from each object's centroid to the nearest other centroid, in pixels; `None` for an object alone.
/// Objects near the field's edge may have a nearer neighbour outside it.
pub fn nearest_centroids_px(regions: &[Region]) -> Vec<Option<f64>> {
    let points: Vec<(f64, f64)> = regions.iter().map(|r| r.centroid_px).collect();
    if points.len() < 2 {
        return vec![None; points.len()];
    }
    let grid = Grid::of(&points);
    (0..points.len()).into_par_iter().with_min_len(256).map(|i| Some(grid.nearest(i))).collect()
}

/// Points in square cells, about one to a cell, so that a search looks at a few cells only.
struct Grid<'a> {
    points: &'a [(f64, f64)],
    /// Row and column of the first cell's corner.
    corner: (f64, f64),
    side: f64,
    columns: usize,
    rows: usize,
    /// Points of cell `c`: `order[start[c]..start[c + 1]]`.
    start: Vec<usize>,
    order: Vec<u32>,
}

impl<'a> Grid<'a> {
    fn of(points: &'a [(f64, f64)]) -> Self {
        let bounds = |part: fn(&(f64, f64)) -> f64| {
            let values = points.iter().map(part);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)))
        };
        let (top, bottom) = bounds(|p| p.0);
        let (left, right) = bounds(|p| p.1);
        let (height, width) = (bottom - top, right - left);
        // Points in a line get cells as long as their mean distance.
        let side = (height * width / points.len() as f64)
            .sqrt()
            .max(height.max(width) / points.len() as f64)
            .max(1.0);
        let (rows, columns) = ((height / side) as usize + 1, (width / side) as usize + 1);
        let mut grid = Self {
            points,
            corner: (top, left),
            side,
            columns,
            rows,
            start: vec![0; rows * columns + 1],
            order: Vec::new(),
        };
        let cells: Vec<usize> = points.iter().map(|&p| grid.cell(p)).map(|(r, c)| r * columns + c).collect();
        cells.iter().for_each(|&c| grid.start[c + 1] += 1);
        (0..rows * columns).for_each(|c| grid.start[c + 1] += grid.start[c]);
        let mut next = grid.start.clone();
        grid.order = vec![0; points.len()];
        for (i, &c) in cells.iter().enumerate() {
            grid.order[next[c]] = i as u32;
            next[c] += 1;
        }
        grid
    }

    fn cell(&self, (row, column): (f64, f64)) -> (usize, usize) {
        let at =
            |value: f64, corner: f64, count: usize| (((value - corner) / self.side) as usize).min(count - 1);
        (at(row, self.corner.0, self.rows), at(column, self.corner.1, self.columns))
    }

    /// Distance from point `i` to the nearest other: rings of cells outwards, until none can hold a nearer one.
    fn nearest(&self, i: usize) -> f64 {
        let (row, column) = self.cell(self.points[i]);
        let mut best = f64::INFINITY;
        for ring in 0.. {
            let (top, left) = (row.saturating_sub(ring), column.saturating_sub(ring));
            let (bottom, right) = ((row + ring).min(self.rows - 1), (column + ring).min(self.columns - 1));
            let mut look = |r: usize, c: usize| best = best.min(self.nearest_in(r * self.columns + c, i));
            for r in top..=bottom {
                if r.abs_diff(row) == ring {
                    (left..=right).for_each(|c| look(r, c));
                } else {
                    // Between its first and last row, a ring has two cells to a row.
                    let sides = [column.checked_sub(ring), Some(column + ring).filter(|&c| c < self.columns)];
                    sides.into_iter().flatten().for_each(|c| look(r, c));
                }
            }
            let all = (top, left) == (0, 0) && (bottom, right) == (self.rows - 1, self.columns - 1);
            // Whatever lies beyond this ring is at least `ring` cells away.
            if all || best <= ring as f64 * self.side {
                break;
            }
        }
        best
    }

    fn nearest_in(&self, cell: usize, i: usize) -> f64 {
        let (row, column) = self.points[i];
        let others = self.order[self.start[cell]..self.start[cell + 1]].iter().map(|&j| j as usize);
        let distance = |j: usize| (self.points[j].0 - row).hypot(self.points[j].1 - column);
        others.filter(|&j| j != i).map(distance).fold(f64::INFINITY, f64::min)
    }
}

/// Smallest gap between the pixels (unit squares) of each object and any other, in pixels: 0 where they touch, 1
/// where one pixel lies between; `None` for an object alone. `runs` are in raster order.
pub fn nearest_edges_px(runs: &[Run], count: usize) -> Vec<Option<f64>> {
    if count < 2 {
        return vec![None; count];
    }
    let rows = Rows::of(runs);
    let grouped = ByRegion::of(runs, count);
    let gap = |i: usize| rows.nearest(grouped.runs(i)).map(|squared| (squared as f64).sqrt());
    (0..count).into_par_iter().with_min_len(64).map(gap).collect()
}

/// Runs by row.
struct Rows<'a> {
    runs: &'a [Run],
    start: Vec<usize>,
    /// The one object that a row holds, if it is but one: nothing is to be found there for itself.
    sole: Vec<Option<u32>>,
}

impl<'a> Rows<'a> {
    fn of(runs: &'a [Run]) -> Self {
        let height = runs.last().map_or(0, |r| r.y as usize + 1);
        let mut start = vec![0; height + 1];
        runs.iter().for_each(|r| start[r.y as usize + 1] += 1);
        (0..height).for_each(|y| start[y + 1] += start[y]);
        let sole = start.windows(2).map(|w| {
            let first = runs.get(w[0]).filter(|_| w[1] > w[0])?.region;
            runs[w[0]..w[1]].iter().all(|r| r.region == first).then_some(first)
        });
        let sole = sole.collect();
        Self { runs, start, sole }
    }

    /// A row's runs, none if they are all of `region`.
    fn others(&self, y: i64, region: u32) -> &'a [Run] {
        match usize::try_from(y).ok().and_then(|y| self.sole.get(y)) {
            Some(Some(sole)) if *sole == region => &[],
            _ => self.row(y),
        }
    }

    fn row(&self, y: i64) -> &'a [Run] {
        match usize::try_from(y) {
            Ok(y) if y + 1 < self.start.len() => &self.runs[self.start[y]..self.start[y + 1]],
            _ => &[],
        }
    }

    /// Square of the smallest gap between the object made of `own` and another.
    fn nearest(&self, own: &[Run]) -> Option<i64> {
        // What is nearest above a run with the object's own pixels all along above it is nearer to those.
        let covered = |r: &Run, y: i64| {
            let row = self.row(y);
            let before = row.partition_point(|o| o.x_start <= r.x_start).checked_sub(1);
            before.is_some_and(|i| row[i].region == r.region && row[i].x_end >= r.x_end)
        };
        let searching = |step: i64| {
            let exposed = own.iter().filter(move |r| !covered(r, i64::from(r.y) + step));
            exposed.map(move |r| (r, step))
        };
        let open: Vec<(&Run, i64)> = searching(-1).chain(searching(1)).collect();
        let mut best = i64::MAX;
        own.iter().for_each(|run| look(run, 0, self.others(run.y.into(), run.region), &mut best));
        for rows in 1..self.start.len() as i64 {
            let apart = (rows - 1) * (rows - 1);
            if apart >= best {
                break;
            }
            open.iter().for_each(|(run, step)| {
                look(run, apart, self.others(i64::from(run.y) + step * rows, run.region), &mut best);
            });
        }
        (best < i64::MAX).then_some(best)
    }
}

/// Brings `best` down to the gap from `run` to the runs of other objects in a row, `apart` being the square of the
/// gap between the two rows.
fn look(run: &Run, apart: i64, row: &[Run], best: &mut i64) {
    let (start, end) = (i64::from(run.x_start), i64::from(run.x_end));
    let after = row.partition_point(|o| o.x_start < run.x_start);
    let mut try_one = |o: &Run| {
        let aside = (i64::from(o.x_start) - end).max(start - i64::from(o.x_end)).max(0);
        let gap = aside * aside + apart;
        if o.region != run.region {
            *best = gap.min(*best);
        }
        // Runs further on are further off.
        gap < *best
    };
    let _ = row[after..].iter().all(&mut try_one);
    let _ = row[..after].iter().rev().all(&mut try_one);
}
