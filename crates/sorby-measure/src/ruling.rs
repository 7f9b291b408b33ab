//! Where edge weights, not what was counted, decide the result.
//!
//! An object nearly as wide as the field would be seen whole in few fields, so where it is seen it stands for very
//! many (Miles and Lantuejoul). Such a weight is right in the mean over many fields, but in the fields at hand one
//! object can then outweigh all others. The usual standard errors do not see this: they measure the spread about a mean
//! that this object has drawn to itself.

use crate::field::Field;
use serde::Serialize;

/// Objects of more weight than this are seen whole in fewer than one of five places.
const HEAVY: f64 = 5.0;
/// Heavy objects rule if they have more than this share of the sum of weights ...
const MOST: f64 = 0.5;
/// ... and the weights are worth fewer equal objects than this (Kish 1965: square of the sum over sum of squares).
const FEW: f64 = 10.0;

/// Heavy objects that decide sizes and numbers per area.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ruling {
    /// Their share of the sum of weights.
    pub share: f64,
    /// How many objects of equal weight the weights are worth.
    pub effective_objects: f64,
    /// Heaviest first.
    pub objects: Vec<HeavyObject>,
}

/// An object that stands for many.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HeavyObject {
    /// Number of its field, from 0.
    pub field: usize,
    /// Its number in the field, from 0.
    pub object: usize,
    /// How many objects it stands for, see [`EdgeRule`](crate::EdgeRule).
    pub weight: f64,
    /// Width of the box around it.
    pub width_px: u32,
    /// Height of the box around it.
    pub height_px: u32,
}

/// What rules over the fields together, if anything does.
pub fn ruling(fields: &[&Field]) -> Option<Ruling> {
    let all =
        || fields.iter().enumerate().flat_map(|(i, f)| f.sized().map(move |o| HeavyObject { field: i, ..o }));
    let (sum, squares) = all().fold((0.0, 0.0), |(s, q), o| (s + o.weight, q + o.weight * o.weight));
    let mut objects: Vec<HeavyObject> = all().filter(|o| o.weight > HEAVY).collect();
    let share = objects.iter().map(|o| o.weight).sum::<f64>() / sum;
    let effective_objects = sum * sum / squares;
    if objects.is_empty() || share <= MOST || effective_objects >= FEW {
        return None;
    }
    objects.sort_by(|a, b| {
        b.weight.total_cmp(&a.weight).then(a.field.cmp(&b.field)).then(a.object.cmp(&b.object))
    });
    Some(Ruling { share, effective_objects, objects })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edges::EdgeRule;
    use crate::field::{sampling, value};
    use crate::particles::{ObjectRule, measure};
    use crate::quantity::Quantity;
    use sorby_image::LabelMap;

    /// A field of squares of 6 pixels on a grid, and outlines at these distances from its edge.
    fn field(width: usize, height: usize, squares: usize, outlines: &[usize], rule: EdgeRule) -> Field {
        let mut map = LabelMap::filled(width, height, 0);
        for (x, y) in (0..width).flat_map(|x| (0..height).map(move |y| (x, y))) {
            let edge = x.min(y).min(width - 1 - x).min(height - 1 - y);
            let (i, inside) =
                (y / 24 * (width / 24) + x / 24, (8..14).contains(&(x % 24)) && (8..14).contains(&(y % 24)));
            let square = edge > 6 && inside && i < squares;
            map.labels[y * width + x] = u8::from(outlines.contains(&edge) || square);
        }
        let p = measure(&map, 1, ObjectRule::default(), None);
        Field::of(&map, 1, &p, rule)
    }

    const WEIGHTED: EdgeRule = EdgeRule::MilesLantuejoul;

    #[test]
    fn one_object_as_large_as_the_field_rules_and_leaves_no_interval() {
        let f = field(240, 192, 40, &[1], WEIGHTED);
        let ruled = ruling(&[&f]).unwrap();
        // 238 x 190 pixels leave one place each way: it stands for all 240 x 192 of them.
        assert_eq!((ruled.objects.len(), ruled.objects[0].weight), (1, 240.0 * 192.0));
        assert_eq!((ruled.objects[0].width_px, ruled.objects[0].height_px), (238, 190));
        assert!(ruled.share > 0.99 && ruled.effective_objects < 1.1);
        for q in Quantity::ALL {
            let told = sampling(q, &[&f]).is_some();
            assert!(!(told && q.by_edge_weights()), "{q:?}");
        }
        // What is no matter of weights keeps its interval.
        assert!(sampling(Quantity::AreaFraction, &[&f]).is_some());
        // Other fields next to it do not outvote it.
        let plain = field(240, 192, 40, &[], WEIGHTED);
        let together = [&plain, &f, &plain, &plain];
        assert_eq!(ruling(&together).unwrap().objects[0].field, 1);
        assert_eq!(sampling(Quantity::MeanDiameter, &together), None);
    }

    #[test]
    fn two_objects_and_a_single_one_rule_too() {
        let two = ruling(&[&field(240, 192, 40, &[1, 3], WEIGHTED)]).unwrap();
        assert_eq!(two.objects.len(), 2);
        assert!(two.objects[0].weight > two.objects[1].weight);
        assert!(ruling(&[&field(240, 192, 0, &[1], WEIGHTED)]).is_some());
        // Two fields, one ruling object in each.
        let f = field(240, 192, 40, &[1], WEIGHTED);
        assert_eq!(ruling(&[&f, &f]).unwrap().objects.len(), 2);
    }

    #[test]
    fn ordinary_fields_other_rules_and_many_heavy_objects_are_let_pass() {
        assert_eq!(ruling(&[&field(240, 192, 40, &[], WEIGHTED)]), None);
        for rule in [EdgeRule::All, EdgeRule::Exclude, EdgeRule::Gundersen { guard_px: 64 }] {
            assert_eq!(ruling(&[&field(240, 192, 40, &[1], rule)]), None, "{rule:?}");
        }
        // One large object in each of twelve fields: many, though heavy, are a population.
        let f = field(240, 192, 0, &[12], WEIGHTED);
        assert!(ruling(&[&f]).is_some());
        assert_eq!(ruling(&[&f; 12]), None);
        assert_eq!(ruling(&[]), None);
    }

    #[test]
    fn where_every_object_is_cut_there_is_no_number() {
        let cut = field(240, 192, 0, &[0], WEIGHTED);
        assert_eq!(value(Quantity::NumberDensity, &[&cut]), None);
        assert!(cut.only_cut());
        let empty = field(240, 192, 0, &[], WEIGHTED);
        assert_eq!(value(Quantity::NumberDensity, &[&empty]), Some(0.0));
        assert!(!empty.only_cut());
        // Seen as they are, they are counted.
        assert!(value(Quantity::NumberDensity, &[&field(240, 192, 0, &[0], EdgeRule::All)]).unwrap() > 0.0);
    }
}
