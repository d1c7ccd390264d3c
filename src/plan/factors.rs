//! Which Ẇ need not be formed.
//!
//! `Ẇ = κ·δᵀ r̄` has the rank of the mini-batch. For small ones the overlaps of the trajectories give `Ẇ r̄ = κ·δᵀ(r̄ r̄ᵀ)` and
//! `Ẇᵀδ = κ·r̄ᵀ(δ δᵀ)` with fewer operations than Ẇ itself, which then is never formed: the update adds it to W in factors.

use super::{Op, Plan, Rate};
use crate::kernels::{Base, Call, weight_rate};

impl Plan {
    /// The rates of `batch` trajectories that pay in factors and can stay in them: without a bound on Ẇ, used only in the products of the
    /// dynamics and in one update.
    pub(crate) fn in_factors(&self, batch: usize) -> Vec<&weight_rate::Args> {
        let calls = || self.ops.iter().filter_map(Op::as_call);
        calls()
            .filter_map(|call| match call {
                Call::WeightRate(rate)
                    if in_factors(rate, calls(), batch) && keeps_factors(rate, &self.ops) =>
                {
                    Some(rate)
                }
                _ => None,
            })
            .collect()
    }
}

/// Whether Ẇ pays in factors, and the plan uses it in no other way.
fn in_factors<'a>(rate: &weight_rate::Args, calls: impl Iterator<Item = &'a Call>, batch: usize) -> bool {
    let (pre, post) = (rate.pre.len, rate.post.len);
    let formed = rate.rate != Rate::Weights || rate.clip.is_some();
    if formed || batch * (pre + post) >= pre * post {
        return false;
    }
    let mut updates = 0;
    for call in calls {
        let fits = match call {
            Call::Forward(a) if a.w == rate.w_dot => {
                a.x == rate.r && a.gate.is_none() && a.base == Base::Out && a.pre == rate.pre
            }
            Call::Backward(a) if a.w == rate.w_dot => {
                a.x == rate.delta && a.gate.is_some() && a.base == Base::Out && a.post == rate.post
            }
            Call::Update(a) if a.p_dot == Some(rate.w_dot) => {
                updates += 1;
                true
            }
            _ => true,
        };
        if !fits {
            return false;
        }
    }
    updates == 1
}

/// Whether r̄ and δ stay as they are from a rate to its update: the factors are read where Ẇ would be.
fn keeps_factors(rate: &weight_rate::Args, ops: &[Op]) -> bool {
    fn changes(rate: &weight_rate::Args, op: &Op) -> bool {
        match op {
            Op::Call(Call::Rates(a)) => a.r == rate.r,
            Op::Call(Call::Mismatch(a)) => a.delta == rate.delta,
            Op::Call(_) => false,
            Op::Loop(body) => body.body.iter().any(|op| changes(rate, op)),
        }
    }
    let made = |op: &Op| matches!(op, Op::Call(Call::WeightRate(a)) if a.w_dot == rate.w_dot);
    let used = |op: &Op| matches!(op, Op::Call(Call::Update(a)) if a.p_dot == Some(rate.w_dot));
    let mut between = ops.iter().skip_while(|op| !made(op)).take_while(|op| !used(op));
    !between.any(|op| changes(rate, op))
}
