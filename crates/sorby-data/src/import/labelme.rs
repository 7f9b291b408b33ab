//! LabelMe (also X-AnyLabeling and Labelme's other heirs): a JSON file next to each image.

use super::pictures::Found;
use super::shapes::{Area, Shape};
use super::source_files::{files_below, folder_of, json, place, stem, whole};
use super::{Drawing, Imported, Source};
use crate::problem::DataError;
use base64::Engine as _;
use serde_json::Value;
use std::path::{Path, PathBuf};

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let mut drawing = Drawing::new(source);
    for file in files_below(source.path, &["json"]) {
        let value = match json(&file) {
            Ok(value) => value,
            Err(problem) => {
                drawing.problems.push(problem);
                continue;
            }
        };
        let Some(list) = value["shapes"].as_array() else {
            drawing.problem(&file, "is no file of LabelMe (it has no shapes)");
            continue;
        };
        let image = match image(&drawing, &file, &value) {
            Ok(image) => image,
            Err(what) => {
                drawing.problem(&file, what);
                continue;
            }
        };
        let size =
            (|| Some((whole(&value["imageWidth"])? as usize, whole(&value["imageHeight"])? as usize)))();
        let (mut shapes, mut complete, mut groups) = (Vec::new(), true, Vec::new());
        for (i, shape) in list.iter().enumerate() {
            let kind = shape["shape_type"].as_str().filter(|kind| !kind.is_empty()).unwrap_or("polygon");
            if ["line", "linestrip", "point", "points"].contains(&kind) {
                drawing.remark(&file, format!("shape {}: a {kind} has no area and is passed over", i + 1));
                continue;
            }
            match label(shape).and_then(|label| Ok((label, area(kind, shape)?))) {
                Ok((label, area)) => {
                    let class = drawing.class(&label);
                    let object = object(&mut groups, class, &shape["group_id"], list.len() + i);
                    shapes.push(Shape { class, object, area });
                }
                Err(what) => {
                    complete = false;
                    drawing.refuse(&file, format!("shape {}: {what}", i + 1));
                }
            }
        }
        if complete {
            drawing.add(&file, image, size, &shapes, None);
        }
    }
    Ok(drawing.finish())
}

/// The image that the file names, or else the one of its own name; where these are two, it cannot be known which is
/// meant, as files are renamed without what stands in them.
fn image(drawing: &Drawing, file: &Path, value: &Value) -> Result<PathBuf, String> {
    let beside = place(folder_of(drawing.source.path), file);
    let own = drawing.pictures.of_stem(&stem(file), &beside, file);
    let path = |found: Found| found.path.to_owned();
    let Some(name) = value["imagePath"].as_str().filter(|name| !name.trim().is_empty()) else {
        return own.map(path).map_err(|what| format!("its image {what}"));
    };
    match (drawing.pictures.called(name, Some(&beside)), own) {
        (Ok(named), Ok(own)) if named.path != own.path && stem(named.path) != stem(own.path) => Err(format!(
            "names the image {}, but {} has its own name; leave one of them, or put right `imagePath`",
            named.path.display(),
            own.path.display()
        )),
        (Ok(found), _) | (Err(_), Ok(found)) => Ok(path(found)),
        (Err(what), Err(_)) => {
            let inside =
                if value["imageData"].is_string() { " (a picture inside the file is not used)" } else { "" };
            Err(format!("its image `{name}` {what}{inside}"))
        }
    }
}

/// Number of a shape's object: shapes of one class with the same `group_id` are its parts, others have their `own`.
fn object(groups: &mut Vec<(usize, Value)>, class: usize, group: &Value, own: usize) -> usize {
    if group.is_null() {
        return own;
    }
    let group = (class, group.clone());
    groups.iter().position(|known| *known == group).unwrap_or_else(|| {
        groups.push(group);
        groups.len() - 1
    })
}

fn label(shape: &Value) -> Result<String, String> {
    match &shape["label"] {
        Value::String(label) => Ok(label.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Ok(String::new()),
        _ => Err("has a label that is no text".to_owned()),
    }
}

fn area(kind: &str, shape: &Value) -> Result<Area, String> {
    let point = |p: &Value| Some((p[0].as_f64()?, p[1].as_f64()?));
    let points: Option<Vec<_>> = shape["points"].as_array().and_then(|l| l.iter().map(point).collect());
    let points = points.ok_or("has corners that are no numbers")?;
    let minus = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0, a.1 - b.1);
    let wrong = || format!("a {kind} of {} points", points.len());
    match (kind, &points[..]) {
        ("polygon", [_, _, _, ..]) => Ok(Area::polygon(points)),
        ("rectangle", &[(ax, ay), (bx, by)]) => {
            Ok(Area::polygon(vec![(ax, ay), (bx, ay), (bx, by), (ax, by)]))
        }
        // X-AnyLabeling names the corners, in any order.
        (
            "rectangle" | "rotation" | "rotated_rectangle" | "oriented_rectangle" | "quadrilateral",
            [_, _, _, _],
        ) => Area::four_corners(&points)
            .ok_or_else(|| format!("a {kind} whose corners are none of a rectangle")),
        // Centre, and a point on the circle.
        ("circle", &[(cx, cy), (x, y)]) => {
            let r = (x - cx).hypot(y - cy);
            Ok(Area::ellipse((cx - r, cy - r), (2.0 * r, 2.0 * r)))
        }
        // Centre, and the ends of two half-axes.
        ("ellipse", &[centre, a, b]) => {
            let (u, v) = (minus(a, centre), minus(b, centre));
            let (across, long) = ((u.0 * v.0 + u.1 * v.1).abs(), u.0.hypot(u.1) * v.0.hypot(v.1));
            if across > 0.02 * long {
                return Err("an ellipse whose axes are at no right angle".to_owned());
            }
            Ok(Area::ellipse_of_axes(centre, u, v))
        }
        // Two opposite corners of the box around it.
        ("ellipse", &[(ax, ay), (bx, by)]) => {
            Ok(Area::ellipse((ax.min(bx), ay.min(by)), ((ax - bx).abs(), (ay - by).abs())))
        }
        ("mask", &[first, last]) => mask(&shape["mask"], first, last),
        (
            "polygon" | "rectangle" | "circle" | "ellipse" | "mask" | "rotation" | "rotated_rectangle"
            | "oriented_rectangle" | "quadrilateral",
            _,
        ) => Err(wrong()),
        _ => Err(format!(
            "a {kind} is not read; polygons, rectangles (also rotated), circles, ellipses and masks are"
        )),
    }
}

/// Largest edge of a mask.
const MAX_EDGE: u32 = 1 << 16;

/// A PNG in text, from the pixel `first` to the pixel `last`, both of them in it.
fn mask(text: &Value, first: (f64, f64), last: (f64, f64)) -> Result<Area, String> {
    let text = text.as_str().ok_or("a mask without its picture")?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text.trim())
        .map_err(|_| "a mask whose picture is no base64 text")?;
    let mut reader = image::ImageReader::new(std::io::Cursor::new(bytes));
    reader.set_format(image::ImageFormat::Png);
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_EDGE);
    limits.max_image_height = Some(MAX_EDGE);
    reader.limits(limits);
    let picture = reader.decode().map_err(|_| "a mask whose picture is no PNG that can be read")?;
    let (width, height) = (picture.width(), picture.height());
    let (left, top) = (first.0.trunc() as i64, first.1.trunc() as i64);
    let box_size = (last.0.trunc() - left as f64 + 1.0, last.1.trunc() - top as f64 + 1.0);
    if box_size != (f64::from(width), f64::from(height)) {
        return Err(format!("a mask of {width}x{height} pixels in a box of {}x{}", box_size.0, box_size.1));
    }
    let inside = picture.to_luma8().into_raw().into_iter().map(|v| v > 0).collect();
    Ok(Area::Pixels { left, top, width: width as usize, inside })
}

#[cfg(test)]
mod tests {
    use super::super::shapes::draw;
    use super::*;
    use serde_json::json;

    /// Pixels of a shape in an image of 60 x 50, and the rows and columns of the box around them.
    fn drawn(kind: &str, shape: &Value) -> Result<(usize, [usize; 4]), String> {
        let (map, _) = draw((60, 50), &[Shape { class: 1, object: 0, area: area(kind, shape)? }]);
        let at: Vec<(usize, usize)> =
            (0..map.labels.len()).filter(|i| map.labels[*i] == 1).map(|i| (i % 60, i / 60)).collect();
        let range = |of: fn(&(usize, usize)) -> usize| {
            (at.iter().map(of).min().unwrap_or(0), at.iter().map(of).max().unwrap_or(0) + 1)
        };
        let ((left, right), (top, bottom)) = (range(|p| p.0), range(|p| p.1));
        Ok((at.len(), [left, top, right, bottom]))
    }

    #[test]
    fn every_shape_has_its_pixels() {
        let points = |p: &str| json!({"points": serde_json::from_str::<Value>(p).unwrap()});
        for (kind, corners, pixels, bounds) in [
            ("polygon", "[[20,20],[40,20],[40,40],[20,40]]", 400, [20, 20, 40, 40]),
            ("rectangle", "[[40,40],[20,20]]", 400, [20, 20, 40, 40]),
            ("rectangle", "[[20,20],[40,20],[40,40],[20,40]]", 400, [20, 20, 40, 40]),
            ("rectangle", "[[20,20],[40,40],[40,20],[20,40]]", 400, [20, 20, 40, 40]),
            ("rotation", "[[30,10],[45,25],[30,40],[15,25]]", 450, [15, 10, 44, 40]),
            ("ellipse", "[[30,20],[40,20],[30,25]]", 160, [20, 15, 40, 25]),
            ("ellipse", "[[20,15],[40,25]]", 160, [20, 15, 40, 25]),
            ("circle", "[[30,20],[40,20]]", 316, [20, 10, 40, 30]),
        ] {
            assert_eq!(drawn(kind, &points(corners)).unwrap(), (pixels, bounds), "{kind} {corners}");
        }
        for (kind, corners, word) in [
            ("polygon", "[[1,1],[2,2]]", "2 points"),
            ("rectangle", "[[1,1],[2,2],[3,3]]", "3 points"),
            ("rotation", "[[1,1],[2,2],[3,3],[4,4]]", "none of a rectangle"),
            ("ellipse", "[[30,20],[40,20],[36,25]]", "right angle"),
            ("cuboid", "[[1,1],[2,2]]", "not read"),
            ("mask", "[[1,1],[2,2]]", "without its picture"),
            ("circle", "[[1,null],[2,2]]", "no numbers"),
        ] {
            let error = drawn(kind, &points(corners)).unwrap_err();
            assert!(error.contains(word), "{kind}: {error}");
        }
    }

    #[test]
    fn masks_lie_where_their_box_says() {
        let picture =
            image::GrayImage::from_fn(4, 3, |x, y| image::Luma([if x == 3 || y == 0 { 255 } else { 0 }]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        let text = base64::engine::general_purpose::STANDARD.encode(bytes.get_ref());
        let shape = |points: Value| json!({"points": points, "mask": text});
        assert_eq!(
            drawn("mask", &shape(json!([[10.7, 20.2], [13.9, 22.0]]))).unwrap(),
            (6, [10, 20, 14, 23])
        );
        // Partly outside: what is inside stays.
        assert_eq!(drawn("mask", &shape(json!([[-1, -2], [2, 0]]))).unwrap(), (1, [2, 0, 3, 1]));
        assert!(drawn("mask", &shape(json!([[10, 20], [14, 22]]))).unwrap_err().contains("box of 5x3"));
        for bad in ["?", "iVBORw0K", ""] {
            assert!(drawn("mask", &json!({"points": [[0, 0], [1, 1]], "mask": bad})).is_err(), "{bad}");
        }
    }
}
