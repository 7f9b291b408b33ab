//! The routine over the server: a job is made, a lot is measured and verified; nothing outside of the project is touched.
#![cfg(unix)]

use crate::routine::laboratory;
use crate::serve::{Server, project, serve_in};
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

/// A project with a model that finds carbides.
fn server() -> Server {
    let (folder, model) = (project(), laboratory());
    let models = folder.path().join("steel/models");
    fs::create_dir(&models).unwrap();
    fs::copy(model.path().join("run/model.safetensors"), models.join("m.safetensors")).unwrap();
    serve_in(folder, &[])
}

fn json(answer: (u16, String)) -> Value {
    assert_eq!(answer.0, 200, "{}", answer.1);
    serde_json::from_str(&answer.1).unwrap()
}

/// The state in which a job ends, and what it said last.
fn ended(server: &Server, order: &str) -> (String, String) {
    let id = json(server.post("/api/jobs", order))["id"].clone();
    let began = Instant::now();
    loop {
        let jobs = json(server.get("/api/jobs"));
        let job = jobs.as_array().unwrap().iter().find(|j| j["id"] == id).unwrap().clone();
        let state = job["state"].as_str().unwrap().to_owned();
        if !["running", "queued"].contains(&state.as_str()) {
            assert_eq!(
                job["asked"],
                serde_json::from_str::<Value>(order).unwrap(),
                "it can be asked for again"
            );
            return (state, job["last"].as_str().unwrap().to_owned());
        }
        assert!(began.elapsed() < Duration::from_secs(300), "{job}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

const JOB: &str = r#"{"verb": "jobnew", "run": "m", "name": "j", "limits": ["area fraction at most 100 %"],
    "fields": 1, "nm_per_px": 12.5, "pixel_sizes": [10, 15], "ask": ["lot"], "header": {"customer": "Works = 7"}}"#;
const LOT: &str =
    r#"{"verb": "runlot", "job": "j", "lot": "Heat 12", "header": {"lot": "-12", "etch": " "}}"#;

#[test]
fn a_lot_is_measured_from_the_page() {
    let server = server();
    assert_eq!(ended(&server, JOB).0, "done");
    let (status, told) = server.post("/api/jobs", JOB);
    assert_eq!(status, 409, "{told}");
    let job = json(server.get("/api/routine"))["jobs"][0].clone();
    assert_eq!(
        (&job["problem"], &job["version"], &job["pixel_sizes"]),
        (&Value::Null, &1.into(), &serde_json::json!([10.0, 15.0]))
    );
    let line = |key: &str| job["lines"].as_array().unwrap().iter().find(|l| l["key"] == key).unwrap().clone();
    assert_eq!((&line("lot")["asked"], &line("customer")["value"]), (&true.into(), &"Works = 7".into()));

    let (status, told) = server.post("/api/jobs", LOT);
    assert!(status == 400 && told.contains("no images of the lot"), "{told}");
    let image = fs::read(server.steel().join(format!("images/{}.png", server.image()))).unwrap();
    for name in ["a.png", "b.png"] {
        json(server.ask(&format!("POST /api/lots-in/Heat%2012?name={name} HTTP/1.1"), &[], &image));
    }
    let again = server.ask("POST /api/lots-in/Heat%2012?name=a.png HTTP/1.1", &[], &image);
    assert_eq!(again.0, 409, "no image is written over");
    assert_eq!(json(server.get("/api/lots-in/Heat%2012"))["images"], serde_json::json!(["a.png", "b.png"]));
    let delete = |path: &str| server.ask(&format!("DELETE {path} HTTP/1.1"), &[], b"");
    assert_eq!(delete("/api/lots-in/Heat%2012/b.png").0, 200);
    assert!(server.steel().join(".sorby/removed/Heat 12/b.png").is_file(), "it is kept aside");

    let missing = LOT.replace("\"-12\"", "\" \"");
    assert!(server.post("/api/jobs", &missing).1.contains("asks for `lot`"));
    let (state, last) = ended(&server, LOT);
    assert!(state == "done" || state == "partly", "{state}: {last}");
    let lot = json(server.get("/api/lots/Heat%2012"));
    assert_eq!((&lot["finished"], &lot["report"]), (&true.into(), &true.into()));
    assert_eq!(lot["record"]["images"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/results/lots/Heat%2012/report.html").0, 200);
    let found = json(server.post("/api/lots/Heat%2012/verify", "{}"));
    assert_eq!(
        (&found["faults"], found["seal_sha256"].as_str().unwrap().len()),
        (&serde_json::json!([]), 64)
    );

    // A record stays as it is.
    assert_eq!(delete("/api/lots/Heat%2012").0, 409);
    assert_eq!(delete("/api/lots-in/Heat%2012/a.png").0, 409);
    fs::write(server.steel().join("lots-in/Heat 12/a.png"), b"other").unwrap();
    let found = json(server.post("/api/lots/Heat%2012/verify", "{}"));
    assert_eq!(found["faults"].as_array().unwrap().len(), 1, "{found}");
}

#[test]
fn the_routine_stays_in_the_project() {
    let server = server();
    let steel = server.steel();
    assert_eq!(ended(&server, JOB).0, "done");
    let image = fs::read(steel.join(format!("images/{}.png", server.image()))).unwrap();
    for place in ["..", "a%2fb", "..%2f..%2fx", ".hidden"] {
        let (status, _) = server.ask(&format!("POST /api/lots-in/{place}?name=a.png HTTP/1.1"), &[], &image);
        assert!((400..500).contains(&status), "{place}: {status}");
    }
    for name in ["..%2fa.png", "a.exe", ".a.png"] {
        let (status, _) = server.ask(&format!("POST /api/lots-in/l?name={name} HTTP/1.1"), &[], &image);
        assert_eq!(status, 400, "{name}");
    }
    let (status, _) = server.ask("POST /api/lots-in/l?name=a.png HTTP/1.1", &[], b"no image");
    assert_eq!(status, 422);

    // A folder of images that is a link out, and a job whose model lies outside.
    fs::create_dir_all(steel.join("lots-in")).unwrap();
    let outside = server.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("a.png"), &image).unwrap();
    std::os::unix::fs::symlink(&outside, steel.join("lots-in/linked")).unwrap();
    let linked = LOT.replace("Heat 12", "linked");
    assert_eq!(server.post("/api/jobs", &linked).0, 403);
    fs::copy(steel.join("models/m.safetensors"), outside.join("m.safetensors")).unwrap();
    let job = fs::read_to_string(steel.join("jobs/j.toml")).unwrap();
    fs::write(steel.join("jobs/k.toml"), job.replace("../models/", "../../outside/")).unwrap();
    let told = json(server.get("/api/routine"));
    let problem = told["jobs"][1]["problem"].as_str().unwrap();
    assert!(problem.contains("outside the project"), "{problem}");
    assert!(!problem.contains("jobs/j"), "{problem}");
    assert_eq!(server.post("/api/jobs", &LOT.replace("\"j\"", "\"k\"")).0, 403);

    // An edited job says so, with places as seen from the project.
    fs::write(steel.join("jobs/k.toml"), job.replace("wanted = 1", "wanted = 2")).unwrap();
    let told = json(server.get("/api/routine"));
    let problem = told["jobs"][1]["problem"].as_str().unwrap();
    assert!(problem.starts_with("jobs/k.toml: was changed after version 1"), "{problem}");
}
