//! `sorby system`: what this program and machine can do.

use crate::answer::{Answer, say};
use crate::args::SystemArgs;
use crate::console::Console;
use serde_json::json;
use sorby_infer::Backend;
use sorby_nn::device::DeviceProblem;

pub fn run(args: &SystemArgs) -> anyhow::Result<Answer> {
    match args.options() {
        Some(options) => check(&options),
        None => show(),
    }
}

/// Every layer on one device.
fn check(options: &sorby::DeviceCheckOptions) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let report = sorby::check_device(options, &Console::default())?;
    say!(answer, "{}: {} {}", report.device, report.name, report.driver);
    answer.text(&report.text());
    answer.set_all(&report);
    let wrong = report.wrong().count();
    answer.set("right", wrong == 0);
    if wrong > 0 {
        let words = format!("--device {}: {wrong} layers are wrong, so it is not used", report.device);
        return Ok(answer.failed(&words, 2));
    }
    answer.line("all layers agree with the CPU");
    Ok(answer)
}

fn show() -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let (version, os, arch) = (env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    let (threads, simd) = (rayon::current_num_threads(), format!("{:?}", sorby_nn::simd_level()));
    say!(answer, "sorby {version} on {os} {arch}");
    say!(answer, "threads: {threads} in use, {} on this machine", cores());
    say!(answer, "vector instructions: {simd}");
    answer.set_all(json!({
        "version": version, "os": os, "arch": arch, "threads": threads, "cores": cores(), "simd": simd,
    }));
    if let Some(bytes) = sorby_train::available_bytes() {
        say!(answer, "free memory: {:.1} GB", bytes as f64 / 1e9);
        let needed = sorby_train::estimated_bytes(&sorby_train::Recipe::default(), 0);
        let verdict = if needed < bytes { "fits" } else { "does NOT fit; lower data.batch or data.crop" };
        say!(answer, "training with the default recipe needs about {:.1} GB: {verdict}", needed as f64 / 1e9);
        answer.set("free_bytes", bytes);
        answer.set("training_bytes", needed);
    }
    answer.line("devices:");
    let mut available = Vec::new();
    for backend in Backend::ALL {
        let name = backend.name();
        let state = match backend.look() {
            Ok(open) => {
                available.push(name);
                format!("available: {} {}", open.name, open.driver)
            }
            Err(DeviceProblem::NotBuiltIn(name)) => {
                format!("not in this program (cargo build --release --features {name})")
            }
            Err(DeviceProblem::NotThere { reason, .. }) => {
                format!("in this program, but no such device answers on this machine ({reason})")
            }
        };
        say!(answer, "  {name:<7} {}", state.trim_end());
    }
    answer.set("devices", available);
    Ok(answer)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}
