//! Right values at the borders: values that look like something else.

use crate::border_values::{area_percent, checked, disc_at, finds, grey, measured, refused};
use crate::sorby;
use std::fs;
use std::path::Path;

/// A picture of squares of 12 px, numbered from 1; `strip` in the last 20 rows.
fn squares(path: &Path, numbers: u32, strip: u16, more: u16) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let value = |x: u32, y: u32| {
        let number = 1 + x / 20 + y / 20 * 20;
        if y >= 380 {
            strip
        } else if (3..15).contains(&(x % 20)) && (3..15).contains(&(y % 20)) && number <= numbers {
            number as u16 + more
        } else {
            more
        }
    };
    if path.extension().unwrap() == "tif" {
        let deep =
            image::ImageBuffer::<image::Luma<u16>, _>::from_fn(400, 400, |x, y| image::Luma([value(x, y)]));
        deep.save(path).unwrap();
    } else {
        image::GrayImage::from_fn(400, 400, |x, y| image::Luma([value(x, y) as u8])).save(path).unwrap();
    }
}

/// Share of so many squares in percent where the strip is no field.
fn squares_percent(numbers: u32) -> f64 {
    100.0 * f64::from(144 * numbers) / (400.0 * 380.0)
}

#[test]
fn a_mark_above_object_numbers_is_no_object() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for numbers in [10, 20, 25, 190] {
        let path = at(&format!("{numbers}.png"));
        squares(&path, numbers, 255, 0);
        let told = finds(&path, &[], numbers.into(), squares_percent(numbers));
        assert!(
            told.contains("the value 255 (8000 pixels), far above its object numbers, is not counted"),
            "{told}"
        );
    }
    squares(&at("deep.tif"), 300, 65535, 0);
    finds(&at("deep.tif"), &[], 300, squares_percent(300));
    // Of 16 bits 255 may be a number.
    squares(&at("doubt.tif"), 20, 255, 0);
    assert!(refused(&at("doubt.tif"), &[]).contains("no mask could be measured"));
    assert_eq!(measured(&at("doubt.tif"), &["--instances"]).0["total"]["count"], 21);
    // All numbers of 8 bits.
    squares(&at("all.png"), 255, 0, 0);
    assert_eq!(measured(&at("all.png"), &[]).0["total"]["count"], 255);
    squares(&at("class.png"), 254, 0, 0);
    assert_eq!(
        measured(&at("class.png"), &["--class", "1"]).0["total"]["count"],
        254,
        "numbers, not class 1"
    );
    assert!(refused(&at("class.png"), &["--class", "2"]).contains("numbers of objects"));
}

#[test]
fn numbers_need_a_background_and_files_of_their_kind() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    squares(&at("shifted.tif"), 300, 1, 1);
    let error =
        String::from_utf8(sorby(folder.path(), &["measure", "shifted.tif", "--out", "m"]).stderr).unwrap();
    assert!(error.contains("shifted.tif: has no pixel of 0") && error.contains("--instances"), "{error}");
    let (json, told) = measured(&at("shifted.tif"), &["--instances"]);
    assert_eq!(json["total"]["count"], 301, "as the user says");
    assert!(told.contains("every number is an object"), "{told}");
    // Black and white, and one class, among numbers: measured without them.
    for (name, value) in [("white", 255), ("one", 1)] {
        squares(&at(name).join("a.tif"), 300, 0, 0);
        grey(&at(name).join("b.png"), |disc| if disc.is_some() { value } else { 0 });
        let output = sorby(folder.path(), &["measure", name, "--out", &format!("m-{name}"), "--json"]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("b.png: h") && error.contains("Measure it apart"), "{error}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["total"]["count"], 300);
    }
}

#[test]
fn black_and_white_beside_masks_that_ignore_255() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let bar = |path: &Path, front: u8| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let value = |x, y| if y >= 90 { 255 } else { disc_at(x, y).map_or(0, |_| front) };
        image::GrayImage::from_fn(120, 96, |x, y| image::Luma([value(x, y)])).save(path).unwrap();
    };
    bar(&at("white/a.png"), 1);
    grey(&at("white/b.png"), |disc| if disc.is_some() { 255 } else { 0 });
    let told = refused(&at("white"), &[]);
    assert!(told.contains("b.png: holds only 0 and 255") && told.contains("--values 0,1"), "{told}");
    bar(&at("empty/a.png"), 1);
    bar(&at("empty/b.png"), 0);
    assert_eq!(measured(&at("empty"), &[]).0["total"]["count"], 4, "a data bar and no object");
}

#[test]
fn files_that_are_unlike_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let one = |path: &Path, radius: i64, inside: u8| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let is_in =
            |x: u32, y: u32| (i64::from(x) - 60).pow(2) + (i64::from(y) - 48).pow(2) <= radius * radius;
        image::GrayImage::from_fn(120, 96, |x, y| {
            image::Luma([if is_in(x, y) { inside } else { 255 - inside }])
        })
        .save(path)
        .unwrap();
    };
    for (name, radius, inside) in [("a", 12, 255), ("b", 15, 255), ("c", 18, 255), ("z", 16, 0)] {
        one(&at("single").join(name).with_extension("png"), radius, inside);
    }
    let told = refused(&at("single"), &[]);
    assert!(told.contains("z.png: looks inside out: 255 covers 93.1 % of it"), "{told}");
    // A value that no other file has.
    for (name, value) in [("a", 1), ("b", 1), ("f", 7)] {
        grey(&at("seven").join(name).with_extension("png"), |disc| if disc.is_some() { value } else { 0 });
    }
    let output = sorby(folder.path(), &["measure", "seven", "--out", "m", "--json"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && error.contains("f.png: has the value 7 ("), "{error}");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["total"]["count"], 8);
    // The same colour at another index.
    let palette = |name: &str, value: u8, colours: [[u8; 3]; 3]| {
        fs::create_dir_all(at("palette")).unwrap();
        let labels = (0..120 * 96).map(|i| disc_at(i % 120, i / 120).map_or(0, |_| value)).collect();
        let map = sorby_image::LabelMap { width: 120, height: 96, labels };
        map.write_png(&at("palette").join(name), &colours).unwrap();
    };
    let (black, red, green) = ([0; 3], [255, 0, 0], [0, 255, 0]);
    palette("a.png", 1, [black, red, green]);
    palette("b.png", 2, [black, green, red]);
    let told = finds(&at("palette"), &[], 8, area_percent());
    assert!(told.contains("b.png: has its palette in another order"), "{told}");
    palette("c.png", 1, [black, green, red]);
    assert!(refused(&at("palette"), &[]).contains("the palettes stand in another order"));
}

#[test]
fn few_greys_are_a_picture_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let noise = |x: u32, y: u32| ((x * 37 + y * 3 + x * y / 4) % 97) as u8;
    let picture = |name: &str, value: &dyn Fn(u32, u32) -> u8| {
        let path = folder.path().join(name);
        image::GrayImage::from_fn(120, 96, |x, y| image::Luma([value(x, y)])).save(&path).unwrap();
        let error = sorby(folder.path(), &["measure", name, "--out", "m"]).stderr;
        (path, String::from_utf8(error).unwrap())
    };
    for (name, step) in [("32.png", 3), ("8.png", 12), ("4.png", 24)] {
        let (path, told) = picture(name, &|x, y| noise(x, y) / step);
        assert!(told.contains("looks like a micrograph"), "{name}: {told}");
        if name == "4.png" {
            measured(&path, &["--values", "0,1,2,3,4"]);
        }
    }
    let ramp = picture("ramp.png", &|_, y| (y * 2) as u8).1;
    assert!(ramp.contains("96 values from 0 to 190"), "{ramp}");
}

/// The discs with soft edges, from 0 to 1.
fn coverage(x: u32, y: u32) -> f64 {
    // Softened over three pixels.
    let near = |dx: i64, dy: i64| {
        let (x, y) = ((i64::from(x) + dx).clamp(0, 119) as u32, (i64::from(y) + dy).clamp(0, 95) as u32);
        f64::from(u8::from(disc_at(x, y).is_some()))
    };
    let weights = [[0.04, 0.13, 0.03], [0.11, 0.44, 0.10], [0.03, 0.10, 0.02]];
    let all = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy)));
    all.map(|(dx, dy)| weights[(dy + 1) as usize][(dx + 1) as usize] * near(dx, dy)).sum()
}

#[test]
fn soft_edges_are_read_or_refused_with_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let white = image::GrayImage::from_fn(120, 96, |x, y| {
        image::Luma([if disc_at(x, y).is_some() { 255 } else { 0 }])
    });
    for quality in [50, 60, 75, 90] {
        let path = at(&format!("q{quality}.jpg"));
        let file = fs::File::create(&path).unwrap();
        image::codecs::jpeg::JpegEncoder::new_with_quality(file, quality).encode_image(&white).unwrap();
        let (json, told) = measured(&path, &[]);
        let area = 100.0 * json["total"]["area_fraction"].as_f64().unwrap();
        assert!(
            json["total"]["count"] == 4 && (area - area_percent()).abs() < 0.05,
            "{quality}: {area} {told}"
        );
    }
    let deep = image::ImageBuffer::<image::Luma<u16>, _>::from_fn(120, 96, |x, y| {
        image::Luma([(65535.0 * coverage(x, y)).round() as u16])
    });
    deep.save(at("deep.png")).unwrap();
    let told = finds(&at("deep.png"), &[], 4, area_percent());
    assert!(told.contains("values from 32768 on are read as 255"), "{told}");
    // Two halves with a grey line between: one object, or two?
    let halves = image::GrayImage::from_fn(120, 96, |x, y| {
        let inside = (20..90).contains(&y) && (20..100).contains(&x);
        let between = (40 + 2 * (y % 40)) as u8;
        image::Luma([if inside && x == 60 {
            between
        } else if inside {
            255
        } else {
            0
        }])
    });
    halves.save(at("halves.png")).unwrap();
    let error = sorby(folder.path(), &["measure", "halves.png", "--out", "m"]).stderr;
    let error = String::from_utf8(error).unwrap();
    assert!(error.contains("is black and white for the most part (99.4 % of its pixels)"), "{error}");
}

#[test]
fn bitmaps_of_fewer_than_8_bits() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for bits in [1usize, 4] {
        for (name, colours) in [("grey", [[0u8; 3], [255; 3]]), ("red", [[0; 3], [0, 0, 255]])] {
            let path = at(&format!("{name}{bits}.bmp"));
            fs::write(&path, bitmap(bits, &colours)).unwrap();
            finds(&path, &[], 4, area_percent());
        }
    }
    let whole = bitmap(4, &[[0; 3], [0, 0, 255]]);
    fs::write(at("cut.bmp"), &whole[..whole.len() / 2]).unwrap();
    let error = sorby(folder.path(), &["measure", "cut.bmp", "--out", "m"]).stderr;
    assert!(String::from_utf8(error).unwrap().contains("cut.bmp: is cut short"));
}

/// The discs with a palette of two colours (blue, green, red).
fn bitmap(bits: usize, colours: &[[u8; 3]; 2]) -> Vec<u8> {
    let row_bytes = (120 * bits).div_ceil(32) * 4;
    let start = 54 + 8;
    let word = |v: usize| (v as u32).to_le_bytes();
    let mut file =
        [&b"BM"[..], &word(start + row_bytes * 96), &word(0), &word(start), &word(40), &word(120), &word(96)]
            .concat();
    file.extend([1, 0, bits as u8, 0]);
    [0, row_bytes * 96, 2835, 2835, 2, 0].iter().for_each(|v| file.extend(word(*v)));
    colours.iter().for_each(|c| file.extend([c[0], c[1], c[2], 0]));
    for y in (0..96).rev() {
        let mut row = vec![0u8; row_bytes];
        for x in (0..120).filter(|x| disc_at(*x, y).is_some()) {
            let bit = x as usize * bits;
            row[bit / 8] |= 1 << (8 - bits - bit % 8);
        }
        file.extend(row);
    }
    file
}

#[test]
fn soft_edges_of_grey_paint() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let dataset = |name: &str, colours: [&str; 2]| {
        for (part, soft) in [("images", false), ("labels", true)] {
            fs::create_dir_all(at(name).join(part)).unwrap();
            let value = |x: u32, y: u32| {
                if soft { (255.0 * coverage(x, y)).round() as u8 } else { (60 + (x * 7 + y * 13) % 97) as u8 }
            };
            image::RgbImage::from_fn(120, 96, |x, y| image::Rgb([value(x, y); 3]))
                .save(at(name).join(part).join("a.png"))
                .unwrap();
        }
        let class = |name: &str, colour: &str| format!("[[classes]]\nname = \"{name}\"\n{colour}\n");
        let text =
            class("matrix", colours[0]) + &class("carbide", colours[1]) + "[labels]\nkind = \"painted\"\n";
        fs::write(at(name).join("dataset.toml"), text).unwrap();
        checked(&at(name))
    };
    let (found, told) = dataset("two", ["label_color = \"#000000\"", "label_color = \"#ffffff\""]);
    assert!((found - area_percent()).abs() < 0.01 && told.contains("blends of paint"), "{found} {told}");
    let told = dataset("over", ["", "label_color = \"#ffffff\""]).1;
    assert!(told.contains("nearly a class's grey but not exactly"), "{told}");
}

/// The chunk of a PNG that has this name, whole.
fn chunk(png: &[u8], name: &[u8; 4]) -> Vec<u8> {
    let at = png.windows(4).position(|w| w == name).unwrap();
    let length = u32::from_be_bytes(png[at - 4..at].try_into().unwrap()) as usize;
    png[at - 4..at + 8 + length].to_vec()
}

#[test]
fn a_note_that_another_program_kept_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("masks")).unwrap();
    let map = |front: u8, step: usize| {
        let pixel = |i: usize| disc_at((i % (120 / step) * step) as u32, (i / (120 / step) * step) as u32);
        let labels = (0..120 * 96 / step / step).map(|i| pixel(i).map_or(0, |_| front)).collect();
        sorby_image::LabelMap { width: 120 / step, height: 96 / step, labels }
    };
    let note = sorby_image::MaskNote { nm_per_px: Some(10.0), ..sorby_image::MaskNote::default() };
    let colours = [[0; 3], [255, 0, 0]];
    map(1, 1).write_mask(&at("masks/own.png"), &colours, &note).unwrap();
    let text = chunk(&fs::read(at("masks/own.png")).unwrap(), b"iTXt");
    for (name, changed) in [("white", map(255, 1)), ("half", map(1, 2))] {
        let path = at("masks").join(name).with_extension("png");
        changed.write_png(&path, &colours).unwrap();
        let mut png = fs::read(&path).unwrap();
        png.splice(33..33, text.clone());
        fs::write(&path, png).unwrap();
    }
    let output = sorby(folder.path(), &["measure", "masks", "--out", "m", "--json"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("white.png: was changed by another program"), "{error}");
    assert!(
        error.contains("half.png: was changed") && error.contains("it was 120x96 and is 60x48"),
        "{error}"
    );
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["total"]["count"], 4, "the mask that nobody changed");
}
