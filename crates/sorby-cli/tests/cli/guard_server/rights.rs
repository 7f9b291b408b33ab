//! Rights of files, links, and a project that moves.

use super::label_file;
use crate::serve::{contents, project, serve, start};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_label_that_is_drawn_over_keeps_its_rights() {
    let folder = project();
    let manifest = folder.path().join("steel/dataset.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("missing = \"refuse\"", "missing = \"skip\"")).unwrap();
    let mut shell = Command::new("sh");
    shell.current_dir(folder.path());
    shell.args(["-c", "umask 077; exec \"$0\" serve steel --no-open --port 0", env!("CARGO_BIN_EXE_sorby")]);
    let server = start(folder, shell);
    let names = server.names();
    let draw = |name: &str| {
        let revision = server.revision(name);
        server.save(name, &revision, 1)
    };
    let label = label_file(&server, &names[0]);
    set_mode(&label, 0o660);
    // Only the administrator can give files away.
    let given = std::os::unix::fs::chown(&label, Some(1234), Some(5678)).is_ok();
    let owner = |path: &Path| fs::metadata(path).map(|m| (m.uid(), m.gid())).unwrap();
    let before = owner(&label);
    assert!(!given || before == (1234, 5678));
    assert_eq!(draw(&names[0]).0, 200);
    assert_eq!((mode(&label), owner(&label)), (0o660, before));
    let kept = server.steel().join(format!(".sorby/labels-before/{}.png", names[0]));
    assert_eq!((mode(&kept), owner(&kept)), (0o660, before), "the copy is as private as the label");

    let label = label_file(&server, &names[1]);
    fs::remove_file(&label).unwrap();
    assert_eq!(draw(&names[1]).0, 200);
    assert_eq!(mode(&label), 0o600, "a new file obeys the umask");

    let label = label_file(&server, &names[2]);
    set_mode(&label, 0o444);
    let before = fs::read(&label).unwrap();
    let (status, body) = draw(&names[2]);
    assert_eq!(status, 422, "{body}");
    assert!(body.contains("read-only") && body.contains(&names[2]), "{body}");
    assert_eq!((mode(&label), fs::read(&label).unwrap()), (0o444, before));
}

#[test]
fn links_are_not_turned_into_files() {
    let server = serve(&[]);
    let names = server.names();
    let draw = |name: &str| {
        let revision = server.revision(name);
        server.save(name, &revision, 1)
    };
    let (label, target) = (label_file(&server, &names[0]), server.steel().join("store.png"));
    fs::rename(&label, &target).unwrap();
    symlink("../store.png", &label).unwrap();
    let before = fs::read(&target).unwrap();
    assert_eq!(draw(&names[0]).0, 200);
    assert!(label.is_symlink(), "still a link");
    assert_ne!(fs::read(&target).unwrap(), before, "what it stands for is drawn over");

    let (label, other) = (label_file(&server, &names[1]), server.folder.path().join("backup.png"));
    fs::hard_link(&label, &other).unwrap();
    let before = fs::read(&label).unwrap();
    let (status, body) = draw(&names[1]);
    assert_eq!(status, 422, "{body}");
    assert!(body.contains("hard link"), "{body}");
    assert_eq!((fs::read(&label).unwrap(), fs::metadata(&label).unwrap().nlink()), (before, 2));
}

#[test]
fn a_project_that_was_renamed_says_so_and_no_other_is_made() {
    let server = serve(&[]);
    let name = server.image();
    let revision = server.revision(&name);
    let (old, new) = (server.steel(), server.folder.path().join("moved"));
    fs::rename(&old, &new).unwrap();
    let before = contents(server.folder.path());
    let setup = r#"{"classes":[{"name":"a"},{"name":"b"}]}"#;
    let attacks = |what: &str| {
        for (status, body) in [
            server.get("/api/project"),
            server.post("/api/setup", setup),
            server.save(&name, &revision, 1),
            server.post("/api/jobs", r#"{"verb":"check"}"#),
            server.ask("POST /api/images?name=a.png HTTP/1.1", &[], b"x"),
            server.get("/results/measurements/a.csv"),
        ] {
            assert_eq!(status, 503, "{what}: {body}");
            assert!(body.contains("renamed or removed"), "{what}: {body}");
        }
    };
    attacks("renamed");
    assert!(!old.exists());
    assert_eq!(contents(server.folder.path()), before);
    fs::create_dir(&old).unwrap();
    attacks("another folder in its place");
    assert_eq!(fs::read_dir(&old).unwrap().count(), 0, "no new project at the old place");
    assert_eq!(server.get("/api/jobs").0, 200, "what runs can still be looked at and stopped");
    fs::remove_dir(&old).unwrap();
    fs::rename(&new, &old).unwrap();
    assert_eq!(server.save(&name, &revision, 1).0, 200, "back again");
}
