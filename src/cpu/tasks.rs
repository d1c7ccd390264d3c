//! A plan as the lanes run it: calls, what each of them needs of the other lanes, and products with Ẇ in factors.
//!
//! Which Ẇ are not formed is said in [`Plan::in_factors`].

use super::factored;
use super::small::{self, Part};
use super::{Lane, Real, onset, watch};
use crate::kernels::{Base, Call, backward, forward, update, weight_rate};
use crate::plan::{Buf, Layered, Loop, Op, Plan, PlanId, Program, StepControl};

/// What a lane runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Task<'a> {
    /// A part of the time step of a small network.
    Small(Part, small::Step<'a>),
    /// A kernel.
    Call(&'a Call),
    /// Solver iterations, on trajectories of the lane alone.
    Loop(&'a Loop),
    /// Two products with the same W, of a single trajectory: W passes by once.
    Both(&'a forward::Args, &'a forward::Args),
    /// `c += Ẇ r̄` in factors.
    RateForward(&'a forward::Args, &'a weight_rate::Args),
    /// `g += ρ'·(Ẇᵀδ)` in factors.
    RateBackward(&'a backward::Args, &'a weight_rate::Args),
    /// `W += dt·Ẇ` in factors.
    Learn(&'a update::Args, &'a weight_rate::Args),
    /// A pass over the resident weights of a single trajectory, at the ends of a presentation.
    Onset(onset::Part<'a>, &'a Layered),
}

/// The tasks of a plan.
pub(super) fn tasks(program: &Program, id: PlanId) -> Vec<Task<'_>> {
    let plan = program.plan(id);
    let small = program.small.as_ref().filter(|_| id == PlanId::Step);
    small
        .and_then(|small| small::tasks(small, plan, program.batch))
        .unwrap_or_else(|| of_plan(plan, program.batch))
}

/// The tasks of each plan of a run; with shared passes over the resident weights of a single trajectory, where steps run as a whole.
pub(super) fn of_run<'a>(
    program: &'a Program,
    work: &[(PlanId, &[StepControl])],
    layered: Option<&'a Layered>,
) -> Vec<Vec<Task<'a>>> {
    let all = work.iter().enumerate().map(|(k, &(id, controls))| {
        let tasks = tasks(program, id);
        let Some(plan) = layered.filter(|_| program.batch == 1) else { return tasks };
        // Only one step of a presentation runs plainly.
        if id == PlanId::Step && controls.len() > 1 {
            return tasks;
        }
        let inner = |id: PlanId| matches!(id, PlanId::ResidentStart | PlanId::ResidentStep);
        let next = work[k + 1..].iter().map(|&(id, _)| id).find(|&id| !inner(id));
        onset::adapt(tasks, plan, id, next == Some(PlanId::ResidentEnd))
    });
    all.collect()
}

fn of_plan<'a>(plan: &'a Plan, batch: usize) -> Vec<Task<'a>> {
    let in_factors = plan.in_factors(batch);
    let of = |buf: Buf| in_factors.iter().find(|rate| rate.w_dot == buf).copied();
    let task = |op: &'a Op| match op {
        Op::Loop(body) => Some(Task::Loop(body)),
        Op::Call(call) => match call {
            Call::WeightRate(a) if of(a.w_dot).is_some() => None,
            Call::Forward(a) => of(a.w).map(|rate| Task::RateForward(a, rate)).or(Some(Task::Call(call))),
            Call::Backward(a) => of(a.w).map(|rate| Task::RateBackward(a, rate)).or(Some(Task::Call(call))),
            Call::Update(a) => {
                a.p_dot.and_then(of).map(|rate| Task::Learn(a, rate)).or(Some(Task::Call(call)))
            }
            _ => Some(Task::Call(call)),
        },
    };
    let mut tasks: Vec<Task> = plan.ops.iter().filter_map(task).collect();
    if batch == 1 {
        tasks = in_pairs(tasks);
    }
    tasks
}

/// Joins products with the same W that follow each other.
fn in_pairs(tasks: Vec<Task>) -> Vec<Task> {
    let mut joined: Vec<Task> = Vec::with_capacity(tasks.len());
    for task in tasks {
        match (joined.last(), task) {
            (Some(Task::Call(Call::Forward(a))), Task::Call(Call::Forward(b)))
                if super::forward::joins(a, b) =>
            {
                let both = Task::Both(a, b);
                joined.pop();
                joined.push(both);
            }
            _ => joined.push(task),
        }
    }
    joined
}

impl Task<'_> {
    /// Whether there is anything to do; notes which rates of change are 0.
    pub(super) fn awake(&self, resting: &mut [bool], step: &StepControl) -> bool {
        // A rate is set to 0 once; until it changes, whatever uses it has no effect.
        let mut rest = |buf: Buf, off: bool| {
            let was = std::mem::replace(&mut resting[buf.0 as usize], off);
            !(was && off)
        };
        match self {
            Self::Loop(_) | Self::Small(..) | Self::Both(..) | Self::Onset(..) => true,
            Self::RateForward(_, rate) | Self::RateBackward(_, rate) => step.rate_w * rate.factor != 0.0,
            Self::Learn(a, rate) => a.clip.is_some() || step.rate_w * rate.factor != 0.0,
            Self::Call(call) => match call {
                Call::WeightRate(a) => rest(a.w_dot, step.rate(a.rate) * a.factor == 0.0),
                Call::BiasRate(a) => rest(a.b_dot, step.rate(a.rate) == 0.0),
                Call::Update(a) => a.clip.is_some() || !a.p_dot.is_some_and(|p| resting[p.0 as usize]),
                Call::Forward(forward::Args { w, base, .. })
                | Call::Backward(backward::Args { w, base, .. }) => {
                    !resting[w.0 as usize] || *base != Base::Out
                }
                _ => true,
            },
        }
    }

    /// Tells `need` of all buffers that the task uses beyond the rows of its own trajectories, and of all that it writes and
    /// that others use so.
    pub(super) fn uses(&self, step: &StepControl, mut need: impl FnMut(Buf, Use)) {
        use Use::{Read, Write};
        match self {
            Self::Loop(body) => uses_of_ops(&body.body, step, &mut need),
            Self::Small(part, a) => a.uses(*part, &mut need),
            // There is no other lane.
            Self::Onset(..) => {}
            Self::Both(a, b) => [a, b].into_iter().for_each(|a| {
                need(a.w, Read);
                need(a.out, Write);
            }),
            Self::RateForward(forward::Args { out, .. }, rate)
            | Self::RateBackward(backward::Args { out, .. }, rate) => {
                [rate.r, rate.delta].into_iter().for_each(|b| need(b, Read));
                need(*out, Write);
            }
            Self::Learn(a, rate) => {
                if step.rate_w * rate.factor != 0.0 {
                    [rate.r, rate.delta].into_iter().for_each(|b| need(b, Read));
                }
                need(a.p, Write);
            }
            Self::Call(call) => uses_of(call, step, &mut need),
        }
    }

    /// Runs it.
    pub(super) fn run<T: Real>(&self, lane: &mut Lane<T>, step: &StepControl) {
        match self {
            Self::Call(call) => watch::call(call, lane, step),
            Self::Both(a, b) => watch::task(self, lane, |lane| super::forward::both(lane, a, b)),
            Self::Loop(body) => super::team::iterate(body, lane, step),
            Self::Onset(part, plan) => watch::task(self, lane, |lane| onset::run(lane, *part, plan, step)),
            Self::Small(part, a) => watch::task(self, lane, |lane| small::run(*part, lane, a, step)),
            Self::RateForward(a, rate) => {
                watch::task(self, lane, |lane| factored::forward(lane, a, rate, step));
            }
            Self::RateBackward(a, rate) => {
                watch::task(self, lane, |lane| factored::backward(lane, a, rate, step));
            }
            Self::Learn(a, rate) => watch::task(self, lane, |lane| factored::learn(lane, a, rate, step)),
        }
    }
}

/// How a task uses a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Reads what other lanes write.
    Read,
    /// Writes what other lanes read: rows of its own trajectories, or its share of what all have in common.
    Write,
}

fn uses_of_ops(ops: &[Op], step: &StepControl, need: &mut impl FnMut(Buf, Use)) {
    for op in ops {
        match op {
            Op::Call(call) => uses_of(call, step, need),
            Op::Loop(body) => uses_of_ops(&body.body, step, need),
        }
    }
}

fn uses_of(call: &Call, step: &StepControl, need: &mut impl FnMut(Buf, Use)) {
    use Use::{Read, Write};
    match call {
        Call::Decode(a) => [a.x_old, a.x_new].into_iter().for_each(|b| need(b, Write)),
        Call::Renew(a) => [a.old, a.new].into_iter().for_each(|b| need(b, Write)),
        Call::Rates(a) => need(a.r, Write),
        Call::Mismatch(a) => {
            need(a.b, Read);
            need(a.delta, Write);
        }
        Call::Copy(a) => need(a.dst.0, Write),
        Call::Forward(forward::Args { w, out, .. }) | Call::Backward(backward::Args { w, out, .. }) => {
            need(*w, Read);
            need(*out, Write);
        }
        Call::ApicalError(a) => [a.feedback, a.apical].into_iter().for_each(|b| need(b, Write)),
        Call::Interneuron(a) => {
            need(a.b, Read);
            [a.out, a.mismatch].into_iter().for_each(|b| need(b, Write));
        }
        Call::InterneuronDrive(a) => a.b_dot.into_iter().for_each(|b| need(b, Read)),
        // A rate of feedback weights reads the voltages of all trajectories.
        Call::Integrate(a) => need(a.u, Write),
        Call::Blend(a) => need(a.out, Write),
        Call::Pin(a) => need(a.dst, Write),
        Call::NewtonMove(a) => need(a.u, Write),
        Call::Hold(a) => need(a.dst, Write),
        Call::Jacobian(a) => a.w.into_iter().for_each(|b| need(b, Read)),
        Call::Drive(a) => a.b_dot.into_iter().for_each(|b| need(b, Read)),
        Call::WeightRate(a) => {
            [a.delta, a.r].into_iter().for_each(|b| need(b, Read));
            need(a.w_dot, Write);
        }
        Call::BiasRate(a) => {
            need(a.delta, Read);
            need(a.b_dot, Write);
        }
        Call::Update(a) => {
            a.p_dot.into_iter().for_each(|b| need(b, Read));
            need(a.p, Write);
        }
        Call::Gram(a) => {
            need(a.y, Read);
            need(a.out, Write);
        }
        Call::Learn(a) => {
            [a.delta, a.r].into_iter().for_each(|b| need(b, Read));
            need(a.w, Write);
        }
        Call::Overlap(a) => need(a.x, Read),
        Call::RateProduct(a) => {
            [a.x, a.y].into_iter().for_each(|b| need(b, Read));
            need(a.out, Write);
        }
        Call::ResidentLearn(a) => {
            if step.rate_w * a.factor != 0.0 {
                [a.gram[0], a.gram[1], a.gram[2], a.delta].into_iter().for_each(|b| need(b, Read));
            }
            [a.a_old, a.a_new].into_iter().for_each(|b| need(b, Write));
        }
        Call::ResidentApply(a) => {
            [a.a_old, a.a_new, a.x_old, a.x_new].into_iter().for_each(|b| need(b, Read));
            need(a.w, Write);
        }
        // Each on rows of its own trajectories.
        Call::Assemble(_)
        | Call::Bend(_)
        | Call::BicgStart(_)
        | Call::BicgStep(_)
        | Call::Couple(_)
        | Call::Image(_)
        | Call::CgFinish(_)
        | Call::CgStart(_)
        | Call::CgStep(_)
        | Call::Combine(_)
        | Call::Curvature(_)
        | Call::DenseSolve(_)
        | Call::Gradient(_)
        | Call::Guess(_)
        | Call::NewtonBook(_)
        | Call::NewtonCheck(_)
        | Call::Observe(_)
        | Call::Relax(_)
        | Call::ResidentDrive(_)
        | Call::Slice(_)
        | Call::Stimulus(_)
        | Call::Unit(_)
        | Call::Woodbury(_) => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dynamics::{Features, Model, Settings, StimulusKind};
    use crate::network::{Activation, InputMode, Network, Population, Projection};
    use crate::plan::PlanId;

    /// Products with a block of this many rows and columns, in a step and in an iteration of its solver.
    fn products(tasks: &[Task], size: usize) -> (usize, usize) {
        let dense = |call: &Call| match call {
            Call::Forward(a) => a.pre.len == size && a.post.len == size,
            Call::Backward(a) => a.pre.len == size && a.post.len == size,
            Call::WeightRate(a) => a.pre.len == size && a.post.len == size,
            _ => false,
        };
        let (mut step, mut iteration) = (0, 0);
        for task in tasks {
            match task {
                Task::Call(call) => step += usize::from(dense(call)),
                // A product of the same cost; the other tasks in factors cost as many operations as the mini-batch is smaller.
                Task::Learn(..) => step += 1,
                Task::RateForward(..) | Task::RateBackward(..) => {}
                Task::Small(..) | Task::Both(..) | Task::Onset(..) => {
                    unreachable!("neither small nor a single trajectory")
                }
                Task::Loop(body) => {
                    iteration += body.body.iter().filter_map(Op::as_call).filter(|c| dense(c)).count();
                }
            }
        }
        (step, iteration)
    }

    /// W r̄, Wᵀδ, the two of `A v − c`, D Wᵀ c of the right-hand side, and the update: six products a step, and two an iteration.
    #[test]
    fn a_recurrent_population_costs_six_products_and_two_an_iteration() {
        let population =
            |name: &str, size| Population { name: name.into(), size, bias_factor: 1.0, bias_clip: None };
        let network = Network {
            populations: vec![population("input", 0), population("cortex", 512)],
            projections: vec![Projection::between(1, 1)],
            activation: Activation::Sigmoid,
            input: InputMode::Driven,
            microcircuit: None,
        };
        let stimulus = StimulusKind::Sequence { steps: 1 };
        let features = Features { stimulus, learning: true, ..Features::samples(false) };
        let model = Model::new(network, Settings::default(), 32, features).unwrap();
        let tasks = tasks(&model.program, PlanId::Step);
        assert_eq!(products(&tasks, 512), (6, 2));
    }
}
