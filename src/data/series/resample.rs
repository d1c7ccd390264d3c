//! Another rate, with a filter against aliases: band-limited interpolation by windowed sincs.
//!
//! The filter is symmetric, so it delays nothing: row k of the result is the band-limited signal at time k / rate, to within 1/500 of a sample
//! of the file. It reaches [`reach`] rows into the future; parts of a recording end that much before the next one begins.

use std::path::Path;

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{
    Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType, WindowFunction,
    calculate_cutoff,
};

use super::SeriesError;

/// Taps of the sinc at the lower of the two rates. More of them are a sharper edge, and a longer reach.
const TAPS: usize = 128;

/// Positions between two samples for which sincs are tabulated; cubic interpolation between these.
const POSITIONS: usize = 1024;

const WINDOW: WindowFunction = WindowFunction::BlackmanHarris2;

/// Samples that the library is given at once: always the same number, so that results do not depend on how a file is read.
const CHUNK: usize = 1024;

/// Rates lower by more than this make very long filters.
const LARGEST_STEP: f64 = 1000.0;

/// Rows of the result that depend on samples later than their own time.
pub(super) fn reach(from_hz: f64, to_hz: f64) -> usize {
    // Half the sinc, and the neighbours of cubic interpolation.
    let samples = (taps(from_hz / to_hz) / 2 + 2) as f64;
    (samples * to_hz / from_hz).ceil() as usize
}

/// Length of the sinc in samples of the file: as the library rounds it.
fn taps(step: f64) -> usize {
    ((TAPS as f64 * step.max(1.0)).ceil() as usize).next_multiple_of(8)
}

fn wrong(path: &Path, hz: f64, what: String) -> SeriesError {
    SeriesError::Frequency { path: path.to_path_buf(), key: "resample-hz", hz, what }
}

/// Whether there is a filter from one rate to the other.
///
/// # Errors
/// If the new rate is above that of the file, or very much lower.
pub(super) fn check(path: &Path, from_hz: f64, to_hz: f64) -> Result<(), SeriesError> {
    if from_hz < to_hz {
        return Err(wrong(
            path,
            to_hz,
            format!("above the rate of the file, {from_hz} Hz; there is nothing to gain"),
        ));
    }
    if from_hz > LARGEST_STEP * to_hz {
        return Err(wrong(
            path,
            to_hz,
            format!("less than a thousandth of the rate of the file, {from_hz} Hz"),
        ));
    }
    Ok(())
}

/// Resamples columns, chunk by chunk.
pub(super) struct Resampler {
    inner: Async<f64>,
    /// Samples that wait for a whole chunk.
    pending: Vec<Vec<f64>>,
    made: Vec<Vec<f64>>,
    /// Samples put before the first one, so that a row comes to lie on it.
    lead: usize,
    /// Rows before that one.
    skip: usize,
    last: Vec<f64>,
}

impl Resampler {
    /// For `columns` columns.
    ///
    /// # Errors
    /// If the new rate is above that of the file, or very much lower.
    pub fn new(path: &Path, columns: usize, from_hz: f64, to_hz: f64) -> Result<Self, SeriesError> {
        check(path, from_hz, to_hz)?;
        let step = from_hz / to_hz;
        let length = taps(step);
        // The edge of the filter for the lower rate: the longer sinc has the same shape on a slower clock.
        let parameters = SincInterpolationParameters::new(length, WINDOW)
            .f_cutoff(calculate_cutoff::<f32>(TAPS, WINDOW))
            .oversampling_factor(POSITIONS)
            .interpolation(SincInterpolationType::Cubic);
        let inner = Async::new_sinc(to_hz / from_hz, 1.0, &parameters, CHUNK, columns, FixedAsync::Input)
            .map_err(|error| wrong(path, to_hz, error.to_string()))?;
        let (lead, skip) = align(length, step);
        let made = vec![vec![0.0; inner.output_frames_max()]; columns];
        Ok(Self { inner, pending: vec![Vec::new(); columns], made, lead, skip, last: vec![0.0; columns] })
    }

    /// Takes samples of all columns, and appends the rows that they complete.
    pub fn push(&mut self, samples: &[Vec<f64>], out: &mut [Vec<f64>]) -> Result<(), String> {
        if samples.first().is_none_or(Vec::is_empty) {
            return Ok(());
        }
        let lead = std::mem::take(&mut self.lead);
        for ((pending, last), new) in self.pending.iter_mut().zip(&mut self.last).zip(samples) {
            // The signal was at its first value before, and stays at its last one behind: no steps.
            pending.extend(std::iter::repeat_n(new[0], lead));
            pending.extend_from_slice(new);
            *last = new[new.len() - 1];
        }
        self.run(out)
    }

    /// Goes on with the last value for a while.
    pub fn tail(&mut self, out: &mut [Vec<f64>]) -> Result<(), String> {
        for (pending, last) in self.pending.iter_mut().zip(&self.last) {
            pending.resize(pending.len() + CHUNK, *last);
        }
        self.run(out)
    }

    /// Works off whole chunks.
    fn run(&mut self, out: &mut [Vec<f64>]) -> Result<(), String> {
        let (columns, mut from) = (self.pending.len(), 0);
        let ready = self.pending[0].len() / CHUNK * CHUNK;
        let mut chunk = vec![Vec::with_capacity(CHUNK); columns];
        while from < ready {
            for (chunk, pending) in chunk.iter_mut().zip(&self.pending) {
                chunk.clear();
                chunk.extend_from_slice(&pending[from..from + CHUNK]);
            }
            from += CHUNK;
            let frames = self.made[0].len();
            let input = SequentialSliceOfVecs::new(&chunk, columns, CHUNK).map_err(|e| e.to_string())?;
            let mut output =
                SequentialSliceOfVecs::new_mut(&mut self.made, columns, frames).map_err(|e| e.to_string())?;
            let (_, made) =
                self.inner.process_into_buffer(&input, &mut output, None).map_err(|e| e.to_string())?;
            let skipped = self.skip.min(made);
            self.skip -= skipped;
            for (out, column) in out.iter_mut().zip(&self.made) {
                out.extend_from_slice(&column[skipped..made]);
            }
        }
        for pending in &mut self.pending {
            pending.drain(..from);
        }
        Ok(())
    }
}

/// How many samples to put before the first one, and which row then lies on it.
///
/// Row k of the library, from 0, is at `(k + 1)·step − length/2 + 1/POSITIONS` samples from the first it was given: its table of sincs begins one
/// position after the sample. Of many rows one is very close to a whole number of samples.
fn align(length: usize, step: f64) -> (usize, usize) {
    let at = |row: usize| (row + 1) as f64 * step - (length / 2) as f64 + 1.0 / POSITIONS as f64;
    let first = (length as f64 / 2.0 / step).ceil() as usize;
    let off = |row: usize| (at(row) - at(row).round()).abs();
    let row = (first..first + 2 * POSITIONS).min_by(|&a, &b| off(a).total_cmp(&off(b))).unwrap_or(first);
    (at(row).round().max(0.0) as usize, row)
}
