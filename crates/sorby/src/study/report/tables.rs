//! Tables 1 to 5 of the paper; verdicts, stacks and tests of the sound protocol; the trainings behind them.

use super::Exhibit;
use super::ReportedStudy;
use sorby_report::{Cell, Table};
use sorby_study::{Design, Gain, Noise, Part, Protocol, Run, accept_level, set_name};

pub fn all(books: &[ReportedStudy]) -> Vec<Exhibit> {
    let mut out = vec![single_gains(books)];
    let rows = books.iter().flat_map(|b| b.archs().map(move |a| (b, a)));
    out.extend(rows.enumerate().map(|(i, (book, arch))| stacking(i + 2, book, arch)));
    for book in books.iter().filter(|b| b.folder.spec.protocol == Protocol::Sound) {
        out.push(verdicts(book));
        out.push(stacks(book));
        out.extend(test(book));
    }
    out.push(trainings(books));
    out
}

/// Table 1: baseline, and what each trick adds.
fn single_gains(books: &[ReportedStudy]) -> Exhibit {
    let mut tricks: Vec<String> = Vec::new();
    for name in books.iter().flat_map(|b| &b.folder.spec.tricks) {
        if !tricks.contains(name) {
            tricks.push(name.clone());
        }
    }
    let heads = ["data", "model", "baseline mIoU (%)"].map(str::to_owned).into_iter();
    let mut table = Table::new(heads.chain(tricks.iter().map(|t| format!("{t} (points)"))));
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); tricks.len()];
    for (book, arch) in books.iter().flat_map(|b| b.archs().map(move |a| (b, a))) {
        let base = book.miou(arch, &Vec::new());
        let mut row: Vec<Cell> =
            vec![book.title().into(), book.folder.spec.arch_title(arch).into(), Cell::number(base, 2)];
        for (trick, column) in tricks.iter().zip(&mut columns) {
            let gain = match book.settled.get(arch) {
                // Paired, so that a lost training on one side costs its partner too.
                Some(settled) => {
                    let tricks = &settled.judgement.tricks;
                    tricks.iter().find(|t| t.0 == *trick).map(|t| t.1.points).filter(|p| p.is_finite())
                }
                None => base.and_then(|b| Some(book.miou(arch, &vec![trick.clone()])? - b)),
            };
            column.extend(gain);
            row.push(Cell::signed(gain));
        }
        table.row(row);
    }
    let mean = |v: &Vec<f64>| (!v.is_empty()).then(|| v.iter().sum::<f64>() / v.len() as f64);
    let mut last: Vec<Cell> = vec!["mean".into(), "".into(), Cell::Missing];
    last.extend(columns.iter().map(|c| Cell::signed(mean(c))));
    table.row(last);
    let titles = books.iter().flat_map(|b| &b.folder.spec.trick);
    let mut legend: Vec<String> = titles.map(|(name, t)| format!("{name}: {}", t.title)).collect();
    legend.sort();
    legend.dedup();
    let text = format!(
        "mIoU without tricks, and the difference that each trick alone makes. {}.",
        legend.join("; ")
    );
    Exhibit::table("table1", "Table 1. Each trick alone", text, table)
}

/// Tables 2 to 5: tricks that help, one more at a time.
fn stacking(number: usize, book: &ReportedStudy, arch: usize) -> Exhibit {
    let classes = book.folder.manifest.class_names();
    let heads = std::iter::once("model".to_owned());
    let ious = classes[1..].iter().map(|c| format!("IoU {c} (%)"));
    let mut table = Table::new(heads.chain(ious).chain(std::iter::once("mIoU (%)".to_owned())));
    for set in book.stack_rows(arch) {
        let Some(counts) = book.folder.spec.counts(&book.scores, &book.runs_of(arch, &set)) else { continue };
        let scores = counts.scores();
        let mut row: Vec<Cell> = vec![book.model_name(arch, &set).into()];
        row.extend(scores.classes[1..].iter().map(|c| Cell::percent(c.iou)));
        row.push(Cell::percent(scores.mean_iou));
        table.row(row);
    }
    let caption =
        format!("Table {number}. Stacking on {}, {}", book.title(), book.folder.spec.arch_title(arch));
    let unfinished = book.unfinished();
    let baseline = !book.runs_of(arch, &Vec::new()).is_empty();
    let lost = book.scores.iter().any(|(run, scored)| run.arch == arch && scored.is_none());
    let text = match table.rows.len() {
        _ if !unfinished.is_empty() => unfinished.trim().to_owned(),
        0 | 1 if !baseline => "No baseline was trained, so nothing can be said of tricks.".into(),
        0 | 1 if lost => "No trick helped of those that were trained; some trainings failed.".into(),
        0 | 1 => "No trick helped: the baseline stays the optimal model.".into(),
        _ => String::new(),
    };
    Exhibit::table(format!("table{number}"), caption, text, table)
}

fn gain_cells(gain: &Gain) -> Vec<Cell> {
    let bound = |pick: fn((f64, f64)) -> f64| Cell::signed(gain.interval().map(pick));
    vec![Cell::signed(Some(gain.points)), bound(|i| i.0), bound(|i| i.1)]
}

const GAIN_HEADS: [&str; 3] = ["gain (points)", "95 % from", "to"];

/// The sound protocol's verdicts.
fn verdicts(book: &ReportedStudy) -> Exhibit {
    let spec = &book.folder.spec;
    let columns = [&["model", "trick"], &GAIN_HEADS[..], &["chance if none", "verdict"]].concat();
    let mut table = Table::new(columns);
    for (arch, settled) in book.settled.iter().enumerate() {
        for (trick, gain, verdict) in &settled.judgement.tricks {
            let mut row: Vec<Cell> = vec![spec.arch_title(arch).into(), trick.clone().into()];
            row.extend(gain_cells(gain));
            row.push(Cell::number(gain.chance_if_none(), 4));
            row.push(verdict.word().into());
            table.row(row);
        }
    }
    let text = format!(
        "{}Gain in mIoU over {} folds and {} seeds, paired by fold, seed and image; intervals from a bootstrap over images \
         and over trainings. A trick helps when a gain as large would come by chance in less than {:.2} % of studies \
         without effect, so that of studies with {} idle tricks (tried on every network) at most 5 % accept one. Specimens are those of this \
         data set: nothing is said of other steels.",
        match book.unfinished() {
            unfinished if unfinished.is_empty() => unfinished,
            unfinished => unfinished.trim().to_owned() + " ",
        },
        spec.folds,
        spec.seeds,
        100.0 * accept_level(spec.tests()),
        spec.tests()
    );
    let text = match power(book) {
        Some(words) => format!("{text} {words}"),
        None => text,
    };
    Exhibit::table(named("gains", book), format!("Gains and verdicts, {}", book.title()), text, table)
}

/// What a study of this size could have found.
fn power(book: &ReportedStudy) -> Option<String> {
    let spec = &book.folder.spec;
    let images = book.folder.folds.iter().map(Vec::len).sum();
    let gains = book.settled.iter().flat_map(|s| s.judgement.tricks.iter().map(|t| &t.1));
    let noise = Noise::seen(gains, images, spec.folds * spec.seeds as usize)?;
    let design = Design { folds: spec.folds, seeds: spec.seeds, iterations: 0 };
    let smallest = design.smallest_gain(noise, images, spec.tests(), 0.8);
    Some(format!(
        "Gains scattered by {:.1} points between images and {:.1} between trainings, so that this study finds a gain of \
         {smallest:.1} points in 80 % of its repeats.",
        noise.images, noise.trainings
    ))
}

fn named(what: &str, book: &ReportedStudy) -> String {
    let safe: String = book.title().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    format!("{what}-{safe}")
}

/// The stack against the sum of its parts, and against itself less one trick.
fn stacks(book: &ReportedStudy) -> Exhibit {
    let columns = [&["model", "compared"], &GAIN_HEADS[..], &["verdict"]].concat();
    let mut table = Table::new(columns);
    let mut notes = Vec::new();
    for (arch, settled) in book.settled.iter().enumerate() {
        let model = book.folder.spec.arch_title(arch);
        let mut add = |what: String, gain: &Gain, verdict: &str| {
            let mut row: Vec<Cell> = vec![model.into(), what.into()];
            row.extend(gain_cells(gain));
            row.push(verdict.into());
            table.row(row);
        };
        if book.runs_of(arch, &Vec::new()).is_empty() {
            notes.push(format!("{model}: no baseline was trained, so nothing can be said of tricks."));
            continue;
        }
        if settled.stack.is_empty() {
            notes.push(format!("{model}: no trick is shown to help, so the baseline stays."));
            continue;
        }
        let name = set_name(&settled.stack);
        add(format!("{name} over baseline"), &settled.gain, "");
        if let Some(interaction) = &settled.interaction {
            add("sum of the single gains".into(), &interaction.promised, "");
            add(format!("{name} beyond that sum"), &interaction.beyond, "");
            notes.push(format!("{model}: {}", words(&interaction.beyond)));
        }
        for (trick, gain, verdict) in &settled.contributions {
            add(format!("{name} over the same without {trick}"), gain, verdict.word());
        }
        for trick in &settled.judgement.displaced {
            notes.push(format!("{model}: {trick} helps too, but sets the same key as a better trick."));
        }
        for trick in &settled.dropped {
            notes.push(format!("{model}: {trick} helps alone but hurts among the others, and was dropped."));
        }
    }
    let table = Some(table).filter(|t| !t.rows.is_empty());
    Exhibit {
        name: named("stack", book),
        caption: format!("The stack, {}", book.title()),
        text: (book.unfinished() + " " + &notes.join(" ")).trim().to_owned(),
        table,
        ..Exhibit::default()
    }
}

/// What an interaction says, in words.
fn words(beyond: &Gain) -> String {
    let points = beyond.points.abs();
    if points.is_nan() {
        return "the stack was not trained, so nothing is known of what the tricks do to one another.".into();
    }
    match beyond.interval() {
        Some((low, _)) if low > 0.0 => {
            format!("together the tricks bring {points:.1} points more than they promise alone.")
        }
        Some((_, high)) if high < 0.0 => {
            format!(
                "together the tricks bring {points:.1} points less than they promise alone: they overlap."
            )
        }
        _ => "together the tricks bring what they promise alone, as far as this study can show.".into(),
    }
}

/// What the held-out images say of the chosen model.
fn test(book: &ReportedStudy) -> Option<Exhibit> {
    let spec = &book.folder.spec;
    let (arch, tricks) = spec.chosen(&book.scores)?;
    let classes = book.folder.manifest.class_names();
    let heads = ["model", "seed"].map(str::to_owned).into_iter();
    let ious = classes[1..].iter().map(|c| format!("IoU {c} (%)"));
    let mut table = Table::new(heads.chain(ious).chain(std::iter::once("mIoU (%)".to_owned())));
    for set in if tricks.is_empty() { vec![tricks.clone()] } else { vec![Vec::new(), tricks.clone()] } {
        for seed in spec.first_seed..spec.first_seed + spec.seeds {
            let run = Run { seed, ..spec.whole(arch, &set) };
            let Some(counts) = spec.counts(&book.scores, &[run]) else { continue };
            let scores = counts.scores();
            let mut row: Vec<Cell> = vec![book.model_name(arch, &set).into(), Cell::Integer(seed as i64)];
            row.extend(scores.classes[1..].iter().map(|c| Cell::percent(c.iou)));
            row.push(Cell::percent(scores.mean_iou));
            table.row(row);
        }
    }
    if table.rows.is_empty() {
        return None;
    }
    let trained = |seed| {
        Some(Run { seed, ..spec.whole(arch, &tricks) })
            .filter(|r| book.scores.get(r).is_some_and(Option::is_some))
    };
    let use_this = match (spec.first_seed..spec.first_seed + spec.seeds).find_map(trained) {
        Some(run) => format!("The model to use: runs/{}/model.safetensors", spec.run_id(&run)),
        None => "No model to use: all its trainings failed or are missing".to_owned(),
    };
    let mut text = format!(
        "The test images were segmented only now, by models trained on all training images. {use_this}"
    );
    let gain = (!tricks.is_empty()).then(|| spec.tested(&book.scores, arch, &tricks));
    if let Some(gain) = gain.filter(|gain| gain.points.is_finite()) {
        text += &format!(". Gain over the baseline on the test images: {:+.2} points", gain.points);
        if let Some((low, high)) = gain.interval() {
            text += &format!(" (95 % from {low:+.2} to {high:+.2})");
        }
    }
    Some(Exhibit::table(named("test", book), format!("Held-out test, {}", book.title()), text + ".", table))
}

/// Every training with its score, time and recipe.
fn trainings(books: &[ReportedStudy]) -> Exhibit {
    let mut table =
        Table::new(["data", "model", "learnt and scored on", "seed", "mIoU (%)", "seconds", "recipe hash"]);
    for book in books {
        for run in book.scores.keys() {
            let part = match run.part {
                Part::Fold(f) => format!("all but fold {}, fold {}", f + 1, f + 1),
                Part::All => "training images, test images".into(),
            };
            table.row(vec![
                book.title().into(),
                book.model_name(run.arch, &run.tricks).into(),
                part.into(),
                Cell::Integer(run.seed as i64),
                Cell::number(book.folder.spec.miou(&book.scores, std::slice::from_ref(run)), 2),
                Cell::number(Some(book.folder.seconds(run)), 0),
                book.folder.recipe(run).map_or(Cell::Missing, |r| r.hash().into()),
            ]);
        }
    }
    let text = "Seconds are those of the training steps, without validation.";
    Exhibit::table("trainings", "All trainings", text, table)
}
