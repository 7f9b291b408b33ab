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
            from_ini(&text, name, place, m, all);
        }
    }
}

/// What the settings say of the scan, and of the field it covers: one or more statements of the same thing.
fn from_ini(text: &str, tag: &str, place: &'static str, m: &Metadata, all: &mut Statements) {
    if let Err(fault) = try_ini(&Ini::of(text), tag, place, m, all) {
        all.add(tag, Err(fault));
    }
}

fn try_ini(
    ini: &Ini,
    tag: &str,
    place: &'static str,
    m: &Metadata,
    all: &mut Statements,
) -> Result<(), Fault> {
    let written_for_px = ini.count("Image", "ResolutionX")?.zip(ini.count("Image", "ResolutionY")?);
    let columns = written_for_px.map(|(w, _)| f64::from(w)).filter(|w| *w > 0.0);
    let has = |section: &&str| ini.get(section, "PixelWidth").is_some();
    // The beam that made the picture, where the file says which; else either beam's.
    let named = ini.one("Beam", "Scan")?.filter(|name| !name.eq_ignore_ascii_case("Scan"));
    let mut sections: Vec<&str> = ["Scan"].into_iter().chain(named).filter(has).collect();
    if sections.is_empty() {
        sections = ["EScan", "IScan"].into_iter().filter(has).collect();
    }
    for section in &sections {
        all.add(tag, scan(ini, section, place, written_for_px, m));
        if let (Some(columns), Some(field)) = (columns, ini.length(section, "HorFieldsize", "m")?) {
            let place = "FEI settings, HorFieldsize over [Image] ResolutionX";
            all.add(tag, Ok(Some(plain(VENDOR, place, field / columns, field / columns))));
        }
    }
    if let Some(columns) = columns {
        // Images by the ion beam may have nothing else: field width over columns.
        let silent = sections.is_empty().then_some("IRBeam");
        let beams = ini.one("Beam", "Beam")?.into_iter().chain(silent);
        let field = beams.map(|beam| ini.length(beam, "HFW", "m")).find(|field| *field != Ok(None));
        let place = "FEI settings, HFW of the beam over [Image] ResolutionX";
        let size = |field| {
            let nm: f64 = field / columns;
            PixelSize { written_for_px, ..plain(VENDOR, place, nm, nm) }
        };
        all.add(tag, field.unwrap_or(Ok(None)).map(|field| field.map(size)));
    }
    Ok(())
}

fn scan(
    ini: &Ini,
    section: &str,
    place: &'static str,
    written_for_px: Option<(u32, u32)>,
    m: &Metadata,
) -> Result<Option<PixelSize>, Fault> {
    let Some(x) = ini.length(section, "PixelWidth", "m")? else { return Ok(None) };
    let y = ini.length(section, "PixelHeight", "m")?.unwrap_or(x);
    // The field over the pixel's height: the image's rows without the bar.
    let field = ini.length(section, "VerFieldsize", "m")?;
    let beyond = field.and_then(|field| m.height_px.checked_sub((field / y).round() as u32));
    let bar = ini.count("PrivateFei", "DatabarHeight")?.or(beyond);
    // Where the bar was cut off, none is left.
    let whole = |bar: &u32| {
        written_for_px.is_none_or(|(_, rows)| u64::from(m.height_px) >= u64::from(rows) + u64::from(*bar))
    };
    Ok(Some(PixelSize { written_for_px, data_bar_px: bar.filter(whole), ..plain(VENDOR, place, x, y) }))
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

/// `<PixelSize><X unit="m">`, with `<ImageSize>` next to it.
fn titan(size: Node) -> Result<Option<PixelSize>, Fault> {
    let Some(x) = xml::one(size, "X")? else { return Ok(None) };
    let x = xml::length(x, Some("m"))?;
    let y = xml::one(size, "Y")?.map(|y| xml::length(y, Some("m"))).transpose()?.unwrap_or(x);
    let image = size.parent().and_then(|around| xml::child(around, "ImageSize"));
    let columns = image.and_then(|i| xml::count(xml::child(i, "X")?));
    let rows = image.and_then(|i| xml::count(xml::child(i, "Y")?));
    let place = "FEI settings in XML, PixelSize";
    Ok(Some(PixelSize { written_for_px: columns.zip(rows), ..plain(VENDOR, place, x, y) }))
}

/// Phenom: `<FeiImage><pixelWidth unit="um">`.
fn phenom(image: Node) -> Result<Option<PixelSize>, Fault> {
    let Some(x) = xml::one(image, "pixelWidth")? else { return Ok(None) };
    let x = xml::length(x, None)?;
    let y = xml::one(image, "pixelHeight")?.map(|y| xml::length(y, None)).transpose()?.unwrap_or(x);
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
        let found = item.descendants().filter(|inner| {
            inner.tag_name().name() == "MementoItem"
                && xml::child(*inner, "Name").and_then(xml::text) == Some(name)
        });
        xml::agreed(name, found)?.map(memento_length).transpose()
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
