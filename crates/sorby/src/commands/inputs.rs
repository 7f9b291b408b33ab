//! What several verbs take: devices, inference options, lists of images, classes.

use crate::args::{DeviceArg, GivenScale, InferenceArgs};
use anyhow::{Context as _, bail};
use sorby_data::{Dataset, Entry, Manifest};
use sorby_image::scale::{CREDIBLE_NM, SCALE_TOLERANCE};
use sorby_image::{Said, ScaleClaim};
use sorby_infer::{Backend, Device, Model, Options, TTA_RATIOS};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

pub fn device(arg: &DeviceArg) -> anyhow::Result<Device> {
    sorby_nn::ops::use_stock_operations(arg.stock_operations);
    let Some(backend) = Backend::from_name(&arg.device) else {
        let names: Vec<_> = Backend::ALL.iter().map(|b| b.name()).collect();
        bail!("--device {}: unknown; choose one of {}", arg.device, names.join(", "));
    };
    let name = backend.name();
    backend.open().with_context(|| {
        format!(
            "--device {name}: not in this program; build it with `cargo build --release --features {name}`"
        )
    })
}

/// Inference options: the model's own unless the user says otherwise.
pub fn options(args: &InferenceArgs, model: &Model) -> anyhow::Result<Options> {
    let mut options = Options::of(&model.card);
    options.crop_px = args.window.unwrap_or(options.crop_px);
    options.stride_px = args.stride.unwrap_or(options.stride_px.min(options.crop_px));
    if options.crop_px < 32 {
        bail!("--window must be at least 32 pixels");
    }
    if options.stride_px == 0 || options.stride_px > options.crop_px {
        bail!("--stride must be from 1 to the window's {} pixels", options.crop_px);
    }
    options.ratios = if args.tta { TTA_RATIOS.to_vec() } else { Vec::new() };
    options.flip = args.flip;
    Ok(options)
}

/// Image files named directly or found in named folders, in order. Hidden and non-image files of
/// folders are passed over; a file named directly must exist.
pub fn images(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = fs_err::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
            let mut found: Vec<PathBuf> = entries.into_iter().map(|e| e.path()).collect();
            found.retain(|p| p.is_file() && sorby_image::is_image(p) && !stem(p).starts_with('.'));
            found.sort();
            if found.is_empty() {
                bail!("{}: no PNG, TIFF, JPEG or BMP images in this folder", path.display());
            }
            out.extend(found);
        } else if path.is_file() {
            out.push(path.clone());
        } else {
            bail!("{}: no such file or folder", path.display());
        }
    }
    for (i, path) in out.iter().enumerate() {
        if let Some(other) = out[..i].iter().find(|p| p.file_stem() == path.file_stem()) {
            bail!(
                "{} and {} have the same name; their results would overwrite each other",
                other.display(),
                path.display()
            );
        }
    }
    Ok(out)
}

/// File name without ending.
pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The image file of this name in a folder, whatever its ending.
pub fn find_by_stem(folder: &Path, stem: &str) -> anyhow::Result<Option<PathBuf>> {
    let entries = fs_err::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut found: Vec<PathBuf> = entries
        .into_iter()
        .map(|e| e.path())
        .filter(|p| sorby_image::is_image(p) && p.file_stem().is_some_and(|s| s.to_string_lossy() == stem))
        .collect();
    found.sort();
    if let [one, another, ..] = &found[..] {
        bail!(
            "{} and {} have the same name, and which is meant is not known; leave one of them",
            one.display(),
            another.display()
        );
    }
    Ok(found.into_iter().next())
}

/// Index of a class given by name or number.
///
/// # Errors
/// When there is no such class, or a class's name is the number of another.
pub fn class_index(text: &str, names: &[String]) -> anyhow::Result<u8> {
    if let Some(index) = names.iter().position(|n| n == text) {
        if let Some(other) = text.parse::<usize>().ok().filter(|i| *i != index).and_then(|i| names.get(i)) {
            bail!(
                "--class {text}: is the name of class {index}, and the number of class `{other}`; rename the classes"
            );
        }
        return Ok(index as u8);
    }
    match text.parse::<u8>() {
        Ok(sorby_image::IGNORE) => bail!("--class 255: is no class; 255 stands for pixels that are left out"),
        Ok(index) if names.is_empty() || usize::from(index) < names.len() => Ok(index),
        _ if names.is_empty() => bail!("--class {text}: give the class's index, or --data for class names"),
        _ => bail!("--class {text}: no such class; the classes are {}", names.join(", ")),
    }
}

pub fn open(path: &Path) -> anyhow::Result<Dataset> {
    Ok(Dataset::open(path)?)
}

/// Says what is wrong or strange in the data, before hours go into it; gives what was found.
pub fn warn_of(dataset: &Dataset) -> sorby_data::Summary {
    const SHOWN: usize = 5;
    let summary = sorby_data::check(dataset);
    for problem in summary.problems.iter().take(SHOWN) {
        eprintln!("warning: {problem}");
    }
    let (more, strange) = (summary.problems.len().saturating_sub(SHOWN), summary.remarks.len());
    if more + strange > 0 {
        eprintln!("{more} more problems and {strange} things to look at in the data: see `sorby data check`");
    }
    summary
}

/// A model can be scored only on labels of its own classes.
pub fn require_same_classes(model: &Model, data: &Dataset) -> anyhow::Result<()> {
    let (ours, theirs) = (&model.card.classes, data.manifest.class_names());
    if *ours != theirs {
        bail!("the model knows the classes {} but the data set has {}", ours.join(", "), theirs.join(", "));
    }
    Ok(())
}

/// A pixel size given by hand must be one.
pub fn require_positive(nm_per_px: Option<f64>) -> anyhow::Result<()> {
    within("--nm-per-px", &CREDIBLE_NM, nm_per_px)
}

/// Lengths of a scale bar, up to a metre.
const BAR_NM: RangeInclusive<f64> = 1e-3..=1e9;

fn within(name: &str, range: &RangeInclusive<f64>, value_nm: Option<f64>) -> anyhow::Result<()> {
    match value_nm.filter(|v| !range.contains(v)) {
        Some(bad) => bail!(
            "{name} must be a positive number of nanometres from {} to {}, not {bad:?}",
            range.start(),
            range.end()
        ),
        None => Ok(()),
    }
}

/// What the user and a data set say of the scale of pictures.
pub struct SaidOutside {
    user: Said,
    data: Option<(Manifest, Vec<Entry>)>,
}

impl GivenScale {
    /// What the user says of the pictures' scale, and the data set that is named.
    ///
    /// # Errors
    /// For numbers that are no lengths, and a data set that cannot be read.
    pub fn said(&self) -> anyhow::Result<SaidOutside> {
        require_positive(self.nm_per_px)?;
        within("--bar-nm", &BAR_NM, self.bar_nm)?;
        let claims = user_claim(self.nm_per_px).into_iter().collect();
        let user = Said { claims, bar_nm: self.bar_nm, no_data_bar: self.no_data_bar };
        Ok(SaidOutside { user, data: self.data.as_deref().map(sorby_data::entries_of).transpose()? })
    }
}

impl SaidOutside {
    /// What is said of one picture outside its file. The data set speaks of its own images only.
    pub fn of(&self, file: &Path) -> Said {
        let mut said = self.user.clone();
        let Some((manifest, entries)) = &self.data else { return said };
        let real = std::fs::canonicalize(file).ok();
        let same = |e: &&Entry| {
            e.image.file_name() == file.file_name() && std::fs::canonicalize(&e.image).ok() == real
        };
        if let Some(entry) = entries.iter().find(same) {
            let listed = entry.said(manifest);
            said.claims.extend(listed.claims);
            said.no_data_bar |= listed.no_data_bar;
        }
        said
    }
}

/// The pixel size that the user gives.
pub fn user_claim(nm_per_px: Option<f64>) -> Option<ScaleClaim> {
    nm_per_px.map(|nm| ScaleClaim::new(nm, "--nm-per-px"))
}

/// Whether a pixel size is among those a model was trained on; where one of them is not known, nothing speaks
/// against it.
pub fn in_range(nm_per_px: Option<f64>, trained: Option<(f64, f64)>) -> bool {
    nm_per_px.zip(trained).is_none_or(|(nm, (low, high))| {
        nm >= low / (1.0 + SCALE_TOLERANCE) && nm <= high * (1.0 + SCALE_TOLERANCE)
    })
}
