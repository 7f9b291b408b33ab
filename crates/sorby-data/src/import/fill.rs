//! The pixels whose centres lie within rings.

/// An edge of a ring, and the rows whose middles it crosses.
struct Edge {
    rows: std::ops::Range<usize>,
    from: (f64, f64),
    to: (f64, f64),
}

impl Edge {
    fn of((x1, y1): (f64, f64), (x2, y2): (f64, f64), height: usize) -> Self {
        let (low, high) = (y1.min(y2), y1.max(y2));
        // Rows whose middle y + 0.5 lies in low <= middle < high: a corner counts for one of its two edges.
        let row = |y: f64| (y - 0.5).ceil().clamp(0.0, height as f64) as usize;
        Self { rows: row(low)..row(high), from: (x1, y1), to: (x2, y2) }
    }

    /// Where it crosses the middle of a row.
    fn crossing(&self, y: usize) -> f64 {
        let ((x1, y1), (x2, y2)) = (self.from, self.to);
        x1 + (y as f64 + 0.5 - y1) * (x2 - x1) / (y2 - y1)
    }
}

/// Calls `paint` with the index of every pixel whose centre is inside, even-odd. Row by row, with the edges that cross
/// it: memory grows with the corners, however high their edges are.
pub(super) fn fill(rings: &[Vec<(f64, f64)>], (width, height): (usize, usize), paint: &mut dyn FnMut(usize)) {
    let finite =
        |ring: &&Vec<(f64, f64)>| ring.len() >= 3 && ring.iter().all(|p| p.0.is_finite() && p.1.is_finite());
    let edges_of = |ring: &Vec<(f64, f64)>| {
        let next = ring.iter().cycle().skip(1);
        ring.iter().zip(next).map(|(a, b)| Edge::of(*a, *b, height)).collect::<Vec<_>>()
    };
    let mut edges: Vec<Edge> = rings.iter().filter(finite).flat_map(edges_of).collect();
    edges.retain(|e| !e.rows.is_empty());
    edges.sort_by_key(|e| e.rows.start);
    let (mut waiting, mut crossed, mut crossings) =
        (edges.iter().peekable(), Vec::<&Edge>::new(), Vec::new());
    for y in edges.first().map_or(0, |e| e.rows.start)..height {
        while let Some(edge) = waiting.next_if(|e| e.rows.start == y) {
            crossed.push(edge);
        }
        crossed.retain(|e| e.rows.end > y);
        if crossed.is_empty() && waiting.peek().is_none() {
            break;
        }
        crossings.clear();
        crossings.extend(crossed.iter().map(|e| e.crossing(y)));
        crossings.sort_unstable_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let column = |x: f64| (x - 0.5).ceil().clamp(0.0, width as f64) as usize;
            (column(pair[0])..column(pair[1])).for_each(|x| paint(y * width + x));
        }
    }
}
