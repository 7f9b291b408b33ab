//! A real Slurm of one node, started from nothing for this test and ended with it.

use super::*;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

struct Slurm {
    folder: tempfile::TempDir,
    host: String,
    user: String,
}

impl Slurm {
    /// munged, slurmctld and slurmd of our own, which meet no other Slurm of this machine.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for name in ["state", "spool"] {
            fs::create_dir(at.join(name)).unwrap();
        }
        fs::write(at.join("key"), [7; 1024]).unwrap();
        fs::set_permissions(at.join("key"), fs::Permissions::from_mode(0o400)).unwrap();
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let host = host.trim().split('.').next().unwrap().to_owned();
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap().trim().to_owned();
        let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [control, node] = ports.map(|p| p.local_addr().unwrap().port());
        let d = at.display();
        let text = format!(
            "ClusterName=one\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={control}\nSlurmdPort={node}\n\
             SlurmUser={user}\nSlurmdUser={user}\nAuthType=auth/munge\n\
             AuthInfo=socket={d}/munge.socket,cred_expire=5\nProctrackType=proctrack/linuxproc\n\
             TaskPlugin=task/none\nSelectType=select/cons_tres\nSelectTypeParameters=CR_Core\n\
             JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n\
             SchedulerType=sched/backfill\nSchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_interval=1\n\
             ReturnToService=2\nSlurmdTimeout=5\nMaxArraySize=4\nSlurmctldPidFile={d}/ctld.pid\n\
             SlurmdPidFile={d}/d.pid\nStateSaveLocation={d}/state\nSlurmdSpoolDir={d}/spool\n\
             SlurmctldLogFile={d}/ctld.log\nSlurmdLogFile={d}/d.log\nMpiDefault=none\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=2000 State=UNKNOWN\n\
             PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP\n"
        );
        fs::write(at.join("slurm.conf"), text).unwrap();
        let munge = |name: &str, file: &str| format!("--{name}={}", at.join(file).display());
        let words = [
            "--force".to_owned(),
            munge("socket", "munge.socket"),
            munge("key-file", "key"),
            munge("pid-file", "munge.pid"),
            munge("log-file", "munge.log"),
            munge("seed-file", "munge.seed"),
        ];
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let slurm = Self { folder, host, user };
        slurm.succeed("munged", &words);
        slurm.succeed("slurmctld", &[]);
        slurm.start_node();
        let idle = || slurm.succeed("sinfo", &["-h", "-o", "%T"]).contains("idle");
        wait("the node", 30, idle, || slurm.said());
        slurm
    }

    fn start_node(&self) {
        self.succeed("slurmd", &["-N", &self.host]);
    }

    /// As when a machine loses its power: daemon, steps and tasks at once.
    fn kill_node(&self) {
        let file = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        let spared = [file("ctld.pid"), file("munge.pid")].map(|pid| pid.trim().parse().unwrap_or(0));
        let all = processes_of(&self.variable());
        kill(&all.into_iter().filter(|pid| !spared.contains(pid)).collect::<Vec<_>>());
    }

    fn variable(&self) -> String {
        format!("SLURM_CONF={}", self.folder.path().join("slurm.conf").display())
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>, at: &Path, words: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.current_dir(at).env("SLURM_CONF", self.folder.path().join("slurm.conf")).args(words);
        command.output().unwrap()
    }

    #[track_caller]
    fn succeed(&self, program: &str, words: &[&str]) -> String {
        let output = self.command(program, self.folder.path(), words);
        assert!(output.status.success(), "{program} {words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// `sorby` where Slurm is.
    #[track_caller]
    fn sorby(&self, at: &Path, words: &[&str]) -> String {
        let output = self.command(env!("CARGO_BIN_EXE_sorby"), at, words);
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn queue_is_empty(&self) -> bool {
        self.succeed("squeue", &["-h"]).is_empty()
    }

    fn said(&self) -> String {
        let squeue = self.command("squeue", self.folder.path(), &["--array"]);
        let log = fs::read_to_string(self.folder.path().join("ctld.log")).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(20).collect();
        format!("{}\n{}", String::from_utf8_lossy(&squeue.stdout), tail.join("\n"))
    }
}

/// Without a slurm.conf its programs do not even say their version.
fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

impl Drop for Slurm {
    fn drop(&mut self) {
        kill(&processes_of(&self.variable()));
    }
}

#[test]
fn slurm_makes_the_bytes_of_one_machine() {
    if !(is_installed("sbatch") && is_installed("munged")) {
        return skipped("Slurm (Debian's slurm-wlm and munge) is not installed");
    }
    let at = reference();
    let slurm = Slurm::start();

    // The study: the site's arrays have four tasks at most; each round submits the next.
    let submit = ["study", "submit", "n2.toml", "--data", "data", "--out", "slurm/n2", "--executor", "slurm"];
    let more = ["--cpus-per-task", "1", "--run", "--", "--time=30"];
    let printed = slurm.sorby(at, &[&submit[..], &more].concat());
    assert!(printed.contains("6 to train") && printed.contains("submitted as job "), "{printed}");
    let study = at.join("slurm/n2");
    let array = fs::read_to_string(study.join("submit/array.sbatch")).unwrap();
    assert!(array.contains("#SBATCH --array=0-3\n"), "{array}");
    let said = || format!("{}{}", slurm.said(), logs(&study));
    // Submitted twice, it would be trained twice.
    let twice = slurm.command(env!("CARGO_BIN_EXE_sorby"), at, &[&submit[..], &more].concat());
    assert_eq!(twice.status.code(), Some(2), "{twice:?}");
    assert!(String::from_utf8_lossy(&twice.stderr).contains("in the queue still"), "{twice:?}");
    // A time limit comes near: Slurm's signal, the exit code 75, and back into the queue.
    wait("a training", 120, || in_the_middle(&study), said);
    let first = status(at, "slurm/n2");
    assert!(first["working"].as_array().is_some_and(|w| !w.is_empty()), "{first}");
    let hit = || {
        slurm.command("scancel", at, &["--signal=USR2", "--batch", "--state=RUNNING", "--user", &slurm.user]);
        logs(&study).contains(", start 1\n")
    };
    wait("a task that was stopped and put back", 120, hit, said);
    // The machine dies under another.
    wait("another training", 120, || in_the_middle(&study), said);
    slurm.kill_node();
    slurm.start_node();
    wait("the end of the study", 240, || slurm.queue_is_empty(), said);
    assert_eq!(status(at, "slurm/n2")["missing"], serde_json::json!([]), "{}", said());
    assert!(study.join("report").is_dir(), "the last job made the report: {}", said());
    same_study(at, "slurm");

    // The lot: merged by a job that waits for all shards.
    let segment =
        ["segment", "model", "lot", "--nm-per-px", "20", "--out", "slurm-lot", "--executor", "slurm"];
    slurm.sorby(at, &[&segment[..], &["--shards", "4", "--run", "--", "--time=30"]].concat());
    wait("a shard", 60, || at.join("slurm-lot/shards/1-of-4/masks").is_dir(), || slurm.said());
    slurm.kill_node();
    slurm.start_node();
    wait(
        "the end of the lot",
        120,
        || slurm.queue_is_empty(),
        || slurm.said() + &logs(&at.join("slurm-lot")),
    );
    crate::shards::same(&at.join("one-lot"), &at.join("slurm-lot"));
}
