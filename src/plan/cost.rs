//! Counted operations of a plan.

use super::{Op, Plan};
use crate::kernels::Call;

/// What a plan costs if every loop runs a given number of iterations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Kernel calls.
    pub calls: u64,
    /// Multiply-adds of the matrix products, twice each (elementwise work is not counted).
    pub flops: u64,
}

impl Plan {
    /// Counts calls and floating-point operations of the products for `batch` trajectories.
    #[must_use]
    pub fn cost(&self, batch: usize, iterations: usize) -> Cost {
        cost(&self.ops, batch as u64, iterations as u64)
    }
}

fn cost(ops: &[Op], batch: u64, iterations: u64) -> Cost {
    let mut sum = Cost::default();
    for op in ops {
        let (one, times) = match op {
            Op::Call(call) => (Cost { calls: 1, flops: flops(call, batch) }, 1),
            Op::Loop(l) => (cost(&l.body, batch, iterations), iterations.min(l.at_most as u64)),
        };
        sum.calls += one.calls * times;
        sum.flops += one.flops * times;
    }
    sum
}

fn flops(call: &Call, batch: u64) -> u64 {
    let (pre, post) = match call {
        Call::Forward(a) => (a.pre, a.post),
        Call::Backward(a) => (a.pre, a.post),
        Call::WeightRate(a) => (a.pre, a.post),
        Call::Learn(a) => (a.pre, a.post),
        Call::Overlap(a) => return 2 * batch * batch * a.cols.len as u64,
        Call::RateProduct(a) => return 2 * batch * batch * a.cols.len as u64,
        Call::ResidentApply(a) => return 4 * batch * a.pre.len as u64 * a.post.len as u64,
        Call::ResidentLearn(a) => return 4 * batch * batch * a.cols.len as u64,
        _ => return 0,
    };
    2 * batch * pre.len as u64 * post.len as u64
}
