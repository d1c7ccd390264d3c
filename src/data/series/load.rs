//! From recordings to a [`SeriesSet`].

use std::path::Path;

use super::filter::filters;
use super::resample::{check, reach};
use super::run::{Gathered, Run, Stop, Store};
use super::scale::{Extent, Fit};
use super::select::{Chosen, choose};
use super::split::{Parts, parts};
use super::spool::Sink;
use super::{Files, Format, Reference, Scale, Series, SeriesConfig, SeriesError, SeriesSet, Span};
use crate::data::recording::{self, Digital, Hints, Recording};

/// Samples of each channel that are read at once.
const CHUNK: u64 = 16_384;

/// A time closer to a sample than this part of their distance is on it.
const SNAP: f64 = 1e-6;

/// What [`load`] is told besides the config.
pub struct Options<'a> {
    /// Takes what is odd but stops nothing, for people.
    pub notice: &'a mut dyn FnMut(String),
    /// Neurons of the output population, one a target channel; `None` = any number will do.
    pub outputs: Option<usize>,
    /// Folder of temporary files; `None` = that of the system.
    pub folder: Option<&'a Path>,
    /// Samples of each channel that are read at once, at least 1. The result does not depend on it.
    pub chunk: u64,
}

impl<'a> Options<'a> {
    /// Any number of channels, the system's folder.
    pub fn new(notice: &'a mut dyn FnMut(String)) -> Self {
        Self { notice, outputs: None, folder: None, chunk: CHUNK }
    }
}

/// Opens the recordings that `config` names, prepares them and cuts them into parts.
///
/// The recordings are read once, in chunks; memory does not grow with their length beyond `memory_limit_mb`. Filters run forward in time over
/// the whole recording, and the scale is fitted on the training part alone: if the training part comes first, no bit of it depends on what
/// comes after it. (A part that comes later does depend on what was before it, as far as the filters remember.)
///
/// Rows are the 16-bit integers of the file where nothing but an affine map lies between them and the voltages; else single precision.
///
/// # Errors
/// If a recording cannot be read, or does not go with the config; the error names file, channel and place.
pub fn load(config: &SeriesConfig, options: Options<'_>) -> Result<SeriesSet, SeriesError> {
    let hints = Hints { rate_hz: config.rate_hz };
    let recordings = match &config.files {
        Files::Embedded => vec![recording::embedded()?],
        Files::Paths(paths) => {
            paths.iter().map(|path| recording::open_with(path, &hints)).collect::<Result<Vec<_>, _>>()?
        }
    };
    for recording in &recordings {
        for notice in &recording.notices {
            (options.notice)(format!("{}: {notice}", recording.path.display()));
        }
    }
    prepare(recordings, config, options)
}

/// As [`load`], of recordings that are open already; the config's own files do not matter.
///
/// # Errors
/// As [`load`].
pub fn prepare(
    mut recordings: Vec<Recording>,
    config: &SeriesConfig,
    options: Options<'_>,
) -> Result<SeriesSet, SeriesError> {
    let Options { notice, outputs, folder, chunk } = options;
    let chosen = recordings.iter().map(|r| choose(r, config, notice)).collect::<Result<Vec<Chosen>, _>>()?;
    let (Some(first), Some(recording)) = (chosen.first(), recordings.first()) else {
        return Err(SeriesError::Channels {
            path: "data.paths".into(),
            what: "there is no recording".into(),
        });
    };
    let path = recording.path.clone();
    agree(&recordings, &chosen)?;
    // Before hours are read.
    filters(&path, first.rate_hz, config.high_pass_hz, &config.notch_hz)?;
    check(&path, first.rate_hz, config.resample_hz.unwrap_or(first.rate_hz))?;
    check_outputs(&path, first, outputs)?;
    let all_parts = all_parts(&recordings, &chosen, config, notice)?;
    let lossless = lossless(&recordings, &chosen, config);
    let passes = lossless.as_deref().map(Store::Lossless).into_iter().chain([Store::Single]);
    for store in passes {
        let gathered = Gathered {
            fit: Fit::new(first.columns.len()),
            extent: Extent::new(first.sources.len()),
            pivot: config.high_pass_hz.map(|_| vec![0.0; first.columns.len()]),
        };
        let mut pass =
            Pass { recordings: &mut recordings, chosen: &chosen, parts: &all_parts, config, store, gathered };
        match pass.sinks(folder, chunk.max(1)) {
            Ok(sinks) => {
                let scale = pass.scale(notice)?;
                return pass.set(sinks, scale);
            }
            Err(Stop::Error(error)) => return Err(error),
            // The file said that it holds 16-bit integers, and does not quite: once more, in single precision.
            Err(Stop::NotLossless) => {}
        }
    }
    Err(SeriesError::Channels { path, what: "its values cannot be stored".into() })
}

/// Rows and parts of every recording.
fn all_parts(
    recordings: &[Recording],
    chosen: &[Chosen],
    config: &SeriesConfig,
    notice: &mut dyn FnMut(String),
) -> Result<Vec<Parts>, SeriesError> {
    let all = recordings.iter().zip(chosen).map(|(recording, chosen)| {
        let to_hz = config.resample_hz.unwrap_or(chosen.rate_hz);
        let later = if to_hz == chosen.rate_hz { 0 } else { reach(chosen.rate_hz, to_hz) };
        let rows = (chosen.samples as f64 * to_hz / chosen.rate_hz - SNAP).ceil().max(0.0) as usize;
        parts(&recording.path, config, rows, to_hz, later)
    });
    let all = all.collect::<Result<Vec<Parts>, _>>()?;
    let remember =
        config.high_pass_hz.is_some() || !config.notch_hz.is_empty() || config.resample_hz.is_some();
    if remember && !all.iter().all(Parts::in_order) {
        notice(
            "the training part comes after another one, which the filters still remember at its start".into(),
        );
    }
    Ok(all)
}

/// Several recordings are series of the same channels on the same clock.
fn agree(recordings: &[Recording], chosen: &[Chosen]) -> Result<(), SeriesError> {
    let (first, path) = (&chosen[0], &recordings[0].path);
    let names = first.names();
    for (recording, chosen) in recordings.iter().zip(chosen).skip(1) {
        let wrong = |what: String| Err(SeriesError::Channels { path: recording.path.clone(), what });
        let own = chosen.names();
        if let Some(missing) = names.iter().find(|name| !own.contains(name)) {
            return wrong(format!("there is no channel '{missing}', which {} has", path.display()));
        }
        if let Some(more) = own.iter().find(|name| !names.contains(name)) {
            return wrong(format!(
                "its channel '{more}' is not in {}: choose channels that all recordings have (`channels`)",
                path.display()
            ));
        }
        if own != names {
            return wrong(format!(
                "its channels are in another order than in {}: name them (`channels`)",
                path.display()
            ));
        }
        if chosen.rate_hz != first.rate_hz {
            return wrong(format!("{} Hz, but {} has {} Hz", chosen.rate_hz, path.display(), first.rate_hz));
        }
        if chosen.unit != first.unit {
            return wrong(format!("other units than in {}: say unit = \"µV\" for all", path.display()));
        }
    }
    Ok(())
}

/// One output neuron a target.
fn check_outputs(path: &Path, chosen: &Chosen, outputs: Option<usize>) -> Result<(), SeriesError> {
    let targets = chosen.columns.len() - chosen.inputs;
    match outputs {
        Some(neurons) if neurons != targets => {
            let what = format!(
                "{targets} channels are to be learned, but the output population has {neurons} neurons: choose {neurons} channels \
                 (`channels`, `types`, `first` in [data]) or a network of {targets} outputs"
            );
            Err(SeriesError::Channels { path: path.to_path_buf(), what })
        }
        _ => Ok(()),
    }
}

/// How integers of the files become values, one a column, where they can be stored as they are.
fn lossless(recordings: &[Recording], chosen: &[Chosen], config: &SeriesConfig) -> Option<Vec<Digital>> {
    let same_rate = chosen.iter().all(|c| config.resample_hz.is_none_or(|hz| hz == c.rate_hz));
    let filtered = config.high_pass_hz.is_some() || !config.notch_hz.is_empty();
    // Gains of files are in their own units.
    let same_unit = chosen.windows(2).all(|pair| pair[0].factors == pair[1].factors);
    if !same_rate || !same_unit || filtered || config.reference != Reference::None {
        return None;
    }
    let of = |recording: &Recording, chosen: &Chosen| -> Option<Vec<Digital>> {
        let source = |c: &super::reference::Column| chosen.sources[c.source()];
        let digital = chosen.columns.iter().map(|c| recording.channels[source(c)].digital);
        digital.map(|d| d.filter(|d| d.gain != 0.0 && d.gain.is_finite() && d.offset.is_finite())).collect()
    };
    let mut all = recordings.iter().zip(chosen).map(|(r, c)| of(r, c));
    let first = all.next()??;
    let affine = |d: &Digital| (d.gain, d.offset);
    all.all(|other| other.is_some_and(|other| other.iter().map(affine).eq(first.iter().map(affine))))
        .then_some(first)
}

/// A pass over all recordings with one way to store values.
struct Pass<'a> {
    recordings: &'a mut [Recording],
    chosen: &'a [Chosen],
    parts: &'a [Parts],
    config: &'a SeriesConfig,
    store: Store<'a>,
    gathered: Gathered,
}

impl Pass<'_> {
    fn format(&self) -> Format {
        match self.store {
            Store::Lossless(_) => Format::I16,
            Store::Single => Format::F32,
        }
    }

    /// The rows of each recording.
    fn sinks(&mut self, folder: Option<&Path>, chunk: u64) -> Result<Vec<Sink>, Stop> {
        let width = self.chosen[0].columns.len() * self.format().bytes();
        let bytes = |parts: &Parts| parts.end().saturating_mul(width);
        let all: f64 = self.parts.iter().map(|p| bytes(p) as f64).sum();
        let spool = all > self.config.memory_limit_mb * 1e6;
        let mut sinks = Vec::new();
        for ((recording, chosen), parts) in self.recordings.iter_mut().zip(self.chosen).zip(self.parts) {
            let mut sink = Sink::new(bytes(parts), spool, folder)?;
            let mut run = Run { recording, config: self.config, chosen, parts, store: &self.store, chunk };
            run.rows(&mut self.gathered, &mut sink)?;
            sinks.push(sink);
        }
        Ok(sinks)
    }

    /// Gain and offset of each column; flat channels are an error where they are to be z-scored, else worth a notice.
    fn scale(&self, notice: &mut dyn FnMut(String)) -> Result<(Vec<f64>, Vec<f64>), SeriesError> {
        let (chosen, path) = (&self.chosen[0], &self.recordings[0].path);
        let z_score = self.config.scale == Scale::ZScore;
        for (s, &channel) in chosen.sources.iter().enumerate() {
            let flat = self.gathered.extent.is_flat(s) && chosen.columns.iter().any(|c| c.uses(s));
            let channel = self.recordings[0].channels[channel].name.clone();
            if flat && z_score {
                let what = "is flat in the training part, and has no z-score; leave it out (`channels`, or mark it as bad)".into();
                return Err(SeriesError::Channel { path: path.clone(), channel, what });
            }
            if flat {
                notice(format!("{}: channel '{channel}' is flat in the training part", path.display()));
            }
        }
        let (mut gains, mut offsets) = (Vec::new(), Vec::new());
        for (c, column) in chosen.columns.iter().enumerate() {
            let (gain, offset) = match &self.store {
                Store::Lossless(digital) => {
                    let factor = chosen.factors[column.source()];
                    (digital[c].gain * factor, digital[c].offset * factor)
                }
                Store::Single => (1.0, self.gathered.pivot.as_ref().map_or(0.0, |pivot| pivot[c])),
            };
            let (mean, unit) = match self.config.scale {
                Scale::None => (0.0, 1.0),
                Scale::DivideBy(divisor) => (0.0, divisor),
                Scale::ZScore => self.gathered.fit.mean_sd(c),
            };
            if unit <= 0.0 || !unit.is_finite() {
                let what = format!("has an sd of {unit} in the training part, and no z-score; leave it out");
                return Err(SeriesError::Channel { path: path.clone(), channel: column.name.clone(), what });
            }
            gains.push(gain / unit);
            offsets.push((offset - mean) / unit);
        }
        Ok((gains, offsets))
    }

    /// All in one.
    fn set(&self, sinks: Vec<Sink>, scale: (Vec<f64>, Vec<f64>)) -> Result<SeriesSet, SeriesError> {
        let first = &self.chosen[0];
        let rate_hz = self.config.resample_hz.unwrap_or(first.rate_hz);
        let step_ms = self.config.step_ms.unwrap_or(1000.0 / rate_hz);
        let series = sinks.into_iter().zip(self.parts).zip(self.recordings.iter());
        let series = series.map(|((sink, parts), recording)| {
            let shape = (parts.end(), self.format());
            sink.series(&recording.path, first.names(), step_ms, shape, scale.clone())
        });
        let series = series.collect::<Result<Vec<Series>, _>>()?;
        let spans = |of: &dyn Fn(&Parts) -> Option<std::ops::Range<usize>>| -> Vec<Span> {
            let all = self.parts.iter().enumerate();
            all.filter_map(|(series, parts)| Some(Span { series, rows: of(parts)? })).collect()
        };
        let set = SeriesSet {
            series,
            inputs: first.inputs,
            train: spans(&|p| Some(p.train.clone())),
            validation: spans(&|p| p.validation.clone()),
            test: spans(&|p| Some(p.test.clone())),
            unit: self.config.scale.unit(first.unit.as_deref()),
            description: String::new(),
        };
        Ok(SeriesSet { description: self.describe(&set, rate_hz), ..set })
    }

    /// Files, channels and seconds, for people.
    fn describe(&self, set: &SeriesSet, rate_hz: f64) -> String {
        let files: Vec<String> =
            self.recordings.iter().map(|r| format!("{} ({})", r.path.display(), r.format)).collect();
        let seconds =
            |spans: &[Span]| spans.iter().map(|span| span.rows.len()).sum::<usize>() as f64 / rate_hz;
        format!(
            "{}: {} channels at {rate_hz} Hz; {:.2} s training, {:.2} s validation, {:.2} s test",
            files.join(", "),
            set.targets(),
            seconds(&set.train),
            seconds(&set.validation),
            seconds(&set.test)
        )
    }
}
