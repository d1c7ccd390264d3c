//! Which channels of a recording, and in which unit.

use std::path::Path;

use super::reference::{self, Column};
use super::{Channels, Reference, Scale, SeriesConfig, SeriesError};
use crate::config::suggest::closest;
use crate::data::recording::{Channel, Recording};

/// Types of channels that are electrodes in or on the brain, in the words of BIDS.
const NEURAL: [&str; 4] = ["SEEG", "ECOG", "DBS", "EEG"];

/// Names that a message lists.
const SHOWN: usize = 12;

/// The channels of a file that are read, and the columns that are made of them.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    /// Channels of the file, by their place in it.
    pub sources: Vec<usize>,
    /// The first so many sources take part in a common reference; the others are inputs taken as they are.
    pub referenced: usize,
    /// Columns of the series: inputs first.
    pub columns: Vec<Column>,
    /// How many of them are inputs.
    pub inputs: usize,
    /// Factor from the unit of each source to `unit`.
    pub factors: Vec<f64>,
    /// Common unit of all columns; empty where it is not known, `None` where channels differ and it does not matter.
    pub unit: Option<String>,
    /// Samples a second of all sources.
    pub rate_hz: f64,
    /// Samples that all sources have.
    pub samples: u64,
}

impl Chosen {
    /// Names of the columns.
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|c| c.name.clone()).collect()
    }
}

/// Chooses what [`SeriesConfig`] asks for.
///
/// # Errors
/// If there are no such channels, they do not go together, or their unit is not known and matters.
pub(super) fn choose(
    recording: &Recording,
    config: &SeriesConfig,
    notice: &mut dyn FnMut(String),
) -> Result<Chosen, SeriesError> {
    let (path, all) = (&recording.path, &recording.channels);
    let channels = |what: String| SeriesError::Channels { path: path.clone(), what };
    let mut sources = match &config.channels {
        Channels::Names(names) => named(path, all, names, notice)?,
        Channels::Types { types, first } => {
            let of_type = |c: &Channel| types.iter().any(|t| t.eq_ignore_ascii_case(&c.kind));
            some(path, all, config.drop_bad, *first, &format!("of type {}", types.join(", ")), of_type)?
        }
        Channels::Default { first } => {
            let neural = |c: &Channel| NEURAL.iter().any(|t| t.eq_ignore_ascii_case(&c.kind));
            let any = all.iter().any(neural);
            some(path, all, config.drop_bad, *first, "to learn", |c| !any || neural(c))?
        }
    };
    let referenced = sources.len();
    let mut columns = reference::columns(config.reference, all, &sources);
    if columns.is_empty() {
        return Err(channels(format!(
            "no two of the {referenced} channels are neighbours on an electrode (A1 and A2), which reference = \"bipolar\" needs"
        )));
    }
    if config.reference == Reference::Bipolar {
        report_lonely(all, &sources, &columns, notice);
    }
    let inputs = inputs(path, all, config, &mut sources, &mut columns)?;
    if columns.len() == inputs {
        return Err(channels("all channels are inputs; none is left to learn".to_owned()));
    }
    let (rate_hz, samples) = clock(path, all, &sources, notice)?;
    let (factors, unit) = units(path, all, &sources, config)?;
    Ok(Chosen { sources, referenced, columns, inputs, factors, unit, rate_hz, samples })
}

/// Channels by name, in the order of the names.
fn named(
    path: &Path,
    all: &[Channel],
    names: &[String],
    notice: &mut dyn FnMut(String),
) -> Result<Vec<usize>, SeriesError> {
    let found = names.iter().map(|name| find(path, all, name, &[])).collect::<Result<Vec<_>, _>>()?;
    for &i in found.iter().filter(|&&i| all[i].bad) {
        notice(format!(
            "{}: channel '{}' is marked as bad, but named in `channels`: it is used",
            path.display(),
            all[i].name
        ));
    }
    Ok(found)
}

/// The channel of a name; `others` are names that would be right as well.
fn find(path: &Path, all: &[Channel], name: &str, others: &[&str]) -> Result<usize, SeriesError> {
    let mut found = all.iter().enumerate().filter(|(_, c)| c.name == name).map(|(i, _)| i);
    let wrong = |what, suggestion| {
        let mut known: Vec<&str> = all.iter().take(SHOWN).map(|c| c.name.as_str()).collect();
        if all.len() > SHOWN {
            known.push("…");
        }
        let (path, name) = (path.to_path_buf(), name.to_owned());
        SeriesError::Name { path, what, name, suggestion, known: known.join(", ") }
    };
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(wrong("there are two channels", None)),
        (None, _) => {
            let names = all.iter().map(|c| c.name.as_str()).chain(others.iter().copied());
            Err(wrong("there is no channel", closest(name, names)))
        }
    }
}

/// Channels by a condition, in the order of the file; `what` says it in words.
fn some(
    path: &Path,
    all: &[Channel],
    drop_bad: bool,
    first: Option<usize>,
    what: &str,
    holds: impl Fn(&Channel) -> bool,
) -> Result<Vec<usize>, SeriesError> {
    let (bad, mut good): (Vec<usize>, Vec<usize>) =
        (0..all.len()).filter(|&i| holds(&all[i])).partition(|&i| drop_bad && all[i].bad);
    let wrong = |text: String| {
        let mut kinds: Vec<&str> = all.iter().map(|c| c.kind.as_str()).filter(|k| !k.is_empty()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let kinds = if kinds.is_empty() {
            "it tells no types".into()
        } else {
            format!("its types are {}", kinds.join(", "))
        };
        let bad = bad.len();
        let what = format!(
            "{text}; the file has {} channels, {kinds}, {bad} of these channels are marked as bad",
            all.len()
        );
        SeriesError::Channels { path: path.to_path_buf(), what }
    };
    if good.is_empty() {
        return Err(wrong(format!("no channel {what} is left")));
    }
    if let Some(first) = first {
        if good.len() < first {
            return Err(wrong(format!("first = {first}, but there are only {} channels {what}", good.len())));
        }
        good.truncate(first);
    }
    Ok(good)
}

/// Says which contacts are in no pair.
fn report_lonely(all: &[Channel], sources: &[usize], columns: &[Column], notice: &mut dyn FnMut(String)) {
    let lonely: Vec<&str> = (0..sources.len())
        .filter(|&s| !columns.iter().any(|c| c.uses(s)))
        .map(|s| all[sources[s]].name.as_str())
        .collect();
    if !lonely.is_empty() {
        notice(format!("without a neighbour on their electrode, and left out: {}", lonely.join(", ")));
    }
}

/// Moves the inputs to the front; those that are no column yet are read from the file.
fn inputs(
    path: &Path,
    all: &[Channel],
    config: &SeriesConfig,
    sources: &mut Vec<usize>,
    columns: &mut Vec<Column>,
) -> Result<usize, SeriesError> {
    for (place, name) in config.inputs.iter().enumerate() {
        let column = match columns.iter().position(|c| c.name == *name) {
            Some(at) => columns.remove(at),
            None => {
                let others: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
                sources.push(find(path, all, name, &others)?);
                Column::plain(name.clone(), sources.len() - 1)
            }
        };
        columns.insert(place, column);
    }
    Ok(config.inputs.len())
}

/// Rate and length of all channels: the same clock.
fn clock(
    path: &Path,
    all: &[Channel],
    sources: &[usize],
    notice: &mut dyn FnMut(String),
) -> Result<(f64, u64), SeriesError> {
    let first = &all[sources[0]];
    let (mut shortest, mut longest) = (first.samples, first.samples);
    for channel in sources.iter().map(|&i| &all[i]) {
        if !(channel.rate_hz.is_finite() && channel.rate_hz > 0.0) {
            let what = format!("a rate of {} Hz; give rate-hz", channel.rate_hz);
            return Err(SeriesError::Channel {
                path: path.to_path_buf(),
                channel: channel.name.clone(),
                what,
            });
        }
        if channel.rate_hz != first.rate_hz {
            let what = format!(
                "{} Hz, but channel '{}' has {} Hz: choose channels of one rate (`channels`, `types`)",
                channel.rate_hz, first.name, first.rate_hz
            );
            return Err(SeriesError::Channel {
                path: path.to_path_buf(),
                channel: channel.name.clone(),
                what,
            });
        }
        (shortest, longest) = (shortest.min(channel.samples), longest.max(channel.samples));
    }
    if shortest < longest {
        notice(format!(
            "{}: channels of {shortest} to {longest} samples: the first {shortest} of each are used",
            path.display()
        ));
    }
    Ok((first.rate_hz, shortest))
}

/// Factor of each source to a common unit, and that unit.
fn units(
    path: &Path,
    all: &[Channel],
    sources: &[usize],
    config: &SeriesConfig,
) -> Result<(Vec<f64>, Option<String>), SeriesError> {
    let of = |i: usize| {
        let mut channel = all[i].clone();
        if let Some(unit) = &config.unit {
            channel.unit.clone_from(unit);
        }
        channel
    };
    let channels: Vec<Channel> = sources.iter().map(|&i| of(i)).collect();
    if let Some(factors) = channels.iter().map(Channel::microvolts).collect::<Option<Vec<f64>>>() {
        return Ok((factors, Some("µV".to_owned())));
    }
    let wrong = |channel: &Channel, what: String| {
        Err(SeriesError::Channel { path: path.to_path_buf(), channel: channel.name.clone(), what })
    };
    let named = |unit: &str| if unit.is_empty() { "no unit".to_owned() } else { format!("unit '{unit}'") };
    let same = channels.iter().all(|c| c.unit == channels[0].unit);
    if let (Scale::DivideBy(_), Some(unknown)) =
        (config.scale, channels.iter().find(|c| c.microvolts().is_none()))
    {
        let what = format!(
            "{}, but divide-by is in µV; leave the channel out, say unit = \"µV\" if that is what it holds, or take scale = \"z-score\"",
            named(&unknown.unit)
        );
        return wrong(unknown, what);
    }
    if !same && (config.scale == Scale::None || config.reference != Reference::None) {
        let other = channels.iter().find(|c| c.unit != channels[0].unit).unwrap_or(&channels[0]);
        let what = format!(
            "{}, but channel '{}' has {}: choose channels of one unit, or say unit = \"µV\" for all",
            named(&other.unit),
            channels[0].name,
            named(&channels[0].unit)
        );
        return wrong(other, what);
    }
    Ok((vec![1.0; channels.len()], same.then(|| channels[0].unit.clone())))
}
