//! Trainings of a study as processes of this program.

use anyhow::Context as _;
use sorby::study::{Ended, Launcher, RunningTraining, TrainingJob};
use sorby::{Error, Result};
use std::ffi::OsString;
use std::process::{Child, Command, Stdio};

/// Starts each training as a process on this machine.
pub struct ChildProcesses;

/// The command line of a training, after the program's name.
fn arguments(job: &TrainingJob) -> Vec<OsString> {
    let mut line: Vec<OsString> = vec!["--threads".into(), job.threads.to_string().into(), "train".into()];
    line.extend(["--stop-with-parent", "--looked"].map(OsString::from));
    if job.resume {
        line.extend(["--resume".into(), job.run.clone().into_os_string()]);
    } else {
        line.extend([job.recipe.clone().into(), "--out".into(), job.run.clone().into_os_string()]);
    }
    line.extend(["--data".into(), job.data.clone().into_os_string()]);
    line.extend(["--device".into(), OsString::from(&job.device.name)]);
    line.extend(job.device.stock_operations.then(|| "--stock-operations".into()));
    line
}

impl Launcher for ChildProcesses {
    fn start(&self, job: &TrainingJob) -> Result<Box<dyn RunningTraining>> {
        start(job).map_err(|e| Error::Refused(format!("{e:#}")))
    }
}

fn start(job: &TrainingJob) -> anyhow::Result<Box<dyn RunningTraining>> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let log = std::fs::File::create(&job.log).with_context(|| job.log.display().to_string())?;
    // Its standard input stays open for as long as this process lives.
    let child = Command::new(program)
        .args(arguments(job))
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot start a training")?;
    Ok(Box::new(Process(child)))
}

struct Process(Child);

impl RunningTraining for Process {
    fn ended(&mut self) -> Result<Option<Ended>> {
        let status = self.0.try_wait()?;
        Ok(status.map(|s| Ended { success: s.success(), status: s.to_string() }))
    }

    fn ask_to_stop(&mut self) {
        drop(self.0.stdin.take());
    }

    fn wait(&mut self) -> Result<()> {
        self.0.wait()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command as Verb};
    use clap::Parser as _;
    use sorby::DeviceOptions;

    /// What is started is what the parser of the program understands.
    #[test]
    fn the_command_line_says_what_the_job_says() {
        for (resume, stock_operations) in [(false, false), (true, true)] {
            let job = TrainingJob {
                recipe: "/s/recipes/-h.toml".into(),
                run: "/s/runs/-h".into(),
                resume,
                data: "/s/dataset.toml".into(),
                device: DeviceOptions { name: "vulkan".into(), stock_operations },
                threads: 3,
                log: "/s/logs/-h.txt".into(),
            };
            let line = std::iter::once(OsString::from("sorby")).chain(arguments(&job));
            let parsed = Args::try_parse_from(line).unwrap();
            assert_eq!(parsed.threads, Some(3));
            let Verb::Train(train) = parsed.command else { panic!("another verb") };
            assert!(train.stop_with_parent && train.looked);
            assert_eq!(train.data, Some(job.data.clone()));
            assert_eq!(train.resume, resume.then(|| job.run.clone()));
            assert_eq!(
                (train.recipe, train.out),
                if resume { (None, None) } else { (Some(job.recipe), Some(job.run)) }
            );
            assert_eq!(train.device.options(), job.device);
        }
    }
}
