//! The microscope: how a microstructure becomes grey levels. Every effect is drawn from a range and can be switched off.

mod light;
mod marks;
mod picture;
mod scan;

pub(super) use picture::photograph;

use super::scene::log_uniform;
use sorby_random::Stream;

/// How often an effect occurs, and how strong it then is: each factor of two between the ends is as likely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Share of images that have it, 0..1.
    pub chance: f64,
    /// Weakest, above 0.
    pub least: f64,
    /// Strongest.
    pub most: f64,
}

impl Effect {
    /// Never.
    pub const OFF: Effect = Effect { chance: 0.0, least: 1.0, most: 1.0 };

    /// In a share `chance` of images, from `least` to `most`.
    pub const fn new(chance: f64, least: f64, most: f64) -> Self {
        Self { chance, least, most }
    }

    fn draw(self, stream: &mut Stream) -> f64 {
        let strength = log_uniform(stream, self.least, self.most);
        if stream.chance(self.chance) { strength } else { 0.0 }
    }
}

/// Declares the ranges and the drawn values together: one field of each per effect.
macro_rules! camera {
    ($($(#[$doc:meta])* $field:ident: mild $mild:expr, wide $wide:expr;)*) => {
        /// What a camera may be like; each image draws its own.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct CameraRange {
            /// Grey levels between the darkest and the brightest class, 1..200.
            pub contrast: (f64, f64),
            /// Share of images in which dark classes are bright and bright ones dark.
            pub reversed: f64,
            $($(#[$doc])* pub $field: Effect,)*
        }

        impl CameraRange {
            /// A well-adjusted instrument.
            pub const MILD: CameraRange =
                CameraRange { contrast: (35.0, 110.0), reversed: 0.0, $($field: $mild,)* };
            /// Anything that laboratories have, for pretraining: from 3 to 200 grey levels, half of it reversed.
            pub const WIDE: CameraRange =
                CameraRange { contrast: (3.0, 200.0), reversed: 0.5, $($field: $wide,)* };
            /// Each class in its own grey and nothing else.
            pub const PLAIN: CameraRange =
                CameraRange { contrast: (35.0, 110.0), reversed: 0.0, $($field: Effect::OFF,)* };

            fn draw(&self, stream: &mut Stream) -> Camera {
                Camera {
                    contrast: contrast(self.contrast, stream),
                    reversed: stream.chance(self.reversed),
                    $($field: self.$field.draw(stream),)*
                }
                .usable()
            }
        }

        /// The strengths drawn for one image; 0 for an effect that it does not have.
        pub(super) struct Camera {
            contrast: f64,
            reversed: bool,
            $($field: f64,)*
        }
    };
}

/// Low contrasts are drawn more often than high ones: a quarter of 3..200 lies below 20.
fn contrast((low, high): (f64, f64), stream: &mut Stream) -> f64 {
    let (low, high) = (low.max(1.0), high.min(200.0));
    low + (high - low).max(0.0) * stream.unit().powf(1.7)
}

impl Camera {
    /// Who takes a picture of little contrast counts for longer: noise and stripes do not hide what is to be seen.
    /// Nor does relief, which moves edges by as many pixels as it is times the contrast.
    fn usable(mut self) -> Self {
        let hide = |share: f64, least: f64| (share * self.contrast).max(least);
        self.shot_noise = self.shot_noise.min(hide(0.5, 1.5));
        self.detector_noise = self.detector_noise.min(hide(0.25, 1.0));
        self.stripes = self.stripes.min(hide(0.12, 0.4));
        self.relief = self.relief.min(hide(0.6, 4.0));
        self.shading = self.shading.min(hide(0.8, 4.0));
        self
    }
}

camera! {
    /// Texture within classes, standard deviation as a share of the contrast (from 1.5 to 30 grey levels).
    texture: mild Effect::new(0.95, 0.07, 0.4), wide Effect::new(0.95, 0.05, 1.2);
    /// Differences between grains and between particles of a class, as texture.
    tones: mild Effect::new(0.9, 0.03, 0.25), wide Effect::new(0.9, 0.03, 0.8);
    /// Bright edges of what stands proud, in grey levels: more secondary electrons leave there.
    edges: mild Effect::new(0.7, 8.0, 50.0), wide Effect::new(0.7, 5.0, 110.0);
    /// Light from one side on what stands proud, in grey levels. Where it is not weak against the contrast, a particle seems to
    /// lie up to a pixel off its label.
    relief: mild Effect::new(0.6, 4.0, 16.0), wide Effect::new(0.6, 5.0, 80.0);
    /// Uneven brightness over the field, in grey levels.
    shading: mild Effect::new(0.9, 2.0, 14.0), wide Effect::new(0.8, 3.0, 40.0);
    /// Streaks along the scan after bright places, as a share of their brightness.
    charging: mild Effect::OFF, wide Effect::new(0.25, 0.05, 0.5);
    /// Spread to the whole range: the share of pixels that turn black, and white. The contrast is then a higher one.
    stretch: mild Effect::new(0.3, 0.001, 0.01), wide Effect::new(0.4, 0.001, 0.03);
    /// Lines that are brighter or darker as a whole, in grey levels.
    stripes: mild Effect::new(0.3, 0.5, 2.0), wide Effect::new(0.4, 0.8, 12.0);
    /// Scratches for each 60 000 pixels.
    scratches: mild Effect::new(0.5, 0.5, 2.0), wide Effect::new(0.5, 0.5, 8.0);
    /// Specks and dust for each 10 000 pixels.
    dirt: mild Effect::new(0.6, 0.3, 1.5), wide Effect::new(0.6, 0.3, 5.0);
    /// Standard deviation of the blur, in pixels.
    defocus: mild Effect::new(1.0, 0.55, 0.95), wide Effect::new(1.0, 0.5, 2.6);
    /// How far scan lines lie off their place, in pixels; labels do not follow.
    drift: mild Effect::OFF, wide Effect::new(0.3, 0.2, 0.9);
    /// Noise of counted electrons at grey 128, in grey levels; it grows with the root of brightness.
    shot_noise: mild Effect::new(1.0, 3.0, 9.0), wide Effect::new(0.95, 1.5, 22.0);
    /// Noise of the detector, in grey levels, the same everywhere.
    detector_noise: mild Effect::new(1.0, 1.0, 4.0), wide Effect::new(0.9, 0.5, 10.0);
    /// Height of a data bar at the bottom as a share of the image's; its pixels are 255 in the label.
    bar: mild Effect::OFF, wide Effect::new(0.12, 0.05, 0.1);
}
