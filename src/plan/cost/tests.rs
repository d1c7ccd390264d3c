//! Counted by hand: 3 inputs, 2 hidden neurons, 1 output, 4 trajectories.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::dynamics::{Features, Integrator, Model, Resident, Settings};
use crate::kernels::forward;
use crate::network::{Activation, InputMode, Network, Population, expand};
use crate::plan::Plan;

const BATCH: u64 = 4;

fn model(integrator: Integrator) -> Model {
    let population =
        |name: &str, size| Population { name: name.into(), size, bias_factor: 1.0, bias_clip: None };
    let network = Network {
        populations: vec![population("in", 3), population("hidden", 2), population("out", 1)],
        projections: expand(3, &[1.0, 1.0]),
        activation: Activation::HardSigmoid,
        input: InputMode::Clamped,
        microcircuit: None,
    };
    let settings = Settings { integrator, resident: Resident::Never, ..Settings::default() };
    Model::new(network, settings, BATCH as usize, Features::training(true)).unwrap()
}

/// Calls of a plan outside loops.
fn calls(plan: &Plan) -> impl Iterator<Item = &Call> {
    plan.ops.iter().filter_map(Op::as_call)
}

#[test]
fn a_product_reads_weights_operand_and_base_and_writes_the_result() {
    let model = model(Integrator::Exact);
    let forward = calls(model.program.plan(PlanId::Step))
        .find_map(|call| match call {
            Call::Forward(a) if a.pre.len == 3 && a.base == crate::kernels::Base::Zero => Some(a.clone()),
            _ => None,
        })
        .or_else(|| {
            calls(model.program.plan(PlanId::Step)).find_map(|call| match call {
                Call::Forward(a) if a.pre.len == 3 => {
                    Some(forward::Args { base: crate::kernels::Base::Zero, gate: None, ..a.clone() })
                }
                _ => None,
            })
        })
        .unwrap();
    let plain = forward::Args { gate: None, ..forward };
    // W 2×3, r̄ 4×3, out 4×2; 2·4·3·2 operations.
    let cost = Cost::of(&plain.clone().into(), &model.program);
    assert_eq!(cost, Cost { calls: 1, flops: 48, reals: 6 + 12 + 8, bytes: 0 });
    assert_eq!((cost.traffic(4), cost.traffic(8)), (104, 208));
    // A gate of the presynaptic neurons, and a base that is read.
    let gated =
        forward::Args { gate: Some(model.layout.d), base: crate::kernels::Base::Out, ..plain.clone() };
    assert_eq!(Cost::of(&gated.into(), &model.program).reals, 6 + 24 + 16);
}

#[test]
fn elementwise_calls_and_samples_are_counted_by_their_operands() {
    let model = model(Integrator::Exact);
    let of = |name: &str, plan: PlanId| {
        let call = calls(model.program.plan(plan)).find(|call| call.name() == name).unwrap();
        Cost::of(call, &model.program)
    };
    // u, u̇ read, u written on 3 free neurons; x 4×3 copied into the clamped input.
    assert_eq!(of("integrate", PlanId::Step).reals, 3 * 4 * 3 + 2 * 12);
    // One byte a pixel and a label; the new samples become the old: two copies and a decoded one.
    let decode = of("decode", PlanId::Present);
    assert_eq!((decode.bytes, decode.reals), (4 * 3 + 4, 3 * (12 + 4)));
    assert_eq!((decode.flops, decode.traffic(4)), (0, 16 + 4 * 48));
}

/// Of a step: W r̄, the two terms with Ẇ, Wᵀδ where it is needed, J⁻ᵀ and J⁻¹, and Ẇ itself; of each iteration two sweeps of the free part.
#[test]
fn a_step_is_the_sum_of_its_calls_and_an_iteration_adds_its_body() {
    let model = model(Integrator::Exact);
    let program = &model.program;
    let step = program.plan(PlanId::Step);
    let outside: Cost = calls(step).map(|call| Cost::of(call, program)).sum();
    assert_eq!(program.cost(PlanId::Step, 0), outside);
    let body = |it: usize| program.cost(PlanId::Step, it);
    let once = body(1).flops - body(0).flops;
    // L⁻ᵀ and L⁻¹ over the one block between free populations, 2×1, of 4 trajectories.
    assert_eq!(once, 2 * (2 * 4 * 2));
    assert_eq!(body(3).flops - body(0).flops, 3 * once);
    assert_eq!(body(3).calls as usize, step.calls(3));
    // The bound of the loop.
    assert_eq!(body(10_000), body(model.settings.max_iterations));
}

/// A kernel without an entry would be counted as free.
#[test]
fn products_move_at_least_their_operands_in_every_plan() {
    for integrator in [Integrator::Exact, Integrator::Euler, Integrator::Equilibrium] {
        let model = model(integrator);
        for id in crate::plan::PLAN_IDS {
            let cost = model.program.cost(id, 2);
            assert!(cost.flops == 0 || cost.reals > 0, "{id:?}");
            let free = ["cg_finish", "newton_book", "hold"];
            for call in calls(model.program.plan(id)).filter(|call| !free.contains(&call.name())) {
                assert!(Cost::of(call, &model.program).reals > 0, "{} in {id:?}", call.name());
            }
        }
    }
}
