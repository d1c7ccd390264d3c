//! Why recordings do not become series.

use std::path::PathBuf;

use crate::data::recording::RecordingError;

/// Why recordings do not become a [`super::SeriesSet`].
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    /// A recording cannot be opened or read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// A name that no channel has, or more than one.
    #[error("{}: {what} '{name}'{}; channels: {known}", path.display(),
        suggestion.as_ref().map_or(String::new(), |s| format!("; did you mean '{s}'?")))]
    Name {
        /// The recording.
        path: PathBuf,
        /// `there is no channel`, `there are two channels`.
        what: &'static str,
        /// As it was given.
        name: String,
        /// The name that was probably meant.
        suggestion: Option<String>,
        /// Names of the file; of very many the first.
        known: String,
    },
    /// The channels together cannot be used: none left, rates or units that differ, lists that do not fit.
    #[error("{}: {what}", path.display())]
    Channels {
        /// The recording.
        path: PathBuf,
        /// What is wrong with them, and what to do.
        what: String,
    },
    /// One channel cannot be used.
    #[error("{}: channel '{channel}': {what}", path.display())]
    Channel {
        /// The recording.
        path: PathBuf,
        /// Its name.
        channel: String,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// A sample that is no number.
    #[error(
        "{}: channel '{channel}': sample {sample} ({time_s:.3} s) is {value}; leave the channel out (`channels`, or mark it as bad), \
         or end the parts before that time",
        path.display()
    )]
    Sample {
        /// The recording.
        path: PathBuf,
        /// Its name.
        channel: String,
        /// Counted from 0.
        sample: u64,
        /// Seconds from the start.
        time_s: f64,
        /// NaN, inf, or a number too large.
        value: f64,
    },
    /// A part of the recording that it does not have.
    #[error("{}: {key} = [{from}, {to}]: {what}", path.display())]
    Part {
        /// The recording.
        path: PathBuf,
        /// `train-s`, `validation-s`, `test-s`.
        key: &'static str,
        /// Seconds.
        from: f64,
        /// Seconds.
        to: f64,
        /// What is wrong.
        what: String,
    },
    /// A filter that does not go with the rate.
    #[error("{}: {key} = {hz} Hz: {what}", path.display())]
    Frequency {
        /// The recording.
        path: PathBuf,
        /// The key of `[data]`.
        key: &'static str,
        /// As given.
        hz: f64,
        /// What is wrong, and what is possible.
        what: String,
    },
    /// The temporary file for rows that memory shall not hold.
    #[error("a temporary file in {} for the prepared recordings: {error}; memory-limit-mb = {needs:.0} would keep them in memory", folder.display())]
    Spool {
        /// Its folder.
        folder: PathBuf,
        /// What the system says.
        error: std::io::Error,
        /// Megabytes of all rows.
        needs: f64,
    },
}
