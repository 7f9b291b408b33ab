//! TIFF tags and sidecar texts of an image file.

use crate::ImageError;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use tiff::decoder::{Decoder, ifd::Value};
use tiff::tags::{Tag, Type, ValueBuffer};

/// Directories of a TIFF that are looked through; vendors put their tags into the first or second.
const DIRECTORIES: usize = 8;

/// Longer values are left out: no vendor's settings take a megabyte.
const LONGEST_BYTES: u64 = 4 << 20;

/// Tags that any vendor uses for its scale.
const TAGS: [u16; 20] = [
    270, 271, 282, 283, 296, 33471, 33560, 34118, 34119, 34680, 34682, 34683, 50431, 65003, 65004, 65009,
    65010, 65012, 256, 257,
];

/// Endings of sidecar files.
const SIDECARS: [&str; 4] = ["txt", "TXT", "hdr", "HDR"];

/// What is known of a file besides its pixels.
pub(super) struct Metadata {
    pub width_px: u32,
    pub height_px: u32,
    tags: BTreeMap<u16, TagValue>,
    /// Text beside the image, decoded.
    pub sidecar: Option<String>,
    /// The file itself, for values that are offsets into it.
    file: Option<BufReader<File>>,
}

enum TagValue {
    /// Text, or bytes that stand for text.
    Bytes(Vec<u8>),
    Numbers(Vec<f64>),
}

impl Metadata {
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        let sidecar = SIDECARS.iter().find_map(|ending| {
            let bytes = read_limited(&path.with_extension(ending))?;
            Some(decode_text(&bytes))
        });
        let file = File::open(path).map_err(|e| ImageError::io(path, e))?;
        let mut metadata = Self { width_px: 0, height_px: 0, tags: BTreeMap::new(), sidecar, file: None };
        // Other formats than TIFF have no tags; a TIFF whose tags are damaged has none that count.
        if let Ok(mut decoder) = Decoder::new(BufReader::new(file)) {
            // Also for pixel types that cannot be decoded.
            if let Ok((width, height)) = decoder.dimensions() {
                (metadata.width_px, metadata.height_px) = (width, height);
            }
            metadata.collect(decoder);
            metadata.file = File::open(path).ok().map(BufReader::new);
        }
        if metadata.width_px == 0 || metadata.height_px == 0 {
            (metadata.width_px, metadata.height_px) =
                image::image_dimensions(path).map_err(|e| ImageError::unreadable(path, e))?;
        }
        Ok(metadata)
    }

    fn collect(&mut self, mut decoder: Decoder<BufReader<File>>) {
        for _ in 0..DIRECTORIES {
            for tag in TAGS {
                let mut directory = decoder.image_ifd();
                let key = Tag::from_u16_exhaustive(tag);
                let Some(entry) = directory.find_entry(key) else { continue };
                if entry.count() > LONGEST_BYTES {
                    continue;
                }
                let mut buffer = ValueBuffer::empty(Type::ASCII);
                let value = match directory.find_tag(key) {
                    Ok(Some(value)) => TagValue::of(value),
                    // Texts with a micro sign in Latin-1 are no valid TIFF text, but exist.
                    _ => match directory.find_tag_buf(key, &mut buffer) {
                        Ok(Some(_)) => Some(TagValue::Bytes(buffer.as_bytes().to_vec())),
                        _ => None,
                    },
                };
                if let Some(value) = value {
                    self.tags.entry(tag).or_insert(value);
                }
            }
            if !decoder.more_images() || decoder.next_image().is_err() {
                break;
            }
        }
    }

    /// A tag as text.
    pub fn text(&self, tag: u16) -> Option<String> {
        match self.tags.get(&tag)? {
            TagValue::Bytes(bytes) => Some(decode_text(bytes)),
            TagValue::Numbers(_) => None,
        }
    }

    /// A tag's first number.
    pub fn number(&self, tag: u16) -> Option<f64> {
        match self.tags.get(&tag)? {
            TagValue::Numbers(numbers) => numbers.first().copied(),
            TagValue::Bytes(_) => None,
        }
    }

    /// `len` bytes of the file from `offset` on.
    pub fn bytes_at(&self, offset: u64, len: usize) -> Option<Vec<u8>> {
        let mut file = self.file.as_ref()?.get_ref();
        file.seek(SeekFrom::Start(offset)).ok()?;
        let mut bytes = vec![0; len];
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

impl TagValue {
    fn of(value: Value) -> Option<Self> {
        Some(match value {
            Value::Ascii(text) => Self::Bytes(text.into_bytes()),
            Value::List(items) if items.iter().all(|v| matches!(v, Value::Byte(_))) => {
                Self::Bytes(items.into_iter().map(|v| if let Value::Byte(b) = v { b } else { 0 }).collect())
            }
            Value::List(items) => Self::Numbers(items.iter().map(number).collect::<Option<_>>()?),
            single => Self::Numbers(vec![number(&single)?]),
        })
    }
}

fn number(value: &Value) -> Option<f64> {
    Some(match *value {
        Value::Byte(v) => v.into(),
        Value::Short(v) => v.into(),
        Value::SignedByte(v) => v.into(),
        Value::SignedShort(v) => v.into(),
        Value::Signed(v) => v.into(),
        Value::Unsigned(v) => v.into(),
        Value::SignedBig(v) => v as f64,
        Value::UnsignedBig(v) => v as f64,
        Value::Float(v) => v.into(),
        Value::Double(v) => v,
        Value::Rational(n, d) => f64::from(n) / f64::from(d),
        Value::SRational(n, d) => f64::from(n) / f64::from(d),
        _ => return None,
    })
}

fn read_limited(path: &Path) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    file.take(LONGEST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// UTF-16 by its mark or its zero bytes, else UTF-8, else Latin-1.
fn decode_text(bytes: &[u8]) -> String {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|b| unit([b[0], b[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => wide(bytes, u16::from_le_bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|b| char::from(*b)).collect(),
        },
    };
    text.trim_end_matches('\0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::decode_text;

    #[test]
    fn texts_of_every_coding() {
        assert_eq!(decode_text("[Scan]µ".as_bytes()), "[Scan]µ");
        assert_eq!(decode_text(b"2.6 \xb5m\0"), "2.6 µm");
        assert_eq!(decode_text(&[0xff, 0xfe, b'A', 0, 0xb5, 0]), "Aµ");
        assert_eq!(decode_text(&[0xfe, 0xff, 0, b'A', 0, 0xb5]), "Aµ");
        assert_eq!(decode_text(b"P\0i\0x\0"), "Pix");
        assert_eq!(decode_text(&[]), "");
    }
}
