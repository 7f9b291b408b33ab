//! A job file as a supervisor reads and edits it: each key with its unit and what it does.

use super::{ClassRules, Job, LengthUnit, NamedFile};

/// A text in quotes, as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|t| quoted(t)).collect::<Vec<_>>().join(", "))
}

/// `key = value`, or the same as a comment where there is none.
fn optional(key: &str, value: Option<impl std::fmt::Display>, example: &str, what: &str) -> String {
    match value {
        Some(value) => format!("{key} = {value}    # {what}\n"),
        None => format!("# {key} = {example}    # {what}\n"),
    }
}

fn number(value: f64) -> String {
    toml::Value::Float(value).to_string()
}

fn named(table: &str, file: &NamedFile, what: &str) -> String {
    format!("[{table}]    # {what}\nfile = {}\nsha256 = \"{}\"\n", quoted(&file.file), file.sha256)
}

/// The file of a job, without its lock.
pub(super) fn job_text(job: &Job) -> String {
    let (s, scale, r) = (&job.segmentation, &job.scale, &job.report);
    let mut out = format!(
        "# A job of Sorby: how images are segmented, measured and reported. It is locked: after an edit it is refused until\n\
         # `sorby job lock FILE` makes it the next version. Comments and empty lines may be changed at any time.\n\
         format = {}\nname = {}\nversion = {}\n\n",
        job.format,
        quoted(&job.name),
        job.version
    );
    out += &named("model", &job.model, "as seen from the folder of this file");
    out += &format!(
        "\n[segmentation]\nwindow_px = {}\nstride_px = {}\ntta = {}            # average over six image scales\n\
         flip = {}           # average over mirrored images\n\
         match_scale = {}    # bring images of another pixel size to that of the training\n",
        s.window_px, s.stride_px, s.tta, s.flip, s.match_scale
    );
    out +=
        &format!("\n[scale]\nrequired = {}    # images without a pixel size are left out\n", scale.required);
    out += &optional(
        "nm_per_px",
        scale.nm_per_px.map(number),
        "7.344",
        "of every image, where files do not state it",
    );
    out += &optional(
        "from_nm_per_px",
        scale.from_nm_per_px.map(number),
        "7.0",
        "images of smaller pixels are left out",
    );
    out += &optional(
        "to_nm_per_px",
        scale.to_nm_per_px.map(number),
        "7.7",
        "images of larger pixels are left out",
    );
    out += &format!(
        "accuracy_percent = {}    # 95 % half width of the pixel size\naccuracy_from = {}\n\
         data_bar = {}    # a data bar at the bottom is looked for and is no part of the field\n",
        number(scale.accuracy_percent),
        quoted(&scale.accuracy_from),
        scale.data_bar
    );
    out += &format!(
        "\n[fields]\nwanted = {}    # fewer measured fields are warned of\n\
         accuracy_percent = {}    # relative accuracy aimed at (ASTM E562 uses 10)\n",
        job.fields.wanted,
        number(job.fields.accuracy_percent)
    );
    job.measure.iter().for_each(|rules| out += &class_text(rules));
    let unit = match r.length_unit {
        LengthUnit::Nm => "nm",
        LengthUnit::Um => "um",
        LengthUnit::Auto => "auto",
    };
    out += &format!(
        "\n[report]\nlength_unit = \"{unit}\"    # nm, um, or auto\npaper = \"{}\"    # a4 or letter\n\
         required = {}    # lines of the header that the operator must give (--set lot=\"Heat 12\")\n",
        r.paper.name(),
        list(&r.required)
    );
    out += "\n[header]    # the same for every lot; an empty line is filled in by --set or by hand\n";
    for (key, value) in &job.header {
        out += &format!("{} = {}\n", quoted(key), quoted(value));
    }
    out
}

fn class_text(rules: &ClassRules) -> String {
    let quantities: Vec<String> = rules
        .quantities
        .iter()
        .filter_map(|q| Some(serde_json::to_value(q).ok()?.as_str()?.to_owned()))
        .collect();
    let mut out = format!(
        "\n[[measure]]\nclass = {}\nsmallest_px = {}    # objects of fewer pixels are left out of counts and sizes\n\
         connectivity = {}    # 8: pixels that touch at corners belong together; 4: only at edges\n\
         edges = {}    # objects cut by the edge: weighted, frame (both without bias), exclude, all\n",
        quoted(&rules.class),
        rules.smallest_px,
        rules.connectivity,
        quoted(&rules.edges)
    );
    out += &optional(
        "split_px",
        rules.split_px.map(number),
        "2.0",
        "take touching objects apart by this half width",
    );
    out += &format!(
        "grains = {}    # give the grain size (ASTM E112, ISO 643)\nquantities = {}    # of the first page\n\
         # for example [\"mean diameter 250 to 400 nm\", \"area fraction at most 3 %\"]\nlimits = {}\n",
        rules.grains,
        list(&quantities),
        list(&rules.limits)
    );
    if let Some(calibration) = &rules.calibration {
        out += &named("measure.calibration", calibration, "errors of the segmentation on labelled images");
    }
    out
}
