//! How long work takes on more and more nodes, and what it costs.

use super::simulate::{ClusterModel, Round, Simulated, best_shards, simulate_mean};
use crate::Result;
use crate::error::refuse;
use sorby_image::write::atomically;
use sorby_report::{Cell, Chart, Series, Table};
use std::path::{Path, PathBuf};

/// The work.
#[derive(Clone, Debug, PartialEq)]
pub enum ForecastWork {
    /// Images in shards.
    Images {
        /// How many.
        images: f64,
        /// Seconds for each.
        image_s: f64,
        /// Shards; `None`: as many as are ready first, up to `most_shards`.
        shards: Option<usize>,
        /// The most tasks that the engine takes.
        most_shards: usize,
    },
    /// A study's trainings.
    Trainings {
        /// Trainings of each round.
        rounds: Vec<usize>,
        /// Seconds for each.
        training_s: f64,
    },
}

/// What is asked of a forecast.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// The work.
    pub work: ForecastWork,
    /// The cluster; its number of nodes is replaced.
    pub model: ClusterModel,
    /// Numbers of nodes.
    pub nodes: Vec<usize>,
    /// Seconds after each round that one process needs: the merge, the planning of the next round.
    pub collect_s: f64,
    /// Price of a node for an hour, in any currency.
    pub price_per_node_h: Option<f64>,
}

/// A number of nodes, and what comes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ForecastRow {
    /// Nodes.
    pub nodes: usize,
    /// Tasks of all rounds.
    pub tasks: usize,
    /// Seconds of a task, in the mean.
    pub task_s: f64,
    /// What was simulated, the mean of several seeds.
    pub simulated: Simulated,
    /// Price of all.
    pub price: Option<f64>,
}

const SEEDS: u64 = 5;

impl Forecast {
    /// A row for each number of nodes.
    ///
    /// # Errors
    /// When there is no work, or a number makes no sense.
    pub fn rows(&self) -> Result<Vec<ForecastRow>> {
        let (tasks, piece_s) = match &self.work {
            ForecastWork::Images { images, image_s, .. } => (*images, *image_s),
            ForecastWork::Trainings { rounds, training_s } => {
                (rounds.iter().sum::<usize>() as f64, *training_s)
            }
        };
        if tasks < 1.0 || piece_s <= 0.0 || self.nodes.contains(&0) || self.model.checkpoint_s <= 0.0 {
            refuse!("a forecast needs work, nodes, and times above 0");
        }
        Ok(self.nodes.iter().map(|nodes| self.row(*nodes)).collect())
    }

    fn row(&self, nodes: usize) -> ForecastRow {
        let model = ClusterModel { nodes, ..self.model.clone() };
        let (tasks, task_s, simulated) = match &self.work {
            ForecastWork::Images { images, image_s, shards, most_shards } => {
                let (shards, simulated) = match shards {
                    Some(n) => {
                        let round = Round { tasks: *n, pieces: images / *n as f64, piece_s: *image_s };
                        (*n, simulate_mean(&[round], self.collect_s, &model, SEEDS))
                    }
                    None => best_shards(*images, *image_s, *most_shards, self.collect_s, &model),
                };
                (shards, images / shards as f64 * image_s, simulated)
            }
            ForecastWork::Trainings { rounds, training_s } => {
                let of = |tasks: &usize| Round { tasks: *tasks, pieces: 1.0, piece_s: *training_s };
                let all: Vec<Round> = rounds.iter().map(of).collect();
                let simulated = simulate_mean(&all, self.collect_s, &model, SEEDS);
                (rounds.iter().sum(), *training_s, simulated)
            }
        };
        let price = self.price_per_node_h.map(|p| p * simulated.node_h);
        ForecastRow { nodes, tasks, task_s, simulated, price }
    }
}

/// The rows as a table.
pub fn forecast_table(rows: &[ForecastRow]) -> Table {
    let mut table = Table::new([
        "nodes",
        "tasks",
        "task_min",
        "makespan_h",
        "node_hours",
        "efficiency_percent",
        "restarts",
        "price",
    ]);
    for row in rows {
        let s = &row.simulated;
        table.row(vec![
            Cell::Integer(row.nodes as i64),
            Cell::Integer(row.tasks as i64),
            Cell::number(Some(row.task_s / 60.0), 1),
            Cell::number(Some(s.makespan_s / 3600.0), 3),
            Cell::number(Some(s.node_h), 2),
            Cell::number(Some(100.0 * s.efficiency), 1),
            Cell::number(Some(s.restarts), 1),
            row.price.map_or(Cell::Missing, |p| Cell::number(Some(p), 2)),
        ]);
    }
    table
}

/// Efficiency against the number of nodes.
pub fn forecast_chart(rows: &[ForecastRow]) -> Chart {
    let points = rows.iter().enumerate().map(|(i, r)| (i as f64 + 0.5, 100.0 * r.simulated.efficiency));
    Chart {
        title: "Efficiency of the nodes".into(),
        x_label: "nodes".into(),
        x_names: rows.iter().map(|r| r.nodes.to_string()).collect(),
        y_label: "useful work over time of all slots (%)".into(),
        series: vec![Series::line("simulated", points.collect())],
        from_zero: true,
        ..Chart::default()
    }
}

/// Writes `forecast.csv` and `efficiency.svg` into a folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write_forecast(rows: &[ForecastRow], out: &Path) -> Result<[PathBuf; 2]> {
    let files = ["forecast.csv", "efficiency.svg"].map(|name| out.join(name));
    atomically(&files[0], forecast_table(rows).to_csv().as_bytes())?;
    atomically(&files[1], forecast_chart(rows).to_svg().as_bytes())?;
    Ok(files)
}
