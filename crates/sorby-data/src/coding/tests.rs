//! One meaning for all files: what is certain, and what is refused.

use super::before::Before;
use super::survey::{Seen, Survey, Values};
use super::{Expected, LabelCoding, Meaning, ObjectNumbers, Table, decide};
use std::collections::BTreeMap;

/// A mask of these values: each with its pixels and connected pieces.
fn mask(name: &str, values: &[(i64, u64, u64)]) -> Survey {
    let counts = values.iter().map(|(v, n, _)| (*v, *n)).collect();
    let pieces = Some(values.iter().map(|(v, _, p)| (*v, *p)).collect());
    Survey { path: name.into(), seen: Seen::Values(Values { bits: 8, counts, pieces, ..Values::default() }) }
}

/// One in which every value has many pieces.
fn many(name: &str, values: &[i64]) -> Survey {
    mask(name, &values.iter().map(|v| (*v, 100, 9)).collect::<Vec<_>>())
}

fn with(survey: Survey, change: impl FnOnce(&mut Values)) -> Survey {
    let Seen::Values(mut values) = survey.seen else { panic!("values") };
    change(&mut values);
    Survey { path: survey.path, seen: Seen::Values(values) }
}

fn labels(classes: usize, files: &[Survey]) -> Result<LabelCoding, String> {
    let expected = Expected { classes: Some(classes), ..Expected::default() };
    decide::decide(&expected, files).map_err(|p| p.to_string())
}

fn masks(files: &[Survey]) -> Result<LabelCoding, String> {
    let expected = Expected { objects: ObjectNumbers::Detect, ..Expected::default() };
    decide::decide(&expected, files).map_err(|p| p.to_string())
}

fn table(coding: Result<LabelCoding, String>) -> Table {
    match coding.unwrap().meaning {
        Meaning::Table(table) => table,
        other => panic!("{other:?}"),
    }
}

#[test]
fn labels_of_known_classes() {
    let of = |classes: usize, values: &[i64]| labels(classes, &[many("a", values)]);
    assert_eq!(table(of(2, &[0, 1])), Table::index(2));
    assert_eq!(table(of(2, &[0, 1, 255])), Table::index(2));
    assert_eq!(table(of(2, &[0, 255])), Table::grey(2));
    assert_eq!(table(of(2, &[0])), Table::index(2));
    assert_eq!(table(of(4, &[0, 85, 170, 255])), Table::grey(4));
    assert_eq!(table(of(4, &[0, 170])), Table::grey(4));
    assert_eq!(table(of(3, &[0, 127, 255])), Table::grey(3));
    assert_eq!(table(of(3, &[0, 2, 255])), Table::index(3));
    assert_eq!(table(of(2, &[0, 65535])), Table::grey(2));
    assert!(of(3, &[0, 255]).is_err(), "which of three classes is 255?");
    assert!(of(2, &[255]).unwrap_err().contains("255 only"));
    assert!(of(2, &[0, 128]).unwrap_err().contains("labels.values = [0, 128]"));
    assert!(of(2, &[-1, 0, 1]).unwrap_err().contains("-1"));
    let told = of(3, &[0, 1, 7]).unwrap_err();
    assert!(told.contains("7 (100 pixels)") && told.contains("0..2"), "{told}");
}

#[test]
fn classes_from_one() {
    let from_one = labels(2, &[many("a", &[1, 2])]).unwrap();
    assert!(from_one.remarks[0].what.contains("ilastik"));
    assert_eq!(table(Ok(from_one)), Table::of_values(&[1, 2]));
    assert!(labels(3, &[many("a", &[1, 2])]).unwrap_err().contains("[1, 2] in dataset.toml or"));
    assert!(masks(&[many("a", &[1, 2])]).unwrap_err().contains("--values 1,2 or --values 0,1,2"));
    assert_eq!(table(labels(2, &[many("a", &[1])])), Table::index(2), "one class only");
}

#[test]
fn one_file_of_another_coding_is_not_passed_over() {
    // Where 255 stands among indices and is a data bar in the other file, it is ignored in all masks.
    let bar = with(many("b", &[0, 255]), |v| v.bars = true);
    let known = [many("a", &[0, 1, 255]), bar];
    assert_eq!(table(masks(&known)), Table::index(2));
    let told = masks(&[many("a", &[0, 1, 255]), many("b", &[0, 255])]).unwrap_err();
    assert!(told.starts_with("b: ") && told.contains("--values 0,1"), "{told}");
    // White of 16 bits and soft edges are no data bar.
    let deep = with(many("b", &[0, 65535]), |v| v.bars = true);
    assert!(masks(&[many("a", &[0, 1, 255]), deep]).unwrap_err().starts_with("b: "));
    assert!(labels(2, &known).is_err(), "labels are learnt from: the user has to say");
    let files = [many("a", &[0, 1]), many("b", &[0, 255])];
    for told in [labels(2, &files), masks(&files)].map(Result::unwrap_err) {
        assert!(told.starts_with("b: ") && told.contains("0 (100 pixels), 1 (100 pixels)"), "{told}");
    }
}

#[test]
fn one_file_inside_out() {
    let usual = |name: &str, front: u64| mask(name, &[(0, 1000 - front, 1), (255, front, 7)]);
    let odd = mask("c", &[(0, 110, 8), (255, 890, 1)]);
    let files = [usual("a", 90), usual("b", 120), odd.clone()];
    let told = masks(&files).unwrap_err();
    assert!(told.starts_with("c: looks inside out") && told.contains("89.0 %"), "{told}");
    assert!(labels(2, &files).unwrap_err().contains("labels.values = [0, 255]"));
    let meant = Expected { values: vec![0, 255], ..Expected::default() };
    assert!(decide::decide(&meant, &files).is_ok(), "the user says so");
    // A series in which the phase grows until it is the matrix is no exchange.
    let series = [usual("a", 90), usual("b", 300), mask("c", &[(0, 250, 20), (255, 750, 1)])];
    assert!(masks(&series).is_err(), "300 and 750 in one series: the user has to say");
    assert!(masks(&[usual("a", 90), mask("c", &[(0, 450, 20), (255, 550, 1)])]).is_ok());
    assert!(masks(&[usual("a", 90), mask("c", &[(0, 350, 20), (255, 650, 1)])]).is_err(), "a jump");
    // Single objects have as many pieces as their matrix; few small ones leave more matrix than the others have objects.
    let single = |name: &str, front: u64| mask(name, &[(0, 1000 - front, 1), (255, front, 1)]);
    let told = masks(&[single("a", 61), single("b", 138), single("z", 884)]).unwrap_err();
    assert!(told.starts_with("z: looks inside out: 255 covers 88.4 %"), "{told}");
    assert!(masks(&[usual("a", 120), usual("b", 156), mask("z", &[(0, 25, 4), (255, 975, 1)])]).is_err());
    assert!(masks(&[single("a", 460), single("b", 540)]).is_ok(), "either may be the matrix");
    assert!(masks(&[odd]).is_ok(), "nothing to compare with");
}

#[test]
fn numbers_of_objects() {
    let whole = |name: &str, values: &[i64]| {
        mask(name, &values.iter().map(|v| (*v, 50, if *v == 0 { 3 } else { 1 })).collect::<Vec<_>>())
    };
    let is = |coding: Result<LabelCoding, String>| coding.map(|c| c.numbers_objects());
    let many_numbers: Vec<i64> = (0..=12).collect();
    assert_eq!(is(masks(&[whole("a", &many_numbers)])), Ok(true));
    assert_eq!(is(masks(&[with(whole("a", &[0, 1, 2, 3]), |v| v.bits = 16)])), Ok(true));
    assert_eq!(is(masks(&[whole("a", &[0, 48, 85, 122, 159])])), Ok(true), "no class numbers");
    assert_eq!(is(masks(&[with(whole("a", &[0, 1, 300_000, 4_294_967_290]), |v| v.bits = 32)])), Ok(true));
    let told = masks(&[whole("a", &[0, 1, 2, 3])]).unwrap_err();
    assert!(told.contains("--instances") && told.contains("--values 0,1,2,3"), "{told}");
    let told = labels(2, &[whole("a", &many_numbers)]).unwrap_err();
    assert!(told.contains("data import"), "{told}");
    // A number or two in pieces, a file of one object: still objects.
    let mut cut = many_numbers.iter().map(|v| (*v, 50, 1)).collect::<Vec<_>>();
    cut[5].2 = 2;
    assert_eq!(is(masks(&[mask("a", &cut), whole("b", &[0, 1])])), Ok(true));
    // Classes have many pieces.
    assert_eq!(table(masks(&[many("a", &[0, 1, 2, 3])])), Table::index(4));
    // A class asked for by its number says that values are classes.
    let asked = Expected { class: Some(2), objects: ObjectNumbers::Detect, ..Expected::default() };
    assert_eq!(
        table(decide::decide(&asked, &[whole("a", &[0, 1, 2])]).map_err(|p| p.to_string())),
        Table::index(3)
    );
    let given = Expected { objects: ObjectNumbers::Given, ..Expected::default() };
    assert!(decide::decide(&given, &[whole("a", &[0, 1, 2])]).unwrap().numbers_objects());
}

/// A file of these numbers, one piece each.
fn whole(name: &str, bits: u32, values: impl IntoIterator<Item = i64>) -> Survey {
    let values: Vec<(i64, u64, u64)> = values.into_iter().map(|v| (v, 50, 1)).collect();
    with(mask(name, &values), |v| v.bits = bits)
}

#[test]
fn the_highest_value_may_be_no_object() {
    let settled = |survey: Survey| {
        let coding = masks(&[survey]).unwrap();
        assert!(coding.numbers_objects());
        let mark = coding.before.values().next().map(|b| match b {
            Before::Mark(v) => *v,
            other => panic!("{other:?}"),
        });
        (mark, coding.refused.values().next().cloned().unwrap_or_default())
    };
    for n in [10, 25, 190] {
        assert_eq!(settled(whole("a", 8, (0..=n).chain([255]))).0, Some(255), "{n}");
    }
    assert_eq!(settled(whole("a", 16, (0..=40).chain([65535]))).0, Some(65535));
    // All numbers are there: the last is one of them.
    assert_eq!(settled(whole("a", 8, 0..=255)), (None, String::new()));
    assert_eq!(settled(whole("a", 16, 0..=300)), (None, String::new()));
    let top = i64::from(u32::MAX);
    assert_eq!(settled(whole("a", 32, [0, top - 1, top])), (None, String::new()));
    // Near the others, or of 16 bits and far from them: nobody can know.
    for doubtful in [whole("a", 8, (0..=250).chain([255])), whole("a", 16, (0..=19).chain([255]))] {
        let (mark, told) = settled(doubtful);
        assert!(mark.is_none() && told.contains("the value 255 above its object numbers"), "{told}");
    }
    let given = Expected { objects: ObjectNumbers::Given, ..Expected::default() };
    let coding = decide::decide(&given, &[whole("a", 16, (0..=19).chain([255]))]).unwrap();
    assert!(coding.before.is_empty() && coding.refused.is_empty(), "the user says so");
}

#[test]
fn files_that_are_no_object_numbers_are_refused_by_name() {
    let refused = |files: &[Survey]| {
        let coding = masks(files).unwrap();
        assert!(coding.numbers_objects());
        coding
            .refused
            .into_iter()
            .map(|(file, what)| format!("{}: {what}", file.display()))
            .collect::<Vec<_>>()
    };
    // No background, or one that is not 0.
    assert!(refused(&[whole("a", 16, 1..=301)])[0].starts_with("a: has no pixel of 0"));
    assert!(refused(&[whole("a", 16, (1..=300).chain([65535]))])[0].starts_with("a: has no pixel of 0"));
    let given = Expected { objects: ObjectNumbers::Given, ..Expected::default() };
    let coding = decide::decide(&given, &[whole("a", 16, 1..=301)]).unwrap();
    assert!(coding.refused.is_empty() && coding.remarks[0].what.contains("every number is an object"));
    // Black and white, or one class in many pieces.
    let numbers = || whole("a", 16, 0..=300);
    assert!(refused(&[numbers(), many("b", &[0, 255])])[0].starts_with("b: holds only 0 and 255"));
    assert!(refused(&[numbers(), many("b", &[0, 1])])[0].starts_with("b: has values in many pieces"));
    assert!(refused(&[numbers(), whole("b", 16, [0, 1]), whole("c", 16, [0])]).is_empty());
    // Most files say that they are classes, one that it is not.
    let classes: Vec<Survey> = ["b", "c", "d"].iter().map(|name| many(name, &[0, 1, 2])).collect();
    let told = masks(&[&classes[..], &[whole("e", 8, 0..=12)]].concat()).unwrap_err();
    assert!(told.starts_with("e: its values 0 (50 pixels)") && told.contains("--values"), "{told}");
    // A class asked for by its number does not make classes of them.
    let asked = Expected { class: Some(1), objects: ObjectNumbers::Detect, ..Expected::default() };
    assert!(decide::decide(&asked, &[whole("a", 8, 0..=254)]).unwrap().numbers_objects());
}

#[test]
fn a_value_that_no_other_file_has() {
    let coding = masks(&[many("a", &[0, 1]), many("b", &[0, 1]), many("f", &[0, 7])]).unwrap();
    let (file, what) = coding.refused.iter().next().unwrap();
    assert!(file.ends_with("f") && what.contains("7 (100 pixels)") && what.contains("up to 1"), "{what}");
    let coding = masks(&[many("a", &[0, 1]), many("b", &[0, 2])]).unwrap();
    assert!(coding.refused.is_empty());
    assert_eq!(
        coding.remarks[0].to_string(),
        "b: only this file has the value 2 (100 pixels), and class 1 is not in it"
    );
    let plain = masks(&[many("a", &[0, 1]), many("b", &[0, 1, 2]), many("c", &[0])]).unwrap();
    assert!(plain.refused.is_empty() && plain.remarks.is_empty());
}

#[test]
fn greys_without_classes_are_a_picture() {
    let grey = || with(many("a", &[0, 1, 2, 3]), |v| v.graded = true);
    let coding = masks(&[grey(), many("b", &[0, 1])]).unwrap();
    assert!(coding.refused[std::path::Path::new("a")].contains("--values 0,1,2,3"));
    assert_eq!(table(labels(4, &[grey()])), Table::index(4), "the classes are known");
}

#[test]
fn masks_of_unknown_classes() {
    assert_eq!(table(masks(&[many("a", &[0, 1, 255])])), Table::index(2));
    assert_eq!(table(masks(&[many("a", &[1, 255])])), Table::index(2));
    assert_eq!(table(masks(&[many("a", &[0]), many("b", &[0, 255])])), Table::grey(2));
    assert!(masks(&[many("a", &[0, 127, 255])]).unwrap_err().contains("--values 0,127,255"));
    assert!(
        masks(&[many("a", &[0, 7])]).unwrap_err().contains("--class 7"),
        "class 1 would be none in silence"
    );
    assert!(masks(&[many("a", &[0, 128])]).unwrap_err().contains("0 (100 pixels), 128 (100 pixels)"));
}

#[test]
fn small_values_do_not_survive_a_jpeg() {
    let black = |name: &str| with(many(name, &[0]), |v| v.lossy = true);
    assert!(masks(&[black("a")]).unwrap_err().starts_with("a: was compressed"));
    assert!(labels(2, &[many("b", &[0, 1]), black("a")]).unwrap_err().starts_with("a: was compressed"));
    assert_eq!(table(masks(&[black("a"), many("b", &[0, 255])])), Table::grey(2), "a mask without objects");
}

#[test]
fn palettes_in_another_order() {
    let colours = |survey: Survey, palette: &[[u8; 3]]| {
        with(survey, |v| {
            let own = v.counts.keys().map(|i| (*i, palette[*i as usize]));
            v.palette = Some(own.collect::<BTreeMap<_, _>>());
        })
    };
    let (black, red, green) = ([0, 0, 0], [255, 0, 0], [0, 255, 0]);
    let file = |name: &str, palette: &[[u8; 3]]| colours(many(name, &[0, 1]), palette);
    let files = [file("a", &[black, red]), file("b", &[red, black])];
    let coding = labels(2, &files).unwrap();
    assert_eq!(coding.before.len(), 2);
    assert!(
        coding.remarks.len() == 1 && coding.remarks[0].to_string().starts_with("b: "),
        "{:?}",
        coding.remarks
    );
    // Alone, or all alike, the stored values count.
    assert!(labels(2, &[file("b", &[red, black])]).unwrap().before.is_empty());
    // A ramp of greys is no colouring.
    let ramp: Vec<[u8; 3]> = (0..=255).map(|v| [v; 3]).collect();
    assert!(labels(2, &[file("a", &[black, red]), file("b", &ramp)]).unwrap().before.is_empty());
    // The same colour at another index, though no index has two colours.
    let files = [file("a", &[black, red]), colours(many("b", &[0, 2]), &[black, green, red])];
    let coding = masks(&files).unwrap();
    assert_eq!((table(Ok(coding.clone())), coding.remarks.len()), (Table::index(2), 1));
    let files = [files, [file("c", &[black, green]), file("d", &[black, green])]].concat();
    let told = labels(3, &files).unwrap_err();
    assert!(
        told.contains("#ff0000 is index 2 here but 1") || told.contains("index 1 is #00ff00 here"),
        "{told}"
    );
    // Three colours: only class colours can say.
    let files = [file("a", &[black, red]), file("b", &[black, green])];
    assert!(labels(2, &files).unwrap().before.is_empty(), "one class, painted differently");
    let files =
        [colours(many("a", &[0, 1, 2]), &[black, red, green]), colours(many("b", &[0, 1]), &[black, green])];
    let told = labels(3, &files).unwrap_err();
    assert!(told.starts_with("b: index 1 is #00ff00 here but #ff0000"), "{told}");
    let named = Expected {
        classes: Some(3),
        colours: vec![Some(black), Some(red), Some(green)],
        ..Expected::default()
    };
    assert_eq!(decide::decide(&named, &files).unwrap().before.len(), 2);
}
