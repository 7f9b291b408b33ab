//! With which microscope and settings a picture was taken, where its file or a text next to it says so. Nothing is guessed:
//! what is not understood is left out, for a person to fill in.

use super::lengths::{self, Comma};
use super::metadata::Metadata;
use super::text::Ini;
use crate::ImageError;
use crate::guard::guarded;
use std::path::Path;

/// Microscope and settings of a picture, as far as they are stated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instrument {
    /// Maker and model, for example `Zeiss Merlin`.
    pub name: Option<String>,
    /// Accelerating voltage in kilovolts.
    pub voltage_kv: Option<f64>,
    /// Working distance in millimetres.
    pub working_distance_mm: Option<f64>,
    /// Detector or signal, as the instrument calls it.
    pub detector: Option<String>,
    /// Magnification as the instrument states it: of a print or a screen, so that it is no measure of the pixel size.
    pub magnification: Option<f64>,
    /// Date and time at which the picture was taken, as written.
    pub taken: Option<String>,
}

/// What the file, or a text next to it, states of the instrument.
///
/// # Errors
/// When the file is not there or is no image.
pub fn instrument(path: &Path) -> Result<Instrument, ImageError> {
    guarded(path, || Ok(read(&Metadata::read(path)?)))
}

fn read(m: &Metadata) -> Instrument {
    let tags = |tags: &[u16]| tags.iter().find_map(|tag| m.text(*tag));
    let sidecars = || m.sidecars.iter().map(|s| s.text.as_str());
    let own = tags(&[34118, 34119])
        .map(|t| zeiss(&t))
        .or_else(|| tags(&[34682, 34680]).map(|t| fei(&t)))
        .or_else(|| tags(&[50431]).map(|t| tescan(&t)));
    let found = own.into_iter().chain(sidecars().map(sidecar)).find(|i| *i != Instrument::default());
    found.unwrap_or_default()
}

fn sidecar(text: &str) -> Instrument {
    [hitachi, jeol, tescan].into_iter().map(|read| read(text)).find(|i| i.is_known()).unwrap_or_default()
}

impl Instrument {
    /// Whether a text was one of this kind: a voltage or a magnification is in each.
    fn is_known(&self) -> bool {
        self.voltage_kv.is_some() || self.magnification.is_some()
    }
}

/// `AP_ACTUALKV` / `EHT =  5.00 kV`, line under line; `Date :13 Jul 2021` has a colon.
fn zeiss(text: &str) -> Instrument {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let value = |key: &str| {
        let at = lines.iter().position(|line| line.eq_ignore_ascii_case(key))?;
        let next = lines[at + 1..].iter().find(|line| !line.is_empty())?;
        let (_, value) = next.split_once(['=', ':'])?;
        Some(value.trim()).filter(|v| !v.is_empty())
    };
    Instrument {
        name: value("DP_SEM").map(|model| named("Zeiss", model)),
        voltage_kv: value("AP_ACTUALKV").or(value("AP_MANUALKV")).and_then(|v| kilovolts(v, "kV")),
        working_distance_mm: value("AP_WD").and_then(|v| millimetres(v, "mm")),
        detector: value("DP_DETECTOR_CHANNEL").or(value("DP_DETECTOR_TYPE")).map(str::to_owned),
        magnification: value("AP_MAG").and_then(times),
        taken: joined(value("AP_DATE"), value("AP_TIME")),
    }
}

fn fei(text: &str) -> Instrument {
    let ini = Ini::of(text);
    let beam =
        |key: &str| ini.get("EBeam", key).or_else(|| ini.get("Beam", key)).or_else(|| ini.get("", key));
    Instrument {
        name: ini.get("System", "SystemType").map(|model| named("FEI", model)),
        voltage_kv: beam("HV").and_then(|v| kilovolts(v, "V")),
        working_distance_mm: beam("WD").or_else(|| beam("WorkingDistance")).and_then(|v| millimetres(v, "m")),
        detector: ini.get("Detectors", "Name").map(str::to_owned),
        // What is shown depends on the width of the screen, which the file does not relate to the picture.
        magnification: None,
        taken: joined(ini.get("User", "Date"), ini.get("User", "Time")),
    }
}

fn tescan(text: &str) -> Instrument {
    let ini = Ini::of(text);
    let any = |key: &str| ini.get("", key);
    if any("PixelSizeX").is_none() {
        return Instrument::default();
    }
    Instrument {
        name: any("DeviceModel").or(any("Device")).map(|model| named("Tescan", model)),
        voltage_kv: any("HV").and_then(|v| kilovolts(v, "V")),
        working_distance_mm: any("WD").and_then(|v| millimetres(v, "m")),
        detector: any("Detector").map(str::to_owned),
        magnification: any("Magnification").and_then(times),
        taken: joined(any("Date"), any("Time")),
    }
}

fn hitachi(text: &str) -> Instrument {
    let ini = Ini::of(text);
    let own = |key: &str| ini.get("SemImageFile", key);
    Instrument {
        name: own("InstructName").map(|model| named("Hitachi", model)),
        voltage_kv: own("AcceleratingVoltage").and_then(|v| kilovolts(v, "V")),
        working_distance_mm: own("WorkingDistance").and_then(|v| millimetres(v, "um")),
        detector: own("SignalName").map(str::to_owned),
        magnification: own("Magnification").and_then(times),
        taken: joined(own("Date"), own("Time")),
    }
}

/// Lines of a key and its value: `$CM_ACCEL_VOLT 15.0`.
fn jeol(text: &str) -> Instrument {
    let value = |key: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.trim().split_once([' ', '\t', '='])?;
            let value = value.trim_matches(|c: char| c.is_whitespace() || c == '=');
            (name.eq_ignore_ascii_case(key) && !value.is_empty()).then_some(value)
        })
    };
    Instrument {
        name: value("$CM_INSTRUMENT").map(|model| named("JEOL", model)),
        voltage_kv: value("$CM_ACCEL_VOLT").and_then(|v| kilovolts(v, "kV")),
        working_distance_mm: value("$$SM_WD").or(value("$SM_WD")).and_then(|v| millimetres(v, "mm")),
        detector: value("$CM_SIGNAL").map(str::to_owned),
        magnification: value("$CM_MAG").and_then(times),
        taken: joined(value("$CM_DATE"), value("$CM_TIME")),
    }
}

/// Maker and model, the maker once.
fn named(maker: &str, model: &str) -> String {
    let has = model.to_lowercase().contains(&maker.to_lowercase());
    if has { model.to_owned() } else { format!("{maker} {model}") }
}

fn joined(date: Option<&str>, time: Option<&str>) -> Option<String> {
    match (date, time) {
        (Some(date), Some(time)) => Some(format!("{date} {time}")),
        (date, _) => date.map(str::to_owned),
    }
}

/// A number and the word behind it.
fn split(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-.,".contains(c))).unwrap_or(text.len());
    let number = lengths::number(&text[..end], Comma::Unknown).ok()?;
    Some((number, text[end..].trim()))
}

fn kilovolts(text: &str, unit: &str) -> Option<f64> {
    let (number, written) = split(text)?;
    let unit = if written.is_empty() { unit } else { written };
    let kv = if unit.eq_ignore_ascii_case("kv") {
        number
    } else if unit.to_ascii_lowercase().starts_with('v') {
        number / 1000.0
    } else {
        return None;
    };
    // Microscopes of any kind.
    (0.01..=3000.0).contains(&kv).then_some(kv)
}

fn millimetres(text: &str, unit: &str) -> Option<f64> {
    let nm = lengths::parse(text, Comma::of(text), Some(unit)).ok()?;
    (nm > 0.0 && nm <= 1e9).then_some(nm / 1e6)
}

/// `1.50 K X`, `x2500`, `2,5kx`.
fn times(text: &str) -> Option<f64> {
    let (number, written) = split(text.trim_start_matches(['x', 'X', ' ']))?;
    let factor = match written.to_ascii_lowercase().replace(' ', "").as_str() {
        "" | "x" => 1.0,
        "k" | "kx" => 1000.0,
        _ => return None,
    };
    (number > 0.0).then_some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_each_maker() {
        let zeiss = zeiss(
            "0\nDP_DETECTOR_CHANNEL\nSignal A = InLens\nDP_SEM\nSem = Auriga 60\nAP_MAG\nMag =    1.50 K X\nAP_WD\nWD =  5.1 mm\n\
             AP_ACTUALKV\nEHT =  5.00 kV\nAP_TIME\nTime :18:23:36\nAP_DATE\nDate :13 Jul 2021\n",
        );
        let expected = Instrument {
            name: Some("Zeiss Auriga 60".into()),
            voltage_kv: Some(5.0),
            working_distance_mm: Some(5.1),
            detector: Some("InLens".into()),
            magnification: Some(1500.0),
            taken: Some("13 Jul 2021 18:23:36".into()),
        };
        assert_eq!(zeiss, expected);
        let fei = fei(
            "[User]\nDate=06/13/2016\nTime=05:06:40 PM\n[System]\nSystemType=Helios 660\n[EBeam]\nHV=5000\n\
             WD=0.00403466\n[Detectors]\nName=ETD\n",
        );
        assert_eq!((fei.voltage_kv, fei.detector.as_deref()), (Some(5.0), Some("ETD")));
        assert!((fei.working_distance_mm.unwrap() - 4.034_66).abs() < 1e-9 && fei.magnification.is_none());
        let hitachi = sidecar(
            "[SemImageFile]\nInstructName=TM4000\nAcceleratingVoltage=15000 Volt\nMagnification=1200\n\
             WorkingDistance=7920.5 um\nSignalName=BSE\n",
        );
        assert_eq!((hitachi.voltage_kv, hitachi.magnification), (Some(15.0), Some(1200.0)));
        assert!((hitachi.working_distance_mm.unwrap() - 7.9205).abs() < 1e-9);
        let jeol = sidecar("$CM_INSTRUMENT 7001F\n$CM_ACCEL_VOLT 15.0\n$CM_MAG 5000\n$CM_SIGNAL SEI\n");
        assert_eq!((jeol.name.as_deref(), jeol.voltage_kv), (Some("JEOL 7001F"), Some(15.0)));
        let tescan = sidecar(
            "[MAIN]\nDevice=VEGA3\nPixelSizeX=1e-8\nMagnification=2000\n[SEM]\nHV=20000\nWD=0.0101\n",
        );
        assert_eq!((tescan.voltage_kv, tescan.magnification), (Some(20.0), Some(2000.0)));
        assert!((tescan.working_distance_mm.unwrap() - 10.1).abs() < 1e-9);
        assert_eq!(sidecar("Notes of Monday: sample 3 is etched too long"), Instrument::default());
    }

    #[test]
    fn numbers_with_their_units() {
        assert_eq!(times("1.50 K X"), Some(1500.0));
        assert_eq!(times("x2500"), Some(2500.0));
        assert_eq!(times("105 furlongs"), None);
        assert_eq!(kilovolts("15000 Volt", "V"), Some(15.0));
        assert_eq!(kilovolts("5", "kV"), Some(5.0));
        assert_eq!(kilovolts("-5 kV", "kV"), None);
        assert_eq!(kilovolts("5 mA", "kV"), None);
    }
}
