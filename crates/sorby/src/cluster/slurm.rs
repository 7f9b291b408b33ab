//! Slurm: an array, and a job after it.

use super::submit::Submission;
use super::task::line;
use super::{EngineOptions, Submitted, Work, site};
use crate::Result;
use crate::error::refuse;
use crate::words::quoted;
use std::path::PathBuf;
use std::process::Command;

/// Starts of a task, after which it is left: something ends it each time before it gets on.
const MOST_RESTARTS: usize = 200;

/// The scripts and the commands.
pub fn plan(work: &Work, options: &EngineOptions) -> Submission {
    let arguments = &options.engine_arguments;
    let [array, collect] = scripts(work);
    let texts = [array_script(work, options, site::array_limit()), collect_script(work)];
    let typed = |words: &[&str], script: &PathBuf| {
        let mut all: Vec<String> = words.iter().map(|w| w.to_string()).collect();
        all.extend(arguments.iter().map(|a| quoted(a)));
        all.push(quoted(&script.display().to_string()));
        all.join(" ")
    };
    let after = format!("{}$job", dependency(work));
    let mut submission = Submission {
        submit: vec![
            format!("job=$({})", typed(&["sbatch", "--parsable"], &array)),
            typed(&["sbatch", "--kill-on-invalid-dep=yes", &after], &collect),
        ],
        watch: work.watched_by(&["squeue --me --array"]),
        collect: vec![work.collect.task.line()],
        ..Submission::default()
    };
    submission.files.extend([array, collect].into_iter().zip(texts));
    submission
}

/// Submits the scripts; gives the array's number.
///
/// # Errors
/// When there is no `sbatch`, it refuses, or what was submitted before still waits.
pub fn run(work: &Work, options: &EngineOptions) -> Result<String> {
    if !site::answers("sbatch", &["--version"]) {
        refuse!(
            "--run: no sbatch answers on this machine; type the commands that are printed without --run where it is"
        );
    }
    if let Some(before) = Submitted::read(&work.out).filter(|r| r.executor == "slurm")
        && let Ok(left) = site::output(Command::new("squeue").args(["-h", "-o", "%i", "-j", &before.job]))
        && !left.is_empty()
    {
        let job = before.job;
        refuse!("job {job} of this work is in the queue still: wait for it, or end it first: scancel {job}");
    }
    let [array, collect] = scripts(work);
    let sbatch = |words: &[String], script: PathBuf| {
        let mut command = Command::new("sbatch");
        command.arg("--parsable").args(words).args(&options.engine_arguments).arg(script);
        // A job that submits the next one is no place of it: what Slurm says of itself is not handed on.
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("SLURM_") && name_text != "SLURM_CONF"
                || name_text.starts_with("SBATCH_")
            {
                command.env_remove(&name);
            }
        }
        site::output(&mut command)
    };
    // `17` or `17;cluster`.
    let printed = sbatch(&[], array)?;
    let job = printed.split(';').next().unwrap_or_default().to_owned();
    Submitted::note(work, "slurm", &job)?;
    sbatch(&["--kill-on-invalid-dep=yes".to_owned(), format!("{}{job}", dependency(work))], collect)?;
    Ok(job)
}

fn scripts(work: &Work) -> [PathBuf; 2] {
    ["array.sbatch", "collect.sbatch"].map(|name| work.scripts().join(name))
}

fn dependency(work: &Work) -> &'static str {
    if work.collect.even_if_some_failed { "--dependency=afterany:" } else { "--dependency=afterok:" }
}

/// One task of the array does every so-many-th command, so an array is never larger than the site allows.
fn array_script(work: &Work, options: &EngineOptions, most: usize) -> String {
    let (all, size) = (work.tasks.len(), work.tasks.len().min(most));
    let at_once = options.at_once.map_or(String::new(), |n| format!("%{n}"));
    let cpus = options.cpus.map_or(String::new(), |n| format!("#SBATCH --cpus-per-task={n}\n"));
    let (name, starter) = (&work.name, line(&work.starter()));
    let logs = work.logs().join("%A_%a.txt").display().to_string();
    format!(
        r#"#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --array=0-{last}{at_once}
#SBATCH --output="{logs}"
{cpus}#SBATCH --signal=B:USR2@120
#SBATCH --requeue
#SBATCH --open-mode=append
# {all} tasks in an array of {size}. Slurm's signals are handed on; a task that answers 75 was stopped and is put back.
hand_on() {{
  signalled=1
  handed=$1
  [ -n "$task" ] && kill -s "$1" "$task"
}}
trap 'hand_on USR1' USR1
trap 'hand_on USR2' USR2
trap 'hand_on TERM' TERM
echo "task $SLURM_ARRAY_TASK_ID, start ${{SLURM_RESTART_COUNT:-0}}"
failed=0
for ((number = SLURM_ARRAY_TASK_ID; number < {all}; number += {size})); do
  signalled=0
  {starter} --number $number &
  task=$!
  [ -n "$handed" ] && kill -s "$handed" $task
  wait $task
  code=$?
  # A signal ends the waiting, not the task.
  while [ $signalled = 1 ]; do
    signalled=0
    wait $task
    again=$?
    [ $again != 127 ] && code=$again
  done
  task=
  # Before it listens, a signal ends it: 128 and 10, 12 or 15.
  case "$handed$code" in USR1138 | USR2140 | TERM143) code=75 ;; esac
  if [ $code = 75 ] && [ "${{SLURM_RESTART_COUNT:-0}}" -lt {MOST_RESTARTS} ]; then
    scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"
    exit 75
  fi
  [ $code != 0 ] && failed=$code
done
exit $failed
"#,
        last = size.saturating_sub(1),
    )
}

fn collect_script(work: &Work) -> String {
    let (name, logs) = (&work.name, work.logs().join("%j-collect.txt").display().to_string());
    let starter = line(&work.starter());
    format!(
        "#!/bin/bash\n#SBATCH --job-name={name}-collect\n#SBATCH --output=\"{logs}\"\n#SBATCH --requeue\n\
         #SBATCH --open-mode=append\nexec {starter} --number {}\n",
        work.tasks.len()
    )
}

#[cfg(test)]
mod tests {
    use super::super::Executor;
    use super::super::tests::{options, work};
    use super::*;

    #[test]
    fn an_array_is_no_larger_than_the_site_allows() {
        let script = |tasks: usize, most| array_script(&work(tasks), &options(Executor::Slurm), most);
        let text = script(6, 1001);
        assert!(
            text.contains("#SBATCH --array=0-5%4\n") && text.contains("#SBATCH --cpus-per-task=3\n"),
            "{text}"
        );
        assert!(text.contains("number < 6; number += 6"), "{text}");
        let text = script(2500, 1001);
        assert!(
            text.contains("#SBATCH --array=0-1000%4\n") && text.contains("number < 2500; number += 1001")
        );
    }

    /// Bash reads the script, does every so-many-th task and hands the exit code on.
    #[cfg(unix)]
    #[test]
    fn the_script_does_its_share_and_says_what_failed() {
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("said");
        let mut work = work(5);
        let stand_in = folder.path().join("stand-in");
        let text = format!("#!/bin/sh\necho $5 >> {}\n[ $5 != 3 ] || exit 4\n", said.display());
        std::fs::write(&stand_in, text).unwrap();
        work.collect.task.program = vec!["sh".into(), stand_in.display().to_string()];
        let script = folder.path().join("array.sbatch");
        std::fs::write(&script, array_script(&work, &options(Executor::Slurm), 2)).unwrap();
        let code = |id: &str| {
            let mut bash = Command::new("bash");
            bash.arg(&script).env("SLURM_ARRAY_TASK_ID", id).status().unwrap().code()
        };
        assert_eq!((code("0"), code("1")), (Some(0), Some(4)));
        assert_eq!(std::fs::read_to_string(&said).unwrap(), "0\n2\n4\n1\n3\n");
    }
}
