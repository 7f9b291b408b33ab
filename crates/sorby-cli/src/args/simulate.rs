//! Arguments of `sorby cluster simulate`.

use super::out::new_or_folder;
use super::study::parse_time;
use clap::Args as ClapArgs;
use sorby::cluster::{ClusterModel, Forecast, ForecastWork};
use std::path::PathBuf;

#[derive(ClapArgs)]
#[command(group = clap::ArgGroup::new("work").required(true))]
pub struct SimulateArgs {
    /// Images to segment.
    #[arg(long, value_name = "N", group = "work", requires = "image_time", value_parser = clap::value_parser!(u64).range(1..=10_000_000_000))]
    pub images: Option<u64>,
    /// Time of one image in a task, as `sorby bench image` says it: 3.2s.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub image_time: Option<f64>,
    /// Trainings of a study's rounds: 66,12,2.
    #[arg(long, value_name = "N,N", group = "work", requires = "training_time", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub trainings: Vec<u32>,
    /// Time of one training: 40min.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub training_time: Option<f64>,
    /// Numbers of nodes.
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "1,2,4,8,16,32,64", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub nodes: Vec<u32>,
    /// Tasks on a node at the same time.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub tasks_per_node: u16,
    /// Shards of the images; default: as many as are ready first.
    #[arg(long, value_name = "N", conflicts_with = "trainings", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub shards: Option<u32>,
    /// The most shards that the engine takes.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub most_shards: u32,
    /// From a free place to the first useful work of a task.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_time)]
    pub start: f64,
    /// Starts that the engine makes in a minute; default: any number.
    #[arg(long, value_name = "N")]
    pub starts_per_min: Option<f64>,
    /// Standard deviation of the time of an image or a training over its mean.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub spread: f64,
    /// Share of the tasks that take FACTOR times as long: 0.02x3.
    #[arg(long, value_name = "SHARExFACTOR", default_value = "0x1", value_parser = stragglers)]
    pub stragglers: (f64, f64),
    /// Failures in an hour of a task.
    #[arg(long, value_name = "N", default_value_t = 0.0)]
    pub failures_per_h: f64,
    /// Preemptions in an hour of a task.
    #[arg(long, value_name = "N", default_value_t = 0.0)]
    pub preemptions_per_h: f64,
    /// Wait of an interrupted task before it starts again.
    #[arg(long, value_name = "TIME", default_value = "2min", value_parser = parse_time)]
    pub requeue: f64,
    /// Work between two checkpoints: of images, the time of one.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub checkpoint: Option<f64>,
    /// Work of one process after each round: the merge, the plan of the next round.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub collect: Option<f64>,
    /// Price of a node for an hour.
    #[arg(long, value_name = "PRICE")]
    pub price: Option<f64>,
    /// Folder for forecast.csv and efficiency.svg.
    #[arg(long, value_parser = new_or_folder(), value_name = "DIR")]
    pub out: Option<PathBuf>,
}

fn stragglers(text: &str) -> Result<(f64, f64), String> {
    let wrong = || "write it as 0.02x3".to_owned();
    let (share, factor) = text.split_once('x').ok_or_else(wrong)?;
    let (share, factor) = (share.parse().map_err(|_| wrong())?, factor.parse().map_err(|_| wrong())?);
    if (0.0..=1.0).contains(&share) && (1.0..=1000.0).contains(&factor) {
        Ok((share, factor))
    } else {
        Err(wrong())
    }
}

impl SimulateArgs {
    /// # Errors
    /// Names a number that makes no sense.
    pub fn forecast(&self) -> anyhow::Result<Forecast> {
        let rates = [("--spread", self.spread), ("--failures-per-h", self.failures_per_h)];
        for (name, value) in rates.into_iter().chain([("--preemptions-per-h", self.preemptions_per_h)]) {
            anyhow::ensure!((0.0..=100.0).contains(&value), "{name} {value}: give a number from 0 to 100");
        }
        if let Some(n) = self.starts_per_min.filter(|n| !(*n > 0.0 && n.is_finite())) {
            anyhow::bail!("--starts-per-min {n}: give a number above 0");
        }
        let piece_s = self.image_time.or(self.training_time).unwrap_or_default();
        let work = match self.images {
            Some(images) => ForecastWork::Images {
                images: images as f64,
                image_s: piece_s,
                shards: self.shards.map(|n| n as usize),
                most_shards: self.most_shards as usize,
            },
            None => ForecastWork::Trainings {
                rounds: self.trainings.iter().map(|n| *n as usize).collect(),
                training_s: self.training_time.unwrap_or_default(),
            },
        };
        let model = ClusterModel {
            nodes: 1,
            tasks_per_node: self.tasks_per_node.into(),
            start_s: self.start,
            starts_per_min: self.starts_per_min,
            spread: self.spread,
            stragglers: self.stragglers,
            failures_per_h: self.failures_per_h,
            preemptions_per_h: self.preemptions_per_h,
            requeue_s: self.requeue,
            // A shard keeps every image that is done.
            checkpoint_s: self.checkpoint.unwrap_or(if self.images.is_some() { piece_s } else { 300.0 }),
        };
        let nodes = self.nodes.iter().map(|n| *n as usize).collect();
        let (collect_s, price_per_node_h) = (self.collect.unwrap_or_default(), self.price);
        Ok(Forecast { work, model, nodes, collect_s, price_per_node_h })
    }
}
