//! The baseline of linear regression from all nudged electrodes, with a ridge.
//!
//! In standardised columns: `(R + λ I) w = r`, R the correlations of the predictors, r their covariances with the target (Hoerl & Kennard,
//! Technometrics 12:55, 1970). λ is chosen for each electrode by cross-validation over contiguous blocks of the training part: neighbouring samples are
//! so alike that a random choice would test on what was trained. All of it works on [`Moments`]: no row is read twice.

use super::Moments;
use crate::cpu::dense::{cholesky, cholesky_solve};

/// Ridges that are tried, relative to the variance of a predictor: half decades.
pub const LAMBDAS: [f64; 19] = [
    1e-7, 3.2e-7, 1e-6, 3.2e-6, 1e-5, 3.2e-5, 1e-4, 3.2e-4, 1e-3, 3.2e-3, 1e-2, 3.2e-2, 0.1, 0.32, 1.0, 3.2,
    10.0, 32.0, 100.0,
];

/// A linear predictor of one electrode.
#[derive(Clone, Debug, PartialEq)]
pub struct Ridge {
    /// The λ that was chosen.
    pub lambda: f64,
    /// One a predictor.
    pub slopes: Vec<f64>,
    /// Value where all predictors are 0.
    pub intercept: f64,
}

/// Predictors of all of `targets` from `from`, with a given λ; `None` if the matrix is not positive definite.
fn solve(train: &Moments, targets: &[usize], from: &[usize], lambda: f64) -> Option<Vec<Ridge>> {
    let k = from.len();
    let scale: Vec<f64> = from
        .iter()
        .map(|&i| Some(train.deviation(i)).filter(|&d| d > 0.0).map_or(0.0, |d| 1.0 / d))
        .collect();
    let mut matrix = vec![0.0; k * k];
    for (row, (&i, si)) in matrix.chunks_exact_mut(k.max(1)).zip(from.iter().zip(&scale)) {
        for (value, (&j, sj)) in row.iter_mut().zip(from.iter().zip(&scale)) {
            *value = train.covariance(i, j) * si * sj;
        }
    }
    for i in 0..k {
        // A predictor that does not change keeps the slope 0.
        matrix[i * k + i] = 1.0 + lambda;
    }
    if !cholesky(&mut matrix, k) {
        return None;
    }
    let one = |&y: &usize| {
        let mut slopes: Vec<f64> =
            from.iter().zip(&scale).map(|(&i, s)| train.covariance(i, y) * s).collect();
        cholesky_solve(&matrix, &mut slopes, k);
        slopes.iter_mut().zip(&scale).for_each(|(w, s)| *w *= s);
        let intercept =
            train.mean(y) - from.iter().zip(&slopes).map(|(&i, w)| w * train.mean(i)).sum::<f64>();
        Ridge { lambda, slopes, intercept }
    };
    Some(targets.iter().map(one).collect())
}

impl Ridge {
    /// Predictors of all of `targets` from `from`. `blocks` are the parts of the training part in the order of time, at least one; with fewer than
    /// two there is nothing to choose λ by, and it is 1.
    #[must_use]
    pub fn fit(blocks: &[Moments], targets: &[usize], from: &[usize]) -> Vec<Self> {
        let Some((first, others)) = blocks.split_first() else { return Vec::new() };
        let all = others.iter().fold(first.clone(), |sum, block| sum.with(block, 1.0));
        let mean = |&y: &usize| Self {
            lambda: f64::INFINITY,
            slopes: vec![0.0; from.len()],
            intercept: all.mean(y),
        };
        let best =
            if blocks.len() < 2 { vec![1.0; targets.len()] } else { choose(&all, blocks, targets, from) };
        let mut by_lambda: Vec<(f64, Option<Vec<Self>>)> = Vec::new();
        for &lambda in &best {
            if by_lambda.iter().all(|(l, _)| *l != lambda) {
                by_lambda.push((lambda, solve(&all, targets, from, lambda)));
            }
        }
        let pick = |(at, y): (usize, &usize)| {
            let found = by_lambda.iter().find(|(lambda, _)| *lambda == best[at]);
            found.and_then(|(_, fits)| fits.as_ref()).map_or_else(|| mean(y), |fits| fits[at].clone())
        };
        targets.iter().enumerate().map(pick).collect()
    }

    /// Its value for a row of all columns.
    #[must_use]
    pub fn predict(&self, row: &[f64], from: &[usize]) -> f64 {
        self.intercept + from.iter().zip(&self.slopes).map(|(&i, w)| w * row[i]).sum::<f64>()
    }
}

/// The λ of each target that leaves least when each block in turn is predicted from the others.
fn choose(all: &Moments, blocks: &[Moments], targets: &[usize], from: &[usize]) -> Vec<f64> {
    let mut left = vec![vec![0.0; LAMBDAS.len()]; targets.len()];
    for block in blocks.iter().filter(|b| b.count() > 0.0) {
        let others = all.with(block, -1.0);
        for (at, &lambda) in LAMBDAS.iter().enumerate() {
            let fits = solve(&others, targets, from, lambda);
            for (t, &y) in targets.iter().enumerate() {
                left[t][at] += fits.as_ref().map_or(f64::INFINITY, |fits| {
                    block.residual(y, from, &fits[t].slopes, fits[t].intercept)
                });
            }
        }
    }
    let least = |errors: &Vec<f64>| {
        // The largest of equals: it trusts the predictors least.
        let mut best = LAMBDAS.len() - 1;
        for at in (0..best).rev() {
            if errors[at] < errors[best] {
                best = at;
            }
        }
        LAMBDAS[best]
    };
    left.iter().map(least).collect()
}
