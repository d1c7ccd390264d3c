//! What says which channels a bare matrix holds, and how fast they were sampled: arrays and files beside it, and the user.

use super::{Channel, Hints, RecordingError, Store};

/// Names that a matrix of samples goes by, in order of preference; capitals do not matter.
pub(super) const DATA: &[&str] = &["data", "values", "eeg", "ieeg", "signals", "x"];
/// Names that a rate goes by.
pub(super) const RATE: &[&str] = &[
    "rate_hz",
    "rate",
    "sampling_rate",
    "sample_rate",
    "samplerate",
    "samplingfrequency",
    "sfreq",
    "srate",
    "fsample",
    "fs",
];
/// Names that a list of channels goes by.
pub(super) const CHANNELS: &[&str] =
    &["channels", "channel_names", "ch_names", "labels", "chanlabels", "electrodes", "names"];
/// Names that units go by.
pub(super) const UNITS: &[&str] = &["units", "unit"];

/// Channels at most.
const MOST: u64 = 1 << 16;

/// Place of `name` in a list of names, whatever its capitals.
pub(super) fn rank(list: &[&str], name: &str) -> Option<usize> {
    list.iter().position(|known| known.eq_ignore_ascii_case(name))
}

/// The name that stands first in a list.
pub(super) fn first<'a>(list: &[&str], names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names.filter_map(|name| Some((rank(list, name)?, name))).min().map(|(_, name)| name)
}

/// What was found about the channels of a matrix.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Labels {
    /// Samples a second, and where that is said.
    pub rate: Option<(f64, String)>,
    /// Names of the channels, and where they are said.
    pub names: Option<(Vec<String>, String)>,
    /// One for all, or one a channel.
    pub units: Vec<String>,
}

/// Which axis of a matrix is time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    /// The first axis, unless the names of channels say otherwise.
    First,
    /// The longer axis, unless the names of channels say otherwise.
    Longer,
}

impl Labels {
    /// Whether time is the first axis of a matrix of shape [rows, columns]; and what is to be told about it.
    pub fn time_first(&self, rows: u64, columns: u64, rule: Time) -> (bool, Option<String>) {
        let names = self.names.as_ref().map(|(names, _)| names.len() as u64);
        let shape = format!("the matrix is {rows} × {columns}");
        match names {
            Some(n) if n == columns && n != rows => (true, None),
            Some(n) if n == rows && n != columns => {
                (false, Some(format!("{shape} and {n} channels are named: each row is taken as a channel")))
            }
            _ if rule == Time::First && columns > rows => {
                let what = "rows are taken as samples, columns as channels; if it is the other way round, transpose it";
                (true, Some(format!("{shape}: {what}")))
            }
            _ if rule == Time::First => (true, None),
            _ => {
                let longer = if columns > rows { "columns" } else { "rows" };
                (
                    columns <= rows,
                    Some(format!("{shape}: its {longer}, of which there are more, are taken as samples")),
                )
            }
        }
    }

    /// The channels of a matrix; `help` tells how a rate can be given where none is.
    ///
    /// # Errors
    /// If there is no rate, or none that can be; if there are no samples; if names or units are too many or too few.
    pub fn channels(
        self,
        store: &Store,
        (count, samples): (u64, u64),
        hints: &Hints,
        help: &str,
    ) -> Result<(Vec<Channel>, Vec<String>), RecordingError> {
        if count == 0 || samples == 0 {
            let what = format!("it holds {count} channels with {samples} samples: nothing to read");
            return Err(store.error("size", what));
        }
        if count > MOST {
            let what = format!(
                "it holds {count} channels with {samples} samples; at most {MOST} are read. Is it transposed?"
            );
            return Err(store.error("size", what));
        }
        let mut notices = Vec::new();
        let rate_hz = rate(store, hints, self.rate, help, &mut notices)?;
        let many =
            |of: &str, n: usize| format!("{n} {of} for {count} channels: there has to be one for each");
        if let Some((names, place)) = &self.names
            && names.len() as u64 != count
        {
            return Err(store.error(place.clone(), many("names", names.len())));
        }
        if self.units.len() > 1 && self.units.len() as u64 != count {
            return Err(store.error("units", many("units", self.units.len())));
        }
        let names = self.names.map(|(names, _)| names).unwrap_or_default();
        let channel = |i: usize| {
            let name = names.get(i).map(|name| name.trim()).filter(|name| !name.is_empty());
            let unit = self.units.get(i).or_else(|| self.units.first().filter(|_| self.units.len() == 1));
            Channel {
                name: name.map_or_else(|| format!("ch{}", i + 1), str::to_owned),
                kind: String::new(),
                unit: unit.map_or_else(String::new, |unit| unit.trim().to_owned()),
                bad: false,
                rate_hz,
                samples,
                digital: None,
            }
        };
        let channels: Vec<Channel> = (0..count as usize).map(channel).collect();
        let mut sorted: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
        sorted.sort_unstable();
        if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            notices.push(format!("more than one channel is named '{}'", twice[0]));
        }
        Ok((channels, notices))
    }
}

/// The rate that holds: what the user says goes before the file.
pub(super) fn rate(
    store: &Store,
    hints: &Hints,
    said: Option<(f64, String)>,
    help: &str,
    notices: &mut Vec<String>,
) -> Result<f64, RecordingError> {
    let usable = |rate: f64| rate.is_finite() && rate > 0.0;
    match (hints.rate_hz, said) {
        (Some(hint), _) if !usable(hint) => {
            Err(store.error("rate", format!("{hint} Hz was given; a rate has to be above 0")))
        }
        (Some(hint), said) => {
            if let Some((said, place)) = said.filter(|(said, _)| *said != hint) {
                notices.push(format!("{place} says {said} Hz; {hint} Hz is used, as was asked"));
            }
            Ok(hint)
        }
        (None, Some((said, place))) if !usable(said) => {
            Err(store.error(place, format!("the sampling rate is {said}; it has to be above 0 Hz")))
        }
        (None, Some((said, _))) => Ok(said),
        (None, None) => {
            Err(store.error("rate", format!("nothing tells how many samples a second it has: {help}")))
        }
    }
}
