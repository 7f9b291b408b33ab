//! Gatan DigitalMicrograph: unit in TIFF tags 65003 and 65004, size in 65009 and 65010.

use super::{Statements, plain};
use crate::scale::PixelSize;
use crate::scale::lengths::{self, Fault};
use crate::scale::metadata::Metadata;

pub(super) fn read(m: &Metadata, all: &mut Statements) {
    all.add("TIFF tag 65009", tags(m));
}

fn tags(m: &Metadata) -> Result<Option<PixelSize>, Fault> {
    let Some(x) = m.number(65009)? else { return Ok(None) };
    let unit = m.text(65003).unwrap_or_default();
    let y = m.number(65010)?.unwrap_or(x);
    let unit_y = m.text(65004).unwrap_or_else(|| unit.clone());
    let (x, y) = (lengths::in_unit(x, &unit)?, lengths::in_unit(y, &unit_y)?);
    Ok(Some(plain("Gatan", "TIFF tags 65003 and 65009", x, y)))
}
