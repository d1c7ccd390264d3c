//! Scores: accuracy, cost, confusion, and what is derived from them.

use serde::Serialize;

/// Accuracy on a data set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Number of samples.
    pub samples: usize,
    /// Share of right answers.
    pub accuracy: f64,
    /// Mean cost `½‖u* − u_o‖²`.
    pub loss: f64,
    /// Row = true class, column = predicted class.
    pub confusion: Vec<Vec<u64>>,
}

/// Index of the largest output; of equals the first.
#[must_use]
pub fn argmax(outputs: &[f64]) -> usize {
    let mut best = 0;
    for (i, v) in outputs.iter().enumerate() {
        if *v > outputs[best] {
            best = i;
        }
    }
    best
}

/// Counts answers, one sample at a time.
#[derive(Clone, Debug)]
pub struct Tabulation {
    targets: [f64; 2],
    confusion: Vec<Vec<u64>>,
    cost: f64,
}

impl Tabulation {
    /// For `classes` output neurons; `targets`: of a wrong and of the right class.
    #[must_use]
    pub fn new(classes: usize, targets: [f64; 2]) -> Self {
        Self { targets, confusion: vec![vec![0; classes]; classes], cost: 0.0 }
    }

    /// Adds the outputs for a sample, one for each class; `label` is below the number of classes.
    pub fn add(&mut self, label: u8, outputs: &[f64]) {
        let label = usize::from(label);
        let target = |class: usize| self.targets[usize::from(class == label)];
        let miss = |(class, u): (usize, &f64)| (target(class) - u).powi(2);
        self.cost += 0.5 * outputs.iter().enumerate().map(miss).sum::<f64>();
        self.confusion[label][argmax(outputs)] += 1;
    }

    /// The score of what was added.
    #[must_use]
    pub fn score(&self) -> Score {
        let samples: u64 = self.confusion.iter().flatten().sum();
        let right: u64 = self.confusion.iter().enumerate().map(|(class, row)| row[class]).sum();
        let n = samples.max(1) as f64;
        Score {
            samples: samples as usize,
            accuracy: right as f64 / n,
            loss: self.cost / n,
            confusion: self.confusion.clone(),
        }
    }
}

/// A score with what is derived from its confusion matrix.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Number of samples.
    pub samples: usize,
    /// Share of right answers p.
    pub accuracy: f64,
    /// Standard error of the accuracy, `√(p (1 − p) / samples)`.
    pub standard_error: f64,
    /// Mean cost `½‖u* − u_o‖²`.
    pub loss: f64,
    /// For each class, the share of its samples that were recognised; `None` without samples.
    pub recall: Vec<Option<f64>>,
    /// For each class, the share of the answers "this class" that were right; `None` without such answers.
    pub precision: Vec<Option<f64>>,
    /// Row = true class, column = predicted class.
    pub confusion: Vec<Vec<u64>>,
}

impl From<Score> for Report {
    fn from(score: Score) -> Self {
        let m = &score.confusion;
        let share = |right: u64, of: u64| (of > 0).then(|| right as f64 / of as f64);
        let classes = 0..m.len();
        let recall = classes.clone().map(|c| share(m[c][c], m[c].iter().sum())).collect();
        let precision = classes.map(|c| share(m[c][c], m.iter().map(|row| row[c]).sum())).collect();
        let p = score.accuracy;
        Self {
            samples: score.samples,
            accuracy: p,
            standard_error: (p * (1.0 - p) / score.samples.max(1) as f64).sqrt(),
            loss: score.loss,
            recall,
            precision,
            confusion: score.confusion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five samples of three classes, counted by hand. Targets 0 and 1.
    #[test]
    fn a_small_set_is_scored_as_by_hand() {
        let mut table = Tabulation::new(3, [0.0, 1.0]);
        let answers = [
            (0, [1.0, 0.0, 0.0]),  // right, cost 0
            (0, [0.0, 1.0, 0.0]),  // taken for 1, cost ½(1 + 1) = 1
            (1, [0.5, 0.5, 0.0]),  // a tie goes to 0: wrong, cost ½(¼ + ¼) = ¼
            (1, [0.0, 2.0, 0.0]),  // right, cost ½
            (1, [0.0, 1.0, -1.0]), // right, cost ½
        ];
        for (label, outputs) in answers {
            table.add(label, &outputs);
        }
        let score = table.score();
        assert_eq!(score.confusion, [[1, 1, 0], [1, 2, 0], [0, 0, 0]]);
        assert_eq!((score.samples, score.accuracy), (5, 0.6));
        // (0 + 1 + 0.25 + 0.5 + 0.5) / 5, exact up to the division.
        assert!((score.loss - 0.45).abs() < 1e-15, "{}", score.loss);
        let report = Report::from(score);
        assert_eq!(report.recall, [Some(0.5), Some(2.0 / 3.0), None]);
        assert_eq!(report.precision, [Some(0.5), Some(2.0 / 3.0), None]);
        // √(0.6 · 0.4 / 5) = √0.048.
        assert!((report.standard_error - 0.048_f64.sqrt()).abs() < 1e-15);
    }

    /// Recall and precision differ where the matrix is not symmetric: rows [3 1; 0 2].
    #[test]
    fn recall_is_along_rows_and_precision_along_columns() {
        let confusion = vec![vec![3, 1], vec![0, 2]];
        let report = Report::from(Score { samples: 6, accuracy: 5.0 / 6.0, loss: 0.0, confusion });
        assert_eq!(report.recall, [Some(0.75), Some(1.0)]);
        assert_eq!(report.precision, [Some(1.0), Some(2.0 / 3.0)]);
    }
}
