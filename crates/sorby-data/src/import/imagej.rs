//! ImageJ's regions of interest: `a.roi`, `a.zip`, `a-RoiSet.zip` or `RoiSet_a.zip` next to `a.tif`.

use super::roi::{Region, region};
use super::shapes::Shape;
use super::source_files::{bytes, files_below, folder_of, place, stem};
use super::{Drawing, Imported, Source, archive};
use crate::problem::{DataError, Problem};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let mut drawing = Drawing::new(source);
    let class = drawing.class(source.class);
    for file in files_below(source.path, &["roi", "zip"]) {
        let image = match (image_of(&drawing, &file), only_one(&drawing, &file)) {
            (Ok(image), _) => image,
            (Err(_), Some(image)) => {
                let what = format!(
                    "names no image; its regions are taken for those of {}, the only one there",
                    image.display()
                );
                drawing.remark(&file, what);
                image
            }
            (Err(what), None) => {
                drawing.problem(&file, what);
                continue;
            }
        };
        let (mut shapes, mut whole, mut groups) = (Vec::new(), true, BTreeSet::new());
        let read = each_region(&file, &mut |entry, content| match region(content) {
            Ok(Region::Area { area, group }) => {
                groups.insert(group);
                shapes.push(Shape { class, object: shapes.len(), area });
            }
            Ok(Region::NoArea(what)) => {
                drawing
                    .remark(&file, format!("region `{entry}` is {what}, without area, and is passed over"));
            }
            Err(what) => {
                whole = false;
                drawing.refuse(&file, format!("region `{entry}` {what}"));
            }
        });
        if groups.len() > 1 {
            let groups: Vec<String> = groups.iter().map(u8::to_string).collect();
            let what =
                format!("has regions of groups {}; all become class `{}`", groups.join(", "), source.class);
            drawing.remark(&file, what);
        }
        match read {
            Ok(0) => drawing.problem(&file, "holds no region (.roi)"),
            Ok(_) if whole => drawing.add(&file, image, None, &shapes, None),
            Ok(_) => {}
            Err(problem) => drawing.problems.push(problem),
        }
    }
    Ok(drawing.finish())
}

/// Whether an archive is one of ImageJ's.
pub(super) fn is_archive(file: &Path) -> bool {
    archive::holds(file, &["roi"])
}

/// The image of the same name, or of the name without what is put around it for regions.
fn image_of(drawing: &Drawing, file: &Path) -> Result<PathBuf, String> {
    let name = stem(file);
    let words = ["-RoiSet", "_RoiSet", "RoiSet-", "RoiSet_", "_rois", "-rois"];
    let bare =
        words.iter().fold(name.as_str(), |n, w| n.strip_suffix(w).or_else(|| n.strip_prefix(w)).unwrap_or(n));
    let beside = place(folder_of(drawing.source.path), file);
    let of = |name: &str| drawing.pictures.of_stem(name, &beside, file).map(|found| found.path.to_owned());
    of(&name)
        .or_else(|first| if bare == name { Err(first) } else { of(bare) })
        .map_err(|what| format!("its image `{bare}` {what}"))
}

/// The only image there may be for a file that has the name ImageJ proposes, which names none.
fn only_one(drawing: &Drawing, file: &Path) -> Option<PathBuf> {
    let elsewhere = drawing.source.images.is_some();
    let mut beside = drawing.pictures.paths().filter(|image| elsewhere || image.parent() == file.parent());
    let image = beside.next().filter(|_| stem(file).eq_ignore_ascii_case("RoiSet"))?;
    beside.next().is_none().then(|| image.to_owned())
}

/// Gives each region with its name to `each`; says how many there are.
fn each_region(file: &Path, each: &mut dyn FnMut(&str, &[u8])) -> Result<usize, Problem> {
    if file.extension().is_some_and(|e| e.eq_ignore_ascii_case("roi")) {
        each(&stem(file), &bytes(file)?);
        return Ok(1);
    }
    archive::each_entry(file, &["roi"], each)
}
