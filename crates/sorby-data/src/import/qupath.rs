//! GeoJSON, as QuPath writes it: `a.geojson` (plain, or packed as .zip or .gz) next to `a.tif`, areas in pixels.

use super::pictures::Pictures;
use super::shapes::{Area, Shape};
use super::source_files::{bytes, decode, files_below, folder_of, json, parse_json, place, stem};
use super::{Drawing, Imported, Source, archive};
use crate::problem::{DataError, Problem};
use serde_json::Value;
use std::io::Read as _;
use std::path::{Path, PathBuf};

const ENDINGS: [&str; 2] = ["geojson", "json"];

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let mut drawing = Drawing::new(source);
    for file in files_below(source.path, &["geojson", "json", "gz", "zip"]) {
        let value = match value_of(&file) {
            Ok(value) => value,
            Err(problem) => {
                drawing.problems.push(problem);
                continue;
            }
        };
        let mut features = Vec::new();
        if !collect(&value, &mut features) {
            drawing
                .problem(&file, "is no GeoJSON of areas (no feature, no list of features and no geometry)");
            continue;
        }
        let image = match image_of(&drawing.pictures, &file, &place(folder_of(source.path), &file)) {
            Ok(image) => image,
            Err(what) => {
                drawing.problem(&file, what);
                continue;
            }
        };
        if let Some(shapes) = shapes(&mut drawing, &file, &features) {
            if shapes.is_empty() {
                drawing.remark(&file, "holds no area: all of its image is background");
            }
            drawing.add(&file, image, None, &shapes, None);
        }
    }
    Ok(drawing.finish())
}

/// Whether an archive is one of QuPath's.
pub(super) fn is_archive(file: &Path) -> bool {
    archive::holds(file, &ENDINGS)
}

/// Name of the image: the file's without `.geojson`, `.geojson.gz`, ...
fn bare_name(file: &Path) -> String {
    let name = stem(file);
    ENDINGS.iter().find_map(|e| name.strip_suffix(&format!(".{e}"))).unwrap_or(&name).to_owned()
}

/// The image of the same name. Image names of QuPath have the ending, and may have the series of a file that could hold
/// several: `a.tif.geojson`, `a.tif - Series 0.geojson`.
fn image_of(pictures: &Pictures, file: &Path, beside: &[String]) -> Result<PathBuf, String> {
    let name = bare_name(file);
    let whole = name.strip_suffix(" - Series 0").unwrap_or(&name);
    let ending = Path::new(whole).extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let found = pictures.of_stem(&name, beside, file).or_else(|what| {
        match sorby_image::EXTENSIONS.contains(&&*ending) {
            true => pictures.called(whole, Some(beside)),
            false => Err(what),
        }
    });
    found.map(|found| found.path.to_owned()).map_err(|what| format!("its image `{name}` {what}"))
}

fn value_of(file: &Path) -> Result<Value, Problem> {
    let packed = |bytes: Vec<u8>| {
        let text = decode(bytes).ok_or_else(|| Problem::new(file, "holds no text (UTF-8)"))?;
        parse_json(file, &text)
    };
    match file.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase().as_str() {
        "zip" => {
            let mut entries = Vec::new();
            archive::each_entry(file, &ENDINGS, &mut |_, content| entries.push(content.to_vec()))?;
            match <[Vec<u8>; 1]>::try_from(entries) {
                Ok([entry]) => packed(entry),
                Err(several) => {
                    Err(Problem::new(file, format!("holds {} GeoJSON files; one is needed", several.len())))
                }
            }
        }
        "gz" => {
            let mut content = Vec::new();
            let unpacked = flate2::read::MultiGzDecoder::new(&*bytes(file)?)
                .take(MAX_UNPACKED + 1)
                .read_to_end(&mut content);
            match unpacked {
                Ok(length) if length as u64 <= MAX_UNPACKED => packed(content),
                Ok(_) => Err(Problem::new(file, "unpacks to more than any annotation file should (512 MB)")),
                Err(e) => Err(Problem::new(file, format!("is no packed file that can be read ({e})"))),
            }
        }
        _ => json(file),
    }
}

const MAX_UNPACKED: u64 = 1 << 29;

const GEOMETRIES: [&str; 7] =
    ["Polygon", "MultiPolygon", "GeometryCollection", "Point", "MultiPoint", "LineString", "MultiLineString"];

/// Whether JSON is what QuPath may have written.
pub(super) fn is_geojson(value: &Value) -> bool {
    collect(value, &mut Vec::new())
}

/// Features of a collection, of a list, or the only one; a bare geometry counts as a feature. False for other JSON.
fn collect<'a>(value: &'a Value, features: &mut Vec<&'a Value>) -> bool {
    if let Some(list) = value.as_array() {
        return list.iter().all(|v| v.is_object() && collect(v, features));
    }
    match (value["type"].as_str(), value["features"].as_array()) {
        (Some("FeatureCollection"), Some(list)) => list.iter().all(|v| v.is_object() && collect(v, features)),
        (Some("Feature"), _) => {
            features.push(value);
            true
        }
        (Some(kind), _) if GEOMETRIES.contains(&kind) => {
            features.push(value);
            true
        }
        _ => false,
    }
}

/// What the features draw; `None` when one of them cannot be read.
fn shapes(drawing: &mut Drawing, file: &Path, features: &[&Value]) -> Option<Vec<Shape>> {
    let (mut shapes, mut whole, mut cells) = (Vec::new(), true, 0);
    for (i, feature) in features.iter().enumerate() {
        let (properties, geometry) = match feature["type"].as_str() {
            Some("Feature") => (&feature["properties"], &feature["geometry"]),
            _ => (&Value::Null, *feature),
        };
        cells += usize::from(feature["nucleusGeometry"].is_object());
        let class = match class_name(properties) {
            Ok(Class::Of(name)) => name,
            Ok(Class::Region(what)) => {
                drawing.remark(file, format!("feature {}: {what}, which is no phase, is passed over", i + 1));
                continue;
            }
            Err(what) => {
                whole = false;
                drawing.refuse(file, format!("feature {}: {what}", i + 1));
                continue;
            }
        };
        match areas(geometry) {
            Ok(areas) if areas.is_empty() => {
                let kind = geometry["type"].as_str().unwrap_or_default();
                drawing.remark(file, format!("feature {}: a {kind} has no area and is passed over", i + 1));
            }
            Ok(areas) => {
                let class = drawing.class(&class);
                shapes.extend(areas.into_iter().map(|area| Shape { class, object: i, area }));
            }
            Err(what) => {
                whole = false;
                drawing.refuse(file, format!("feature {}: {what}", i + 1));
            }
        }
    }
    if cells > 0 {
        drawing.remark(file, format!("of {cells} cells the outer outline is drawn, not the nucleus"));
    }
    whole.then_some(shapes)
}

enum Class {
    Of(String),
    /// Marks where to work, not what is there.
    Region(&'static str),
}

/// A feature's class as QuPath shows it: derived classes are kept as a list, and shown with colons.
fn class_name(properties: &Value) -> Result<Class, String> {
    match properties["objectType"].as_str() {
        Some("root") => return Ok(Class::Region("the whole image")),
        Some("tma_core") => return Ok(Class::Region("a core of a tissue array")),
        _ => {}
    }
    let classification = &properties["classification"];
    let (name, names) = (&classification["name"], &classification["names"]);
    let listed = match names {
        Value::Null => None,
        Value::Array(list) => {
            let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            Some(texts.ok_or("has class names that are no text")?.join(": "))
        }
        _ => return Err("has class names that are no list".to_owned()),
    };
    let name = match (classification, name, listed) {
        (Value::Null, ..) => String::new(),
        (Value::String(name), ..) => name.clone(),
        (Value::Object(_), Value::Null, listed) => listed.unwrap_or_default(),
        (Value::Object(_), Value::String(name), None) => name.clone(),
        (Value::Object(_), Value::String(name), Some(listed)) if *name == listed => listed,
        (Value::Object(_), Value::String(name), Some(listed)) => {
            return Err(format!("is called `{name}` and `{listed}`"));
        }
        _ => return Err("has a class that is no text".to_owned()),
    };
    Ok(if name == "Region*" { Class::Region("a region (`Region*`)") } else { Class::Of(name) })
}

/// Areas of a geometry; none for points and lines.
fn areas(geometry: &Value) -> Result<Vec<Area>, String> {
    let kind = geometry["type"].as_str().unwrap_or("nothing");
    for axis in ["z", "t"] {
        if let Some(at) = geometry["plane"][axis].as_i64().filter(|at| *at > 0) {
            return Err(format!("lies in plane {axis} = {at} of a stack, not in this image"));
        }
    }
    let unreadable = || format!("a {kind} that cannot be read");
    let point = |p: &Value| Some((p[0].as_f64()?, p[1].as_f64()?));
    let ring = |ring: &Value| {
        let corners = ring.as_array()?.iter().map(point).collect::<Option<Vec<_>>>()?;
        (corners.len() >= 3).then_some(corners)
    };
    // The rings after the first are holes.
    let polygon = |p: &Value| p.as_array()?.iter().map(ring).collect::<Option<Vec<_>>>().map(Area::Rings);
    let coordinates = &geometry["coordinates"];
    match kind {
        "Polygon" => Ok(vec![polygon(coordinates).ok_or_else(unreadable)?]),
        "MultiPolygon" => {
            let parts = coordinates.as_array().ok_or_else(unreadable)?;
            parts.iter().map(polygon).collect::<Option<_>>().ok_or_else(unreadable)
        }
        "GeometryCollection" => {
            let parts = geometry["geometries"].as_array().ok_or_else(unreadable)?;
            Ok(parts.iter().map(areas).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        }
        "Point" | "MultiPoint" | "LineString" | "MultiLineString" => Ok(Vec::new()),
        _ => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SQUARE: &str = "[[[1,1],[4,1],[4,4],[1,4],[1,1]]]";

    fn geometry(kind: &str, coordinates: &str) -> Value {
        json!({"type": kind, "coordinates": serde_json::from_str::<Value>(coordinates).unwrap()})
    }

    #[test]
    fn every_frame_around_a_feature() {
        let feature = json!({"type": "Feature", "geometry": geometry("Polygon", SQUARE), "properties": {}});
        for (value, count) in [
            (feature.clone(), 1),
            (json!([feature]), 1),
            (json!({"type": "FeatureCollection", "features": [feature, feature]}), 2),
            (json!([{"type": "FeatureCollection", "features": [feature]}, feature]), 2),
            (geometry("Polygon", SQUARE), 1),
            (json!({"type": "FeatureCollection", "features": []}), 0),
        ] {
            let mut features = Vec::new();
            assert!(collect(&value, &mut features), "{value}");
            assert_eq!(features.len(), count, "{value}");
        }
        for value in [json!({}), json!({"name": "x"}), json!([1, 2]), json!("a"), json!({"type": "Topology"})]
        {
            assert!(!is_geojson(&value), "{value}");
        }
    }

    #[test]
    fn every_geometry() {
        let two = "[[[[1,1],[4,1],[4,4]]],[[[6,1],[9,1],[9,4]],[[7,2],[8,2],[8,3]]]]";
        let collection = json!({"type": "GeometryCollection", "geometries": [
            geometry("Polygon", SQUARE), geometry("MultiPolygon", two), geometry("Point", "[1,2]")]});
        for (value, count) in [
            (geometry("Polygon", SQUARE), 1),
            (geometry("MultiPolygon", two), 2),
            (collection, 3),
            (geometry("LineString", "[[1,1],[2,2]]"), 0),
            (geometry("MultiPoint", "[[1,1],[2,2]]"), 0),
        ] {
            assert_eq!(areas(&value).unwrap().len(), count, "{value}");
        }
        let Area::Rings(rings) = &areas(&geometry("MultiPolygon", two)).unwrap()[1] else { panic!() };
        assert_eq!(rings.len(), 2, "a hole");
        let mut planed = geometry("Polygon", SQUARE);
        planed["plane"] = json!({"c": -1, "z": 0, "t": 0});
        assert!(areas(&planed).is_ok());
        planed["plane"]["z"] = json!(3);
        assert!(areas(&planed).unwrap_err().contains("z = 3"));
        for value in [
            Value::Null,
            geometry("Circle", "[1,2]"),
            geometry("Polygon", "[[[1,1],[2,2]]]"),
            geometry("Polygon", "3"),
        ] {
            assert!(areas(&value).unwrap_err().contains("cannot be read"), "{value}");
        }
    }

    #[test]
    fn every_class() {
        let name = |classification: Value| match class_name(&json!({"classification": classification})) {
            Ok(Class::Of(name)) => name,
            Ok(Class::Region(what)) => format!("region: {what}"),
            Err(what) => format!("error: {what}"),
        };
        assert_eq!(name(Value::Null), "");
        assert_eq!(name(json!("carbide")), "carbide");
        assert_eq!(name(json!({"name": "carbide", "colorRGB": -1})), "carbide");
        assert_eq!(name(json!({"names": ["carbide"]})), "carbide");
        assert_eq!(name(json!({"names": ["carbide", "coarse"]})), "carbide: coarse");
        assert_eq!(name(json!({"name": "a: b", "names": ["a", "b"]})), "a: b");
        assert_eq!(name(json!({"name": null})), "");
        assert!(name(json!({"name": "Region*"})).starts_with("region"));
        for bad in [
            json!({"name": "a", "names": ["b"]}),
            json!({"names": "a"}),
            json!({"names": [1]}),
            json!(7),
            json!({"name": 7}),
        ] {
            assert!(name(bad.clone()).starts_with("error"), "{bad}");
        }
    }
}
