use super::*;
use crate::scale::PixelSize;

/// A file of `width` by `height` that states `nm` for `written_for`.
fn reading(nm: f64, (width, height): (u32, u32), written_for: (u32, u32)) -> ScaleReading {
    let found = PixelSize {
        nm_x: nm,
        nm_y: nm,
        vendor: "Hitachi",
        place: "sidecar .txt, PixelSize",
        sidecar: None,
        written_for_px: Some(written_for),
        data_bar_px: None,
        scale_bar_nm: None,
    };
    ScaleReading { found: Some(found), ..ScaleReading::silent(width, height) }
}

fn bar(length_px: f64) -> Option<DataBar> {
    let scale_bar = ScaleBar { length_px, uncertainty_px: 1.0, row: 0, left_px: 0.0 };
    Some(DataBar { rows_px: 40, scale_bar: Some(scale_bar) })
}

fn settle(
    claims: &[(f64, &str)],
    file: &ScaleReading,
    bar: Option<DataBar>,
) -> Result<Option<f64>, ScaleError> {
    let mut statements = Statements::new(claims.iter().map(|c| ScaleClaim::new(c.0, c.1)));
    statements.file("", file, bar);
    statements.settle().map(|known| known.map(|k| k.nm_per_px))
}

const WHOLE: (u32, u32) = (1280, 960);

#[test]
fn the_first_statement_counts_where_all_agree() {
    let file = reading(4.96, WHOLE, WHOLE);
    assert_eq!(settle(&[], &file, None), Ok(Some(4.96)));
    assert_eq!(settle(&[(5.0, "--nm-per-px")], &file, None), Ok(Some(5.0)));
    assert_eq!(Statements::default().settle(), Ok(None));
}

#[test]
fn a_refusal_lists_every_statement() {
    let file = reading(7.344, WHOLE, WHOLE);
    let error = settle(&[(38.76, "dataset.toml"), (7.3, "the mask's note")], &file, None).unwrap_err();
    let text = error.to_string();
    for part in
        ["dataset.toml says 38.7600", "the mask's note says 7.3000", "sidecar .txt, PixelSize says 7.3440"]
    {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn two_statements_each_within_reach_of_a_third_may_still_be_apart() {
    let file = reading(101.9, WHOLE, WHOLE);
    assert!(settle(&[(100.0, "a"), (98.5, "b")], &file, None).is_err());
    assert!(settle(&[(100.0, "a")], &file, None).is_ok());
}

#[test]
fn a_resized_file_needs_another_word_and_not_its_own_again() {
    let half = reading(4.96, (640, 480), WHOLE);
    let text = settle(&[], &half, None).unwrap_err().to_string();
    assert!(text.contains("1280x960") && text.contains("640x480"), "{text}");
    assert_eq!(settle(&[(9.92, "--nm-per-px")], &half, None), Ok(Some(9.92)));
    let text = settle(&[(4.96, "dataset.toml")], &half, None).unwrap_err().to_string();
    assert!(text.contains("dataset.toml says 4.9600") && text.contains("9.9200"), "{text}");
    // Cut to another shape: the pixels are what they were.
    let cut = reading(4.96, (640, 800), WHOLE);
    assert!(settle(&[], &cut, None).is_err());
    assert_eq!(settle(&[(4.96, "dataset.toml")], &cut, None), Ok(Some(4.96)));
}

#[test]
fn the_drawn_bar_bears_witness() {
    let mut file = reading(4.96, WHOLE, WHOLE);
    file.found.as_mut().unwrap().scale_bar_nm = Some(1000.0);
    let (right, doubled) = (bar(201.6), bar(403.2));
    assert_eq!(settle(&[], &file, right), Ok(Some(4.96)));
    assert!(settle(&[], &file, doubled).unwrap_err().to_string().contains("2.4802"));
    // The user repeats the file's value: the bar contradicts both.
    assert!(settle(&[(4.96, "--nm-per-px")], &file, doubled).is_err());
    assert_eq!(settle(&[(2.48, "--nm-per-px")], &file, doubled), Ok(Some(2.48)));
}

#[test]
fn the_users_length_of_the_bar_is_a_statement_like_others() {
    let silent = ScaleReading::silent(640, 480);
    let with = |nm: Option<f64>, drawn: Option<DataBar>| {
        let mut statements = Statements::new(nm.map(|nm| ScaleClaim::new(nm, "--nm-per-px")));
        statements.file("", &silent, drawn);
        statements.bar(2000.0, drawn.and_then(|d| d.scale_bar));
        statements.settle().map(|known| known.map(|k| k.nm_per_px))
    };
    let drawn = bar(100.0);
    assert_eq!(with(None, drawn), Ok(Some(20.0)));
    assert_eq!(with(Some(20.3), drawn), Ok(Some(20.3)));
    assert!(with(Some(25.0), drawn).unwrap_err().to_string().contains("20.0000"));
    assert_eq!(with(None, None), Err(ScaleError::NoScaleBar));
    assert_eq!(with(Some(20.0), None), Ok(Some(20.0)));
}

#[test]
fn two_statements_of_one_file_leave_the_choice_between_them() {
    let mut file = reading(7.344, WHOLE, WHOLE);
    file.others = reading(10.0, WHOLE, WHOLE).found.into_iter().collect();
    let text = settle(&[], &file, None).unwrap_err().to_string();
    assert!(text.contains("7.3440") && text.contains("10.0000"), "{text}");
    assert_eq!(settle(&[(10.0, "--nm-per-px")], &file, None), Ok(Some(10.0)));
    assert_eq!(settle(&[(7.3, "--nm-per-px")], &file, None), Ok(Some(7.3)));
    let text = settle(&[(38.76, "dataset.toml")], &file, None).unwrap_err().to_string();
    assert!(["38.7600", "7.3440", "10.0000"].iter().all(|v| text.contains(v)), "{text}");
}

#[test]
fn what_cannot_be_understood_needs_a_word() {
    let mut file = ScaleReading::silent(640, 480);
    file.unusable.push("the unit `furlong` is not known".to_owned());
    assert!(settle(&[], &file, None).unwrap_err().to_string().contains("furlong"));
    assert_eq!(settle(&[(5.0, "--nm-per-px")], &file, None), Ok(Some(5.0)));
}

#[test]
fn a_file_of_another_format_than_its_name_says_keeps_its_sidecar() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.tif");
    let png = folder.path().join("a.png");
    crate::write::png(&png, 4, 2, crate::write::PngKind::Grey, &[9; 8]).unwrap();
    std::fs::rename(&png, &file).unwrap();
    std::fs::write(folder.path().join("a.txt"), "[SemImageFile]\r\nPixelSize=20\r\n").unwrap();
    assert_eq!(of_file(&file, &Said::default()).unwrap().unwrap().nm_per_px, 20.0);
    let shot = crate::Shot::read(&file, &Said::default()).unwrap();
    assert_eq!((shot.nm_per_px(), shot.field_rows()), (Some(20.0), 2));
}
