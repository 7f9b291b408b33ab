//! What is chosen for a verb in a form of the page, and the options of the program that say it.

use super::words;
use serde::Deserialize;
use sorby::MeasureOptions;
use std::collections::BTreeMap;
use std::ffi::OsString;

/// Which objects of a class are measured, while they are looked at and in tables alike.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ObjectChoice {
    /// Objects of fewer pixels are left out.
    pub min_area_px: u64,
    /// Objects that touch the edge are left out, from counts too.
    pub exclude_edge: bool,
    /// Touching objects are taken apart where they narrow by this half width.
    pub split_depth_px: Option<f64>,
}

impl ObjectChoice {
    /// As options of a measurement in this process.
    pub(crate) fn options(&self) -> MeasureOptions {
        MeasureOptions {
            min_area_px: self.min_area_px,
            exclude_edge: self.exclude_edge,
            split_depth_px: self.split_depth_px,
            ..MeasureOptions::default()
        }
    }

    /// As arguments of `sorby measure`.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let mut line = Vec::new();
        if self.min_area_px > 0 {
            line.extend(words(&["--min-area-px", &self.min_area_px.to_string()]));
        }
        if self.exclude_edge {
            line.extend(words(&["--exclude-edge"]));
        }
        if let Some(depth) = self.split_depth_px {
            line.extend(words(&["--split", &depth.to_string()]));
        }
        line
    }
}

/// What a supervisor settles for a job, beyond its model and its name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct JobRules {
    /// Classes to measure; none: every one but the first.
    pub classes: Vec<String>,
    /// Sentences such as `area fraction at most 3 %`.
    pub limits: Vec<String>,
    /// Fields that are wanted.
    pub fields: Option<u16>,
    /// Relative accuracy that is aimed at, in percent.
    pub accuracy_percent: Option<f64>,
    /// Objects of fewer pixels are left out.
    pub min_area_px: Option<u64>,
    /// Pixel size of every image, where the files do not state it.
    pub nm_per_px: Option<f64>,
    /// Pixel sizes that are allowed, in nanometres.
    pub pixel_sizes: Option<(f64, f64)>,
    /// Lines of the header that are the same for every lot.
    pub header: BTreeMap<String, String>,
    /// Lines of the header that the operator must give.
    pub ask: Vec<String>,
}

impl JobRules {
    /// As arguments of `sorby job new`.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let mut line = Vec::new();
        let mut say = |option: &str, value: &str| line.push(OsString::from(format!("--{option}={value}")));
        self.classes.iter().for_each(|class| say("class", class));
        self.limits.iter().for_each(|limit| say("limit", limit));
        self.fields.iter().for_each(|n| say("fields", &n.to_string()));
        self.accuracy_percent.iter().for_each(|a| say("accuracy", &a.to_string()));
        self.min_area_px.iter().for_each(|px| say("min-area-px", &px.to_string()));
        self.nm_per_px.iter().for_each(|nm| say("nm-per-px", &nm.to_string()));
        self.pixel_sizes.iter().for_each(|(from, to)| say("pixel-sizes", &format!("{from},{to}")));
        self.header.iter().for_each(|(key, value)| say("set", &format!("{key}={value}")));
        self.ask.iter().for_each(|key| say("ask", key));
        line
    }
}
