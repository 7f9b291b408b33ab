//! Size statistics of each image, and what differs between images.

use serde_json::json;
use sorby_measure::{EdgeRule, FieldMean, Particles, field_mean, fields_needed, sizes};
use sorby_report::{Cell, Table};

/// Count, unbiased mean, standard deviation and percentiles of the diameters.
pub fn size_cells(p: Option<&Particles>, rule: EdgeRule, in_nm: bool) -> Vec<Cell> {
    let Some((s, p)) = p.and_then(|p| Some((sizes(&p.regions, p.field_px, rule)?, p))) else {
        return vec![Cell::Missing; 6];
    };
    let unit = if in_nm { p.nm_per_px.unwrap_or(f64::NAN) } else { 1.0 };
    let lengths = [s.mean_diameter_px, s.sd_diameter_px, s.d10_px, s.d50_px, s.d90_px];
    let lengths = lengths.map(|l| Cell::number(Some(l * unit), 3));
    std::iter::once(Cell::from(s.count)).chain(lengths).collect()
}

/// Means over images with their intervals: what differs from field to field.
pub struct Fields(Vec<(&'static str, usize, FieldMean)>);

impl Fields {
    /// Quantities that can be told of every field.
    pub fn of(fields: &[Particles], rule: EdgeRule) -> Self {
        let area = fields.iter().map(|p| Some(100.0 * p.summary().area_fraction));
        let density = fields.iter().map(|p| p.summary().number_density_per_um2);
        let diameter = |p: &Particles| Some(sizes(&p.regions, p.field_px, rule)?.mean_diameter_px);
        let px: Vec<Option<f64>> = fields.iter().map(diameter).collect();
        let nm = fields.iter().zip(&px).map(|(p, d)| Some((*d)? * p.nm_per_px?));
        let quantities: [(&'static str, usize, Option<Vec<f64>>); 4] = [
            ("area_fraction_percent", 2, area.collect()),
            ("number_density_per_um2", 4, density.collect()),
            ("unbiased_mean_diameter_nm", 2, nm.collect()),
            ("unbiased_mean_diameter_px", 3, px.iter().copied().collect()),
        ];
        Self(
            quantities
                .into_iter()
                .filter_map(|(name, digits, v)| Some((name, digits, field_mean(&v?)?)))
                .collect(),
        )
    }

    pub fn json(&self, plan: Option<f64>) -> serde_json::Value {
        let entry = |(name, _, m): &(&'static str, usize, FieldMean)| {
            let needed = plan.map(|percent| fields_needed(m, percent));
            ((*name).to_owned(), json!({"over_images": m, "images_needed": needed}))
        };
        serde_json::Value::Object(self.0.iter().map(entry).collect())
    }

    pub fn show(&self, plan: Option<f64>) {
        if self.0.is_empty() {
            println!("one image alone does not tell how images differ: no interval is given");
            return;
        }
        let mut columns =
            vec!["mean over images".to_owned(), "value".into(), "ci95".into(), "accuracy_percent".into()];
        columns.extend(plan.map(|percent| format!("images_for_{percent}_percent")));
        let mut table = Table::new(columns);
        for (name, digits, m) in &self.0 {
            let mut row: Vec<Cell> = vec![
                (*name).into(),
                Cell::Number(m.mean, *digits),
                Cell::Number(m.ci95, *digits),
                Cell::number(m.relative_accuracy_percent, 1),
            ];
            row.extend(plan.map(|percent| fields_needed(m, percent).map_or(Cell::Missing, Cell::from)));
            table.row(row);
        }
        println!();
        print!("{}", table.to_text());
        println!("ci95: sampling over {} images only (t s / sqrt n)", self.0[0].2.fields);
    }
}
