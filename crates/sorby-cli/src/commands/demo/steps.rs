//! The verbs of the demo, in the folder of the demo.

/// What is shown above a step, and its command line.
pub type Step = (&'static str, &'static [&'static str]);

/// All of them, in order.
pub const STEPS: [Step; 8] = [
    (
        "Ten synthetic micrographs with exact labels",
        &["synth", "--out", "data", "--images", "10", "--size", "640x480", "--seed", "1"],
    ),
    ("Is the data set sound?", &["data", "check", "data"]),
    ("A short training", &["train", "demo.toml", "--data", "data", "--out", "runs/demo"]),
    (
        "Accuracy on images it never saw",
        &["evaluate", "runs/demo", "--data", "data", "--split", "test", "--out", "evaluation"],
    ),
    ("Masks", &["segment", "runs/demo", TEST[0], TEST[1], "--out", "predictions/demo"]),
    (
        "Particles, next to the truth",
        &[
            "measure",
            "predictions/demo/masks",
            "--data",
            "data",
            "--class",
            "carbide",
            "--out",
            "measurements/demo",
        ],
    ),
    (
        "Would a threshold have been enough?",
        &[
            "threshold",
            TEST[0],
            TEST[1],
            "--truth",
            "data/labels",
            "--masks",
            "predictions/demo/masks",
            "--nm-per-px",
            "12.5",
            "--out",
            "thresholds",
        ],
    ),
    (
        "All of it on one page",
        &["report", "runs/demo", "--data", "data", "--split", "test", "--out", "report.html"],
    ),
];

const TEST: [&str; 2] = ["data/images/carbide-009.png", "data/images/carbide-010.png"];
