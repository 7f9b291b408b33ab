//! Nothing outside of the project is read or written.

use crate::serve::{Server, contents, project, serve_in};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

const CLASSES: &str = "[[classes]]\nname = \"matrix\"\n[[classes]]\nname = \"carbide\"\n";

/// All files next to the project.
fn outside(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    contents(folder).into_iter().filter(|(path, _)| !path.starts_with(folder.join("steel"))).collect()
}

/// Draws a label for an image that has none, however its answer to a look at it was.
fn draw(server: &Server) -> Vec<u16> {
    let name = server.image();
    let (status, _) = server.get(&format!("/api/images/{name}/label"));
    let mut answers = vec![status];
    for revision in ["none", "none.00000000.0000000000000000"] {
        answers.push(server.save(&name, revision, 1).0);
    }
    if status == 200 {
        let revision = server.revision(&name);
        answers.push(server.save(&name, &revision, 1).0);
    }
    answers
}

/// Serves a project without labels whose manifest has these lines, draws, and looks whether anything outside changed.
fn attack(what: &str, folders: &str, prepare: impl Fn(&Path)) {
    let folder = project();
    let steel = folder.path().join("steel");
    fs::remove_dir_all(steel.join("labels")).unwrap();
    fs::create_dir(folder.path().join("x")).unwrap();
    fs::write(folder.path().join("x/kept.txt"), "kept").unwrap();
    let absolute = folders.replace("ABSOLUTE", &folder.path().join("x").display().to_string());
    fs::write(steel.join("dataset.toml"), format!("{CLASSES}[labels]\nmissing = \"skip\"\n{absolute}"))
        .unwrap();
    prepare(&steel);
    let before = outside(folder.path());
    let server = serve_in(folder, &[]);
    let answers = draw(&server);
    assert!(answers.iter().all(|s| (400..500).contains(s)), "{what}: {answers:?}");
    assert!(server.post("/api/jobs", "{\"verb\":\"check\"}").0 >= 400, "{what}: nor does another process");
    assert_eq!(outside(server.folder.path()), before, "{what}");
}

#[test]
fn labels_are_confined_before_they_are_written() {
    let none = |_: &Path| {};
    attack("..", "[[folders]]\nimages = \"images\"\nlabels = \"../x\"\n", none);
    attack("images/../../x", "[[folders]]\nimages = \"images\"\nlabels = \"images/../../x\"\n", none);
    attack("absolute", "[[folders]]\nimages = \"images\"\nlabels = \"ABSOLUTE\"\n", none);
    attack("new folder", "[[folders]]\nimages = \"images\"\nlabels = \"../made\"\n", none);
    let suffix = "[[folders]]\nimages = \"images\"\nlabels = \"labels\"\nlabel_suffix = \"/../../../x/y\"\n";
    attack("suffix", suffix, |steel| fs::create_dir_all(steel.join("labels")).unwrap());
    attack("link", "", |steel| symlink("../x", steel.join("labels")).unwrap());
    attack("absolute link", "", |steel| {
        symlink(steel.parent().unwrap().join("x"), steel.join("labels")).unwrap()
    });
    attack("link to a link", "", |steel| {
        symlink("../x", steel.join("step")).unwrap();
        symlink("step", steel.join("labels")).unwrap();
    });
    attack("link in the way", "[[folders]]\nimages = \"images\"\nlabels = \"out/x\"\n", |steel| {
        symlink("..", steel.join("out")).unwrap();
    });
}

#[test]
fn a_label_file_that_is_a_link_out_is_not_written_through() {
    let folder = project();
    let label = folder.path().join("steel/labels/carbide-001.png");
    let target = folder.path().join("x.png");
    fs::rename(&label, &target).unwrap();
    symlink(&target, &label).unwrap();
    let before = outside(folder.path());
    let server = serve_in(folder, &[]);
    let answers = draw(&server);
    assert!(answers.iter().all(|s| (400..500).contains(s)), "{answers:?}");
    let (_, cards) = server.get("/api/project");
    assert!(cards.contains("carbide-001.png is a link out of the project"), "{cards}");
    assert_eq!(outside(server.folder.path()), before);
}

#[test]
fn setting_up_writes_nothing_outside() {
    let folder = project();
    let steel = folder.path().join("steel");
    fs::remove_dir_all(steel.join("labels")).unwrap();
    fs::remove_file(steel.join("dataset.toml")).unwrap();
    fs::create_dir(folder.path().join("x")).unwrap();
    symlink("../x", steel.join("labels")).unwrap();
    symlink("../x/dataset.toml", steel.join("dataset.toml")).unwrap();
    let before = outside(folder.path());
    let server = serve_in(folder, &[]);
    let classes = "{\"classes\":[{\"name\":\"a\"},{\"name\":\"b\"}]}";
    for _ in 0..2 {
        let (status, body) = server.post("/api/setup", classes);
        assert!((400..500).contains(&status), "{status} {body}");
        fs::remove_file(server.steel().join("dataset.toml")).unwrap_or_default();
    }
    draw(&server);
    assert_eq!(outside(server.folder.path()), before);
}

#[test]
fn links_out_of_the_project_are_not_followed_anywhere() {
    let folder = project();
    let (steel, away) = (folder.path().join("steel"), folder.path().join("away"));
    fs::create_dir_all(away.join("run")).unwrap();
    let secret = "arch = \"secret\"\n[schedule]\niterations = 7\n";
    fs::write(away.join("run/recipe.toml"), secret).unwrap();
    fs::write(away.join("secret.toml"), secret).unwrap();
    fs::write(
        away.join("trust.csv"),
        "image,class,expected_IoU_percent,low,high\ncarbide-001,secret,1,1,1\n",
    )
    .unwrap();
    fs::write(
        away.join("check.json"),
        "{\"problems\":[{\"file\":\"carbide-001.png\",\"problem\":\"secret\"}]}",
    )
    .unwrap();
    fs::write(away.join("page.html"), "secret").unwrap();
    fs::copy(steel.join("images/carbide-001.png"), away.join("secret.png")).unwrap();
    for made in ["runs/own", "predictions/m/masks", ".sorby", "recipes", "measurements/a"] {
        fs::create_dir_all(steel.join(made)).unwrap();
    }
    let links = [
        ("runs/linked", away.join("run")),
        ("runs/own/recipe.toml", away.join("secret.toml")),
        ("runs/own/report.html", away.join("page.html")),
        ("predictions/m/trust.csv", away.join("trust.csv")),
        ("predictions/m/masks/carbide-001.png", away.join("secret.png")),
        (".sorby/check.json", away.join("check.json")),
        ("recipes/secret.toml", away.join("secret.toml")),
        ("measurements/a/page.html", away.join("page.html")),
        ("measurements/linked", away.clone()),
        ("studies", away.clone()),
        ("weights", away.clone()),
        ("images/secret.png", away.join("secret.png")),
    ];
    for (link, target) in links {
        symlink(target, steel.join(link)).unwrap();
    }
    let server = serve_in(folder, &[]);
    for path in [
        "/api/project",
        "/api/runs",
        "/api/runs/own",
        "/api/runs/linked",
        "/api/studies",
        "/api/images/carbide-001/predictions/m/trust",
        "/api/images/carbide-001/predictions/m/mask",
        "/results/runs/own/report.html",
        "/results/measurements/a/page.html",
        "/results/measurements/linked/page.html",
        "/results/measurements/linked/../linked/page.html",
        "/results/studies/page.html",
        "/results/.sorby/check.json",
        "/api/images/secret/grey",
        "/api/images/secret/small",
        "/api/images/secret/tiles/0/0/0",
        "/api/images/secret/label",
    ] {
        let (status, body) = server.get(path);
        // The name of the link itself may be said.
        let told = body.replace("secret.png", "").replace("\"secret\"", "").replace("/secret", "");
        assert!(!told.contains("secret") && !told.contains("\"iterations\":7"), "{path}: {status} {body}");
        assert!(path == "/api/project" || !body.starts_with('\u{89}'), "{path}");
    }
    assert_eq!(server.get("/api/images/secret/grey").0, 403);
    assert_eq!(server.get("/results/measurements/a/page.html").0, 403);
}

#[test]
fn folders_of_the_project_that_are_links_are_neither_read_nor_written() {
    let folder = project();
    let (steel, away) = (folder.path().join("steel"), folder.path().join("away"));
    fs::create_dir_all(away.join("run")).unwrap();
    fs::write(away.join("run/recipe.toml"), "arch = \"secret\"\n").unwrap();
    for link in ["runs", "predictions", "measurements"] {
        symlink(&away, steel.join(link)).unwrap();
    }
    let before = outside(folder.path());
    let server = serve_in(folder, &[]);
    assert!(!server.get("/api/runs").1.contains("secret"));
    for job in [
        r#"{"verb":"train","recipe":"coffee","name":"a","iterations":1}"#,
        r#"{"verb":"measure","of":"labels","class":"carbide"}"#,
        r#"{"verb":"resume","run":"run"}"#,
        r#"{"verb":"report","run":"run","split":"all"}"#,
    ] {
        let (status, body) = server.post("/api/jobs", job);
        assert!((400..500).contains(&status), "{job}: {status} {body}");
    }
    assert_eq!(outside(server.folder.path()), before);
}

#[test]
fn a_hidden_folder_that_is_a_link_is_refused_at_the_start() {
    let folder = project();
    fs::create_dir(folder.path().join("away")).unwrap();
    symlink("../away", folder.path().join("steel/.sorby")).unwrap();
    let message = crate::fail(folder.path(), &["serve", "steel", "--no-open", "--port", "0"]);
    assert!(message.contains(".sorby"), "{message}");
    assert_eq!(fs::read_dir(folder.path().join("away")).unwrap().count(), 0);
}

#[test]
fn a_pipe_holds_nobody() {
    let folder = project();
    let run = folder.path().join("steel/runs/pipe");
    fs::create_dir_all(&run).unwrap();
    for name in ["recipe.toml", "report.html"] {
        assert!(std::process::Command::new("mkfifo").arg(run.join(name)).status().unwrap().success());
    }
    let server = serve_in(folder, &[]);
    assert_eq!(server.get("/api/runs").0, 200);
    assert!(server.get("/results/runs/pipe/report.html").0 >= 400);
}

#[test]
fn a_link_that_is_swapped_in_between_leaks_nothing() {
    let folder = project();
    let place = folder.path().join("steel/measurements/a");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("real"), "harmless").unwrap();
    symlink("../../../secret.csv", place.join("out")).unwrap();
    symlink("real", place.join("in")).unwrap();
    let server = serve_in(folder, &[]);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for name in ["in", "out"] {
                    fs::hard_link(place.join(name), place.join("next")).unwrap();
                    fs::rename(place.join("next"), place.join("table.csv")).unwrap();
                    fs::remove_file(place.join("next")).unwrap_or_default();
                }
            }
        });
        let mut served = 0;
        for _ in 0..1500 {
            let (status, body) = server.get("/results/measurements/a/table.csv");
            assert!(body != "secret", "leaked");
            served += usize::from(status == 200);
        }
        stop.store(true, Ordering::Relaxed);
        assert!(served > 0, "the harmless file was there now and then");
    });
}
