//! Gains, intervals, verdicts and the course of a study on small frozen score tables.

use sorby_score::Confusion;
use sorby_study::{Contrast, Gain, Part, Run, RunScores, Stage, StudySpec, Verdict, judge};
use std::path::Path;

/// An image of 1000 pixels, half carbide, of which `wrong` are missed and as many falsely marked: both classes have
/// an IoU of (500 - wrong) / (500 + wrong).
fn image(wrong: u64) -> Confusion {
    Confusion::from_matrix(vec![vec![500 - wrong, wrong], vec![wrong, 500 - wrong]]).unwrap()
}

/// The gain over `(without, with)` counts: `folds[fold][seed][image]`.
fn gain_over(folds: Vec<Vec<Vec<(Confusion, Confusion)>>>) -> Gain {
    let cell = |c: Vec<(Confusion, Confusion)>| c.into_iter().map(|(a, b)| vec![a, b]).collect();
    let folds = folds.into_iter().map(|f| f.into_iter().map(cell).collect()).collect();
    Contrast { coefficients: vec![-1.0, 1.0], folds }.gain()
}

fn iou(wrong: f64) -> f64 {
    100.0 * (500.0 - wrong) / (500.0 + wrong)
}

#[test]
fn a_gain_by_hand() {
    // Two folds, two seeds, one image each: errors 100 without, 50 with, everywhere.
    let cell = || vec![(image(100), image(50))];
    let gain = gain_over(vec![vec![cell(), cell()], vec![cell(), cell()]]);
    // 450 / 550 - 400 / 600
    assert!((gain.points - (81.818_182 - 66.666_667)).abs() < 1e-5, "{}", gain.points);
    assert!(gain.interval().unwrap().0 > 15.15 && gain.interval().unwrap().1 < 15.16);
    assert_eq!(judge(&gain, 3), Verdict::Helps);
    let back = || vec![(image(50), image(100))];
    let loss = gain_over(vec![vec![back(), back()], vec![back(), back()]]);
    assert_eq!((loss.points, judge(&loss, 3)), (-gain.points, Verdict::Hurts));
}

#[test]
fn counts_are_summed_before_the_ratio() {
    // Errors of 0 and 100 in two images: 900 / 1100, not the mean of 100 % and 66.7 %.
    let gain = gain_over(vec![vec![vec![(image(50), image(0)), (image(50), image(100))]]]);
    assert!(gain.points.abs() < 1e-9, "{}", gain.points);
    // One training of each: nothing is known of repeats.
    assert_eq!((gain.interval(), gain.chance_if_none()), (None, None));
    assert_eq!(judge(&gain, 1), Verdict::Undecided);
}

#[test]
fn a_class_that_no_label_has_takes_no_part() {
    // Nine pixels of each of two classes, all right; of a third nothing is labelled, and the trick marks one pixel as it.
    let clean = || Confusion::from_matrix(vec![vec![9, 0, 0], vec![0, 9, 0], vec![0, 0, 0]]).unwrap();
    let stray = || Confusion::from_matrix(vec![vec![9, 0, 0], vec![0, 8, 1], vec![0, 0, 0]]).unwrap();
    let gain = gain_over(vec![vec![vec![(clean(), stray())]]]);
    // IoU of 9 / 9 and 8 / 9: their mean is less by 1 / 18; with the third class it would be less by 37 points.
    assert!((gain.points + 100.0 / 18.0).abs() < 1e-9, "{}", gain.points);
    // Where a resample has no image with the class, it is left out for both.
    let rare =
        |wrong: u64| Confusion::from_matrix(vec![vec![9, 0, wrong], vec![0, 9, 0], vec![0, 0, 9]]).unwrap();
    let cell = || vec![(rare(0), rare(1)), (clean(), stray()), (clean(), stray()), (clean(), stray())];
    let deviation = gain_over(vec![vec![cell(), cell()]]).of_images.unwrap().standard_error;
    // By hand over 0 to 4 draws of that image: gains of -5.6, -13.9, -9.7, -7.8 and -6.7 points, 3.6 around their mean,
    // times the root of 4 / 3. Counted as 0, the class would make the first -37, and this 14.
    assert!((deviation - 4.15).abs() < 0.25, "{deviation}");
}

#[test]
fn spreads_of_two_images_and_of_two_trainings_by_hand() {
    // Resamples of two are (2, 0), (1, 1), (0, 2) with chances 1/4, 1/2, 1/4.
    let deviation = |low: f64, both: f64, high: f64| {
        let mean = 0.25 * low + 0.5 * both + 0.25 * high;
        let square = |v: f64| (v - mean).powi(2);
        // Freed of the shrinkage by 2 / (2 - 1).
        (2.0 * (0.25 * square(low) + 0.5 * square(both) + 0.25 * square(high))).sqrt()
    };
    let near = |got: f64, want: f64| assert!((got / want - 1.0).abs() < 0.06, "{got}, by hand {want}");
    let images =
        |seed_effect: u64| vec![(image(100), image(80 - seed_effect)), (image(100), image(40 - seed_effect))];
    let gain = gain_over(vec![vec![images(0), images(30)]]);
    // Over images, seeds averaged: errors 65 and 25. Over trainings, images summed: errors 60 and 30.
    let base = iou(100.0);
    near(
        gain.of_images.unwrap().standard_error,
        deviation(iou(65.0) - base, iou(45.0) - base, iou(25.0) - base),
    );
    near(
        gain.of_trainings.unwrap().standard_error,
        deviation(iou(60.0) - base, iou(45.0) - base, iou(30.0) - base),
    );
    assert_eq!((gain.of_images.unwrap().degrees, gain.of_trainings.unwrap().degrees), (1.0, 1.0));
}

/// A study of one network, with T and S that help (together too), R that hurts.
fn spec(protocol: &str) -> StudySpec {
    let text = format!(
        "protocol = '{protocol}'\narchs = ['pspnet']\npretrained = 'w'\nfolds = 2\nseeds = 2\nbase = 'paper'"
    );
    StudySpec::parse(&text, Path::new("/s")).unwrap()
}

fn scored(run: &Run) -> Vec<(String, Confusion)> {
    let has = |t: &str| u64::from(run.tricks.iter().any(|r| r == t));
    let fold = match run.part {
        Part::Fold(f) => f as u64,
        Part::All => 7,
    };
    let of = |i: u64| {
        // Scatter of one pixel or two.
        let scatter = (run.seed * 3 + fold + i) % 3;
        (format!("image{fold}{i}"), image(100 + scatter - 30 * has("T") - 20 * has("S") + 25 * has("R")))
    };
    (0..3).map(of).collect()
}

/// Trains stage by stage; gives each stage's number of runs and the sets of tricks in it.
fn course(spec: &StudySpec) -> (Vec<(usize, String)>, RunScores) {
    let (mut scores, mut stages) = (RunScores::new(), Vec::new());
    while let Stage::Train(_, runs) = spec.next(&scores) {
        let mut sets: Vec<String> = runs.iter().map(|r| sorby_study::set_name(&r.tricks)).collect();
        sets.dedup();
        sets.sort();
        sets.dedup();
        stages.push((runs.len(), sets.join(" ")));
        scores.extend(runs.into_iter().map(|r| (r.clone(), Some(scored(&r)))));
    }
    (stages, scores)
}

#[test]
fn the_sound_course_of_a_study() {
    let spec = spec("sound");
    let (stages, scores) = course(&spec);
    // Four sets, then the stack (its parts are trained already), in two folds with two seeds; then two sets with two
    // seeds on everything.
    let want = [(16, "R S T base"), (4, "T+S"), (4, "T+S base")];
    assert_eq!(stages, want.map(|(n, s)| (n, s.to_owned())));
    assert_eq!(spec.chosen(&scores), Some((0, vec!["T".to_owned(), "S".to_owned()])));
    let settled = spec.settled(&scores, 0);
    let verdicts: Vec<Verdict> = settled.judgement.tricks.iter().map(|t| t.2).collect();
    assert_eq!(verdicts, [Verdict::Helps, Verdict::Helps, Verdict::Hurts]);
    assert!(settled.contributions.iter().all(|c| c.2 == Verdict::Helps));
    // Errors about 101 and 51: by hand 81.5 - 66.4.
    assert!((settled.gain.points - (iou(51.0) - iou(101.0))).abs() < 0.1, "{}", settled.gain.points);
    // Errors alone about 71 and 81, together 51.
    let by_hand = |wrong: f64| iou(wrong) - iou(101.0);
    let interaction = settled.interaction.as_ref().unwrap();
    let promised = by_hand(71.0) + by_hand(81.0);
    assert!((interaction.promised.points - promised).abs() < 0.1, "{}", interaction.promised.points);
    let beyond = by_hand(51.0) - promised;
    assert!((interaction.beyond.points - beyond).abs() < 0.1, "{}", interaction.beyond.points);
    assert!(spec.tested(&scores, 0, &settled.stack).points > 14.0);
    // The test images were not looked at before the last stage.
    let before: Vec<&Run> = scores.keys().filter(|r| r.part == Part::All && r.tricks.len() == 1).collect();
    assert!(before.is_empty());
}

#[test]
fn the_papers_course_of_a_study() {
    let (stages, scores) = course(&spec("paper"));
    // Baseline and three tricks, then T+S: n + 2.
    assert_eq!(stages, [(4, "R S T base".to_owned()), (1, "T+S".to_owned())]);
    assert!(scores.keys().all(|r| r.part == Part::All && r.seed == 0));
}

#[test]
fn a_network_that_cannot_be_trained_leaves_the_other_to_be_chosen() {
    let text = "archs = ['pspnet', 'deeplabv3plus']\ntricks = ['R']\nfolds = 2\nseeds = 1\nbase = 'paper'";
    let spec = StudySpec::parse(text, Path::new("/s")).unwrap();
    let study = |lost: &dyn Fn(&Run) -> bool| {
        let mut scores = RunScores::new();
        while let Stage::Train(_, runs) = spec.next(&scores) {
            scores.extend(runs.into_iter().map(|r| (r.clone(), (!lost(&r)).then(|| scored(&r)))));
        }
        let finals = scores.keys().filter(|r| r.part == Part::All).count();
        (spec.chosen(&scores), finals)
    };
    let baseline = |arch| Some((arch, Vec::new()));
    assert_eq!(study(&|r| r.arch == 0), (baseline(1), 1));
    // Each lost another fold: nothing is shared, and each is taken as it is.
    let halves = |r: &Run| r.part != Part::All && r.part != Part::Fold(r.arch);
    let (chosen, finals) = study(&halves);
    assert!(chosen.is_some() && finals == 1, "{chosen:?}");
}

#[test]
fn images_without_a_labelled_pixel_tell_nothing() {
    let spec = spec("sound");
    let (_, mut scores) = course(&spec);
    let before = spec.gain(&scores, 0, &Vec::new(), &vec!["T".to_owned()]);
    let empty = || Confusion::from_matrix(vec![vec![0, 0], vec![0, 0]]).unwrap();
    scores.values_mut().flatten().for_each(|images| images.push(("ignored".into(), empty())));
    assert_eq!(spec.gain(&scores, 0, &Vec::new(), &vec!["T".to_owned()]), before);
    // Where there is nothing else, nothing is concluded.
    scores.values_mut().flatten().for_each(|images| images.retain(|i| i.0 == "ignored"));
    let nothing = spec.gain(&scores, 0, &Vec::new(), &vec!["T".to_owned()]);
    assert!(nothing.points.is_nan() && nothing.interval().is_none() && nothing.chance_if_none().is_none());
    assert_eq!(judge(&nothing, 1), Verdict::Undecided);
}

#[test]
fn a_failed_training_does_not_stop_the_rest() {
    let spec = spec("sound");
    let Stage::Train(_, runs) = spec.next(&RunScores::new()) else { panic!("nothing to train") };
    let mut scores: RunScores = runs.iter().map(|r| (r.clone(), Some(scored(r)))).collect();
    let failed = runs.iter().find(|r| r.tricks == ["T"]).unwrap();
    scores.insert(failed.clone(), None);
    let Stage::Train(_, next) = spec.next(&scores) else { panic!("the study ended") };
    assert!(next.iter().all(|r| r.tricks == ["T", "S"]), "{next:?}");
    assert_eq!(
        spec.contrast(&scores, 0, &[(-1.0, vec![]), (1.0, vec!["T".into()])]).folds[0].len(),
        1,
        "one seed is left in that fold"
    );
}
