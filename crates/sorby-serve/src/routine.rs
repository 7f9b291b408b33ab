//! The routine: jobs of the project, lots that were measured by them, and whether a lot is still what it was.

use crate::app::{App, Shared, work};
use crate::disposal;
use crate::error::{Answer, Refusal};
use crate::project::Project;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use sorby::job::{Job, LockedJob};
use sorby::lot::{HEADER_FIELDS, HEADER_OF_IMAGES, LOT_FILE, REPORT, header_lines, is_finished, verify_lot};
use sorby_image::{ImageError, files};

/// Folder of the job files.
pub const JOBS: &str = "jobs";
/// Folder of the lots.
pub const LOTS: &str = "lots";

/// `GET /api/routine`: jobs, lots, and the lines that a header can have.
pub async fn get(State(app): State<Shared>) -> Answer<Json<Value>> {
    work(&app, |app| {
        let project = &app.project;
        let jobs: Vec<Value> = job_files(project).iter().map(|file| job(project, file)).collect();
        let lots: Vec<Value> = project.folders(LOTS).iter().map(|name| summary(project, name)).collect();
        Ok(Json(json!({
            "jobs": jobs,
            "lots": lots,
            "lots_in": project.folders(crate::lot_images::FOLDER),
            "header": HEADER_FIELDS,
        })))
    })
    .await
}

/// Names of job files, without their ending.
pub fn job_files(project: &Project) -> Vec<String> {
    let paths = files::entries(&project.root.join(JOBS)).unwrap_or_default();
    let stem = |p: &std::path::PathBuf| p.file_name()?.to_str()?.strip_suffix(".toml").map(str::to_owned);
    let mut names: Vec<String> = paths.iter().filter_map(stem).filter(|n| !n.starts_with('.')).collect();
    names.sort();
    names
}

/// What a job file says; it and the files that it names lie in the project.
pub fn read_job(project: &Project, name: &str) -> Answer<Job> {
    let path = project.root.join(JOBS).join(format!("{name}.toml"));
    project.confine(&path)?;
    let text = files::read_to_string(&path).map_err(|e| ImageError::io(&path, e))?;
    let job = Job::parse(&path, &text)?;
    let calibrations = job.measure.iter().filter_map(|m| m.calibration.as_ref());
    for named in std::iter::once(&job.model).chain(calibrations) {
        project.require_inside(&project.root.join(JOBS).join(&named.file))?;
    }
    Ok(job)
}

/// A job as the page shows it, with the reason why it cannot be used.
fn job(project: &Project, name: &str) -> Value {
    // The page knows places as seen from the project.
    let shown = |refusal: Refusal| refusal.what.replace(&format!("{}/", project.root.display()), "");
    let job = match read_job(project, name) {
        Ok(job) => job,
        Err(refusal) => return json!({"file": name, "name": name, "problem": shown(refusal)}),
    };
    let path = project.root.join(JOBS).join(format!("{name}.toml"));
    let problem = LockedJob::open(&path).err().map(|e| shown(e.into()));
    let class = |m: &sorby::job::ClassRules| json!({"class": m.class, "limits": m.limits, "calibrated": m.calibration.is_some(), "smallest_px": m.smallest_px});
    json!({
        "file": name,
        "name": job.name,
        "version": job.version,
        "problem": problem,
        "model": job.model.file.trim_start_matches("../"),
        "fields": job.fields.wanted,
        "accuracy_percent": job.fields.accuracy_percent,
        "pixel_sizes": [job.scale.from_nm_per_px, job.scale.to_nm_per_px],
        "nm_per_px": job.scale.nm_per_px,
        "classes": job.measure.iter().map(class).collect::<Vec<_>>(),
        "lines": lines(&job),
    })
}

/// Lines of the header that the operator gives: those of every report, and the job's own.
fn lines(job: &Job) -> Vec<Value> {
    let line = |(key, name): (&str, String)| {
        json!({
            "key": key,
            "name": name,
            "value": job.header.get(key).map_or("", String::as_str),
            "asked": job.report.required.iter().any(|asked| asked == key),
            "of_images": HEADER_OF_IMAGES.contains(&key),
        })
    };
    header_lines(job).map(line).collect()
}

/// `lot.json` of a lot; null where there is none.
fn record(project: &Project, name: &str) -> Value {
    let file = project.root.join(LOTS).join(name).join(LOT_FILE);
    let text = files::read(&file).ok();
    text.and_then(|t| serde_json::from_slice(&t).ok()).unwrap_or(Value::Null)
}

fn summary(project: &Project, name: &str) -> Value {
    let record = record(project, name);
    json!({
        "name": name,
        "finished": is_finished(&project.root.join(LOTS).join(name)),
        "date": record["date"],
        "job": record["job"],
        "verdict": record["verdict"],
        "warnings": record["warnings"].as_array().map_or(0, Vec::len),
    })
}

/// `GET /api/lots/{name}`: what the report says, and which files there are of it.
pub async fn lot(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let root = app.project.folder(LOTS, &name)?;
        let file = |p: std::path::PathBuf| p.file_name().and_then(|n| n.to_str()).map(str::to_owned);
        let names = files::entries(&root).unwrap_or_default().into_iter().filter_map(file);
        let mut pdfs: Vec<String> = names.filter(|n| n.ends_with(".pdf")).collect();
        pdfs.sort();
        Ok(Json(json!({
            "name": name,
            "finished": is_finished(&root),
            "report": files::is_file(&root.join(REPORT)),
            "pdfs": pdfs,
            "record": record(&app.project, &name),
        })))
    })
    .await
}

/// `POST /api/lots/{name}/verify`: what is no more as it was when the report was made.
pub async fn verify(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let root = app.project.folder(LOTS, &name)?;
        require_inputs_inside(app, &root)?;
        let found = verify_lot(&root).map_err(|e| {
            Refusal::unreadable(e.to_string().replace(&format!("{}/", app.project.root.display()), ""))
        })?;
        Ok(Json(json!({
            "files": found.files,
            "inputs": found.inputs,
            "faults": found.faults,
            "seal_sha256": found.seal_sha256,
        })))
    })
    .await
}

/// A lot that was measured elsewhere names files that are not the page's to read.
fn require_inputs_inside(app: &App, lot: &std::path::Path) -> Answer<()> {
    app.project.require_inside(lot)?;
    let text = files::read(&lot.join("manifest.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&text).unwrap_or_default();
    for input in manifest["inputs"].as_array().into_iter().flatten() {
        let place = lot.join(input["file"].as_str().unwrap_or_default());
        app.project.require_inside(&place).map_err(|_| {
            let what =
                "this lot was made of files outside the project; compare it in a terminal: sorby verify LOT";
            Refusal::new(StatusCode::FORBIDDEN, what)
        })?;
    }
    Ok(())
}

/// `DELETE /api/lots/{name}`: a lot that was begun and not finished is put aside. A finished one stays: it is a record.
pub async fn remove(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let root = app.project.folder(LOTS, &name)?;
        if is_finished(&root) {
            return Err(Refusal::new(StatusCode::CONFLICT, "a finished lot is a record and stays"));
        }
        if app.jobs.is_used(&format!("{LOTS}/{name}")) {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                format!("`{name}` is being measured; stop it first"),
            ));
        }
        app.project.confine(&root)?;
        disposal::put_aside(&root, &disposal::free_place(&app.project.removed(), &name))?;
        app.tell(json!({"kind": "project"}));
        Ok(Json(json!({})))
    })
    .await
}
