//! Which image, and where in it, a label would help most.

use crate::app::{Shared, bulk};
use crate::error::Answer;
use crate::gallery::trust;
use crate::project::Project;
use axum::Json;
use axum::extract::State;
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use sorby_data::Entry;
use sorby_image::{Micrograph, RawLabels, Shot, files};
use sorby_label::{Region, doubtful_region};

/// Edge of the region that is proposed, in pixels: a training crop.
const REGION_PX: usize = 256;

/// An image to label next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suggestion {
    /// Of the image.
    pub name: String,
    /// Left, top, width and height of where the model is least sure.
    pub region_px: Option<[usize; 4]>,
    /// Mean doubt over the image, 0..1; none without a prediction.
    pub doubt: Option<f64>,
    /// Why this one, in words.
    pub why: String,
}

/// Images without a label, the most useful first. With predictions these are the images of which the newest model is
/// least sure; images unlike its training set come before all others. Without predictions, the images whose grey levels
/// are farthest from those of any labelled one.
///
/// # Errors
/// When the project has no manifest that can be read.
pub fn suggestions(project: &Project) -> Answer<Vec<Suggestion>> {
    let manifest = project.require_manifest()?;
    let (labelled, open): (Vec<Entry>, Vec<Entry>) =
        project.entries(&manifest).into_iter().partition(|e| e.label.is_some());
    let newest = project.folders("predictions").into_iter().max_by_key(|model| {
        files::open(&project.root.join("predictions").join(model).join(sorby::TRUST_FILE))
            .and_then(|f| f.metadata()?.modified())
            .ok()
    });
    let mut found = match newest {
        Some(model) => by_doubt(project, &model, &open),
        None => Vec::new(),
    };
    let told: Vec<String> = found.iter().map(|(s, _)| s.name.clone()).collect();
    let rest: Vec<&Entry> = open.iter().filter(|e| !told.contains(&e.name)).collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.name.cmp(&b.0.name)));
    let mut list: Vec<Suggestion> = found.into_iter().map(|(s, _)| s).collect();
    list.extend(by_strangeness(project, &labelled, &rest));
    Ok(list)
}

fn by_doubt(project: &Project, model: &str, open: &[Entry]) -> Vec<(Suggestion, f64)> {
    let folder = project.root.join("predictions").join(model);
    let rows = trust(&folder);
    let one = |entry: &Entry| -> Option<(Suggestion, f64)> {
        let file = folder.join("confidence").join(format!("{}.png", entry.name));
        let _share = project.memory.for_image(&file).ok()?;
        let sure = Micrograph::read(&file).ok()?;
        let mask = RawLabels::read(&folder.join("masks").join(format!("{}.png", entry.name)));
        let field = match mask {
            Ok(RawLabels::Values(mask)) if mask.height == sure.height => mask.field_rows(),
            _ => sure.height,
        };
        let (Region { x, y, width, height, doubt: worst }, doubt) =
            doubtful_region(&sure.to_grey8(), sure.width, field, REGION_PX)?;
        let unlike = rows.iter().any(|r| r.image == entry.name && r.unlike == Some(true));
        let mut why =
            format!("{model} doubts {:.0} % of it, {:.0} % of the marked part", 100.0 * doubt, 100.0 * worst);
        if unlike {
            why = format!("unlike the images that {model} learnt from; {why}");
        }
        let suggestion = Suggestion {
            name: entry.name.clone(),
            region_px: Some([x, y, width, height]),
            doubt: Some(doubt),
            why,
        };
        Some((suggestion, doubt + f64::from(u8::from(unlike))))
    };
    open.par_iter().filter_map(one).collect()
}

/// Farthest first from all that is labelled or already chosen, by their grey levels.
fn by_strangeness(project: &Project, labelled: &[Entry], open: &[&Entry]) -> Vec<Suggestion> {
    let levels = |entry: &Entry| levels(project, entry);
    let known: Vec<[f64; 32]> = labelled.par_iter().filter_map(levels).collect();
    let mut left: Vec<(&Entry, [f64; 32])> = open.par_iter().filter_map(|e| Some((*e, levels(e)?))).collect();
    let mut near: Vec<f64> = left
        .iter()
        .map(|(_, l)| known.iter().map(|k| distance(k, l)).fold(f64::INFINITY, f64::min))
        .collect();
    let mut list = Vec::new();
    while !left.is_empty() {
        let far = (0..left.len()).max_by(|a, b| near[*a].total_cmp(&near[*b]).then(b.cmp(a))).unwrap_or(0);
        let (entry, chosen) = left.remove(far);
        let apart = near.remove(far);
        let why = if apart.is_finite() {
            format!("its grey levels differ most from what is labelled (by {:.0} %)", 100.0 * apart)
        } else {
            "nothing is labelled yet".to_owned()
        };
        list.push(Suggestion { name: entry.name.clone(), region_px: None, doubt: None, why });
        for (near, (_, levels)) in near.iter_mut().zip(&left) {
            *near = near.min(distance(&chosen, levels));
        }
    }
    list
}

/// Shares of 32 grey levels.
fn levels(project: &Project, entry: &Entry) -> Option<[f64; 32]> {
    let _share = project.memory.for_image(&entry.image).ok()?;
    let image = Micrograph::read(&entry.image).ok()?;
    // A data bar is black and white whatever the steel is.
    let grey = Shot::without_scale(&entry.image, image, false).field_grey8();
    let mut shares = [0.0; 32];
    grey.iter().for_each(|v| shares[usize::from(*v) / 8] += 1.0);
    Some(shares.map(|n| n / grey.len() as f64))
}

/// Earth mover's distance of two histograms, 0..1.
fn distance(a: &[f64; 32], b: &[f64; 32]) -> f64 {
    let mut carried = 0.0;
    let moved: f64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| {
            carried += a - b;
            f64::abs(carried)
        })
        .sum();
    moved / 31.0
}

/// `GET /api/next`.
pub async fn get(State(app): State<Shared>) -> Answer<Json<Value>> {
    bulk(&app, |app| Ok(Json(json!(suggestions(&app.project)?)))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_all_from_black_to_white_is_one() {
        let (mut black, mut white) = ([0.0; 32], [0.0; 32]);
        (black[0], white[31]) = (1.0, 1.0);
        assert_eq!(distance(&black, &white), 1.0);
        assert_eq!(distance(&black, &black), 0.0);
    }
}
