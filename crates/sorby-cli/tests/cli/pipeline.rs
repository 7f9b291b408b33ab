//! The main job from micrographs to a report, as a user types it.

use crate::{sorby, succeed, workshop};
use std::fs;

#[test]
fn from_micrographs_to_a_report() {
    let folder = workshop();
    let at = folder.path();
    let checked = succeed(at, &["data", "check", "data"]);
    assert!(checked.contains("5 labelled images") && checked.contains("no problems found"), "{checked}");

    let trained = succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    assert!(trained.contains("sorby segment run"), "the next command is told: {trained}");
    let metrics = fs::read_to_string(at.join("run/metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 6);
    let first: serde_json::Value = serde_json::from_str(metrics.lines().next().unwrap()).unwrap();
    // Untrained logits are near zero: 0.0866 per head, the auxiliary one counts 0.4.
    assert!((first["loss"].as_f64().unwrap() - 0.1213).abs() < 0.01, "{first}");
    let validations = fs::read_to_string(at.join("run/validation.jsonl")).unwrap();
    assert_eq!(validations.lines().count(), 2);
    for file in ["recipe.toml", "source.toml", "environment.json", "split.json", "status.json", "log.txt"] {
        assert!(at.join("run").join(file).is_file(), "{file}");
    }
    let status: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("run/status.json")).unwrap()).unwrap();
    assert_eq!((status["state"].as_str(), status["iteration"].as_u64()), (Some("done"), Some(6)));

    let window = ["--window", "64", "--stride", "48"];
    let arguments = ["evaluate", "run", "--data", "data", "--split", "test", "--out", "ev", "--json"];
    let scores: serde_json::Value =
        serde_json::from_str(&succeed(at, &[&arguments[..], &window].concat())).unwrap();
    let pixels: u64 = scores["confusion"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|r| r.as_array().unwrap())
        .map(|n| n.as_u64().unwrap())
        .sum();
    assert_eq!(pixels, 120 * 96, "every labelled pixel of the one test image is counted");
    assert!(at.join("ev/overlays/carbide-005-carbide-errors.png").is_file());

    let arguments = ["segment", "run", "data/images", "--out", "seg", "--probabilities", "--tta"];
    succeed(at, &[&arguments[..], &window].concat());
    let mask = sorby_image::RawLabels::read(&at.join("seg/masks/carbide-001.png")).unwrap();
    assert_eq!(mask.size(), (120, 96));
    assert!(at.join("seg/probabilities/carbide-001-carbide.png").is_file());
    assert!(at.join("seg/overlays/carbide-001.png").is_file());

    // The model's encoder starts another model: from microscope to microscope without a download.
    let told = succeed(at, &["model", "info", "run"]);
    assert!(
        told.contains("DeepLabV3+") && told.contains("matrix, carbide") && told.contains("v1c"),
        "{told}"
    );
    succeed(at, &["model", "convert", "run", "--encoder", "--out", "encoder.safetensors"]);
    let told = succeed(at, &["model", "info", "encoder.safetensors"]);
    assert!(told.contains("no model of Sorby") && told.contains("95 tensors"), "{told}");
    let transfer =
        ["train", "tiny.toml", "--data", "data", "--out", "second", "--set", "schedule.iterations=1"];
    let pretrained = ["--set", "pretrained=encoder.safetensors", "--set", "arch=pspnet"];
    succeed(at, &[&transfer[..], &pretrained].concat());
    let keys: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("second/pretrained.json")).unwrap()).unwrap();
    assert!(
        keys["loaded"].as_array().unwrap().len() >= 110 && keys["missing"].as_array().unwrap().is_empty()
    );

    let report = [&["report", "run", "--data", "data", "--split", "test"][..], &window].concat();
    succeed(at, &report);
    let html = fs::read_to_string(at.join("run/report.html")).unwrap();
    assert!(
        html.contains("Validation IoU")
            && html.contains("Size of carbide particles")
            && html.contains("best for count")
    );
    assert!(!html.contains("<script") && !html.contains("src=\"http"), "self-contained");
    assert!(
        html.contains("with 95 % intervals") && html.contains("SHA-256") && html.contains("is off by"),
        "duel"
    );

    // Computed again, every number is the same; of other files there is nothing to compute.
    let told = succeed(at, &["replay", "run/report.html"]);
    assert!(told.contains("are the same again"), "{told}");
    let altered = html.replacen("&quot;mean_iou&quot;:0.", "&quot;mean_iou&quot;:0.9", 1);
    assert_ne!(altered, html);
    fs::write(at.join("run/altered.html"), altered).unwrap();
    let output = sorby(at, &["replay", "run/altered.html"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("mean_iou") && told.contains(": 1 of"), "{told}");
    let model = fs::read(at.join("run/model.safetensors")).unwrap();
    fs::write(at.join("run/model.safetensors"), [&model[..], &[0]].concat()).unwrap();
    let output = sorby(at, &["replay", "run/report.html"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("has changed since"));
}

#[test]
fn measured_truth_is_the_truth() {
    let folder = workshop();
    let at = folder.path();
    let arguments =
        ["measure", "data/labels", "--data", "data", "--class", "carbide", "--out", "m", "--json"];
    let measured: serde_json::Value = serde_json::from_str(&succeed(at, &arguments)).unwrap();
    let truth = fs::read_to_string(at.join("data/truth.csv")).unwrap();
    let rows: Vec<Vec<f64>> =
        truth.lines().skip(1).map(|l| l.split(',').skip(1).map(|v| v.parse().unwrap()).collect()).collect();
    let count: f64 = rows.iter().map(|r| r[0]).sum();
    let radius_nm = rows.iter().map(|r| r[0] * r[2]).sum::<f64>() / count;
    let total = &measured["total"];
    assert_eq!(total["count"].as_f64().unwrap(), count);
    assert!((total["mean_radius_nm"].as_f64().unwrap() - radius_nm).abs() < 0.01);
    assert_eq!(measured["error"]["count_error"], 0);
    let particles = fs::read_to_string(at.join("m/particles.csv")).unwrap();
    assert_eq!(particles.lines().count() as f64, count + 1.0);
    // Without a scale: pixels, and the reader is told.
    let plain = succeed(at, &["measure", "data/labels", "--out", "m2"]);
    assert!(plain.contains("no pixel size"), "{plain}");
    let images = fs::read_to_string(at.join("m2/images.csv")).unwrap();
    assert!(images.lines().nth(1).unwrap().contains(",,"), "no nanometres without a scale: {images}");
}

/// Masks that are wrong in a known way, the true ones next to them: the bias is learnt, and taken out elsewhere.
#[test]
fn what_labelled_images_teach_corrects_other_measurements() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let draw = |name: &str, seed: u32, swollen: f64| {
        let inside = |x: u32, y: u32| {
            let (cx, cy) = (f64::from(x / 24 * 24) + 12.0, f64::from(y / 24 * 24) + 12.0);
            let r = 3.0 + f64::from((x / 24 * 7 + y / 24 * 3 + seed) % 5) + swollen;
            (f64::from(x) - cx).hypot(f64::from(y) - cy) <= r
        };
        let path = at.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let image = image::GrayImage::from_fn(240, 192, |x, y| image::Luma([u8::from(inside(x, y))]));
        image.save(path).unwrap();
    };
    for seed in 0..4 {
        draw(&format!("truth/{seed}.png"), seed, 0.0);
        draw(&format!("masks/{seed}.png"), seed, 1.0);
        draw(&format!("new/{seed}.png"), seed + 4, 1.0);
    }
    let read =
        |arguments: &[&str]| -> serde_json::Value { serde_json::from_str(&succeed(at, arguments)).unwrap() };
    let learnt = read(&[
        "measure",
        "masks",
        "--truth",
        "truth",
        "--out",
        "o",
        "--nm-per-px",
        "10",
        "--split",
        "2",
        "--json",
    ]);
    let mean = &learnt["estimates"]["mean_diameter_nm"];
    let truth = mean["truth"]["value"].as_f64().unwrap();
    assert!(mean["estimate"]["value"].as_f64().unwrap() > truth + 15.0, "{mean}");
    assert_eq!(learnt["split"]["objects_before"], learnt["split"]["objects_after"], "discs are not split");
    let corrected = read(&[
        "measure",
        "new",
        "--split",
        "2",
        "--calibration",
        "o/calibration.json",
        "--out",
        "p",
        "--nm-per-px",
        "10",
        "--json",
        "--export",
        "parquet,roi,geojson",
        "--class",
        "1",
        "--spheres",
        "--plan",
        "10",
    ]);
    let mean = &corrected["estimates"]["mean_diameter_nm"]["estimate"];
    let number = |key: &str| mean[key].as_f64().unwrap();
    assert!((number("value") - truth).abs() < 2.0 && number("raw") > truth + 15.0, "{mean}");
    // Two percent of the pixel size are two percent of a length.
    assert!((number("scale_ci95") / number("value") - 0.02).abs() < 1e-9, "{mean}");
    assert!(number("ci95") >= number("scale_ci95") && number("segmentation_ci95") > 0.0, "{mean}");
    for file in ["particles.parquet", "0-RoiSet.zip", "3.geojson", "estimates.csv", "sizes.csv"] {
        assert!(at.join("p").join(file).is_file(), "{file}");
    }
    // One image alone has an interval too, from within.
    let one = read(&["measure", "new/0.png", "--out", "q", "--json"]);
    assert!(one["estimates"]["area_fraction_percent"]["estimate"]["ci95"].as_f64().unwrap() > 0.0, "{one}");
}

#[test]
fn thresholds_are_swept_and_drawn() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["threshold", "data/images/carbide-001.png", "--truth", "data/labels", "--out", "t"]);
    let sweep = fs::read_to_string(at.join("t/carbide-001-sweep.csv")).unwrap();
    assert_eq!(sweep.lines().count(), 257);
    assert!(sweep.lines().last().unwrap().starts_with("255,0,"), "nothing is brighter than white");
    let table = fs::read_to_string(at.join("t/thresholds.csv")).unwrap();
    assert!(table.contains("Otsu") && table.contains("best for radius") && table.contains("truth"));
    assert!(fs::read_to_string(at.join("t/carbide-001-count.svg")).unwrap().starts_with("<svg"));
}

/// Otsu must be clearly worse than what a model can learn, or the demo shows nothing.
#[test]
fn synthetic_carbides_are_hard_for_otsu() {
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), &["synth", "--out", "d", "--images", "3", "--size", "320x240"]);
    succeed(folder.path(), &["threshold", "d/images", "--truth", "d/labels", "--out", "t"]);
    let table = fs::read_to_string(folder.path().join("t/thresholds.csv")).unwrap();
    let field = |line: &str, i: usize| line.split(',').nth(i).unwrap().parse::<f64>().unwrap();
    let rows: Vec<&str> = table.lines().collect();
    for (i, line) in rows.iter().enumerate().filter(|(_, l)| l.contains(",Otsu,")) {
        let truth = rows[i..].iter().find(|l| l.contains(",truth,")).unwrap();
        assert!(field(line, 3) > 2.0 * field(truth, 3), "Otsu's count: {line}\n{truth}");
    }
}

#[test]
fn one_bad_image_does_not_stop_the_others() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run", "--set", "schedule.iterations=1"]);
    fs::create_dir(at.join("mixed")).unwrap();
    for i in 0..4 {
        let path = at.join(format!("mixed/image{i}.tif"));
        image::GrayImage::from_pixel(90, 70, image::Luma([100 + i])).save(&path).unwrap();
    }
    let whole = fs::read(at.join("mixed/image2.tif")).unwrap();
    fs::write(at.join("mixed/image2.tif"), &whole[..whole.len() / 2]).unwrap();
    let output = sorby(at, &["segment", "run", "mixed", "--out", "seg", "--window", "64", "--stride", "64"]);
    assert_eq!(output.status.code(), Some(1), "done, with problems");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("image2.tif"), "{error}");
    assert_eq!(fs::read_dir(at.join("seg/masks")).unwrap().count(), 3);
    let problems = fs::read_to_string(at.join("seg/problems.csv")).unwrap();
    assert_eq!(problems.lines().count(), 2, "{problems}");
}

/// What the truth does not know is measured on neither side, and the coding of masks is one for all.
#[test]
fn truth_and_masks_are_measured_on_the_same_field() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let write = |name: &str, values: &[u8]| {
        let path = at.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::GrayImage::from_raw(values.len() as u32, 1, values.to_vec()).unwrap().save(path).unwrap();
    };
    // Index truth with an ignored end; the mask has a particle there, which must not count as wrong.
    write("truth/a.png", &[1, 0, 0, 255, 255]);
    write("masks/a.png", &[1, 0, 0, 0, 1]);
    // Nothing but 0 and 255 in this file, yet 255 is "ignore" as the other file shows.
    write("truth/b.png", &[0, 0, 0, 255, 255]);
    write("masks/b.png", &[0, 0, 0, 1, 0]);
    let read =
        |arguments: &[&str]| -> serde_json::Value { serde_json::from_str(&succeed(at, arguments)).unwrap() };
    let result = read(&["measure", "masks", "--truth", "truth", "--out", "o", "--json"]);
    assert_eq!((&result["total"]["count"], &result["truth"]["count"]), (&1.into(), &1.into()), "{result}");
    assert_eq!(result["error"]["area_fraction_error"], 0.0);
    // Black and white masks: 255 is the particle.
    write("bw/a.png", &[255, 0, 255, 255, 0]);
    assert_eq!(read(&["measure", "bw", "--out", "o2", "--json"])["total"]["count"], 2);
}
