//! ImageJ's regions of interest: `a.roi`, `a.zip`, `a-RoiSet.zip` or `RoiSet_a.zip` beside `a.tif`. Layout after
//! `ij.io.RoiDecoder`.

use super::shapes::{Area, Shape};
use super::{Drawing, Imported, Source, bytes, files, image_of_stem, stem};
use crate::problem::{DataError, Problem};
use std::io::{Cursor, Read as _};
use std::path::Path;

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let mut drawing = Drawing::new(source);
    let class = drawing.class(source.class);
    let folders: Vec<&Path> = source.images.into_iter().chain([source.path]).collect();
    for file in files(source.path, &["roi", "zip"]) {
        let name = stem(&file);
        let words = ["-RoiSet", "_RoiSet", "RoiSet-", "RoiSet_", "_rois", "-rois"];
        let bare = words
            .iter()
            .fold(name.as_str(), |n, w| n.strip_suffix(w).or_else(|| n.strip_prefix(w)).unwrap_or(n));
        let found =
            [name.as_str(), bare].iter().find_map(|n| folders.iter().find_map(|f| image_of_stem(f, n)));
        let Some(image) = found else {
            drawing.problems.push(Problem::new(&file, "no image has this name; give --images"));
            continue;
        };
        let (mut shapes, mut whole) = (Vec::new(), true);
        let read = each_region(&file, &mut |entry, content| match area(content) {
            Ok(Some(area)) => shapes.push(Shape { class, area }),
            Ok(None) => {
                let what = format!("region `{entry}` is a line or points, without area, and is passed over");
                drawing.remarks.push(Problem::new(&file, what));
            }
            Err(what) => {
                whole = false;
                drawing.refuse(&file, format!("region `{entry}` {what}"));
            }
        });
        match read {
            Ok(()) if whole => drawing.add(&file, image, None, &shapes),
            Ok(()) => {}
            Err(problem) => drawing.problems.push(problem),
        }
    }
    Ok(drawing.finish())
}

/// Most regions that are read from an archive, and most bytes of one region and of all.
const MAX_REGIONS: usize = 200_000;
const MAX_REGION_BYTES: u64 = 1 << 26;
const MAX_TOTAL_BYTES: u64 = 1 << 30;

/// Gives each region with its name to `each`. An archive is read in memory, a region at a time, and nothing of it is
/// ever written under its own names.
fn each_region(file: &Path, each: &mut dyn FnMut(&str, &[u8])) -> Result<(), Problem> {
    let content = bytes(file)?;
    if file.extension().is_some_and(|e| e.eq_ignore_ascii_case("roi")) {
        each(&stem(file), &content);
        return Ok(());
    }
    let damaged =
        |e: &dyn std::fmt::Display| Problem::new(file, format!("is no archive that can be read ({e})"));
    let mut archive = zip::ZipArchive::new(Cursor::new(content)).map_err(|e| damaged(&e))?;
    if archive.len() > MAX_REGIONS {
        return Err(damaged(&format!("{} entries", archive.len())));
    }
    let mut total = 0;
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(|e| damaged(&e))?;
        let name = entry.name().map_err(|e| damaged(&e))?.into_owned();
        if !name.ends_with(".roi") {
            continue;
        }
        let mut content = Vec::new();
        entry.take(MAX_REGION_BYTES + 1).read_to_end(&mut content).map_err(|e| damaged(&e))?;
        total += content.len() as u64;
        if content.len() as u64 > MAX_REGION_BYTES || total > MAX_TOTAL_BYTES {
            return Err(damaged(&"its regions are larger than any should be"));
        }
        each(&name, &content);
    }
    Ok(())
}

/// The area of a region; `None` for lines and points.
fn area(roi: &[u8]) -> Result<Option<Area>, &'static str> {
    const CUT: &str = "is cut short";
    let short = |at: usize| roi.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]])).ok_or(CUT);
    let signed = |at: usize| short(at).map(|v| f64::from(v as i16));
    let long =
        |at: usize| roi.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]])).ok_or(CUT);
    let float = |at: usize| long(at).map(|v| f64::from(f32::from_bits(v)));
    if !roi.starts_with(b"Iout") {
        return Err("is no region of ImageJ");
    }
    let (kind, version, options) = (*roi.get(6).ok_or(CUT)?, short(4)?, short(50)?);
    let (top, left, bottom, right) = (signed(8)?, signed(10)?, signed(12)?, signed(14)?);
    const SUB_PIXEL: u16 = 128;
    let fine = options & SUB_PIXEL != 0 && version >= 222;
    let segments = long(36)? as usize;
    if segments > 0 {
        return composite(segments, &float).map(Some);
    }
    match kind {
        // Rectangle and oval; with sub-pixel accuracy their box stands in floating point.
        1 | 2 => {
            let (x, y, w, h) = if fine && version >= 223 {
                (float(18)?, float(22)?, float(26)?, float(30)?)
            } else {
                (left, top, right - left, bottom - top)
            };
            Ok(Some(if kind == 2 {
                Area::ellipse((x, y), (w, h))
            } else {
                Area::polygon(vec![(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
            }))
        }
        // Polygon, freehand, traced.
        0 | 7 | 8 => {
            let n = match short(16)? {
                0 => long(18)? as usize,
                n => usize::from(n),
            };
            if n > roi.len() {
                return Err(CUT);
            }
            let corner = |i: usize| {
                if fine {
                    let base = 64 + 4 * n;
                    return Ok((float(base + 4 * i)?, float(base + 4 * n + 4 * i)?));
                }
                Ok((left + f64::from(short(64 + 2 * i)?), top + f64::from(short(64 + 2 * n + 2 * i)?)))
            };
            let ring: Result<Vec<_>, &'static str> = (0..n).map(corner).collect();
            Ok(Some(Area::polygon(ring?)))
        }
        // Line, open line, freehand line, angle, points.
        3..=6 | 9 | 10 => Ok(None),
        _ => {
            Err("has no area (only rectangles, ovals, polygons, freehand, traced and composite regions have)")
        }
    }
}

/// Segments of a shape: 0 x y begins a ring, 1 x y goes on, 4 closes.
fn composite(count: usize, float: &dyn Fn(usize) -> Result<f64, &'static str>) -> Result<Area, &'static str> {
    let (mut rings, mut ring, mut i) = (Vec::new(), Vec::new(), 0);
    let number = |i: usize| float(64 + 4 * i);
    while i < count {
        match number(i)? as u32 {
            0 | 1 => {
                if number(i)? == 0.0 && !ring.is_empty() {
                    rings.push(std::mem::take(&mut ring));
                }
                ring.push((number(i + 1)?, number(i + 2)?));
                i += 3;
            }
            4 => {
                rings.push(std::mem::take(&mut ring));
                i += 1;
            }
            _ => return Err("has curved sides; flatten it in ImageJ (Edit > Selection > Interpolate)"),
        }
    }
    if !ring.is_empty() {
        rings.push(ring);
    }
    Ok(Area::Rings(rings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_regions_are_refused() {
        let mut square = vec![0u8; 64];
        square[..4].copy_from_slice(b"Iout");
        square[5] = 227;
        square[6] = 1;
        square[8..16].copy_from_slice(&[0, 20, 0, 10, 0, 22, 0, 13]);
        let Ok(Some(Area::Rings(rings))) = area(&square) else { panic!() };
        assert_eq!(rings, [[(10.0, 20.0), (13.0, 20.0), (13.0, 22.0), (10.0, 22.0)]]);
        for cut in 0..52 {
            assert!(area(&square[..cut]).is_err(), "{cut}");
        }
        square[6] = 0;
        square[16..18].copy_from_slice(&[255, 255]);
        assert_eq!(area(&square).unwrap_err(), "is cut short");
        square[6] = 3;
        assert_eq!(area(&square), Ok(None));
    }
}
