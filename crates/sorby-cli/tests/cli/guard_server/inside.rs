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
    let refused = if what == "suffix" { 422 } else { 403 };
    assert!(answers.iter().all(|s| *s == refused), "{what}: {answers:?}");
    let (status, body) = server.post("/api/jobs", "{\"verb\":\"check\"}");
    assert_eq!(status, refused, "{what}: nor does another process: {body}");
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
    assert!(answers.iter().all(|s| *s == 403), "{answers:?}");
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
        assert_eq!(status, 403, "{body}");
        fs::remove_file(server.steel().join("dataset.toml")).unwrap_or_default();
    }
    draw(&server);
    assert_eq!(outside(server.folder.path()), before);
}

#[test]
fn links_out_of_the_project_are_not_followed_anywhere() {
    // Stands in what lies outside, and in no name inside.
    const SECRET: &str = "classified";
    let folder = project();
    let (steel, away) = (folder.path().join("steel"), folder.path().join("away"));
    fs::create_dir_all(away.join("run")).unwrap();
    fs::create_dir_all(away.join(SECRET)).unwrap();
    let recipe = format!("arch = \"{SECRET}\"\n[schedule]\niterations = 7\n");
    let trust = format!("image,class,expected_IoU_percent,low,high\ncarbide-001,{SECRET},1,1,1\n");
    let check = format!("{{\"problems\":[{{\"file\":\"carbide-001.png\",\"problem\":\"{SECRET}\"}}]}}");
    for (file, text) in [
        ("run/recipe.toml", recipe.as_str()),
        ("recipe.toml", &recipe),
        ("trust.csv", &trust),
        ("check.json", &check),
        ("page.html", SECRET),
        ("classified.safetensors", "x"),
    ] {
        fs::write(away.join(file), text).unwrap();
    }
    fs::copy(steel.join("images/carbide-001.png"), away.join("picture.png")).unwrap();
    for made in ["runs/own", "predictions/m/masks", ".sorby", "recipes", "measurements/a"] {
        fs::create_dir_all(steel.join(made)).unwrap();
    }
    for (link, target) in [
        ("runs/linked", away.join("run")),
        ("runs/own/recipe.toml", away.join("recipe.toml")),
        ("runs/own/report.html", away.join("page.html")),
        ("predictions/m/trust.csv", away.join("trust.csv")),
        ("predictions/m/masks/carbide-001.png", away.join("picture.png")),
        (".sorby/check.json", away.join("check.json")),
        ("recipes/taken.toml", away.join("recipe.toml")),
        ("measurements/a/page.html", away.join("page.html")),
        ("measurements/linked", away.clone()),
        ("studies", away.clone()),
        ("weights", away.clone()),
        ("images/linked.png", away.join("picture.png")),
    ] {
        symlink(target, steel.join(link)).unwrap();
    }
    let server = serve_in(folder, &[]);
    for path in ["/api/project", "/api/runs", "/api/studies", "/api/images/carbide-001/predictions/m/trust"] {
        let (status, body) = server.get(path);
        assert!(status == 200 || status == 404, "{path}: {status} {body}");
        assert!(!body.contains(SECRET) && !body.contains("taken"), "{path}: {body}");
    }
    for path in [
        "/api/runs/own",
        "/api/runs/linked",
        "/api/images/carbide-001/predictions/m/mask",
        "/results/runs/own/report.html",
        "/results/measurements/a/page.html",
        "/results/measurements/linked/page.html",
        "/results/measurements/linked/../linked/page.html",
        "/results/studies/page.html",
        "/results/.sorby/check.json",
        "/api/images/linked/grey",
        "/api/images/linked/small",
        "/api/images/linked/tiles/0/0/0",
        "/api/images/linked/label",
    ] {
        let (status, body) = server.get(path);
        assert!((400..500).contains(&status) && !body.contains(SECRET), "{path}: {status} {body}");
    }
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
    fs::create_dir(steel.join("models")).unwrap();
    fs::write(steel.join("models/m.safetensors"), "x").unwrap();
    let before = outside(folder.path());
    let server = serve_in(folder, &[]);
    assert!(!server.get("/api/runs").1.contains("secret"));
    for job in [
        r#"{"verb":"train","recipe":"coffee","name":"a","iterations":1}"#,
        r#"{"verb":"measure","of":"labels","class":"carbide"}"#,
        r#"{"verb":"segment","model":"m"}"#,
        r#"{"verb":"resume","run":"run"}"#,
        r#"{"verb":"report","run":"run","split":"all"}"#,
    ] {
        let (status, body) = server.post("/api/jobs", job);
        assert!((400..500).contains(&status), "{job}: {status} {body}");
    }
    assert_eq!(outside(server.folder.path()), before);
}

/// Links below the folder that a job writes into, and where earlier results are put aside.
#[test]
fn links_out_within_the_folders_of_results_stop_a_job_before_it_starts() {
    let folder = project();
    let (steel, away) = (folder.path().join("steel"), folder.path().join("away"));
    fs::create_dir_all(&away).unwrap();
    fs::write(away.join("kept.png"), "of the user").unwrap();
    fs::create_dir(steel.join("models")).unwrap();
    fs::write(steel.join("models/m.safetensors"), "x").unwrap();
    let before = outside(folder.path());
    let server = serve_in(folder, &[]);
    let (segment, measure) =
        (r#"{"verb":"segment","model":"m"}"#, r#"{"verb":"measure","of":"labels","class":"carbide"}"#);
    let train = r#"{"verb":"train","recipe":"coffee","name":"n","iterations":1}"#;
    for (link, target, job) in [
        ("predictions/m/masks", "", segment),
        ("predictions/m/confidence", "", segment),
        ("predictions/m/masks/carbide-001.png", "kept.png", segment),
        ("predictions/m/done.jsonl", "new", segment),
        (".sorby/earlier", "", segment),
        (".sorby/earlier", "", measure),
        ("measurements/labels-carbide/particles.csv", "new", measure),
        ("measurements/labels-carbide/made-by.json", "new", measure),
        ("runs/n/log.txt", "new", train),
        ("runs/n/validation", "", train),
        ("images/carbide-001.txt", "kept.png", measure),
    ] {
        let place = steel.join(link);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        symlink(away.join(target), &place).unwrap();
        let (status, body) = server.post("/api/jobs", job);
        assert_eq!(status, 403, "{link}: {body}");
        assert!(body.contains(link), "{link}: {body}");
        fs::remove_file(&place).unwrap();
    }
    assert_eq!(outside(server.folder.path()), before);
    let (status, body) = server.post("/api/jobs", measure);
    assert_eq!(status, 200, "{body}");
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
        let (mut served, mut refused) = (0, 0);
        for _ in 0..1500 {
            let (status, body) = server.get("/results/measurements/a/table.csv");
            assert!(body != "secret", "leaked");
            served += usize::from(status == 200);
            refused += usize::from(status == 403);
        }
        stop.store(true, Ordering::Relaxed);
        assert!(served > 0 && refused > 0, "both were there now and then: {served}, {refused}");
    });
}
