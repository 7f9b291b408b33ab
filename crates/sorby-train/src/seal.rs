//! JSON files that know whether they are as they were written: `{"blake3": ..., "content": ...}`.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Serialize)]
struct Sealed<'a, T> {
    blake3: &'a str,
    content: &'a T,
}

#[derive(Deserialize)]
struct Opened<T> {
    blake3: String,
    content: T,
}

/// Hash of a content: of its compact JSON, so that spaces do not matter. A field that a later version adds must not
/// be written at its default value, or older files would seem damaged.
pub(crate) fn hash<T: Serialize>(content: &T) -> serde_json::Result<String> {
    Ok(blake3::hash(&serde_json::to_vec(content)?).to_hex().to_string())
}

/// The bytes of a sealed file.
pub(crate) fn seal<T: Serialize>(content: &T) -> serde_json::Result<Vec<u8>> {
    let blake3 = hash(content)?;
    let mut bytes = serde_json::to_vec_pretty(&Sealed { blake3: &blake3, content })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Whether a file is of the sealed kind, be it damaged or not.
pub(crate) fn is_sealed(bytes: &[u8]) -> bool {
    let value: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    value.is_none_or(|v| v.get("content").is_some() || v.get("blake3").is_some())
}

/// What was sealed.
///
/// # Errors
/// Says why it cannot be what was written.
pub(crate) fn unseal<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let opened: Opened<T> = serde_json::from_slice(bytes).map_err(|e| format!("cannot be read ({e})"))?;
    if hash(&opened.content).is_ok_and(|now| now == opened.blake3) {
        Ok(opened.content)
    } else {
        Err("was changed since it was written (its BLAKE3 differs)".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_of_a_sealed_file_is_seen() {
        let content = vec![(1u64, Some(0.1 + 0.2)), (1 << 60, None)];
        let bytes = seal(&content).unwrap();
        assert!(is_sealed(&bytes) && !is_sealed(b"{\"iteration\": 4}"));
        assert_eq!(unseal::<Vec<(u64, Option<f64>)>>(&bytes).unwrap(), content);
        let (mut refused, mut read) = (0, 0);
        for i in 0..bytes.len() {
            for other in [b'7', b' ', bytes[i] ^ 1] {
                let mut changed = bytes.clone();
                changed[i] = other;
                match unseal::<Vec<(u64, Option<f64>)>>(&changed) {
                    Ok(same) => {
                        assert_eq!(same, content, "byte {i} as {other}");
                        read += 1;
                    }
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(refused > 2 * read, "{refused} {read}");
    }
}
