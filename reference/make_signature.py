"""A statement signed by OpenSSL, which Sorby must accept: python3 make_signature.py OUT (needs the program openssl, 3.0 or later).

OUT gets key.pem (private, of no use but for tests), statement.json and its signature. Run again it makes another key; the
test takes names and hashes from the files.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)


def openssl(*words: str) -> bytes:
    return subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=out).stdout


openssl("genpkey", "-algorithm", "ed25519", "-out", "key.pem")
public = openssl("pkey", "-in", "key.pem", "-pubout").decode()
der = openssl("pkey", "-in", "key.pem", "-pubout", "-outform", "DER")
stem = hashlib.sha256(der).hexdigest()[:16]
statement = {
    "schema": "sorby-lot-signature",
    "schema_version": 1,
    "seal_sha256": hashlib.sha256(b"seal\n").hexdigest(),
    "signer": "A. Smith",
    "signed_at": "2026-11-27 12:00:00 UTC",
    "public_key": public,
}
for old in out.glob("*.json"):
    old.unlink()
for old in out.glob("*.sig"):
    old.unlink()
(out / f"{stem}.json").write_text(json.dumps(statement, indent=2) + "\n")
openssl("pkeyutl", "-sign", "-rawin", "-inkey", "key.pem", "-in", f"{stem}.json", "-out", f"{stem}.sig")
