//! All baselines of a set of series, fitted on its training part.

use std::ops::Range;

use super::{Method, Moments, Nearest, Ridge};
use crate::data::series::{SeriesSet, Span};

/// Contiguous blocks of the training part between which the ridge is chosen.
const BLOCKS: usize = 5;

/// Rows that are read at a time.
const CHUNK: usize = 4096;

/// Why no baselines can be fitted.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// The rows cannot be read.
    #[error("cannot read the training part of {from}: {error}")]
    Read {
        /// Description of the series.
        from: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// Nothing to predict, or nothing to predict from.
    #[error(
        "{free} of {targets} electrodes are free; pattern completion needs at least one that is free and, without inputs, one that is nudged"
    )]
    Free {
        /// Free electrodes.
        free: usize,
        /// All electrodes.
        targets: usize,
    },
    /// No rows.
    #[error("the training part of {0} is empty; give it a stretch of time")]
    Empty(String),
}

/// Predictors of the free electrodes from what the network is given: inputs, and the nudged electrodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Baselines {
    /// Target columns that are predicted, counted from the first target, ascending.
    pub free: Vec<usize>,
    /// Number of input columns, which come before the targets.
    pub inputs: usize,
    /// What is given, columns of inputs and targets: the inputs, then the other targets.
    pub given: Vec<usize>,
    /// Means of the training part, one a free electrode.
    pub mean: Vec<f64>,
    /// One a free electrode.
    pub nearest: Vec<Nearest>,
    /// One a free electrode.
    pub ridge: Vec<Ridge>,
}

impl Baselines {
    /// Fits on the training part of `set`; `free` are target columns.
    ///
    /// # Errors
    /// If there is nothing free or nothing given, no training part, or it cannot be read.
    pub fn fit(set: &SeriesSet, free: &[usize]) -> Result<Self, FitError> {
        let targets = set.targets();
        let free: Vec<usize> = (0..targets).filter(|c| free.contains(c)).collect();
        if free.is_empty() || set.inputs + targets == free.len() {
            return Err(FitError::Free { free: free.len(), targets });
        }
        let Some(first) = set.series.first() else { return Err(FitError::Empty(set.description.clone())) };
        Self::of(&first.names, set.inputs, &free, &blocks(set)?)
            .ok_or_else(|| FitError::Empty(set.description.clone()))
    }

    /// Fits on moments of all columns, the first `inputs` of them inputs, in blocks in the order of time; `None` without rows.
    #[must_use]
    pub fn of(names: &[String], inputs: usize, free: &[usize], blocks: &[Moments]) -> Option<Self> {
        let (first, others) = blocks.split_first()?;
        let all = others.iter().fold(first.clone(), |sum, block| sum.with(block, 1.0));
        if all.count() < 1.0 {
            return None;
        }
        let columns: Vec<usize> = free.iter().map(|&c| inputs + c).collect();
        let given: Vec<usize> = (0..names.len()).filter(|c| !columns.contains(c)).collect();
        Some(Self {
            mean: columns.iter().map(|&c| all.mean(c)).collect(),
            nearest: columns.iter().map(|&c| Nearest::fit(names, c, &given, &all)).collect(),
            ridge: Ridge::fit(blocks, &columns, &given),
            free: free.to_vec(),
            inputs,
            given,
        })
    }

    /// What a baseline says of the free electrode number `at`, from the present row of all columns and the one before.
    #[must_use]
    pub fn predict(&self, method: Method, at: usize, row: &[f64], before: Option<&[f64]>) -> f64 {
        match method {
            Method::Nearest => {
                self.nearest[at].intercept + self.nearest[at].slope * row[self.nearest[at].from]
            }
            Method::Ridge => self.ridge[at].predict(row, &self.given),
            Method::Persistence => before.map_or(self.mean[at], |before| before[self.inputs + self.free[at]]),
            Method::Mean | Method::Network => self.mean[at],
        }
    }
}

/// Moments of all columns of the training part, cut into contiguous blocks of nearly equal length.
fn blocks(set: &SeriesSet) -> Result<Vec<Moments>, FitError> {
    let rows: usize = set.train.iter().map(|span| span.rows.len()).sum();
    let empty = || FitError::Empty(set.description.clone());
    let read = |series: usize, rows: Range<usize>| {
        let series = set.series.get(series).ok_or_else(empty)?;
        series.values(rows).map_err(|error| FitError::Read { from: set.description.clone(), error })
    };
    let start = set.train.iter().find(|span| !span.rows.is_empty()).ok_or_else(empty)?;
    let shift = read(start.series, start.rows.start..start.rows.start + 1)?;
    let mut out = vec![Moments::new(shift); BLOCKS.min(rows)];
    let (cols, count) = (set.inputs + set.targets(), out.len());
    let mut at = 0;
    for Span { series, rows: span } in &set.train {
        for from in span.clone().step_by(CHUNK) {
            for row in read(*series, from..span.end.min(from + CHUNK))?.chunks_exact(cols) {
                out[at * count / rows].add(row);
                at += 1;
            }
        }
    }
    Ok(out)
}
