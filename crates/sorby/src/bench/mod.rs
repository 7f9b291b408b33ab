//! What this machine makes of a training step, of inference, of plain matrix products.

mod measure;
mod tables;

pub use measure::{MeasureBench, bench_measure, write_pictures};

use crate::error::{Context as _, refused};
use crate::{DeviceOptions, Result};
use serde::Serialize;
use sorby_data::{Sample, synth};
use sorby_image::{Micrograph, Shot};
use sorby_kernels::sgemm_rate;
use sorby_kernels::trace::{self, ConvCall, Record};
use sorby_nn::{Arch, ModelSpec, Stem};
use sorby_train::{Recipe, StepCost, bench_training, peak_bytes};

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BenchWork {
    /// One training step.
    Train,
    /// One batch of windows.
    Infer,
    /// One whole image by sliding window.
    Image,
    /// Matrix products.
    Gemm,
}

/// What is timed, and how often.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// What is timed.
    pub work: BenchWork,
    /// The network.
    pub arch: Arch,
    /// Crops or windows at once.
    pub batch: usize,
    /// Edge of a crop or window in pixels.
    pub crop_px: usize,
    /// Size of the whole image.
    pub size_px: (usize, usize),
    /// Timed runs, after one that is not counted.
    pub repeats: usize,
    /// Where to compute.
    pub device: DeviceOptions,
}

const CLASSES: usize = 2;

/// The spread of repeated timings.
#[derive(Serialize)]
pub struct Spread {
    /// Median of the timed runs.
    pub median_s: f64,
    mean_s: f64,
    /// Fastest run.
    pub min_s: f64,
    /// Slowest run.
    pub max_s: f64,
    repeats: usize,
}

/// Everything of one bench.
#[derive(Serialize)]
pub struct Bench {
    work: BenchWork,
    arch: Option<&'static str>,
    batch: usize,
    crop_px: usize,
    /// Width and height of the whole image.
    image_px: Option<(usize, usize)>,
    threads: usize,
    simd: String,
    time: Option<Spread>,
    /// Medians of the parts of a training step.
    parts_s: Vec<(&'static str, f64)>,
    /// Direct-convolution operations of one run.
    gflop: f64,
    effective_gflop_per_s: f64,
    sgemm_gflop_per_s: f64,
    /// Rows, inner length, columns and rate of each shape of `bench gemm`.
    sgemm_shapes: Vec<(usize, usize, usize, f64)>,
    ratio_to_gemm: f64,
    peak_memory_mb: Option<u64>,
    convolutions: Vec<ConvCost>,
    other_operations: Vec<OperationCost>,
}

/// A convolution layer or one of its gradients, summed over its calls in one run.
#[derive(Serialize)]
struct ConvCost {
    pass: &'static str,
    input: [usize; 4],
    cout: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    groups: usize,
    algorithm: String,
    calls: usize,
    seconds: f64,
    gflop_per_s: f64,
}

#[derive(Serialize)]
struct OperationCost {
    operation: &'static str,
    calls: usize,
    seconds: f64,
}

/// Times a piece of work.
///
/// # Errors
/// When there is no such device, or a training step fails.
pub fn bench(options: &BenchOptions) -> Result<Bench> {
    let &BenchOptions { work, arch, batch, crop_px, size_px, repeats, .. } = options;
    let device = options.device.open()?;
    let spec = ModelSpec { arch, stem: Stem::V1c, classes: CLASSES, output_stride: 8 };
    let mut parts_s = Vec::new();
    let times = match work {
        BenchWork::Train => {
            let costs = train(arch, batch, crop_px, repeats, &device)?;
            let part = |f: fn(&StepCost) -> f64| median(costs.iter().map(f).collect());
            parts_s = vec![
                ("data", part(|c| c.data_s)),
                ("forward and loss", part(|c| c.forward_s)),
                ("backward", part(|c| c.backward_s)),
                ("optimiser", part(|c| c.optimizer_s)),
            ];
            costs.iter().map(StepCost::total_s).collect()
        }
        BenchWork::Infer => {
            sorby_infer::bench_windows(spec, (batch, crop_px), repeats, &device, &mut trace::start)
                .map_err(|what| refused!("bench infer: {what}"))?
        }
        BenchWork::Image => {
            let sample = synthetic(size_px, 0);
            sorby_infer::bench_image(
                spec,
                &sample.shot,
                (crop_px, crop_px / 2),
                1.0,
                repeats,
                &device,
                &mut trace::start,
            )
            .map_err(|what| refused!("bench image: {what}"))?
        }
        BenchWork::Gemm => Vec::new(),
    };
    let runs = repeats as f64;
    let records = trace::finish();
    let gflop = records.iter().filter_map(|r| r.conv).map(|c| c.flop()).sum::<f64>() / runs / 1e9;
    let shapes = if work == BenchWork::Gemm { &sgemm_rate::SHAPES[..] } else { &sgemm_rate::SHAPES[..1] };
    let sgemm_shapes: Vec<_> =
        shapes.iter().map(|&(m, k, n)| (m, k, n, sgemm_gflop_per_s((m, k, n), repeats))).collect();
    let sgemm = sgemm_shapes[0].3;
    let time = (!times.is_empty()).then(|| Spread::of(times));
    let effective = time.as_ref().map_or(0.0, |t| gflop / t.median_s);
    Ok(Bench {
        work,
        arch: (work != BenchWork::Gemm).then(|| arch.title()),
        batch: if work == BenchWork::Image { sorby_infer::windows_per_batch(crop_px) } else { batch },
        crop_px,
        image_px: (work == BenchWork::Image).then_some(size_px),
        threads: rayon::current_num_threads(),
        simd: format!("{:?}", sorby_nn::simd_level()),
        time,
        parts_s,
        gflop,
        effective_gflop_per_s: effective,
        sgemm_gflop_per_s: sgemm,
        sgemm_shapes,
        ratio_to_gemm: effective / sgemm,
        peak_memory_mb: peak_bytes().map(|b| b >> 20),
        convolutions: convolution_costs(&records, runs),
        other_operations: operation_costs(&records, runs),
    })
}

/// Costs of `repeats` steps after one that is not counted.
fn train(
    arch: Arch,
    batch: usize,
    crop: usize,
    repeats: usize,
    device: &sorby_infer::Device,
) -> Result<Vec<StepCost>> {
    let mut recipe = Recipe { arch, ..Recipe::default() };
    recipe.data.batch = batch;
    recipe.data.crop = crop;
    let samples = [synthetic((768, 576), 0), synthetic((768, 576), 1)];
    let mut costs = Vec::new();
    bench_training(&recipe, &samples, CLASSES, device, repeats as u64 + 1, &mut |t, cost| match t {
        0 => trace::start(),
        _ => costs.push(cost),
    })
    .context("bench train")?;
    Ok(costs)
}

fn synthetic((width, height): (usize, usize), index: u64) -> Sample {
    let made = synth::make(synth::Kind::Carbide, width, height, 0, index);
    Sample {
        name: format!("synthetic {index}"),
        shot: Shot::plain(Micrograph::grey8(width, height, made.pixels)),
        label: made.label,
    }
}

fn sgemm_gflop_per_s(shape: sgemm_rate::Shape, repeats: usize) -> f64 {
    let (seconds, flop) = sgemm_rate::time_products(shape, repeats.max(5));
    flop / median(seconds) / 1e9
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n % 2 == 1 { values[n / 2] } else { (values[n / 2 - 1] + values[n / 2]) / 2.0 }
}

impl Spread {
    /// Of times in seconds.
    ///
    /// # Panics
    /// Without any time.
    pub fn of(times: Vec<f64>) -> Self {
        Self {
            min_s: times.iter().copied().fold(f64::INFINITY, f64::min),
            max_s: times.iter().copied().fold(0.0, f64::max),
            repeats: times.len(),
            mean_s: times.iter().sum::<f64>() / times.len() as f64,
            median_s: median(times),
        }
    }
}

/// Sums equal entries in order of first appearance.
fn grouped<K: PartialEq>(entries: impl Iterator<Item = (K, f64)>) -> Vec<(K, usize, f64)> {
    let mut out: Vec<(K, usize, f64)> = Vec::new();
    for (key, seconds) in entries {
        match out.iter_mut().find(|(k, ..)| *k == key) {
            Some((_, calls, sum)) => {
                *calls += 1;
                *sum += seconds;
            }
            None => out.push((key, 1, seconds)),
        }
    }
    out
}

fn convolution_costs(records: &[Record], runs: f64) -> Vec<ConvCost> {
    let entries = records.iter().filter_map(|r| Some(((r.operation, r.conv?), r.seconds)));
    let cost = |((pass, call), calls, seconds): ((&'static str, ConvCall), usize, f64)| {
        let (x, g) = (call.input, call.geometry);
        ConvCost {
            pass,
            input: [x.n, x.h, x.w, x.c],
            cout: call.cout,
            kernel: g.kernel,
            stride: g.stride,
            dilation: g.dilation,
            groups: g.groups,
            algorithm: format!("{:?}", call.algorithm()).to_lowercase(),
            calls: (calls as f64 / runs).round() as usize,
            seconds: seconds / runs,
            gflop_per_s: call.flop() * calls as f64 / seconds / 1e9,
        }
    };
    grouped(entries).into_iter().map(cost).collect()
}

fn operation_costs(records: &[Record], runs: f64) -> Vec<OperationCost> {
    let entries = records.iter().filter(|r| r.conv.is_none()).map(|r| (r.operation, r.seconds));
    let cost = |(operation, calls, seconds): (&'static str, usize, f64)| OperationCost {
        operation,
        calls: (calls as f64 / runs).round() as usize,
        seconds: seconds / runs,
    };
    grouped(entries).into_iter().map(cost).collect()
}
