//! Which shard a task of a cluster is: the engine numbers its tasks, in environment variables.

use crate::Result;
use crate::error::{Context as _, refuse};
use crate::shard::Shard;

pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The shard of this process by what Slurm, HyperQueue or Kubernetes says of its task. With `count` the task's number
/// counts from 0, whatever tasks are started; without it Slurm's array must be whole and without gaps.
///
/// # Errors
/// When no engine says it, or a number is not of these shards.
pub fn of_environment(count: Option<usize>, variable: Variables) -> Result<Shard> {
    if let Some(id) = number("SLURM_ARRAY_TASK_ID", variable)? {
        return match count {
            Some(count) => from_zero("SLURM_ARRAY_TASK_ID", id, count),
            None => of_slurm(id, variable),
        };
    }
    for (name, all) in [("HQ_TASK_ID", Some("HQ_NUM_TASKS")), ("JOB_COMPLETION_INDEX", None)] {
        let Some(id) = number(name, variable)? else { continue };
        let known = all.map_or(Ok(None), |all| number(all, variable))?;
        let known = count.or(known);
        return from_zero(
            name,
            id,
            known.with_context(|| {
                format!("--shard auto: {name} is set, but not of how many; write --shard auto/N")
            })?,
        );
    }
    refuse!(
        "--shard auto: this is no task of an array (SLURM_ARRAY_TASK_ID, HQ_TASK_ID and JOB_COMPLETION_INDEX are not \
         set); write --shard I/N"
    )
}

/// An array of any first number, without gaps.
fn of_slurm(id: usize, variable: Variables) -> Result<Shard> {
    let needed = |name: &str| {
        number(name, variable)?
            .with_context(|| format!("--shard auto: {name} is not set; write --shard auto/N"))
    };
    let (count, first) = (needed("SLURM_ARRAY_TASK_COUNT")?, needed("SLURM_ARRAY_TASK_MIN")?);
    let last = number("SLURM_ARRAY_TASK_MAX", variable)?.unwrap_or(first + count.max(1) - 1);
    if last + 1 != first + count || !(first..=last).contains(&id) {
        refuse!(
            "--shard auto: the array {first} to {last} has {count} tasks, so it has gaps; write --shard auto/N"
        );
    }
    Shard::new(id - first + 1, count)
}

fn from_zero(name: &str, id: usize, count: usize) -> Result<Shard> {
    if id >= count {
        refuse!(
            "--shard auto/{count}: {name} is {id}; tasks are to be numbered from 0 to {}",
            count.max(1) - 1
        );
    }
    Shard::new(id + 1, count)
}

/// The number of this process among an engine's tasks, counted from 0.
///
/// # Errors
/// When no engine says it.
pub fn task_number(variable: Variables) -> Result<usize> {
    for name in ["SLURM_ARRAY_TASK_ID", "HQ_TASK_ID", "JOB_COMPLETION_INDEX"] {
        if let Some(number) = number(name, variable)? {
            return Ok(number);
        }
    }
    refuse!(
        "this is no task of an array (SLURM_ARRAY_TASK_ID, HQ_TASK_ID and JOB_COMPLETION_INDEX are not set); say which \
         task with --number"
    )
}

fn number(name: &str, variable: Variables) -> Result<Option<usize>> {
    let Some(text) = variable(name).filter(|t| !t.is_empty()) else { return Ok(None) };
    text.trim()
        .parse()
        .ok()
        .with_context(|| format!("{name} is `{text}`; a whole number is expected"))
        .map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shard of a task by such lines as `SLURM_ARRAY_TASK_ID=3`.
    fn shard(count: Option<usize>, lines: &str) -> Result<String> {
        let variable = |name: &str| {
            let of = lines.split(' ').find_map(|l| l.strip_prefix(name)?.strip_prefix('='));
            of.map(str::to_owned)
        };
        of_environment(count, &variable).map(|s| s.to_string())
    }

    #[test]
    fn each_engine_numbers_its_tasks() {
        let slurm =
            "SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_MAX=8 SLURM_ARRAY_TASK_ID=";
        assert_eq!(shard(None, &format!("{slurm}5")).unwrap(), "1/4");
        assert_eq!(shard(None, &format!("{slurm}8")).unwrap(), "4/4");
        assert_eq!(shard(Some(9), &format!("{slurm}8")).unwrap(), "9/9", "a given N: numbers from 0");
        assert_eq!(shard(None, "HQ_TASK_ID=0 HQ_NUM_TASKS=3").unwrap(), "1/3");
        assert_eq!(shard(Some(3), "HQ_TASK_ID=2").unwrap(), "3/3");
        assert_eq!(shard(Some(2), "JOB_COMPLETION_INDEX=1").unwrap(), "2/2");
    }

    #[test]
    fn what_an_engine_does_not_say_is_not_guessed() {
        let refusal = |count, lines: &str| shard(count, lines).unwrap_err().to_string();
        assert!(refusal(None, "").contains("no task of an array"));
        assert!(refusal(None, "JOB_COMPLETION_INDEX=1").contains("auto/N"));
        assert!(refusal(None, "HQ_TASK_ID=1").contains("auto/N"));
        assert!(refusal(None, "SLURM_ARRAY_TASK_ID=1").contains("SLURM_ARRAY_TASK_COUNT is not set"));
        assert!(refusal(Some(2), "JOB_COMPLETION_INDEX=2").contains("from 0 to 1"));
        assert!(refusal(Some(2), "HQ_TASK_ID=x").contains("a whole number"));
        // Only the tasks 3 and 7 of an array were started again: they are not 1/2 and 2/2.
        let gaps =
            "SLURM_ARRAY_TASK_COUNT=2 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_ID=3";
        assert!(refusal(None, gaps).contains("has gaps"));
    }
}
