//! Measures a folder of masks of any program, whose pixel size is given in nanometres:
//! `cargo run --release -p sorby --example measure_a_folder -- MASKS NM_PER_PX OUT`

use sorby::{Error, Event, MadeBy, MeasureOptions, OutFolder, Result, listing, measure, tables};
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [masks, nm_per_px, out] = &given[..] else {
        return Err(Error::Refused("give MASKS NM_PER_PX OUT".into()));
    };
    let nm_per_px = nm_per_px.parse().map_err(|_| Error::Refused(format!("{nm_per_px}: is no number")))?;
    let options = MeasureOptions { nm_per_px: Some(nm_per_px), ..MeasureOptions::default() };
    let files = listing::images(&[PathBuf::from(masks)])?;
    // One lot, one folder: nothing of another measurement is mixed in.
    let made_by = MadeBy::new("measure").with("nm-per-px", nm_per_px).with_files("masks", &files);
    let mut folder = OutFolder::check(Path::new(out), made_by, &[])?;
    let measured = measure(&files, &options, &|event: Event| eprintln!("{event:?}"))?;
    if measured.fields.is_empty() {
        return Err(Error::Refused(format!("{masks}: no mask could be measured")));
    }
    folder.claim()?;
    tables::write_problems(Path::new(out), &measured.problems)?;
    let results = measured.results();
    results.write(Path::new(out))?;
    print!("{}", results.estimates.shown().to_text());
    results.warnings().iter().for_each(|warning| println!("{warning}"));
    Ok(())
}
