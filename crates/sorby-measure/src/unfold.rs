//! From the sizes of sections to the sizes of spheres.

use crate::intervals::Spread;

/// Spheres per volume by class of diameter.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Spheres {
    /// Width of a class; class i (from 0) holds diameters from `i * width` to `(i + 1) * width`.
    pub class_width: f64,
    /// Number per volume in each class.
    pub per_volume: Vec<f64>,
    /// Sum over the classes, N_V.
    pub total_per_volume: f64,
    /// Mean over all spheres, in the unit of `class_width`.
    pub mean_diameter: f64,
}

impl Spheres {
    /// `position` is where in its class a class's spheres lie, 0 to 1.
    fn of(class_width: f64, per_volume: Vec<f64>, position: f64) -> Option<Self> {
        let total: f64 = per_volume.iter().sum();
        let diameter = |i: usize| (i as f64 + position) * class_width;
        let sum: f64 = per_volume.iter().enumerate().map(|(i, n)| n * diameter(i)).sum();
        (total > 0.0).then(|| Self {
            class_width,
            per_volume,
            total_per_volume: total,
            mean_diameter: sum / total,
        })
    }
}

/// Sections per area by class of diameter, `classes` of equal width up to the largest.
pub fn section_classes(sections: &[(f64, f64)], area: f64, classes: usize) -> Option<(f64, Vec<f64>)> {
    let largest = sections.iter().map(|s| s.0).fold(0.0, f64::max);
    if largest <= 0.0 || area <= 0.0 || classes == 0 {
        return None;
    }
    let width = largest / classes as f64;
    let mut per_area = vec![0.0; classes];
    for (diameter, weight) in sections {
        // A class holds its upper end.
        let class = ((diameter / width).ceil() as usize).clamp(1, classes) - 1;
        per_area[class] += weight / area;
    }
    Some((width, per_area))
}

/// Saltykov's unfolding (1958; Underwood 1970): every sphere has the largest diameter of its class, classes are
/// solved from the largest down. Counts too small to be made of larger spheres come out negative.
pub fn saltykov(class_width: f64, per_area: &[f64]) -> Option<Spheres> {
    let kernel = |i: usize, j: usize| {
        let (i, j) = (i as f64, (j + 1) as f64);
        class_width * ((j * j - i * i).sqrt() - (j * j - (i + 1.0).powi(2)).max(0.0).sqrt())
    };
    let mut per_volume = vec![0.0; per_area.len()];
    for i in (0..per_area.len()).rev() {
        let larger: f64 = (i + 1..per_area.len()).map(|j| kernel(i, j) * per_volume[j]).sum();
        per_volume[i] = (per_area[i] - larger) / kernel(i, i);
    }
    Spheres::of(class_width, per_volume, 1.0)
}

/// As [`saltykov`], but spheres are spread evenly over their class and no class may be negative: non-negative least
/// squares (Lawson and Hanson 1974).
pub fn unfold_non_negative(class_width: f64, per_area: &[f64]) -> Option<Spheres> {
    let n = per_area.len();
    // Integral of sqrt(t^2 - a^2) over t up to t.
    let primitive = |t: f64, a: f64| {
        let root = (t * t - a * a).max(0.0).sqrt();
        0.5 * (t * root - if a > 0.0 { a * a * (t + root).ln() } else { 0.0 })
    };
    let above = |j: usize, a: f64| {
        let (from, to) = ((j as f64).max(a), (j + 1) as f64);
        if to <= a { 0.0 } else { primitive(to, a) - primitive(from, a) }
    };
    let kernel = |i: usize, j: usize| class_width * (above(j, i as f64) - above(j, i as f64 + 1.0));
    let matrix: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| kernel(i, j)).collect()).collect();
    Spheres::of(class_width, non_negative_least_squares(&matrix, per_area), 0.5)
}

/// Mean diameter of spheres from the harmonic mean of their sections (Fullman 1953): `pi / 2 / mean(1 / d)`. Needs
/// no classes, but every small section that is not seen makes it larger.
pub fn fullman_mean_diameter(sections: &[(f64, f64)]) -> Option<f64> {
    let (sum, inverse) = sections.iter().fold((0.0, 0.0), |s, (d, w)| (s.0 + w, s.1 + w / d));
    (inverse > 0.0).then(|| std::f64::consts::FRAC_PI_2 * sum / inverse)
}

/// The x >= 0 for which `matrix x` is nearest to `b`.
fn non_negative_least_squares(matrix: &[Vec<f64>], b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let dot = |f: &dyn Fn(usize) -> f64| (0..n).map(f).sum::<f64>();
    let normal: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| dot(&|r| matrix[r][i] * matrix[r][j])).collect()).collect();
    let right: Vec<f64> = (0..n).map(|i| dot(&|r| matrix[r][i] * b[r])).collect();
    let largest = right.iter().copied().fold(0.0, f64::max);
    let (mut x, mut free) = (vec![0.0; n], vec![false; n]);
    // Each round frees a class; more rounds than this would be going in circles for rounding.
    for _ in 0..3 * n {
        let gradient: Vec<f64> = (0..n).map(|i| right[i] - dot(&|j| normal[i][j] * x[j])).collect();
        let steepest = (0..n).filter(|&i| !free[i]).max_by(|&a, &b| gradient[a].total_cmp(&gradient[b]));
        let Some(next) = steepest.filter(|&i| gradient[i] > 1e-10 * largest) else { break };
        free[next] = true;
        loop {
            let wanted = solve(&normal, &right, &free);
            let blocked = (0..n).filter(|&i| free[i] && wanted[i] <= 0.0);
            let step = blocked.map(|i| x[i] / (x[i] - wanted[i])).fold(1.0, f64::min);
            for i in 0..n {
                x[i] += step * (wanted[i] - x[i]);
                if free[i] && step < 1.0 && x[i] <= 1e-14 * largest {
                    (x[i], free[i]) = (0.0, false);
                }
            }
            if step >= 1.0 {
                break;
            }
        }
    }
    x
}

/// Solves the normal equations of the free unknowns by Cholesky's method; the others are zero.
fn solve(normal: &[Vec<f64>], right: &[f64], free: &[bool]) -> Vec<f64> {
    let index: Vec<usize> = (0..free.len()).filter(|&i| free[i]).collect();
    let n = index.len();
    let mut lower = vec![vec![0.0f64; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let rest: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let value = normal[index[i]][index[j]] - rest;
            lower[i][j] = if i == j { value.max(f64::MIN_POSITIVE).sqrt() } else { value / lower[j][j] };
        }
    }
    let mut y = vec![0.0; n];
    for i in 0..n {
        y[i] = (right[index[i]] - (0..i).map(|k| lower[i][k] * y[k]).sum::<f64>()) / lower[i][i];
    }
    for i in (0..n).rev() {
        y[i] = (y[i] - (i + 1..n).map(|k| lower[k][i] * y[k]).sum::<f64>()) / lower[i][i];
    }
    let mut out = vec![0.0; free.len()];
    index.iter().zip(y).for_each(|(&i, v)| out[i] = v);
    out
}

/// N_V and mean diameter of spheres with their standard errors.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct SphereEstimate {
    /// Of all fields together.
    pub spheres: Spheres,
    /// Of `spheres.total_per_volume`; `None` of one field, which does not show how fields differ.
    pub total_per_volume: Option<Spread>,
    /// Of `spheres.mean_diameter`; `None` of one field.
    pub mean_diameter: Option<Spread>,
}

/// Unfolds the sections of several fields, (diameters with weights, area) each, together; standard errors by
/// leaving out one field at a time.
pub fn unfold_fields(
    fields: &[(Vec<(f64, f64)>, f64)],
    classes: usize,
    unfold: fn(f64, &[f64]) -> Option<Spheres>,
) -> Option<SphereEstimate> {
    let all = |without: Option<usize>| {
        let chosen = || fields.iter().enumerate().filter(move |(i, _)| Some(*i) != without).map(|(_, f)| f);
        let sections: Vec<(f64, f64)> = chosen().flat_map(|f| f.0.iter().copied()).collect();
        let (width, per_area) = section_classes(&sections, chosen().map(|f| f.1).sum(), classes)?;
        unfold(width, &per_area)
    };
    let spheres = all(None)?;
    let left_out = (0..fields.len()).map(|i| all(Some(i))).collect::<Option<Vec<Spheres>>>();
    let left_out = left_out.unwrap_or_default();
    let n = fields.len() as f64;
    let spread = |f: fn(&Spheres) -> f64| {
        let mean = left_out.iter().map(f).sum::<f64>() / n;
        let squares: f64 = left_out.iter().map(|s| (f(s) - mean).powi(2)).sum();
        let spread = Spread { standard_error: ((n - 1.0) / n * squares).sqrt(), degrees: n - 1.0 };
        (left_out.len() > 1).then_some(spread)
    };
    Some(SphereEstimate {
        total_per_volume: spread(|s| s.total_per_volume),
        mean_diameter: spread(|s| s.mean_diameter),
        spheres,
    })
}
