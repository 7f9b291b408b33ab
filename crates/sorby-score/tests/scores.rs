//! Scores against the reference definitions (`reference/fixtures`).

use serde_json::Value;
use sorby_image::LabelMap;
use sorby_score::Confusion;

fn fixture(name: &str) -> Value {
    let path = format!("{}/../../reference/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn count(v: &Value) -> usize {
    v.as_u64().unwrap() as usize
}

fn map(image: &Value, part: &str) -> LabelMap {
    let labels = image[part].as_array().unwrap().iter().map(|v| count(v) as u8).collect();
    LabelMap { width: count(&image["width"]), height: count(&image["height"]), labels }
}

#[track_caller]
fn same(what: &str, got: Option<f64>, want: &Value) {
    match (got, want.as_f64()) {
        (Some(g), Some(w)) => assert!((g - w).abs() < 1e-12, "{what}: {g}, expected {w}"),
        (got, want) => assert_eq!(got, want, "{what}"),
    }
}

#[test]
fn scores_match_the_definition() {
    let cases = fixture("metrics.json");
    let cases = cases.as_array().unwrap();
    assert!(cases.len() >= 4);
    for case in cases {
        let name = case["case"].as_str().unwrap();
        let mut confusion = Confusion::new(count(&case["classes"]));
        for image in case["images"].as_array().unwrap() {
            confusion.add(&map(image, "prediction"), &map(image, "label"));
        }
        let (scores, want) = (confusion.scores(), &case["scores"]);
        for (c, s) in scores.classes.iter().enumerate() {
            same(&format!("{name} IoU {c}"), s.iou, &want["IoU"][c]);
            same(&format!("{name} Acc {c}"), s.recall, &want["Acc"][c]);
            same(&format!("{name} Dice {c}"), s.dice, &want["Dice"][c]);
            same(&format!("{name} Precision {c}"), s.precision, &want["Precision"][c]);
        }
        same(&format!("{name} mIoU"), scores.mean_iou, &want["mIoU"]);
        same(&format!("{name} aAcc"), scores.pixel_accuracy, &want["aAcc"]);
    }
}

#[test]
fn what_nobody_has_checked_is_counted_or_refused_whole() {
    let map =
        |width, labels: &[u8]| LabelMap { width, height: labels.len() / width, labels: labels.to_vec() };
    let mut confusion = Confusion::new(2);
    confusion.try_add(&map(2, &[0, 1, 9, 1]), &map(2, &[0, 0, 255, 1])).unwrap();
    assert_eq!(confusion.matrix(), [[1, 1], [0, 1]]);
    let other = confusion.try_add(&map(1, &[0, 1]), &map(2, &[0, 1])).unwrap_err();
    assert_eq!(other, "the prediction has the shape (2, 1) but its mask (1, 2)");
    let strange = confusion.try_add(&map(2, &[0, 2]), &map(2, &[0, 1])).unwrap_err();
    assert_eq!(strange, "there is class 2 in the masks, but the classes are 0 to 1");
    assert_eq!(confusion.matrix(), [[1, 1], [0, 1]]);
}
