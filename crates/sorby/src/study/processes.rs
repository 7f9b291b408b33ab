//! Trainings of a study as processes of the program.

use super::runner::{Ended, Launcher, RunningTraining, TrainingJob};
use crate::error::Context as _;
use crate::{Program, Result};
use std::ffi::OsString;
use std::process::{Child, Stdio};

/// Starts each training as a [process](Program) on this machine.
pub struct ChildProcesses;

/// The command line of a training, after the program's name; a test of the program parses it.
pub fn training_arguments(job: &TrainingJob) -> Vec<OsString> {
    let mut line: Vec<OsString> = vec!["--threads".into(), job.threads.to_string().into(), "train".into()];
    line.extend(["--stop-with-parent", "--looked"].map(OsString::from));
    if job.resume {
        line.extend(["--resume".into(), job.run.clone().into_os_string()]);
    } else {
        line.extend([job.recipe.clone().into(), "--out".into(), job.run.clone().into_os_string()]);
    }
    line.extend(place(job));
    line
}

/// What every start of a training says.
fn place(job: &TrainingJob) -> Vec<OsString> {
    let mut line = vec!["--data".into(), job.data.clone().into_os_string()];
    line.extend(["--device".into(), OsString::from(&job.device.name)]);
    line.extend(job.device.stock_operations.then(|| "--stock-operations".into()));
    line
}

/// The command line of the same training for another machine, whoever starts it and however often: it begins the run,
/// goes on with it, or does nothing where it is finished. `threads`: 0 for all that its process may use.
pub fn task_arguments(
    job: &TrainingJob,
    exit_code_for_more: u8,
    require_simd: Option<&str>,
) -> Vec<OsString> {
    let mut line: Vec<OsString> = Vec::new();
    if job.threads > 0 {
        line.extend(["--threads".into(), job.threads.to_string().into()]);
    }
    line.extend(["--exit-code-for-more".into(), exit_code_for_more.to_string().into()]);
    line.extend(["train", "--looked", "--continue"].map(OsString::from));
    line.extend(require_simd.into_iter().flat_map(|set| ["--require-simd".into(), set.into()]));
    line.extend(["--note-failure".into(), job.failure.clone().into_os_string()]);
    line.extend([job.recipe.clone().into(), "--out".into(), job.run.clone().into_os_string()]);
    line.extend(place(job));
    line
}

impl Launcher for ChildProcesses {
    fn start(&self, job: &TrainingJob) -> Result<Box<dyn RunningTraining>> {
        let log = std::fs::File::create(&job.log).with_context(|| job.log.display().to_string())?;
        // Its standard input stays open for as long as this process lives.
        let child = Program::own()?
            .command()
            .args(training_arguments(job))
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start a training")?;
        Ok(Box::new(Process(child)))
    }
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
