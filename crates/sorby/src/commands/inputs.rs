//! What several verbs take: devices, inference options, lists of images, classes.

use crate::args::{DeviceArg, GivenScale, InferenceArgs};
use anyhow::{Context as _, bail};
use sorby_data::Dataset;
use sorby_image::Micrograph;
use sorby_infer::{Backend, Device, Model, Options, TTA_RATIOS};
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
    Ok(found.into_iter().next())
}

/// Index of a class given by name or number.
pub fn class_index(text: &str, names: &[String]) -> anyhow::Result<u8> {
    if let Some(index) = names.iter().position(|n| n == text) {
        return Ok(index as u8);
    }
    match text.parse::<u8>() {
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
    positive("--nm-per-px", nm_per_px)
}

fn positive(name: &str, value: Option<f64>) -> anyhow::Result<()> {
    match value.filter(|s| !(s.is_finite() && *s > 0.0)) {
        Some(bad) => bail!("{name} must be a positive number, not {bad}"),
        None => Ok(()),
    }
}

impl GivenScale {
    /// # Errors
    /// For numbers that are no lengths.
    pub fn check(&self) -> anyhow::Result<()> {
        require_positive(self.nm_per_px)?;
        positive("--bar-nm", self.bar_nm)
    }
}

/// Two statements of a pixel size may differ by this share.
const SCALE_TOLERANCE: f64 = 0.02;

/// The pixel size of an image, and where it comes from.
pub struct KnownScale {
    pub nm_per_px: Option<f64>,
    pub source: String,
    /// Rows at the bottom that are no part of the field.
    pub data_bar_px: usize,
}

/// The pixel size that the user gives, or the file states.
///
/// # Errors
/// When the two disagree by more than 2 %, or the file's own cannot be relied on and the user gives none.
pub fn known_scale(file: &Path, image: &Micrograph, given: &GivenScale) -> anyhow::Result<KnownScale> {
    let reading = sorby_image::scale::read(file)?;
    let bar = if given.no_data_bar { None } else { reading.data_bar(image) };
    let place = reading.found.as_ref().map_or("", |f| f.place);
    let stated = reading.nm_per_px().and_then(|nm| reading.check_scale_bar(bar).map(|()| nm));
    let elsewhere = given.nm_per_px.is_some() || matches!(stated, Ok(Some(_)));
    let drawn = given.bar_nm.map(|nm| match bar.and_then(|b| b.scale_bar) {
        Some(bar) => Ok(Some((nm, bar))),
        None if elsewhere => Ok(None),
        None => bail!("{}: no scale bar is found in the picture; give --nm-per-px", file.display()),
    });
    let drawn = drawn.transpose()?.flatten();
    let (nm_per_px, source) = match (given.nm_per_px, drawn, &stated) {
        (Some(given), _, Ok(Some(stated))) => {
            agree(file, (given, "--nm-per-px"), (*stated, place))?;
            (Some(given), "--nm-per-px".to_owned())
        }
        (Some(given), ..) => (Some(given), "--nm-per-px".to_owned()),
        (None, _, Ok(Some(stated))) => (Some(*stated), place.to_owned()),
        (None, Some((nm, bar)), _) => {
            (Some(nm / bar.length_px), format!("--bar-nm over the scale bar's {:.1} pixels", bar.length_px))
        }
        (None, None, Ok(None)) => (None, String::new()),
        (None, None, Err(reason)) => bail!("{}: {reason} (--nm-per-px)", file.display()),
    };
    if let (Some(nm_per_px), Some((nm, bar))) = (nm_per_px, drawn)
        && !bar.agrees(nm, nm_per_px)
    {
        bail!(
            "{}: {source} says {nm_per_px:.4} nm per pixel, but the scale bar of {:.1} pixels for {nm} nm says {:.4}; \
             find out which is right and correct the other",
            file.display(),
            bar.length_px,
            nm / bar.length_px
        );
    }
    let data_bar_px = bar.map_or(0, |b| b.rows_px);
    Ok(KnownScale { nm_per_px, source, data_bar_px })
}

/// Refuses two pixel sizes that disagree.
pub fn agree(file: &Path, one: (f64, &str), other: (f64, &str)) -> anyhow::Result<()> {
    if (one.0 / other.0 - 1.0).abs() > SCALE_TOLERANCE {
        bail!(
            "{}: {} says {:.4} nm per pixel, but {} says {:.4}; find out which is right and correct the other",
            file.display(),
            one.1,
            one.0,
            other.1,
            other.0
        );
    }
    Ok(())
}
