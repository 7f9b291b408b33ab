use super::*;
use std::fs;

pub(crate) fn job(model: NamedFile) -> Job {
    Job {
        format: JOB_FORMAT,
        name: "carbide \"fine\"".into(),
        version: 1,
        model,
        segmentation: SegmentationRules {
            window_px: 256,
            stride_px: 128,
            tta: false,
            flip: true,
            match_scale: false,
        },
        scale: ScaleRules {
            required: true,
            nm_per_px: None,
            from_nm_per_px: Some(7.0),
            to_nm_per_px: Some(7.5),
            accuracy_percent: 1.0,
            accuracy_from: "grating of 2026-05".into(),
            data_bar: true,
        },
        fields: FieldRules { wanted: 5, accuracy_percent: 10.0 },
        measure: vec![ClassRules {
            smallest_px: 12,
            split_px: Some(2.0),
            limits: vec!["mean diameter 250 to 400 nm".into(), "area fraction at most 3 %".into()],
            ..ClassRules::of_class("carbide")
        }],
        report: ReportRules {
            length_unit: LengthUnit::Nm,
            paper: sorby_report::Paper::Letter,
            required: vec!["lot".into()],
        },
        header: [("customer".to_owned(), "Works = 7".to_owned())].into(),
        lock: None,
    }
}

/// A locked job in a folder with its model.
fn locked() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model"), b"weights").unwrap();
    let sha256 = checksum::sha256(&folder.path().join("model")).unwrap();
    let job = job(NamedFile { file: "model".into(), sha256 });
    let path = folder.path().join("job.toml");
    fs::write(&path, text::job_text(&job)).unwrap();
    let first = relock(&path).unwrap();
    assert_eq!((first.version, LockedJob::open(&path).unwrap().job.name), (1, job.name));
    (folder, path)
}

#[test]
fn a_job_file_says_what_the_job_is() {
    let job = job(NamedFile { file: "../m".into(), sha256: "ab".into() });
    let text = text::job_text(&job);
    assert_eq!(Job::parse(Path::new("j.toml"), &text).unwrap(), job, "{text}");
    let told = Job::parse(Path::new("j.toml"), &text.replace("tta =", "ttta =")).unwrap_err().to_string();
    assert!(told.contains("ttta") && !told.contains('\n'), "{told}");
}

#[test]
fn an_edited_job_is_refused_until_it_is_locked_again() {
    let (_folder, path) = locked();
    let text = fs::read_to_string(&path).unwrap();
    // Comments, spaces and line ends are no settings.
    fs::write(&path, text.replace('\n', "\r\n") + "\n# looked at on Monday\n").unwrap();
    LockedJob::open(&path).unwrap();
    fs::write(&path, text.replace("smallest_px = 12", "smallest_px = 13")).unwrap();
    let told = LockedJob::open(&path).unwrap_err().to_string();
    assert!(told.contains("was changed after version 1") && told.contains("sorby job lock"), "{told}");
    let old = LockedJob { sha256: String::new(), ..locked_of(&text, &path) };
    let again = relock(&path).unwrap();
    assert_eq!((again.version, again.changes.as_slice()), (2, ["settings".to_owned()].as_slice()));
    let new = LockedJob::open(&path).unwrap();
    assert_eq!((new.job.version, new.job.measure[0].smallest_px), (2, 13));
    assert_eq!(new.lock.replaces.as_ref(), Some(&old.lock.sha256));
    assert_eq!(relock(&path).unwrap().version, 2, "nothing was changed since");
}

fn locked_of(text: &str, path: &Path) -> LockedJob {
    let job = Job::parse(path, text).unwrap();
    LockedJob { lock: job.lock.clone().unwrap(), job, path: path.to_owned(), sha256: String::new() }
}

#[test]
fn another_model_under_the_same_name_is_refused() {
    let (folder, path) = locked();
    fs::write(folder.path().join("model"), b"other weights").unwrap();
    let told = LockedJob::open(&path).unwrap_err().to_string();
    assert!(told.contains("is not the model of this job"), "{told}");
    let again = relock(&path).unwrap();
    assert!(again.version == 2 && again.changes[0].starts_with("model "), "{again:?}");
    LockedJob::open(&path).unwrap();
    fs::remove_file(folder.path().join("model")).unwrap();
    assert!(LockedJob::open(&path).unwrap_err().to_string().contains("its model cannot be read"));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.split("[lock]").next().unwrap()).unwrap();
    assert!(LockedJob::open(&path).unwrap_err().to_string().contains("is not locked"));
}

#[test]
fn limits_in_words() {
    let limit = |text: &str| Limit::parse(text).unwrap();
    let range = |l: &Limit| (l.quantity, l.from, l.to);
    assert_eq!(
        range(&limit("mean diameter 250 to 400 nm")),
        (Quantity::MeanDiameter, Some(250.0), Some(400.0))
    );
    assert_eq!(range(&limit("Area fraction at most 3%")), (Quantity::AreaFraction, None, Some(3.0)));
    let per_mm2 = limit("number per area at least 200 per mm2");
    assert_eq!(per_mm2.quantity, Quantity::NumberDensity);
    assert!((per_mm2.from.unwrap() - 2e-4).abs() < 1e-15 && per_mm2.to.is_none());
    assert_eq!(range(&limit("d90 at most 1.5 um")), (Quantity::D90, None, Some(1500.0)));
    assert_eq!(range(&limit("mean_circularity at least 0.7")), (Quantity::MeanCircularity, Some(0.7), None));
    for (text, why) in [
        ("size 2 to 3 nm", "begins with no quantity"),
        ("mean diameter about 3 nm", "is not understood"),
        ("mean diameter 250 to 400", "give it in nm"),
        ("area fraction at most 3 nm", "give it in %"),
        ("mean diameter 400 to 250 nm", "400 is above 250"),
    ] {
        let told = Limit::parse(text).unwrap_err().to_string();
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn verdicts_by_the_whole_interval() {
    use Verdict::{Outside, Undecided, Within};
    let limit = Limit::parse("mean diameter 250 to 400 nm").unwrap();
    for (value, half, verdict) in [
        (325.0, 75.0, Within),
        (325.0, 75.1, Undecided),
        (395.0, 10.0, Undecided),
        (420.0, 10.0, Outside),
        (410.0, 10.0, Undecided),
        (200.0, 49.0, Outside),
        (200.0, 300.0, Undecided),
    ] {
        assert_eq!(limit.verdict(value, Some(half)), verdict, "{value} +- {half}");
    }
    assert_eq!(limit.verdict(325.0, None), Undecided, "without an interval nothing is decided");
    let most = Limit::parse("area fraction at most 3 %").unwrap();
    assert_eq!((most.verdict(2.0, Some(0.9)), most.verdict(3.5, Some(0.2))), (Within, Outside));
}
