//! What help with drawing is worth, measured on labels that exist.

use super::annotator::{polygon_clicks, stroke};
use crate::{Event, Observer, Result};
use serde_json::{Value, json};
use sorby_data::{Dataset, Sample};
use sorby_image::{IGNORE, LabelMap};
use sorby_label::{Features, draft, object_at};
use sorby_measure::{Connectivity, components};
use sorby_report::{Cell, Table};
use sorby_score::Confusion;
use std::path::Path;
use std::time::Instant;

/// A polygon by hand follows the outline this closely, in pixels.
const TOLERANCE_PX: f64 = 1.0;
/// A smart fill has found an object from this overlap on (IoU), and is as good as drawn from that.
const FINDS: f64 = 0.5;
const SERVES: f64 = 0.8;
/// The share of pixels at which a draft is as good as a second look of the expert's.
const AGREES: f64 = 0.95;
/// Corrections after which the annotator gives up, in units of `--strokes`.
const PATIENCE: usize = 6;

/// What help with drawing was worth on one image.
pub struct Trial {
    /// Of the image.
    pub name: String,
    /// Size of the image.
    pub megapixels: f64,
    /// Of the draft after the wanted strokes.
    pub miou_percent: Option<f64>,
    /// Pixels of the draft that are as the expert's.
    pub agreement_percent: f64,
    /// Strokes until 95 % of the pixels are the expert's; `None` when patience ended before.
    pub strokes_to_95: Option<usize>,
    /// Objects of all classes but the first.
    pub objects: usize,
    /// Of those, the ones that a smart fill at their middle finds.
    pub fills_that_find: usize,
    /// Of those, the ones that it gives as if they were drawn.
    pub fills_that_serve: usize,
    /// Clicks of polygons round all objects.
    pub polygon_clicks: usize,
    /// Time of the pixel features, once for each image.
    pub features_s: f64,
    /// Time of one draft.
    pub draft_s: f64,
}

/// Draws `strokes` in each image of a split as an annotator would, from its own label.
///
/// # Errors
/// When data set or split cannot be read.
pub fn trial(data: &Path, split: &str, strokes: usize, observer: &dyn Observer) -> Result<Vec<Trial>> {
    let data = Dataset::open(data)?;
    let classes = data.manifest.classes.len();
    let items = data.split(split)?;
    observer.event(Event::Begin { total: items.len(), unit: "images" });
    let mut trials = Vec::new();
    for item in items {
        trials.push(one(&data.load_one(item)?, classes, strokes));
        observer.event(Event::Advance(1));
    }
    observer.event(Event::End);
    Ok(trials)
}

fn one(sample: &Sample, classes: usize, wanted: usize) -> Trial {
    let (grey, truth) = (sample.shot.image.to_grey8(), &sample.label);
    let began = Instant::now();
    let features = Features::of(&grey, truth.width, truth.height);
    let features_s = began.elapsed().as_secs_f64();
    let mut strokes = LabelMap::filled(truth.width, truth.height, IGNORE);
    let mut current: Option<LabelMap> = None;
    let (mut seconds, mut after, mut strokes_to_95, mut drawn) = (Vec::new(), None, None, 0);
    // A stroke of each class first, then wherever the draft is most wrong.
    let present: Vec<u8> = (0..classes as u8).filter(|c| truth.labels.contains(c)).collect();
    while drawn < wanted * PATIENCE {
        let first = present.get(drawn).copied().filter(|_| current.is_none() || drawn < present.len());
        if !stroke(truth, current.as_ref(), &mut strokes, first) && first.is_none() {
            break;
        }
        drawn += 1;
        if drawn < present.len() {
            continue;
        }
        let began = Instant::now();
        let Some(made) = draft(&features, &strokes, classes, 0) else { break };
        seconds.push(began.elapsed().as_secs_f64());
        let scores = scored(&made.labels, truth, classes);
        current = Some(made.labels);
        if scores.1 >= AGREES {
            strokes_to_95 = strokes_to_95.or(Some(drawn));
        }
        if drawn <= wanted {
            after = Some(scores);
        }
        if drawn >= wanted && strokes_to_95.is_some() {
            break;
        }
    }
    let (objects, [fills_that_find, fills_that_serve], polygon_clicks) = by_hand(&grey, truth, classes);
    let (miou, agreement) = after.unwrap_or((None, 0.0));
    Trial {
        name: sample.name.clone(),
        megapixels: grey.len() as f64 / 1e6,
        miou_percent: miou.map(|m| 100.0 * m),
        agreement_percent: 100.0 * agreement,
        strokes_to_95,
        objects,
        fills_that_find,
        fills_that_serve,
        polygon_clicks,
        features_s,
        draft_s: median(&mut seconds),
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// mIoU, and share of the pixels that agree.
fn scored(draft: &LabelMap, truth: &LabelMap, classes: usize) -> (Option<f64>, f64) {
    let mut confusion = Confusion::new(classes);
    confusion.add(draft, truth);
    let scores = confusion.scores();
    (scores.mean_iou, scores.pixel_accuracy.unwrap_or(0.0))
}

/// Objects of all classes but the first; those that one click finds; clicks of polygons round all of them.
fn by_hand(grey: &[u8], truth: &LabelMap, classes: usize) -> (usize, [usize; 2], usize) {
    let (mut objects, mut serve, mut clicks) = (0, [0; 2], 0);
    for class in 1..classes as u8 {
        let found = components(truth.width, truth.height, Connectivity::Eight, &truth.labels, |l| l == class);
        clicks += polygon_clicks(&found, TOLERANCE_PX);
        objects += found.regions.len();
        for (index, region) in found.regions.iter().enumerate() {
            let own: Vec<_> = found.runs.iter().filter(|r| r.region as usize == index).collect();
            // The click is on the middle of the longest row.
            let Some(run) = own.iter().max_by_key(|r| r.x_end - r.x_start) else { continue };
            let click = ((run.x_start + run.x_end) as usize / 2, run.y as usize);
            let Some(fill) = object_at(grey, truth.width, truth.height, click) else { continue };
            let both: u64 = fill
                .spans
                .iter()
                .flat_map(|s| own.iter().filter(|r| r.y == s.y).map(move |r| (s, *r)))
                .map(|(s, r)| u64::from(s.x_end.min(r.x_end).saturating_sub(s.x_start.max(r.x_start))))
                .sum();
            let iou = both as f64 / (fill.area_px + region.area_px - both) as f64;
            serve[0] += usize::from(iou >= FINDS);
            serve[1] += usize::from(iou >= SERVES);
        }
    }
    (objects, serve, clicks)
}

impl Trial {
    /// Everything in one value.
    pub fn json(&self) -> Value {
        json!({
            "image": self.name,
            "miou_percent": self.miou_percent,
            "agreement_percent": self.agreement_percent,
            "strokes_to_95": self.strokes_to_95,
            "objects": self.objects,
            "fills_that_find": self.fills_that_find,
            "fills_that_serve": self.fills_that_serve,
            "polygon_clicks": self.polygon_clicks,
            "features_s": self.features_s,
            "draft_s": self.draft_s,
        })
    }
}

/// A row for each image.
pub fn trial_table(trials: &[Trial]) -> Table {
    let mut table = Table::new([
        "image",
        "mIoU_percent",
        "agreement_percent",
        "strokes_to_95",
        "objects",
        "fills_that_find",
        "fills_that_serve",
        "polygon_clicks",
        "draft_s",
    ]);
    for t in trials {
        table.row(vec![
            t.name.clone().into(),
            Cell::number(t.miou_percent, 1),
            Cell::number(Some(t.agreement_percent), 1),
            t.strokes_to_95.map_or(Cell::Missing, |n| Cell::Integer(n as i64)),
            Cell::Integer(t.objects as i64),
            Cell::Integer(t.fills_that_find as i64),
            Cell::Integer(t.fills_that_serve as i64),
            Cell::Integer(t.polygon_clicks as i64),
            Cell::number(Some(t.draft_s), 2),
        ]);
    }
    table
}

/// What the trials come to, in lines of words.
pub fn trial_lines(trials: &[Trial], wanted: usize) -> Vec<String> {
    let n = trials.len().max(1) as f64;
    let mean = |value: &dyn Fn(&Trial) -> f64| trials.iter().map(value).sum::<f64>() / n;
    let sum = |value: &dyn Fn(&Trial) -> usize| trials.iter().map(value).sum::<usize>();
    let reached = trials.iter().filter(|t| t.strokes_to_95.is_some()).count();
    let mut lines = Vec::new();
    let mut needed: Vec<f64> = trials.iter().filter_map(|t| t.strokes_to_95).map(|s| s as f64).collect();
    lines.push(format!(
        "after {wanted} strokes: mIoU {:.1} %, {:.1} % of the pixels as the expert's; a draft takes {:.2} s for {:.2} megapixels, \
         and {:.2} s once when an image is opened",
        mean(&|t| t.miou_percent.unwrap_or(0.0)),
        mean(&|t| t.agreement_percent),
        mean(&|t| t.draft_s),
        mean(&|t| t.megapixels),
        mean(&|t| t.features_s),
    ));
    lines.push(format!(
        "95 % of the pixels: reached in {reached} of {} images, after {:.0} strokes (median of those)",
        trials.len(),
        median(&mut needed)
    ));
    lines.push(format!(
        "by hand: {} objects take {} clicks as polygons within {TOLERANCE_PX} px; one click each finds {} of them (IoU at \
         least {FINDS}), {} as if drawn (at least {SERVES})",
        sum(&|t| t.objects),
        sum(&|t| t.polygon_clicks),
        sum(&|t| t.fills_that_find),
        sum(&|t| t.fills_that_serve)
    ));
    lines
}
