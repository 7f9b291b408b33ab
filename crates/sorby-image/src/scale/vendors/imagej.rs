//! ImageJ: `unit=` in the description, pixels per unit as the resolution. Without a unit the resolution is for printing
//! and says nothing; nor does it where ImageJ took the unit from a printing resolution of the file it had read.

use super::{Statements, plain};
use crate::scale::lengths::{Fault, Unit, in_unit, unit};
use crate::scale::metadata::Metadata;
use crate::scale::text::Ini;
use crate::scale::{PixelSize, printing};

pub(super) fn read(m: &Metadata, all: &mut Statements) {
    if let Some(text) = m.text(270).filter(|t| t.trim_start().starts_with("ImageJ=")) {
        all.add("TIFF description", calibration(&Ini::of(&text), m));
    }
}

fn calibration(ini: &Ini, m: &Metadata) -> Result<Option<PixelSize>, Fault> {
    let Some(name) = ini.one("", "unit")? else { return Ok(None) };
    let Some(per_x) = m.number(282)? else { return Ok(None) };
    let per_y = m.number(283)?.unwrap_or(per_x);
    let name_y = ini.one("", "yunit")?.unwrap_or(name);
    if let Unit::Length(nm) = unit(name)
        && let Some(dpi) = printing::dpi(per_x, nm)
    {
        // Three digits, however small.
        let decimals = (2.0 - per_x.log10().floor()).clamp(2.0, 12.0) as usize;
        let reason =
            format!("counts {per_x:.decimals$} pixels per {name}, the printing resolution of {dpi} dpi");
        return Err(Fault::NoScale(reason));
    }
    let (x, y) = (in_unit(1.0 / per_x, name)?, in_unit(1.0 / per_y, name_y)?);
    Ok(Some(plain("ImageJ", "TIFF description and resolution", x, y)))
}
