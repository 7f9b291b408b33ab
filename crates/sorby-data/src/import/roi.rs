//! One region of interest, laid out after `ij.io.RoiDecoder`: a header of 64 bytes, big-endian, then coordinates, then
//! a second header.

use super::outline::curve;
use super::shapes::Area;

pub(super) enum Region {
    Area {
        area: Area,
        group: u8,
    },
    /// Says what it is instead.
    NoArea(&'static str),
}

const CUT: &str = "is cut short";

/// Fields by their offset.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn byte(&self, at: usize) -> Result<u8, String> {
        self.0.get(at).copied().ok_or_else(|| CUT.to_owned())
    }

    fn short(&self, at: usize) -> Result<u16, String> {
        Ok(u16::from_be_bytes([self.byte(at)?, self.byte(at + 1)?]))
    }

    /// A place in pixels: negative ones are near zero, so what would be far below is far above.
    fn place(&self, at: usize) -> Result<f64, String> {
        let value = self.short(at)?;
        Ok(if (value as i16) < -5000 { f64::from(value) } else { f64::from(value as i16) })
    }

    fn long(&self, at: usize) -> Result<u32, String> {
        Ok(u32::from(self.short(at)?) << 16 | u32::from(self.short(at + 2)?))
    }

    fn float(&self, at: usize) -> Result<f64, String> {
        Ok(f64::from(f32::from_bits(self.long(at)?)))
    }

    fn point(&self, at: usize) -> Result<(f64, f64), String> {
        Ok((self.float(at)?, self.float(at + 4)?))
    }
}

const SPLINE_FIT: u16 = 1;
const SUB_PIXEL: u16 = 128;
/// Subtypes of rectangles and freehand regions.
const TEXT: u16 = 1;
const ARROW: u16 = 2;
const ELLIPSE: u16 = 3;
const IMAGE: u16 = 4;
const ROTATED_RECTANGLE: u16 = 5;

/// Reads a region.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn region(roi: &[u8]) -> Result<Region, String> {
    let fields = Fields(roi);
    if !roi.starts_with(b"Iout") {
        return Err("is no region of ImageJ".to_owned());
    }
    let (version, kind) = (fields.short(4)?, fields.byte(6)?);
    let options = fields.short(50)?;
    let subtype = if version >= 218 { fields.short(48)? } else { 0 };
    let group = group_of_plane(&fields, version)?;
    let fine = options & SUB_PIXEL != 0 && version >= 222;
    let segments = fields.long(36)? as usize;
    let area = match (kind, subtype) {
        _ if segments > 0 => composite(segments, &fields)?,
        (_, TEXT) => return Ok(Region::NoArea("a text")),
        (_, IMAGE) => return Ok(Region::NoArea("a picture laid over")),
        (_, ARROW) => return Ok(Region::NoArea("an arrow")),
        (7, ELLIPSE) => {
            let (a, b, ratio) = (fields.point(18)?, fields.point(26)?, fields.float(52)?);
            let (u, centre) =
                (((b.0 - a.0) / 2.0, (b.1 - a.1) / 2.0), ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0));
            Area::ellipse_of_axes(centre, u, (-u.1 * ratio, u.0 * ratio))
        }
        (7, ROTATED_RECTANGLE) => {
            Area::rectangle_along(fields.point(18)?, fields.point(26)?, fields.float(52)?)
        }
        (1 | 2, _) => boxed(kind, fine && version >= 223, version, &fields)?,
        (0 | 7 | 8, _) if options & SPLINE_FIT != 0 => {
            return Err(
                "has curved sides (spline); flatten it in ImageJ (Edit > Selection > Interpolate)".to_owned()
            );
        }
        (0 | 7 | 8, _) => polygon(fine, &fields)?,
        (3, _) => return Ok(Region::NoArea("a line")),
        (4 | 5, _) => return Ok(Region::NoArea("an open line")),
        (6, _) => return Ok(Region::NoArea("no selection")),
        (9, _) => return Ok(Region::NoArea("an angle")),
        (10, _) => return Ok(Region::NoArea("points")),
        _ => return Err(format!("is of type {kind}, which is not known")),
    };
    let finite = |p: &(f64, f64)| p.0.is_finite() && p.1.is_finite();
    match &area {
        Area::Rings(rings) if !rings.iter().flatten().all(finite) => {
            Err("has corners that are no numbers".to_owned())
        }
        _ => Ok(Region::Area { area, group }),
    }
}

/// The region's group.
///
/// # Errors
/// When it lies in a later plane of a stack: the image is a single one.
fn group_of_plane(fields: &Fields, version: u16) -> Result<u8, String> {
    let beyond = |what: &str, at: u32| Err(format!("lies in {what} {at} of a stack, not in this image"));
    let position = if version >= 218 { fields.long(56).unwrap_or(0) } else { 0 };
    // Negative ones stand for none.
    if (2..1 << 31).contains(&position) {
        return beyond("slice", position);
    }
    let second = fields.long(60).unwrap_or(0) as usize;
    if version < 218 || second == 0 || second + 52 > fields.0.len() {
        return Ok(0);
    }
    for (what, at) in [("channel", 4), ("slice", 8), ("frame", 12)] {
        let position = fields.long(second + at)?;
        if (2..1 << 31).contains(&position) {
            return beyond(what, position);
        }
    }
    if version >= 228 { fields.byte(second + 30) } else { Ok(0) }
}

/// Rectangle (also with round corners) or oval; with sub-pixel accuracy their box stands in floating point.
fn boxed(kind: u8, fine: bool, version: u16, fields: &Fields) -> Result<Area, String> {
    let (corner, size) = if fine {
        (fields.point(18)?, fields.point(26)?)
    } else {
        let (top, left) = (fields.place(8)?, fields.place(10)?);
        ((left, top), (fields.place(14)? - left, fields.place(12)? - top))
    };
    if !(size.0 >= 0.0 && size.1 >= 0.0) {
        return Err(format!("has a width of {} and a height of {}", size.0, size.1));
    }
    let diameter = if version >= 218 { f64::from(fields.short(54)?) } else { 0.0 };
    Ok(match kind {
        2 => Area::ellipse(corner, size),
        _ if diameter > 0.0 => Area::rounded_rectangle(corner, size, diameter),
        _ => Area::rectangle(corner, size),
    })
}

/// Polygon, freehand, traced.
fn polygon(fine: bool, fields: &Fields) -> Result<Area, String> {
    let n = match fields.short(16)? {
        0 => fields.long(18)? as usize,
        n => usize::from(n),
    };
    if n > fields.0.len() {
        return Err(CUT.to_owned());
    }
    let (top, left) = (fields.place(8)?, fields.place(10)?);
    let corner = |i: usize| {
        if fine {
            let base = 64 + 4 * n;
            return Ok((fields.float(base + 4 * i)?, fields.float(base + 4 * n + 4 * i)?));
        }
        Ok((left + f64::from(fields.short(64 + 2 * i)?), top + f64::from(fields.short(64 + 2 * n + 2 * i)?)))
    };
    let ring: Result<Vec<_>, String> = (0..n).map(corner).collect();
    ring.map(Area::polygon)
}

/// Segments of a shape: 0 x y begins a ring, 1 x y goes on, 2 and 3 are curves by two and three points, 4 closes.
fn composite(count: usize, fields: &Fields) -> Result<Area, String> {
    let (mut rings, mut ring, mut i) = (Vec::new(), Vec::<(f64, f64)>::new(), 0);
    let point = |i: usize| fields.point(64 + 4 * i);
    while i < count {
        match fields.float(64 + 4 * i)? {
            0.0 => {
                rings.push(std::mem::replace(&mut ring, vec![point(i + 1)?]));
                i += 3;
            }
            1.0 => {
                ring.push(point(i + 1)?);
                i += 3;
            }
            order @ (2.0 | 3.0) => {
                let from = *ring.last().ok_or("has a curve without a beginning")?;
                let controls: Result<Vec<_>, String> =
                    (0..order as usize).map(|k| point(i + 1 + 2 * k)).collect();
                ring.extend(curve(from, &controls?));
                i += 1 + 2 * order as usize;
            }
            4.0 => {
                rings.push(std::mem::take(&mut ring));
                i += 1;
            }
            _ => return Err("has segments of an unknown kind".to_owned()),
        }
    }
    rings.push(ring);
    rings.retain(|ring| !ring.is_empty());
    Ok(Area::Rings(rings))
}

#[cfg(test)]
mod tests {
    use super::super::shapes::{Shape, draw};
    use super::*;

    /// A rectangle at (10, 20) of 30 x 20 pixels.
    fn header(kind: u8) -> Vec<u8> {
        let mut roi = vec![0u8; 64];
        roi[..8].copy_from_slice(&[b'I', b'o', b'u', b't', 0, 227, kind, 0]);
        roi[8..16].copy_from_slice(&[0, 20, 0, 10, 0, 40, 0, 40]);
        roi
    }

    fn floats(roi: &mut Vec<u8>, at: usize, values: &[f32]) {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
        roi.resize(roi.len().max(at + bytes.len()), 0);
        roi[at..at + bytes.len()].copy_from_slice(&bytes);
    }

    fn pixels(roi: &[u8]) -> usize {
        let Region::Area { area, .. } = region(roi).unwrap() else { return 0 };
        draw((60, 60), &[Shape { class: 1, object: 0, area }]).0.labels.iter().filter(|l| **l == 1).count()
    }

    #[test]
    fn damaged_regions_are_refused() {
        let square = header(1);
        for cut in 0..52 {
            assert!(region(&square[..cut]).is_err(), "{cut}");
        }
        let mut polygon = header(0);
        polygon[16..18].copy_from_slice(&[255, 255]);
        assert_eq!(region(&polygon).map(|_| ()).unwrap_err(), "is cut short");
        let mut bad = header(1);
        bad[12..14].copy_from_slice(&[0, 3]);
        assert!(region(&bad).map(|_| ()).unwrap_err().contains("height of -17"));
        assert!(region(&header(11)).is_err());
    }

    #[test]
    fn every_kind_has_its_area() {
        assert_eq!(pixels(&header(1)), 600);
        let oval = pixels(&header(2)) as f64;
        assert!((oval - std::f64::consts::PI * 150.0).abs() < 8.0, "{oval}");
        let mut rounded = header(1);
        rounded[55] = 20;
        let missing = 600.0 - pixels(&rounded) as f64;
        assert!((missing - (4.0 - std::f64::consts::PI) * 100.0).abs() < 8.0, "{missing}");
        // Sub-pixel boxes: 10.6..20.4 holds the centres 11.5 to 19.5... of ten columns less one.
        let mut fine = header(1);
        fine[51] = 128;
        floats(&mut fine, 18, &[10.6, 20.0, 9.8, 10.0]);
        assert_eq!(pixels(&fine), 9 * 10);
        let mut ellipse = header(7);
        ellipse[49] = 3;
        floats(&mut ellipse, 18, &[10.0, 30.0, 50.0, 30.0]);
        floats(&mut ellipse, 52, &[0.5]);
        assert!((pixels(&ellipse) as f64 - std::f64::consts::PI * 200.0).abs() < 10.0);
        let mut turned = header(7);
        turned[49] = 5;
        floats(&mut turned, 18, &[10.0, 30.0, 50.0, 30.0]);
        floats(&mut turned, 52, &[10.0]);
        assert_eq!(pixels(&turned), 400);
        let mut shape = header(1);
        // A square with a square hole, and a half circle by a quadratic curve under its chord.
        let path = [
            0., 0., 0., 1., 20., 0., 1., 20., 20., 1., 0., 20., 4., //
            0., 5., 5., 1., 15., 5., 1., 15., 15., 1., 5., 15., 4., //
            0., 30., 30., 2., 40., 50., 50., 30., 4.,
        ];
        floats(&mut shape, 64, &path);
        shape[36..40].copy_from_slice(&(path.len() as u32).to_be_bytes());
        let curved = pixels(&shape) as f64 - 300.0;
        assert!((curved - 2.0 / 3.0 * 20.0 * 10.0).abs() < 4.0, "a parabola's area: {curved}");
    }

    #[test]
    fn what_is_no_area_says_so() {
        for kind in [3, 4, 5, 6, 9, 10] {
            assert!(matches!(region(&header(kind)), Ok(Region::NoArea(_))), "{kind}");
        }
        for (kind, subtype) in [(1, 1), (1, 4), (3, 2)] {
            let mut note = header(kind);
            note[49] = subtype;
            assert!(matches!(region(&note), Ok(Region::NoArea(_))), "{subtype}");
            // Headers before these were known may hold anything there.
            note[5] = 217;
            assert_eq!(pixels(&note) > 0, kind == 1);
        }
        let mut spline = header(0);
        spline[51] = 1;
        assert!(region(&spline).map(|_| ()).unwrap_err().contains("curved"));
        let mut slice = header(1);
        slice[59] = 1;
        assert_eq!(pixels(&slice), 600);
        slice[59] = 2;
        assert!(region(&slice).map(|_| ()).unwrap_err().contains("slice 2"));
        let mut frame = header(1);
        frame[63] = 64;
        frame.resize(64 + 52, 0);
        assert_eq!(pixels(&frame), 600);
        frame[64 + 15] = 7;
        assert!(region(&frame).map(|_| ()).unwrap_err().contains("frame 7"));
        // Beyond 32767: numbers that look far below zero are far above.
        assert_eq!(Fields(&[0x9c, 0x40]).place(0).unwrap(), 40000.0);
        assert_eq!(Fields(&[0xff, 0xff]).place(0).unwrap(), -1.0);
    }
}
