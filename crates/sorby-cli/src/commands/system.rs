//! `sorby system`: what this program and machine can do.

use crate::answer::{Answer, say};
use serde_json::json;
use sorby_infer::Backend;

pub fn run() -> anyhow::Result<Answer> {
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
        // Opening a device of a driver that is not there may panic inside the driver's library.
        let opened = std::panic::catch_unwind(|| backend.open().is_some());
        let name = backend.name();
        let state = match opened {
            Ok(true) => "available".to_owned(),
            Ok(false) => format!("not in this program (cargo build --release --features {name})"),
            Err(_) => "in this program, but no such device answers on this machine".to_owned(),
        };
        say!(answer, "  {name:<7} {state}");
        if matches!(opened, Ok(true)) {
            available.push(name);
        }
    }
    answer.set("devices", available);
    Ok(answer)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}
