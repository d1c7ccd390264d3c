//! A [`Store`] for those who want to read and seek.

use std::io::{BufReader, Error, Read, Result, Seek, SeekFrom};

use super::{RecordingError, Store};

/// Reads a stretch of a store.
pub(super) fn part(store: &mut Store, at: u64, size: u64) -> impl Read {
    let end = at.saturating_add(size).min(store.len());
    BufReader::new(Part { store, at, end })
}

struct Part<'a> {
    store: &'a mut Store,
    at: u64,
    end: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let left = self.end.saturating_sub(self.at);
        let n = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.store.read_at(self.at, &mut out[..n]).map_err(plain)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// What the system said of a failed read.
fn plain(error: RecordingError) -> Error {
    match error {
        RecordingError::Io { error, .. } => error,
        other => Error::other(other),
    }
}

/// Reads a store from its start to its end.
#[derive(Debug)]
pub(super) struct StoreReader {
    store: Store,
    at: u64,
}

impl StoreReader {
    pub fn new(store: Store) -> Self {
        Self { store, at: 0 }
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn into_inner(self) -> Store {
        self.store
    }
}

impl Read for StoreReader {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let left = self.store.len().saturating_sub(self.at);
        let n = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.store.read_at(self.at, &mut out[..n]).map_err(plain)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for StoreReader {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.store.len().checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| Error::from(std::io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
