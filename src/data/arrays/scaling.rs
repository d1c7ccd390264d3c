//! Input scaling: fitted on the training samples, the same for all others.

use std::path::Path;

use super::Table;
use crate::data::npz::{self, Entry, NpzError, NpzFile};

/// How inputs are scaled, feature by feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InputScale {
    /// Not at all.
    #[default]
    None,
    /// Less the mean, over the standard deviation.
    ZScore,
    /// From the smallest to the largest value: 0 to 1.
    Unit,
}

impl InputScale {
    /// All, with the names they have in files.
    pub const NAMES: [(&'static str, InputScale); 3] =
        [("none", InputScale::None), ("z-score", InputScale::ZScore), ("unit", InputScale::Unit)];
}

/// What scales inputs: `(v − offset)·factor`; of each feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// What is taken away, `[n_in]`.
    pub offset: Vec<f64>,
    /// What the rest is multiplied by, `[n_in]`; 1 of a feature that is the same in all samples.
    pub factor: Vec<f64>,
}

impl Scaling {
    /// Fits the samples at `rows`; `None` where nothing is scaled.
    pub(super) fn fit(kind: InputScale, inputs: &Table, rows: &[usize]) -> Option<Self> {
        let (width, n) = (inputs.width, rows.len().max(1) as f64);
        let each = || rows.iter().map(|&i| inputs.row(i));
        let inverse = |v: f64| if v > 0.0 { 1.0 / v } else { 1.0 };
        match kind {
            InputScale::None => None,
            InputScale::ZScore => {
                let mean = sums(width, each(), |_, v| v).into_iter().map(|s| s / n).collect::<Vec<_>>();
                let squares = sums(width, each(), |f, v| (v - mean[f]).powi(2));
                // A spread within the rounding of the mean is none.
                let sd = squares.iter().zip(&mean).map(|(s, m)| {
                    let sd = (s / n).sqrt();
                    if sd > 8.0 * f64::EPSILON * m.abs() { sd } else { 0.0 }
                });
                let factor = sd.map(inverse).collect();
                Some(Self { offset: mean, factor })
            }
            InputScale::Unit => {
                let (mut low, mut high) = (vec![f64::INFINITY; width], vec![f64::NEG_INFINITY; width]);
                for row in each() {
                    for ((low, high), &v) in low.iter_mut().zip(&mut high).zip(row) {
                        (*low, *high) = (low.min(v), high.max(v));
                    }
                }
                let factor = low.iter().zip(&high).map(|(low, high)| inverse(high - low)).collect();
                Some(Self { offset: low, factor })
            }
        }
    }

    /// Its name in a run directory.
    pub const FILE: &str = "input-scale.npz";

    /// Writes it: `offset`, `factor` `[n_in]`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), NpzError> {
        let entries = [("offset", &self.offset), ("factor", &self.factor)].map(|(name, data)| Entry {
            name: name.into(),
            shape: vec![data.len()],
            data,
            single: false,
        });
        npz::write(path, &entries)
    }

    /// Reads what [`Scaling::save`] wrote, for `n_in` inputs.
    ///
    /// # Errors
    /// If the file is missing or damaged, or of another network.
    pub fn open(path: &Path, n_in: usize) -> Result<Self, NpzError> {
        let mut file = NpzFile::open(path)?;
        let mut read = |name: &str| file.read_shaped(name, &[Some(n_in)]).map(|array| array.data);
        Ok(Self { offset: read("offset")?, factor: read("factor")? })
    }

    /// Scales samples in place, `[samples, n_in]`.
    pub fn apply(&self, values: &mut [f64]) {
        for row in values.chunks_mut(self.offset.len().max(1)) {
            for ((v, offset), factor) in row.iter_mut().zip(&self.offset).zip(&self.factor) {
                *v = (*v - offset) * factor;
            }
        }
    }
}

/// Sums over samples of a function of feature and value.
fn sums<'a>(width: usize, rows: impl Iterator<Item = &'a [f64]>, of: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; width];
    for row in rows {
        sums.iter_mut().zip(row).enumerate().for_each(|(f, (sum, &v))| *sum += of(f, v));
    }
    sums
}
