use super::*;

const NO_WAIT: Duration = Duration::ZERO;

/// As another machine would have written it.
fn foreign(path: &Path, beat: u64) {
    let me = Holder { host: "node7".into(), boot: "other".into(), beat, ..Holder::me("avx2") };
    let fixed = Holder { token: "0123456789abcdef".into(), ..me };
    // Who takes over puts a new file in the place of the old one.
    let new = path.with_extension("new");
    std::fs::write(&new, fixed.text()).unwrap();
    std::fs::rename(&new, path).unwrap();
}

#[test]
fn one_holds_and_says_who_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("lock");
    let held = take(&lock, NO_WAIT, "avx512").unwrap().unwrap();
    let other = take(&lock, NO_WAIT, "avx512").unwrap().unwrap_err().unwrap();
    assert_eq!((other.pid, other.instructions.as_str()), (std::process::id(), "avx512"));
    assert!(!held.is_lost() && !is_held_elsewhere(&lock));
    drop(held);
    assert!(holder(&lock).is_none(), "who lets go leaves nothing");
    drop(take(&lock, NO_WAIT, "").unwrap().unwrap());
}

#[test]
fn a_process_of_this_machine_that_was_killed_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("lock");
    std::fs::write(file_of(&lock), Holder::me("avx2").text()).unwrap();
    assert!(!is_held_elsewhere(&lock) && left_elsewhere(&lock).is_none());
    assert!(!take(&lock, NO_WAIT, "avx2").unwrap().unwrap().is_lost());
}

#[test]
fn another_machine_keeps_what_it_writes_to_and_loses_what_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (lock, path) = (folder.path().join("lock"), file_of(&folder.path().join("lock")));
    foreign(&path, 1);
    assert!(is_held_elsewhere(&lock));
    assert_eq!(left_elsewhere(&lock).unwrap().host, "node7");
    // It writes: it lives.
    let writer = path.clone();
    let alive = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(150));
        foreign(&writer, 2);
    });
    let refused = take(&lock, NO_WAIT, "avx2").unwrap().unwrap_err().unwrap();
    assert_eq!(refused.host, "node7");
    alive.join().unwrap();
    // It does not: of two that want it, one gets it.
    let try_it = |seen: Seen| {
        let path = path.clone();
        std::thread::spawn(move || taken_over(&path, &seen, &Holder::me("avx2"), 0).unwrap().is_some())
    };
    // Both have seen the dead one's file before either acts.
    let seen = [(); 2].map(|()| Seen::at(&path).unwrap());
    let [one, other] = seen.map(try_it);
    assert!(one.join().unwrap() != other.join().unwrap(), "one of two takes it over");
    foreign(&path, 3);
    let held = take(&lock, NO_WAIT, "avx2").unwrap().unwrap();
    assert_eq!(holder(&lock).unwrap().0.pid, std::process::id());
    // It comes back to life, and we were the ones who slept.
    foreign(&path, 4);
    let end = Instant::now() + Duration::from_secs(10);
    while !held.is_lost() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(held.is_lost());
    drop(held);
    assert_eq!(holder(&lock).unwrap().0.host, "node7", "what another holds is not removed");
}
