//! The network and its baselines side by side.

use serde::{Deserialize, Serialize};

use super::{Baselines, Electrode, Sums};

/// A way to predict free electrodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The network.
    Network,
    /// Mean of the training part.
    Mean,
    /// The nearest electrode that is given, brought to scale.
    Nearest,
    /// Ridge regression from all that is given: nudged electrodes, and inputs.
    Ridge,
    /// The electrode's own sample before: it uses the past of what is to be predicted, which the others are not given.
    Persistence,
}

impl Method {
    /// All, in the order of tables.
    pub const ALL: [Method; 5] = [Self::Network, Self::Mean, Self::Nearest, Self::Ridge, Self::Persistence];

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Mean => "mean",
            Self::Nearest => "nearest",
            Self::Ridge => "ridge",
            Self::Persistence => "persistence",
        }
    }

    /// What it is, for people.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Network => "the network",
            Self::Mean => "mean of the training part",
            Self::Nearest => "nearest electrode that is given, scaled",
            Self::Ridge => "ridge regression from all electrodes that are given",
            Self::Persistence => "sample before (uses the target's own past)",
        }
    }
}

/// One method on one free electrode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// How it was predicted.
    pub method: Method,
    /// Name of the electrode.
    pub channel: String,
    /// See [`Electrode::r2`].
    pub r2: Option<f64>,
    /// See [`Electrode::rmse`].
    pub rmse: f64,
    /// See [`Electrode::correlation`].
    pub correlation: Option<f64>,
    /// See [`Electrode::cost`].
    pub cost: f64,
}

/// Scores of all methods on all free electrodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// All target electrodes.
    pub channels: Vec<String>,
    /// Those that are predicted.
    pub free: Vec<String>,
    /// What a voltage of 1 stands for.
    pub unit: String,
    /// Scored samples.
    pub samples: u64,
    /// By method, then by electrode.
    pub rows: Vec<Entry>,
}

/// Means over electrodes of one method.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The method.
    pub method: Method,
    /// Mean R² of the electrodes where it is defined.
    pub r2: Option<f64>,
    /// Root of the mean squared error over all electrodes and samples.
    pub rmse: f64,
    /// Mean correlation of the electrodes where it is defined.
    pub correlation: Option<f64>,
    /// Electrodes where the correlation is defined.
    pub correlated: usize,
    /// Mean cost ½ Σ_free (y − p)² of a sample.
    pub cost: f64,
}

impl Table {
    /// Means over electrodes, a method each.
    #[must_use]
    pub fn summaries(&self) -> Vec<Summary> {
        let mean = |values: Vec<f64>| {
            let n = values.len();
            (n > 0).then(|| values.iter().sum::<f64>() / n as f64)
        };
        let of = |method: Method| {
            let rows: Vec<&Entry> = self.rows.iter().filter(|row| row.method == method).collect();
            if rows.is_empty() {
                return None;
            }
            let correlations: Vec<f64> = rows.iter().filter_map(|row| row.correlation).collect();
            let correlated = correlations.len();
            let cost = rows.iter().map(|row| row.cost).sum::<f64>();
            Some(Summary {
                method,
                r2: mean(rows.iter().filter_map(|row| row.r2).collect()),
                rmse: (2.0 * cost / rows.len() as f64).sqrt(),
                correlation: mean(correlations),
                correlated,
                cost,
            })
        };
        Method::ALL.into_iter().filter_map(of).collect()
    }
}

/// Scores rows as they come.
#[derive(Clone, Debug)]
pub struct Scorer<'a> {
    baselines: &'a Baselines,
    sums: Vec<Sums>,
    samples: u64,
}

impl<'a> Scorer<'a> {
    /// Nothing scored yet.
    #[must_use]
    pub fn new(baselines: &'a Baselines) -> Self {
        let sums = vec![Sums::default(); Method::ALL.len() * baselines.free.len()];
        Self { baselines, sums, samples: 0 }
    }

    /// Takes a sample in: a row of all columns, the one before if there is one, and what the network says of all targets.
    pub fn row(&mut self, row: &[f64], before: Option<&[f64]>, network: &[f64]) {
        let truth = &row[self.baselines.inputs..];
        let free = &self.baselines.free;
        for (sums, method) in self.sums.chunks_exact_mut(free.len()).zip(Method::ALL) {
            for (at, (sum, &c)) in sums.iter_mut().zip(free).enumerate() {
                let predicted = match method {
                    Method::Network => network[c],
                    other => self.baselines.predict(other, at, row, before),
                };
                sum.add(truth[c], predicted);
            }
        }
        self.samples += 1;
    }

    /// The table of at least one sample; `names` are those of all targets.
    #[must_use]
    pub fn table(&self, names: &[String], unit: &str) -> Table {
        let free = &self.baselines.free;
        let entry = |(i, sums): (usize, &Sums)| {
            let Electrode { r2, rmse, correlation, cost } = sums.electrode();
            let channel = names[free[i % free.len()]].clone();
            Entry { method: Method::ALL[i / free.len()], channel, r2, rmse, correlation, cost }
        };
        Table {
            channels: names.to_vec(),
            free: free.iter().map(|&c| names[c].clone()).collect(),
            unit: unit.to_owned(),
            samples: self.samples,
            rows: self.sums.iter().enumerate().map(entry).collect(),
        }
    }
}
