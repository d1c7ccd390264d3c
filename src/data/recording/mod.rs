//! Recordings: many channels over time, as the files that electrophysiologists have hold them.
//!
//! A [`Recording`] is opened without reading its samples; [`Recording::read`] then gives any stretch of any channels, so that hours fit in
//! constant memory. What is read are physical values in the unit that the file declares for the channel; [`Channel::microvolts`] tells the
//! factor to µV. One file of this folder serves one format.

pub mod bids;
pub mod brainvision;
mod convert;
pub mod edf;
mod embedded;
mod error;
#[cfg(feature = "hdf5")]
pub mod hdf5;
mod labels;
pub mod matlab;
pub mod numpy;
mod open;
mod store;
mod stream;
mod strided;
mod summary;
pub mod table;
mod text;

pub use convert::{Part, Written};
pub use embedded::{EMBEDDED, embedded};
pub use error::RecordingError;
pub use open::{Kind, open, open_with};
pub use store::Store;
pub use summary::Summary;

use std::ops::Range;
use std::path::{Path, PathBuf};

/// One signal of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Name as in the file, without surrounding blanks.
    pub name: String,
    /// Type where a sidecar or the file tells one, in the words of BIDS (`SEEG`, `ECOG`, `EEG`, `ECG`, `MISC`, …); else empty.
    pub kind: String,
    /// Unit of the values as declared (`uV`, `µV`, `mV`, `V`, …); empty where none is.
    pub unit: String,
    /// Marked as bad by a sidecar.
    pub bad: bool,
    /// Samples a second, above 0; need not be a whole number.
    pub rate_hz: f64,
    /// Number of samples.
    pub samples: u64,
    /// How integers of the file become values, where it holds 16-bit integers: lossless storage for those who want it.
    pub digital: Option<Digital>,
}

/// 16-bit integers d that stand for values `gain·d + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Digital {
    /// Unit of the channel per step.
    pub gain: f64,
    /// Value of 0, in the unit of the channel.
    pub offset: f64,
    /// Smallest and largest integer that the recorder could write: values at the ends are clipped.
    pub range: [i32; 2],
}

impl Channel {
    /// Factor from the unit of the channel to µV; `None` where the unit is no voltage, or not known.
    #[must_use]
    pub fn microvolts(&self) -> Option<f64> {
        match self.unit.trim() {
            "V" | "v" | "volt" | "Volt" | "volts" | "Volts" => Some(1e6),
            "mV" | "mv" => Some(1e3),
            // Micro sign, Greek mu, and what encodings leave of both.
            "µV" | "μV" | "uV" | "uv" | "\u{fffd}V" | "microV" | "microvolt" | "microvolts" => Some(1.0),
            "nV" | "nv" => Some(1e-3),
            _ => None,
        }
    }
}

/// What a user says about a recording; it goes before what the file says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hints {
    /// Samples a second, above 0: for files that tell no rate (`.npy`, tables without a column of times), or a wrong one.
    pub rate_hz: Option<f64>,
}

/// A recording that was opened: all about its channels, and access to their samples.
pub struct Recording {
    /// The file or folder that was opened.
    pub path: PathBuf,
    /// Name of the format, for people: `EDF+`, `BrainVision`, `NumPy`, …
    pub format: &'static str,
    /// In the order of the file, without annotation channels.
    pub channels: Vec<Channel>,
    /// What was odd about the file but does not stop its use, for people.
    pub notices: Vec<String>,
    source: Box<dyn Source>,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording")
            .field("path", &self.path)
            .field("format", &self.format)
            .field("channels", &self.channels)
            .finish_non_exhaustive()
    }
}

/// Access to the samples of an open file.
pub trait Source: Send {
    /// Appends samples `range` of channel `channel` (its place in [`Recording::channels`]) to `out`, in the unit of the channel. The range lies
    /// within the channel: [`Recording::read`] sees to it.
    ///
    /// # Errors
    /// If the file cannot be read, or does not hold what its header says.
    fn read(&mut self, channel: usize, range: Range<u64>, out: &mut Vec<f64>) -> Result<(), RecordingError>;
}

impl Recording {
    /// A recording from its parts.
    #[must_use]
    pub fn new(path: &Path, format: &'static str, channels: Vec<Channel>, source: Box<dyn Source>) -> Self {
        Self { path: path.to_path_buf(), format, channels, notices: Vec::new(), source }
    }

    /// Samples `range` of a channel in its unit, appended to `out`.
    ///
    /// # Errors
    /// If there is no such channel or sample, the file cannot be read, or does not hold what its header says.
    pub fn read(
        &mut self,
        channel: usize,
        range: Range<u64>,
        out: &mut Vec<f64>,
    ) -> Result<(), RecordingError> {
        let Some(of) = self.channels.get(channel) else {
            return Err(RecordingError::NoChannel {
                path: self.path.clone(),
                channel,
                channels: self.channels.len(),
            });
        };
        if range.start > range.end || range.end > of.samples {
            return Err(RecordingError::NoSamples {
                path: self.path.clone(),
                channel: of.name.clone(),
                from: range.start,
                to: range.end,
                samples: of.samples,
            });
        }
        self.source.read(channel, range, out)
    }
}
