//! Printing resolutions: how large a picture is on paper or on a screen says nothing of the specimen.

/// Dots per inch that programs, screens, scanners and printers write into files.
const DPI: [f64; 54] = [
    60.0, 72.0, 75.0, 80.0, 90.0, 96.0, 100.0, 120.0, 125.0, 130.0, 133.0, 140.0, 144.0, 150.0, 160.0, 175.0,
    180.0, 192.0, 200.0, 216.0, 220.0, 225.0, 227.0, 240.0, 250.0, 254.0, 266.0, 288.0, 300.0, 320.0, 326.0,
    350.0, 360.0, 400.0, 450.0, 480.0, 500.0, 508.0, 600.0, 720.0, 800.0, 900.0, 1000.0, 1016.0, 1200.0,
    1270.0, 1440.0, 1600.0, 1800.0, 2000.0, 2400.0, 2540.0, 4800.0, 9600.0,
];

const INCH_NM: f64 = 2.54e7;
const CENTIMETRE_NM: f64 = 1e7;
const MILLIMETRE_NM: f64 = 1e6;

/// Whether dots per inch make a pixel of 10, 20, 25, 50 or 100 µm: written as a pixel size, these may well be measured.
fn is_metric(dpi: f64) -> bool {
    (INCH_NM / 1e3 / dpi) % 5.0 == 0.0
}

fn to_four_digits(value: f64, exact: f64) -> bool {
    (value / exact - 1.0).abs() < 2e-4
}

/// The dots per inch that `per_unit` pixels per unit of `nm` nanometres are, if those are a printing resolution.
///
/// Programs count in inches, centimetres or metres, and round: 300 dpi are 118.11, 118.1 or 118 per centimetre. In smaller
/// units a resolution is one only where it is so to four digits, and below millimetres where it is not a metric one.
pub(super) fn dpi(per_unit: f64, nm: f64) -> Option<f64> {
    let mut meant = DPI.into_iter().filter(|dpi| nm >= MILLIMETRE_NM || !is_metric(*dpi));
    meant.find(|dpi| {
        let exact = dpi * nm / INCH_NM;
        let rounded = |digits: i32| {
            let ten = 10f64.powi(digits);
            let (up, down) = ((exact * ten).round(), (exact * ten).trunc());
            [up, down].iter().any(|r| (per_unit * ten - r).abs() < 1e-6 * r)
        };
        to_four_digits(per_unit, exact) || nm >= CENTIMETRE_NM && (0..4).any(rounded)
    })
}

/// The same of a pixel of `size` units: to four digits, in centimetres and larger units also rounded to three. Metric
/// resolutions are taken for one in inches only.
pub(super) fn dpi_of_pixel(size: f64, nm: f64) -> Option<f64> {
    let mut meant = DPI.into_iter().filter(|dpi| nm == INCH_NM || !is_metric(*dpi));
    meant.find(|dpi| {
        let exact = INCH_NM / nm / dpi;
        let digit = 10f64.powf(exact.log10().floor() - 2.0);
        let rounded = ((exact / digit).round() * digit / size - 1.0).abs() < 1e-9;
        to_four_digits(size, exact) || nm >= CENTIMETRE_NM && rounded
    })
}

#[cfg(test)]
mod tests {
    use super::{dpi, dpi_of_pixel};

    #[test]
    fn pixels_of_printers_and_screens() {
        for (size, nm, is) in [
            (352.777_777_8, 1e3, 72.0),
            (352.78, 1e3, 72.0),
            (264.58, 1e3, 96.0),
            (254.0, 1e3, 100.0),
            (169.33, 1e3, 150.0),
            (127.0, 1e3, 200.0),
            (84.67, 1e3, 300.0),
            (42.33, 1e3, 600.0),
            (84_666.666_7, 1.0, 300.0),
            (352_778.0, 1.0, 72.0),
            (1.0 / 300.0, 2.54e7, 300.0),
            (0.003_333, 2.54e7, 300.0),
            (0.008_466_7, 1e7, 300.0),
            (0.008_47, 1e7, 300.0),
            (0.3528, 1e6, 72.0),
            (0.000_394, 2.54e7, 2540.0),
            (8.466_67e-5, 1e9, 300.0),
        ] {
            assert_eq!(dpi_of_pixel(size, nm), Some(is), "{size} units of {nm} nm");
        }
        // Pixels of microscopes, and of their overviews.
        for (size, nm) in [
            (0.0847, 1e3),
            (0.084_67, 1e3),
            (0.352_78, 1e3),
            (0.65, 1e3),
            (1.0, 1e3),
            (3.45, 1e3),
            (5.3, 1e3),
            (6.5, 1e3),
            (10.0, 1e3),
            (20.0, 1e3),
            (25.0, 1e3),
            (50.0, 1e3),
            (100.0, 1e3),
            (85.0, 1e3),
            (84.67, 1.0),
            (352.78, 1.0),
            (50.0, 1.0),
            (5e-6, 1e7),
            (1e-7, 1e9),
            (0.01, 1e6),
            (0.1, 1e6),
            (0.353, 1e6),
            (0.001, 1e7),
        ] {
            assert_eq!(dpi_of_pixel(size, nm), None, "{size} units of {nm} nm");
        }
        for (per_unit, nm, is) in
            [(0.002_834_65, 1e3, Some(72.0)), (1.181_1e-5, 1.0, Some(300.0)), (0.1, 1e3, None)]
        {
            assert_eq!(dpi(per_unit, nm), is, "{per_unit} per {nm} nm");
        }
    }

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
