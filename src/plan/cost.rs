//! Counted operations and memory traffic of plans.

use std::iter::Sum;
use std::ops::{Add, Mul};

use super::traffic::traffic;
use super::{Op, PlanId, Program};
use crate::kernels::Call;

/// What calls cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Kernel calls.
    pub calls: u64,
    /// Multiply-adds of matrix products and dense solutions, twice each (elementwise work is not counted).
    pub flops: u64,
    /// Numbers of the executor's floating-point type that the calls read and write, each operand once a call.
    pub reals: u64,
    /// The same of operands of other types, in bytes.
    pub bytes: u64,
}

impl Cost {
    /// One call on all trajectories of the program.
    #[must_use]
    pub fn of(call: &Call, program: &Program) -> Self {
        let (reals, bytes) = traffic(call, program);
        Self { calls: 1, flops: flops(call, program), reals, bytes }
    }

    /// Bytes read and written where a number takes `real` bytes.
    #[must_use]
    pub fn traffic(&self, real: u64) -> u64 {
        self.reals * real + self.bytes
    }
}

impl Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            flops: self.flops + other.flops,
            reals: self.reals + other.reals,
            bytes: self.bytes + other.bytes,
        }
    }
}

impl Mul<u64> for Cost {
    type Output = Self;
    fn mul(self, n: u64) -> Self {
        Self { calls: self.calls * n, flops: self.flops * n, reals: self.reals * n, bytes: self.bytes * n }
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

impl Program {
    /// What a plan costs, call by call, if every loop runs `iterations` times (capped by its bound).
    #[must_use]
    pub fn cost(&self, plan: PlanId, iterations: usize) -> Cost {
        self.sum(&self.plan(plan).ops, iterations)
    }

    fn sum(&self, ops: &[Op], iterations: usize) -> Cost {
        let cost = |op: &Op| match op {
            Op::Call(call) => Cost::of(call, self),
            Op::Loop(l) => self.sum(&l.body, iterations) * iterations.min(l.at_most) as u64,
        };
        ops.iter().map(cost).sum()
    }
}

fn flops(call: &Call, program: &Program) -> u64 {
    let batch = program.batch as u64;
    let overlap = |cols: usize| 2 * batch * batch * cols as u64;
    let (pre, post) = match call {
        Call::Forward(a) => (a.pre, a.post),
        Call::Backward(a) => (a.pre, a.post),
        Call::WeightRate(a) => (a.pre, a.post),
        Call::Learn(a) => (a.pre, a.post),
        Call::Overlap(a) => return overlap(a.cols.len),
        Call::RateProduct(a) => return overlap(a.cols.len),
        Call::Gram(a) => return overlap(program.spec(a.x).cols),
        Call::ResidentApply(a) => return 4 * batch * a.pre.len as u64 * a.post.len as u64,
        Call::ResidentLearn(a) => return 2 * overlap(a.cols.len),
        Call::DenseSolve(a) => {
            // The lower half of JᵀJ, a Cholesky factorisation.
            let (rows, free) = (a.rows as u64, a.cols.len as u64);
            return batch * free * free * (rows + free / 3);
        }
        Call::Woodbury(a) => {
            let (outputs, free) = (a.outputs.len as u64, a.cols.len as u64);
            return batch * outputs * ((outputs + 5) * free + outputs * outputs / 3);
        }
        _ => return 0,
    };
    2 * batch * pre.len as u64 * post.len as u64
}

#[cfg(test)]
#[path = "cost/tests.rs"]
mod tests;
