//! `README.md` of a package: what the model is, how to use it, how well it did.

use super::About;
use crate::Source;
use crate::meaning::Meaning;
use sorby_image::GreyRange;
use sorby_infer::ModelCard;

pub(super) fn readme(source: &Source, about: &About) -> String {
    let card = source.card;
    let meaning = Meaning::of(source);
    let mut steps: String = meaning.steps.iter().map(|step| format!("- {step}\n")).collect();
    if card.grey_range == GreyRange::Percentile {
        steps += "- The preprocessing of this package stretches what it is given: give it whole images.\n";
    }
    let halo = super::halo_px(card);
    format!(
        "# {name}

{arch} on ResNet-18 (output stride {stride}) that segments grey micrographs into {classes}. Trained by Sorby \
{version} for {iterations} iterations.

## Input

One channel, float32, `[batch, 1, y, x]`: {input}. Normalisation is part of the network.

{steps}
{pixel_size}

## Output

Probabilities of the classes in this order: {classes}. The class of a pixel is the one with the largest. Windows are \
{window} pixels wide; with a halo of {halo} pixels each pixel is taken from the middle of a window. Sorby itself averages \
the logits of windows that overlap ({window} pixels every {step}), so its masks can differ at a few pixels between two classes.

# Validation

{validation}
To validate the model on your own images: label some that it did not learn from, segment them, and compare the mask with \
the label by the intersection over union (IoU) of each class.

## Origin

- Recipe {recipe}, data {data}
- BLAKE3 of Sorby's model file: {model}
",
        name = about.name,
        arch = card.arch.title(),
        stride = card.output_stride,
        classes = card.classes.join(", "),
        version = card.sorby_version,
        iterations = card.iteration,
        input = meaning.input,
        pixel_size = pixel_size(&meaning),
        window = card.window_px,
        step = card.stride_px,
        validation = validation(about, card),
        recipe = known(&source.recipe_hash()),
        data = known(&card.data_hash),
        model = known(source.model_blake3),
    )
}

fn known(hash: &str) -> &str {
    if hash.is_empty() { "unknown" } else { hash }
}

fn pixel_size(meaning: &Meaning) -> String {
    match meaning.seen_nm_per_px() {
        None => "The pixel size of the training images is not known.".to_owned(),
        Some((low, high)) if low == high => {
            format!("It expects {low:.4} nm per pixel; bring images of another pixel size to it.")
        }
        Some((low, high)) => format!(
            "It was trained on {low:.4} to {high:.4} nm per pixel; bring images of another pixel size to this range."
        ),
    }
}

fn validation(about: &About, card: &ModelCard) -> String {
    let Some(scores) = &about.scores else {
        return "The scores of the training are not known: the model was exported without its run folder.\n"
            .to_owned();
    };
    let percent = |v: Option<f64>| v.map_or("none".to_owned(), |v| format!("{:.2} %", 100.0 * v));
    let rows: String = card
        .classes
        .iter()
        .zip(&scores.iou)
        .map(|(class, iou)| format!("| IoU of {class} | {} |\n", percent(*iou)))
        .collect();
    let images = match scores.images {
        0 => "the validation images".to_owned(),
        1 => "one validation image, which it did not learn from".to_owned(),
        n => format!("{n} validation images, which it did not learn from"),
    };
    let chosen = if card.chosen_by_validation {
        " This iteration was chosen because it scored best on them, so the scores are somewhat too good."
    } else {
        ""
    };
    format!(
        "On {images}, after {} iterations, with Sorby's sliding window.{chosen}\n\n| score | value |\n|---|---|\n{rows}\
         | mean IoU | {} |\n| pixel accuracy | {} |\n\n",
        scores.iteration,
        percent(scores.mean_iou),
        percent(scores.pixel_accuracy)
    )
}
