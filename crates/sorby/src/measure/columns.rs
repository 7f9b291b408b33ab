//! The objects of a mask in memory as columns, named as scikit-image's `regionprops_table` names them.

use super::MeasuredMap;
use sorby_measure::{Region, nearest_centroids_px, nearest_edges_px};

/// One measure of all objects.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectColumn {
    /// As scikit-image has it; measures that it lacks have the names of `particles.csv`.
    pub name: &'static str,
    /// `px`, `px^2`, `nm`, `um^2`, `rad`, `deg`; empty for numbers, ratios and words.
    pub unit: &'static str,
    /// A value for each object.
    pub values: ColumnValues,
}

/// Values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnValues {
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Numbers; NaN where there is none, such as the distance to a neighbour of a lone object.
    Numbers(Vec<f64>),
    /// Yes and no.
    Flags(Vec<bool>),
}

type Whole = fn(&Region) -> i64;
type Real = fn(&Region) -> f64;

const WHOLE: [(&str, &str, Whole); 6] = [
    ("area", "px^2", |r| r.area_px as i64),
    ("area_filled", "px^2", |r| r.shape.area_filled_px as i64),
    ("bbox-0", "px", |r| r.bbox_px.0.into()),
    ("bbox-1", "px", |r| r.bbox_px.1.into()),
    ("bbox-2", "px", |r| r.bbox_px.2.into()),
    ("bbox-3", "px", |r| r.bbox_px.3.into()),
];

const REAL: [(&str, &str, Real); 14] = [
    ("centroid-0", "px", |r| r.centroid_px.0),
    ("centroid-1", "px", |r| r.centroid_px.1),
    ("equivalent_diameter_area", "px", Region::equivalent_diameter_area_px),
    ("axis_major_length", "px", |r| r.shape.axis_major_length_px),
    ("axis_minor_length", "px", |r| r.shape.axis_minor_length_px),
    ("orientation", "rad", |r| r.shape.orientation_rad),
    ("perimeter_crofton", "px", |r| r.shape.perimeter_crofton_px),
    ("feret_diameter_max", "px", |r| r.shape.feret_diameter_max_px),
    ("feret_diameter_min", "px", |r| r.shape.feret_diameter_min_px),
    ("feret_angle", "deg", |r| r.shape.feret_angle_deg),
    ("solidity", "", |r| r.shape.solidity),
    ("circularity", "", |r| r.shape.circularity),
    ("roundness", "", |r| r.shape.roundness),
    ("aspect_ratio", "", |r| r.shape.aspect_ratio),
];

/// Lengths that are given in nanometres too.
const NANOMETRES: [(&str, Real); 5] = [
    ("equivalent_diameter_area_nm", Region::equivalent_diameter_area_px),
    ("axis_major_length_nm", |r| r.shape.axis_major_length_px),
    ("axis_minor_length_nm", |r| r.shape.axis_minor_length_px),
    ("feret_diameter_max_nm", |r| r.shape.feret_diameter_max_px),
    ("feret_diameter_min_nm", |r| r.shape.feret_diameter_min_px),
];

impl MeasuredMap {
    /// A column for each measure, a row for each object in the order of their first pixels. Lengths are in pixels; those
    /// in nanometres are added where the pixel size is known.
    pub fn columns(&self) -> Vec<ObjectColumn> {
        let regions = &self.particles.regions;
        let integers = |name, unit, of: &dyn Fn(usize, &Region) -> i64| {
            let values = regions.iter().enumerate().map(|(i, r)| of(i, r)).collect();
            ObjectColumn { name, unit, values: ColumnValues::Integers(values) }
        };
        let numbers =
            |name, unit, values: Vec<f64>| ObjectColumn { name, unit, values: ColumnValues::Numbers(values) };
        let known = |values: Vec<Option<f64>>| values.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect();
        let part_of = &self.particles.part_of;
        let mut columns = vec![
            integers("label", "", &|i, _| i as i64 + 1),
            integers("part_of", "", &|i, _| part_of[i] as i64 + 1),
        ];
        columns.extend(WHOLE.map(|(name, unit, of)| integers(name, unit, &|_, r| of(r))));
        columns.extend(REAL.map(|(name, unit, of)| numbers(name, unit, regions.iter().map(of).collect())));
        let gaps = nearest_edges_px(&self.particles.runs, regions.len());
        columns.push(numbers("nearest_neighbour_distance", "px", known(nearest_centroids_px(regions))));
        columns.push(numbers("nearest_neighbour_gap", "px", known(gaps)));
        let flags = regions.iter().map(|r| r.touches_border).collect();
        columns.push(ObjectColumn { name: "touches_border", unit: "", values: ColumnValues::Flags(flags) });
        if let Some(nm) = self.particles.nm_per_px {
            let area = |r: &Region| r.area_px as f64 * (nm / 1000.0).powi(2);
            columns.push(numbers("area_um2", "um^2", regions.iter().map(area).collect()));
            columns.extend(
                NANOMETRES
                    .map(|(name, of)| numbers(name, "nm", regions.iter().map(|r| nm * of(r)).collect())),
            );
        }
        columns
    }

    /// A picture of the objects' numbers (`label` of the [columns](MeasuredMap::columns)), row by row; 0 where there is none.
    ///
    /// # Panics
    /// When the size is smaller than that of the mask that was measured.
    pub fn numbers(&self, (width, height): (usize, usize)) -> Vec<u32> {
        self.particles.numbers((width, height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MeasureOptions;
    use sorby_image::LabelMap;

    #[test]
    fn columns_and_numbers_are_of_the_same_objects() {
        let rows = ["110002", "110100", "000100"];
        let labels = rows.concat().bytes().map(|b| b - b'0').collect();
        let map = LabelMap { width: 6, height: 3, labels };
        let measured = MeasuredMap::of(&map, 1, &MeasureOptions::default(), Some(500.0)).unwrap();
        let numbers = measured.numbers((6, 3));
        assert_eq!(numbers, [1, 1, 0, 0, 0, 0, 1, 1, 0, 2, 0, 0, 0, 0, 0, 2, 0, 0]);
        let columns = measured.columns();
        let of = |name: &str| columns.iter().find(|c| c.name == name).unwrap();
        assert_eq!(of("label").values, ColumnValues::Integers(vec![1, 2]));
        assert_eq!(of("area").values, ColumnValues::Integers(vec![4, 2]));
        assert_eq!(of("centroid-1").values, ColumnValues::Numbers(vec![0.5, 3.0]));
        assert_eq!(of("area_um2").values, ColumnValues::Numbers(vec![1.0, 0.5]));
        assert_eq!(of("touches_border").values, ColumnValues::Flags(vec![true, true]));
        let ColumnValues::Numbers(nm) = &of("equivalent_diameter_area_nm").values else { panic!() };
        assert!((nm[0] - 1128.379).abs() < 1e-3 && of("equivalent_diameter_area_nm").unit == "nm");
        let in_pixels = MeasuredMap::of(&map, 2, &MeasureOptions::default(), None).unwrap();
        assert!(in_pixels.columns().iter().all(|c| c.unit != "nm"));
        let gap = in_pixels.columns().into_iter().find(|c| c.name == "nearest_neighbour_gap").unwrap().values;
        assert!(matches!(gap, ColumnValues::Numbers(v) if v[0].is_nan()), "a lone object");
    }
}
