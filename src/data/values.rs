//! Static samples as numbers, in memory once and shared by whoever reads them.

use std::sync::Arc;

use super::scheduler::{MiniBatch, Rows};

/// What the outputs are to answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answers {
    /// A class a sample.
    Classes {
        /// `[samples]`, each below the number of output neurons.
        labels: Arc<Vec<u8>>,
        /// Target (dimensionless voltage) of a wrong and of the right class.
        levels: [f64; 2],
    },
    /// Target voltages, `[samples, n_out]` row-major.
    Targets(Arc<Vec<f32>>),
}

/// Samples of numbers: input voltages and what the outputs are to answer. At least one. A clone shares the memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    inputs: Arc<Vec<f32>>,
    answers: Answers,
    samples: usize,
    n_in: usize,
    n_out: usize,
}

impl Values {
    /// Samples from `inputs` `[samples, n_in]` and their answers; `None` if the lengths do not fit, there is no sample, or a label is not below
    /// `n_out`.
    #[must_use]
    pub fn new(inputs: Vec<f32>, answers: Answers, [n_in, n_out]: [usize; 2]) -> Option<Self> {
        let samples = match &answers {
            Answers::Classes { labels, .. } => labels.len(),
            Answers::Targets(targets) => targets.len().checked_div(n_out)?,
        };
        let fits = match &answers {
            Answers::Classes { labels, .. } => labels.iter().all(|&label| usize::from(label) < n_out),
            Answers::Targets(targets) => targets.len() == samples * n_out,
        };
        let whole = samples > 0 && u32::try_from(samples).is_ok() && inputs.len() == samples * n_in;
        (fits && whole).then(|| Self { inputs: Arc::new(inputs), answers, samples, n_in, n_out })
    }

    /// Number of samples, at least 1.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.samples
    }

    /// Input and output neurons.
    #[must_use]
    pub fn widths(&self) -> [usize; 2] {
        [self.n_in, self.n_out]
    }

    /// All inputs, `[samples, n_in]` row-major.
    #[must_use]
    pub fn inputs(&self) -> &[f32] {
        &self.inputs
    }

    /// What the outputs are to answer.
    #[must_use]
    pub fn answers(&self) -> &Answers {
        &self.answers
    }

    /// All labels, `[samples]`; `None` where there are targets.
    #[must_use]
    pub fn labels(&self) -> Option<&[u8]> {
        match &self.answers {
            Answers::Classes { labels, .. } => Some(labels),
            Answers::Targets(_) => None,
        }
    }

    /// Targets `[n_out]` of a sample; `None` where there are labels, or past the end.
    #[must_use]
    pub fn targets(&self, i: usize) -> Option<&[f32]> {
        match &self.answers {
            Answers::Classes { .. } => None,
            Answers::Targets(targets) => targets.chunks_exact(self.n_out).nth(i),
        }
    }

    /// Whether all inputs lie in [0, 1].
    #[must_use]
    pub fn in_unit_range(&self) -> bool {
        self.inputs.iter().all(|v| (0.0..=1.0).contains(v))
    }
}

impl Rows for Values {
    fn len(&self) -> usize {
        self.samples
    }

    fn gather(&self, batch: usize, indices: &[u32], item: &mut MiniBatch) {
        for i in indices.iter().map(|&i| i as usize) {
            let row = &self.inputs[i * self.n_in..(i + 1) * self.n_in];
            item.inputs.extend(row.iter().map(|&v| f64::from(v)));
            match &self.answers {
                Answers::Classes { labels, levels } => {
                    let label = usize::from(labels[i]);
                    item.labels.push(labels[i]);
                    item.targets.extend((0..self.n_out).map(|o| levels[usize::from(o == label)]));
                }
                Answers::Targets(targets) => {
                    let row = &targets[i * self.n_out..(i + 1) * self.n_out];
                    item.targets.extend(row.iter().map(|&v| f64::from(v)));
                }
            }
        }
        item.inputs.resize(batch * self.n_in, 0.0);
        item.targets.resize(batch * self.n_out, 0.0);
        if self.labels().is_some() {
            item.labels.resize(batch, 0);
        }
    }
}
