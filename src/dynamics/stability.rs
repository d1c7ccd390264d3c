//! Eigenvalues of H: whether an explicit scheme can be stable.

use crate::network::{Network, Parameters};

/// Power iterations: the estimate is used for advice, two digits suffice.
const ITERATIONS: usize = 100;

/// Estimates of the smallest and largest eigenvalue of `JᵀJ + diag β` over the free neurons, all of them at their steepest
/// (ρ' at its maximum): the widest spectrum that H has apart from its ρ'' term. `beta` has one value an output neuron.
#[must_use]
pub fn eigenvalues(network: &Network, parameters: &Parameters, beta: &[f64]) -> (f64, f64) {
    let free = network.free();
    // A fixed start without symmetry, so that the same network gives the same advice.
    let start: Vec<f64> = (0..free.len).map(|i| 1.0 + 0.37 * (i as f64 * 2.399_963).sin()).collect();
    let sweep = Sweep { network, parameters };
    let largest = power(start.clone(), |v| {
        let jv = sweep.apply(v, false);
        let mut out = sweep.apply_transposed(&jv, false);
        let first = network.outputs().start - free.start;
        for (o, b) in beta.iter().enumerate() {
            out[first + o] += b * v[first + o];
        }
        out
    });
    // (JᵀJ)⁻¹ = J⁻¹ J⁻ᵀ by two sweeps; β ≥ 0 only raises the eigenvalues.
    let inverse = power(start, |v| sweep.apply(&sweep.apply_transposed(v, true), true));
    (1.0 / inverse.max(f64::MIN_POSITIVE), largest)
}

fn power(mut v: Vec<f64>, apply: impl Fn(&[f64]) -> Vec<f64>) -> f64 {
    let mut value = 0.0;
    for _ in 0..ITERATIONS {
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm == 0.0 {
            return 0.0;
        }
        v.iter_mut().for_each(|x| *x /= norm);
        let next = apply(&v);
        value = v.iter().zip(&next).map(|(a, b)| a * b).sum();
        v = next;
    }
    value
}

/// `J` and its inverse on one vector over the free neurons.
struct Sweep<'a> {
    network: &'a Network,
    parameters: &'a Parameters,
}

impl Sweep<'_> {
    /// Blocks between free populations as (weights, first row, rows, first column, columns).
    fn blocks(&self) -> Vec<(&[f64], usize, usize, usize, usize)> {
        let free = self.network.free();
        let order = self.network.forward_order();
        let ends = order.iter().map(|&k| {
            let p = &self.network.projections[k];
            (k, self.network.cols(p.pre), self.network.cols(p.post))
        });
        ends.filter(|(_, pre, _)| pre.start >= free.start)
            .map(|(k, pre, post)| {
                let w = self.parameters.weights[k].as_slice();
                (w, post.start - free.start, post.len, pre.start - free.start, pre.len)
            })
            .collect()
    }

    /// `J v = v − W D v`, or with `inverse` the forward sweep `J⁻¹ v`.
    fn apply(&self, v: &[f64], inverse: bool) -> Vec<f64> {
        let slope = self.network.activation.steepest();
        let mut out = v.to_vec();
        for (w, row, rows, col, cols) in self.blocks() {
            for i in 0..rows {
                let from = if inverse { &out } else { v };
                let sum: f64 =
                    w[i * cols..(i + 1) * cols].iter().zip(&from[col..col + cols]).map(|(w, x)| w * x).sum();
                out[row + i] += if inverse { slope * sum } else { -slope * sum };
            }
        }
        out
    }

    /// `Jᵀ v`, or with `inverse` the backward sweep `J⁻ᵀ v`.
    fn apply_transposed(&self, v: &[f64], inverse: bool) -> Vec<f64> {
        let slope = self.network.activation.steepest();
        let mut out = v.to_vec();
        // Later populations first: a backward sweep needs them complete.
        for (w, row, rows, col, cols) in self.blocks().into_iter().rev() {
            for i in 0..rows {
                let x = if inverse { out[row + i] } else { -v[row + i] };
                for (o, w) in out[col..col + cols].iter_mut().zip(&w[i * cols..(i + 1) * cols]) {
                    *o += slope * w * x;
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, InputMode, Population, expand};

    /// One hidden and one output neuron, weight w: JᵀJ = [[1 + w², −w], [−w, 1]] has the eigenvalues
    /// 1 + w²/2 ± w √(1 + w²/4), whose product is 1.
    #[test]
    fn two_neurons_have_the_eigenvalues_of_the_closed_form() {
        let population =
            |name: &str| Population { name: name.into(), size: 1, bias_factor: 0.0, bias_clip: None };
        let network = Network {
            populations: vec![population("in"), population("hidden"), population("out")],
            projections: expand(3, &[]),
            activation: Activation::Linear,
            input: InputMode::Clamped,
            microcircuit: None,
        };
        let w: f64 = 0.8;
        let parameters =
            Parameters { weights: vec![vec![1.0], vec![w]], biases: vec![0.0; 3], ..Parameters::default() };
        let (low, high) = eigenvalues(&network, &parameters, &[0.0]);
        let (mean, half) = (1.0 + w * w / 2.0, w * (1.0 + w * w / 4.0).sqrt());
        // 100 power iterations at a ratio of 0.21 converge to rounding.
        assert!((low - (mean - half)).abs() < 1e-12, "{low}");
        assert!((high - (mean + half)).abs() < 1e-12, "{high}");
    }
}
