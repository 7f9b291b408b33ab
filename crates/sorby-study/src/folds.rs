//! Folds that never part a specimen.

use sorby_random::Stream;
use std::collections::BTreeMap;

/// Fewer specimens than folds, or fewer than two folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{specimens} specimens cannot be shared among {folds} folds; folds must be from 2 to the number of specimens"
)]
pub struct FoldsError {
    /// Specimens that there are.
    pub specimens: usize,
    /// Folds that were asked for.
    pub folds: usize,
}

/// Shares `images` among `count` folds of about equal size. Images of one specimen stay together; images that no
/// specimen names are on their own. `seed` decides among equals. Folds hold names in order.
///
/// # Errors
/// When there are fewer specimens than folds, or fewer than two folds.
pub fn assign(
    images: &[String],
    specimens: &BTreeMap<String, Vec<String>>,
    count: usize,
    seed: u64,
) -> Result<Vec<Vec<String>>, FoldsError> {
    let groups = groups(images, specimens);
    if count < 2 || groups.len() < count {
        return Err(FoldsError { specimens: groups.len(), folds: count });
    }
    let mut groups: Vec<Vec<String>> = groups.into_values().collect();
    Stream::numbered(seed, "folds", &[]).shuffle(&mut groups);
    // Largest first into the emptiest fold; the sort is stable, so the shuffle decides among equals.
    groups.sort_by_key(|g| std::cmp::Reverse(g.len()));
    let mut folds = vec![Vec::new(); count];
    for group in groups {
        // There are folds: `count` is at least 2.
        if let Some(emptiest) = folds.iter_mut().min_by_key(|f| f.len()) {
            emptiest.extend(group);
        }
    }
    folds.iter_mut().for_each(|f| f.sort());
    Ok(folds)
}

/// Images by specimen.
fn groups<'a>(
    images: &'a [String],
    specimens: &'a BTreeMap<String, Vec<String>>,
) -> BTreeMap<&'a str, Vec<String>> {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for image in images {
        let specimen = specimens.iter().find(|(_, names)| names.contains(image)).map(|(name, _)| name);
        groups.entry(specimen.unwrap_or(image)).or_default().push(image.clone());
    }
    groups
}

/// `specimens`, where near-duplicates (pairs of images that show the same place) are of one specimen too.
pub fn with_near_duplicates(
    specimens: &BTreeMap<String, Vec<String>>,
    near_duplicates: &[(String, String)],
) -> BTreeMap<String, Vec<String>> {
    let mut all = specimens.clone();
    for (a, b) in near_duplicates {
        let mut of = |image: &String| {
            let known = all.iter().find(|(_, names)| names.contains(image)).map(|(name, _)| name.clone());
            known.unwrap_or_else(|| {
                all.entry(image.clone()).or_default().push(image.clone());
                image.clone()
            })
        };
        let (one, other) = (of(a), of(b));
        if one != other {
            let moved = all.remove(&other).unwrap_or_default();
            all.entry(one).or_default().extend(moved);
        }
    }
    all
}

/// The most folds that images can be shared among.
pub fn most_folds(images: &[String], specimens: &BTreeMap<String, Vec<String>>) -> usize {
    groups(images, specimens).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn specimens_stay_together_and_folds_are_even() {
        let specimens = BTreeMap::from([("x".into(), names("a b c")), ("y".into(), names("d e"))]);
        for seed in 0..20 {
            let folds = assign(&names("a b c d e f g"), &specimens, 2, seed).unwrap();
            let of = |name: &str| folds.iter().position(|f| f.iter().any(|n| n == name)).unwrap();
            assert!(of("a") == of("b") && of("b") == of("c") && of("d") == of("e"));
            // 3 on one side, 2 on the other, then the two loose ones even it out.
            let mut sizes: Vec<usize> = folds.iter().map(Vec::len).collect();
            sizes.sort_unstable();
            assert_eq!(sizes, [3, 4]);
        }
        assert!(assign(&names("a b c"), &specimens, 2, 0).is_err());
    }

    #[test]
    fn near_duplicates_stay_together() {
        let specimens = BTreeMap::from([("x".into(), names("a b"))]);
        let near_duplicates = [("b", "c"), ("d", "e"), ("e", "f")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let all = with_near_duplicates(&specimens, &near_duplicates);
        assert_eq!(all, BTreeMap::from([("x".into(), names("a b c")), ("d".into(), names("d e f"))]));
        assert_eq!(most_folds(&names("a b c d e f g"), &all), 3);
    }

    #[test]
    fn without_specimens_every_image_is_its_own() {
        let folds = assign(&names("a b c d e f g"), &BTreeMap::new(), 3, 1).unwrap();
        let mut sizes: Vec<usize> = folds.iter().map(Vec::len).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [2, 2, 3]);
        assert_eq!(folds, assign(&names("a b c d e f g"), &BTreeMap::new(), 3, 1).unwrap());
    }
}
