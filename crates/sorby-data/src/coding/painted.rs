//! Classes painted in pure colours over a picture.

use super::survey::require_plain;
use crate::Colour;
use sorby_image::{LabelFile, LabelMap, LabelValues};
use std::collections::BTreeMap;

/// The colours of classes. A pixel of exactly one of them is that class. Of a pixel that is a blend of colours with grey
/// (an edge that a program softened, the noise of compression) the class has half or more; what no paint has part in is
/// the first class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Paint {
    colours: Vec<Option<[u8; 3]>>,
    /// Class and colour, less its grey part, of those that stand out from grey.
    strong: Vec<Strong>,
}

/// A class and its colour less its grey part.
type Strong = (u8, [f64; 3]);

/// What grey pixels are that have no class's own colour.
#[derive(Clone, Copy, PartialEq)]
enum Greys {
    /// The picture beneath: the first class.
    Picture,
    /// The picture beneath as well, if it can be distinguished from classes painted in grey.
    Painted,
    /// Blends of the only two greys there are; class and colour of each.
    Two { dark: (u8, [u8; 3]), light: (u8, [u8; 3]) },
}

impl Greys {
    /// The class of a blend of two greys: of which it has half or more.
    fn class(self, pixel: [u8; 3]) -> Option<u8> {
        let Self::Two { dark, light } = self else { return None };
        let sum = |p: [u8; 3]| p.map(u32::from).iter().sum::<u32>();
        Some(if 2 * sum(pixel) >= sum(dark.1) + sum(light.1) { light.0 } else { dark.0 })
    }
}

/// Largest less smallest channel from which on a colour can be no grey picture's.
const STRONG: u8 = 96;
/// Below, a pixel is grey but for the noise of compression.
const GREY: u8 = 24;
/// How far a blend may lie from what colours and grey make, as a share of the colour.
const TOLERANCE: f64 = 0.15;
/// Share of pixels of unknown colours from which on the picture beneath is taken for one in colour.
const COLOURFUL: f64 = 0.05;
/// Unknown pixels that compression may leave at edges, as a share of all.
const STRAY: f64 = 0.001;
/// So many pixels of one unknown colour are paint.
const PAINT_PX: u64 = 16;
/// Channels that differ by no more are nearly the same colour.
const NEAR: u8 = 8;

fn spread(p: [u8; 3]) -> u8 {
    p[0].max(p[1]).max(p[2]) - p[0].min(p[1]).min(p[2])
}

/// What a colour has beyond grey.
fn beyond_grey(p: [u8; 3]) -> [f64; 3] {
    let least = p[0].min(p[1]).min(p[2]);
    p.map(|v| f64::from(v - least))
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn rest(d: [f64; 3], parts: &[(f64, [f64; 3])]) -> f64 {
    let left = |i: usize| d[i] - parts.iter().map(|(share, c)| share * c[i]).sum::<f64>();
    dot([left(0), left(1), left(2)], [left(0), left(1), left(2)]).sqrt()
}

impl Paint {
    pub fn new(colours: &[Option<[u8; 3]>]) -> Self {
        let strong = (0u8..).zip(colours).filter_map(|(class, c)| Some((class, (*c)?)));
        let strong =
            strong.filter(|(_, c)| spread(*c) >= STRONG).map(|(class, c)| (class, beyond_grey(c))).collect();
        Self { colours: colours.to_vec(), strong }
    }

    /// Class of a colour that is no class's own; `None` where no blend explains it.
    fn blended(&self, pixel: [u8; 3]) -> Option<u8> {
        let d = beyond_grey(pixel);
        let size = |c: [f64; 3]| dot(c, c).sqrt();
        let one = |(class, c): &Strong| {
            let share = dot(d, *c) / dot(*c, *c);
            (rest(d, &[(share, *c)]) / size(*c), if share >= 0.5 { *class } else { 0 })
        };
        let best = self.strong.iter().map(one).min_by(|a, b| a.0.total_cmp(&b.0))?;
        if best.0 <= TOLERANCE {
            return Some(best.1);
        }
        // Two paints that meet.
        let pairs =
            self.strong.iter().enumerate().flat_map(|(i, a)| self.strong[..i].iter().map(move |b| (a, b)));
        let two = |(a, b): (&Strong, &Strong)| {
            let (aa, bb, ab) = (dot(a.1, a.1), dot(b.1, b.1), dot(a.1, b.1));
            let (da, db, det) = (dot(d, a.1), dot(d, b.1), aa * bb - ab * ab);
            let (x, y) = ((da * bb - db * ab) / det, (db * aa - da * ab) / det);
            let far = rest(d, &[(x, a.1), (y, b.1)]) / size(a.1).max(size(b.1));
            let class = if x + y < 0.5 {
                0
            } else if x >= y {
                a.0
            } else {
                b.0
            };
            (det > 0.0 && x >= 0.0 && y >= 0.0 && far <= TOLERANCE).then_some((far, class))
        };
        pairs.filter_map(two).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, class)| class)
    }

    /// How pixels of grey that are no class's own colour are read.
    fn greys(&self, pixels: &[[u8; 3]]) -> Greys {
        let own: Vec<(u8, [u8; 3])> = (0u8..)
            .zip(&self.colours)
            .filter_map(|(class, c)| Some((class, (*c)?)))
            .filter(|(_, c)| spread(*c) < GREY)
            .collect();
        // Where most greys are exactly the classes' there is no picture beneath.
        let flat = || {
            let grey = pixels.iter().filter(|p| spread(**p) < GREY);
            let (exact, all) = grey.fold((0u64, 0u64), |(exact, all), p| {
                (exact + u64::from(own.iter().any(|(_, c)| c == p)), all + 1)
            });
            2 * exact >= all
        };
        match own[..] {
            [a, b] if self.colours.iter().all(Option::is_some) && flat() => {
                let (dark, light) = if a.1 <= b.1 { (a, b) } else { (b, a) };
                Greys::Two { dark, light }
            }
            _ if own.iter().any(|(class, _)| *class > 0) => Greys::Painted,
            _ => Greys::Picture,
        }
    }

    /// Refuses greys next to classes in grey where it cannot be known what they are.
    fn require_sharp_greys(&self, greys: Greys, pixels: &[[u8; 3]]) -> Result<(), String> {
        if greys != Greys::Painted {
            return Ok(());
        }
        let classes = || self.colours.iter().flatten().filter(|c| spread(**c) < GREY);
        // With every class in a colour there is no picture beneath: what is no class's grey is a blend.
        let all = self.colours.iter().all(|c| c.is_some_and(|c| spread(c) < GREY));
        let odd = |p: &[u8; 3]| {
            let near = |c: &&[u8; 3]| (0..3).all(|i| p[i].abs_diff(c[i]) <= NEAR);
            spread(*p) < GREY && !classes().any(|c| c == p) && (all || classes().any(|c| near(&c)))
        };
        let n = pixels.iter().filter(|p| odd(p)).count();
        if n == 0 {
            return Ok(());
        }
        let which = if all { "of no class" } else { "nearly a class's grey but not exactly" };
        Err(format!(
            "{n} pixels are greys {which}: soft edges, or the picture beneath? Paint classes in colours that stand out from grey, or \
             without soft edges and save without loss (PNG, TIFF)"
        ))
    }

    /// The classes of a colour picture, and the number of pixels that are blends.
    ///
    /// # Errors
    /// Names colours that are no class's.
    pub fn decode(&self, file: &LabelFile) -> Result<(LabelMap, u64), String> {
        let LabelValues::Colours(pixels) = &file.values else {
            return Err("painted labels must be read as colours".into());
        };
        require_plain(file)?;
        let mut known: BTreeMap<[u8; 3], Option<u8>> = BTreeMap::new();
        let (mut blends, mut unknown) = (0u64, BTreeMap::<[u8; 3], u64>::new());
        let greys = self.greys(pixels);
        self.require_sharp_greys(greys, pixels)?;
        let mut labels = Vec::with_capacity(pixels.len());
        for pixel in pixels {
            if let Some(class) = self.colours.iter().position(|c| c.as_ref() == Some(pixel)) {
                labels.push(class as u8);
            } else if spread(*pixel) < GREY {
                let class = greys.class(*pixel);
                blends += u64::from(class.is_some());
                labels.push(class.unwrap_or(0));
            } else {
                let class = *known.entry(*pixel).or_insert_with(|| self.blended(*pixel));
                match class {
                    Some(_) => blends += 1,
                    None => *unknown.entry(*pixel).or_default() += 1,
                }
                labels.push(class.unwrap_or(0));
            }
        }
        let strange: u64 = unknown.values().sum();
        let share = strange as f64 / pixels.len().max(1) as f64;
        if share > COLOURFUL {
            return self.over_colours(file, pixels);
        }
        let paint = unknown
            .iter()
            .max_by_key(|(c, n)| (**n, **c))
            .filter(|(c, n)| (share > STRAY || **n >= PAINT_PX) && spread(**c) >= 2 * GREY);
        if let Some((colour, n)) = paint {
            return Err(format!(
                "{strange} pixels are painted in colours of no class, most in {} ({n}); give its class as label_color, or \
                 paint them again",
                Colour(*colour)
            ));
        }
        Ok((LabelMap { width: file.width, height: file.height, labels }, blends + strange))
    }

    /// Over a picture in colour a blend cannot be distinguished from the picture: only exact colours count.
    fn over_colours(&self, file: &LabelFile, pixels: &[[u8; 3]]) -> Result<(LabelMap, u64), String> {
        let near = |p: &[u8; 3], c: &[u8; 3]| p != c && (0..3).all(|i| p[i].abs_diff(c[i]) <= NEAR);
        for colour in self.colours.iter().flatten().filter(|c| spread(**c) >= STRONG) {
            let n = pixels.iter().filter(|p| near(p, colour)).count();
            if n > 0 {
                return Err(format!(
                    "{n} pixels are nearly {} but not exactly, over a picture in colour; paint without soft edges, and \
                     save without loss (PNG, TIFF)",
                    Colour(*colour)
                ));
            }
        }
        let class = |p: &[u8; 3]| self.colours.iter().position(|c| c.as_ref() == Some(p)).unwrap_or(0) as u8;
        let labels = pixels.iter().map(class).collect();
        Ok((LabelMap { width: file.width, height: file.height, labels }, 0))
    }
}

pub(crate) fn blends_in_words(blends: u64) -> String {
    format!(
        "{blends} pixels are blends of paint (soft edges or compression), not exactly a class's colour; those of which paint \
         has half or more count for its class"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(pixels: Vec<[u8; 3]>) -> LabelFile {
        LabelFile {
            width: pixels.len(),
            height: 1,
            bits: 8,
            values: LabelValues::Colours(pixels),
            palette: None,
            alpha: None,
            lossy: false,
        }
    }

    fn over_grey(pixels: &[[u8; 3]]) -> LabelFile {
        picture(pixels.iter().copied().chain((0..2000).map(|i| [(i % 200) as u8 + 30; 3])).collect())
    }

    #[test]
    fn half_the_paint_makes_the_class() {
        let paint = Paint::new(&[None, Some([0, 0, 255]), Some([255, 0, 0])]);
        let mix = |c: [u8; 3], share: f64, grey: f64| {
            c.map(|v| (share * f64::from(v) + (1.0 - share) * grey).round() as u8)
        };
        let (red, blue) = ([255, 0, 0], [0, 0, 255]);
        let pixels =
            [red, blue, mix(red, 0.55, 100.0), mix(red, 0.45, 100.0), mix(blue, 0.9, 200.0), [254, 1, 2]];
        let (map, blends) = paint.decode(&over_grey(&pixels)).unwrap();
        assert_eq!((&map.labels[..6], blends), (&[2, 1, 2, 0, 1, 2][..], 4));
        assert!(map.labels[6..].iter().all(|l| *l == 0));
        // Where two paints meet, the greater part counts.
        let (map, _) = paint.decode(&over_grey(&[[150, 0, 105], [100, 0, 155]])).unwrap();
        assert_eq!(map.labels[..2], [2, 1]);
    }

    #[test]
    fn soft_edges_of_grey_paint_are_read_or_refused() {
        let (black, white, grey) = ([0; 3], [255; 3], [128; 3]);
        let soft = || picture(vec![black, [40; 3], [127; 3], [128; 3], [250, 251, 250], white, white, black]);
        let (map, blends) = Paint::new(&[Some(black), Some(white)]).decode(&soft()).unwrap();
        assert_eq!((map.labels, blends), (vec![0, 0, 0, 1, 1, 1, 1, 0], 4));
        let (map, _) = Paint::new(&[Some(white), Some(black)]).decode(&soft()).unwrap();
        assert_eq!(map.labels, [1, 1, 1, 0, 0, 0, 0, 1]);
        // Of three greys one is a blend of the others; over a picture the picture may be as bright.
        let told = Paint::new(&[Some(black), Some(grey), Some(white)]).decode(&soft()).unwrap_err();
        assert!(told.contains("3 pixels are greys of no class"), "{told}");
        let over = Paint::new(&[None, Some(white)]);
        assert!(over.decode(&soft()).unwrap_err().contains("1 pixels are greys nearly a class's"));
        let exact = picture(vec![[40; 3], [127; 3], white, [200; 3]]);
        assert_eq!(over.decode(&exact).unwrap().0.labels, [0, 0, 1, 0]);
    }

    #[test]
    fn paint_of_no_class_is_named() {
        let paint = Paint::new(&[None, Some([255, 0, 0])]);
        let told = paint.decode(&over_grey(&[[0, 255, 0]; 20])).unwrap_err();
        assert!(told.contains("#00ff00 (20)"), "{told}");
        // Over a picture in colour only exact paint counts, and what is nearly it is reported.
        let tinted = |pixel: [u8; 3]| {
            let picture_of = (0..500).map(|i| [40, 90 + (i % 50) as u8, 20]).chain([pixel]);
            picture(picture_of.collect())
        };
        assert_eq!(paint.decode(&tinted([255, 0, 0])).unwrap().0.labels[500], 1);
        assert!(paint.decode(&tinted([254, 0, 0])).unwrap_err().contains("nearly #ff0000"));
    }
}
