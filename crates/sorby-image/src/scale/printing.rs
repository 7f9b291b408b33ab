//! Printing resolutions: how large a picture is on paper or on a screen says nothing of the specimen.

/// Dots per inch that programs, screens, scanners and printers write into files.
const DPI: [f64; 54] = [
    60.0, 72.0, 75.0, 80.0, 90.0, 96.0, 100.0, 120.0, 125.0, 130.0, 133.0, 140.0, 144.0, 150.0, 160.0, 175.0,
    180.0, 192.0, 200.0, 216.0, 220.0, 225.0, 227.0, 240.0, 250.0, 254.0, 266.0, 288.0, 300.0, 320.0, 326.0,
    350.0, 360.0, 400.0, 450.0, 480.0, 500.0, 508.0, 600.0, 720.0, 800.0, 900.0, 1000.0, 1016.0, 1200.0,
    1270.0, 1440.0, 1600.0, 1800.0, 2000.0, 2400.0, 2540.0, 4800.0, 9600.0,
];

/// The dots per inch that `per_unit` pixels per unit of `nm` nanometres are, if those are a printing resolution.
///
/// Programs count in inches, centimetres or metres, and round: 300 dpi are 118.11, 118.1 or 118 per centimetre. In smaller
/// units a resolution is one only where it is so to four digits.
pub(super) fn dpi(per_unit: f64, nm: f64) -> Option<f64> {
    const INCH_NM: f64 = 2.54e7;
    DPI.into_iter().find(|dpi| {
        let exact = dpi * nm / INCH_NM;
        if (per_unit / exact - 1.0).abs() < 2e-4 {
            return true;
        }
        let rounded = |digits: i32| {
            let ten = 10f64.powi(digits);
            let (up, down) = ((exact * ten).round(), (exact * ten).trunc());
            [up, down].iter().any(|r| (per_unit * ten - r).abs() < 1e-6 * r)
        };
        nm >= 1e7 && (0..4).any(rounded)
    })
}

#[cfg(test)]
mod tests {
    use super::dpi;

    #[test]
    fn resolutions_of_printers_and_screens() {
        for (per_cm, is) in [
            (28.35, 72.0),
            (28.346, 72.0),
            (28.3, 72.0),
            (28.0, 72.0),
            (29.53, 75.0),
            (37.8, 96.0),
            (37.795, 96.0),
            (38.0, 96.0),
            (39.37, 100.0),
            (47.244, 120.0),
            (56.69, 144.0),
            (59.06, 150.0),
            (59.055, 150.0),
            (70.866, 180.0),
            (78.74, 200.0),
            (94.488, 240.0),
            (118.11, 300.0),
            (118.0, 300.0),
            (118.110_236_2, 300.0),
            (137.8, 350.0),
            (141.73, 360.0),
            (157.48, 400.0),
            (236.2, 600.0),
            (283.46, 720.0),
            (472.4, 1200.0),
            (472.44, 1200.0),
            (944.88, 2400.0),
            (100.0, 254.0),
        ] {
            assert_eq!(dpi(per_cm, 1e7), Some(is), "{per_cm} per cm");
        }
        assert_eq!(dpi(300.0, 2.54e7), Some(300.0));
        assert_eq!(dpi(11811.0, 1e9), Some(300.0), "PNG's dots per metre");
        assert_eq!(dpi(2835.0, 1e9), Some(72.0));
        assert_eq!(dpi(11.811, 1e6), Some(300.0));
        // Calibrations.
        for (per_unit, nm) in [
            (20_000.0, 1e7),
            (137.2, 1e7),
            (1e5, 1e7),
            (12.0, 1e6),
            (5.93, 1e3),
            (200_000.0, 2.54e7),
            (31.7, 1e7),
        ] {
            assert_eq!(dpi(per_unit, nm), None, "{per_unit} per {nm} nm");
        }
    }
}
