//! `sorby data classes`.

use crate::answer::{Answer, say};
use crate::args::ClassesArgs;
use anyhow::Context as _;
use sorby::data::{ClassChanges, LabelPlaces, change_classes};
use sorby_data::{Colour, entries_of, locate};

pub fn run(args: ClassesArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let ClassesArgs { data, rename, merge, add, color, order } = args;
    let color = color.into_iter().map(|(name, text)| {
        let color: Colour = text.parse().with_context(|| format!("--color {name}={text}"))?;
        Ok((name, color))
    });
    let changes = ClassChanges { rename, merge, add, order, color: color.collect::<anyhow::Result<_>>()? };
    if changes != ClassChanges::default() {
        let (manifest, _) = entries_of(&data)?;
        let (_, root) = locate(&data)?;
        let converted = change_classes(&data, &changes.applied_to(&manifest)?, &LabelPlaces::of(&root))?;
        answer.set("converted_labels", converted);
        eprintln!("{converted} labels have the new classes; as they were: {}", root.join(".sorby").display());
    }
    let classes = entries_of(&data)?.0.classes;
    for (index, class) in classes.iter().enumerate() {
        say!(answer, "{index} {}", class.name);
    }
    answer.set("classes", classes.iter().map(|c| &c.name).collect::<Vec<_>>());
    Ok(answer)
}
