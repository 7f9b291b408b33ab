//! `sorby verify`.

use crate::answer::{Answer, say};
use crate::args::VerifyArgs;
use serde_json::{Value, json};
use sorby::lot::{SignedStatement, verify_lot};

pub fn run(args: &VerifyArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let mut found = verify_lot(&args.lot)?;
    found.require_signed_by(&args.signed_by)?;
    let lot = args.lot.display();
    found.faults.iter().for_each(|line| answer.line(line));
    say!(answer, "manifest: {}", found.manifest_sha256);
    say!(answer, "seal: {}", found.seal_sha256);
    for s in &found.signatures {
        say!(answer, "signed by {} on {} with key {}", s.signer, s.signed_at, s.fingerprint()?);
    }
    if found.faults.is_empty() {
        let compare = if !args.signed_by.is_empty() {
            "it is signed with every key that was asked for"
        } else if found.signatures.is_empty() {
            "compare the seal with the one noted when the report was signed"
        } else {
            "compare the keys with those that the signers gave you (--signed-by does)"
        };
        say!(
            answer,
            "{lot}: {} files of the lot and {} that it was made from are what they were, and nothing was added; {compare}",
            found.files,
            found.inputs
        );
    } else {
        say!(answer, "{lot}: {} things are not what they were when the report was made", found.faults.len());
    }
    answer.set("faults", &found.faults);
    answer.set("files", found.files);
    answer.set("inputs", found.inputs);
    answer.set("manifest_sha256", &found.manifest_sha256);
    answer.set("seal_sha256", &found.seal_sha256);
    answer.set("signatures", found.signatures.iter().map(signature).collect::<anyhow::Result<Vec<_>>>()?);
    Ok(answer.exit(if found.faults.is_empty() { 0 } else { 1 }))
}

fn signature(s: &SignedStatement) -> anyhow::Result<Value> {
    Ok(json!({"signer": s.signer, "signed_at": s.signed_at, "key_sha256": s.fingerprint()?}))
}
