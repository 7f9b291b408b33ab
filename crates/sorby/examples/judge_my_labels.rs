//! Looks for labels that lie wrong, and writes a page with pictures of them:
//! `cargo run --release -p sorby --example judge_my_labels -- DATA PAGE.html`

use sorby::data::check_data;
use sorby::{Error, Result};
use std::path::Path;

fn main() -> Result<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [data, page] = &given[..] else {
        return Err(Error::Refused("give DATA PAGE.html".into()));
    };
    let found = check_data(Path::new(data), None, &());
    if let Some(summary) = &found.summary {
        println!("{} labelled images", summary.images);
        summary.misplaced.iter().for_each(|(name, how)| println!("{name}: its label lies wrong ({how:?})"));
        summary.remarks.iter().for_each(|remark| println!("look at: {remark}"));
    }
    found.problems.iter().for_each(|problem| println!("problem: {problem}"));
    if let Some(page) = found.write_page(Path::new(page))? {
        println!("pictures: {}", page.display());
    }
    Ok(())
}
