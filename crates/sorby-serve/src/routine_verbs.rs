//! From what a form of the routine says to the verb that does it.

use crate::error::{Answer, Refusal};
use crate::project::Project;
use crate::routine::{JOBS, LOTS, job_files, read_job};
use crate::verbs::{JobRules, Verb};
use crate::work::folder_name;
use crate::{lot_images, runs};
use axum::http::StatusCode;
use sorby::job::{Limit, class_and_sentence};
use sorby::lot::HEADER_OF_IMAGES;
use sorby_image::files;
use std::collections::BTreeMap;

/// Letters of a line of a header.
const LONGEST_LINE: usize = 300;

/// `sorby job new` of a run of this project. What is not understood is said before it is started.
pub fn new_job(project: &Project, run: &str, name: &str, rules: JobRules) -> Answer<(Verb, String)> {
    let name = folder_name(name)?.to_owned();
    let out = format!("{JOBS}/{name}.toml");
    if files::is_file(&project.root.join(&out)) {
        let there = format!("there is a job `{name}` already; choose another name");
        return Err(Refusal::new(StatusCode::CONFLICT, there));
    }
    for limit in &rules.limits {
        Limit::parse(class_and_sentence(limit).1).map_err(|e| Refusal::bad(e.to_string()))?;
    }
    check_header(&rules.header)?;
    rules.ask.iter().try_for_each(|key| check_key(key))?;
    let positive = |v: &f64| v.is_finite() && *v > 0.0;
    let numbers = [
        rules.nm_per_px,
        rules.accuracy_percent,
        rules.pixel_sizes.map(|p| p.0),
        rules.pixel_sizes.map(|p| p.1),
    ];
    if !numbers.iter().flatten().all(positive) || rules.fields == Some(0) {
        return Err(Refusal::bad("pixel sizes, accuracy and fields must be numbers above 0"));
    }
    if rules.pixel_sizes.is_some_and(|(from, to)| from > to) {
        return Err(Refusal::bad("the smallest pixel size allowed is above the largest one"));
    }
    let title = format!("Making the job {name}");
    Ok((Verb::JobNew { run: runs::model_file(project, run)?, name, out, rules }, title))
}

/// `sorby run` of the images in `lots-in/LOT`.
pub fn lot(
    project: &Project,
    job: &str,
    lot: &str,
    mut header: BTreeMap<String, String>,
    pdf: bool,
) -> Answer<(Verb, String)> {
    let lot = folder_name(lot)?;
    if !job_files(project).iter().any(|name| name == job) {
        return Err(Refusal::not_found(format!("no job `{job}`")));
    }
    let said = read_job(project, job)?;
    header.retain(|_, value| !value.trim().is_empty());
    check_header(&header)?;
    let known = |key: &String| said.header.get(key).is_some_and(|v| !v.trim().is_empty());
    let missing = |key: &&String| {
        !header.contains_key(*key) && !known(key) && !HEADER_OF_IMAGES.contains(&key.as_str())
    };
    if let Some(key) = said.report.required.iter().find(missing) {
        return Err(Refusal::bad(format!("the job asks for `{key}`: fill it in")));
    }
    if lot_images::images(project, lot)?.is_empty() {
        return Err(Refusal::bad(format!("there are no images of the lot `{lot}` yet: add them first")));
    }
    let images = format!("{}/{lot}", lot_images::FOLDER);
    let (job, out) = (format!("{JOBS}/{job}.toml"), format!("{LOTS}/{lot}"));
    Ok((Verb::RunLot { job, images, out, header, pdf }, format!("Measuring the lot {lot}")))
}

fn check_header(header: &BTreeMap<String, String>) -> Answer<()> {
    for (key, value) in header {
        check_key(key)?;
        if value.chars().count() > LONGEST_LINE || value.contains(char::is_control) {
            let what = format!("`{key}` must be one line of at most {LONGEST_LINE} letters");
            return Err(Refusal::bad(what));
        }
    }
    Ok(())
}

/// As `--set` takes them.
fn check_key(key: &str) -> Answer<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if key.is_empty() || key.len() > 40 || !key.chars().all(good) {
        return Err(Refusal::bad(format!("`{key}` is no name of a line: use letters, digits and _")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_job_cannot_say_is_refused_before_it_is_started() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("models")).unwrap();
        std::fs::write(dir.path().join("models/m.safetensors"), b"x").unwrap();
        let project = Project::open(dir.path()).unwrap();
        let said = |rules: JobRules| new_job(&project, "m", "j", rules).map(|_| ()).map_err(|r| r.what);
        assert!(said(JobRules::default()).is_ok());
        let limits = |text: &str| JobRules { limits: vec![text.into()], ..JobRules::default() };
        assert!(said(limits("carbide: area fraction at most 3 %")).is_ok());
        assert!(said(limits("size small")).unwrap_err().contains("begins with no quantity"));
        let sizes = JobRules { pixel_sizes: Some((8.0, 7.0)), ..JobRules::default() };
        assert!(said(sizes).unwrap_err().contains("above the largest"));
        let ask = JobRules { ask: vec!["a b".into()], ..JobRules::default() };
        assert!(said(ask).is_err());
        assert!(new_job(&project, "m", "../j", JobRules::default()).is_err());
        assert!(new_job(&project, "none", "j", JobRules::default()).is_err());
        let nothing = lot(&project, "j", "l", BTreeMap::new(), false).map(|_| ()).unwrap_err();
        assert_eq!(nothing.what, "no job `j`");
    }
}
