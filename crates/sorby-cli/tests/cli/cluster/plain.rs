//! The plainest engines: a shell, GNU parallel; and the manifest of Kubernetes, held to its schema.

use super::*;

#[test]
fn a_shell_and_gnu_parallel_make_the_bytes_of_one_machine() {
    let at = reference();
    let submit = ["study", "submit", "n2.toml", "--data", "data", "--executor", "local", "--at-once", "2"];
    succeed(at, &[&submit[..], &["--cpus-per-task", "1", "--out", "local/n2", "--run"]].concat());
    same_study(at, "local");
    let segment = ["segment", "model", "lot", "--nm-per-px", "20", "--executor", "local", "--shards", "3"];
    with_problems_or_done(at, &[&segment[..], &["--out", "local-lot", "--run"]].concat());
    crate::shards::same(&at.join("one-lot"), &at.join("local-lot"));

    // Shown, and not written.
    let printed = succeed(at, &[&segment[..], &["--out", "other", "--dry-run"]].concat());
    assert!(printed.contains("xargs -P") && !at.join("other/submit").exists(), "{printed}");

    if !there("parallel", &["--version"]) {
        return skipped("GNU parallel is not installed");
    }
    for round in 1.. {
        assert!(round < 5, "the study does not get on");
        let plan =
            ["study", "plan", "n2.toml", "--data", "data", "--out", "parallel/n2", "--format", "lines"];
        fs::write(at.join("round.txt"), succeed(at, &plan)).unwrap();
        if fs::read(at.join("round.txt")).unwrap().is_empty() {
            break;
        }
        let lines = fs::File::open(at.join("round.txt")).unwrap();
        let output = Command::new("parallel").args(["-j", "2"]).stdin(lines).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    same_study(at, "parallel");
}

/// The merge of a lot with a damaged image ends with a problem.
fn with_problems_or_done(at: &Path, words: &[&str]) {
    let output = sorby(at, words);
    assert!(output.status.code().is_some_and(|code| code <= 2), "{output:?}");
}

/// `kubernetes-validate` of PyPI holds the schemas that Kubernetes publishes.
#[test]
fn the_manifest_of_kubernetes_keeps_its_schema() {
    let folder = workshop();
    let at = folder.path();
    fs::write(at.join("n2.toml"), STUDY).unwrap();
    let mount = format!("mount={}", at.display());
    let submit = ["study", "submit", "n2.toml", "--data", "data", "--out", "n2", "--executor", "k8s"];
    let more = ["--cpus-per-task", "4", "--", "image=registry.example/sorby:0.1", "claim=steel", &mount];
    let printed = succeed(at, &[&submit[..], &more].concat());
    assert!(printed.contains("kubectl apply --filename="), "{printed}");
    let file = at.join("n2/submit/job.json");
    let job: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(job["spec"]["completions"], 6);
    if !there("kubernetes-validate", &["--help"]) {
        return skipped("kubernetes-validate (PyPI) is not installed");
    }
    let check = |file: &Path| {
        let mut command = Command::new("kubernetes-validate");
        command.args(["--strict", "-k", "1.33"]).arg(file).output().unwrap()
    };
    let output = check(&file);
    assert!(output.status.success(), "{output:?}");
    // It does find what is wrong.
    let wrong = fs::read_to_string(&file).unwrap().replace("backoffLimitPerIndex", "backoffPerIndex");
    fs::write(at.join("wrong.json"), wrong).unwrap();
    assert!(!check(&at.join("wrong.json")).status.success());
}
