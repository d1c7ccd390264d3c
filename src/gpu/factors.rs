//! Derivatives of large weight blocks in factors: an adapter then has no buffer for them, and passes over such a block once less.
//!
//! `Ẇ = κ·δᵀ r̄` becomes two overlaps of trajectories and three calls that use them (see [`Plan::in_factors`]). Small blocks stay as they are:
//! there every dispatch counts, and no memory.

use crate::kernels::{Call, backward, forward, learn, overlap, rate_product, update, weight_rate};
use crate::plan::{Buf, BufferSpec, Cols, Elem, Op, Plan, Program, Role};

/// Elements of a block from which on its derivative is kept in factors.
pub const FROM: usize = 1 << 20;

/// The program with derivatives of blocks from `from` elements on in factors; their buffers are left empty where no plan forms them.
pub fn rewrite(program: &Program, from: usize) -> Program {
    let mut new = program.clone();
    let overlaps = Buf(new.buffers.len() as u16);
    let plan = |plan: &Plan| {
        let large = |rate: &&weight_rate::Args| program.spec(rate.w_dot).len() >= from;
        let rates: Vec<_> = plan.in_factors(program.batch).into_iter().filter(large).collect();
        let ops = plan.ops.iter().flat_map(|op| calls(op, &rates, overlaps)).collect();
        (Plan { ops }, rates.iter().map(|rate| rate.w_dot).collect::<Vec<_>>())
    };
    let mut dropped = Vec::new();
    new.plans = std::array::from_fn(|i| {
        let (plan, rates) = plan(&program.plans[i]);
        dropped.extend(rates);
        plan
    });
    if dropped.is_empty() {
        return new;
    }
    let formed: Vec<Buf> = new.plans.iter().flat_map(|plan| &plan.ops).filter_map(formed).collect();
    for buf in dropped.into_iter().filter(|buf| !formed.contains(buf)) {
        new.buffers[buf.0 as usize].rows = 0;
    }
    new.buffers.push(BufferSpec {
        name: "overlaps".into(),
        role: Role::Scratch,
        elem: Elem::Real,
        rows: program.batch,
        cols: program.batch,
        per_trajectory: true,
    });
    new
}

/// The derivative that a call forms.
fn formed(op: &Op) -> Option<Buf> {
    match op {
        Op::Call(Call::WeightRate(a)) => Some(a.w_dot),
        _ => None,
    }
}

/// A call, or what it becomes where it uses one of these rates. None of them occurs in a loop.
fn calls(op: &Op, rates: &[&weight_rate::Args], overlaps: Buf) -> Vec<Op> {
    let of = |buf: Buf| rates.iter().find(|rate| rate.w_dot == buf);
    let new: Option<Vec<Call>> = op.as_call().and_then(|call| match call {
        Call::WeightRate(a) => of(a.w_dot).map(|_| Vec::new()),
        Call::Forward(a) => of(a.w).map(|rate| along(a, rate, overlaps)),
        Call::Backward(a) => of(a.w).map(|rate| against(a, rate, overlaps)),
        Call::Update(a) => a.p_dot.and_then(of).map(|rate| vec![update(a, rate)]),
        _ => None,
    });
    new.map_or_else(|| vec![op.clone()], |new| new.into_iter().map(Op::Call).collect())
}

/// `c += Ẇ r̄`.
fn along(a: &forward::Args, rate: &weight_rate::Args, overlaps: Buf) -> Vec<Call> {
    let (x, y) = ((rate.r, rate.pre), (rate.delta, rate.post));
    product(x, y, rate, overlaps, (a.gate, a.out, a.scale))
}

/// `g += ρ'·(Ẇᵀδ)`.
fn against(a: &backward::Args, rate: &weight_rate::Args, overlaps: Buf) -> Vec<Call> {
    let (x, y) = ((rate.delta, rate.post), (rate.r, rate.pre));
    product(x, y, rate, overlaps, (a.gate, a.out, a.scale))
}

fn product(
    (x, of): (Buf, Cols),
    (y, cols): (Buf, Cols),
    rate: &weight_rate::Args,
    overlaps: Buf,
    (gate, out, scale): (Option<Buf>, Buf, f64),
) -> Vec<Call> {
    let (hollow, factor) = (rate.hollow, rate.factor * scale);
    vec![
        overlap::Args { x, out: overlaps, cols: of }.into(),
        rate_product::Args { x, y, overlaps, gate, out, cols, hollow, factor }.into(),
    ]
}

fn update(a: &update::Args, rate: &weight_rate::Args) -> Call {
    let weight_rate::Args { delta, r, pre, post, factor, hollow, .. } = *rate;
    learn::Args { delta, r, w: a.p, pre, post, factor, dt_ms: a.dt_ms, clip: a.clip, hollow }.into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dynamics::{Features, Model, Settings, StimulusKind};
    use crate::network::{Activation, Architecture, InputMode, Network, Population};
    use crate::plan::PlanId;

    const SIZE: usize = 4096;

    fn recurrent(derivative_clip: Option<f64>) -> Program {
        let population =
            |name: &str, size| Population { name: name.into(), size, bias_factor: 1.0, bias_clip: None };
        let projections = Architecture::FullyRecurrent.projections(2, false);
        let network = Network {
            populations: vec![population("input", 0), population("cortex", SIZE)],
            projections: projections.into_iter().filter(|p| p.pre == 1 && p.post == 1).collect(),
            activation: Activation::Sigmoid,
            input: InputMode::Driven,
            microcircuit: None,
        };
        let stimulus = StimulusKind::Sequence { steps: 1 };
        let features = Features { stimulus, learning: true, ..Features::samples(false) };
        let settings = Settings { derivative_clip, ..Settings::default() };
        rewrite(&Model::new(network, settings, 32, features).unwrap().program, FROM)
    }

    /// Products with a block of all weights.
    fn products(ops: &[Op]) -> usize {
        let whole = |pre: Cols, post: Cols| pre.len == SIZE && post.len == SIZE;
        let dense = |call: &&Call| match call {
            Call::Forward(a) => whole(a.pre, a.post),
            Call::Backward(a) => whole(a.pre, a.post),
            Call::WeightRate(a) => whole(a.pre, a.post),
            Call::Learn(a) => whole(a.pre, a.post),
            _ => false,
        };
        ops.iter().filter_map(Op::as_call).filter(dense).count()
    }

    /// Names of the buffers as large as W.
    fn blocks(program: &Program) -> Vec<&str> {
        let large = program.buffers.iter().filter(|spec| spec.len() == SIZE * SIZE);
        large.map(|spec| spec.name.as_str()).collect()
    }

    /// W r̄, Wᵀδ, the two of `A v − c`, D Wᵀ c of the right-hand side, and the update: six products a step, and two an iteration; W is all
    /// of its size that an adapter holds.
    #[test]
    fn a_recurrent_population_has_no_buffer_for_its_derivative() {
        let program = recurrent(None);
        let ops = &program.plan(PlanId::Step).ops;
        let loops = ops.iter().filter_map(|op| match op {
            Op::Loop(l) => Some(products(&l.body)),
            Op::Call(_) => None,
        });
        assert_eq!((products(ops), loops.collect::<Vec<_>>()), (6, vec![2]));
        assert_eq!(blocks(&program), ["W cortex->cortex"]);
        // A bound on Ẇ is one on its elements.
        let bounded = recurrent(Some(0.1));
        assert_eq!(products(&bounded.plan(PlanId::Step).ops), 8);
        assert_eq!(blocks(&bounded).len(), 2);
    }
}
