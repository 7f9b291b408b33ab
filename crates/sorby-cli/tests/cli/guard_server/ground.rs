//! A label is saved on what it was drawn on: the label, the classes and the image that were there.

use super::{grey_png, image_file, label_file};
use crate::serve::{Server, serve};
use std::fs;

/// What was drawn on `revision` is refused with this reason, and the label file stays.
fn refused(server: &Server, name: &str, revision: &str, reason: &str) {
    let before = fs::read(label_file(server, name)).ok();
    let (status, body) = server.save(name, revision, 1);
    assert_eq!(status, 412, "{reason}: {body}");
    assert!(body.contains(&format!("\"changed\":\"{reason}\"")), "{body}");
    assert_eq!(fs::read(label_file(server, name)).ok(), before, "{reason}");
}

#[test]
fn classes_that_were_swapped_are_a_conflict() {
    let server = serve(&[]);
    let name = server.image();
    let revision = server.revision(&name);
    let manifest = server.steel().join("dataset.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let swapped = text.replace("matrix", "SWAP").replace("carbide\"", "matrix\"").replace("SWAP", "carbide");
    for changed in [
        swapped,
        text.replace("\"carbide\"\n", "\"pore\"\n"),
        text.replace("[[folders]]", "[[classes]]\nname = \"pore\"\n[[folders]]"),
    ] {
        assert_ne!(changed, text);
        fs::write(&manifest, changed).unwrap();
        refused(&server, &name, &revision, "classes");
    }
    fs::write(&manifest, text).unwrap();
    assert_eq!(server.save(&name, &revision, 1).0, 200, "as it was again");
}

#[test]
fn an_image_that_was_replaced_is_a_conflict() {
    let server = serve(&[]);
    let names = server.names();
    fs::remove_file(label_file(&server, &names[1])).unwrap();
    let text = fs::read_to_string(server.steel().join("dataset.toml")).unwrap();
    fs::write(
        server.steel().join("dataset.toml"),
        text.replace("\"refuse\"\n\n[scale]", "\"skip\"\n\n[scale]"),
    )
    .unwrap();
    for name in &names[..2] {
        let revision = server.revision(name);
        let time = fs::metadata(image_file(&server, name)).unwrap().modified().unwrap();
        let original = fs::read(image_file(&server, name)).unwrap();
        fs::write(image_file(&server, name), grey_png(96, 64, &[77; 96 * 64])).unwrap();
        fs::File::options().write(true).open(image_file(&server, name)).unwrap().set_modified(time).unwrap();
        refused(&server, name, &revision, "image");
        fs::write(image_file(&server, name), grey_png(48, 64, &[77; 48 * 64])).unwrap();
        refused(&server, name, &revision, "image");
        fs::write(image_file(&server, name), original).unwrap();
        assert_eq!(
            server.save(name, &revision, 1).0,
            200,
            "the same bytes under another time are the same image"
        );
    }
}

#[test]
fn labels_replaced_by_another_coding_are_read_anew() {
    let server = serve(&[]);
    let names = server.names();
    let coded = |values: [u8; 2]| {
        for name in &names {
            let pixels: Vec<u8> = (0..96 * 64).map(|i| values[usize::from(i % 96 < 40)]).collect();
            fs::write(label_file(&server, name), grey_png(96, 64, &pixels)).unwrap();
        }
    };
    let counts = || {
        let (status, body) = server.post(
            "/api/measure",
            &format!("{{\"of\":\"labels\",\"class\":1,\"images\":[\"{}\"]}}", names[0]),
        );
        assert_eq!(status, 200, "{body}");
        body.split("\"area_px\":")
            .nth(1)
            .and_then(|t| t.split(&[',', '}'][..]).next())
            .unwrap_or("none")
            .to_owned()
    };
    coded([0, 1]);
    let before = server.revision(&names[0]);
    let area = counts();
    assert_eq!(area.parse::<f64>().unwrap(), 40.0 * 64.0);
    coded([0, 255]);
    assert_eq!(counts(), area, "black and white now: the class is what it was, and not to be ignored");
    refused(&server, &names[0], &before, "label");
    coded([1, 0]);
    assert_ne!(counts(), area);
}

#[test]
fn a_label_changed_by_another_program_is_a_conflict() {
    let server = serve(&[]);
    let name = server.image();
    let revision = server.revision(&name);
    fs::write(label_file(&server, &name), grey_png(96, 64, &[1; 96 * 64])).unwrap();
    let (status, body) = server.save(&name, &revision, 0);
    assert_eq!(status, 412, "{body}");
    let now = server.revision(&name);
    let (status, body) = server.save(&name, &now, 0);
    assert_eq!(status, 200, "{body}");
    let next = body.split("\"revision\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(next, server.revision(&name), "the answer names what is there now");
    assert_eq!(server.save(&name, &next, 1).0, 200, "and can be drawn on");
}
