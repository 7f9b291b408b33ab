//! How each vendor writes its pixel size. Each function gives `None` where its vendor is not at work.

use super::PixelSize;
use super::metadata::Metadata;

type Reader = fn(&Metadata) -> Option<PixelSize>;

/// In the order they are asked: the vendors' own tags, then what other programs may have added since.
pub(super) const ALL: [Reader; 10] =
    [fei, fei_titan, zeiss, tescan, hitachi, jeol, olympus, gatan, ome, imagej];

/// Nanometres in a unit; `None` for units that are not lengths.
fn nanometres(unit: &str) -> Option<f64> {
    Some(match unit.trim().to_lowercase().as_str() {
        "m" | "metre" | "meter" => 1e9,
        "cm" => 1e7,
        "mm" | "millimeter" | "millimetre" => 1e6,
        // The micro sign, the Greek letter, what remains of either in a wrong coding, and words.
        "µm" | "μm" | "um" | "\u{fffd}m" | "\\u00b5m" | "micron" | "microns" | "micrometer"
        | "micrometre" => 1e3,
        "nm" | "nanometer" | "nanometre" => 1.0,
        "å" | "a" | "angstrom" => 0.1,
        "pm" | "picometer" | "picometre" => 1e-3,
        "fm" => 1e-6,
        _ => return None,
    })
}

/// "2.615 µm", "500nm": a number and its unit.
fn length_nm(text: &str) -> Option<f64> {
    let text = text.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || ".+-eE".contains(c)))?;
    // An `e` may begin an exponent or a unit; no unit here begins with one.
    Some(text[..split].parse::<f64>().ok()? * nanometres(&text[split..])?)
}

/// The value of `key=value` in a section of an ini text; in any section when `section` is empty.
fn ini<'a>(text: &'a str, section: &str, key: &str) -> Option<&'a str> {
    let mut inside = section.is_empty();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            inside = section.is_empty() || name == section;
        } else if inside
            && let Some((k, value)) = line.split_once('=')
            && k.trim() == key
        {
            return Some(value.trim());
        }
    }
    None
}

fn ini_number(text: &str, section: &str, key: &str) -> Option<f64> {
    ini(text, section, key)?.parse().ok()
}

/// FEI and Thermo Fisher: an ini text in tag 34682 (Helios) or 34680 (SFEG).
fn fei(m: &Metadata) -> Option<PixelSize> {
    let (text, place) =
        [(34682, "TIFF tag 34682, [Scan] PixelWidth"), (34680, "TIFF tag 34680, [Scan] PixelWidth")]
            .into_iter()
            .find_map(|(tag, place)| Some((m.text(tag)?, place)))?;
    let width = ini_number(&text, "Image", "ResolutionX");
    let height = ini_number(&text, "Image", "ResolutionY");
    let written_for_px = width.zip(height).map(|(w, h)| (w as u32, h as u32));
    let scan = ["Scan", "EScan", "IScan"].into_iter().find_map(|section| {
        let x = ini_number(&text, section, "PixelWidth")?;
        let y = ini_number(&text, section, "PixelHeight").unwrap_or(x);
        // The field in metres over the pixel's height: the image's rows without the bar.
        let rows = ini_number(&text, section, "VerFieldsize").map(|field| (field / y).round() as u32);
        Some((x, y, rows))
    });
    // Images by the ion beam may lack it: field width over columns.
    let (x, y, rows, place) = match (scan, ini_number(&text, "IRBeam", "HFW"), width) {
        (Some((x, y, rows)), ..) => (x, y, rows, place),
        (None, Some(field), Some(width)) => {
            (field / width, field / width, None, "FEI settings, [IRBeam] HFW over [Image] ResolutionX")
        }
        _ => return None,
    };
    let stated = ini_number(&text, "PrivateFei", "DatabarHeight").map(|rows| rows as u32);
    let bar = stated.or_else(|| m.height_px.checked_sub(rows?));
    Some(PixelSize {
        nm_x: 1e9 * x,
        nm_y: 1e9 * y,
        vendor: "FEI / Thermo Fisher",
        place,
        written_for_px,
        // Where the bar was cut off, none is left.
        scale_bar_nm: None,
        data_bar_px: bar.filter(|bar| written_for_px.is_none_or(|(_, h)| m.height_px >= h + bar)),
    })
}

/// FEI Titan: XML in tag 34683.
fn fei_titan(m: &Metadata) -> Option<PixelSize> {
    let text = m.text(34683)?;
    let inside = &text[text.find("<PixelSize")?..];
    let value = |name: &str| -> Option<f64> {
        let from = &inside[inside.find(&format!("<{name}"))?..];
        let from = &from[from.find('>')? + 1..];
        from[..from.find('<')?].trim().parse().ok()
    };
    let x = value("X")?;
    let y = value("Y").unwrap_or(x);
    Some(plain("FEI / Thermo Fisher", "TIFF tag 34683, PixelSize", 1e9 * x, 1e9 * y))
}

/// Zeiss (LEO): pairs of lines `AP_X` / `Name = value unit` in tag 34118 or 34119. `AP_PIXEL_SIZE` is the
/// monitor's pixel; the image's is `AP_IMAGE_PIXEL_SIZE`.
fn zeiss(m: &Metadata) -> Option<PixelSize> {
    let text = m.text(34118).or_else(|| m.text(34119))?;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let value = |key: &str| -> Option<&str> {
        let at = lines.iter().position(|line| *line == key)?;
        Some(lines.get(at + 1)?.split_once('=')?.1.trim())
    };
    let written_for_px = value("DP_IMAGE_STORE").and_then(|size| {
        let (w, h) = size.split_once('*')?;
        Some((w.trim().parse().ok()?, h.trim().parse().ok()?))
    });
    let width = written_for_px.map_or(m.width_px, |(w, _)| w);
    let (nm, place) = if let Some(nm) = value("AP_IMAGE_PIXEL_SIZE").and_then(length_nm) {
        (nm, "Zeiss settings, AP_IMAGE_PIXEL_SIZE")
    } else if let Some(nm) = value("AP_WIDTH").and_then(length_nm) {
        (nm / f64::from(width), "Zeiss settings, AP_WIDTH over the image's width")
    } else {
        // The fourth line of the unnamed head: metres per pixel of a picture 1024 wide.
        let metres: f64 = lines.get(3)?.parse().ok()?;
        (1e9 * metres * 1024.0 / f64::from(width), "Zeiss settings, head")
    };
    Some(PixelSize { written_for_px, ..plain("Zeiss", place, nm, nm) })
}

/// Tescan: `key=value` lines after a binary head in tag 50431, or in a sidecar `.hdr`.
fn tescan(m: &Metadata) -> Option<PixelSize> {
    let from = |text: &str, place| {
        let x = ini_number(text, "", "PixelSizeX")?;
        let y = ini_number(text, "", "PixelSizeY").unwrap_or(x);
        // Rows of the strip under the image, where written.
        let bar = ini_number(text, "", "ImageStripSize").map(|rows| rows as u32);
        Some(PixelSize { data_bar_px: bar, ..plain("Tescan", place, 1e9 * x, 1e9 * y) })
    };
    m.text(50431).and_then(|text| from(&text, "TIFF tag 50431, PixelSizeX")).or_else(|| {
        from(m.sidecar.as_ref().filter(|s| s.contains("PixelSizeX"))?, "sidecar .hdr, PixelSizeX")
    })
}

/// Hitachi: a sidecar `.txt` with `[SemImageFile]`, ASCII or UTF-16; `PixelSize` in nanometres.
fn hitachi(m: &Metadata) -> Option<PixelSize> {
    let text = m.sidecar.as_ref().filter(|s| s.contains("[SemImageFile]"))?;
    let nm = ini_number(text, "SemImageFile", "PixelSize")?;
    let written_for_px = ini(text, "SemImageFile", "DataSize").and_then(|size| {
        let (w, h) = size.split_once('x')?;
        Some((w.trim().parse().ok()?, h.trim().parse().ok()?))
    });
    let scale_bar_nm = ini_number(text, "SemImageFile", "MicronMarker").filter(|nm| *nm > 0.0);
    Some(PixelSize {
        written_for_px,
        scale_bar_nm,
        ..plain("Hitachi", "sidecar .txt, [SemImageFile] PixelSize", nm, nm)
    })
}

/// JEOL: a sidecar `.txt` with the drawn bar: its length in pixels and what that stands for.
fn jeol(m: &Metadata) -> Option<PixelSize> {
    let text = m.sidecar.as_ref()?;
    let value = |key: &str| -> Option<&str> {
        text.lines().find_map(|line| Some(line.trim().strip_prefix(key)?.trim()).filter(|v| !v.is_empty()))
    };
    let bar_px: f64 = value("$$SM_MICRON_BAR")?.parse().ok()?;
    let marker = length_nm(value("$$SM_MICRON_MARKER")?)?;
    let nm = marker / bar_px;
    let written_for_px = value("$CM_FULL_SIZE").and_then(|size| {
        let mut parts = size.split_whitespace().map(str::parse);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    });
    let place = "sidecar .txt, $$SM_MICRON_MARKER over $$SM_MICRON_BAR";
    Some(PixelSize { written_for_px, scale_bar_nm: Some(marker), ..plain("JEOL", place, nm, nm) })
}

/// Olympus Soft Imaging: tag 33560 points to a binary block whose general part holds a power of ten and the
/// pixel size in it; some files hold an ini text in tag 33471 instead.
fn olympus(m: &Metadata) -> Option<PixelSize> {
    let little = |b: &[u8], at: usize, len: usize| -> Option<Vec<u8>> { Some(b.get(at..at + len)?.to_vec()) };
    let short = |b: &[u8], at: usize| little(b, at, 2).map(|v| i16::from_le_bytes([v[0], v[1]]));
    let double = |b: &[u8], at: usize| Some(f64::from_le_bytes(b.get(at..at + 8)?.try_into().ok()?));
    if let Some(offset) = m.number(33560) {
        const HEAD: usize = 60;
        let head = m.bytes_at(offset as u64, HEAD)?;
        if &head[..4] == b"SIS0" {
            let count = usize::try_from(short(&head, HEAD - 2)?).ok()?;
            let parts = m.bytes_at(offset as u64 + HEAD as u64, 8 * count)?;
            let general = parts.chunks_exact(8).find(|part| part[..2] == [1, 0])?;
            let at = u32::from_le_bytes(general[4..8].try_into().ok()?);
            let block = m.bytes_at(at.into(), 28)?;
            let unit = 1e9 * 10f64.powi(short(&block, 10)?.into());
            let (x, y) = (double(&block, 12)?, double(&block, 20)?);
            return Some(plain("Olympus SIS", "TIFF tag 33560", unit * x, unit * y));
        }
    }
    let text = m.text(33471)?;
    let x = ini_number(&text, "", "PixelSizeX")?;
    let y = ini_number(&text, "", "PixelSizeY").unwrap_or(x);
    Some(plain("Olympus SIS", "TIFF tag 33471, PixelSizeX", 1e9 * x, 1e9 * y))
}

/// Gatan DigitalMicrograph: unit in tags 65003 and 65004, size in 65009 and 65010.
fn gatan(m: &Metadata) -> Option<PixelSize> {
    let (x, unit) = (m.number(65009)?, nanometres(&m.text(65003)?)?);
    let y = m.number(65010).unwrap_or(x);
    let unit_y = m.text(65004).and_then(|text| nanometres(&text)).unwrap_or(unit);
    Some(plain("Gatan", "TIFF tags 65003 and 65009", x * unit, y * unit_y))
}

/// OME-TIFF: XML in the description; micrometres unless it says otherwise.
fn ome(m: &Metadata) -> Option<PixelSize> {
    let text = m.text(270).filter(|t| t.contains("<OME"))?;
    let attribute = |name: &str| -> Option<&str> {
        let inside = &text[text.find(&format!(" {name}=\""))? + name.len() + 3..];
        Some(&inside[..inside.find('"')?])
    };
    let unit = |name| attribute(name).map_or(Some(1e3), nanometres);
    let x = attribute("PhysicalSizeX")?.parse::<f64>().ok()? * unit("PhysicalSizeXUnit")?;
    let y = match attribute("PhysicalSizeY") {
        Some(y) => y.parse::<f64>().ok()? * unit("PhysicalSizeYUnit")?,
        None => x,
    };
    let size = attribute("SizeX").zip(attribute("SizeY"));
    let written_for_px = size.and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    Some(PixelSize { written_for_px, ..plain("OME-TIFF", "TIFF description, PhysicalSizeX", x, y) })
}

/// ImageJ: `unit=` in the description, pixels per unit as the resolution. Without a unit the resolution is
/// for printing and says nothing.
fn imagej(m: &Metadata) -> Option<PixelSize> {
    let text = m.text(270).filter(|t| t.starts_with("ImageJ="))?;
    let unit = nanometres(ini(&text, "", "unit")?)?;
    let per_unit = |tag| m.number(tag).filter(|r| *r > 0.0);
    let (x, y) = (per_unit(282)?, per_unit(283).or_else(|| per_unit(282))?);
    Some(plain("ImageJ", "TIFF description and resolution", unit / x, unit / y))
}

fn plain(vendor: &'static str, place: &'static str, nm_x: f64, nm_y: f64) -> PixelSize {
    PixelSize { nm_x, nm_y, vendor, place, written_for_px: None, data_bar_px: None, scale_bar_nm: None }
}

#[cfg(test)]
mod tests {
    use super::{ini, length_nm};

    #[test]
    fn lengths_with_units() {
        for (text, nm) in [
            ("2.615 µm", 2615.0),
            ("93.89 nm", 93.89),
            ("5um", 5000.0),
            ("850 pm", 0.85),
            ("2.677 mm", 2.677e6),
            ("1e-6 m", 1000.0),
        ] {
            assert!((length_nm(text).unwrap() / nm - 1.0).abs() < 1e-12, "{text}");
        }
        assert_eq!(length_nm("12"), None);
        assert_eq!(length_nm("12 kV"), None);
    }

    #[test]
    fn a_key_belongs_to_its_section() {
        let text = "[A]\r\nx=1\r\n[B]\r\nx=2\r\n";
        assert_eq!(ini(text, "B", "x"), Some("2"));
        assert_eq!(ini(text, "", "x"), Some("1"));
        assert_eq!(ini(text, "C", "x"), None);
    }
}
