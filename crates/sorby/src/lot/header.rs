//! The header of a report: what the operator says, what the images' files say, and what the job says for every lot.

use crate::Result;
use crate::error::refuse;
use crate::job::Job;
use sorby_image::scale::Instrument;
use std::collections::BTreeMap;

/// Lines of every report, in this order: key of `--set`, and its name on paper.
pub const FIELDS: [(&str, &str); 12] = [
    ("lot", "Lot or heat"),
    ("specimen", "Specimen"),
    ("plane", "Plane of section"),
    ("etch", "Etch"),
    ("customer", "Customer"),
    ("order", "Order"),
    ("operator", "Operator"),
    ("instrument", "Instrument"),
    ("voltage", "Accelerating voltage"),
    ("working_distance", "Working distance"),
    ("detector", "Detector"),
    ("magnification", "Magnification (as stated)"),
];

/// Keys of the lines that the images' files may state.
pub const STATED: [&str; 5] = ["instrument", "voltage", "working_distance", "detector", "magnification"];

/// One line; an empty value is filled in by hand.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct HeaderLine {
    pub key: String,
    pub name: String,
    pub value: String,
    /// `operator`, `images`, `job`; empty where there is no value.
    pub source: &'static str,
}

/// The header, and what in it should be looked at.
pub struct Header {
    pub lines: Vec<HeaderLine>,
    pub warnings: Vec<String>,
}

/// Lines that the job knows besides [`FIELDS`].
fn own_keys(job: &Job) -> impl Iterator<Item = &String> {
    let known = |key: &&String| !FIELDS.iter().any(|f| f.0 == key.as_str());
    let mut keys: Vec<&String> = job.header.keys().chain(&job.report.required).filter(known).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
}

/// Every line that the header of a job's lots has, as key and name: [`FIELDS`], then the job's own.
pub fn lines_of(job: &Job) -> impl Iterator<Item = (&str, String)> {
    let fields = FIELDS.iter().map(|(key, name)| (*key, (*name).to_owned()));
    fields.chain(own_keys(job).map(|key| (key.as_str(), key.replace('_', " "))))
}

/// Refuses values for lines that the header has not.
pub fn check_names(job: &Job, given: &BTreeMap<String, String>) -> Result<()> {
    let names: Vec<&str> = lines_of(job).map(|(key, _)| key).collect();
    for key in given.keys() {
        if !names.contains(&key.as_str()) {
            refuse!("--set {key}: the header has no such line; it has {}", names.join(", "));
        }
    }
    Ok(())
}

impl Header {
    /// # Errors
    /// When a line that the job requires has no value.
    pub fn of(job: &Job, given: &BTreeMap<String, String>, instruments: &[Instrument]) -> Result<Self> {
        let mut header = Self { lines: Vec::new(), warnings: Vec::new() };
        for (key, name) in lines_of(job) {
            let stated = stated(key, instruments);
            let given = given.get(key).map(|v| v.trim()).filter(|v| !v.is_empty());
            let fixed = job.header.get(key).map(|v| v.trim()).filter(|v| !v.is_empty());
            if let (Some(said), Some(stated)) = (given.or(fixed), &stated)
                && contradicts(said, stated)
            {
                header.warnings.push(format!("{name}: `{said}` is given, but the images state {stated}"));
            }
            let (value, source) = match (given, fixed, stated) {
                (Some(value), ..) => (value.to_owned(), "operator"),
                (_, Some(value), _) => (value.to_owned(), "job"),
                (.., Some(value)) => (value, "images"),
                _ => (String::new(), ""),
            };
            if value.is_empty() && job.report.required.iter().any(|r| r == key) {
                refuse!("the job needs the line `{key}` of the header; give it: --set {key}=\"...\"");
            }
            header.lines.push(HeaderLine { key: key.to_owned(), name, value, source });
        }
        Ok(header)
    }

    /// The value of a line, if it has one.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.lines.iter().find(|l| l.key == key).map(|l| l.value.as_str()).filter(|v| !v.is_empty())
    }
}

/// What the images state of a line, with the number of images for each where they differ.
fn stated(key: &str, instruments: &[Instrument]) -> Option<String> {
    if !STATED.contains(&key) {
        return None;
    }
    let one = |i: &Instrument| match key {
        "instrument" => i.name.clone(),
        "voltage" => i.voltage_kv.map(|kv| format!("{} kV", short(kv))),
        "working_distance" => i.working_distance_mm.map(|mm| format!("{} mm", short(mm))),
        "detector" => i.detector.clone(),
        _ => i.magnification.map(|m| format!("{} x", short(m))),
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    instruments.iter().filter_map(one).for_each(|value| *counts.entry(value).or_default() += 1);
    let all = instruments.len();
    let words = |(value, n): (&String, &usize)| {
        if *n == all { value.clone() } else { format!("{value} ({n} of {all} images)") }
    };
    let listed: Vec<String> = counts.iter().map(words).collect();
    (!listed.is_empty()).then(|| listed.join(", "))
}

/// A number as an instrument shows it.
fn short(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    format!("{rounded}")
}

/// Whether two texts begin with numbers that are not the same.
fn contradicts(said: &str, stated: &str) -> bool {
    let number = |text: &str| {
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        text[..end].parse::<f64>().ok()
    };
    // Another unit may be meant.
    let unit = |text: &str| text.trim_start_matches(|c: char| !c.is_alphabetic()).to_owned();
    let (a, b) = (number(said), number(stated));
    a.zip(b).is_some_and(|(a, b)| unit(said).split(' ').next() == unit(stated).split(' ').next() && a != b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::NamedFile;

    fn given(lines: &[(&str, &str)]) -> BTreeMap<String, String> {
        lines.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn instrument(voltage_kv: f64, detector: &str) -> Instrument {
        let detector = Some(detector.to_owned());
        Instrument { voltage_kv: Some(voltage_kv), detector, ..Instrument::default() }
    }

    /// The job of these tests wants `lot` and knows the customer.
    #[test]
    fn each_line_by_who_knows_it() {
        let job = crate::job::tests::job(NamedFile { file: "m".into(), sha256: "ab".into() });
        let images = [instrument(5.0, "InLens"), instrument(5.0, "SE2")];
        let header = Header::of(&job, &given(&[("lot", "Heat 12"), ("etch", " ")]), &images).unwrap();
        let line = |key: &str| {
            let line = header.lines.iter().find(|l| l.key == key).unwrap();
            (line.value.clone(), line.source)
        };
        assert_eq!(line("lot"), ("Heat 12".into(), "operator"));
        assert_eq!(line("customer"), ("Works = 7".into(), "job"));
        assert_eq!(line("voltage"), ("5 kV".into(), "images"));
        assert_eq!(line("detector"), ("InLens (1 of 2 images), SE2 (1 of 2 images)".into(), "images"));
        assert_eq!(line("etch"), (String::new(), ""), "to be filled in by hand");
        assert!(header.warnings.is_empty() && header.value("lot") == Some("Heat 12"));

        let told = Header::of(&job, &given(&[]), &images).map(|_| ()).unwrap_err().to_string();
        assert!(told.contains("--set lot="), "{told}");
        let doubtful = Header::of(&job, &given(&[("lot", "1"), ("voltage", "20 kV")]), &images).unwrap();
        assert_eq!(doubtful.warnings, ["Accelerating voltage: `20 kV` is given, but the images state 5 kV"]);
        assert_eq!(doubtful.value("voltage"), Some("20 kV"));
        assert!(check_names(&job, &given(&[("customer", "x"), ("plane", "L-T")])).is_ok());
        assert!(
            check_names(&job, &given(&[("heat", "x")])).unwrap_err().to_string().contains("no such line")
        );
    }
}
