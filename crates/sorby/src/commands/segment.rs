pub fn run(_: crate::args::SegmentArgs) -> anyhow::Result<std::process::ExitCode> { anyhow::bail!("") }
