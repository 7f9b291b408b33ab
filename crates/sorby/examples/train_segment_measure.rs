//! From labelled images to numbers of an unlabelled one, in the folder `example`:
//! `cargo run --release -p sorby --example train_segment_measure -- DATA IMAGE NM_PER_PX`
//! Without arguments it makes its own steel.

use sorby::{
    InferenceSettings, MeasureOptions, NamedRecipe, Observer, Said, Segmenter, Shot, TrainOptions, measure,
    train,
};
use sorby_data::synth::{Kind, SynthSet, write_dataset};
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = Path::new("example");
    let given: Vec<String> = std::env::args().skip(1).collect();
    let (data, image, nm_per_px) = match &given[..] {
        [data, image, nm] => (PathBuf::from(data), PathBuf::from(image), nm.parse()?),
        _ => {
            let data = out.join("steel");
            let set = SynthSet { kind: Kind::Carbide, images: 10, width: 384, height: 256, seed: 0 };
            write_dataset(&data, set)?;
            (data.clone(), data.join("images/carbide-010.png"), 20.0)
        }
    };
    let show = |event: sorby::Event| eprintln!("{event:?}");
    let recipe = NamedRecipe::read(Path::new("coffee"), &["schedule.iterations=100".into()])?;
    let options = TrainOptions { out: Some(out.join("run")), ..TrainOptions::default() };
    let (run, outcome) = train(recipe, &data, &options, &show as &dyn Observer)?;
    println!("mIoU of the validation images: {:?}", outcome.last.and_then(|scores| scores.mean_iou));

    let mut segmenter = Segmenter::open(&run, &InferenceSettings::default())?;
    let segmented = segmenter.segment(&Shot::read(&image, &Said::default())?)?;
    println!("IoU to expect: {:?}", segmented.trust.expected());
    segmented.write(&out.join("mask.png"))?;

    let options = MeasureOptions { nm_per_px: Some(nm_per_px), ..MeasureOptions::default() };
    let measured = measure(&[out.join("mask.png")], &options, &())?;
    print!("{}", measured.results().estimates.shown().to_text());
    Ok(())
}
