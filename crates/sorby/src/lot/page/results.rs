//! Results and limits.

use super::super::class_result::ClassResult;
use super::super::quantity::{QuantityResult, Standing};
use super::super::record::LotRecord;
use super::super::rounding::significant;
use super::super::units::length;
use crate::job::{Limit, Verdict};
use sorby_report::{Section, sheet_table};
use std::f64::consts::PI;

/// For each class: what was found, how sure it is, and the limits.
pub fn sections(record: &LotRecord) -> Vec<Section> {
    record.classes.iter().flat_map(|class| [Some(results(class)), limits(class)]).flatten().collect()
}

fn results(class: &ClassResult) -> Section {
    let chosen = |q: &&QuantityResult| class.rules.quantities.contains(&q.estimate.quantity);
    let quantities: Vec<&QuantityResult> = class.quantities.iter().filter(chosen).collect();
    let mut text = remarks(&quantities) + &counts(class);
    text += &class.diameter_to_quote().map_or(String::new(), |s| format!("\n{s}"));
    text += &grain_size(class);
    // By size of the particles it follows behind: the first page has to hold the limits and the signatures too.
    if let Some(sentence) = class.segmentation.first() {
        text += &format!("\n{sentence}");
    }
    Section {
        heading: format!("Result: {}", class.class),
        text,
        blocks: vec![table(&quantities)],
        ..Section::default()
    }
}

/// Number of fields, area, particles, and which of them count.
fn counts(class: &ClassResult) -> String {
    let fields = if class.fields == 1 { "1 field".to_owned() } else { format!("{} fields", class.fields) };
    let mut text = format!(
        "{fields} with a total area of {}; {} particles counted, {} of them cut by the edge of a field.",
        class.area_words(),
        class.counted,
        class.cut
    );
    if class.rules.smallest_px > 0 {
        text += &format!(" {}", smallest(class));
    }
    if let Some(sd) = &class.diameter_sd {
        text += &format!(" Standard deviation of the particles' equivalent diameters, as measured: {sd}.");
    }
    text
}

/// Which particles are too small to count.
pub fn smallest(class: &ClassResult) -> String {
    let px = class.rules.smallest_px;
    let diameter = class.nm_per_px.map_or(String::new(), |nm| {
        format!(" (equivalent diameter {})", length(2.0 * (px as f64 / PI).sqrt() * nm, 3))
    });
    format!(
        "Particles of fewer than {px} pixels{diameter} are left out of numbers and sizes, not of the area fraction."
    )
}

fn grain_size(class: &ClassResult) -> String {
    let told = |g: &sorby_measure::GrainSize| {
        let within = |half: Option<f64>| half.map_or(String::new(), |h| format!(" ± {h:.2}"));
        format!(
            "\nGrain size number G = {:.2}{} by counting (ASTM E112; {} grains per mm²; ISO 643: {:.2}), G = {:.2}{} by intercepts \
             (mean {} µm){}. {}",
            g.g_planimetric,
            within(g.g_planimetric_half_width),
            significant(g.grains_per_mm2, 3),
            g.g_iso_643,
            g.g_intercept,
            within(g.g_intercept_half_width),
            significant(g.mean_lineal_intercept_um, 3),
            if g.g_planimetric_half_width.is_some() { "; ±: 95 % interval between fields" } else { "" },
            largest_grain(g, &class.images)
        )
    };
    match &class.grain_size {
        Some(g) => told(g),
        None if class.rules.grains => {
            "\nNo grain size: it needs the pixel size of every image, and grains.".to_owned()
        }
        None => String::new(),
    }
}

/// What ASTM E930 asks to be stated.
fn largest_grain(g: &sorby_measure::GrainSize, images: &[String]) -> String {
    let cut = "a larger grain is cut by the edge of an image: the largest grain is not known";
    match &g.largest {
        None => format!("No largest grain (ASTM E930): {cut}."),
        Some(largest) => format!(
            "Largest grain that lies whole in an image (ASTM E930): {} µm², ALA G = {:.1}, in {}{}.",
            significant(largest.area_um2, 3),
            largest.g,
            images.get(largest.field).map_or("-", String::as_str),
            if g.larger_is_cut { format!("; {cut}") } else { String::new() }
        ),
    }
}

fn table(quantities: &[&QuantityResult]) -> String {
    let head = [
        "Quantity",
        "Value ± half width of the 95 % interval",
        "Standard deviation between fields",
        "Relative accuracy",
        "of it between fields",
        "of it segmentation",
        "of it pixel size",
    ];
    let row = |q: &&QuantityResult| {
        let [fields, segmentation, pixel] = q.part_words();
        let accuracy = q.accuracy_words();
        let value = match q.standing() {
            Standing::TooWide => format!("no result ({})", q.value_words()),
            _ => q.value_words(),
        };
        vec![q.shown.name.to_owned(), value, q.field_sd_words(), accuracy, fields, segmentation, pixel]
    };
    let rows = std::iter::once(head.map(str::to_owned).to_vec()).chain(quantities.iter().map(row));
    sheet_table(&rows.collect::<Vec<_>>())
}

/// A line for each quantity of which something must be said.
fn remarks(quantities: &[&QuantityResult]) -> String {
    let line = |q: &&QuantityResult| {
        Some(q.remark()).filter(|r| !r.is_empty()).map(|r| format!("{}: {r}.\n", capital(q.shown.name)))
    };
    quantities.iter().filter_map(line).collect()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

fn limits(class: &ClassResult) -> Option<Section> {
    if class.limits.is_empty() {
        return None;
    }
    let row = |(limit, verdict): &(Limit, Verdict)| {
        let measured = class.quantity(limit.quantity);
        vec![
            limit.text.clone(),
            measured.map_or("not measured".into(), QuantityResult::value_words),
            measured.map_or(String::new(), QuantityResult::interval_words),
            match verdict {
                Verdict::Within => "within".to_owned(),
                Verdict::Outside => "outside".to_owned(),
                Verdict::Undecided => "undecided: the interval spans the limit, or is not known".to_owned(),
            },
        ]
    };
    let head = ["Limit", "Measured", "95 % interval", "Verdict"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(class.limits.iter().map(row)).collect();
    Some(Section {
        heading: format!("Limits: {}", class.class),
        blocks: vec![sheet_table(&rows)],
        ..Section::default()
    })
}

/// What labelled images teach of particles of each size.
pub fn errors_by_size(record: &LotRecord) -> Vec<Section> {
    let of = |class: &ClassResult| {
        let by_size = class.segmentation.get(1..).filter(|s| !s.is_empty())?;
        let heading = format!("Segmentation error by size: {}", class.class);
        Some(Section { heading, text: by_size.join("\n"), ..Section::default() })
    };
    record.classes.iter().filter_map(of).collect()
}

/// The quantities that are not on the first page.
pub fn other_quantities(record: &LotRecord) -> Vec<Section> {
    let of = |class: &ClassResult| {
        let other = |q: &&QuantityResult| !class.rules.quantities.contains(&q.estimate.quantity);
        let quantities: Vec<&QuantityResult> = class.quantities.iter().filter(other).collect();
        let section = Section {
            heading: format!("Further quantities: {}", class.class),
            text: remarks(&quantities),
            blocks: vec![table(&quantities)],
            ..Section::default()
        };
        (!quantities.is_empty()).then_some(section)
    };
    record.classes.iter().filter_map(of).collect()
}
