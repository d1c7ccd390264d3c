//! The score of a network that answers with values: cost, RMSE and R², output by output.

use serde::Serialize;

/// How well one output answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OutputScore {
    /// Root of the mean squared error, in units of the targets.
    pub rmse: f64,
    /// 1 − Σ(u* − u)²/Σ(u* − mean u*)²; `None` where all targets are the same.
    pub r2: Option<f64>,
}

/// Answers to samples that have targets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Regression {
    /// Number of samples.
    pub samples: usize,
    /// Mean cost `½‖u* − u_o‖²` of a sample.
    pub loss: f64,
    /// Root of the mean squared error over samples and outputs.
    pub rmse: f64,
    /// Mean R² of the outputs that have one; `None` if none has.
    pub r2: Option<f64>,
    /// Output by output.
    pub outputs: Vec<OutputScore>,
}

/// Sums over samples of one output.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    count: f64,
    /// Of squared errors.
    errors: f64,
    /// Mean of the targets so far, and the sum of their squared distances from it (Welford 1962).
    mean: f64,
    spread: f64,
}

impl Sums {
    fn add(&mut self, target: f64, output: f64) {
        self.count += 1.0;
        self.errors += (target - output).powi(2);
        let before = target - self.mean;
        self.mean += before / self.count;
        self.spread += before * (target - self.mean);
    }

    fn score(&self) -> OutputScore {
        let rmse = (self.errors / self.count.max(1.0)).sqrt();
        OutputScore { rmse, r2: (self.spread > 0.0).then(|| 1.0 - self.errors / self.spread) }
    }
}

/// Sums up answers, one sample at a time.
#[derive(Clone, Debug)]
pub struct Residuals(Vec<Sums>);

impl Residuals {
    /// For so many outputs.
    #[must_use]
    pub fn new(outputs: usize) -> Self {
        Self(vec![Sums::default(); outputs])
    }

    /// Adds a sample: targets and outputs `[n_out]`.
    pub fn add(&mut self, targets: &[f32], outputs: &[f64]) {
        for ((sums, &target), &output) in self.0.iter_mut().zip(targets).zip(outputs) {
            sums.add(f64::from(target), output);
        }
    }

    /// The score of what was added.
    #[must_use]
    pub fn score(&self) -> Regression {
        let samples = self.0.first().map_or(0.0, |sums| sums.count);
        let errors: f64 = self.0.iter().map(|sums| sums.errors).sum();
        let outputs: Vec<OutputScore> = self.0.iter().map(Sums::score).collect();
        let defined: Vec<f64> = outputs.iter().filter_map(|o| o.r2).collect();
        let r2 = (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64);
        let n = samples.max(1.0);
        Regression {
            samples: samples as usize,
            loss: 0.5 * errors / n,
            rmse: (errors / (n * self.0.len().max(1) as f64)).sqrt(),
            r2,
            outputs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three samples of two outputs, by hand. Targets 1, 2, 3 have a spread of 2 about their mean; errors 0, 1, 0 leave R² = 1 − 1/2. The second target
    /// is the same everywhere: no R².
    #[test]
    fn a_small_set_is_scored_as_by_hand() {
        let mut sums = Residuals::new(2);
        sums.add(&[1.0, 5.0], &[1.0, 5.0]);
        sums.add(&[2.0, 5.0], &[3.0, 5.0]);
        sums.add(&[3.0, 5.0], &[3.0, 7.0]);
        let score = sums.score();
        assert_eq!(score.samples, 3);
        assert_eq!(score.outputs[0].r2, Some(0.5));
        assert_eq!((score.outputs[1].r2, score.r2), (None, Some(0.5)));
        // ½(1 + 4)/3; √(1/3); √(5/6).
        assert!((score.loss - 5.0 / 6.0).abs() < 1e-15, "{}", score.loss);
        assert!((score.outputs[0].rmse - (1.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert!((score.rmse - (5.0_f64 / 6.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn nothing_is_no_division_by_zero() {
        let score = Residuals::new(1).score();
        assert_eq!((score.samples, score.loss, score.r2), (0, 0.0, None));
    }
}
