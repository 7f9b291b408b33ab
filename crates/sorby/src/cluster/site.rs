//! What a site allows: limits of Slurm, and which programs are there.

use crate::Result;
use crate::error::{Context as _, refuse};
use std::process::Command;

/// Tasks that an array may have where Slurm does not say it: its default.
const USUAL_ARRAY: usize = 1001;

/// The most tasks that one array may have here, by `scontrol show config` and, where accounting is on, by the user's own
/// limit of submitted jobs.
pub fn array_limit() -> usize {
    let config = output(Command::new("scontrol").args(["show", "config"])).unwrap_or_default();
    let user = std::env::var("USER").unwrap_or_default();
    let limits = ["-nP", "show", "assoc", &format!("user={user}"), "format=MaxSubmitJobs"];
    let own = if user.is_empty() { None } else { output(Command::new("sacctmgr").args(limits)).ok() };
    limit_of(&config, &own.unwrap_or_default())
}

/// By what the two programs print.
fn limit_of(config: &str, associations: &str) -> usize {
    let of = |name: &str| {
        let line = config.lines().find(|l| l.split('=').next().is_some_and(|key| key.trim() == name))?;
        line.split_once('=')?.1.trim().parse::<usize>().ok()
    };
    // One job more comes after the array.
    let jobs = of("MaxJobCount").map(|n| n.saturating_sub(1));
    let own = associations.lines().filter_map(|l| l.trim().parse::<usize>().ok()).min();
    let own = own.map(|n| n.saturating_sub(1));
    let array = of("MaxArraySize").unwrap_or(USUAL_ARRAY);
    [Some(array), jobs, own].into_iter().flatten().min().unwrap_or(array).max(1)
}

/// What a program prints; its failure in one line.
pub fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let output = command.output().with_context(|| format!("{name}: cannot be started"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        refuse!("{name} failed ({}): {said}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a program answers.
pub fn answers(program: &str, arguments: &[&str]) -> bool {
    output(Command::new(program).args(arguments)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::limit_of;

    #[test]
    fn the_smallest_limit_counts() {
        let config = "MaxArraySize            = 5001\nMaxJobCount             = 10000\n";
        assert_eq!(limit_of("", ""), 1001);
        assert_eq!(limit_of(config, ""), 5001);
        assert_eq!(limit_of(config, "\n500\n\n200\n"), 199);
        assert_eq!(limit_of("MaxArraySize = 20000\nMaxJobCount = 10000\n", ""), 9999);
    }
}
