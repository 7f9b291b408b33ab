//! FEI and Thermo Fisher: an ini text in TIFF tag 34682 (Helios) or 34680 (SFEG); XML in 34683 (Titan, Phenom) or 34682
//! (newer Helios). What is in a tag is judged by its look: files with the other kind in it exist.

use super::{Statements, plain};
use crate::scale::lengths::Fault;
use crate::scale::metadata::Metadata;
use crate::scale::text::Ini;
use crate::scale::{PixelSize, xml};
use roxmltree::Node;

const VENDOR: &str = "FEI / Thermo Fisher";

pub(super) fn read(m: &Metadata, all: &mut Statements) {
    for (tag, name, place) in [
        (34682, "TIFF tag 34682", "TIFF tag 34682, [Scan] PixelWidth"),
        (34680, "TIFF tag 34680", "TIFF tag 34680, [Scan] PixelWidth"),
        (34683, "TIFF tag 34683", "TIFF tag 34683, [Scan] PixelWidth"),
    ] {
        let Some(text) = m.text(tag) else { continue };
        if xml::is(&text) {
            from_xml(&text, name, all);
        } else {
            all.add(name, from_ini(&text, place, m));
        }
    }
}

fn from_ini(text: &str, place: &'static str, m: &Metadata) -> Result<Option<PixelSize>, Fault> {
    let ini = Ini::of(text);
    let written_for_px = ini.count("Image", "ResolutionX").zip(ini.count("Image", "ResolutionY"));
    let width = written_for_px.map(|(w, _)| f64::from(w)).filter(|w| *w > 0.0);
    // The beam that made the picture, where the file says which.
    let scan = ini.get("Beam", "Scan").unwrap_or("Scan");
    for section in ["Scan", scan, "EScan", "IScan"] {
        let Some(x) = ini.length(section, "PixelWidth", "m")? else { continue };
        let y = ini.length(section, "PixelHeight", "m")?.unwrap_or(x);
        // The field over the pixel's height: the image's rows without the bar.
        let rows =
            ini.length(section, "VerFieldsize", "m").ok().flatten().map(|field| (field / y).round() as u32);
        let beyond = rows.and_then(|rows| m.height_px.checked_sub(rows));
        let bar = ini.count("PrivateFei", "DatabarHeight").or(beyond);
        return Ok(Some(PixelSize {
            written_for_px,
            // Where the bar was cut off, none is left.
            data_bar_px: bar.filter(|bar| {
                written_for_px.is_none_or(|(_, h)| u64::from(m.height_px) >= u64::from(h) + u64::from(*bar))
            }),
            ..plain(VENDOR, place, x, y)
        }));
    }
    // Images by the ion beam may lack it: field width over columns.
    let beam = ini.get("Beam", "Beam").unwrap_or("IRBeam");
    for section in [beam, "IRBeam"] {
        let (Some(field), Some(width)) = (ini.length(section, "HFW", "m")?, width) else { continue };
        let place = "FEI settings, HFW of the beam over [Image] ResolutionX";
        return Ok(Some(PixelSize { written_for_px, ..plain(VENDOR, place, field / width, field / width) }));
    }
    Ok(None)
}

fn from_xml(text: &str, place: &str, all: &mut Statements) {
    let text = xml::clean(text);
    let document = match xml::parse(&text) {
        Ok(document) => document,
        Err(fault) => return all.add(place, Err(fault)),
    };
    let root = document.root();
    for size in xml::elements(root, "PixelSize") {
        all.add(place, titan(size));
    }
    for image in xml::elements(root, "FeiImage") {
        all.add(place, phenom(image));
    }
    for item in xml::elements(root, "MementoItem") {
        if xml::child(item, "Name").and_then(xml::text) == Some("PixelSize") {
            all.add(place, memento(item));
        }
    }
}

/// `<PixelSize><X unit="m">`, with `<ImageSize>` beside it.
fn titan(size: Node) -> Result<Option<PixelSize>, Fault> {
    let Some(x) = xml::child(size, "X") else { return Ok(None) };
    let x = xml::length(x, Some("m"))?;
    let y = xml::child(size, "Y").map(|y| xml::length(y, Some("m"))).transpose()?.unwrap_or(x);
    let image = size.parent().and_then(|around| xml::child(around, "ImageSize"));
    let columns = image.and_then(|i| xml::count(xml::child(i, "X")?));
    let rows = image.and_then(|i| xml::count(xml::child(i, "Y")?));
    let place = "FEI settings in XML, PixelSize";
    Ok(Some(PixelSize { written_for_px: columns.zip(rows), ..plain(VENDOR, place, x, y) }))
}

/// Phenom: `<FeiImage><pixelWidth unit="um">`.
fn phenom(image: Node) -> Result<Option<PixelSize>, Fault> {
    let Some(x) = xml::child(image, "pixelWidth") else { return Ok(None) };
    let x = xml::length(x, None)?;
    let y = xml::child(image, "pixelHeight").map(|y| xml::length(y, None)).transpose()?.unwrap_or(x);
    let bar = xml::child(image, "databarHeight").and_then(xml::count);
    Ok(Some(PixelSize {
        data_bar_px: bar,
        ..plain(VENDOR, "FEI settings in XML, FeiImage pixelWidth", x, y)
    }))
}

/// Helios of the fifth generation: every setting is a `MementoItem` with a name, a unit and a value, or with a section of
/// further ones.
fn memento(item: Node) -> Result<Option<PixelSize>, Fault> {
    let side = |name: &str| {
        let found = item.descendants().find(|inner| {
            inner.tag_name().name() == "MementoItem"
                && xml::child(*inner, "Name").and_then(xml::text) == Some(name)
        });
        found.map(memento_length).transpose()
    };
    let Some(x) = side("Width")? else { return Ok(None) };
    let y = side("Height")?.unwrap_or(x);
    Ok(Some(plain(VENDOR, "FEI settings in XML, MementoItem PixelSize", x, y)))
}

fn memento_length(item: Node) -> Result<f64, Fault> {
    let unit = xml::child(item, "MementoItemUnit").and_then(xml::text).unwrap_or_default();
    let value = xml::child(item, "anyType").ok_or_else(|| Fault::Unreadable("states no value".to_owned()))?;
    xml::length(value, Some(unit.strip_prefix("MementoItemUnit").unwrap_or(unit)))
}
