//! Detached signatures of a lot: who answers for it, with an Ed25519 key. What is signed is a short statement in JSON, which
//! names the hash of the seal and so every byte of the lot; statement and signature are files that other programs can check
//! (`openssl pkeyutl -verify -rawin`).

use super::date;
use super::manifest::SEAL;
use super::verify::verify_lot;
use crate::error::{Context as _, refuse, refused};
use crate::{Result, checksum};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, KeypairBytes,
};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sorby_image::write::atomically;
use sorby_image::{ImageError, files, is_strange};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Folder of the signatures in a lot.
const FOLDER: &str = "signatures";
const SCHEMA: &str = "sorby-lot-signature";

/// What a signer states of a lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedStatement {
    schema: String,
    schema_version: u32,
    /// SHA-256 of `seal.json`.
    pub seal_sha256: String,
    /// Name of the signer, as given.
    pub signer: String,
    /// When it was signed by the clock of that computer, in UTC.
    pub signed_at: String,
    /// The key that checks the signature, in PEM (SubjectPublicKeyInfo, RFC 8410).
    pub public_key: String,
}

impl SignedStatement {
    /// SHA-256 of the public key (DER), in full.
    ///
    /// # Errors
    /// When the statement holds no Ed25519 key.
    pub fn fingerprint(&self) -> Result<String> {
        fingerprint(&public_key(&self.public_key)?)
    }
}

/// A new pair of keys.
#[derive(Debug)]
pub struct NewKey {
    /// File of the public key, for those who check.
    pub public: PathBuf,
    /// SHA-256 of the public key (DER).
    pub fingerprint: String,
}

/// Makes a private key, readable by its owner only, and next to it the public key: `KEY.pem`, `KEY.pub.pem`.
///
/// # Errors
/// When a file of that name is there already, or none can be written.
pub fn new_signing_key(private: &Path) -> Result<NewKey> {
    let public = private.with_extension("pub.pem");
    for path in [private, &public] {
        if path.symlink_metadata().is_ok() {
            refuse!("{}: is there already; a key is never written over", path.display());
        }
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|e| refused!("this system gives no random numbers: {e}"))?;
    let key = SigningKey::from_bytes(&secret);
    // Without the public half, for OpenSSL before 3.2 reads no other form.
    let pem = KeypairBytes { secret_key: secret, public_key: None }
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|e| refused!("no key could be made: {e}"))?;
    let folder = private.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A file of `tempfile` is its owner's alone.
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(|| folder.display())?;
    file.write_all(pem.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(private).map_err(|e| refused!("{}: {}", private.display(), e.error))?;
    atomically(&public, public_pem(&key.verifying_key())?.as_bytes())?;
    Ok(NewKey { public, fingerprint: fingerprint(&key.verifying_key())? })
}

/// Signs a lot that is what it was when its report was made.
///
/// # Errors
/// When anything of the lot was changed, the key cannot be read, or this key has signed the lot already.
pub fn sign_lot(lot: &Path, private: &Path, signer: &str) -> Result<SignedStatement> {
    let signer = signer.trim();
    if signer.is_empty() || signer.contains(is_strange) {
        refuse!("the name of the signer is one line of text, such as \"A. Smith\"");
    }
    let key = private_key(private)?;
    let public_key = public_pem(&key.verifying_key())?;
    let stem = fingerprint(&key.verifying_key())?[..16].to_owned();
    let file = lot.join(FOLDER).join(format!("{stem}.json"));
    let signature = file.with_extension("sig");
    if !file.exists() && signature.is_file() {
        // What a start that was ended has left: nothing rests on it.
        fs_err::remove_file(&signature)?;
    }
    let found = verify_lot(lot)?;
    if let Some(first) = found.faults.first() {
        refuse!(
            "{}: is not what it was when its report was made ({first}); nothing was signed",
            lot.display()
        );
    }
    let statement = SignedStatement {
        schema: SCHEMA.into(),
        schema_version: 1,
        seal_sha256: found.seal_sha256,
        signer: signer.into(),
        signed_at: date::now(),
        public_key,
    };
    if file.symlink_metadata().is_ok() {
        refuse!("{}: is signed with this key already", lot.display());
    }
    let text = serde_json::to_string_pretty(&statement)? + "\n";
    fs_err::create_dir_all(lot.join(FOLDER))?;
    // The statement comes last: without it the other file is one that was added, which `verify` names.
    atomically(&signature, &key.sign(text.as_bytes()).to_bytes())?;
    atomically(&file, text.as_bytes())?;
    Ok(statement)
}

/// The signatures of a lot that hold, with a line for each that does not.
pub(super) struct Signatures {
    pub valid: Vec<SignedStatement>,
    pub faults: Vec<String>,
    /// Files that belong to a signature, by their places in the lot.
    pub files: Vec<String>,
}

/// Checks every signature of a lot.
pub(super) fn signatures_of(lot: &Path) -> Result<Signatures> {
    let mut found = Signatures { valid: Vec::new(), faults: Vec::new(), files: Vec::new() };
    let folder = lot.join(FOLDER);
    if !folder.is_dir() {
        return Ok(found);
    }
    let seal_sha256 = checksum::sha256(&lot.join(SEAL))?;
    let mut names: Vec<_> = fs_err::read_dir(&folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    names.sort();
    for stem in names.iter().filter_map(|name| name.strip_suffix(".json")) {
        let (json, sig) = (format!("{FOLDER}/{stem}.json"), format!("{FOLDER}/{stem}.sig"));
        match check(&lot.join(&json), &lot.join(&sig), stem, &seal_sha256) {
            Ok(statement) => found.valid.push(statement),
            Err(error) => found.faults.push(format!("{json}: is no signature of this lot: {error}")),
        }
        found.files.extend([json, sig]);
    }
    Ok(found)
}

/// A regular file, and no more of it than a statement can have.
fn short(path: &Path) -> Result<Vec<u8>> {
    const MOST: u64 = 1 << 16;
    let mut bytes = Vec::new();
    let file = files::open_regular(path).map_err(|e| ImageError::io(path, e))?;
    file.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn check(json: &Path, sig: &Path, stem: &str, seal_sha256: &str) -> Result<SignedStatement> {
    let (text, bytes) = (short(json)?, short(sig)?);
    let statement: SignedStatement = serde_json::from_slice(&text)?;
    if (statement.schema.as_str(), statement.schema_version) != (SCHEMA, 1) {
        refuse!("its layout is not known to this version of Sorby");
    }
    let key = public_key(&statement.public_key)?;
    let signature = Signature::from_slice(&bytes).map_err(|_| refused!("its .sig has no 64 bytes"))?;
    if key.verify_strict(&text, &signature).is_err() {
        refuse!("statement or signature was changed");
    }
    if fingerprint(&key)?[..16] != *stem {
        refuse!("it stands under the name of another key");
    }
    if statement.signer.contains(is_strange) || statement.signed_at.contains(is_strange) {
        refuse!("name or time hold signs that are no text");
    }
    if statement.seal_sha256 != seal_sha256 {
        refuse!("it was made for another state of the lot");
    }
    Ok(statement)
}

/// Fingerprint of a public key in a file.
///
/// # Errors
/// When the file holds no public Ed25519 key in PEM.
pub(super) fn fingerprint_of_file(public: &Path) -> Result<String> {
    let text = fs_err::read_to_string(public)?;
    if text.contains("PRIVATE KEY") {
        refuse!("{}: is a private key; give the public one (.pub.pem)", public.display());
    }
    public_key(&text).and_then(|key| fingerprint(&key)).with_context(|| public.display())
}

fn private_key(path: &Path) -> Result<SigningKey> {
    let text = fs_err::read_to_string(path)?;
    let shown = path.display();
    if text.contains("ENCRYPTED") {
        refuse!(
            "{shown}: is protected by a password; write it without one: openssl pkey -in {shown} -out KEY.pem"
        );
    }
    SigningKey::from_pkcs8_pem(&text).map_err(|_| {
        refused!(
            "{shown}: is no private Ed25519 key in PEM (PKCS #8); make one with: sorby sign --new-key KEY.pem"
        )
    })
}

fn public_key(pem: &str) -> Result<VerifyingKey> {
    VerifyingKey::from_public_key_pem(pem).map_err(|_| refused!("it holds no public Ed25519 key in PEM"))
}

fn public_pem(key: &VerifyingKey) -> Result<String> {
    key.to_public_key_pem(LineEnding::LF).map_err(|e| refused!("a public key cannot be written: {e}"))
}

fn fingerprint(key: &VerifyingKey) -> Result<String> {
    let der = key.to_public_key_der().map_err(|e| refused!("a public key cannot be written: {e}"))?;
    Ok(checksum::sha256_of(der.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn fixture() -> (PathBuf, String) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/signature");
        let names = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let stem = names.filter_map(|n| Some(n.strip_suffix(".json")?.to_owned())).next().unwrap();
        (folder, stem)
    }

    /// `reference/make_signature.py` made it with OpenSSL.
    #[test]
    fn a_signature_of_openssl_holds_and_is_ours_to_the_byte() {
        let (folder, stem) = fixture();
        let (json, sig) = (folder.join(format!("{stem}.json")), folder.join(format!("{stem}.sig")));
        let seal = checksum::sha256_of(b"seal\n");
        let statement = check(&json, &sig, &stem, &seal).unwrap();
        assert_eq!(
            (statement.signer.as_str(), &statement.fingerprint().unwrap()[..16]),
            ("A. Smith", &stem[..])
        );
        let key = private_key(&folder.join("key.pem")).unwrap();
        assert_eq!(key.sign(&fs::read(&json).unwrap()).to_bytes(), fs::read(&sig).unwrap()[..]);
        let other = checksum::sha256_of(b"another seal\n");
        assert!(check(&json, &sig, &stem, &other).unwrap_err().to_string().contains("another state"));
        assert!(
            check(&json, &sig, "0123456789abcdef", &seal).unwrap_err().to_string().contains("another key")
        );
    }

    #[test]
    fn a_new_key_is_private_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let private = folder.path().join("k.pem");
        let made = new_signing_key(&private).unwrap();
        assert_eq!(fingerprint_of_file(&made.public).unwrap(), made.fingerprint);
        assert_eq!(fingerprint(&private_key(&private).unwrap().verifying_key()).unwrap(), made.fingerprint);
        assert!(new_signing_key(&private).unwrap_err().to_string().contains("never written over"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&private).unwrap().permissions().mode() & 0o077, 0);
        }
        let error = fingerprint_of_file(&private).unwrap_err().to_string();
        assert!(error.contains("private key"), "{error}");
    }
}
