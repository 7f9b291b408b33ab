//! Kubernetes: an Indexed Job. Its manifest is JSON, which `kubectl` reads as it reads YAML.

use super::submit::Submission;
use super::{EngineOptions, Work};
use crate::Result;
use crate::error::{Context as _, refuse};
use crate::words::quoted;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

/// The program within the image.
const PROGRAM: &str = "/sorby";

/// Name of the container and of its volume.
const NAME: &str = "sorby";

/// Failures of one task, evictions apart, after which it is left.
const RETRIES: usize = 3;

/// What must be said of a cluster: `image=...`, `claim=...`, `mount=...`, and what may.
struct Place {
    image: String,
    claim: String,
    mount: PathBuf,
    memory: String,
    namespace: Option<String>,
}

impl Place {
    fn of(arguments: &[String]) -> Result<Self> {
        const KNOWN: [&str; 5] = ["image", "claim", "mount", "memory", "namespace"];
        let help = "write them after -- as image=REGISTRY/sorby:TAG claim=VOLUME_CLAIM mount=/FOLDER [memory=4Gi] [namespace=NAME]";
        let mut given = std::collections::BTreeMap::new();
        for word in arguments {
            match word.split_once('=') {
                Some((key, value)) if KNOWN.contains(&key) && !value.is_empty() => {
                    given.insert(key.to_owned(), value.to_owned());
                }
                _ => refuse!("--executor k8s: `{word}` is not known; {help}"),
            }
        }
        let mut needed = |key: &str| {
            given.remove(key).with_context(|| format!("--executor k8s: {key} is missing; {help}"))
        };
        let (image, claim, mount) = (needed("image")?, needed("claim")?, needed("mount")?.into());
        let memory = given.remove("memory").unwrap_or_else(|| "4Gi".to_owned());
        Ok(Self { image, claim, mount, memory, namespace: given.remove("namespace") })
    }
}

/// The manifest and the commands.
///
/// # Errors
/// When image, claim or mount are not said, or the results are not on the mounted volume.
pub fn plan(work: &Work, options: &EngineOptions) -> Result<Submission> {
    let place = Place::of(&options.engine_arguments)?;
    for folder in [&work.out, &work.folder] {
        if !folder.starts_with(&place.mount) {
            refuse!(
                "{}: is not below {}, where the pods see the volume; all paths must be the same here and there",
                folder.display(),
                place.mount.display()
            );
        }
    }
    let (file, name) = (work.scripts().join("job.json"), object_name(&work.name));
    let text = serde_json::to_string_pretty(&manifest(work, options, &place))? + "\n";
    let namespace = place.namespace.map_or(String::new(), |n| format!(" --namespace={}", quoted(&n)));
    let again = format!("kubectl delete{namespace} --ignore-not-found job {name}");
    let apply = format!("kubectl apply{namespace} --filename={}", quoted(&file.display().to_string()));
    Ok(Submission {
        submit: vec![again, apply],
        watch: work.watched_by(&[
            &format!("kubectl get{namespace} job {name}"),
            &format!("kubectl logs{namespace} --prefix --selector=job-name={name}"),
        ]),
        collect: vec![
            format!("kubectl wait{namespace} --for=condition=Complete --timeout=-1s job/{name}"),
            work.collect.task.line(),
        ],
        files: vec![(file, text)],
        ..Submission::default()
    })
}

/// Hands the manifest over; gives the job's name.
///
/// # Errors
/// When there is no `kubectl`, or it refuses.
pub fn run(work: &Work, submission: &Submission) -> Result<String> {
    if !super::site::answers("kubectl", &["version", "--client"]) {
        refuse!(
            "--run: there is no kubectl on this machine; type the commands that are printed without --run where it is"
        );
    }
    for line in &submission.submit {
        super::site::output(Command::new("sh").args(["-c", line]))?;
    }
    Ok(object_name(&work.name))
}

/// A name as Kubernetes wants it.
fn object_name(name: &str) -> String {
    let sign = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let text: String = name.chars().map(sign).take(50).collect();
    format!("sorby-{}", text.trim_matches('-')).trim_end_matches('-').to_owned()
}

/// Pods that are evicted or answer 75 are made again and count as no failure; a refusal (2) fails its index at once.
fn manifest(work: &Work, options: &EngineOptions, place: &Place) -> Value {
    let all = work.tasks.len();
    let cpus = options.cpus.unwrap_or(1).to_string();
    let size = json!({"cpu": cpus, "memory": place.memory});
    let on_codes = |code: u8| json!({"containerName": NAME, "operator": "In", "values": [code]});
    let mount = place.mount.display().to_string();
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": object_name(&work.name), "labels": {"app.kubernetes.io/name": NAME}},
        "spec": {
            "completionMode": "Indexed",
            "completions": all,
            "parallelism": options.at_once.unwrap_or(all).min(all),
            "backoffLimitPerIndex": RETRIES,
            "maxFailedIndexes": all,
            "podFailurePolicy": {"rules": [
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                {"action": "Ignore", "onExitCodes": on_codes(75)},
                {"action": "FailIndex", "onExitCodes": on_codes(2)},
            ]},
            "template": {
                "metadata": {"labels": {"app.kubernetes.io/name": NAME}},
                "spec": {
                    "restartPolicy": "Never",
                    "terminationGracePeriodSeconds": 120,
                    "containers": [{
                        "name": NAME,
                        "image": place.image,
                        "command": [PROGRAM, "cluster", "task", work.task_file()],
                        "workingDir": work.folder,
                        "resources": {"requests": size, "limits": size},
                        "volumeMounts": [{"name": NAME, "mountPath": mount}],
                    }],
                    "volumes": [{"name": NAME, "persistentVolumeClaim": {"claimName": place.claim}}],
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::Executor;
    use super::super::tests::{options, work};
    use super::*;

    #[test]
    fn what_a_cluster_needs_is_asked_for() {
        let with = |words: &[&str]| {
            let engine_arguments = words.iter().map(|w| w.to_string()).collect();
            let options = EngineOptions { engine_arguments, ..options(Executor::Kubernetes) };
            plan(&work(3), &options)
        };
        let refusal = |words: &[&str]| with(words).err().unwrap().to_string();
        assert!(refusal(&[]).contains("image is missing"));
        assert!(refusal(&["image=a", "claim=b"]).contains("mount is missing"));
        assert!(refusal(&["--image=a"]).contains("`--image=a` is not known"));
        assert!(refusal(&["image=a", "claim=b", "mount=/data"]).contains("is not below /data"));
        let planned = with(&["image=a", "claim=b", "mount=/share"]).unwrap();
        let job: Value = serde_json::from_str(&planned.files[0].1).unwrap();
        assert_eq!((&job["spec"]["completions"], &job["spec"]["parallelism"]), (&json!(3), &json!(3)));
        assert_eq!(job["metadata"]["name"], "sorby-a-study");
    }
}
