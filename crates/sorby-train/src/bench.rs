//! Training steps on given samples, timed, with no run folder.

use crate::error::TrainError;
use crate::memory::require_memory;
use crate::recipe::Recipe;
use crate::step::{StepCost, step};
use sorby_data::{CropSource, Normalisation, Sample};
use sorby_infer::Device;
use sorby_nn::Segmentor;
use sorby_nn::device::guarded;
use sorby_nn::optimizer::Optimizer;

/// Takes the first `steps` steps of `recipe` on `samples`. `each` gets every step's number (from 0)
/// and cost.
///
/// # Errors
/// [`TrainError::Memory`], [`TrainError::Diverged`] and [`TrainError::Device`] as in training.
pub fn bench_training(
    recipe: &Recipe,
    samples: &[Sample],
    classes: usize,
    device: &Device,
    steps: u64,
    each: &mut dyn FnMut(u64, StepCost),
) -> Result<(), TrainError> {
    require_memory(recipe, samples)?;
    let spec = recipe.model_spec(classes);
    let mut network = Segmentor::new(spec, recipe.seed, device);
    let mut optimizer = Optimizer::default();
    let source = CropSource::new(samples, recipe.data.input_scale);
    for t in 0..steps {
        let normalisation = Normalisation::default();
        let result = guarded(device, || {
            step(recipe, &normalisation, &source, &mut network, &mut optimizer, device, t)
        })??;
        each(t, result.cost);
    }
    Ok(())
}
