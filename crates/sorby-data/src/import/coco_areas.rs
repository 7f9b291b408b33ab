//! COCO's areas: polygons, and run lengths down the columns.

use super::shapes::Area;
use super::source_files::whole;
use serde_json::Value;

/// Rings that are listed together make up one object, but each is full: COCO knows no holes in polygons.
///
/// # Errors
/// Says what is wrong with them.
pub(super) fn areas(segmentation: &Value, size: Option<(usize, usize)>) -> Result<Vec<Area>, &'static str> {
    match segmentation {
        Value::Array(list) if list.is_empty() => Err("is a box without an outline"),
        Value::Array(list) => polygons(list),
        Value::Object(_) => run_lengths(segmentation, size).map(|area| vec![area]),
        _ => Err("has no polygon and no run lengths"),
    }
}

/// Rings as COCO has them, x y x y ...; also the only ring without the list around it, and corners as pairs.
fn polygons(list: &[Value]) -> Result<Vec<Area>, &'static str> {
    const WRONG: &str = "has a polygon of fewer than three corners, or of no numbers";
    let numbers = |list: &[Value]| list.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>();
    let pairs = |list: &[Value]| {
        let pair = |p: &Value| p.as_array().filter(|p| p.len() == 2).and_then(|p| numbers(p));
        list.iter().map(pair).collect::<Option<Vec<_>>>().map(|pairs| pairs.concat())
    };
    let ring = |numbers: Vec<f64>| {
        if numbers.len() % 2 == 1 {
            return Err("has a polygon of an odd count of numbers");
        }
        let corners: Vec<(f64, f64)> = numbers.chunks_exact(2).map(|p| (p[0], p[1])).collect();
        if corners.len() < 3 { Err(WRONG) } else { Ok(Area::polygon(corners)) }
    };
    if let Some(flat) = numbers(list).or_else(|| pairs(list)) {
        return Ok(vec![ring(flat)?]);
    }
    let of = |inner: &Value| {
        let inner = inner.as_array().ok_or(WRONG)?;
        ring(numbers(inner).or_else(|| pairs(inner)).ok_or(WRONG)?)
    };
    list.iter().map(of).collect()
}

fn run_lengths(segmentation: &Value, size: Option<(usize, usize)>) -> Result<Area, &'static str> {
    let declared = &segmentation["size"];
    let (height, width) = match (whole(&declared[0]), whole(&declared[1])) {
        (Some(h), Some(w)) => (h, w),
        _ => return Err("has no polygon and no run lengths"),
    };
    if size.is_some_and(|s| s != (width as usize, height as usize)) {
        return Err("has run lengths of another size than its image");
    }
    let counts = match &segmentation["counts"] {
        Value::String(text) => unpack(text.as_bytes()).ok_or("has damaged run lengths")?,
        Value::Array(list) => {
            list.iter().map(whole).collect::<Option<Vec<_>>>().ok_or("has damaged run lengths")?
        }
        _ => return Err("has no run lengths"),
    };
    let total = counts.iter().try_fold(0u64, |sum, n| sum.checked_add(*n));
    let area = height.checked_mul(width).filter(|a| *a <= 1 << 32);
    match (total, area) {
        (Some(total), Some(area)) if total == area => {}
        (Some(total), Some(area)) if total < area => return Err("has run lengths that end before its image"),
        _ => return Err("has run lengths beyond its image"),
    }
    let (mut runs, mut at) = (Vec::new(), 0);
    for (i, count) in counts.into_iter().enumerate() {
        if i % 2 == 1 {
            runs.push((at, count));
        }
        at += count;
    }
    Ok(Area::Columns { height, runs })
}

/// COCO's packed run lengths: five bits to a character from `0` on, the sixth says that more follow; from the third
/// number on, differences to the last but one.
fn unpack(text: &[u8]) -> Option<Vec<u64>> {
    let mut counts: Vec<i64> = Vec::new();
    let mut bytes = text.iter();
    while let Some(first) = bytes.next() {
        let (mut value, mut shift, mut byte) = (0i64, 0, first.checked_sub(48)?);
        loop {
            value |= i64::from(byte & 0x1f) << shift;
            shift += 5;
            if byte & 0x20 == 0 {
                break;
            }
            if shift > 50 {
                return None;
            }
            byte = bytes.next()?.checked_sub(48)?;
        }
        if byte & 0x10 != 0 {
            value |= -1 << shift;
        }
        if counts.len() > 2 {
            value = value.checked_add(counts[counts.len() - 2])?;
        }
        counts.push(value);
    }
    counts.into_iter().map(|c| u64::try_from(c).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::shapes::Shape;
    use serde_json::json;

    #[test]
    fn run_lengths_go_down_the_columns() {
        let Ok(found) = areas(&json!({"size": [3, 4], "counts": [2, 3, 7]}), Some((4, 3))) else { panic!() };
        assert_eq!(found, [Area::Columns { height: 3, runs: vec![(2, 3)] }]);
        // 3 rows, 4 columns: from (0, 2) down and on to (1, 0), (1, 1).
        let shape = Shape { class: 1, object: 0, area: found.into_iter().next().unwrap() };
        let (map, told) = super::super::shapes::draw((4, 3), &[shape]);
        assert_eq!((map.labels, told.len()), (vec![0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0], 0));
        assert!(areas(&json!({"size": [3, 4], "counts": [2, 11]}), None).is_err());
        assert!(areas(&json!({"size": [3, 4], "counts": [2, 1]}), Some((3, 4))).is_err());
        assert!(areas(&json!({"size": [1u64 << 40, 1u64 << 40], "counts": [1]}), None).is_err());
    }

    #[test]
    fn packed_run_lengths_are_pycocotools() {
        // pycocotools.mask.encode of a 10 x 10 mask with rows 2 to 5 of columns 3 to 5 and columns 1 to 8 of row 7.
        let plain = [17, 1, 9, 1, 4, 4, 1, 1, 4, 4, 1, 1, 4, 4, 1, 1, 9, 1, 9, 1, 9, 1, 12];
        assert_eq!(unpack(b"a0190K3MM33MM33MM8000003").unwrap(), plain);
        // By the definition: 5, 40 and 3 with 3 - 0 as it is the third; the fourth is a difference to the second.
        let pack = |v: i64| char::from(48 + (v & 0x1f) as u8);
        let text: String = [5, 9, 3, 2].map(pack).into_iter().collect();
        assert_eq!(unpack(text.as_bytes()), Some(vec![5, 9, 3, 11]));
        assert_eq!(unpack(b"\x01"), None);
        assert_eq!(unpack(b"PPPPPPPPPPPPPPPPPPPPP"), None);
    }

    #[test]
    fn polygons_in_every_nesting() {
        let square = vec![(20.0, 20.0), (40.0, 20.0), (40.0, 40.0)];
        for (text, count) in [
            ("[[20,20,40,20,40,40]]", 1),
            ("[20,20,40,20,40,40]", 1),
            ("[[20,20],[40,20],[40,40]]", 1),
            ("[[[20,20],[40,20],[40,40]]]", 1),
            ("[[20,20,40,20,40,40],[20,20,40,20,40,40]]", 2),
        ] {
            let found = areas(&serde_json::from_str(text).unwrap(), None).unwrap();
            assert_eq!(found, vec![Area::polygon(square.clone()); count], "{text}");
        }
        for (text, word) in [
            ("[]", "box"),
            ("[[1,2,3,4]]", "three corners"),
            ("[[1,2,3,4,5]]", "odd"),
            ("[[1,2,3,4,5,6],[]]", "three corners"),
            ("[[1,2,3,4,5,null]]", "no numbers"),
            ("null", "no polygon"),
            ("{}", "no polygon"),
            ("[{\"x\":1}]", "no numbers"),
        ] {
            let error = areas(&serde_json::from_str(text).unwrap(), None).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
