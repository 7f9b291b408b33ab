//! Outlines as GeoJSON, as QuPath and napari read them.

use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::io::{self, Write};

/// A ring of pixel corners (x, y), not closed.
type Ring = Vec<(u32, u32)>;

/// Twice the area in a ring: positive round an object, clockwise on the screen, and negative round a hole.
fn doubled_area(ring: &Ring) -> i64 {
    let cross = |(a, b): (&(u32, u32), &(u32, u32))| {
        i64::from(a.0) * i64::from(b.1) - i64::from(b.0) * i64::from(a.1)
    };
    ring.iter().zip(ring.iter().cycle().skip(1)).map(cross).sum()
}

/// A ring cut where it meets itself at a corner: no ring of a valid polygon does, but two of them may meet there.
fn simple(ring: &Ring) -> Vec<Ring> {
    let (mut out, mut way, mut places) = (Vec::new(), Ring::new(), HashMap::new());
    for &corner in ring {
        if let Some(&start) = places.get(&corner) {
            let closed: Ring = way.drain(start..).collect();
            closed.iter().for_each(|c| _ = places.remove(c));
            out.push(closed);
        }
        places.insert(corner, way.len());
        way.push(corner);
    }
    out.push(way);
    out
}

/// Whether the middle of a pixel lies inside a ring (even-odd rule).
fn holds(ring: &Ring, (x, y): (f64, f64)) -> bool {
    let crosses = |(a, b): (&(u32, u32), &(u32, u32))| {
        let (ay, by) = (f64::from(a.1), f64::from(b.1));
        // Edges are straight: only vertical ones can be crossed by a row.
        a.0 == b.0 && (ay > y) != (by > y) && f64::from(a.0) > x
    };
    ring.iter().zip(ring.iter().cycle().skip(1)).filter(|e| crosses(*e)).count() % 2 == 1
}

/// Each outer ring with the holes in it.
fn polygons(rings: &[Ring]) -> Vec<Vec<Ring>> {
    let (outer, holes): (Vec<Ring>, Vec<Ring>) =
        rings.iter().flat_map(simple).partition(|ring| doubled_area(ring) > 0);
    let mut polygons: Vec<Vec<Ring>> = outer.into_iter().map(|ring| vec![ring]).collect();
    for hole in holes {
        // Above the first pixel of a hole lies one of the object that the hole is in.
        let Some(&(x, y)) = hole.iter().min_by_key(|(x, y)| (*y, *x)) else { continue };
        let above = (f64::from(x) + 0.5, f64::from(y) - 0.5);
        let around = polygons.iter_mut().filter(|p| holds(&p[0], above));
        // A piece may lie in the hole of another: the smallest around it is its own.
        if let Some(own) = around.min_by_key(|p| doubled_area(&p[0])) {
            own.push(hole);
        }
    }
    polygons
}

/// A feature collection with one feature per object, written as the objects come.
pub struct GeoJson<W: Write> {
    out: W,
    class: String,
    any: bool,
}

impl<W: Write> GeoJson<W> {
    /// Writes the start of the collection to `out`. `class` is the classification of all objects.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn begin(mut out: W, class: &str) -> io::Result<Self> {
        out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")?;
        Ok(Self { out, class: class.to_owned(), any: false })
    }

    /// Adds an object: its outer rings and those of its holes, in pixels, and its measurements. Rings are those of pixels
    /// that share an edge: it is a polygon, or several where it lies in pieces, or in pieces that touch at corners only.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn object(&mut self, rings: &[Ring], measurements: &Map<String, Value>) -> io::Result<()> {
        self.out.write_all(if self.any { b",\n" } else { b"\n" })?;
        self.any = true;
        let pieces = polygons(rings);
        let (kind, open, close) =
            if pieces.len() == 1 { ("Polygon", "", "") } else { ("MultiPolygon", "[", "]") };
        write!(self.out, "{{\"type\":\"Feature\",\"geometry\":{{\"type\":\"{kind}\",\"coordinates\":{open}")?;
        for (i, piece) in pieces.iter().enumerate() {
            self.out.write_all(if i > 0 { b"," } else { b"" })?;
            self.polygon(piece)?;
        }
        let properties = json!({
            "objectType": "annotation",
            "classification": {"name": self.class},
            "measurements": measurements,
        });
        write!(self.out, "{close}}},\"properties\":{properties}}}")
    }

    /// Rings may have many corners: they are written number by number, not as a tree of values.
    fn polygon(&mut self, rings: &[Ring]) -> io::Result<()> {
        for (i, ring) in rings.iter().enumerate() {
            self.out.write_all(if i > 0 { b",[" } else { b"[[" })?;
            for (j, (x, y)) in ring.iter().chain(ring.first()).enumerate() {
                let comma = if j > 0 { "," } else { "" };
                write!(self.out, "{comma}[{x},{y}]")?;
            }
            self.out.write_all(b"]")?;
        }
        self.out.write_all(if rings.is_empty() { b"[]" } else { b"]" })
    }

    /// Ends the collection and gives the writer back.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(b"\n]}\n")?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_are_closed_and_holes_follow() {
        let rings = [vec![(0, 0), (4, 0), (4, 4), (0, 4)], vec![(1, 1), (1, 2), (2, 2), (2, 1)]];
        let measurements = Map::from_iter([("area_px".to_owned(), json!(15))]);
        let mut out = GeoJson::begin(Vec::new(), "carbide \"M7\"").unwrap();
        out.object(&rings, &measurements).unwrap();
        out.object(&rings[..1], &measurements).unwrap();
        let value: Value = serde_json::from_slice(&out.finish().unwrap()).unwrap();
        let polygon = &value["features"][0]["geometry"]["coordinates"];
        assert_eq!(polygon[0], json!([[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]));
        assert_eq!(polygon[1].as_array().unwrap().len(), 5);
        assert_eq!(value["features"][0]["properties"]["measurements"]["area_px"], 15);
        assert_eq!(value["features"][1]["properties"]["classification"]["name"], "carbide \"M7\"");
        let none = GeoJson::begin(Vec::new(), "carbide").unwrap().finish().unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&none).unwrap()["features"], json!([]));
        // A second piece before the hole's ring, as rings come in the order of their first rows.
        let piece = vec![(9, 0), (10, 0), (10, 1), (9, 1)];
        let rings = [rings[0].clone(), piece, rings[1].clone()];
        let mut out = GeoJson::begin(Vec::new(), "carbide").unwrap();
        out.object(&rings, &Map::new()).unwrap();
        let value: Value = serde_json::from_slice(&out.finish().unwrap()).unwrap();
        let geometry = &value["features"][0]["geometry"];
        assert_eq!(geometry["type"], "MultiPolygon");
        let parts: Vec<usize> =
            geometry["coordinates"].as_array().unwrap().iter().map(|p| p.as_array().unwrap().len()).collect();
        assert_eq!(parts, [2, 1], "the hole goes with the piece that it is in");
    }

    #[test]
    fn a_ring_that_meets_itself_is_cut_there() {
        // Pixels round a hole that touches the outside at the corner (2, 2) only:
        // ####
        // #.##
        // ##.#   with the second gap open to the right below.
        let ring = vec![(0, 0), (4, 0), (4, 2), (2, 2), (2, 1), (1, 1), (1, 2), (2, 2), (2, 3), (0, 3)];
        let parts = polygons(std::slice::from_ref(&ring));
        assert_eq!(parts.len(), 1);
        let areas: Vec<i64> = parts[0].iter().map(doubled_area).collect();
        assert_eq!((areas.iter().sum::<i64>(), areas[1]), (doubled_area(&ring), -2), "a hole of one pixel");
        assert!(parts[0].iter().all(|r| r.iter().collect::<std::collections::HashSet<_>>().len() == r.len()));
    }
}
