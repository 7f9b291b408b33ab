//! Long work: the program's own verbs as child processes. What happens to one of them happens to nothing else.

use crate::error::{Answer, Refusal};
use crate::lock::lock;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use sorby::Program;
use sorby::words::quoted;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::broadcast;

/// Lines kept of what a job says.
const LINES: usize = 200;
/// Jobs remembered after their end.
const REMEMBERED: usize = 50;
/// Jobs that may wait.
const QUEUED: usize = 100;
/// Jobs that run at once and train nothing.
const OTHERS: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits until others have ended.
    Queued,
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
    /// What the page asked for, so that it can ask for it again.
    pub asked: Value,
}

struct Job {
    view: JobView,
    /// Of its command line.
    words: Vec<String>,
    lines: VecDeque<String>,
    began: Instant,
    trains: bool,
    /// While it waits.
    order: Option<Order>,
    /// Open as long as the job may go on; a training stops in order when it closes.
    stdin: Option<ChildStdin>,
    /// Killing is how a study, and what has nothing to lose, is stopped.
    child: Option<Arc<Mutex<Child>>>,
    asked_to_stop: bool,
}

pub struct Jobs(Arc<Board>);

/// What the threads that follow children share.
struct Board {
    list: Mutex<Vec<Job>>,
    events: broadcast::Sender<String>,
    next: AtomicU64,
    trainings: usize,
    threads: Option<usize>,
}

/// A job to be started.
pub struct Order {
    pub program: Program,
    pub folder: PathBuf,
    pub arguments: Vec<OsString>,
    pub title: String,
    pub result: Option<String>,
    /// What the page asked for.
    pub asked: Value,
    /// Gets all that was printed, unless the job is stopped: a check that finds problems has told of them.
    pub then: Option<Then>,
}

impl Order {
    fn verb(&self) -> String {
        self.arguments.first().map(|a| a.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Whether it trains networks, which takes all cores for long.
    fn trains(&self) -> bool {
        let words: Vec<_> = self.arguments.iter().take(2).map(|a| a.to_string_lossy()).collect();
        words.first().is_some_and(|w| w == "train") || words == ["study", "run"]
    }

    fn shown(&self) -> String {
        let hidden = |a: &&OsString| *a != "--stop-with-parent";
        let words = self.arguments.iter().filter(hidden).map(|a| quoted(&a.to_string_lossy()));
        format!("sorby {}", words.collect::<Vec<_>>().join(" "))
    }

    fn spawn(&self, threads: Option<usize>) -> std::io::Result<Child> {
        let threads = threads.map(|n| ["--threads".to_owned(), n.to_string()]);
        self.program
            .command()
            .current_dir(&self.folder)
            .args(threads.into_iter().flatten())
            .args(&self.arguments)
            // What visitors have to know is nothing for the lists of processes of others.
            .env_remove(crate::TOKEN_VARIABLE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }
}

impl Jobs {
    /// `trainings` is how many may run at once; those ordered beyond that wait. Every job gets `threads`.
    pub fn new(events: broadcast::Sender<String>, trainings: usize, threads: Option<usize>) -> Self {
        let (list, next) = (Mutex::default(), AtomicU64::new(1));
        Self(Arc::new(Board { list, events, next, trainings: trainings.max(1), threads }))
    }

    pub fn views(&self) -> Vec<JobView> {
        let mut list = lock(&self.0.list);
        list.iter_mut().for_each(Job::tick);
        list.iter().map(|j| j.view.clone()).collect()
    }

    pub fn lines(&self, id: u64) -> Option<Vec<String>> {
        lock(&self.0.list).iter().find(|j| j.view.id == id).map(|j| j.lines.iter().cloned().collect())
    }

    /// Starts a job, or puts it into the queue.
    ///
    /// # Errors
    /// When a job of this verb is there for the same result (two must not write the same files), when very many wait, or
    /// when the program cannot be started.
    pub fn start(&self, order: Order) -> Answer<u64> {
        let id = self.0.queue(order)?;
        self.0.fill();
        let mut list = lock(&self.0.list);
        match list.iter().position(|j| j.view.id == id && j.never_began()) {
            // Whoever asked is told; nothing is left to look at.
            Some(place) => Err(Refusal::bad(list.remove(place).view.last)),
            None => Ok(id),
        }
    }

    /// Asks a job to stop: a training keeps every step, a study its finished trainings. One that waits is not begun.
    pub fn stop(&self, id: u64) -> Answer<()> {
        let mut list = lock(&self.0.list);
        let job =
            list.iter_mut().find(|j| j.view.id == id).ok_or_else(|| Refusal::not_found("no such job"))?;
        job.stop();
        let _ = self.0.events.send(json!({"kind": "job", "job": job.view}).to_string());
        Ok(())
    }

    /// Whether a job that goes on or waits writes a result, or reads it.
    pub fn is_used(&self, result: &str) -> bool {
        let list = lock(&self.0.list);
        let open = |j: &&Job| matches!(j.view.state, State::Running | State::Queued);
        let names =
            |word: &str| word == result || word.strip_prefix(result).is_some_and(|r| r.starts_with('/'));
        list.iter()
            .filter(open)
            .any(|j| j.view.result.as_deref().is_some_and(names) || j.words.iter().any(|word| names(word)))
    }

    /// Whether any job goes on or waits.
    pub fn is_busy(&self) -> bool {
        lock(&self.0.list).iter().any(|j| matches!(j.view.state, State::Running | State::Queued))
    }

    pub fn stop_all(&self) {
        lock(&self.0.list).iter_mut().for_each(Job::stop);
    }
}

impl Board {
    fn queue(&self, order: Order) -> Answer<u64> {
        let mut list = lock(&self.list);
        let verb = order.verb();
        let open = |j: &&Job| matches!(j.view.state, State::Running | State::Queued);
        if list.iter().filter(open).any(|j| j.view.verb == verb && j.view.result == order.result) {
            return Err(Refusal::new(StatusCode::CONFLICT, "this is being done already, or waits to be"));
        }
        if list.iter().filter(|j| j.view.state == State::Queued).count() >= QUEUED {
            let what = format!("{QUEUED} jobs wait already; stop some of them first");
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, what));
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let view = JobView {
            id,
            title: order.title.clone(),
            command: order.shown(),
            state: State::Queued,
            seconds: 0.0,
            last: "waits until others have ended".to_owned(),
            result: order.result.clone(),
            asked: order.asked.clone(),
            verb,
        };
        list.push(Job {
            view,
            words: order.arguments.iter().map(|a| a.to_string_lossy().into_owned()).collect(),
            lines: VecDeque::new(),
            began: Instant::now(),
            trains: order.trains(),
            order: Some(order),
            stdin: None,
            child: None,
            asked_to_stop: false,
        });
        let done = list.iter().filter(|j| j.has_ended()).count();
        if done > REMEMBERED
            && let Some(place) = list.iter().position(Job::has_ended)
        {
            list.remove(place);
        }
        Ok(id)
    }

    /// Begins jobs that wait, in their order, as long as there is room for their kind.
    fn fill(self: &Arc<Self>) {
        let mut list = lock(&self.list);
        for trains in [true, false] {
            let most = if trains { self.trainings } else { OTHERS };
            let running =
                list.iter().filter(|j| j.view.state == State::Running && j.trains == trains).count();
            let mut room = most.saturating_sub(running);
            for job in list.iter_mut().filter(|j| j.view.state == State::Queued && j.trains == trains) {
                if room == 0 {
                    break;
                }
                room -= usize::from(self.begin(job));
            }
        }
    }

    /// Starts the process of a job; false when that cannot be done.
    fn begin(self: &Arc<Self>, job: &mut Job) -> bool {
        let Some(order) = job.order.take() else { return false };
        job.began = Instant::now();
        let mut child = match order.spawn(self.threads) {
            Ok(child) => child,
            Err(error) => {
                job.view.state = State::Failed;
                job.view.last = format!("error: cannot start `sorby {}`: {error}", job.view.verb);
                let _ = self.events.send(json!({"kind": "job", "job": job.view}).to_string());
                return false;
            }
        };
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        job.stdin = child.stdin.take();
        let child = Arc::new(Mutex::new(child));
        job.child = Some(child.clone());
        (job.view.state, job.view.last) = (State::Running, String::new());
        let (board, id) = (self.clone(), job.view.id);
        std::thread::spawn(move || {
            follow(&board, id, &child, stdout, stderr, order.then);
            board.fill();
        });
        true
    }
}

impl Job {
    fn tick(&mut self) {
        if self.view.state == State::Running {
            self.view.seconds = self.began.elapsed().as_secs_f64();
        }
    }

    fn has_ended(&self) -> bool {
        !matches!(self.view.state, State::Running | State::Queued)
    }

    /// Whether its process could not be started.
    fn never_began(&self) -> bool {
        self.view.state == State::Failed
            && self.lines.is_empty()
            && self.view.last.starts_with("error: cannot start")
    }

    fn stop(&mut self) {
        self.asked_to_stop = true;
        if self.order.take().is_some() {
            (self.view.state, self.view.last) = (State::Stopped, "was not begun".to_owned());
        }
        self.stdin = None;
        if self.view.verb != "train"
            && let Some(child) = &self.child
        {
            // It may have ended by itself.
            let _ = lock(child).kill();
        }
    }
}

/// Reads what a child prints until it ends, then tells how it ended.
fn follow(
    board: &Arc<Board>,
    id: u64,
    child: &Mutex<Child>,
    stdout: Option<impl Read + Send + 'static>,
    stderr: Option<impl Read + Send + 'static>,
    then: Option<Then>,
) {
    let whole = Arc::new(Mutex::new(String::new()));
    let listen = |stream: Option<Box<dyn Read + Send>>, keep: bool| {
        let (board, whole) = (board.clone(), whole.clone());
        std::thread::spawn(move || {
            let Some(stream) = stream else { return };
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if keep {
                    let mut whole = lock(&whole);
                    whole.push_str(&line);
                    whole.push('\n');
                }
                said(&board, id, line);
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
    let mut list = lock(&board.list);
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
        let _ = board.events.send(json!({"kind": "job", "job": job.view}).to_string());
        let _ = board.events.send(json!({"kind": "project"}).to_string());
    }
}

fn said(board: &Board, id: u64, line: String) {
    if line.is_empty() {
        return;
    }
    let mut list = lock(&board.list);
    let Some(job) = list.iter_mut().find(|j| j.view.id == id) else { return };
    job.tick();
    job.view.last = line.chars().take(400).collect();
    job.lines.push_back(line);
    if job.lines.len() > LINES {
        job.lines.pop_front();
    }
    let _ = board.events.send(json!({"kind": "job", "job": job.view}).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(arguments: &[&str]) -> Order {
        Order {
            program: Program::of("/bin/sh", [""; 0]),
            folder: PathBuf::from("/"),
            arguments: arguments.iter().map(OsString::from).collect(),
            title: String::new(),
            result: None,
            asked: Value::Null,
            then: None,
        }
    }

    fn run(arguments: &[&str]) -> (Jobs, u64) {
        let (events, _) = broadcast::channel(64);
        let jobs = Jobs::new(events, 1, None);
        let id = jobs.start(order(arguments)).unwrap();
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
    fn ends_are_distinguished() {
        let (jobs, id) = run(&["-c", "echo one; echo two >&2; exit 0"]);
        assert_eq!(ended(&jobs).state, State::Done);
        let mut lines = jobs.lines(id).unwrap();
        lines.sort();
        assert_eq!(lines, ["one", "two"]);
        let (jobs, _) = run(&["-c", "echo error: no disk >&2; echo later; exit 2"]);
        let view = ended(&jobs);
        assert_eq!((view.state, view.last.as_str()), (State::Failed, "error: no disk"));
        let (jobs, id) = run(&["-c", "exec sleep 60"]);
        assert!(jobs.start(order(&["-c", "true"])).is_err(), "two must not write the same files");
        jobs.stop(id).unwrap();
        assert_eq!(ended(&jobs).state, State::Stopped);
        assert!(jobs.stop(99).is_err());
        let missing = Order { program: Program::of("/nowhere", [""; 0]), ..order(&["x"]) };
        assert!(jobs.start(missing).unwrap_err().what.contains("cannot start"));
        assert_eq!(jobs.views().len(), 1);
    }

    /// A program that takes any arguments and waits.
    #[cfg(unix)]
    #[test]
    fn trainings_run_one_by_one_and_can_be_taken_back() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        std::fs::write(&program, "#!/bin/sh\ntest -e \"$2\" || exec sleep 60\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let program = Program::of(program, [""; 0]);
        let (events, _) = broadcast::channel(64);
        let jobs = Jobs::new(events, 1, None);
        let train = |result: &str| Order {
            program: program.clone(),
            result: Some(result.to_owned()),
            ..order(&["train", "waits"])
        };
        let ids: Vec<u64> = (0..12).map(|i| jobs.start(train(&format!("runs/{i}"))).unwrap()).collect();
        let states = |wanted: State| jobs.views().iter().filter(|v| v.state == wanted).count();
        assert_eq!((states(State::Running), states(State::Queued)), (1, 11));
        assert_eq!(jobs.start(train("runs/5")).unwrap_err().status, StatusCode::CONFLICT);
        let other = Order { program: program.clone(), ..order(&["segment", "waits"]) };
        jobs.start(other).unwrap();
        assert_eq!(states(State::Running), 2, "what trains nothing does not wait for trainings");
        jobs.stop(ids[1]).unwrap();
        assert_eq!((states(State::Stopped), states(State::Queued)), (1, 10));
        let first = lock(&jobs.0.list)[0].child.clone().unwrap();
        lock(&first).kill().unwrap();
        for _ in 0..200 {
            if jobs.views()[2].state == State::Running {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        assert_eq!(jobs.views()[2].state, State::Running, "the next in the queue");
        jobs.stop_all();
        assert_eq!(states(State::Queued), 0);
        for job in lock(&jobs.0.list).iter() {
            job.child.iter().for_each(|c| drop(lock(c).kill()));
        }
    }

    #[test]
    fn what_a_job_reads_is_used_whatever_its_name() {
        let jobs = Jobs::new(broadcast::channel(4).0, 1, None);
        let words = ["-c", "sleep 60", "runs/my run", "images/b.png"];
        let order = Order {
            program: Program::of("sh", [""; 0]),
            folder: ".".into(),
            arguments: words.map(Into::into).to_vec(),
            title: String::new(),
            result: Some("predictions/p".into()),
            asked: Value::Null,
            then: None,
        };
        jobs.start(order).unwrap();
        for (result, used) in
            [("runs/my run", true), ("predictions/p", true), ("images", true), ("runs/my", false)]
        {
            assert_eq!(jobs.is_used(result), used, "{result}");
        }
        for job in lock(&jobs.0.list).iter() {
            job.child.iter().for_each(|c| drop(lock(c).kill()));
        }
    }
}
