//! A model that finds nothing is reported before any score.

use crate::run_file::RunFile;
use crate::run_folder::ImageCounts;
use std::path::Path;

/// A sentence for each class but the first that the model found in none of some images that have it. An image is its
/// pixel counts, `matrix[label][prediction]`.
pub fn nothing_found<'a>(
    classes: &[String],
    images: impl Iterator<Item = &'a [Vec<u64>]> + Clone,
) -> Vec<String> {
    let told = |class: usize| {
        let has = |m: &&[Vec<u64>]| m.get(class).is_some_and(|row| row.iter().sum::<u64>() > 0);
        let none = |m: &&[Vec<u64>]| m.iter().all(|row| row.get(class) == Some(&0));
        let with = images.clone().filter(has).count();
        let missed = images.clone().filter(has).filter(none).count();
        (missed > 0).then(|| {
            format!("the model found no {} in {missed} of {with} images that have it", classes[class])
        })
    };
    (1..classes.len()).filter_map(told).collect()
}

/// The same of a run's last validation; nothing where it has none.
pub fn nothing_found_by_run(run: &Path, classes: &[String]) -> Vec<String> {
    let counts = sorby_image::files::read(&RunFile::ImageCounts.path_in(run)).unwrap_or_default();
    let counts: Vec<ImageCounts> = serde_json::from_slice(&counts).unwrap_or_default();
    nothing_found(classes, counts.iter().map(|c| c.matrix.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_found_nothing_is_told_of() {
        let classes = ["matrix", "carbide", "pore"].map(str::to_owned);
        let image = |rows: [[u64; 3]; 3]| rows.map(|r| r.to_vec()).to_vec();
        let found = image([[90, 1, 0], [2, 7, 0], [0, 0, 0]]);
        let missed = image([[90, 0, 0], [10, 0, 0], [0, 0, 0]]);
        let without = image([[100, 0, 0], [0, 0, 0], [0, 0, 0]]);
        let told = |images: &[&Vec<Vec<u64>>]| nothing_found(&classes, images.iter().map(|i| i.as_slice()));
        assert!(told(&[&found]).is_empty() && told(&[]).is_empty());
        // Finding none where there is none is right; and a pore was nowhere.
        assert!(told(&[&found, &without]).is_empty());
        assert_eq!(
            told(&[&found, &missed, &without]),
            ["the model found no carbide in 1 of 2 images that have it"]
        );
        assert_eq!(told(&[&missed, &missed]), ["the model found no carbide in 2 of 2 images that have it"]);
        // Found, though in the wrong place: that is for the scores.
        assert!(told(&[&image([[80, 10, 0], [10, 0, 0], [0, 0, 0]])]).is_empty());
    }
}
