//! Jobs: their queue, and the names that are handed to them.

use super::wait_until;
use crate::serve::{Server, project, serve, serve_in};
use std::fs;

fn jobs(server: &Server) -> Vec<serde_json::Value> {
    serde_json::from_str(&server.get("/api/jobs").1).unwrap()
}

fn states(server: &Server) -> Vec<String> {
    jobs(server).iter().map(|j| j["state"].as_str().unwrap().to_owned()).collect()
}

fn start(server: &Server, order: &str) -> u64 {
    let (status, body) = server.post("/api/jobs", order);
    assert_eq!(status, 200, "{order}: {body}");
    serde_json::from_str::<serde_json::Value>(&body).unwrap()["id"].as_u64().unwrap()
}

/// The last state of a job.
fn ended(server: &Server, id: u64) -> (String, String) {
    let find = || jobs(server).into_iter().find(|j| j["id"] == id).unwrap();
    wait_until("the job ends", || !["running", "queued"].contains(&find()["state"].as_str().unwrap()));
    let lines = server.get(&format!("/api/jobs/{id}")).1;
    (find()["state"].as_str().unwrap().to_owned(), lines)
}

#[test]
fn trainings_wait_for_each_other_and_can_be_taken_back() {
    let server = serve(&["--threads", "1"]);
    fs::create_dir(server.steel().join("recipes")).unwrap();
    let recipe = "[data]\nbatch = 2\ncrop = 64\n[schedule]\niterations = 4000\nvalidate_every = 2000\n";
    fs::write(server.steel().join("recipes/long.toml"), recipe).unwrap();
    let order =
        |i: usize| format!("{{\"verb\":\"train\",\"recipe\":\"recipes/long.toml\",\"name\":\"t{i}\"}}");
    let ids: Vec<u64> = (0..12).map(|i| start(&server, &order(i))).collect();
    let count = |wanted: &str| states(&server).iter().filter(|s| *s == wanted).count();
    assert_eq!((count("running"), count("queued")), (1, 11));
    assert_eq!(server.post("/api/jobs", &order(7)).0, 409, "the same again");
    wait_until("the first one begins", || server.steel().join("runs/t0/recipe.toml").exists());
    let environment = fs::read_to_string(server.steel().join("runs/t0/environment.json")).unwrap();
    assert!(environment.contains("\"threads\": 1"), "jobs get the threads of the server: {environment}");
    for id in &ids[1..] {
        assert_eq!(server.post(&format!("/api/jobs/{id}/stop"), "{}").0, 200);
    }
    assert_eq!((count("running"), count("queued"), count("stopped")), (1, 0, 11));
    assert_eq!(server.post(&format!("/api/jobs/{}/stop", ids[0]), "{}").0, 200);
    ended(&server, ids[0]);
    assert_eq!(fs::read_dir(server.steel().join("runs")).unwrap().count(), 1, "the others were never begun");
}

#[test]
fn names_never_become_options() {
    let folder = project();
    let steel = folder.path().join("steel");
    for (file, text) in [
        ("-h.toml", "[schedule]\niterations = \"none\"\n"),
        ("--version.toml", "[schedule]\niterations = \"none\"\n"),
        ("--help.toml", "protocol = \"none\"\narchs = [1]\n"),
    ] {
        fs::write(steel.join(file), text).unwrap();
    }
    let manifest = fs::read_to_string(steel.join("dataset.toml")).unwrap();
    fs::write(steel.join("dataset.toml"), manifest.replace("\"carbide\"\n", "\"-1\"\n")).unwrap();
    // Labels that say nothing of their classes.
    for label in fs::read_dir(steel.join("labels")).unwrap().flatten() {
        let pixels: Vec<u8> = (0..96 * 64).map(|i| u8::from(i % 96 < 40)).collect();
        fs::write(label.path(), super::grey_png(96, 64, &pixels)).unwrap();
    }
    let short = "[data]\nbatch = 2\ncrop = 64\n[schedule]\niterations = 1\n";
    fs::write(steel.join("short.toml"), short).unwrap();
    let server = serve_in(folder, &[]);
    for order in [
        r#"{"verb":"train","recipe":"-h.toml","name":"a"}"#,
        r#"{"verb":"train","recipe":"--version.toml","name":"-b"}"#,
        r#"{"verb":"study","file":"--help.toml"}"#,
    ] {
        let id = start(&server, order);
        let (state, lines) = ended(&server, id);
        assert_eq!(state, "failed", "{order}: {lines}");
        assert!(!lines.contains("Usage") && !lines.contains("unexpected argument"), "{order}: {lines}");
        assert!(lines.contains(".toml"), "the file is what is wrong: {lines}");
    }
    let id = start(&server, r#"{"verb":"train","recipe":"short.toml","name":"-b"}"#);
    wait_until("the run is made", || server.steel().join("runs/-b/recipe.toml").exists());
    server.post(&format!("/api/jobs/{id}/stop"), "{}");
    let id = start(&server, r#"{"verb":"measure","of":"labels","class":"-1"}"#);
    let (state, lines) = ended(&server, id);
    assert_eq!(state, "done", "{lines}");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_utf8_reach_the_verbs() {
    use std::os::unix::ffi::OsStringExt as _;
    let folder = project();
    let odd = std::ffi::OsString::from_vec(b"caf\xe9-\xb5m.png".to_vec());
    for part in ["images", "labels"] {
        let part = folder.path().join("steel").join(part);
        fs::copy(part.join("carbide-001.png"), part.join(&odd)).unwrap();
    }
    let server = serve_in(folder, &[]);
    let id = start(&server, r#"{"verb":"measure","of":"labels","class":"carbide"}"#);
    let (state, lines) = ended(&server, id);
    assert_eq!(state, "done", "{lines}");
    let table =
        fs::read_to_string(server.steel().join("measurements/labels-carbide/images.csv")).unwrap_or_default();
    let name = "caf\u{fffd}-\u{fffd}m";
    assert!(table.is_empty() || table.contains(name), "{table}");
    let encoded = "caf%EF%BF%BD-%EF%BF%BDm";
    assert_eq!(server.get(&format!("/api/images/{encoded}/grey")).0, 200);
    assert_eq!(server.get(&format!("/api/images/{encoded}/label")).0, 200);
}
