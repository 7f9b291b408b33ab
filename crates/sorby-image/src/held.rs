//! Something that one process of one machine holds: a run, a folder of results.
//!
//! A lock of the system says what other processes of this machine do, and on many network disks nothing of other machines.
//! So there is a file next to it as well, made exclusively, that says who holds it and that its holder writes to again and
//! again. Clocks of machines are not compared: who wants to take over from another machine looks on for so long that the
//! holder would have written.

use crate::{files, lock};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The environment variable that says how often a holder writes, in seconds.
pub const VARIABLE: &str = "SORBY_HEARTBEAT_S";

/// Without it.
#[cfg(not(test))]
const USUAL_S: f64 = 15.0;

/// A holder that has not written for so many times its interval is taken for dead.
const PATIENCE: u32 = 4;

/// Who holds something, as he wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Name of the machine.
    pub host: String,
    /// Number of the process there.
    pub pid: u32,
    /// What it computes with.
    pub instructions: String,
    /// When it began, in seconds since 1970.
    pub began: u64,
    /// Of this start of the machine.
    boot: String,
    token: String,
    beat: u64,
}

/// Held until dropped.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    token: String,
    state: Arc<State>,
    /// Its end ends the thread that writes.
    stop: Option<Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    _lock: Option<File>,
}

#[derive(Debug)]
struct State {
    lost: AtomicBool,
    written: Mutex<Instant>,
}

#[cfg(test)]
fn interval() -> Duration {
    Duration::from_millis(100)
}

#[cfg(not(test))]
fn interval() -> Duration {
    let said = std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok());
    Duration::from_secs_f64(said.filter(|s| (0.05..=3600.0).contains(s)).unwrap_or(USUAL_S))
}

/// `lock` becomes `lock-holder.txt`.
fn file_of(lock: &Path) -> PathBuf {
    let mut name = lock.as_os_str().to_owned();
    name.push("-holder.txt");
    name.into()
}

/// Who holds what this lock stands for, by his file, and how long ago he wrote.
pub fn holder(lock: &Path) -> Option<(Holder, Duration)> {
    let seen = Seen::at(&file_of(lock))?;
    Some((seen.holder?, seen.age))
}

/// The holder of another machine, or of this one before it was started again: [`take`] looks on for up to a minute whether it
/// lives.
pub fn left_elsewhere(lock: &Path) -> Option<Holder> {
    holder(lock).map(|(holder, _)| holder).filter(|holder| !holder.is_of_this_machine())
}

/// Whether the holder's file is of another machine that has written lately.
pub fn is_held_elsewhere(lock: &Path) -> bool {
    holder(lock).is_some_and(|(holder, age)| !holder.is_of_this_machine() && age < interval() * PATIENCE)
}

/// Takes the lock, and waits for it for so long where another process of this machine has it. Where another machine has it,
/// it is looked on until that machine writes (then it stays that machine's) or is certainly dead.
///
/// # Errors
/// When the files cannot be made. In the result, `Err` is who holds it, where that is known.
pub fn take(lock: &Path, wait: Duration, instructions: &str) -> io::Result<Result<Held, Option<Holder>>> {
    let file = files::open_lock(lock)?;
    let locked = match lock::wait_for(&file, wait) {
        Ok(()) => Some(file),
        Err(TryLockError::WouldBlock) => return Ok(Err(holder(lock).map(|(h, _)| h))),
        // This disk has no locks.
        Err(TryLockError::Error(_)) => None,
    };
    let path = file_of(lock);
    let me = Holder::me(instructions);
    let mut watched: Option<Watched> = None;
    for attempt in 0.. {
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Held::begin(path, file, me, locked).map(Ok),
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            Err(_) => {}
        }
        let Some(seen) = Seen::at(&path) else { continue };
        let here = seen.holder.as_ref().is_some_and(Holder::is_of_this_machine);
        // A process of this machine would have the lock.
        if !(locked.is_some() && here) {
            let first =
                watched.get_or_insert_with(|| Watched { text: seen.text.clone(), since: Instant::now() });
            if first.text != seen.text {
                return Ok(Err(seen.holder));
            }
            if first.since.elapsed() < seen.patience() {
                std::thread::sleep(interval().min(Duration::from_millis(500)));
                continue;
            }
        }
        if let Some(file) = taken_over(&path, &seen, &me, attempt)? {
            return Held::begin(path, file, me, locked).map(Ok);
        }
        std::thread::sleep(interval());
    }
    Ok(Err(None))
}

/// What was seen first, and when.
struct Watched {
    text: String,
    since: Instant,
}

/// A holder's file as it is now.
struct Seen {
    text: String,
    holder: Option<Holder>,
    age: Duration,
}

impl Seen {
    /// `None` where it is gone.
    fn at(path: &Path) -> Option<Self> {
        // Opened anew each time: only then does a network disk ask its server.
        let file = files::open_regular(path).ok()?;
        let written = file.metadata().and_then(|m| m.modified()).unwrap_or(UNIX_EPOCH);
        let age = SystemTime::now().duration_since(written).unwrap_or_default();
        let text = io::read_to_string(file).ok()?;
        Some(Self { holder: Holder::parse(&text), text, age })
    }

    /// How long it must be looked at. What was written long ago, however wrong the clocks, needs a look of one interval.
    fn patience(&self) -> Duration {
        let usual = interval() * PATIENCE;
        if self.age > usual * 10 { interval() * 5 / 4 } else { usual }
    }
}

/// Puts our file in the place of a dead holder's. Of several who try, one succeeds: who makes the file named after the dead
/// one's token and this attempt.
fn taken_over(path: &Path, dead: &Seen, me: &Holder, attempt: u32) -> io::Result<Option<File>> {
    let token = dead.holder.as_ref().map_or("unknown", |h| h.token.as_str());
    let named = |ending: String| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let marker = named(format!(".taken-{token}-{attempt}"));
    match OpenOptions::new().write(true).create_new(true).open(&marker) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        made => drop(made?),
    }
    let take = || -> io::Result<Option<File>> {
        // One who took it before us may have done away with the marker.
        if Seen::at(path).is_none_or(|now| now.text != dead.text) {
            return Ok(None);
        }
        let new = named(format!(".new-{}", me.token));
        let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
        file.write_all(me.text().as_bytes())?;
        std::fs::rename(&new, path)?;
        Ok(Some(file))
    };
    let taken = take();
    let _ = std::fs::remove_file(&marker);
    taken
}

impl Held {
    fn begin(path: PathBuf, mut file: File, mut me: Holder, lock: Option<File>) -> io::Result<Self> {
        let token = me.token.clone();
        if let Err(error) = write(&mut file, &me) {
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        let state = Arc::new(State { lost: AtomicBool::new(false), written: Mutex::new(Instant::now()) });
        let (stop, stopped) = channel::<()>();
        let (shared, place, every) = (state.clone(), path.clone(), interval());
        let thread = std::thread::Builder::new().name("heartbeat".to_owned()).spawn(move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                me.beat += 1;
                // Through the open file: where another has taken over, this reaches nobody.
                let written = write(&mut file, &me).is_ok();
                if !is_of(&place, &me.token) {
                    shared.lost.store(true, Ordering::SeqCst);
                    return;
                }
                if written {
                    *shared.written.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                }
            }
        })?;
        Ok(Self { path, token, state, stop: Some(stop), thread: Some(thread), _lock: lock })
    }

    /// Whether another machine has taken it over, because this one gave no sign for too long.
    pub fn is_lost(&self) -> bool {
        if self.state.lost.load(Ordering::SeqCst) {
            return true;
        }
        let since = self.state.written.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        since > interval() * (PATIENCE - 1) && !is_of(&self.path, &self.token)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if is_of(&self.path, &self.token) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn is_of(path: &Path, token: &str) -> bool {
    Seen::at(path).and_then(|seen| seen.holder).is_some_and(|holder| holder.token == token)
}

fn write(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(holder.text().as_bytes())?;
    file.sync_data()
}

/// `host, process 12`.
impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}, process {}", self.host, self.pid)
    }
}

impl Holder {
    fn me(instructions: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (host, pid, boot) = (host(), std::process::id(), boot());
        let seed = format!("{host} {pid} {boot} {} {:?}", now.as_nanos(), std::thread::current().id());
        let token = blake3::hash(seed.as_bytes()).to_hex()[..16].to_owned();
        let instructions = instructions.to_owned();
        Self { host, pid, instructions, began: now.as_secs(), boot, token, beat: 0 }
    }

    fn is_of_this_machine(&self) -> bool {
        let boot = boot();
        if boot.is_empty() { self.host == host() } else { self.boot == boot }
    }

    /// Of one length, however often it was written.
    fn text(&self) -> String {
        let Self { host, pid, instructions, began, boot, token, beat } = self;
        format!(
            "host {host}\npid {pid}\ninstructions {instructions}\nbegan {began}\nboot {boot}\ntoken {token}\nbeat {beat:012}\n"
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let line = |key: &str| {
            let value = text.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(' '))?;
            Some(value.to_owned())
        };
        Some(Self {
            host: line("host")?,
            pid: line("pid")?.parse().ok()?,
            instructions: line("instructions")?,
            began: line("began")?.parse().ok()?,
            boot: line("boot")?,
            token: line("token")?,
            beat: line("beat")?.parse().ok()?,
        })
    }
}

/// Name of this machine.
fn host() -> String {
    let named = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = named.or_else(|| std::env::var("COMPUTERNAME").ok()).or_else(|| {
        let output = std::process::Command::new("hostname").output().ok()?;
        String::from_utf8(output.stdout).ok()
    });
    named.map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// What no other start of any machine has; empty where the system has no such thing.
fn boot() -> String {
    let said = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    said.map_or(String::new(), |id| id.trim().to_owned())
}

#[cfg(test)]
mod tests;
