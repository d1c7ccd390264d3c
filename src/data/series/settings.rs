//! What `[data]` says about recordings: which channels, how they are prepared, and which part of their time is for what.

use std::path::PathBuf;

/// Time series from recordings. [`super::load()`] makes a [`super::SeriesSet`] of it.
///
/// Order of the steps: channels are chosen, turned to a reference, high-pass and notch filtered at the rate of the file, resampled, scaled,
/// cut into parts.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesConfig {
    /// Where the recordings are.
    pub files: Files,
    /// Samples a second, for files that tell no rate; wins over one that they tell.
    pub rate_hz: Option<f64>,
    /// Unit of all values (`µV`, `mV`, …), for files that tell none; wins over one that they tell.
    pub unit: Option<String>,
    /// Which channels; in the words of the file, before any reference.
    pub channels: Channels,
    /// Whether channels that a sidecar marks as bad are left out. Channels that are named are taken in any case.
    pub drop_bad: bool,
    /// Names of the channels that drive the input population. A name that is among the chosen channels (after the reference) is moved;
    /// another is looked for in the file and taken without a reference.
    pub inputs: Vec<String>,
    /// What voltages are differences to.
    pub reference: Reference,
    /// New rate, at most that of the file; `None` = that of the file.
    pub resample_hz: Option<f64>,
    /// Corner (−3 dB) of a Butterworth high-pass filter of second order.
    pub high_pass_hz: Option<f64>,
    /// Frequencies that are removed, each by a filter of second order of −3 dB width f/30.
    pub notch_hz: Vec<f64>,
    /// From the unit of the file to voltages of the network.
    pub scale: Scale,
    /// Simulated time from sample to sample, ms; `None` = 1000 / rate.
    pub step_ms: Option<f64>,
    /// Training part: from, to, in seconds of the recording. `None` = from 0 to the first other part that is given, or to the middle of the
    /// recording.
    pub train_s: Option<[f64; 2]>,
    /// Validation part; `None` = none.
    pub validation_s: Option<[f64; 2]>,
    /// Test part; `None` = from the end of the other parts to the end of the recording.
    pub test_s: Option<[f64; 2]>,
    /// Above so many megabytes (10⁶ bytes) of prepared rows, of all recordings together, they go to a temporary file.
    pub memory_limit_mb: f64,
}

/// Default of [`SeriesConfig::memory_limit_mb`].
pub const MEMORY_LIMIT_MB: f64 = 64.0;

impl SeriesConfig {
    /// All channels of one file as they are, z-scored; every other setting at its default.
    #[must_use]
    pub fn of(files: Files) -> Self {
        Self {
            files,
            rate_hz: None,
            unit: None,
            channels: Channels::Default { first: None },
            drop_bad: true,
            inputs: Vec::new(),
            reference: Reference::None,
            resample_hz: None,
            high_pass_hz: None,
            notch_hz: Vec::new(),
            scale: Scale::ZScore,
            step_ms: None,
            train_s: None,
            validation_s: None,
            test_s: None,
            memory_limit_mb: MEMORY_LIMIT_MB,
        }
    }
}

/// Where recordings are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    /// The recording in the program itself.
    Embedded,
    /// Files or folders, at least one; absolute paths. Several are recordings of the same channels, a series each.
    Paths(Vec<PathBuf>),
}

/// Which channels of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channels {
    /// Those by name, in this order.
    Names(Vec<String>),
    /// Those of some types (`SEEG`, `ECOG`, …; case does not matter), in the order of the file.
    Types {
        /// The types.
        types: Vec<String>,
        /// Only the first so many.
        first: Option<usize>,
    },
    /// SEEG, ECOG, DBS and EEG where the file has channels of such types, else all; in the order of the file.
    Default {
        /// Only the first so many.
        first: Option<usize>,
    },
}

/// What voltages are differences to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// As recorded.
    None,
    /// The mean of the chosen channels, at each sample.
    CommonAverage,
    /// The next contact of the same electrode shaft: `L'1-L'2`.
    Bipolar,
}

impl Reference {
    /// Names in experiment files.
    pub const NAMES: [(&'static str, Self); 3] =
        [("none", Self::None), ("common-average", Self::CommonAverage), ("bipolar", Self::Bipolar)];
}

/// From the unit of the file to voltages of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Values in the unit of the file: in µV where the file tells a voltage.
    None,
    /// Values in µV over a fixed divisor.
    DivideBy(f64),
    /// Mean 0 and sd 1 of each channel, fitted on the training part alone (of all recordings together).
    ZScore,
}
