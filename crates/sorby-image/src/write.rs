//! Writing files so that a crash leaves the old file or the new one, never a part.

use crate::ImageError;
use crate::files::{self, Refused};
use cap_std::fs::{Dir, Metadata, OpenOptions};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

/// Writes `bytes` under a temporary name in the same folder, syncs, renames. Creates the folder. What is replaced keeps
/// its rights, and its owner as far as the system lets; a link stays a link, and its target is replaced.
///
/// # Errors
/// Names `path`, also when that is read-only; the old file, if any, is then as it was.
pub fn atomically(path: &Path, bytes: &[u8]) -> Result<(), ImageError> {
    replace(path, bytes).map_err(|e| ImageError::io(path, e))
}

/// Copies a file atomically, all its bytes and nothing else: the copy is as readable as the user's new files are.
///
/// # Errors
/// Names the file that cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<(), ImageError> {
    let mut source = files::open(from).map_err(|e| ImageError::io(from, e))?;
    let mut out = Streamed::begin(to)?;
    io::copy(&mut source, &mut out).map_err(|e| ImageError::io(to, e))?;
    out.finish()
}

/// [`atomically`] for a file that takes the place of one with another name, whose rights it gets.
///
/// # Errors
/// Names `path` when it cannot be written, or `old` when its rights cannot be read.
pub fn atomically_for(path: &Path, old: &Path, bytes: &[u8]) -> Result<(), ImageError> {
    let rights = || -> io::Result<Metadata> {
        let (folder, name) = files::place(old)?;
        folder.symlink_metadata(&name)
    };
    let io = |e| ImageError::io(path, e);
    let mut partial = Partial::next_to(path).map_err(io)?;
    if partial.old.is_none() {
        partial.old = Some(rights().map_err(|e| ImageError::io(old, e))?);
    }
    partial.file.write_all(bytes).and_then(|()| partial.put()).map_err(io)
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut partial = Partial::next_to(path)?;
    partial.file.write_all(bytes)?;
    partial.put()
}

/// A file under a temporary name in the folder where it will be; removed when it is dropped before it gets its name.
struct Partial {
    folder: Dir,
    hidden: PathBuf,
    name: PathBuf,
    file: File,
    /// The file that will be replaced.
    old: Option<Metadata>,
    done: bool,
}

impl Partial {
    fn next_to(path: &Path) -> io::Result<Self> {
        let (folder, name) = files::place(path)?;
        sweep_once(path, &folder);
        let old = folder.symlink_metadata(&name).ok();
        if let Some(old) = &old {
            if !old.is_file() {
                return Err(Refused::NoFile.error());
            }
            if old.permissions().readonly() {
                return Err(Refused::ReadOnly.error());
            }
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt as _;
            // A new file is as readable as the user's umask lets it be; what replaces another is private until it is whole.
            options.mode(if old.is_some() { 0o600 } else { 0o666 });
        }
        loop {
            let hidden = PathBuf::from(hidden_name());
            match folder.open_with(&hidden, &options) {
                Ok(file) => {
                    return Ok(Self { folder, hidden, name, file: file.into_std(), old, done: false });
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Gives a complete file its name.
    fn put(mut self) -> io::Result<()> {
        #[cfg(unix)]
        if let Some(old) = &self.old {
            keep_rights(&self.file, old)?;
        }
        self.file.sync_all()?;
        self.folder.rename(&self.hidden, &self.folder, &self.name)?;
        self.done = true;
        // The handle itself may be good for nothing but finding files.
        if cfg!(unix) { self.folder.open(".")?.sync_all() } else { Ok(()) }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.done {
            // What cannot be removed is swept later.
            let _ = self.folder.remove_file(&self.hidden);
        }
    }
}

/// A name that no other file has: of this process, this call and this moment.
fn hidden_name() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!(".partial-{:x}-{call:x}-{:x}", std::process::id(), now.subsec_nanos())
}

/// Gives a new file the owner, group and mode of the one that it replaces.
#[cfg(unix)]
fn keep_rights(file: &File, old: &Metadata) -> io::Result<()> {
    use cap_std::fs::MetadataExt as _;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    let new = file.metadata()?;
    let mut mode = old.mode() & 0o7777;
    if new.uid() != old.uid() {
        // Only the administrator may give files away; else the file belongs to who has written it.
        let _ = fchown(file, Some(old.uid()), None);
    }
    if new.gid() != old.gid() && fchown(file, None, Some(old.gid())).is_err() {
        // What one group was allowed to do is nothing that another may: it gets the rights of all others.
        mode = (mode & !0o070) | ((mode & 0o007) << 3);
    }
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

/// Nothing is written to for so long.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Removes what killed processes left half-written, at the first file that this process writes into a folder.
fn sweep_once(path: &Path, folder: &Dir) {
    static SWEPT: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
    let mut swept = SWEPT.lock().unwrap_or_else(|e| e.into_inner());
    if !swept.get_or_insert_default().insert(path.parent().unwrap_or(Path::new("")).to_owned()) {
        return;
    }
    drop(swept);
    for entry in folder.entries().into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(".partial-");
        let age =
            || entry.metadata().ok().filter(|m| m.is_file())?.modified().ok()?.into_std().elapsed().ok();
        if ours && age().is_some_and(|age| age > ABANDONED) {
            // What cannot be removed does no harm.
            let _ = entry.remove_file();
        }
    }
}

/// Makes renames in a folder outlast a power cut.
///
/// # Errors
/// When the folder cannot be opened, or the system cannot write it to the disk.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A file written piece by piece, for what is too large to keep. Until [`Streamed::finish`] it has a temporary name, and
/// none if it is dropped before.
pub struct Streamed {
    path: PathBuf,
    partial: Partial,
    out: BufWriter<File>,
    /// The first failure. Libraries that write here wrap errors, print them or drop them, so they get no report: what they
    /// write after it goes nowhere, and the end reports it.
    failure: Option<io::Error>,
}

impl Streamed {
    /// Opens a temporary file in the folder of `path`, which is made where it is missing.
    ///
    /// # Errors
    /// Names `path`.
    pub fn begin(path: &Path) -> Result<Self, ImageError> {
        let io = |e| ImageError::io(path, e);
        let partial = Partial::next_to(path).map_err(io)?;
        let out = BufWriter::with_capacity(1 << 20, partial.file.try_clone().map_err(io)?);
        Ok(Self { path: path.to_owned(), partial, out, failure: None })
    }

    /// Syncs the file and gives it its name.
    ///
    /// # Errors
    /// Names the file; the old one, if any, is then as it was.
    pub fn finish(self) -> Result<(), ImageError> {
        if let Some(failure) = self.failure {
            return Err(ImageError::io(&self.path, failure));
        }
        self.out.into_inner().map_err(|e| ImageError::io(&self.path, e.into_error()))?;
        self.partial.put().map_err(|e| ImageError::io(&self.path, e))
    }
}

impl Streamed {
    /// What a call gives, or gives in its place once anything has failed.
    fn told<T>(
        &mut self,
        call: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
        instead: T,
    ) -> io::Result<T> {
        if self.failure.is_none() {
            match call(&mut self.out) {
                Ok(given) => return Ok(given),
                Err(failure) => self.failure = Some(failure),
            }
        }
        Ok(instead)
    }
}

impl std::io::Write for Streamed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.told(|out| out.write_all(bytes), ())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.told(|out| out.flush(), ())
    }
}

impl std::io::Seek for Streamed {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.told(|out| out.seek(to), 0)
    }
}

/// What the bytes of a PNG mean.
pub enum PngKind {
    /// One grey value per pixel.
    Grey,
    /// Red, green, blue per pixel.
    Rgb,
    /// One index per pixel, 256 colours.
    Palette(Vec<u8>),
}

/// Encodes an 8-bit PNG.
///
/// # Errors
/// When a side is 0, or `data` has not as many bytes as the picture needs.
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

/// A stream that a library writes to and drops. The last bytes in its buffer are written when it is finished, where a
/// failure is reported; a buffer that the library drops would lose them without a word.
struct Shared(Arc<Mutex<Streamed>>);

impl Shared {
    fn held(&self) -> MutexGuard<'_, Streamed> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.held().flush()
    }
}

/// An 8-bit PNG written row by row, for pictures too large to keep. Until [`PngRows::finish`] it has a temporary
/// name, and none if it is dropped before.
pub struct PngRows {
    path: PathBuf,
    out: Arc<Mutex<Streamed>>,
    stream: png::StreamWriter<'static, Shared>,
}

impl PngRows {
    /// Opens a temporary file in the folder of `path` and writes the header of the PNG.
    ///
    /// # Errors
    /// Names `path`, when it cannot be written, or a side is 0.
    pub fn begin(path: &Path, (width, height): (usize, usize), kind: PngKind) -> Result<Self, ImageError> {
        let out = Arc::new(Mutex::new(Streamed::begin(path)?));
        let mut encoder = png::Encoder::new(Shared(out.clone()), width as u32, height as u32);
        configure(&mut encoder, kind);
        let writer = encoder.write_header().map_err(|e| encoding(path, e))?;
        let stream = writer.into_stream_writer().map_err(|e| encoding(path, e))?;
        Ok(Self { path: path.to_owned(), out, stream })
    }

    /// Adds the bytes of the next row, or of several.
    ///
    /// # Errors
    /// Names the file, when it cannot be written.
    pub fn row(&mut self, bytes: &[u8]) -> Result<(), ImageError> {
        self.stream.write_all(bytes).map_err(|e| ImageError::io(&self.path, e))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// Names the file, also when its last bytes cannot be written.
    ///
    /// # Panics
    /// Never: the PNG library has dropped its handle of the file by then.
    pub fn finish(self) -> Result<(), ImageError> {
        self.stream.finish().map_err(|e| encoding(&self.path, e))?;
        let out = Arc::into_inner(self.out).expect("the library has dropped its part");
        out.into_inner().unwrap_or_else(|e| e.into_inner()).finish()
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
///
/// # Errors
/// Names `path`, when it cannot be written, a side is 0, or `data` has not as many bytes as the picture needs.
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

    #[cfg(unix)]
    mod rights {
        use super::*;
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

        fn mode(path: &Path) -> u32 {
            std::fs::metadata(path).unwrap().mode() & 0o7777
        }

        fn set_mode(path: &Path, mode: u32) {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }

        #[test]
        fn what_is_replaced_keeps_its_rights() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a");
            for wanted in [0o600, 0o640, 0o660, 0o644, 0o755, 0o666] {
                std::fs::write(&path, "old").unwrap();
                set_mode(&path, wanted);
                atomically(&path, b"new").unwrap();
                assert_eq!((mode(&path), std::fs::read(&path).unwrap()), (wanted, b"new".to_vec()));
            }
            set_mode(&path, 0o444);
            let message = atomically(&path, b"newer").unwrap_err().to_string();
            assert!(message.contains("read-only") && !message.contains('\n'), "{message}");
            assert_eq!((mode(&path), std::fs::read(&path).unwrap()), (0o444, b"new".to_vec()));
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing half-written stays");
        }

        #[test]
        fn a_link_stays_a_link() {
            let dir = tempfile::tempdir().unwrap();
            let at = |name: &str| dir.path().join(name);
            std::fs::create_dir(at("store")).unwrap();
            std::fs::write(at("store/real"), "old").unwrap();
            symlink("store/real", at("link")).unwrap();
            atomically(&at("link"), b"new").unwrap();
            assert!(at("link").is_symlink());
            assert_eq!(std::fs::read(at("store/real")).unwrap(), b"new");
            symlink("nowhere", at("broken")).unwrap();
            let message = atomically(&at("broken"), b"new").unwrap_err().to_string();
            assert!(message.contains("link to nothing"), "{message}");
            std::fs::create_dir(at("folder")).unwrap();
            assert!(atomically(&at("folder"), b"new").is_err());
        }
    }
}
