//! GeoJSON, as QuPath writes it: `a.geojson` beside `a.tif`, polygons in pixels.

use super::shapes::{Area, Shape};
use super::{Drawing, Imported, Source, files, image_called, json, stem};
use crate::problem::{DataError, Problem};
use serde_json::Value;

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let mut drawing = Drawing::new(source);
    let folders: Vec<_> = source.images.into_iter().chain([source.path]).collect();
    for file in files(source.path, &["geojson", "json"]) {
        let value = match json(&file) {
            Ok(value) => value,
            Err(problem) => {
                drawing.problems.push(problem);
                continue;
            }
        };
        let features = value["features"].as_array().or(value.as_array()).cloned().unwrap_or_default();
        let Some(image) = image_called(&format!("{}.tif", stem(&file)), &folders) else {
            drawing.problems.push(Problem::new(&file, "no image has this name; give --images"));
            continue;
        };
        let (mut shapes, mut whole) = (Vec::new(), true);
        for (i, feature) in features.iter().enumerate() {
            let (properties, geometry) = (&feature["properties"], &feature["geometry"]);
            let kind = geometry["type"].as_str().unwrap_or("nothing");
            if ["Point", "MultiPoint", "LineString", "MultiLineString"].contains(&kind) {
                let what = format!("feature {}: a {kind} has no area and is passed over", i + 1);
                drawing.remarks.push(Problem::new(&file, what));
                continue;
            }
            let Some(areas) = areas(geometry) else {
                whole = false;
                drawing.refuse(&file, format!("feature {}: a {kind} that cannot be read", i + 1));
                continue;
            };
            let name =
                properties["classification"]["name"].as_str().or(properties["classification"].as_str());
            let class = drawing.class(name.unwrap_or_default());
            shapes.extend(areas.into_iter().map(|area| Shape { class, area }));
        }
        if whole {
            drawing.add(&file, image, None, &shapes);
        }
    }
    Ok(drawing.finish())
}

fn areas(geometry: &Value) -> Option<Vec<Area>> {
    let point = |p: &Value| Some((p[0].as_f64()?, p[1].as_f64()?));
    let ring = |ring: &Value| ring.as_array()?.iter().map(point).collect::<Option<Vec<_>>>();
    let polygon = |p: &Value| p.as_array()?.iter().map(ring).collect::<Option<Vec<_>>>().map(Area::Rings);
    let coordinates = &geometry["coordinates"];
    match geometry["type"].as_str()? {
        "Polygon" => Some(vec![polygon(coordinates)?]),
        "MultiPolygon" => coordinates.as_array()?.iter().map(polygon).collect(),
        _ => None,
    }
}
