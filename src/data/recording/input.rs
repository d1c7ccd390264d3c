//! The bytes of a file, read in pieces whose sizes are checked against its length before memory is taken for them.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::RecordingError;

/// What bytes are read from.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// An open file, or bytes that stand for one.
pub struct Input {
    path: PathBuf,
    length: u64,
    reader: Box<dyn ReadSeek>,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input")
            .field("path", &self.path)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl Input {
    /// Opens a file.
    ///
    /// # Errors
    /// If it is not there or cannot be read.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let io = |error| RecordingError::Io { path: path.to_path_buf(), error };
        let file = File::open(path).map_err(io)?;
        let about = file.metadata().map_err(io)?;
        if about.is_dir() {
            return Err(io(std::io::ErrorKind::IsADirectory.into()));
        }
        Ok(Self { path: path.to_path_buf(), length: about.len(), reader: Box::new(file) })
    }

    /// Bytes in place of a file; `path` names them in errors.
    #[must_use]
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Self {
        Self { path: path.to_path_buf(), length: bytes.len() as u64, reader: Box::new(Cursor::new(bytes)) }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its bytes when it was opened.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// What is wrong at a place of this file.
    #[must_use]
    pub fn wrong(&self, place: impl Into<String>, what: impl Into<String>) -> RecordingError {
        RecordingError::Format { path: self.path.clone(), place: place.into(), what: what.into() }
    }

    /// What the system says of this file.
    #[must_use]
    pub fn failed(&self, error: std::io::Error) -> RecordingError {
        RecordingError::Io { path: self.path.clone(), error }
    }

    /// The reader, at a byte.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn at(&mut self, offset: u64) -> Result<&mut dyn ReadSeek, RecordingError> {
        match self.reader.seek(SeekFrom::Start(offset)) {
            Ok(_) => Ok(&mut *self.reader),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// `count` bytes from byte `offset`, in place of what `out` held.
    ///
    /// # Errors
    /// If the file has not so many, or cannot be read.
    pub fn read_at(&mut self, offset: u64, count: u64, out: &mut Vec<u8>) -> Result<(), RecordingError> {
        out.clear();
        let fits = offset.checked_add(count).is_some_and(|end| end <= self.length);
        let Some(size) = usize::try_from(count).ok().filter(|_| fits) else {
            let what = format!("the file ends at byte {}; {count} bytes were expected here", self.length);
            return Err(self.wrong(format!("byte {offset}"), what));
        };
        out.resize(size, 0);
        let done = self.at(offset)?.read_exact(out);
        done.map_err(|error| self.failed(error))
    }

    /// As [`Input::read_at`], in memory of its own.
    ///
    /// # Errors
    /// As there.
    pub fn bytes(&mut self, offset: u64, count: u64) -> Result<Vec<u8>, RecordingError> {
        let mut out = Vec::new();
        self.read_at(offset, count, &mut out)?;
        Ok(out)
    }
}
