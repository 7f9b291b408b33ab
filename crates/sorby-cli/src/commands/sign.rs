//! `sorby sign`.

use crate::answer::{Answer, say};
use crate::args::SignArgs;
use sorby::lot::{new_signing_key, sign_lot};

pub fn run(args: SignArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    match (args.new_key, args.lot, args.key, args.signer) {
        (Some(private), ..) => {
            let made = new_signing_key(&private)?;
            say!(answer, "private key: {} (keep it to yourself, and a copy of it)", private.display());
            say!(answer, "public key: {} (for those who check)", made.public.display());
            say!(answer, "fingerprint: {}", made.fingerprint);
            answer.set_path("private_key", private);
            answer.set_path("public_key", made.public);
            answer.set("key_sha256", made.fingerprint);
        }
        (None, Some(lot), Some(key), Some(signer)) => {
            let signed = sign_lot(&lot, &key, &signer)?;
            let key = signed.fingerprint()?;
            say!(answer, "{}: signed by {} on {}", lot.display(), signed.signer, signed.signed_at);
            say!(answer, "key: {key}");
            say!(answer, "seal: {}", signed.seal_sha256);
            answer.set("signer", signed.signer);
            answer.set("signed_at", signed.signed_at);
            answer.set("key_sha256", key);
            answer.set("seal_sha256", signed.seal_sha256);
        }
        _ => anyhow::bail!("give LOT, --key KEY.pem and --as NAME"),
    }
    Ok(answer)
}
