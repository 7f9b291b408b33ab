//! Numbers of masks while they are looked at: objects, estimates with their intervals, thresholds.

use crate::app::{App, Shared, bulk, work};
use crate::error::{Answer, Refusal};
use crate::labels::{Current, current};
use crate::predictions;
use crate::scales::{Settled, settled};
use crate::verbs::ObjectChoice;
use axum::Json;
use axum::extract::{Path, Query, State};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use sorby::MeasureOptions;
use sorby::measure::{MeasuredMap, all_scaled, estimate_maps};
use sorby_image::scale::agreement::Statements;
use sorby_image::{KnownScale, LabelMap};
use sorby_measure::{ObjectRule, Region, measure, otsu, sweep};
use sorby_score::{Overlap, threshold_ious};

/// Mask that means the labels.
const LABELS: &str = "labels";
/// Most images measured at once.
const IMAGES: usize = 1000;

/// Memory for measuring a mask: the mask, its objects and their runs, bytes a pixel.
const PER_PIXEL: u64 = 32;

fn share(app: &App, name: &str) -> Answer<crate::memory::Share> {
    app.project.memory.for_pixels(&app.project.entry(name)?.1.image, PER_PIXEL)
}

/// The mask of an image: its label, or a model's, on the field alone; and its pixel size.
fn mask(app: &App, name: &str, of: &str) -> Answer<(LabelMap, Option<f64>)> {
    let (manifest, entry) = app.project.entry(name)?;
    let (mut map, label_rows, note) = if of == LABELS {
        let Current { label, missing_rows, .. } = current(app, &manifest, &entry)?;
        let rows = (missing_rows > 0).then(|| label.height - missing_rows);
        (label, rows, None)
    } else {
        let (mask, note) = predictions::mask(app, name, of)?;
        (mask, None, note)
    };
    let Settled { scale, field_rows } = settled(app, &manifest, &entry, label_rows)?;
    map.ignore_bottom(map.height.saturating_sub(field_rows));
    // A mask made while something else was said of the image is not measured by what is said now.
    let mut statements = Statements::new(scale.iter().map(KnownScale::claim));
    statements.note(&note.unwrap_or_default());
    let known = statements.settle().map_err(|cause| {
        Refusal::unreadable(format!("{name}: {cause}; if the data set is right, segment the image again"))
    })?;
    Ok((map, known.map(|k| k.nm_per_px)))
}

fn object(index: usize, region: &Region) -> Value {
    let s = &region.shape;
    json!({
        "id": index + 1,
        "x": region.centroid_px.1,
        "y": region.centroid_px.0,
        "box": [region.bbox_px.1, region.bbox_px.0, region.bbox_px.3, region.bbox_px.2],
        "area_px": region.area_px,
        "diameter_px": region.equivalent_diameter_area_px(),
        "feret_max_px": s.feret_diameter_max_px,
        "feret_min_px": s.feret_diameter_min_px,
        "circularity": s.circularity,
        "aspect_ratio": s.aspect_ratio,
        "solidity": s.solidity,
        "at_edge": region.touches_border,
    })
}

#[derive(Deserialize)]
pub struct At {
    of: String,
    x: u32,
    y: u32,
}

/// `GET /api/images/{name}/object?of&x&y`: the object of any class but the first at a pixel, with its rows.
pub async fn object_at(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Query(at): Query<At>,
) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let _share = share(app, &name)?;
        let (map, nm_per_px) = mask(app, &name, &at.of)?;
        let (x, y) = (at.x as usize, at.y as usize);
        if x >= map.width || y >= map.height {
            return Err(Refusal::bad("outside the image"));
        }
        let class = map.labels[y * map.width + x];
        if class == sorby_image::IGNORE || class == 0 {
            return Ok(Json(json!({"class": class, "object": null})));
        }
        let particles = MeasuredMap::of(&map, class, &MeasureOptions::default(), nm_per_px)?.particles;
        let hit = particles.runs.iter().find(|r| r.y == at.y && (r.x_start..r.x_end).contains(&at.x));
        let Some(hit) = hit else { return Ok(Json(json!({"class": class, "object": null}))) };
        let own = particles.runs.iter().filter(|r| r.region == hit.region);
        let spans: Vec<[u32; 3]> = own.map(|r| [r.y, r.x_start, r.x_end]).collect();
        let index = hit.region as usize;
        Ok(Json(json!({
            "class": class,
            "object": object(index, &particles.regions[index]),
            "spans": spans,
            "nm_per_px": nm_per_px,
        })))
    })
    .await
}

#[derive(Deserialize)]
pub struct Asked {
    of: String,
    class: u8,
    images: Vec<String>,
    #[serde(flatten)]
    objects: ObjectChoice,
}

/// `POST /api/measure`: objects of a class in these images, and estimates over all of them together.
pub async fn images(State(app): State<Shared>, Json(asked): Json<Asked>) -> Answer<Json<Value>> {
    bulk(&app, move |app| {
        let manifest = app.project.require_manifest()?;
        if usize::from(asked.class) >= manifest.classes.len()
            || asked.images.is_empty()
            || asked.images.len() > IMAGES
        {
            return Err(Refusal::bad(format!("choose a class, and 1 to {IMAGES} images")));
        }
        let options = asked.objects.options();
        options.check()?;
        let one = |name: &String| -> Answer<MeasuredMap> {
            let _share = share(app, name)?;
            let (map, nm_per_px) = mask(app, name, &asked.of)?;
            if map.labels.iter().all(|l| *l == sorby_image::IGNORE) {
                return Err(Refusal::bad("has no label yet"));
            }
            Ok(MeasuredMap::of(&map, asked.class, &options, nm_per_px)?)
        };
        let results: Vec<_> = asked.images.par_iter().map(one).collect();
        let (mut measured, mut problems) = (Vec::new(), Vec::new());
        for (name, result) in asked.images.iter().zip(results) {
            match result {
                Ok(map) => measured.push((name, map)),
                Err(refusal) => problems.push(json!({"image": name, "problem": refusal.what})),
            }
        }
        let maps: Vec<&MeasuredMap> = measured.iter().map(|(_, map)| map).collect();
        let scaled = all_scaled(&maps);
        Ok(Json(json!({
            "scaled": scaled,
            "images": measured.iter().map(|(name, map)| row(name, map, scaled, &options)).collect::<Vec<_>>(),
            "problems": problems,
            "estimates": estimates(&maps, scaled, &options),
        })))
    })
    .await
}

fn row(name: &str, map: &MeasuredMap, scaled: bool, options: &MeasureOptions) -> Value {
    let particles = &map.particles;
    let objects: Vec<Value> = particles.regions.iter().enumerate().map(|(i, r)| object(i, r)).collect();
    json!({
        "name": name,
        "summary": particles.summary(),
        "nm_per_px": particles.nm_per_px,
        "objects": objects,
        "estimates": estimates(&[map], scaled, options),
    })
}

fn estimates(maps: &[&MeasuredMap], scaled: bool, options: &MeasureOptions) -> Vec<Value> {
    let shown = |e: &sorby_measure::Estimate| json!({"quantity": e.quantity.name(scaled), "value": e.value, "ci95": e.ci95});
    estimate_maps(maps, scaled, None, options).iter().map(shown).collect()
}

#[derive(Deserialize)]
pub struct Duel {
    class: u8,
    /// The mask to compare with next to the label.
    #[serde(default)]
    model: Option<String>,
}

/// `GET /api/images/{name}/thresholds?class&model`: count, mean radius and IoU of every threshold (brighter is the class).
pub async fn thresholds(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Query(duel): Query<Duel>,
) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let (manifest, entry) = app.project.entry(&name)?;
        if usize::from(duel.class) >= manifest.classes.len() {
            return Err(Refusal::bad("no such class"));
        }
        let picture = app.pictures.get(&app.project.memory, &entry.image)?;
        let _share = share(app, &name)?;
        let (width, _) = picture.size();
        let mut grey = picture.grey();
        let truth = entry.label.is_some().then(|| mask(app, &name, LABELS)).transpose()?;
        let field = settled(app, &manifest, &entry, None)?.field_rows;
        // A data bar's text is brighter than steel.
        let rows = truth.as_ref().map_or(field, |t| t.0.field_rows());
        grey.truncate(rows * width);
        let curve = sweep(&grey, width, rows);
        let summary = |map: &LabelMap| measure(map, duel.class, ObjectRule::default(), None).summary();
        let truth_summary = truth.as_ref().map(|(map, _)| summary(map));
        let model = duel.model.as_deref().map(|m| mask(app, &name, m).map(|(map, _)| map)).transpose()?;
        let iou = truth.as_ref().map(|(map, _)| threshold_ious(&grey, &map.labels, duel.class));
        let model_iou = match (&model, &truth) {
            (Some(m), Some((t, _))) => Overlap::of(&m.labels, &t.labels, duel.class).iou(),
            _ => None,
        };
        Ok(Json(json!({
            "width": width,
            "rows": rows,
            "otsu": otsu(&grey),
            "counts": curve.counts,
            "mean_radii_px": curve.mean_radii_px,
            "iou": iou,
            "truth": truth_summary,
            "best_for_count": truth_summary.as_ref().map(|t| curve.best_for_count(t.count)),
            "best_for_radius": truth_summary.as_ref().and_then(|t| t.mean_radius_px).map(|r| curve.best_for_radius(r)),
            "model": model.as_ref().map(summary),
            "model_iou": model_iou,
        })))
    })
    .await
}
