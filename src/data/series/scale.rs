//! Mean and sd of columns, fitted on the training part; and what becomes of them.

use super::Scale;

/// Means and sums of squares, sample by sample (Welford): the same bits however the samples come.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    count: Vec<u64>,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Fit {
    pub fn new(columns: usize) -> Self {
        Self { count: vec![0; columns], mean: vec![0.0; columns], squares: vec![0.0; columns] }
    }

    /// Takes samples of a column.
    pub fn push(&mut self, column: usize, values: &[f64]) {
        let (mut count, mut mean, mut squares) =
            (self.count[column], self.mean[column], self.squares[column]);
        for value in values {
            count += 1;
            let off = value - mean;
            mean += off / count as f64;
            squares += off * (value - mean);
        }
        (self.count[column], self.mean[column], self.squares[column]) = (count, mean, squares);
    }

    /// Mean and population sd of a column.
    pub fn mean_sd(&self, column: usize) -> (f64, f64) {
        let count = self.count[column].max(1) as f64;
        (self.mean[column], (self.squares[column] / count).sqrt())
    }
}

/// Smallest and largest sample of each source: whether it is flat.
#[derive(Clone, Debug)]
pub(super) struct Extent(Vec<[f64; 2]>);

impl Extent {
    pub fn new(sources: usize) -> Self {
        Self(vec![[f64::INFINITY, f64::NEG_INFINITY]; sources])
    }

    /// Takes samples of a source.
    pub fn push(&mut self, source: usize, values: &[f64]) {
        let [low, high] = &mut self.0[source];
        for &value in values {
            (*low, *high) = (low.min(value), high.max(value));
        }
    }

    /// Whether all samples of a source are the same.
    pub fn is_flat(&self, source: usize) -> bool {
        self.0[source][0] >= self.0[source][1]
    }
}

impl Scale {
    /// What a voltage of 1 stands for, for people.
    pub(super) fn unit(self, unit: Option<&str>) -> String {
        let unit = unit.filter(|unit| !unit.is_empty()).unwrap_or("unit of the file");
        match self {
            Self::None => unit.to_owned(),
            Self::DivideBy(divisor) => format!("{unit} × {divisor}"),
            Self::ZScore => "sd of the channel".to_owned(),
        }
    }
}
