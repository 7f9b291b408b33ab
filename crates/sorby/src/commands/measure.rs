pub fn run(_: crate::args::MeasureArgs) -> anyhow::Result<std::process::ExitCode> { anyhow::bail!("") }
