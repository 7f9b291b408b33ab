//! Long work: the program's own verbs as child processes. What happens to one of them happens to nothing else.

use crate::error::{Answer, Refusal};
use serde::Serialize;
use serde_json::json;
use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::broadcast;

/// Lines kept of what a job says.
const LINES: usize = 200;
/// Jobs remembered after their end.
const REMEMBERED: usize = 50;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Running,
    Done,
    /// Ended with some problems told.
    Partly,
    Failed,
    Stopped,
}

/// What is done when a job has ended by itself.
pub type Then = Box<dyn FnOnce(&str) + Send>;

#[derive(Serialize, Clone)]
pub struct JobView {
    pub id: u64,
    /// `train`, `segment`, ...
    pub verb: String,
    pub title: String,
    /// What to type to do the same.
    pub command: String,
    pub state: State,
    pub seconds: f64,
    pub last: String,
    /// Where the outcome can be looked at, from the project's root.
    pub result: Option<String>,
}

struct Job {
    view: JobView,
    lines: VecDeque<String>,
    began: Instant,
    /// Open as long as the job may go on; a training stops in order when it closes.
    stdin: Option<ChildStdin>,
    /// Killing is how a study, and what has nothing to lose, is stopped.
    child: Option<Arc<Mutex<Child>>>,
    asked_to_stop: bool,
}

pub struct Jobs {
    list: Arc<Mutex<Vec<Job>>>,
    events: broadcast::Sender<String>,
}

/// A job to be started.
pub struct Order<'a> {
    pub program: &'a Path,
    pub folder: &'a Path,
    pub arguments: Vec<String>,
    pub title: String,
    pub result: Option<String>,
    /// Gets all that was printed, unless the job is stopped: a check that finds problems has told of them.
    pub then: Option<Then>,
}

impl Jobs {
    pub fn new(events: broadcast::Sender<String>) -> Self {
        Self { list: Arc::default(), events }
    }

    pub fn views(&self) -> Vec<JobView> {
        let mut list = lock(&self.list);
        list.iter_mut().for_each(Job::tick);
        list.iter().map(|j| j.view.clone()).collect()
    }

    pub fn lines(&self, id: u64) -> Option<Vec<String>> {
        lock(&self.list).iter().find(|j| j.view.id == id).map(|j| j.lines.iter().cloned().collect())
    }

    /// Whether a job of this verb is running for this result: two must not write the same files.
    pub fn is_running(&self, verb: &str, result: Option<&str>) -> bool {
        let same = |j: &Job| {
            j.view.state == State::Running && j.view.verb == verb && j.view.result.as_deref() == result
        };
        lock(&self.list).iter().any(same)
    }

    pub fn start(&self, order: Order) -> Answer<u64> {
        let verb = order.arguments.first().cloned().unwrap_or_default();
        if self.is_running(&verb, order.result.as_deref()) {
            return Err(Refusal::new(axum::http::StatusCode::CONFLICT, "this is being done already"));
        }
        let mut command = Command::new(order.program);
        command.current_dir(order.folder).args(&order.arguments);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().map_err(|e| Refusal::bad(format!("cannot start `sorby {verb}`: {e}")))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let child = Arc::new(Mutex::new(child));
        let mut list = lock(&self.list);
        let id = list.last().map_or(1, |j| j.view.id + 1);
        let shown = order.arguments.iter().filter(|a| *a != "--stop-with-parent").map(|a| quoted(a));
        let view = JobView {
            id,
            title: order.title,
            command: format!("sorby {}", shown.collect::<Vec<_>>().join(" ")),
            state: State::Running,
            seconds: 0.0,
            last: String::new(),
            result: order.result,
            verb,
        };
        let began = Instant::now();
        list.push(Job {
            view,
            lines: VecDeque::new(),
            began,
            stdin,
            child: Some(child.clone()),
            asked_to_stop: false,
        });
        let done = list.iter().filter(|j| j.view.state != State::Running).count();
        if done > REMEMBERED
            && let Some(place) = list.iter().position(|j| j.view.state != State::Running)
        {
            list.remove(place);
        }
        drop(list);
        let (all, events, then) = (self.list.clone(), self.events.clone(), order.then);
        std::thread::spawn(move || follow(&all, &events, id, &child, stdout, stderr, then));
        Ok(id)
    }

    /// Asks a job to stop: a training keeps every step, a study its finished trainings.
    pub fn stop(&self, id: u64) -> Answer<()> {
        let mut list = lock(&self.list);
        let job =
            list.iter_mut().find(|j| j.view.id == id).ok_or_else(|| Refusal::not_found("no such job"))?;
        job.stop();
        Ok(())
    }

    pub fn stop_all(&self) {
        lock(&self.list).iter_mut().for_each(Job::stop);
    }
}

impl Job {
    fn tick(&mut self) {
        if self.view.state == State::Running {
            self.view.seconds = self.began.elapsed().as_secs_f64();
        }
    }

    fn stop(&mut self) {
        self.asked_to_stop = true;
        self.stdin = None;
        if self.view.verb != "train"
            && let Some(child) = &self.child
        {
            // It may have ended by itself.
            let _ = lock(child).kill();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// Reads what a child prints until it ends, then tells how it ended.
fn follow(
    list: &Arc<Mutex<Vec<Job>>>,
    events: &broadcast::Sender<String>,
    id: u64,
    child: &Mutex<Child>,
    stdout: Option<impl Read + Send + 'static>,
    stderr: Option<impl Read + Send + 'static>,
    then: Option<Then>,
) {
    let whole = Arc::new(Mutex::new(String::new()));
    let listen = |stream: Option<Box<dyn Read + Send>>, keep: bool| {
        let (list, events, whole) = (list.clone(), events.clone(), whole.clone());
        std::thread::spawn(move || {
            let Some(stream) = stream else { return };
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if keep {
                    let mut whole = lock(&whole);
                    whole.push_str(&line);
                    whole.push('\n');
                }
                said(&list, &events, id, line);
            }
        })
    };
    let readers = [
        listen(stdout.map(|s| Box::new(s) as Box<dyn Read + Send>), true),
        listen(stderr.map(|s| Box::new(s) as Box<dyn Read + Send>), false),
    ];
    for reader in readers {
        let _ = reader.join();
    }
    let code = lock(child).wait().ok().and_then(|s| s.code());
    if let (Some(0..=2), Some(then)) = (code, then) {
        then(&lock(&whole));
    }
    let mut list = lock(list);
    if let Some(job) = list.iter_mut().find(|j| j.view.id == id) {
        job.tick();
        job.view.state = match code {
            Some(0) => State::Done,
            Some(130 | 75) | None if job.asked_to_stop => State::Stopped,
            Some(130) => State::Stopped,
            Some(1) => State::Partly,
            _ => State::Failed,
        };
        if job.view.state == State::Failed
            && let Some(line) =
                job.lines.iter().rev().find(|l| l.starts_with("error: ") || l.starts_with("problem: "))
        {
            job.view.last = line.clone();
        }
        (job.stdin, job.child) = (None, None);
        let _ = events.send(json!({"kind": "job", "job": job.view}).to_string());
        let _ = events.send(json!({"kind": "project"}).to_string());
    }
}

fn said(list: &Mutex<Vec<Job>>, events: &broadcast::Sender<String>, id: u64, line: String) {
    if line.is_empty() {
        return;
    }
    let mut list = lock(list);
    let Some(job) = list.iter_mut().find(|j| j.view.id == id) else { return };
    job.tick();
    job.view.last = line.chars().take(400).collect();
    job.lines.push_back(line);
    if job.lines.len() > LINES {
        job.lines.pop_front();
    }
    let _ = events.send(json!({"kind": "job", "job": job.view}).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str]) -> (Jobs, u64) {
        let (events, _) = broadcast::channel(64);
        let jobs = Jobs::new(events);
        let order = Order {
            program: Path::new("/bin/sh"),
            folder: Path::new("/"),
            arguments: arguments.iter().map(|a| (*a).to_owned()).collect(),
            title: String::new(),
            result: None,
            then: None,
        };
        let id = jobs.start(order).unwrap();
        (jobs, id)
    }

    fn ended(jobs: &Jobs) -> JobView {
        for _ in 0..200 {
            let view = jobs.views().remove(0);
            if view.state != State::Running {
                return view;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("does not end");
    }

    #[cfg(unix)]
    #[test]
    fn ends_are_told_apart() {
        let (jobs, id) = run(&["-c", "echo one; echo two >&2; exit 0"]);
        assert_eq!(ended(&jobs).state, State::Done);
        let mut lines = jobs.lines(id).unwrap();
        lines.sort();
        assert_eq!(lines, ["one", "two"]);
        let (jobs, _) = run(&["-c", "echo error: no disk >&2; echo later; exit 2"]);
        let view = ended(&jobs);
        assert_eq!((view.state, view.last.as_str()), (State::Failed, "error: no disk"));
        let (jobs, id) = run(&["-c", "exec sleep 60"]);
        assert!(jobs.is_running("-c", None));
        jobs.stop(id).unwrap();
        assert_eq!(ended(&jobs).state, State::Stopped);
        assert!(jobs.stop(99).is_err());
    }

    #[test]
    fn commands_can_be_typed_again() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted("--set"), "--set");
    }
}
