//! The routine: a job is made once, lots are measured by it, and a lot can be checked later.

use crate::{command, fail, sorby, succeed, workshop};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A model that finds carbides, and images that it has not seen; trained once for all tests here.
fn trained() -> &'static Path {
    static LABORATORY: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = LABORATORY.get_or_init(|| {
        let folder = workshop();
        let at = folder.path();
        let mut train = vec!["train", "tiny.toml", "--data", "data", "--out", "run"];
        for change in [
            "loss.kind=cross_entropy_dice",
            "optimizer.kind=adamw",
            "optimizer.lr=0.002",
            "schedule.policy=one_cycle",
            "schedule.iterations=60",
            "schedule.validate_every=60",
            "schedule.checkpoint_every=60",
        ] {
            train.extend(["--set", change]);
        }
        succeed(at, &train);
        succeed(at, &["synth", "--out", "new", "--images", "4", "--size", "120x96", "--seed", "9"]);
        folder
    });
    folder.path()
}

/// A folder with that model as `run/model.safetensors` and those images in `new/images`.
pub fn laboratory() -> tempfile::TempDir {
    let (from, folder) = (trained(), tempfile::tempdir().unwrap());
    let at = folder.path();
    fs::create_dir_all(at.join("new/images")).unwrap();
    fs::create_dir(at.join("run")).unwrap();
    fs::copy(from.join("run/model.safetensors"), at.join("run/model.safetensors")).unwrap();
    for entry in fs::read_dir(from.join("new/images")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), at.join("new/images").join(entry.file_name())).unwrap();
    }
    folder
}

fn job(at: &Path, more: &[&str]) {
    let model = "run/model.safetensors";
    let base =
        ["job", "new", model, "--out", "job.toml", "--nm-per-px", "12.5", "--fields", "4", "--ask", "lot"];
    succeed(at, &[&base[..], more].concat());
}

/// Measures the matrix, of which even a model of seconds finds enough: on the first page only its area fraction, for which
/// the job aims at an accuracy that any result has.
pub fn job_of_areas(at: &Path) -> String {
    job(
        at,
        &[
            "--class",
            "matrix",
            "--edges",
            "all",
            "--limit",
            "area fraction at least 50 %",
            "--accuracy",
            "100",
        ],
    );
    let text = fs::read_to_string(at.join("job.toml")).unwrap();
    let edited =
        text.replace("\"area_fraction\", \"number_density\", \"mean_diameter\"", "\"area_fraction\"");
    assert_ne!(edited, text);
    fs::write(at.join("job.toml"), &edited).unwrap();
    edited
}

fn run(at: &Path, out: &str, more: &[&str]) -> Output {
    let base = ["run", "job.toml", "new/images", "--out", out, "--set", "lot=Heat \"12\" & <3>"];
    sorby(at, &[&base[..], more].concat())
}

#[track_caller]
fn told(output: &Output, code: i32) -> String {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Words of a page, without its tags, styles and pictures.
fn words(html: &str) -> String {
    let body = html.split("</style>").nth(1).unwrap();
    body.split('<').filter_map(|part| Some(part.split_once('>')?.1)).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_lot_from_images_to_a_report() {
    let folder = laboratory();
    let at = folder.path();
    job(at, &["--limit", "area fraction at most 100 %", "--set", "customer=Works 7"]);
    let text = told(&run(at, "lot", &[]), 1);
    assert!(text.contains("4 of 4 images measured") && text.contains("seal: "), "{text}");

    // The numbers are those of `measure`, to the last digit.
    let lot = json(&at.join("lot/lot.json"));
    let masks =
        ["measure", "lot/segmentation/masks", "--out", "m", "--class", "carbide", "--plan", "10", "--json"];
    let measured: Value = serde_json::from_str(&succeed(at, &masks)).unwrap();
    assert_eq!((&lot["schema"], &lot["schema_version"]), (&"sorby-lot".into(), &1.into()));
    assert_eq!(lot["classes"][0]["estimates"], measured["estimates"]);
    assert_eq!(lot["classes"][0]["particles_counted"], measured["total"]["count"]);
    let area = 4.0 * 120.0 * 96.0 * 0.0125 * 0.0125;
    assert!((lot["classes"][0]["field_area_um2"].as_f64().unwrap() - area).abs() < 1e-9, "{area}");

    // A report by a person's words: header, limits, method, provenance.
    let html = fs::read_to_string(at.join("lot/report.html")).unwrap();
    let page = words(&html);
    for wanted in [
        "Heat &quot;12&quot; &amp; &lt;3&gt;",
        "Works 7",
        "area fraction at most 100 %",
        "Standard deviation between fields",
        "mean equivalent diameter",
        "Measured by: name, date, signature",
        "is not known: no labelled images were compared",
        "12.50 nm",
        "segmentation/masks/carbide-001.png",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    for code in ["_per_", "_percent", "_nm", "_px", "um2", "ci95", "--"] {
        let place = page.find(code).map(|i| &page[i.saturating_sub(40)..i + 10]);
        // The command and its file names are as typed.
        assert!(place.is_none() || place.unwrap().contains("sorby run") || code == "--", "{code}: {place:?}");
    }
    assert!(html.contains("counter(pages)") && !html.contains("src=\"http") && !html.contains("<script"));
    assert_eq!(html.matches("<figure>").count(), 4, "every image has its picture");
    assert!(!html.contains(at.to_str().unwrap()), "paths are as seen from the report");

    // A finished report is not written over; a revision names it.
    let again = fail(at, &["run", "job.toml", "new/images", "--out", "lot", "--set", "lot=Heat 13"]);
    assert!(again.contains("holds a finished report"), "{again}");
    let revised = ["--revises", "lot", "--reason", "wrong customer", "--set", "customer=Works 8"];
    let text = told(&run(at, "lot2", &revised), 1);
    let number = lot["report"]["number"].as_str().unwrap();
    assert!(text.contains(&format!("report {number} revision 1")), "{text}");
    let second = fs::read_to_string(at.join("lot2/report.html")).unwrap();
    assert!(second.contains(&format!("replaces report {number} of")) && second.contains("wrong customer"));
    // Measured again, every number is the same.
    assert_eq!(json(&at.join("lot2/lot.json"))["classes"], lot["classes"]);
}

#[test]
fn exit_codes_and_verdicts() {
    let folder = laboratory();
    let at = folder.path();
    let edited = job_of_areas(at);
    let refused = fail(at, &["run", "job.toml", "new/images", "--out", "lot", "--set", "lot=1"]);
    assert!(refused.contains("was changed after version 1"), "{refused}");
    assert!(succeed(at, &["job", "lock", "job.toml"]).contains("version 2"));

    let text = told(&run(at, "good", &[]), 0);
    assert!(text.contains("WITHIN: matrix: area fraction at least 50 %"), "{text}");
    // One image of four, and one that is no image at all.
    fs::write(at.join("broken.png"), b"no picture").unwrap();
    let few =
        ["run", "job.toml", "new/images/carbide-001.png", "broken.png", "--out", "few", "--set", "lot=1"];
    let text = told(&sorby(at, &few), 1);
    assert!(text.contains("1 field was measured, and the job wants 4"), "{text}");
    assert!(text.contains("1 of 2 images are left out"), "{text}");
    let page = words(&fs::read_to_string(at.join("few/report.html")).unwrap());
    assert!(page.contains("Why it is left out") && page.contains("../broken.png"), "{page}");
    let none = fail(at, &["run", "job.toml", "broken.png", "--out", "none", "--set", "lot=1"]);
    assert!(none.contains("none of the 1 images can be measured") && !at.join("none").exists(), "{none}");
    let unnamed = fail(at, &["run", "job.toml", "new/images", "--out", "none"]);
    assert!(unnamed.contains("--set lot="), "{unnamed}");
    let unknown = fail(at, &["run", "job.toml", "new/images", "--out", "none", "--set", "heat=2"]);
    assert!(unknown.contains("no such line"), "{unknown}");

    let outside = edited.replace("at least 50 %", "at most 10 %");
    fs::write(at.join("job.toml"), outside).unwrap();
    succeed(at, &["job", "lock", "job.toml"]);
    let text = told(&run(at, "bad", &[]), 1);
    assert!(text.contains("OUTSIDE: matrix: area fraction at most 10 %"), "{text}");
    assert_eq!(json(&at.join("bad/lot.json"))["verdict"], "outside");
    // Another model under the same name.
    fs::write(at.join("run/model.safetensors"), b"other").unwrap();
    let other = fail(at, &["run", "job.toml", "new/images", "--out", "none", "--set", "lot=1"]);
    assert!(other.contains("is not the model of this job"), "{other}");
}

#[test]
fn any_changed_missing_or_added_byte_of_a_lot_is_found() {
    let folder = laboratory();
    let at = folder.path();
    job(at, &[]);
    told(&run(at, "lot", &[]), 1);
    let whole = succeed(at, &["verify", "lot"]);
    assert!(whole.contains("are what they were") && whole.contains("seal: "), "{whole}");
    for file in [
        "lot/report.html",
        "lot/lot.json",
        "lot/manifest.json",
        "lot/job.toml",
        "lot/segmentation/masks/carbide-001.png",
        "lot/segmentation/overlays/carbide-002.png",
        "lot/segmentation/trust.csv",
        "lot/measurements/carbide/estimates.csv",
        "lot/measurements/carbide/particles.csv",
        "lot/measurements/carbide/summary.json",
        "new/images/carbide-003.png",
        "run/model.safetensors",
    ] {
        let path = at.join(file);
        let bytes = fs::read(&path).unwrap();
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        fs::write(&path, &changed).unwrap();
        let text = told(&sorby(at, &["verify", "lot"]), 1);
        let name = file.trim_start_matches("lot/");
        assert!(text.contains(&format!("{name}: was changed")), "{file}: {text}");
        fs::remove_file(&path).unwrap();
        let text = told(&sorby(at, &["verify", "lot"]), 1);
        assert!(text.contains(&format!("{name}: is missing")), "{file}: {text}");
        fs::write(&path, &bytes).unwrap();
    }
    fs::write(at.join("lot/segmentation/masks/more.png"), b"x").unwrap();
    let text = told(&sorby(at, &["verify", "lot"]), 1);
    assert!(text.contains("segmentation/masks/more.png: was added"), "{text}");
    fs::remove_file(at.join("lot/segmentation/masks/more.png")).unwrap();
    // Moved as a whole, everything is found again; the seal is the same.
    let seal = |text: &str| text.lines().find(|l| l.starts_with("seal: ")).unwrap().to_owned();
    fs::create_dir(at.join("archive")).unwrap();
    for name in ["lot", "new", "run"] {
        fs::rename(at.join(name), at.join("archive").join(name)).unwrap();
    }
    assert_eq!(seal(&succeed(at, &["verify", "archive/lot"])), seal(&whole));
    // What is no lot, or not a finished one, is refused.
    assert!(fail(at, &["verify", "archive/new"]).contains("is no lot"));
    fs::remove_file(at.join("archive/lot/seal.json")).unwrap();
    assert!(fail(at, &["verify", "archive/lot"]).contains("is not finished"));
}

/// Runs `sorby`, which must end by itself: a session that waits for ever is a failure, not a hanging test.
fn ended(at: &Path, arguments: &[&str]) -> Output {
    let mut command = command(at, arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(180);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.wait_with_output().unwrap()
}

/// Images that are there when the session begins are its first; it ends when the job has what it wants.
#[test]
fn a_watched_folder_becomes_a_lot() {
    let folder = laboratory();
    let at = folder.path();
    job_of_areas(at);
    succeed(at, &["job", "lock", "job.toml"]);
    let watch = ["run", "job.toml", "--watch", "new/images", "--out", "lot", "--set", "lot=1"];
    let text = told(&ended(at, &watch), 0);
    assert!(text.contains("4 so far, matrix: area fraction"), "{text}");
    assert!(text.contains("4 of 4 images measured"), "{text}");
    told(&run(at, "same", &[]), 0);
    assert_eq!(json(&at.join("lot/lot.json"))["classes"], json(&at.join("same/lot.json"))["classes"]);
    succeed(at, &["verify", "lot"]);
}

#[test]
fn a_lot_is_signed_by_two_and_every_change_of_a_signature_is_found() {
    let folder = laboratory();
    let at = folder.path();
    job(at, &[]);
    told(&run(at, "lot", &[]), 1);
    for key in ["smith", "jones", "nobody"] {
        succeed(at, &["sign", "--new-key", &format!("{key}.pem")]);
    }
    assert!(fail(at, &["sign", "--new-key", "smith.pem"]).contains("never written over"));
    succeed(at, &["sign", "lot", "--key", "smith.pem", "--as", "A. Smith"]);
    succeed(at, &["sign", "lot", "--key", "jones.pem", "--as", "B. Jones"]);
    assert!(fail(at, &["sign", "lot", "--key", "jones.pem", "--as", "C."]).contains("already"));
    assert!(fail(at, &["sign", "lot", "--key", "smith.pub.pem", "--as", "C."]).contains("no private"));
    let signed_by = ["verify", "lot", "--signed-by", "smith.pub.pem", "--signed-by", "jones.pub.pem"];
    let text = succeed(at, &signed_by);
    assert!(text.contains("signed by A. Smith") && text.contains("signed by B. Jones"), "{text}");
    let text = told(&sorby(at, &["verify", "lot", "--signed-by", "nobody.pub.pem"]), 1);
    assert!(text.contains("not signed with the key of nobody.pub.pem"), "{text}");
    assert!(fail(at, &["verify", "lot", "--signed-by", "smith.pem"]).contains("is a private key"));
    let files: Vec<_> = fs::read_dir(at.join("lot/signatures")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(files.len(), 4);
    for file in &files {
        let bytes = fs::read(file).unwrap();
        for place in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            fs::write(file, &changed).unwrap();
            let text = told(&sorby(at, &["verify", "lot"]), 1);
            assert!(text.contains("is no signature of this lot"), "{}: {text}", file.display());
        }
        fs::remove_file(file).unwrap();
        told(&sorby(at, &signed_by), 1);
        fs::write(file, &bytes).unwrap();
    }
    // A start that was ended between its two files is made up for.
    succeed(at, &["sign", "lot", "--key", "nobody.pem", "--as", "N."]);
    let mut third = fs::read_dir(at.join("lot/signatures")).unwrap().map(|e| e.unwrap().path());
    let third = third.find(|p| !files.contains(p) && p.extension().unwrap() == "json").unwrap();
    fs::remove_file(&third).unwrap();
    succeed(at, &["sign", "lot", "--key", "nobody.pem", "--as", "N."]);
    fs::remove_file(&third).unwrap();
    fs::remove_file(third.with_extension("sig")).unwrap();
    // What a signer calls himself cannot pass for lines of the program, and what is no file of the lot is not opened.
    assert!(fail(at, &["sign", "lot", "--key", "nobody.pem", "--as", "x\ny"]).contains("one line"));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/dev/zero", at.join("lot/signatures/z.json")).unwrap();
        assert!(told(&sorby(at, &["verify", "lot"]), 1).contains("z.json: is no signature"));
        fs::remove_file(at.join("lot/signatures/z.json")).unwrap();
    }
    fs::write(at.join("lot/signatures/a\u{1b}[2Kb.txt"), "x").unwrap();
    let text = told(&sorby(at, &["verify", "lot"]), 1);
    assert!(text.contains("a?[2Kb.txt: was added") && !text.contains('\u{1b}'), "{text}");
    fs::remove_file(at.join("lot/signatures/a\u{1b}[2Kb.txt")).unwrap();
    let manifest = fs::read_to_string(at.join("lot/manifest.json")).unwrap();
    fs::write(
        at.join("lot/manifest.json"),
        manifest.replacen("\"files\": {", "\"files\": {\"/etc/passwd\": \"0\",", 1),
    )
    .unwrap();
    assert!(told(&sorby(at, &["verify", "lot"]), 1).contains("/etc/passwd: is no place in a lot"));
    fs::write(at.join("lot/manifest.json"), manifest).unwrap();
    fs::write(at.join("lot/signatures/more.txt"), "x").unwrap();
    assert!(told(&sorby(at, &["verify", "lot"]), 1).contains("signatures/more.txt: was added"));
    fs::remove_file(at.join("lot/signatures/more.txt")).unwrap();
    succeed(at, &signed_by);
    // A lot that was changed is not signed, and its signatures do not hide the change.
    fs::write(at.join("lot/segmentation/trust.csv"), "image\n").unwrap();
    assert!(told(&sorby(at, &signed_by), 1).contains("trust.csv: was changed"));
    assert!(fail(at, &["sign", "lot", "--key", "nobody.pem", "--as", "N."]).contains("nothing was signed"));
}
