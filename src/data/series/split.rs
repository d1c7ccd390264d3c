//! Cuts the time of a recording into parts for training, validation and test: contiguous, without overlap.

use std::ops::Range;
use std::path::Path;

use super::{SeriesConfig, SeriesError};

/// A time closer to a sample than this part of their distance is on it.
const SNAP: f64 = 1e-6;

/// Rows of the three parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub train: Range<usize>,
    pub validation: Option<Range<usize>>,
    pub test: Range<usize>,
}

impl Parts {
    /// Rows that are needed: those behind all parts are not.
    pub fn end(&self) -> usize {
        let validation = self.validation.as_ref().map_or(0, |part| part.end);
        self.train.end.max(self.test.end).max(validation)
    }

    /// Whether what is learned comes before what it is judged by.
    pub fn in_order(&self) -> bool {
        let validation = self.validation.as_ref().is_none_or(|part| self.train.end <= part.start);
        validation && self.train.end <= self.test.start
    }
}

/// The parts of a recording of `rows` rows at `rate_hz`. A row depends on the recording up to `reach` rows later: parts end that much before
/// the next one.
///
/// # Errors
/// If the recording is shorter than a part, or a part has no rows.
pub(super) fn parts(
    path: &Path,
    config: &SeriesConfig,
    rows: usize,
    rate_hz: f64,
    reach: usize,
) -> Result<Parts, SeriesError> {
    let duration = rows as f64 / rate_hz;
    let times = times(config, duration);
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (key, [from, to]) in &times {
        let wrong = |what: String| {
            let path = path.to_path_buf();
            SeriesError::Part { path, key, from: *from, to: *to, what }
        };
        // Half a sample is rounding of the duration; an end of infinity was put at the end of the recording.
        if *to > duration + 0.5 / rate_hz || *from >= duration {
            return Err(wrong(format!("the recording is {duration} s long")));
        }
        let row = |s: f64| ((s * rate_hz - SNAP).ceil().max(0.0) as usize).min(rows);
        if row(*from) >= row(*to) {
            return Err(wrong(format!(
                "no sample is in it; the recording is {duration} s long, one sample every {} s",
                1.0 / rate_hz
            )));
        }
        if let Some((other, [a, b])) = times[..parts.len()].iter().find(|(_, [a, b])| from < b && a < to) {
            return Err(wrong(format!("overlaps {other} = [{a}, {b}]")));
        }
        parts.push(row(*from)..row(*to));
    }
    for i in 0..parts.len() {
        let next = parts.iter().map(|part| part.start).filter(|&start| start >= parts[i].end).min();
        let end = next.map_or(parts[i].end, |next| parts[i].end.min(next.saturating_sub(reach)));
        if end <= parts[i].start {
            let (key, [from, to]) = times[i];
            let what = format!(
                "shorter than the {reach} samples that the filter of the new rate reaches into the next part"
            );
            return Err(SeriesError::Part { path: path.to_path_buf(), key, from, to, what });
        }
        parts[i].end = end;
    }
    let mut parts = parts.into_iter();
    // `times` gives the training part first and the test part last.
    let (train, test) = (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default());
    Ok(Parts { train, validation: parts.next(), test })
}

/// Key and seconds of each part, with the defaults of [`SeriesConfig`].
fn times(config: &SeriesConfig, duration: f64) -> Vec<(&'static str, [f64; 2])> {
    let ends = |[from, to]: [f64; 2]| [from, if to.is_finite() { to } else { duration.max(from) }];
    let (validation, test) = (config.validation_s.map(ends), config.test_s.map(ends));
    let train = config.train_s.map_or_else(
        || {
            let others = validation.iter().chain(&test).map(|part| part[0]);
            let to = others.fold(f64::INFINITY, f64::min);
            [0.0, if to.is_finite() { to } else { duration / 2.0 }]
        },
        ends,
    );
    let test = test.unwrap_or_else(|| {
        let from = validation.map_or(train[1], |part| part[1].max(train[1]));
        [from, duration.max(from)]
    });
    let validation = validation.map(|part| ("validation-s", part));
    [("train-s", train)].into_iter().chain(validation).chain([("test-s", test)]).collect()
}
