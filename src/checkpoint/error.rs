//! Why a checkpoint cannot be written or used.

use std::io;
use std::path::{Path, PathBuf};

use crate::sinks::advice;

/// Why a checkpoint cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The operating system does not let it be written. An older checkpoint is unharmed.
    #[error("cannot write the checkpoint {}: {source}{}", path.display(), advice(source))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It cannot be put into the form of the file.
    #[error("cannot encode the checkpoint {}: {reason}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What the encoder said.
        reason: String,
    },
    /// It cannot be read.
    #[error("cannot read the checkpoint {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is not a whole file of the format.
    #[error("the checkpoint {} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It is a file of another kind or another version of the format.
    #[error("{} is not a checkpoint that this version reads: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it is.
        reason: String,
    },
    /// It belongs to another run.
    #[error("the checkpoint {} is of another run: its {what} is {found}, that of this run is {want}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// In the file.
        found: String,
        /// In this run.
        want: String,
    },
}

impl CheckpointError {
    /// The file that it is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Write { path, .. }
            | Self::Encode { path, .. }
            | Self::Read { path, .. }
            | Self::Damaged { path, .. }
            | Self::Format { path, .. }
            | Self::Foreign { path, .. } => path,
        }
    }

    pub(super) fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::Damaged { path: path.to_path_buf(), reason: reason.to_string() }
    }
    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_path_buf(), source }
    }
}
