//! What can go wrong with a picture.

use std::path::PathBuf;

/// Why a picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// There is no such folder.
    #[error("{}: there is no such folder; give a run directory, runs/<name>/<utc>-<seed>, or the folder <utc>-seeds of several seeds", path.display())]
    NoFolder {
        /// What was given.
        path: PathBuf,
    },
    /// A folder in which there is nothing to draw.
    #[error("{}: nothing to draw: {}; give a run directory, runs/<name>/<utc>-<seed>, or the folder <utc>-seeds of several seeds", path.display(), why.join("; "))]
    Nothing {
        /// The folder.
        path: PathBuf,
        /// What is missing or wrong, one a file.
        why: Vec<String>,
    },
    /// A file that is there cannot be used.
    #[error("{}: {what}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// A folder or picture cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// There is nothing in the numbers that could be drawn.
    #[error("{0}")]
    Empty(String),
    /// What draws has failed.
    #[error("the picture cannot be made: {0}")]
    Draw(String),
}
