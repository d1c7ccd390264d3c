//! The bytes of a file or of memory, read at any place: what every reader reads from.

use std::borrow::Cow;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::RecordingError;

/// Bytes of a page.
const PAGE: usize = 1 << 20;
/// Pages that are kept: a stretch of up to three of them is read once, however many of its channels are asked for one after the other.
const PAGES: usize = 4;

/// Numbers without gaps of so many bytes or more are read past the pages.
const DIRECT: usize = 1 << 14;

/// An open file, or bytes in memory.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    content: Content,
    len: u64,
    /// Number and bytes, the page that was used last at the end.
    pages: Vec<(u64, Vec<u8>)>,
}

#[derive(Debug)]
enum Content {
    File(File),
    Memory(Cow<'static, [u8]>),
}

impl Store {
    /// Opens a file.
    ///
    /// # Errors
    /// If it cannot be opened, or is no regular file: a pipe has no length to check a header against.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let failed = |error| RecordingError::Io { path: path.to_path_buf(), error };
        // Before it is opened: to open a pipe may wait for ever.
        let about = std::fs::metadata(path).map_err(failed)?;
        if !about.is_file() {
            let what = if about.is_dir() { "is a folder" } else { "is no regular file" };
            return Err(failed(std::io::Error::new(ErrorKind::InvalidInput, what)));
        }
        let file = File::open(path).map_err(failed)?;
        Ok(Self::of(path, Content::File(file), about.len()))
    }

    /// Bytes in memory; `path` stands for them in errors.
    pub fn in_memory(path: &Path, bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        let bytes = bytes.into();
        let len = bytes.len() as u64;
        Self::of(path, Content::Memory(bytes), len)
    }

    fn of(path: &Path, content: Content, len: u64) -> Self {
        Self { path: path.to_path_buf(), content, len, pages: Vec::new() }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length in bytes when it was opened.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// An error of this file.
    #[must_use]
    pub fn error(&self, place: impl Into<String>, what: impl Into<String>) -> RecordingError {
        RecordingError::Format { path: self.path.clone(), place: place.into(), what: what.into() }
    }

    /// The first bytes: at most `most` of them, fewer if the file is shorter.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn head(&mut self, most: usize) -> Result<Vec<u8>, RecordingError> {
        let mut bytes = vec![0; most.min(usize::try_from(self.len).unwrap_or(most))];
        self.read_at(0, &mut bytes)?;
        Ok(bytes)
    }

    /// All of a small file.
    ///
    /// # Errors
    /// If it is longer than `most` bytes, or cannot be read.
    pub fn all(&mut self, most: usize) -> Result<Vec<u8>, RecordingError> {
        if self.len > most as u64 {
            let what = format!("{} bytes are too many for such a file; at most {most} are read", self.len);
            return Err(self.error("length", what));
        }
        self.head(most)
    }

    /// Fills `out` with the bytes from `offset` on.
    ///
    /// # Errors
    /// If the file ends before, or cannot be read.
    pub fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), RecordingError> {
        self.fill(offset, out).map_err(|error| RecordingError::Io { path: self.path.clone(), error })
    }

    fn fill(&mut self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        match &mut self.content {
            Content::File(file) => {
                file.seek(SeekFrom::Start(offset))?;
                file.read_exact(out)
            }
            Content::Memory(bytes) => {
                let from = usize::try_from(offset).map_err(|_| ErrorKind::UnexpectedEof)?;
                let to = from.checked_add(out.len()).ok_or(ErrorKind::UnexpectedEof)?;
                out.copy_from_slice(bytes.get(from..to).ok_or(ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }

    /// Appends `count` numbers of `width` bytes (at most 8), each `stride` bytes after the one before, the first at `from`. Whole pages are
    /// read and kept, so that the other channels of the same stretch cost no further reading.
    ///
    /// # Errors
    /// As [`Store::read_at`].
    pub fn strided(
        &mut self,
        from: u64,
        stride: usize,
        width: usize,
        count: u64,
        out: &mut Vec<f64>,
        decode: impl Fn(&[u8]) -> f64,
    ) -> Result<(), RecordingError> {
        let bytes = count.saturating_mul(width as u64);
        if stride == width && bytes >= DIRECT as u64 {
            return self.run(from, width, bytes, out, decode);
        }
        let (mut at, mut left) = (from, count);
        while left > 0 {
            let page = self.page(at / PAGE as u64)?;
            let there = page.get((at % PAGE as u64) as usize..).unwrap_or_default();
            // Numbers that lie wholly within the page.
            let whole =
                there.len().checked_sub(width).map_or(0, |rest| rest as u64 / stride as u64 + 1).min(left);
            out.extend(there.chunks(stride).take(whole as usize).map(|c| decode(&c[..width])));
            at += whole * stride as u64;
            left -= whole;
            if whole == 0 {
                // Across two pages, or beyond the end, which is an error.
                let mut number = [0; 8];
                self.read_at(at, &mut number[..width])?;
                out.push(decode(&number[..width]));
                at += stride as u64;
                left -= 1;
            }
        }
        Ok(())
    }

    /// Numbers without gaps, which are read once only.
    fn run(
        &mut self,
        from: u64,
        width: usize,
        bytes: u64,
        out: &mut Vec<f64>,
        decode: impl Fn(&[u8]) -> f64,
    ) -> Result<(), RecordingError> {
        let most = DIRECT / width * width;
        let mut buffer = vec![0; most];
        let mut done = 0;
        while done < bytes {
            let n = (bytes - done).min(most as u64) as usize;
            self.read_at(from + done, &mut buffer[..n])?;
            out.extend(buffer[..n].chunks_exact(width).map(&decode));
            done += n as u64;
        }
        Ok(())
    }

    /// The bytes of a page; fewer than [`PAGE`] at the end of the file.
    fn page(&mut self, number: u64) -> Result<&[u8], RecordingError> {
        if let Some(known) = self.pages.iter().position(|(n, _)| *n == number) {
            let page = self.pages.remove(known);
            self.pages.push(page);
        } else {
            let start = number.saturating_mul(PAGE as u64);
            let length = self.len.saturating_sub(start).min(PAGE as u64) as usize;
            let mut bytes = if self.pages.len() < PAGES { Vec::new() } else { self.pages.remove(0).1 };
            bytes.resize(length, 0);
            self.read_at(start, &mut bytes)?;
            self.pages.push((number, bytes));
        }
        Ok(self.pages.last().map_or(&[], |(_, bytes)| bytes))
    }
}
