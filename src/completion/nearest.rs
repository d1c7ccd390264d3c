//! The baseline of the nearest electrode.
//!
//! Recordings seldom hold coordinates. Contacts of a depth electrode or a strip have names that end in a number, in the order along the
//! shaft: `L'1, L'2, …`. So the nearest electrode is the given contact of the same shaft with the nearest number, and where there is none,
//! the given one with the largest |correlation| on the training part. Its signal is brought to scale by linear regression on the training part: a
//! stronger baseline than a bare copy.

use super::Moments;

/// How a nearest electrode was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By its number on the same shaft.
    Shaft,
    /// By correlation on the training part.
    Correlation,
}

/// Linear regression from one electrode that is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// Column of the electrode.
    pub from: usize,
    /// How it was found.
    pub how: How,
    /// `y ≈ intercept + slope·x`.
    pub slope: f64,
    /// See `slope`.
    pub intercept: f64,
}

/// Shaft and number of a contact: `L'12` and what follows a `-` (a reference, a bipolar partner) left out → (`L'`, 12).
#[must_use]
pub fn contact(name: &str) -> Option<(&str, u32)> {
    let name = name.split('-').next().unwrap_or(name).trim_end();
    let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (shaft, number) = name.split_at(name.len() - digits);
    if shaft.trim().is_empty() { None } else { Some((shaft.trim(), number.parse().ok()?)) }
}

impl Nearest {
    /// The predictor of column `of` from one of `nudged`, which is not empty.
    #[must_use]
    pub fn fit(names: &[String], of: usize, nudged: &[usize], train: &Moments) -> Self {
        let own = contact(&names[of]);
        let distance = |k: usize| {
            let ((shaft, number), (other, at)) = (own?, contact(&names[k])?);
            (shaft == other).then(|| number.abs_diff(at))
        };
        let neighbour = nudged.iter().filter_map(|&k| Some((distance(k)?, k))).min();
        let likeness = |k: usize| train.correlation(of, k).map_or(0.0, f64::abs);
        let (from, how) = match neighbour {
            Some((_, k)) => (k, How::Shaft),
            None => {
                let most = nudged.iter().copied().max_by(|&a, &b| likeness(a).total_cmp(&likeness(b)));
                (most.unwrap_or(of), How::Correlation)
            }
        };
        let slope = if train.deviation(from) > 0.0 {
            train.covariance(of, from) / train.covariance(from, from)
        } else {
            0.0
        };
        Self { from, how, slope, intercept: train.mean(of) - slope * train.mean(from) }
    }
}
