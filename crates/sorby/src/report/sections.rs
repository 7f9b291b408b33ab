//! The sections of the page.

use super::record::Record;
use super::{Checks, Computed, Outcome, ReportOptions};
use crate::words::duration;
use crate::{charts, tables, threshold};
use sorby_image::LabelMap;
use sorby_measure::{Particles, Summary, compare, otsu, pool, sweep};
use sorby_report::{Cell, Chart, Picture, Section, Series, Table, bin_edges, histogram, overlay};
use sorby_train::{BegunWith, Metric, RunFolder, ValidationRecord};
use std::collections::BTreeMap;

/// Images shown in full.
const SHOWN: usize = 4;
const THUMBNAIL_PX: usize = 512;

/// Radii of the particles that were found, and of the true ones.
fn size_chart(class: &str, model: &[Particles], truth: &[Particles], scaled: bool) -> Chart {
    let radii = |fields: &[Particles]| -> Vec<f64> {
        let size = |f: &Particles| if scaled { f.nm_per_px.unwrap_or(1.0) } else { 1.0 };
        fields
            .iter()
            .flat_map(|f| f.regions.iter().map(move |r| r.equivalent_radius_px() * size(f)))
            .collect()
    };
    let (found, real) = (radii(model), radii(truth));
    let edges = bin_edges(&[found.clone(), real.clone()].concat(), 24);
    Chart {
        title: format!("Size of {class} particles"),
        x_label: format!("equivalent radius ({})", if scaled { "nm" } else { "px" }),
        y_label: "particles".into(),
        series: vec![
            Series::bars("model", histogram(&found, &edges)),
            Series::bars("truth", histogram(&real, &edges)),
        ],
        from_zero: true,
        ..Chart::default()
    }
}

/// What sections are made from.
pub struct ReportSections<'a> {
    pub options: &'a ReportOptions,
    pub c: &'a Computed,
    /// Findings of the check of the data on the scored images.
    pub checks: &'a Checks,
}

impl ReportSections<'_> {
    pub fn sections(&self, record: &Record) -> Vec<Section> {
        vec![
            self.accuracy(),
            self.estimates(),
            self.pictures(),
            self.particles(),
            self.thresholds(),
            self.checks(),
            method(),
            self.next_steps(record),
            files(record),
            self.learning(),
            Section {
                heading: "Recipe".into(),
                code: self.c.model.card.recipe.clone(),
                ..Section::default()
            },
        ]
    }

    fn class_name(&self) -> &str {
        &self.c.model.card.classes[usize::from(self.c.class)]
    }

    fn learning(&self) -> Section {
        let (options, model) = (self.options, &self.c.model);
        let metrics: Vec<Metric> = RunFolder::read_lines(&options.run);
        let records: Vec<ValidationRecord> = RunFolder::read_lines(&options.run);
        let seconds: f64 = metrics.iter().map(|m| m.seconds).sum();
        let mut blocks = Vec::new();
        if !metrics.is_empty() {
            blocks.push(charts::loss(&metrics).to_svg());
        }
        if !records.is_empty() {
            blocks.push(charts::validation(&records, &model.card.classes).to_svg());
        }
        let text = if metrics.is_empty() {
            "This model file came without its run folder, so how it learnt is not known.".to_owned()
        } else {
            let begun = BegunWith::read(&options.run)
                .and_then(|b| b.sentence())
                .map(|what| format!(" {what}"))
                .unwrap_or_default();
            format!("{} iterations in {}.{begun}", metrics.len(), duration(seconds))
        };
        Section { heading: "Learning".into(), text, blocks, ..Section::default() }
    }

    fn accuracy(&self) -> Section {
        let Computed { samples, outcomes, model, total: scores, .. } = self.c;
        let per_image: Vec<_> = samples
            .iter()
            .zip(outcomes)
            .map(|(s, o)| (s.name.clone(), s.shot.nm_per_px(), o.scores.clone()))
            .collect();
        Section {
            heading: "Accuracy".into(),
            text: format!(
                "Pixel counts are summed over all images first; ratios are taken afterwards. {}",
                self.pixel_sizes()
            ),
            blocks: vec![
                tables::scores(scores, &model.card.classes).to_html(),
                tables::per_image(&per_image, &model.card.classes).to_html(),
            ],
            ..Section::default()
        }
    }

    /// Where the pixel sizes come from, in words.
    fn pixel_sizes(&self) -> String {
        let mut by_source: BTreeMap<&str, usize> = BTreeMap::new();
        for scale in self.c.samples.iter().filter_map(|s| s.shot.scale.as_ref()) {
            *by_source.entry(&scale.source).or_default() += 1;
        }
        let known: usize = by_source.values().sum();
        let parts = by_source.iter().map(|(source, images)| format!("{source} ({images})"));
        let unknown = match self.c.samples.len() - known {
            0 => String::new(),
            n => format!(" {n} images have no pixel size."),
        };
        match known {
            0 => "No image has a pixel size: lengths are in pixels.".to_owned(),
            _ => format!("Pixel size by: {}.{unknown}", parts.collect::<Vec<_>>().join("; ")),
        }
    }

    /// What the check of the data finds in the images that were scored.
    fn checks(&self) -> Section {
        let lines: Vec<String> =
            self.checks.problems.iter().chain(&self.checks.remarks).map(ToString::to_string).collect();
        Section {
            heading: "Check of the data".into(),
            text: match lines.len() {
                0 => "`sorby data check` finds nothing wrong in the images scored here and their labels."
                    .into(),
                n => format!("`sorby data check` says of the images scored here and their labels ({n}):"),
            },
            code: lines.join("\n"),
            ..Section::default()
        }
    }

    fn pictures(&self) -> Section {
        let Computed { samples, outcomes, model, class, .. } = self.c;
        let mut pictures = Vec::new();
        for (sample, result) in samples.iter().zip(outcomes).take(SHOWN) {
            let grey = sample.shot.image.to_grey8();
            let mut add = |caption: String, picture: overlay::Rgb| {
                let mut small = picture.thumbnail(THUMBNAIL_PX);
                let nm_per_px =
                    sample.shot.nm_per_px().map(|nm| nm * picture.width as f64 / small.width as f64);
                let drawn = nm_per_px.map(|nm| small.draw_scale_bar(nm));
                let caption = drawn.map_or(caption.clone(), |nm| format!("{caption}; bar: {}", length(nm)));
                pictures.push(Picture::png(caption, &small.png()));
            };
            add(
                format!("{}: input", sample.name),
                overlay::Rgb::grey(sample.shot.image.width, sample.shot.image.height, &grey),
            );
            add("classes found".into(), overlay::classes(&grey, &result.prediction, &model.card.colours));
            add("right and wrong".into(), overlay::errors(&result.prediction, &sample.label, *class));
        }
        Section {
            heading: "Pictures".into(),
            text: format!(
                "Right and wrong pixels of {}: white found, black left out rightly, green found wrongly, pink missed.",
                self.class_name()
            ),
            pictures,
            ..Section::default()
        }
    }

    fn particles(&self) -> Section {
        let samples = &self.c.samples;
        let class = self.class_name();
        let mut table = Table::new(
            ["image", "method"]
                .into_iter()
                .chain(tables::PARTICLE_COLUMNS)
                .chain(["count_error", "mean_radius_error_px"]),
        );
        let mut add = |image: &str, method: &str, fields: &[Particles], truth: &[Particles]| {
            let s = pool(fields);
            let mut row: Vec<Cell> = vec![image.into(), method.into()];
            row.extend(tables::particle_cells(&s));
            let error = compare(&s, &pool(truth));
            row.push(Cell::Integer(error.count_error));
            row.push(Cell::number(error.mean_radius_error_px, 3));
            table.row(row);
        };
        let (model, truth) = (self.all(|o| Some(&o.model.particles)), self.all(truth_of));
        let (otsu, local) = (self.all(|o| Some(&o.otsu)), self.all(|o| Some(&o.local)));
        for (i, sample) in samples.iter().enumerate() {
            let one = i..i + 1;
            add(&sample.name, "model", &model[one.clone()], &truth[one.clone()]);
            add(&sample.name, "truth", &truth[one.clone()], &truth[one]);
        }
        add("all", "model", &model, &truth);
        add("all", threshold::OTSU, &otsu, &truth);
        add("all", threshold::SAUVOLA, &local, &truth);
        add("all", "truth", &truth, &truth);

        let scaled = samples.iter().all(|s| s.shot.scale.is_some());
        let unit = if scaled { "nm" } else { "px" };
        let (radius, diameter) = (format!("mean_radius_{unit}"), format!("mean_diameter_{unit}"));
        let shown = ["image", "method", "count", &radius, &diameter, "area_fraction_percent", "count_error"];
        let note = if scaled { "" } else { " Not every image has a pixel size, so sizes are in pixels." };
        Section {
            heading: format!("Particles: {class}"),
            text: format!(
                "Every 8-connected object counts, those at the edge included; radius = sqrt(area / pi); means are over \
             all particles of all images.{note}"
            ),
            blocks: vec![size_chart(class, &model, &truth, scaled).to_svg(), table.select(&shown).to_html()],
            ..Section::default()
        }
    }

    fn thresholds(&self) -> Section {
        let Computed { samples, outcomes, .. } = self.c;
        let (Some(sample), Some(result)) = (samples.first(), outcomes.first()) else {
            return Section::default();
        };
        let (width, height) = (sample.shot.image.width, sample.shot.field_rows());
        let mut grey = sample.shot.image.to_grey8();
        grey.truncate(width * height);
        let curve = sweep(&grey, width, height);
        let Some(truth) = truth_of(result).map(Particles::summary) else { return Section::default() };
        let model = result.model.particles.summary();
        let pooled = |f: fn(&Outcome) -> Option<&Particles>| -> Summary { pool(&self.all(f)) };
        let verdict = threshold::verdict(
            &pooled(|o| Some(&o.otsu)),
            Some(pooled(|o| Some(&o.local))),
            Some(pooled(|o| Some(&o.model.particles))),
            Some(pooled(truth_of)),
        );
        let mut marks = vec![(f64::from(otsu(&grey)), format!("Otsu: {}", otsu(&grey)))];
        let by_count = curve.best_for_count(truth.count);
        marks.push((f64::from(by_count), format!("best for count: {by_count}")));
        let mut pictures = Vec::new();
        let mut add = |caption: String, mask: &LabelMap| {
            let picture = overlay::colours(mask, &[[0; 3], [255; 3]]);
            pictures.push(Picture::png(caption, &picture.thumbnail(THUMBNAIL_PX).png()));
        };
        add(
            format!("threshold {by_count}: count nearest to truth"),
            &threshold::binary(&grey, width, height, by_count),
        );
        if let Some(radius) = truth.mean_radius_px {
            let t = curve.best_for_radius(radius);
            marks.push((f64::from(t), format!("best for radius: {t}")));
            add(
                format!("threshold {t}: mean radius nearest to truth"),
                &threshold::binary(&grey, width, height, t),
            );
        }
        let (count, radius) = charts::sweep(&curve, Some(&truth), Some(&model), &marks);
        Section {
            heading: "Threshold or model".into(),
            text: format!(
                "{verdict} Below: count and mean radius of {} at every grey threshold. The threshold that counts right and the one that \
             sizes right are not the same, and without the truth neither is known.",
                sample.name
            ),
            blocks: vec![count.to_svg(), radius.to_svg()],
            pictures,
            ..Section::default()
        }
    }

    fn next_steps(&self, record: &Record) -> Section {
        let run = &record.run;
        Section {
            heading: "Commands for your own images".into(),
            text: "To be typed in the folder of this page.".into(),
            code: format!(
                "sorby scale YOUR_IMAGES\n\
             sorby segment {run} YOUR_IMAGES --out results --tta\n\
             sorby measure results/masks --out results/particles\n\
             sorby data init YOUR_LABELLED_FOLDER > YOUR_LABELLED_FOLDER/dataset.toml\n\
             sorby data check YOUR_LABELLED_FOLDER\n\
             sorby train RECIPE.toml --data YOUR_LABELLED_FOLDER"
            ),
            ..Section::default()
        }
    }

    /// One kind of result of every image.
    fn all(&self, of: fn(&Outcome) -> Option<&Particles>) -> Vec<Particles> {
        self.c.outcomes.iter().filter_map(of).cloned().collect()
    }

    fn estimates(&self) -> Section {
        let mut blocks = vec![self.c.estimates.shown().to_html()];
        if let Ok(calibration) = &self.c.calibration {
            blocks.push(super::super::measure::size_classes(calibration).to_html());
        }
        let learnt = match &self.c.calibration {
            Ok(learnt) => format!(
                " The second table has the errors of the segmentation by true size; with calibration.json they are taken \
                 out of measurements of other images (sorby measure --calibration). {}",
                learnt_on(learnt)
            ),
            Err(_) => String::new(),
        };
        Section {
            heading: format!("{} in numbers, with 95 % intervals", self.class_name()),
            text: format!(
                "Model and true masks of the same images, measured in the same way; ± is half the width of the \
                 95 % interval. {}{learnt}",
                self.c.estimates.told()
            ),
            blocks,
            ..Section::default()
        }
    }
}

/// The images of a calibration in words.
fn learnt_on(learnt: &sorby_measure::Calibration) -> String {
    let known = if learnt.held_out == Some(true) {
        "none of which trained the model"
    } else {
        "of which it is not known whether they trained the model"
    };
    let mut text = format!("It was learnt on {}, {known}.", learnt.images.join(", "));
    for left in &learnt.left_out {
        text += &format!(" Left out: {} ({}).", left.image, left.reason);
    }
    text
}

fn truth_of(o: &Outcome) -> Option<&Particles> {
    o.model.truth.as_ref().map(|t| &t.0)
}

/// A length in the unit that suits it.
fn length(nm: f64) -> String {
    match nm {
        nm if nm >= 1e6 => format!("{} mm", nm / 1e6),
        nm if nm >= 1e3 => format!("{} µm", nm / 1e3),
        nm => format!("{nm} nm"),
    }
}

fn method() -> Section {
    Section {
        heading: "Method".into(),
        text: "How the numbers above are made:".into(),
        code: "\
IoU of a class         TP / (TP + FP + FN), pixels summed over all images; mIoU: mean over classes
objects                8-connected pixels of the class; equivalent diameter d = 2 sqrt(A / pi)
area fraction          pixels of the class / pixels of the field = volume fraction (Delesse)
edge rule              whole objects, weighted by W H / ((W - w - 1)(H - h - 1)) (Miles and Lantuejoul)
number density         sum of weights / area;  mean diameter  sum of weights x d / sum of weights
percentiles            of the weighted diameters; intervals after Woodruff
surface density        S_V = 2 P / L, P crossings of test lines of length L in four directions (Underwood)
mean intercept         2 L_class / P;  mean free path  2 (L - L_class) / P
sampling interval      t(n-1) x standard error of a ratio over n images (Cochran); one image: from the covariance of
                       its parts up to where it has faded (integral range)
segmentation           logarithm of measured over true on held-out images: bias, and its jackknife standard error
scale                  95 % half width of the pixel size x power of length
joined                 variances added; degrees of freedom after Welch and Satterthwaite
Otsu                   largest variance between classes;  Sauvola  m (1 + 0.2 (s / 128 - 1)) on the negative"
            .into(),
        ..Section::default()
    }
}

fn files(record: &Record) -> Section {
    let mut table = Table::new(["file", "SHA-256"]);
    for (file, hash) in &record.files {
        table.row(vec![file.clone().into(), hash.clone().into()]);
    }
    Section {
        heading: "Made from".into(),
        text: "Paths are as seen from the folder of this page. `sorby replay` on it checks these files, computes every \
               number again and compares."
            .into(),
        blocks: vec![table.to_html()],
        ..Section::default()
    }
}
