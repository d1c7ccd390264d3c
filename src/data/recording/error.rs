//! What can be wrong with a recording.

use std::path::PathBuf;

/// Why a recording cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be opened or read.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// No reader for it.
    #[error("{}: not a recording that is known here; known are {known}", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// Formats and their file names.
        known: String,
    },
    /// The file is damaged or breaks the rules of its format.
    #[error("{}: {place}: {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Where: a field of the header, a byte, a line and column, a channel.
        place: String,
        /// What is wrong there, and what was expected.
        what: String,
    },
    /// A channel that does not exist.
    #[error("{}: there is no channel {channel}; it has {channels}, counted from 0", path.display())]
    NoChannel {
        /// The file.
        path: PathBuf,
        /// Which was asked for.
        channel: usize,
        /// How many there are.
        channels: usize,
    },
    /// Samples beyond the end of a channel.
    #[error("{}: channel {channel} has {samples} samples; {from} to {to} were asked for", path.display())]
    NoSamples {
        /// The file.
        path: PathBuf,
        /// Name of the channel.
        channel: String,
        /// First that was asked for.
        from: u64,
        /// One past the last.
        to: u64,
        /// How many there are.
        samples: u64,
    },
}
