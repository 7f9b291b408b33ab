//! Several who write at the same time.

use super::{grey_png, label_file};
use crate::fail;
use crate::serve::{gzipped, project, serve, serve_in};
use std::fs;

#[test]
fn a_second_server_on_a_project_is_refused() {
    let mut server = serve(&[]);
    let arguments = ["serve", "steel", "--no-open", "--port", "0"];
    let message = fail(server.folder.path(), &arguments);
    assert!(message.contains("another `sorby serve` has this project open"), "{message}");
    let by_another_name = fail(&server.steel(), &["serve", "../steel/.", "--no-open", "--port", "0"]);
    assert!(by_another_name.contains("another `sorby serve`"), "{by_another_name}");
    // Killed in the middle of its work it holds nothing.
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let folder = std::mem::replace(&mut server.folder, tempfile::tempdir().unwrap());
    assert_eq!(serve_in(folder, &[]).get("/api/project").0, 200);
}

#[test]
fn of_saves_on_one_revision_one_wins() {
    let server = serve(&[]);
    let name = server.image();
    for round in 0..5 {
        let on = format!("If-Match: \"{}\"", server.revision(&name));
        let answers: Vec<u16> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..20)
                .map(|i| {
                    let (server, on) = (&server, &on);
                    let mut drawn = [0; 96 * 64];
                    drawn[round * 100 + i] = 1;
                    let request = format!("PUT /api/images/{name}/label HTTP/1.1");
                    scope.spawn(move || server.ask(&request, &[on], &gzipped(&drawn)).0)
                })
                .collect();
            clients.into_iter().map(|c| c.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|a| **a == 200).count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|a| **a == 412).count(), 19, "{answers:?}");
    }
}

#[test]
fn of_uploads_of_one_name_one_wins_and_none_that_cannot_be_read() {
    let server = serve(&[]);
    let png = grey_png(8, 8, &[9; 64]);
    for round in 0..12 {
        let good = format!("POST /api/images?name=new-{round}.png HTTP/1.1");
        let other = format!("POST /api/images?name=new-{round}.tif HTTP/1.1");
        let upload = |request: &str, bytes: &[u8]| server.ask(request, &[], bytes).0;
        let answers: Vec<u16> = std::thread::scope(|scope| {
            let send = |request: &'_ str, bytes: &'_ [u8]| {
                let (request, bytes) = (request.to_owned(), bytes.to_owned());
                scope.spawn(move || upload(&request, &bytes))
            };
            // PNG bytes are read under any name.
            let all =
                [send(&good, &png), send(&good, b"no image"), send(&other, &png), send(&good, &png[..40])];
            all.into_iter().map(|s| s.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|a| **a == 200).count(), 1, "{answers:?}");
        let places = ["png", "tif"].map(|e| server.steel().join(format!("images/new-{round}.{e}")));
        let found: Vec<_> = places.iter().filter(|p| p.exists()).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(fs::read(found[0]).unwrap(), png);
    }
    let left = fs::read_dir(server.steel().join(".sorby/upload")).unwrap().count();
    assert_eq!(left, 0, "nothing of the trials stays");
}

/// What a kill leaves between writing the new label and removing the old one.
fn half_replaced(server: &crate::serve::Server, name: &str) -> Vec<u8> {
    let old = server.steel().join(format!("labels/{name}.bmp"));
    let values = sorby_image::RawLabels::read(&label_file(server, name)).unwrap();
    let sorby_image::RawLabels::Values(values) = values else { panic!("indices") };
    fs::remove_file(label_file(server, name)).unwrap();
    image::GrayImage::from_raw(96, 64, values.labels).unwrap().save(&old).unwrap();
    let bytes = fs::read(&old).unwrap();
    let revision = server.revision(name);
    assert_eq!(server.save(name, &revision, 1).0, 200);
    assert!(!old.exists() && label_file(server, name).exists());
    fs::write(&old, &bytes).unwrap();
    bytes
}

#[test]
fn a_label_whose_ending_changed_never_breaks_the_set() {
    let server = serve(&[]);
    let names = server.names();
    half_replaced(&server, &names[0]);
    let check = crate::sorby(server.folder.path(), &["data", "check", "steel"]);
    // That a class is missing from a split, as all of this label is of one, is another matter.
    let told = String::from_utf8(check.stdout).unwrap();
    assert!(told.contains("3 labelled images") && !told.contains("the same name"), "{told}");
    // The next save removes what the kill has left.
    let revision = server.revision(&names[0]);
    assert_eq!(server.save(&names[0], &revision, 0).0, 200);
    assert!(!server.steel().join(format!("labels/{}.bmp", names[0])).exists());
    // So does the next start.
    let bytes = half_replaced(&server, &names[1]);
    let folder = project();
    let steel = folder.path().join("steel");
    fs::remove_dir_all(&steel).unwrap();
    let copied = std::process::Command::new("cp").arg("-a").arg(server.steel()).arg(&steel).status().unwrap();
    assert!(copied.success());
    let second = serve_in(folder, &[]);
    assert!(!second.steel().join(format!("labels/{}.bmp", names[1])).exists());
    assert_eq!(
        fs::read(second.steel().join(format!(".sorby/labels-before/{}.bmp", names[1]))).unwrap(),
        bytes
    );
    assert_eq!(second.get(&format!("/api/images/{}/label", names[1])).0, 200);
}
