//! How each vendor writes its pixel size. Each function adds what its vendor says, and nothing where it is not at work.

mod fei;
mod gatan;
mod hitachi;
mod imagej;
mod jeol;
mod olympus;
mod ome;
mod tescan;
mod zeiss;

use super::PixelSize;
use super::lengths::Fault;
use super::metadata::Metadata;

/// What stands in a file and next to it.
#[derive(Default)]
pub(super) struct Statements {
    pub sizes: Vec<PixelSize>,
    /// May be pixel sizes, but which cannot be known.
    pub unusable: Vec<String>,
    /// Look like pixel sizes and are none.
    pub remarks: Vec<String>,
}

impl Statements {
    /// In the order of the vendors: their own tags first, then what other programs may have added since.
    pub fn of(m: &Metadata) -> Self {
        let mut all = Self { unusable: m.unreadable.clone(), ..Self::default() };
        let vendors = [
            fei::read,
            zeiss::read,
            tescan::read,
            hitachi::read,
            jeol::read,
            olympus::read,
            gatan::read,
            ome::read,
            imagej::read,
        ];
        vendors.iter().for_each(|vendor| vendor(m, &mut all));
        all
    }

    /// Adds what one place says.
    fn add(&mut self, place: &str, statement: Result<Option<PixelSize>, Fault>) {
        match statement {
            Ok(size) => self.sizes.extend(size),
            Err(Fault::NoScale(reason)) => self.remarks.push(format!("{place} {reason}")),
            Err(Fault::Unreadable(reason)) => self.unusable.push(format!("{place} {reason}")),
        }
    }

    /// Adds what a sidecar says.
    fn add_beside(&mut self, name: &str, statement: Result<Option<PixelSize>, Fault>) {
        let named = |size| PixelSize { sidecar: Some(name.to_owned()), ..size };
        self.add(name, statement.map(|size| size.map(named)));
    }
}

fn plain(vendor: &'static str, place: &'static str, nm_x: f64, nm_y: f64) -> PixelSize {
    PixelSize {
        nm_x,
        nm_y,
        vendor,
        place,
        sidecar: None,
        written_for_px: None,
        data_bar_px: None,
        scale_bar_nm: None,
    }
}
