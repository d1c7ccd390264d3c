//! How well one electrode is predicted.

/// Scores of an electrode; `None` where a score is not defined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Electrode {
    /// Coefficient of determination `1 − Σ(y − p)²/Σ(y − ȳ)²`, ȳ the mean over the scored samples; undefined where y does not change.
    pub r2: Option<f64>,
    /// Root of the mean squared error, in the unit of the voltages.
    pub rmse: f64,
    /// Pearson's correlation; undefined where truth or prediction does not change.
    pub correlation: Option<f64>,
    /// Mean cost ½(y − p)².
    pub cost: f64,
}

/// Sums over samples, in one pass; values are taken relative to the first ones, so that an offset costs no digits and what never changes has variance 0 exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    count: f64,
    first: [f64; 2],
    truth: f64,
    predicted: f64,
    truth2: f64,
    predicted2: f64,
    both: f64,
    error2: f64,
}

impl Sums {
    /// Takes a sample in.
    pub fn add(&mut self, truth: f64, predicted: f64) {
        if self.count == 0.0 {
            self.first = [truth, predicted];
        }
        let (y, p) = (truth - self.first[0], predicted - self.first[1]);
        self.count += 1.0;
        self.truth += y;
        self.predicted += p;
        self.truth2 += y * y;
        self.predicted2 += p * p;
        self.both += y * p;
        self.error2 += (truth - predicted) * (truth - predicted);
    }

    /// Number of samples.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.count
    }

    /// The scores of at least one sample.
    #[must_use]
    pub fn electrode(&self) -> Electrode {
        let n = self.count;
        let spread = |sum: f64, squares: f64| {
            let rest = squares - sum * sum / n;
            // What rounding may leave of a difference of equal numbers.
            if rest > squares * n * f64::EPSILON { rest } else { 0.0 }
        };
        let (yy, pp) = (spread(self.truth, self.truth2), spread(self.predicted, self.predicted2));
        let yp = self.both - self.truth * self.predicted / n;
        Electrode {
            r2: (yy > 0.0).then(|| 1.0 - self.error2 / yy),
            rmse: (self.error2 / n).sqrt(),
            correlation: (yy > 0.0 && pp > 0.0).then(|| (yp / (yy.sqrt() * pp.sqrt())).clamp(-1.0, 1.0)),
            cost: 0.5 * self.error2 / n,
        }
    }
}
