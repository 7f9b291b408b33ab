//! Outlines as GeoJSON, as QuPath and napari read them.

use serde_json::{Map, Value, json};

/// A ring of pixel corners (x, y), not closed.
type Ring = Vec<(u32, u32)>;

/// A feature collection with one polygon per object, in pixels: its outer ring and those of its holes; and
/// its measurements.
pub fn geojson<'a>(class: &str, objects: impl Iterator<Item = (&'a [Ring], Map<String, Value>)>) -> String {
    let closed = |ring: &Ring| {
        let corners = ring.iter().chain(ring.first());
        Value::Array(corners.map(|(x, y)| json!([x, y])).collect())
    };
    let feature = |(rings, measurements): (&[Ring], Map<String, Value>)| {
        json!({
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": rings.iter().map(closed).collect::<Vec<_>>()},
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
    }
}
