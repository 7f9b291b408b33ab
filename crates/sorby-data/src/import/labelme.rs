//! LabelMe: a JSON file beside each image.

use super::shapes::{Area, Shape};
use super::{Drawing, Imported, Source, files, image_called, json, stem};
use crate::problem::{DataError, Problem};
use serde_json::Value;

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let mut drawing = Drawing::new(source);
    for file in files(source.path, &["json"]) {
        let value = match json(&file) {
            Ok(value) => value,
            Err(problem) => {
                drawing.problems.push(problem);
                continue;
            }
        };
        let Some(list) = value["shapes"].as_array() else {
            drawing.problems.push(Problem::new(&file, "is no file of LabelMe (it has no shapes)"));
            continue;
        };
        let folders: Vec<_> = source.images.into_iter().chain([source.path]).collect();
        let called = value["imagePath"].as_str().and_then(|name| image_called(name, &folders));
        let Some(image) = called.or_else(|| image_called(&format!("{}.png", stem(&file)), &folders)) else {
            let what =
                "its image is not found beside it; give --images (a picture inside the file is not used)";
            drawing.problems.push(Problem::new(&file, what));
            continue;
        };
        let size =
            (|| Some((value["imageWidth"].as_u64()? as usize, value["imageHeight"].as_u64()? as usize)))();
        let (mut shapes, mut whole) = (Vec::new(), true);
        for (i, shape) in list.iter().enumerate() {
            let kind = shape["shape_type"].as_str().unwrap_or("polygon");
            if ["line", "linestrip", "point", "points"].contains(&kind) {
                let what = format!("shape {}: a {kind} has no area and is passed over", i + 1);
                drawing.remarks.push(Problem::new(&file, what));
                continue;
            }
            match area(kind, shape) {
                Ok(area) => {
                    let class = drawing.class(shape["label"].as_str().unwrap_or_default());
                    shapes.push(Shape { class, area });
                }
                Err(what) => {
                    whole = false;
                    drawing.refuse(&file, format!("shape {}: {what}", i + 1));
                }
            }
        }
        if whole {
            drawing.add(&file, image, size, &shapes);
        }
    }
    Ok(drawing.finish())
}

fn area(kind: &str, shape: &Value) -> Result<Area, String> {
    let point = |p: &Value| Some((p[0].as_f64()?, p[1].as_f64()?));
    let points: Option<Vec<_>> = shape["points"].as_array().and_then(|l| l.iter().map(point).collect());
    let points = points.ok_or("has corners that are no numbers")?;
    match (kind, &points[..]) {
        ("polygon", [_, _, _, ..]) => Ok(Area::polygon(points)),
        ("rectangle", &[(ax, ay), (bx, by)]) => {
            Ok(Area::polygon(vec![(ax, ay), (bx, ay), (bx, by), (ax, by)]))
        }
        // Centre, and a point on the circle.
        ("circle", &[(cx, cy), (x, y)]) => {
            let r = (x - cx).hypot(y - cy);
            Ok(Area::ellipse((cx - r, cy - r), (2.0 * r, 2.0 * r)))
        }
        ("polygon" | "rectangle" | "circle", _) => Err(format!("a {kind} of {} points", points.len())),
        _ => Err(format!("a {kind} is not read; only polygons, rectangles and circles are")),
    }
}
