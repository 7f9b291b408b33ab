//! OME-TIFF: XML in the description; micrometres unless it says otherwise.

use super::{Statements, plain};
use crate::scale::lengths::{self, Comma, Fault, Unit};
use crate::scale::metadata::Metadata;
use crate::scale::{PixelSize, printing, xml};
use roxmltree::Node;

pub(super) fn read(m: &Metadata, all: &mut Statements) {
    let Some(text) = m.text(270).filter(|t| xml::is(t) && t.contains("OME")) else { return };
    let text = xml::clean(&text);
    let document = match xml::parse(&text) {
        Ok(document) => document,
        Err(fault) => return all.add("TIFF description", Err(fault)),
    };
    if document.root_element().tag_name().name() != "OME" {
        return;
    }
    let pixels: Vec<Node> = xml::elements(document.root(), "Pixels").collect();
    // A file may speak of further images, for example of an overview; then those of this size are meant.
    let same = |p: &&Node| size(**p) == Some((m.width_px, m.height_px));
    let meant: Vec<&Node> = match pixels.iter().filter(same).collect::<Vec<_>>() {
        none if none.is_empty() => pixels.iter().collect(),
        some => some,
    };
    let silent = meant.iter().filter(|p| xml::attribute(***p, "PhysicalSizeX").is_none()).count();
    if silent > 0 && silent < meant.len() {
        let reason =
            format!("gives only {} of its {} images a pixel size", meant.len() - silent, meant.len());
        return all.add("TIFF description", Err(Fault::Unreadable(reason)));
    }
    meant.iter().for_each(|p| all.add("TIFF description", physical(**p)));
}

fn size(pixels: Node) -> Option<(u32, u32)> {
    let count = |name| xml::attribute(pixels, name)?.parse().ok();
    count("SizeX").zip(count("SizeY"))
}

fn physical(pixels: Node) -> Result<Option<PixelSize>, Fault> {
    let side = |value: &str, unit: &str| {
        let unit = xml::attribute(pixels, unit).filter(|u| !u.is_empty()).unwrap_or("µm");
        let Some(text) = xml::attribute(pixels, value) else { return Ok(None) };
        let nm = lengths::parse(text, Comma::Unknown, Some(unit))?;
        // Programs take the resolution of a file that they convert for a pixel size.
        if let Unit::Length(unit_nm) = lengths::unit(unit)
            && let Some(dpi) = printing::dpi_of_pixel(nm / unit_nm, unit_nm)
        {
            let stated = lengths::short(&format!("{text} {unit}"));
            let reason = format!("states {value} `{stated}`, the printing resolution of {dpi} dpi");
            return Err(Fault::NoScale(reason));
        }
        Ok(Some(nm))
    };
    let x = side("PhysicalSizeX", "PhysicalSizeXUnit")?;
    let y = side("PhysicalSizeY", "PhysicalSizeYUnit")?;
    let Some(x) = x else {
        return match y {
            Some(_) => Err(Fault::Unreadable("states PhysicalSizeY without PhysicalSizeX".to_owned())),
            None => Ok(None),
        };
    };
    let place = "TIFF description, PhysicalSizeX";
    Ok(Some(PixelSize { written_for_px: size(pixels), ..plain("OME-TIFF", place, x, y.unwrap_or(x)) }))
}
