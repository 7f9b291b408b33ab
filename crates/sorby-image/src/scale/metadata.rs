//! TIFF tags of an image file, and the texts next to it.

use super::lengths::{self, Comma, Fault};
use super::sidecar::{self, Sidecar};
use super::text;
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
pub(super) const LONGEST_BYTES: u64 = 4 << 20;

/// Tags that belong to one picture: another directory's say nothing of it.
const OF_THE_PICTURE: [u16; 3] = [270, 282, 283];

/// Tags that vendors have of their own.
const OF_VENDORS: [u16; 12] =
    [33471, 33560, 34118, 34119, 34680, 34682, 34683, 40092, 50431, 65003, 65009, 65010];

/// What is known of a file, its pixels apart.
pub(super) struct Metadata {
    pub width_px: u32,
    pub height_px: u32,
    tags: BTreeMap<u16, TagValue>,
    pub sidecars: Vec<Sidecar>,
    /// Sidecars that are there and cannot be read, and why.
    pub unreadable: Vec<String>,
    /// The file itself, for values that are offsets into it.
    file: Option<BufReader<File>>,
}

enum TagValue {
    /// Text, or bytes that stand for text, and what the file takes them for.
    Bytes(Vec<u8>, Type),
    Numbers(Vec<f64>),
}

impl Metadata {
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        let file = crate::files::open(path).map_err(|e| ImageError::io(path, e))?;
        let (sidecars, unreadable) = sidecar::of(path);
        let mut metadata =
            Self { width_px: 0, height_px: 0, tags: BTreeMap::new(), sidecars, unreadable, file: None };
        // Other formats than TIFF have no tags; a TIFF whose tags are damaged has none that count.
        if let Ok(mut decoder) = Decoder::new(BufReader::new(file)) {
            crate::tiff_file::seek_picture(&mut decoder);
            // Also for pixel types that cannot be decoded.
            if let Ok((width, height)) = decoder.dimensions() {
                (metadata.width_px, metadata.height_px) = (width, height);
            }
            metadata.collect(decoder);
            metadata.file = crate::files::open(path).ok().map(BufReader::new);
        }
        if metadata.width_px == 0 || metadata.height_px == 0 {
            let (width, height, _) = crate::read::header(path)
                .ok_or_else(|| ImageError::unreadable(path, "not a PNG, TIFF, JPEG or BMP file"))?;
            (metadata.width_px, metadata.height_px) = (width, height);
        }
        Ok(metadata)
    }

    fn collect(&mut self, mut decoder: Decoder<BufReader<File>>) {
        self.take(&mut decoder, &OF_THE_PICTURE);
        self.take(&mut decoder, &OF_VENDORS);
        for directory in 0..DIRECTORIES {
            if decoder.seek_to_image(directory).is_err() {
                break;
            }
            self.take(&mut decoder, &OF_VENDORS);
        }
    }

    /// Tags of the directory at hand that are not known yet.
    fn take(&mut self, decoder: &mut Decoder<BufReader<File>>, tags: &[u16]) {
        for tag in tags {
            if let Some(value) = TagValue::read(decoder, *tag) {
                self.tags.entry(*tag).or_insert(value);
            }
        }
    }

    /// A tag as text; `None` where it is blank.
    pub fn text(&self, tag: u16) -> Option<String> {
        let bytes = match self.tags.get(&tag)? {
            TagValue::Bytes(bytes, _) => bytes.clone(),
            // Numbers of 16 bits that are UTF-16.
            TagValue::Numbers(numbers) => {
                let letter = |n: &f64| n.fract() == 0.0 && (0.0..65536.0).contains(n);
                if numbers.len() < 2 || !numbers.iter().all(letter) {
                    return None;
                }
                let mark = [0xff, 0xfe].into_iter();
                mark.chain(numbers.iter().flat_map(|n| (*n as u16).to_le_bytes())).collect()
            }
        };
        Some(text::decode(&bytes)).filter(|text| !text.trim().is_empty())
    }

    /// A tag's number.
    ///
    /// # Errors
    /// Where it has several, or a text that is none.
    pub fn number(&self, tag: u16) -> Result<Option<f64>, Fault> {
        match self.tags.get(&tag) {
            None => Ok(None),
            Some(TagValue::Numbers(numbers)) => match numbers.as_slice() {
                [first, others @ ..] if others.iter().all(|n| n == first) => Ok(Some(*first)),
                _ => Err(Fault::Unreadable(format!("holds {} numbers where one belongs", numbers.len()))),
            },
            Some(TagValue::Bytes(bytes, Type::ASCII)) => {
                let text = text::decode(bytes);
                let shown = lengths::short(&text);
                let fault = |why| Fault::Unreadable(format!("holds `{shown}` where a number belongs: {why}"));
                lengths::number(text.trim(), Comma::Unknown).map(Some).map_err(fault)
            }
            Some(TagValue::Bytes(bytes, kind)) => match (bytes.as_slice(), kind) {
                ([one], Type::BYTE) => Ok(Some(f64::from(*one))),
                _ => Err(Fault::Unreadable(format!("holds {} bytes where a number belongs", bytes.len()))),
            },
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
    fn read(decoder: &mut Decoder<BufReader<File>>, tag: u16) -> Option<Self> {
        let key = Tag::from_u16_exhaustive(tag);
        let mut directory = decoder.image_ifd();
        let entry = directory.find_entry(key)?;
        if entry.count() > LONGEST_BYTES {
            return None;
        }
        // As they are: texts of instruments are in other codings than TIFF allows, and go on behind a zero byte.
        if matches!(entry.field_type(), Type::ASCII | Type::BYTE | Type::SBYTE | Type::UNDEFINED) {
            let mut buffer = ValueBuffer::empty(Type::BYTE);
            directory.find_tag_buf(key, &mut buffer).ok()??;
            return Some(Self::Bytes(buffer.as_bytes().to_vec(), entry.field_type()));
        }
        Some(Self::Numbers(match directory.find_tag(key).ok()?? {
            Value::List(items) => items.iter().map(number).collect::<Option<_>>()?,
            single => vec![number(&single)?],
        }))
    }
}

fn number(value: &Value) -> Option<f64> {
    Some(match *value {
        Value::Short(v) => v.into(),
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

/// A whole file, unless it is longer than any settings are.
pub(super) fn read_limited(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    crate::files::open(path)?.take(LONGEST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= LONGEST_BYTES))
}
