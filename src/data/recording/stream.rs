//! A [`Store`] for those who want to read and seek.

use std::io::{Error, Read, Result, Seek, SeekFrom};

use super::{RecordingError, Store};

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
        match self.store.read_at(self.at, &mut out[..n]) {
            Ok(()) => {
                self.at += n as u64;
                Ok(n)
            }
            Err(RecordingError::Io { error, .. }) => Err(error),
            Err(other) => Err(Error::other(other)),
        }
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
