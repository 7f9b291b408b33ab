//! What the page changes: labels with their versions, strokes, splits, pixel sizes, classes; and what it throws away.
#![cfg(unix)]

use crate::serve::{Server, gzipped, project, serve_in};
use crate::{command, succeed};
use std::fs;

const PIXELS: usize = 96 * 64;

/// Three images with labels, in which labels may be missing.
fn server() -> Server {
    let folder = project();
    let manifest = folder.path().join("steel/dataset.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    assert!(text.contains("missing = \"refuse\""));
    fs::write(&manifest, text.replace("missing = \"refuse\"", "missing = \"skip\"")).unwrap();
    serve_in(folder, &[])
}

fn manifest(server: &Server) -> String {
    fs::read_to_string(server.steel().join("dataset.toml")).unwrap()
}

fn draw(server: &Server, image: &str, by: &str, pixels: &[u8]) -> (u16, String) {
    let on = format!("If-Match: \"{}\"", server.revision(image));
    server.ask(&format!("PUT /api/images/{image}/label?by={by} HTTP/1.1"), &[&on], &gzipped(pixels))
}

fn label(server: &Server, image: &str) -> (String, String) {
    let host = format!("Host: {}", server.host());
    let request = format!("GET /api/images/{image}/label HTTP/1.1");
    let (status, head, body) = server.whole(&request, &[&host, &server.bearer()], b"");
    assert_eq!(status, 200);
    (head.to_lowercase(), body)
}

fn versions(server: &Server, image: &str) -> serde_json::Value {
    serde_json::from_str(&server.get(&format!("/api/images/{image}/versions")).1).unwrap()
}

#[test]
fn what_is_replaced_can_be_taken_back() {
    let server = server();
    let image = server.image();
    assert!(label(&server, &image).0.contains("x-drawn-by-hand: true"), "of another program");
    let mut drawn = [0; PIXELS];
    drawn[..300].fill(1);
    assert_eq!(draw(&server, &image, "strokes", &drawn).0, 200);
    assert_eq!(draw(&server, &image, "prediction", &[0; PIXELS]).0, 200);
    assert!(label(&server, &image).0.contains("x-drawn-by-hand: false"));
    let list = versions(&server, &image);
    let by: Vec<_> = list["versions"].as_array().unwrap().iter().map(|v| v["by"].as_str().unwrap()).collect();
    assert_eq!(by, ["strokes", "unknown"]);
    let newest = &list["versions"][0];
    assert_eq!((&newest["labelled_percent"], &newest["drawn_by_hand"]), (&100.0.into(), &true.into()));
    let path = format!("/api/images/{image}/versions/{}", newest["id"]);
    let (status, body) = server.get(&path);
    assert_eq!((status, body.as_bytes()), (200, &drawn[..]), "the drawing that the prediction replaced");
    assert_eq!(server.get(&format!("/api/images/{image}/versions/77")).0, 404);
    assert_eq!(draw(&server, &image, "nonsense", &drawn).0, 400);
}

#[test]
fn a_label_without_any_class_is_no_label() {
    let server = server();
    let image = server.image();
    let file = server.steel().join("labels").join(format!("{image}.png"));
    let original = fs::read(&file).unwrap();
    assert_eq!(draw(&server, &image, "strokes", &[255; PIXELS]).0, 200);
    assert!(!file.exists());
    let kept = server.steel().join(".sorby/labels-before").join(format!("{image}.png"));
    assert_eq!(fs::read(kept).unwrap(), original);
    assert!(server.get("/api/project").1.contains("\"labelled\":false"));
    assert_eq!(draw(&server, &image, "strokes", &[255; PIXELS]).0, 200, "nothing on nothing");
    assert!(!file.exists());
    assert_eq!(draw(&server, &image, "strokes", &[1; PIXELS]).0, 200);
    assert!(file.exists());
}

#[test]
fn strokes_of_a_draft_are_kept_over_a_restart() {
    let server = server();
    let image = server.image();
    let address = format!("/api/images/{image}/sketch");
    let put = |server: &Server, pixels: &[u8]| {
        server.ask(&format!("PUT {address} HTTP/1.1"), &[], &gzipped(pixels))
    };
    assert_eq!(server.get(&address).0, 204);
    let mut strokes = [255; PIXELS];
    strokes[100..140].fill(0);
    strokes[900..950].fill(1);
    assert_eq!(put(&server, &strokes).0, 200);
    assert_eq!(put(&server, &strokes[1..]).0, 400);
    let folder = {
        let mut server = server;
        let _ = server.child.kill();
        let _ = server.child.wait();
        std::mem::replace(&mut server.folder, tempfile::tempdir().unwrap())
    };
    let server = serve_in(folder, &[]);
    let host = format!("Host: {}", server.host());
    let (status, _, body) = server.whole(&format!("GET {address} HTTP/1.1"), &[&host, &server.bearer()], b"");
    assert_eq!(status, 200);
    // Bytes that are no text are shown as one sign each.
    assert_eq!(body.chars().filter(|c| *c == '\0').count(), 40);
    assert_eq!(body.chars().filter(|c| *c == '\u{1}').count(), 50);
    let file = server.steel().join("images").join(format!("{image}.png"));
    let other = server.steel().join("images").join(format!("{}.png", server.names()[1]));
    let own = fs::read(&file).unwrap();
    fs::copy(other, &file).unwrap();
    assert_eq!(server.get(&address).0, 204, "strokes are of their picture");
    fs::write(&file, own).unwrap();
    assert_eq!(put(&server, &[255; PIXELS]).0, 200);
    assert_eq!(server.get(&address).0, 204);
}

#[test]
fn splits_change_and_new_labels_are_learned_from() {
    let server = server();
    let names = server.names();
    let comment = "# heat 12\n".to_owned() + &manifest(&server);
    fs::write(server.steel().join("dataset.toml"), comment).unwrap();
    let put = |json: &str| server.post("/api/splits", json);
    assert_eq!(put("{\"hold_out_every\": 3}").0, 200);
    let split = |name: &str| {
        let project: serde_json::Value = serde_json::from_str(&server.get("/api/project").1).unwrap();
        let cards = project["images"].as_array().unwrap().clone();
        cards.into_iter().find(|c| c["name"] == name).unwrap()["split"].clone()
    };
    assert_eq!(names.iter().map(|n| split(n)).collect::<Vec<_>>(), ["train", "train", "val"]);
    assert_eq!(put(&format!("{{\"split\": null, \"images\": [\"{}\"]}}", names[0])).0, 200);
    assert_eq!(split(&names[0]), serde_json::Value::Null);
    assert_eq!(draw(&server, &names[0], "strokes", &[255; PIXELS]).0, 200);
    assert_eq!(draw(&server, &names[0], "strokes", &[1; PIXELS]).0, 200);
    assert_eq!(split(&names[0]), "train", "a label drawn now is learned from");
    assert!(manifest(&server).starts_with("# heat 12\n"));
    assert_eq!(put("{\"split\": \"tarin\", \"images\": []}").0, 400);
    assert_eq!(put("{\"split\": \"val\", \"images\": [\"none\"]}").0, 404);
}

#[test]
fn a_sidecar_comes_with_its_image() {
    let server = server();
    let names = server.names();
    let send = |name: &str, body: &str| {
        server.ask(&format!("POST /api/images?name={name} HTTP/1.1"), &[], body.as_bytes())
    };
    let sidecar = format!("{}.TXT", names[0]);
    let text = "[SemImageFile]\r\nPixelSize=33\r\n";
    assert_eq!(send(&sidecar, text).0, 200);
    assert_eq!(send(&sidecar, text).0, 200, "the same again");
    assert_eq!(send(&sidecar, "PixelSize=44").0, 409, "another");
    let stored = server.steel().join("images").join(&sidecar);
    assert_eq!(fs::read_to_string(stored).unwrap(), text);
    for bad in ["../a.txt", ".a.txt", "a.exe", "a.toml", "sub%2Fa.hdr"] {
        assert_eq!(send(bad, text).0, 400, "{bad}");
    }
    let project = server.get("/api/project").1;
    assert!(
        project.contains("33"),
        "the synthetic set states another pixel size, and both are named: {project}"
    );
}

#[test]
fn a_pixel_size_that_the_file_contradicts_is_refused() {
    let server = server();
    let names = server.names();
    let before = manifest(&server);
    let sidecar = server.steel().join("images").join(format!("{}.txt", names[1]));
    fs::write(sidecar, "[SemImageFile]\r\nPixelSize=20\r\n").unwrap();
    let own = |nm: f64| format!("{{\"nm_per_px\": {nm}, \"images\": [\"{}\"]}}", names[1]);
    let (status, body) = server.post("/api/scale", &own(7.0));
    assert!(status == 422 && body.contains("7.0000") && body.contains("20.0000"), "{status} {body}");
    assert_eq!(manifest(&server), before);
    assert_eq!(server.post("/api/scale", &own(20.0)).0, 200);
    assert_eq!(server.post("/api/scale", &own(-1.0)).0, 400);
    let one = format!("{{\"nm_per_px\": 12.5, \"images\": [\"{}\"]}}", names[0]);
    assert_eq!(server.post("/api/scale", &one).0, 200);
    assert!(server.get("/api/project").1.contains("12.5"));
}

#[test]
fn labels_survive_a_change_of_the_classes() {
    let server = server();
    let names = server.names();
    let mut drawn = [0; PIXELS];
    drawn[..300].fill(1);
    assert_eq!(draw(&server, &names[0], "strokes", &drawn).0, 200);
    let json = "{\"classes\": [{\"was\": null, \"name\": \"pore\"}, {\"was\": 0, \"name\": \"ferrite\"}, \
                {\"was\": 1, \"name\": \"carbide\", \"color\": \"#ff0000\"}]}";
    let (status, body) = server.post("/api/classes", json);
    assert_eq!((status, body.as_str()), (200, "{\"converted\":3}"));
    let moved = |class: u8| if class == 1 { 2 } else { 1 };
    assert_eq!(label(&server, &names[0]).1.as_bytes(), drawn.map(moved), "drawn in the page");
    for name in &names[1..] {
        assert!(label(&server, name).1.bytes().all(|b| b == 1 || b == 2), "of another program");
    }
    let id = versions(&server, &names[0])["versions"][0]["id"].clone();
    let old = server.get(&format!("/api/images/{}/versions/{id}", names[0])).1;
    assert_eq!(old.as_bytes(), drawn.map(moved), "a version from before the change");
    drop(server);
}

#[test]
fn classes_change_from_the_command_line() {
    let folder = project();
    let at = folder.path();
    let measured = |class: &str| {
        let _ = fs::remove_dir_all(at.join("m"));
        succeed(at, &["measure", "steel/labels", "--data", "steel", "--class", class, "--out", "m"]);
        fs::read_to_string(at.join("m/particles.csv")).unwrap()
    };
    let before = measured("carbide");
    let change = [
        "data",
        "classes",
        "steel",
        "--rename",
        "carbide=cementite",
        "--add",
        "pore",
        "--order",
        "pore,matrix,cementite",
    ];
    succeed(at, &change);
    assert_eq!(measured("cementite").replace("cementite", "carbide"), before, "the same objects");
    succeed(at, &["data", "classes", "steel", "--merge", "pore=matrix"]);
    succeed(at, &["data", "check", "steel"]);
    assert_eq!(measured("cementite").replace("cementite", "carbide"), before);
    let manifest = fs::read(at.join("steel/dataset.toml")).unwrap();
    for (words, why) in [
        (["--rename", "ferrite=a"], "no class `ferrite`"),
        (["--rename", "matrix"], "A=B"),
        (["--order", "matrix"], "cementite"),
        (["--add", "carbide"], "choose another name"),
    ] {
        let refused = command(at, &["data", "classes", "steel", words[0], words[1]]).output().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && said.contains(why), "{words:?}: {said}");
        assert_eq!(fs::read(at.join("steel/dataset.toml")).unwrap(), manifest);
    }
}

/// While they are looked at, in the tables that the page has written, and by the program's own verb: the same numbers.
#[test]
fn the_page_and_the_program_measure_the_same() {
    let server = server();
    let names = server.names();
    for options in [
        serde_json::json!({}),
        serde_json::json!({"min_area_px": 12}),
        serde_json::json!({"exclude_edge": true, "split_depth_px": 1.0, "min_area_px": 5}),
    ] {
        let mut asked = serde_json::json!({"of": "labels", "class": 1, "images": names});
        asked.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        let page: serde_json::Value =
            serde_json::from_str(&server.post("/api/measure", &asked.to_string()).1).unwrap();
        let mut line =
            vec!["measure", "steel/labels", "--data", "steel", "--class", "1", "--json", "--out", "m"];
        let smallest = options["min_area_px"].to_string();
        if options["min_area_px"].is_u64() {
            line.extend(["--min-area-px", &smallest]);
        }
        if options["exclude_edge"] == true {
            line.extend(["--exclude-edge", "--split", "1"]);
        }
        let _ = fs::remove_dir_all(server.folder.path().join("m"));
        let own: serde_json::Value = serde_json::from_str(&succeed(server.folder.path(), &line)).unwrap();
        let shown = page["estimates"].as_array().unwrap();
        assert!(shown.len() > 4, "{page}");
        for quantity in shown {
            let same = &own["estimates"][quantity["quantity"].as_str().unwrap()]["estimate"];
            assert_eq!(
                (&quantity["value"], &quantity["ci95"]),
                (&same["value"], &same["ci95"]),
                "{options} {quantity}"
            );
        }
    }
}

#[test]
fn what_is_thrown_away() {
    let server = server();
    let names = server.names();
    let delete = |path: &str| server.ask(&format!("DELETE {path} HTTP/1.1"), &[], b"");
    assert_eq!(draw(&server, &names[0], "prediction", &[1; PIXELS]).0, 200);
    let image = server.steel().join("images").join(format!("{}.png", names[0]));
    let bytes = fs::read(&image).unwrap();
    assert_eq!(delete(&format!("/api/images/{}", names[0])).0, 200);
    assert!(!image.exists());
    let aside = server.steel().join(".sorby/removed").join(&names[0]);
    assert_eq!(fs::read(aside.join(format!("{}.png", names[0]))).unwrap(), bytes);
    assert!(aside.join("label").is_dir() && aside.join("label-versions").is_dir());
    assert!(!manifest(&server).contains(&format!("\"{}\"", names[0])), "no split names it");
    succeed(server.folder.path(), &["data", "check", "steel"]);
    let run = server.steel().join("runs/r");
    fs::create_dir_all(run.join("checkpoints")).unwrap();
    fs::write(run.join("checkpoints/a"), [0; 1000]).unwrap();
    assert_eq!(delete("/api/runs/r"), (200, "{\"freed_bytes\":1000}".to_owned()));
    assert!(!run.exists());
    assert_eq!(delete("/api/runs/..").0, 404);
    assert_eq!(delete("/api/predictions/none").0, 404);
    assert_eq!(delete("/api/images/none").0, 404);
}

#[test]
fn an_image_gets_another_name_with_all_that_is_its() {
    let server = server();
    let names = server.names();
    let old = &names[0];
    let steel = server.steel();
    let mut drawn = [0; PIXELS];
    drawn[..300].fill(1);
    assert_eq!(draw(&server, old, "prediction", &drawn).0, 200);
    fs::write(steel.join(format!("images/{old}.txt")), "note").unwrap();
    let mut strokes = [255; PIXELS];
    strokes[..9].fill(1);
    server.ask(&format!("PUT /api/images/{old}/sketch HTTP/1.1"), &[], &gzipped(&strokes));
    let masks = steel.join("predictions/m/masks");
    fs::create_dir_all(&masks).unwrap();
    fs::copy(steel.join(format!("labels/{old}.png")), masks.join(format!("{old}.png"))).unwrap();
    let rename =
        |name: &str| server.post(&format!("/api/images/{old}/name"), &format!("{{\"name\": {name:?}}}"));

    // What cannot be leaves all as it was.
    let before = crate::serve::contents(server.folder.path());
    for (name, status) in
        [("../x", 400), ("a/b", 400), (".x", 400), (" x", 400), ("", 400), (old, 400), (&names[1], 409)]
    {
        assert_eq!(rename(name).0, status, "{name}");
    }
    fs::create_dir_all(steel.join(".sorby/sketches/taken")).unwrap();
    assert_eq!(rename("taken").0, 409);
    fs::remove_dir(steel.join(".sorby/sketches/taken")).unwrap();
    assert_eq!(crate::serve::contents(server.folder.path()), before);

    let label = fs::read(steel.join(format!("labels/{old}.png"))).unwrap();
    let (status, told) = rename("heat 12.5");
    assert_eq!(status, 200, "{told}");
    assert_eq!(fs::read(steel.join("labels/heat 12.5.png")).unwrap(), label);
    for place in ["images/heat 12.5.png", "images/heat 12.5.txt", ".sorby/labels-before/heat 12.5.png"] {
        assert!(steel.join(place).is_file(), "{place}");
    }
    assert!(steel.join(".sorby/sketches/heat 12.5").is_dir());
    assert!(!server.names().contains(old) && server.names().contains(&"heat 12.5".to_owned()));
    assert_eq!(versions(&server, "heat%2012.5")["versions"].as_array().unwrap().len(), 1);
    let text = manifest(&server);
    assert!(text.contains("\"heat 12.5\"") && !text.contains(&format!("\"{old}\"")), "{text}");
    assert!(!masks.join(format!("{old}.png")).exists(), "a mask of the old name would be of no image");
    succeed(server.folder.path(), &["data", "check", "steel"]);
}
