//! Training and inference timed on the user's own data, before hours are spent.

use crate::Result;
use crate::error::{refuse, refused};
use sorby_data::Sample;
use sorby_infer::Device;
use sorby_train::{Recipe, Schedule};

/// Steps timed, after one that is not.
const TIMED_STEPS: u64 = 4;
/// Starting a process and reading the data.
const START_S: f64 = 2.0;

/// What a recipe costs here.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    pub step_s: f64,
    /// To segment one image.
    pub image_s: f64,
}

impl Costs {
    pub fn measure(recipe: &Recipe, samples: &[Sample], classes: usize, device: &Device) -> Result<Self> {
        let mut total_s = 0.0;
        let mut each =
            |t: u64, cost: sorby_train::StepCost| total_s += if t > 0 { cost.total_s() } else { 0.0 };
        sorby_train::bench_training(recipe, samples, classes, device, TIMED_STEPS + 1, &mut each)?;
        let window = (recipe.inference.window, recipe.inference.stride);
        let spec = recipe.model_spec(classes);
        let (shot, scale) = (&samples[0].shot, recipe.data.input_scale);
        let times = sorby_infer::bench_image(spec, shot, window, scale, 1, device, &mut || ())
            .map_err(|what| refused!("{what}"))?;
        sorby_nn::release_buffers();
        Ok(Self {
            step_s: total_s / TIMED_STEPS as f64,
            image_s: times.iter().sum::<f64>() / times.len() as f64,
        })
    }

    /// Seconds of a training that segments `images` each time it validates.
    pub fn training_s(&self, iterations: u64, validations: u64, images: f64) -> f64 {
        START_S + iterations as f64 * self.step_s + validations as f64 * images * self.image_s
    }
}

/// `recipe` with as many iterations as fit into `time_s`.
pub fn fit(recipe: &mut Recipe, time_s: f64, costs: Costs, val_images: usize) -> Result<()> {
    let validations = |iterations| Schedule { iterations, ..recipe.schedule.clone() }.validations();
    let fits = |n: &u64| costs.training_s(*n, validations(*n), val_images as f64) <= time_s;
    // Whole tens, so that the recipe reads well; the time grows with n, so the last that fits is the answer.
    let (mut low, mut high) = (0u64, 1_000_000u64);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(&(10 * middle)) { low = middle } else { high = middle }
    }
    if low == 0 {
        refuse!(
            "not even ten iterations fit into the time: one takes {:.1} s here and a validation {:.1} s",
            costs.step_s,
            costs.image_s * val_images as f64
        );
    }
    recipe.schedule.iterations = 10 * low;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_iterations_as_fit() {
        let costs = Costs { step_s: 1.0, image_s: 2.0 };
        let mut recipe = Recipe::default();
        recipe.schedule.validate_every = 100;
        // 2 s to start, 230 steps, three validations of four images of 2 s: 256 s.
        fit(&mut recipe, 256.0, costs, 4).unwrap();
        assert_eq!(recipe.schedule.iterations, 230);
        fit(&mut recipe, 255.0, costs, 4).unwrap();
        assert_eq!(recipe.schedule.iterations, 220);
        fit(&mut recipe, 255.0, costs, 0).unwrap();
        assert_eq!(recipe.schedule.iterations, 250);
        assert!(fit(&mut recipe, 5.0, costs, 4).is_err());
    }
}
