//! `sorby system`: what this program and machine can do.

use sorby_infer::Backend;
use std::process::ExitCode;

pub fn run() -> anyhow::Result<ExitCode> {
    println!("sorby {} on {} {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    println!("threads: {} in use, {} on this machine", rayon::current_num_threads(), cores());
    println!("vector instructions: {:?}", sorby_nn::simd_level());
    if let Some(bytes) = sorby_train::available_bytes() {
        println!("free memory: {:.1} GB", bytes as f64 / 1e9);
        let needed = sorby_train::estimated_bytes(&sorby_train::Recipe::default(), 0);
        let verdict = if needed < bytes { "fits" } else { "does NOT fit; lower data.batch or data.crop" };
        println!("training with the default recipe needs about {:.1} GB: {verdict}", needed as f64 / 1e9);
    }
    println!("devices:");
    for backend in Backend::ALL {
        // Opening a device of a driver that is not there may panic inside the driver's library.
        let opened = std::panic::catch_unwind(|| backend.open().is_some());
        println!(
            "  {:<7} {}",
            backend.name(),
            match opened {
                Ok(true) => "available".to_owned(),
                Ok(false) =>
                    format!("not in this program (cargo build --release --features {})", backend.name()),
                Err(_) => "in this program, but no such device answers on this machine".to_owned(),
            }
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}
