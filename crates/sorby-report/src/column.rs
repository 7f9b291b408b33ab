//! What the name of a column says: the quantity, and its unit at the end.

/// Ending of a column's name, the unit for programs (as UCUM and unit libraries write it), and for readers. The longest
/// ending that fits comes first.
const UNITS: [(&str, &str, &str); 12] = [
    ("_per_mm2", "1/mm^2", "per mm²"),
    ("_per_um", "1/um", "per µm"),
    ("_percent", "%", "%"),
    ("_um2", "um^2", "µm²"),
    ("_nm2", "nm^2", "nm²"),
    ("_mm2", "mm^2", "mm²"),
    ("_um", "um", "µm"),
    ("_nm", "nm", "nm"),
    ("_px", "px", "px"),
    ("_deg", "deg", "°"),
    ("_rad", "rad", "rad"),
    ("_s", "s", "s"),
];

/// The unit of a column for other programs: `nm`, `um^2`, `px^2`, `deg`, `1/mm^2`, `%`. None for numbers without one, and for
/// texts.
pub fn unit_of(column: &str) -> Option<&'static str> {
    // An area that is counted in pixels: `area_px`, `area_filled_px`.
    if column.ends_with("_px") && column.split('_').any(|word| word == "area") && !column.contains("diameter")
    {
        return Some("px^2");
    }
    UNITS.iter().find(|(ending, ..)| column.ends_with(ending)).map(|(_, unit, _)| *unit)
}

/// A column's name as a person reads it: `mean_diameter_nm` is `mean diameter (nm)`.
pub(crate) fn heading(column: &str) -> String {
    const INTERVALS: [(&str, &str); 3] =
        [("ci95_low", "95 % from"), ("ci95_high", "95 % to"), ("ci95", "95 % ±")];
    let words = |name: &str| {
        let name = INTERVALS.iter().fold(name.to_owned(), |name, (short, long)| name.replace(short, long));
        name.replace('_', " ")
    };
    let unit = UNITS.iter().find_map(|(ending, _, unit)| Some((column.strip_suffix(ending)?, unit)));
    unit.map_or_else(|| words(column), |(name, unit)| format!("{} ({unit})", words(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_pages_are_words() {
        for (column, shown) in [
            ("mean_radius_nm", "mean radius (nm)"),
            ("number_density_per_mm2", "number density (per mm²)"),
            ("area_fraction_percent", "area fraction (%)"),
            ("sampling_ci95", "sampling 95 % ±"),
            ("ci95_low", "95 % from"),
            ("IoU %", "IoU %"),
        ] {
            assert_eq!(heading(column), shown);
        }
    }

    #[test]
    fn columns_say_their_unit_to_programs() {
        for (column, unit) in [
            ("equivalent_diameter_area_nm", Some("nm")),
            ("equivalent_diameter_area_px", Some("px")),
            ("area_px", Some("px^2")),
            ("area_filled_px", Some("px^2")),
            ("area_um2", Some("um^2")),
            ("feret_angle_deg", Some("deg")),
            ("orientation_rad", Some("rad")),
            ("number_density_per_mm2", Some("1/mm^2")),
            ("area_fraction_percent", Some("%")),
            ("image", None),
            ("solidity", None),
        ] {
            assert_eq!(unit_of(column), unit, "{column}");
        }
    }
}
