//! Writing files so that a crash leaves the old file or the new one, never a part.

use crate::ImageError;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;
use tempfile::NamedTempFile;

/// Writes `bytes` under a temporary name in the same folder, syncs, renames. Creates the folder.
///
/// # Errors
/// Names `path`; the old file, if any, is then as it was.
pub fn atomically(path: &Path, bytes: &[u8]) -> Result<(), ImageError> {
    replace(path, bytes).map_err(|e| ImageError::io(path, e))
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = temporary_beside(path)?;
    file.write_all(bytes)?;
    put(file, path)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn temporary_beside(path: &Path) -> std::io::Result<NamedTempFile> {
    let folder = folder_of(path);
    std::fs::create_dir_all(folder)?;
    static SWEPT: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
    let mut swept = SWEPT.lock().unwrap_or_else(|e| e.into_inner());
    if swept.get_or_insert_default().insert(folder.to_owned()) {
        sweep(folder);
    }
    drop(swept);
    tempfile::Builder::new().prefix(".partial-").tempfile_in(folder_of(path))
}

/// Nothing is written to for so long.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Removes what killed processes left half-written.
fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(".partial-");
        let age = || entry.metadata().ok().filter(|m| m.is_file())?.modified().ok()?.elapsed().ok();
        if ours && age().is_some_and(|age| age > ABANDONED) {
            // What cannot be removed does no harm.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Gives a complete temporary file its name.
fn put(file: NamedTempFile, path: &Path) -> std::io::Result<()> {
    file.as_file().sync_all()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // A temporary file is private; an output should be as readable as any other.
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map_err(|e| e.error)?;
    sync_folder(folder_of(path))
}

/// Makes renames in a folder outlast a power cut.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A file written piece by piece, for what is too large to keep. Until [`Streamed::finish`] it has a temporary name, and
/// none if it is dropped before.
pub struct Streamed {
    path: PathBuf,
    out: BufWriter<NamedTempFile>,
}

impl Streamed {
    /// Opens a temporary file in the folder of `path`, which is made where it is missing.
    ///
    /// # Errors
    /// Names `path`.
    pub fn begin(path: &Path) -> Result<Self, ImageError> {
        let file = temporary_beside(path).map_err(|e| ImageError::io(path, e))?;
        Ok(Self { path: path.to_owned(), out: BufWriter::with_capacity(1 << 20, file) })
    }

    /// Syncs the file and gives it its name.
    ///
    /// # Errors
    /// Names the file; the old one, if any, is then as it was.
    pub fn finish(self) -> Result<(), ImageError> {
        let file = self.out.into_inner().map_err(|e| ImageError::io(&self.path, e.into_error()))?;
        put(file, &self.path).map_err(|e| ImageError::io(&self.path, e))
    }
}

impl std::io::Write for Streamed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

impl std::io::Seek for Streamed {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.out.seek(to)
    }
}

/// What the bytes of a PNG mean.
pub enum PngKind {
    Grey,
    Rgb,
    /// One index per pixel, 256 colours.
    Palette(Vec<u8>),
}

/// Encodes an 8-bit PNG.
pub fn png_bytes(
    width: usize,
    height: usize,
    kind: PngKind,
    data: &[u8],
) -> Result<Vec<u8>, png::EncodingError> {
    encode(width, height, kind, data, None)
}

fn configure<W: std::io::Write>(encoder: &mut png::Encoder<W>, kind: PngKind) {
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_color(match kind {
        PngKind::Grey => png::ColorType::Grayscale,
        PngKind::Rgb => png::ColorType::Rgb,
        PngKind::Palette(_) => png::ColorType::Indexed,
    });
    if let PngKind::Palette(palette) = kind {
        encoder.set_palette(palette);
    }
}

/// With a text chunk of this keyword.
pub(crate) fn encode(
    width: usize,
    height: usize,
    kind: PngKind,
    data: &[u8],
    text: Option<(&str, String)>,
) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(BufWriter::new(&mut bytes), width as u32, height as u32);
    configure(&mut encoder, kind);
    if let Some((keyword, text)) = text {
        encoder.add_itxt_chunk(keyword.to_owned(), text)?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(data)?;
    writer.finish()?;
    Ok(bytes)
}

/// An 8-bit PNG written row by row, for pictures too large to keep. Until [`PngRows::finish`] it has a temporary
/// name, and none if it is dropped before.
pub struct PngRows {
    path: PathBuf,
    file: NamedTempFile,
    stream: png::StreamWriter<'static, BufWriter<File>>,
}

impl PngRows {
    pub fn begin(path: &Path, (width, height): (usize, usize), kind: PngKind) -> Result<Self, ImageError> {
        let io = |e: std::io::Error| ImageError::io(path, e);
        let file = temporary_beside(path).map_err(io)?;
        let handle = file.as_file().try_clone().map_err(io)?;
        let mut encoder = png::Encoder::new(BufWriter::new(handle), width as u32, height as u32);
        configure(&mut encoder, kind);
        let writer = encoder.write_header().map_err(|e| encoding(path, e))?;
        let stream = writer.into_stream_writer().map_err(|e| encoding(path, e))?;
        Ok(Self { path: path.to_owned(), file, stream })
    }

    /// Adds the bytes of the next row, or of several.
    pub fn row(&mut self, bytes: &[u8]) -> Result<(), ImageError> {
        self.stream.write_all(bytes).map_err(|e| ImageError::io(&self.path, e))
    }

    /// Gives the file its name.
    pub fn finish(self) -> Result<(), ImageError> {
        self.stream.finish().map_err(|e| encoding(&self.path, e))?;
        put(self.file, &self.path).map_err(|e| ImageError::io(&self.path, e))
    }
}

fn encoding(path: &Path, e: png::EncodingError) -> ImageError {
    match e {
        png::EncodingError::IoError(e) => ImageError::io(path, e),
        other => ImageError::unreadable(path, other),
    }
}

/// A name, such as a class's, as part of a file's name.
pub fn safe_name(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect()
}

/// Writes an 8-bit PNG atomically.
pub fn png(path: &Path, width: usize, height: usize, kind: PngKind, data: &[u8]) -> Result<(), ImageError> {
    let bytes = png_bytes(width, height, kind, data).map_err(|e| ImageError::unreadable(path, e))?;
    atomically(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_swept_but_not_what_another_writes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in [".partial-old", ".partial-new", "partial-old"] {
            std::fs::write(at(name), "x").unwrap();
        }
        for name in [".partial-old", "partial-old"] {
            let file = File::options().write(true).open(at(name)).unwrap();
            file.set_modified(std::time::SystemTime::now() - 2 * ABANDONED).unwrap();
        }
        atomically(&at("table.csv"), b"1").unwrap();
        let mut names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".partial-new", "partial-old", "table.csv"]);
    }
}
