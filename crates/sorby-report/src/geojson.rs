//! Outlines as GeoJSON, as QuPath and napari read them.

use serde_json::{Map, Value, json};

/// A ring of pixel corners (x, y), not closed.
type Ring = Vec<(u32, u32)>;

/// Whether a ring goes round an object, clockwise on the screen, and not round a hole.
fn is_outer(ring: &Ring) -> bool {
    let cross = |(a, b): (&(u32, u32), &(u32, u32))| {
        i64::from(a.0) * i64::from(b.1) - i64::from(b.0) * i64::from(a.1)
    };
    ring.iter().zip(ring.iter().cycle().skip(1)).map(cross).sum::<i64>() > 0
}

/// Whether a corner lies inside a ring or on it (even-odd rule for a point half a pixel inwards of the hole's corner).
fn holds(ring: &Ring, (x, y): (f64, f64)) -> bool {
    let crosses = |(a, b): (&(u32, u32), &(u32, u32))| {
        let (ay, by) = (f64::from(a.1), f64::from(b.1));
        // Edges are straight: only vertical ones can be crossed by a row.
        a.0 == b.0 && (ay > y) != (by > y) && f64::from(a.0) > x
    };
    ring.iter().zip(ring.iter().cycle().skip(1)).filter(|e| crosses(*e)).count() % 2 == 1
}

/// Each outer ring with the holes in it.
fn polygons(rings: &[Ring]) -> Vec<Vec<&Ring>> {
    let mut polygons: Vec<Vec<&Ring>> = rings.iter().filter(|r| is_outer(r)).map(|r| vec![r]).collect();
    if polygons.len() < 2 {
        return vec![rings.iter().collect()];
    }
    for hole in rings.iter().filter(|r| !is_outer(r)) {
        // The first corner of a ring is an upper left one; half a pixel up and left of a hole's lies the object.
        let Some(&(x, y)) = hole.first() else { continue };
        let near = (f64::from(x) - 0.5, f64::from(y) - 0.5);
        let own = polygons.iter().rposition(|p| holds(p[0], near)).unwrap_or(0);
        polygons[own].push(hole);
    }
    polygons
}

/// A feature collection with one feature per object, in pixels: a polygon of its outer ring and those of its holes,
/// several where it lies in pieces; and its measurements.
pub fn geojson<'a>(class: &str, objects: impl Iterator<Item = (&'a [Ring], Map<String, Value>)>) -> String {
    let closed = |ring: &Ring| {
        let corners = ring.iter().chain(ring.first());
        Value::Array(corners.map(|(x, y)| json!([x, y])).collect())
    };
    let polygon = |rings: &Vec<&Ring>| Value::Array(rings.iter().map(|r| closed(r)).collect());
    let feature = |(rings, measurements): (&[Ring], Map<String, Value>)| {
        let geometry = match &polygons(rings)[..] {
            [one] => json!({"type": "Polygon", "coordinates": polygon(one)}),
            several => {
                json!({"type": "MultiPolygon", "coordinates": several.iter().map(polygon).collect::<Vec<_>>()})
            }
        };
        json!({
            "type": "Feature",
            "geometry": geometry,
            "properties": {
                "objectType": "annotation",
                "classification": {"name": class},
                "measurements": measurements,
            },
        })
    };
    let features: Vec<Value> = objects.map(feature).collect();
    json!({"type": "FeatureCollection", "features": features}).to_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_are_closed_and_holes_follow() {
        let rings = [vec![(0, 0), (4, 0), (4, 4), (0, 4)], vec![(1, 1), (1, 2), (2, 2), (2, 1)]];
        let measurements = Map::from_iter([("area_px".to_owned(), json!(15))]);
        let text = geojson("carbide", [(&rings[..], measurements)].into_iter());
        let value: Value = serde_json::from_str(&text).unwrap();
        let polygon = &value["features"][0]["geometry"]["coordinates"];
        assert_eq!(polygon[0], json!([[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]));
        assert_eq!(polygon[1].as_array().unwrap().len(), 5);
        assert_eq!(value["features"][0]["properties"]["measurements"]["area_px"], 15);
        // A second piece before the hole's ring, as rings come in the order of their first rows.
        let piece = vec![(9, 0), (10, 0), (10, 1), (9, 1)];
        let rings = [rings[0].clone(), piece, rings[1].clone()];
        let text = geojson("carbide", [(&rings[..], Map::new())].into_iter());
        let value: Value = serde_json::from_str(&text).unwrap();
        let geometry = &value["features"][0]["geometry"];
        assert_eq!(geometry["type"], "MultiPolygon");
        let parts: Vec<usize> =
            geometry["coordinates"].as_array().unwrap().iter().map(|p| p.as_array().unwrap().len()).collect();
        assert_eq!(parts, [2, 1], "the hole goes with the piece that it is in");
    }
}
