//! Classes of data sets and models, by name and number.

use crate::Result;
use crate::error::refuse;
use sorby_data::Dataset;
use sorby_infer::Model;

/// Index of a class given by name or number.
///
/// # Errors
/// When there is no such class, or a class's name is the number of another.
pub fn index(text: &str, names: &[String]) -> Result<u8> {
    if let Some(index) = names.iter().position(|n| n == text) {
        if let Some(other) = text.parse::<usize>().ok().filter(|i| *i != index).and_then(|i| names.get(i)) {
            refuse!(
                "--class {text}: is the name of class {index}, and the number of class `{other}`; rename the classes"
            );
        }
        return Ok(index as u8);
    }
    match text.parse::<u8>() {
        Ok(sorby_image::IGNORE) => {
            refuse!("--class 255: is no class; 255 stands for pixels that are left out")
        }
        Ok(index) if names.is_empty() || usize::from(index) < names.len() => Ok(index),
        _ if names.is_empty() => refuse!("--class {text}: give the class's index, or --data for class names"),
        _ => refuse!("--class {text}: no such class; the classes are {}", names.join(", ")),
    }
}

/// A model can be scored only on labels of its own classes.
///
/// # Errors
/// When the classes differ; both lists are named.
pub fn require_same(model: &Model, data: &Dataset) -> Result<()> {
    let (ours, theirs) = (&model.card.classes, data.manifest.class_names());
    if *ours != theirs {
        refuse!("the model knows the classes {} but the data set has {}", ours.join(", "), theirs.join(", "));
    }
    Ok(())
}
