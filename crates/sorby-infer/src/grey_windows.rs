//! Windows alone, without sliding: what a network written for other programs is compared with.

use crate::Model;
use crate::slide::window_logits;
use burn::tensor::Device;

impl Model {
    /// Logits of `n` grey windows, `[n, classes, h, w]`, at the size of the windows. `grey` is `[n, h, w]` on the scale
    /// 0..255, after the model's grey range and at its input scale.
    ///
    /// # Panics
    /// If `grey` has not `n * h * w` values, or a device other than the CPU fails.
    pub fn grey_logits(
        &mut self,
        grey: &[f32],
        (n, h, w): (usize, usize, usize),
        device: &Device,
    ) -> Vec<f32> {
        assert_eq!(grey.len(), n * h * w, "as many values as pixels");
        let mut pixels: Vec<f32> = grey.iter().flat_map(|v| [*v; 3]).collect();
        self.card.normalisation.apply(&mut pixels);
        let logits =
            window_logits(&mut self.network, pixels, (n, h, w), device).expect("a device that works");
        let classes = self.card.classes.len();
        let mut planes = Vec::with_capacity(logits.len());
        for window in logits.chunks_exact(h * w * classes) {
            for class in 0..classes {
                planes.extend(window.iter().skip(class).step_by(classes));
            }
        }
        planes
    }
}
