//! Eigenvalues of H: whether an explicit scheme can be stable.

use crate::network::{Network, Parameters};

/// Power iterations: the estimate is used for advice, two digits suffice.
const ITERATIONS: usize = 100;

/// Estimates of the smallest and largest eigenvalue of `JᵀJ + diag β` over the free neurons, all of them at their steepest
/// (ρ' at its maximum): the widest spectrum that H has apart from its ρ'' term. `beta` has one value an output neuron.
///
/// J has a row for every neuron with a mismatch and a column for every free one. On feedforward graphs the smallest comes from power
/// iterations of `(JᵀJ)⁻¹`, by two sweeps each; on others from the Lanczos process, which meets the ends of a spectrum first.
#[must_use]
pub fn eigenvalues(network: &Network, parameters: &Parameters, beta: &[f64]) -> (f64, f64) {
    let free = network.free();
    // A fixed start without symmetry, so that the same network gives the same advice.
    let start: Vec<f64> = (0..free.len).map(|i| 1.0 + 0.37 * (i as f64 * 2.399_963).sin()).collect();
    let sweep = Sweep { network, parameters };
    let first = network.outputs().start - free.start;
    let hessian = |v: &[f64]| {
        let mut out = sweep.apply_transposed(&sweep.apply(v));
        // Outputs with β = ∞ are prescribed: they leave the system.
        for (o, &b) in beta.iter().enumerate() {
            out[first + o] = if b.is_finite() { out[first + o] + b * v[first + o] } else { 0.0 };
        }
        out
    };
    let largest = power(start.clone(), hessian);
    // β ≥ 0 only raises the eigenvalues.
    let jtj = |v: &[f64]| sweep.apply_transposed(&sweep.apply(v));
    let smallest = if network.is_feedforward() {
        1.0 / power(start, |v| sweep.solve(&sweep.solve_transposed(v))).max(f64::MIN_POSITIVE)
    } else {
        lanczos(start, jtj)
    };
    (smallest, largest)
}

fn power(mut v: Vec<f64>, apply: impl Fn(&[f64]) -> Vec<f64>) -> f64 {
    let mut value = 0.0;
    for _ in 0..ITERATIONS {
        let norm = dot(&v, &v).sqrt();
        if norm == 0.0 {
            return 0.0;
        }
        v.iter_mut().for_each(|x| *x /= norm);
        let next = apply(&v);
        value = dot(&v, &next);
        v = next;
    }
    value
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Smallest eigenvalue of a symmetric positive semidefinite operator by the Lanczos process, made orthogonal anew in each step.
fn lanczos(start: Vec<f64>, apply: impl Fn(&[f64]) -> Vec<f64>) -> f64 {
    let (mut basis, mut diagonal, mut beside): (Vec<Vec<f64>>, Vec<f64>, Vec<f64>) = Default::default();
    let mut v = start;
    let mut scale = 0.0_f64;
    while basis.len() < ITERATIONS {
        let norm = dot(&v, &v).sqrt();
        // The space is exhausted.
        if norm <= 1e-12 * scale.max(1.0) {
            break;
        }
        if !basis.is_empty() {
            beside.push(norm);
        }
        v.iter_mut().for_each(|x| *x /= norm);
        let mut next = apply(&v);
        diagonal.push(dot(&v, &next));
        scale = scale.max(norm).max(diagonal.last().map_or(0.0, |d| d.abs()));
        basis.push(v);
        for _ in 0..2 {
            for q in &basis {
                let part = dot(q, &next);
                next.iter_mut().zip(q).for_each(|(x, q)| *x -= part * q);
            }
        }
        v = next;
    }
    smallest_of_tridiagonal(&diagonal, &beside)
}

/// By bisection: the pivots of `T − x` that are negative count the eigenvalues below x.
fn smallest_of_tridiagonal(diagonal: &[f64], beside: &[f64]) -> f64 {
    let below = |x: f64| {
        let mut pivot = 1.0_f64;
        diagonal.iter().enumerate().any(|(i, d)| {
            let from = if i == 0 { 0.0 } else { beside[i - 1] * beside[i - 1] / pivot };
            pivot = d - x - from;
            if pivot == 0.0 {
                pivot = f64::MIN_POSITIVE;
            }
            pivot < 0.0
        })
    };
    // The smallest diagonal element bounds it from above, 0 from below.
    let (mut low, mut high) = (0.0, diagonal.iter().copied().fold(f64::INFINITY, f64::min));
    if !high.is_finite() {
        return 0.0;
    }
    for _ in 0..ITERATIONS {
        let middle = 0.5 * (low + high);
        *(if below(middle) { &mut high } else { &mut low }) = middle;
    }
    high
}

/// A weight block from a free population: first row and rows among those with a mismatch, first column and columns among the free.
struct Block<'a> {
    w: &'a [f64],
    row: usize,
    rows: usize,
    col: usize,
    cols: usize,
}

/// `J`, its transpose and their inverses on one vector.
struct Sweep<'a> {
    network: &'a Network,
    parameters: &'a Parameters,
}

impl Sweep<'_> {
    /// Blocks from free populations in the order of a forward sweep.
    fn blocks(&self) -> Vec<Block<'_>> {
        let (free, with_mismatch) = (self.network.free(), self.network.rows());
        let order = self.network.forward_order();
        let ends = order.iter().map(|&k| {
            let p = &self.network.projections[k];
            (k, self.network.cols(p.pre), self.network.cols(p.post))
        });
        ends.filter(|(_, pre, _)| pre.start >= free.start)
            .map(|(k, pre, post)| Block {
                w: &self.parameters.weights[k],
                row: post.start - with_mismatch.start,
                rows: post.len,
                col: pre.start - free.start,
                cols: pre.len,
            })
            .collect()
    }

    /// Rows of a clamped input.
    fn above(&self) -> usize {
        self.network.free().start - self.network.rows().start
    }

    /// `J v = v − W D v`.
    fn apply(&self, v: &[f64]) -> Vec<f64> {
        let slope = self.network.activation.steepest();
        let mut out = vec![0.0; self.above()];
        out.extend_from_slice(v);
        for b in self.blocks() {
            for (i, w) in b.w.chunks_exact(b.cols.max(1)).take(b.rows).enumerate() {
                out[b.row + i] -= slope * dot(w, &v[b.col..b.col + b.cols]);
            }
        }
        out
    }

    /// `Jᵀ v`.
    fn apply_transposed(&self, v: &[f64]) -> Vec<f64> {
        let slope = self.network.activation.steepest();
        let mut out = v[self.above()..].to_vec();
        for b in self.blocks() {
            for (i, w) in b.w.chunks_exact(b.cols.max(1)).take(b.rows).enumerate() {
                let x = slope * v[b.row + i];
                out[b.col..b.col + b.cols].iter_mut().zip(w).for_each(|(o, w)| *o -= w * x);
            }
        }
        out
    }

    /// `J⁻¹ v` of a feedforward graph: the forward sweep.
    fn solve(&self, v: &[f64]) -> Vec<f64> {
        let slope = self.network.activation.steepest();
        let mut out = v.to_vec();
        for b in self.blocks() {
            for (i, w) in b.w.chunks_exact(b.cols.max(1)).take(b.rows).enumerate() {
                let sum = dot(w, &out[b.col..b.col + b.cols]);
                out[b.row + i] += slope * sum;
            }
        }
        out
    }

    /// `J⁻ᵀ v` of a feedforward graph: the backward sweep.
    fn solve_transposed(&self, v: &[f64]) -> Vec<f64> {
        let slope = self.network.activation.steepest();
        let mut out = v.to_vec();
        // Later populations first: it needs them complete.
        for b in self.blocks().into_iter().rev() {
            for (i, w) in b.w.chunks_exact(b.cols.max(1)).take(b.rows).enumerate() {
                let x = slope * out[b.row + i];
                out[b.col..b.col + b.cols].iter_mut().zip(w).for_each(|(o, w)| *o += w * x);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, InputMode, Population, Projection, expand};

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
    fn network(sizes: &[usize], ends: &[(usize, usize)], input: InputMode) -> Network {
        let population = |(i, &size): (usize, &usize)| Population {
            name: format!("p{i}"),
            size,
            bias_factor: 0.0,
            bias_clip: None,
        };
        Network {
            populations: sizes.iter().enumerate().map(population).collect(),
            projections: ends.iter().map(|&(pre, post)| Projection::between(pre, post)).collect(),
            activation: Activation::Linear,
            input,
            microcircuit: None,
        }
    }

    /// Two neurons that project to one another with weight w: J = [[1, −w], [−w, 1]], so that JᵀJ has the eigenvalues (1 ± w)².
    #[test]
    fn a_cycle_of_two_has_the_eigenvalues_of_the_closed_form() {
        let net = network(&[1, 1], &[(0, 1), (1, 0)], InputMode::Driven);
        for w in [0.8, -0.3] {
            let parameters =
                Parameters { weights: vec![vec![w], vec![w]], biases: vec![0.0; 2], ..Parameters::default() };
            let (low, high) = eigenvalues(&net, &parameters, &[0.0]);
            let wanted = ((1.0 - f64::abs(w)).powi(2), (1.0 + f64::abs(w)).powi(2));
            assert!((low - wanted.0).abs() < 1e-12, "{low} for {}", wanted.0);
            assert!((high - wanted.1).abs() < 1e-9, "{high} for {}", wanted.1);
        }
    }

    /// A population onto itself with a symmetric circulant W, `W[i][i ± 1] = w`: (1 − 2 w cos(2πk/n))² for k = 0 … n − 1. The start
    /// has no symmetry, so that all of them are met.
    #[test]
    fn a_ring_has_the_eigenvalues_of_the_closed_form() {
        let (n, w) = (12, 0.35);
        let net = network(&[2, n], &[(0, 1), (1, 1)], InputMode::Clamped);
        let mut ring = vec![0.0; n * n];
        for i in 0..n {
            ring[i * n + (i + 1) % n] = w;
            ring[((i + 1) % n) * n + i] = w;
        }
        let parameters = Parameters {
            weights: vec![vec![0.5; 2 * n], ring],
            biases: vec![0.0; n + 2],
            ..Parameters::default()
        };
        let (low, high) = eigenvalues(&net, &parameters, &vec![0.0; n]);
        assert!((low - (1.0 - 2.0 * w).powi(2)).abs() < 1e-9, "{low}");
        assert!((high - (1.0 + 2.0 * w).powi(2)).abs() < 1e-6, "{high}");
    }

    /// A hidden neuron that projects into a clamped input of two with weights v: JᵀJ = 1 + |v|².
    #[test]
    fn feedback_into_a_clamped_input_counts() {
        let net = network(&[2, 1], &[(0, 1), (1, 0)], InputMode::Clamped);
        let parameters = Parameters {
            weights: vec![vec![9.0, 9.0], vec![0.6, -0.8]],
            biases: vec![0.0; 3],
            ..Parameters::default()
        };
        let (low, high) = eigenvalues(&net, &parameters, &[0.5]);
        assert!((low - 2.0).abs() < 1e-12 && (high - 2.5).abs() < 1e-12, "{low} {high}");
    }
}
