//! One pass over a recording: chunk by chunk through reference, filters and resampling to rows, at constant memory.

use std::ops::Range;

use super::filter::{Filter, filters};
use super::reference;
use super::resample::{Resampler, reach};
use super::scale::{Extent, Fit};
use super::select::Chosen;
use super::split::Parts;
use super::spool::Sink;
use super::{SeriesConfig, SeriesError};
use crate::data::recording::{Digital, Recording};

/// How much a value may be off an integer that it is to be stored as.
const OFF: f64 = 1e-3;

/// What a pass gathers for the scale, over all recordings.
pub(super) struct Gathered {
    pub fit: Fit,
    pub extent: Extent,
    /// What is subtracted from each column before it is stored in single precision: its first value, so that a large offset costs no
    /// digits. 0 behind a high-pass filter.
    pub pivot: Option<Vec<f64>>,
}

/// How values are stored.
pub(super) enum Store<'a> {
    /// As the 16-bit integers of the file; one a column.
    Lossless(&'a [Digital]),
    Single,
}

/// Why a pass ended early.
pub(super) enum Stop {
    Error(SeriesError),
    /// A value is not the integer that the file said it was.
    NotLossless,
}

impl From<SeriesError> for Stop {
    fn from(error: SeriesError) -> Self {
        Self::Error(error)
    }
}

/// A pass over one recording.
pub(super) struct Run<'a> {
    pub recording: &'a mut Recording,
    pub config: &'a SeriesConfig,
    pub chosen: &'a Chosen,
    pub parts: &'a Parts,
    pub store: &'a Store<'a>,
    /// Samples that are read at once.
    pub chunk: u64,
}

impl Run<'_> {
    /// Writes the rows of the recording up to the end of the last part.
    pub fn rows(&mut self, gathered: &mut Gathered, sink: &mut Sink) -> Result<(), Stop> {
        let (width, rate_hz) = (self.chosen.columns.len(), self.chosen.rate_hz);
        let path = self.recording.path.clone();
        let filter = filters(&path, rate_hz, self.config.high_pass_hz, &self.config.notch_hz)?;
        let mut filter: Vec<Vec<Filter>> = vec![filter; width];
        let to_hz = self.config.resample_hz.unwrap_or(rate_hz);
        let mut resampler =
            (to_hz != rate_hz).then(|| Resampler::new(&path, width, rate_hz, to_hz)).transpose()?;
        let library = |what: String| SeriesError::Channels { path: path.clone(), what };
        let end = self.end(rate_hz / to_hz, resampler.is_some());
        let (mut sources, mut average) = (vec![Vec::new(); self.chosen.sources.len()], Vec::new());
        let (mut columns, mut ready) = (vec![Vec::new(); width], vec![Vec::new(); width]);
        let (mut at, mut written) = (0, 0);
        while written < self.parts.end() {
            let to = end.min(at + self.chunk);
            let made = if at < to {
                self.read(at..to, rate_hz / to_hz, &mut sources, gathered)?;
                reference::average(&sources[..self.chosen.referenced], &mut average);
                for (c, column) in columns.iter_mut().enumerate() {
                    self.chosen.columns[c].fill(&sources, &average, column);
                    filter[c].iter_mut().for_each(|filter| filter.run(column));
                }
                match &mut resampler {
                    None => &columns,
                    Some(resampler) => {
                        resampler.push(&columns, &mut ready).map_err(library)?;
                        &ready
                    }
                }
            } else if let Some(resampler) = &mut resampler {
                resampler.tail(&mut ready).map_err(library)?;
                &ready
            } else {
                let what = format!("{written} rows where {} were expected", self.parts.end());
                return Err(library(what).into());
            };
            let rows = made[0].len().min(self.parts.end() - written);
            self.emit(written, rows, made, gathered, sink)?;
            ready.iter_mut().for_each(Vec::clear);
            (at, written) = (to, written + rows);
        }
        Ok(())
    }

    /// Samples of the file that the rows depend on, whatever the chunks.
    fn end(&self, step: f64, resampled: bool) -> u64 {
        let rows = self.parts.end();
        let later = if resampled { reach(step, 1.0) + 1 } else { 0 };
        self.chosen.samples.min(((rows + later) as f64 * step).ceil() as u64)
    }

    /// Reads samples of all sources, in the common unit; looks for what is no number, and for flat channels in the training part.
    fn read(
        &mut self,
        range: Range<u64>,
        step: f64,
        sources: &mut [Vec<f64>],
        gathered: &mut Gathered,
    ) -> Result<(), SeriesError> {
        let train = &self.parts.train;
        let within = |row: usize| {
            let sample = ((row as f64 * step) as u64).clamp(range.start, range.end);
            (sample - range.start) as usize
        };
        let train = within(train.start)..within(train.end);
        for (s, (source, &channel)) in sources.iter_mut().zip(&self.chosen.sources).enumerate() {
            source.clear();
            self.recording.read(channel, range.clone(), source)?;
            let factor = self.chosen.factors[s];
            source.iter_mut().for_each(|value| *value *= factor);
            let expected = (range.end - range.start) as usize;
            let odd = source.iter().position(|value| !value.is_finite() || value.abs() > f64::from(f32::MAX));
            if odd.is_some() || source.len() != expected {
                let offset = odd.unwrap_or(source.len().min(expected));
                let sample = range.start + offset as u64;
                return Err(SeriesError::Sample {
                    path: self.recording.path.clone(),
                    channel: self.recording.channels[channel].name.clone(),
                    sample,
                    time_s: sample as f64 / self.chosen.rate_hz,
                    value: source.get(offset).copied().unwrap_or(f64::NAN),
                });
            }
            gathered.extent.push(s, &source[train.clone()]);
        }
        Ok(())
    }

    /// Stores the first `rows` rows of `columns`, which are rows `from..` of the series, and fits the scale to those of the training part.
    fn emit(
        &self,
        from: usize,
        rows: usize,
        columns: &[Vec<f64>],
        gathered: &mut Gathered,
        sink: &mut Sink,
    ) -> Result<(), Stop> {
        if rows == 0 {
            return Ok(());
        }
        let train = &self.parts.train;
        let within = |row: usize| row.clamp(from, from + rows) - from;
        for (c, column) in columns.iter().enumerate() {
            gathered.fit.push(c, &column[within(train.start)..within(train.end)]);
        }
        let bytes = match self.store {
            Store::Lossless(digital) => self.integers(rows, columns, digital)?,
            Store::Single => {
                let pivot = gathered.pivot.get_or_insert_with(|| columns.iter().map(|c| c[0]).collect());
                interleave(rows, columns, |c, value| Some(((value - pivot[c]) as f32).to_le_bytes()))
                    .ok_or(Stop::NotLossless)?
            }
        };
        Ok(sink.write(&bytes)?)
    }

    /// The integers of the file.
    fn integers(&self, rows: usize, columns: &[Vec<f64>], digital: &[Digital]) -> Result<Vec<u8>, Stop> {
        let factor: Vec<f64> = self.chosen.columns.iter().map(|c| self.chosen.factors[c.source()]).collect();
        let integer = |c: usize, value: f64| {
            let Digital { gain, offset, .. } = digital[c];
            let exact = (value / factor[c] - offset) / gain;
            let whole = exact.round();
            let fits = (exact - whole).abs() <= OFF && (-32768.0..=32767.0).contains(&whole);
            fits.then(|| (whole as i16).to_le_bytes())
        };
        interleave(rows, columns, integer).ok_or(Stop::NotLossless)
    }
}

/// The first `rows` values of all columns, row by row; none if `bytes` refuses one. `bytes` gets column and value.
fn interleave<const N: usize>(
    rows: usize,
    columns: &[Vec<f64>],
    bytes: impl Fn(usize, f64) -> Option<[u8; N]>,
) -> Option<Vec<u8>> {
    let width = columns.len() * N;
    let mut all = vec![0; rows * width];
    for (c, column) in columns.iter().enumerate() {
        for (row, value) in all.chunks_exact_mut(width).zip(column) {
            row[c * N..(c + 1) * N].copy_from_slice(&bytes(c, *value)?);
        }
    }
    Some(all)
}
