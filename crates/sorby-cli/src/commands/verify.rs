//! `sorby verify`.

use crate::args::VerifyArgs;
use sorby::lot::verify_lot;
use std::process::ExitCode;

pub fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let found = verify_lot(&args.lot)?;
    let lot = args.lot.display();
    found.faults.iter().for_each(|line| println!("{line}"));
    println!("manifest: {}", found.manifest_sha256);
    println!("seal: {}", found.seal_sha256);
    if found.faults.is_empty() {
        println!(
            "{lot}: {} files of the lot and {} that it was made from are what they were, and nothing was added; compare the \
             seal with the one noted when the report was signed",
            found.files, found.inputs
        );
        return Ok(ExitCode::SUCCESS);
    }
    println!("{lot}: {} things are not what they were when the report was made", found.faults.len());
    Ok(ExitCode::from(1))
}
