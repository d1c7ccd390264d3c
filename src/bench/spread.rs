//! Median and spread of repetitions.

use serde::{Deserialize, Serialize};

/// Order statistics of some values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Middle value, or the mean of the two in the middle.
    pub median: f64,
    /// Smallest.
    pub least: f64,
    /// Largest.
    pub most: f64,
    /// Lower and upper quartile, linear between values.
    pub quartiles: [f64; 2],
}

impl Spread {
    /// Of values in any order; `None` if there are none, or one that is not finite.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        if sorted.is_empty() || sorted.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let at = |share: f64| {
            let place = share * (sorted.len() - 1) as f64;
            let low = place.floor() as usize;
            let high = (low + 1).min(sorted.len() - 1);
            sorted[low] + (place - low as f64) * (sorted[high] - sorted[low])
        };
        Some(Self {
            median: at(0.5),
            least: sorted[0],
            most: sorted[sorted.len() - 1],
            quartiles: [at(0.25), at(0.75)],
        })
    }

    /// Half the distance of the quartiles, in medians: a single disturbed repetition hardly moves it.
    #[must_use]
    pub fn relative(&self) -> f64 {
        if self.median == 0.0 { 0.0 } else { 0.5 * (self.quartiles[1] - self.quartiles[0]) / self.median }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn order_statistics_of_few_values() {
        let s = Spread::of(&[5.0, 1.0, 3.0, 2.0, 4.0]).unwrap();
        assert_eq!((s.median, s.least, s.most, s.quartiles), (3.0, 1.0, 5.0, [2.0, 4.0]));
        // Half of 4 − 2, over 3.
        assert!((s.relative() - 1.0 / 3.0).abs() < 1e-15);
        let s = Spread::of(&[1.0, 4.0]).unwrap();
        assert_eq!((s.median, s.quartiles), (2.5, [1.75, 3.25]));
        let s = Spread::of(&[7.0]).unwrap();
        assert_eq!((s.median, s.relative()), (7.0, 0.0));
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[1.0, f64::NAN]), None);
    }

    /// One value of five far out moves neither the median nor the quartiles.
    #[test]
    fn one_disturbance_in_five_is_not_seen() {
        let quiet = Spread::of(&[1.0, 1.0, 1.0, 1.0, 1.0]).unwrap();
        let disturbed = Spread::of(&[1.0, 1.0, 100.0, 1.0, 1.0]).unwrap();
        assert_eq!((quiet.median, quiet.relative()), (disturbed.median, disturbed.relative()));
    }
}
