//! Prints where the crops of a training run come from, one line each: iteration, name, row, column.
//! `reference/train_twin.py --crops` trains the reference implementation in PyTorch on the same ones.
//!
//! cargo run --release -p sorby-data --example list_crops -- DATA SEED ITERATIONS

use sorby_data::{CropRule, CropSource, DataError, Dataset};

fn main() -> Result<(), DataError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, seed, iterations] = &arguments[..] else {
        eprintln!("usage: list_crops DATA SEED ITERATIONS");
        std::process::exit(2);
    };
    let number = |text: &String| text.parse::<u64>().unwrap_or_default();
    let dataset = Dataset::open(data.as_ref())?;
    let mut items = dataset.split("train")?;
    items.sort_by(|a, b| a.name.cmp(&b.name));
    let samples = dataset.load(&items)?;
    let source = CropSource::new(&samples, 1.0);
    // The recipe's defaults.
    let rule = CropRule { size_px: 256, max_class_share: 0.75 };
    for t in 0..number(iterations) {
        for (name, at) in source.places(rule, number(seed), t, 8) {
            println!("{t} {name} {} {}", at.y, at.x);
        }
    }
    Ok(())
}
