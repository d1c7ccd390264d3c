//! The checkpoints of a run directory.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::file::{decode, encode};
use super::{Checkpoint, CheckpointError, Identity};
use crate::network::Network;
use crate::sinks::atomic;

/// Name of the checkpoint with the best validation accuracy.
const BEST: &str = "best.safetensors";
/// Held by the process that works on the run.
const LOCK: &str = "lock";

/// The folder `checkpoints` of a run directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

/// As long as it lives, no other process can take it.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// A sound checkpoint.
#[derive(Debug)]
pub struct Found {
    /// Its file.
    pub path: PathBuf,
    /// What it holds.
    pub checkpoint: Checkpoint,
    /// Why later ones were refused.
    pub refused: Vec<CheckpointError>,
}

/// A checkpoint by its place in the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    epoch: usize,
    presented: usize,
    path: PathBuf,
}

impl Folder {
    /// That of the run directory `run`, which need not have one yet.
    #[must_use]
    pub fn of(run: &Path) -> Self {
        Self { path: run.join("checkpoints") }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that only one process works on a run. `None` where the file system knows no locks.
    ///
    /// # Errors
    /// [`CheckpointError::Write`]; of kind [`io::ErrorKind::WouldBlock`] if another process works on it.
    pub fn lock(&self) -> Result<Option<Lock>, CheckpointError> {
        let path = self.path.join(LOCK);
        let open = || {
            fs::create_dir_all(&self.path)?;
            File::options().create(true).truncate(false).write(true).open(&path)
        };
        let file = open().map_err(|source| CheckpointError::write(&path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => {
                Err(CheckpointError::write(&path, io::ErrorKind::WouldBlock.into()))
            }
            Err(TryLockError::Error(error)) => {
                log::debug!("{} cannot be locked: {error}", path.display());
                Ok(None)
            }
        }
    }

    /// Writes a checkpoint, also as the best one if `is_best`, and removes all but the last `keep`.
    ///
    /// # Errors
    /// [`CheckpointError`]; the older ones are unharmed.
    pub fn write(
        &self,
        checkpoint: &Checkpoint,
        network: &Network,
        keep: usize,
        is_best: bool,
    ) -> Result<PathBuf, CheckpointError> {
        let state = &checkpoint.state;
        let path = self.path.join(format!("{:04}-{:06}.safetensors", state.epoch, state.presented));
        let bytes = encode(checkpoint, network, &path)?;
        fs::create_dir_all(&self.path).map_err(|source| CheckpointError::write(&self.path, source))?;
        let write =
            |path: &Path| atomic::write(path, &bytes).map_err(|source| CheckpointError::write(path, source));
        write(&path)?;
        if is_best {
            write(&self.path.join(BEST))?;
        }
        self.prune(keep);
        Ok(path)
    }

    /// All checkpoints but the best one, in the order of the run.
    fn entries(&self) -> Vec<Entry> {
        let Ok(files) = fs::read_dir(&self.path) else { return Vec::new() };
        let mut entries: Vec<Entry> = files.filter_map(|file| Entry::of(file.ok()?.path())).collect();
        entries.sort_unstable();
        entries
    }

    /// Removes all but the last `keep`, and what an interrupted save left.
    fn prune(&self, keep: usize) {
        let entries = self.entries();
        for old in &entries[..entries.len().saturating_sub(keep.max(1))] {
            remove(&old.path);
        }
        let Ok(files) = fs::read_dir(&self.path) else { return };
        let parts = files.filter_map(|file| Some(file.ok()?.path()));
        for part in parts.filter(|path| path.extension().is_some_and(|e| e == "part")) {
            remove(&part);
        }
    }

    /// The latest checkpoint that is sound and of this run, the best one as a last resort; and why later ones were refused. `None`
    /// if there is not one file that could be one.
    ///
    /// # Errors
    /// The reasons, if there are checkpoints and all of them are refused.
    pub fn newest(
        &self,
        identity: &Identity,
        network: &Network,
    ) -> Result<Option<Found>, Vec<CheckpointError>> {
        let mut files: Vec<PathBuf> = self.entries().into_iter().rev().map(|e| e.path).collect();
        files.extend(Some(self.path.join(BEST)).filter(|best| best.exists()));
        let mut refused = Vec::new();
        for path in files {
            match load(&path, identity, network) {
                Ok(checkpoint) => return Ok(Some(Found { path, checkpoint, refused })),
                Err(error) => refused.push(error),
            }
        }
        if refused.is_empty() { Ok(None) } else { Err(refused) }
    }

    /// Takes away what lies beyond the place from which a run goes on: sound checkpoints are removed, as the run comes by again; refused
    /// ones are renamed to `….refused`, for whoever wants to know what happened to them.
    pub fn go_back_to(&self, Found { checkpoint, refused, .. }: &Found) {
        let at = (checkpoint.state.epoch, checkpoint.state.presented);
        for later in self.entries().into_iter().filter(|e| (e.epoch, e.presented) > at) {
            if refused.iter().any(|error| error.path() == later.path) {
                let mut name = later.path.clone().into_os_string();
                name.push(".refused");
                if let Err(error) = fs::rename(&later.path, name) {
                    log::warn!("cannot rename {}: {error}", later.path.display());
                }
            } else {
                remove(&later.path);
            }
        }
    }
}

impl Entry {
    /// Reads `<epoch>-<mini-batches>.safetensors`.
    fn of(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".safetensors")?;
        let (epoch, presented) = name.split_once('-')?;
        Some(Self { epoch: epoch.parse().ok()?, presented: presented.parse().ok()?, path })
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        log::warn!("cannot remove {}: {error}", path.display());
    }
}

/// Reads a checkpoint of the run `identity` with this network.
///
/// # Errors
/// If it cannot be read, is damaged, or is of another run, network, precision, format.
pub fn load(path: &Path, identity: &Identity, network: &Network) -> Result<Checkpoint, CheckpointError> {
    let bytes =
        fs::read(path).map_err(|source| CheckpointError::Read { path: path.to_path_buf(), source })?;
    decode(&bytes, path, identity, network)
}
