//! The plan: what one time step computes, as an ordered list of kernel calls on named buffers.
//!
//! A plan is written once, by [`crate::dynamics`], and run by every executor: [`crate::cpu`] in `f64` or `f32`,
//! [`crate::gpu`] through wgpu. It holds no closures and no strings as keys, so that it can print itself, be
//! compared in tests and count its own operations.

mod cost;
mod factors;
pub mod layered;
mod show;
pub mod small;
mod traffic;

pub use cost::Cost;
pub use layered::Layered;
pub use small::Small;

use crate::kernels::Call;

/// Names a buffer of a [`Program`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Buf(pub u16);

/// What a buffer holds; decides where an executor keeps it and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Weights and biases, and their derivatives: shared by all trajectories.
    Parameter,
    /// Carried from one time step to the next, per trajectory.
    State,
    /// Written by the host: samples, tables, sequences, masks.
    Stimulus,
    /// Recomputed in every step.
    Scratch,
    /// Read by the host: metrics.
    Record,
}

/// Element type of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elem {
    /// The executor's floating-point type.
    Real,
    /// Unsigned bytes (samples as they come from the file).
    Byte,
    /// Unsigned 32-bit words (status of the run).
    Word,
}

/// Shape, role and name of a buffer; row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BufferSpec {
    /// Shown by `config show --plan` and in errors.
    pub name: String,
    /// What it holds.
    pub role: Role,
    /// Element type.
    pub elem: Elem,
    /// Rows: trajectories, postsynaptic neurons or time steps.
    pub rows: usize,
    /// Columns: neurons or presynaptic neurons.
    pub cols: usize,
    /// Each row belongs to a trajectory.
    pub per_trajectory: bool,
}

impl BufferSpec {
    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows * self.cols
    }
    /// Whether the buffer holds nothing (an input population of size 0, say).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A range of columns (neurons) of a `[batch, neurons]` buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cols {
    /// First column.
    pub start: usize,
    /// Number of columns.
    pub len: usize,
}

impl Cols {
    /// One past the last column.
    #[must_use]
    pub fn end(self) -> usize {
        self.start + self.len
    }
    /// As a Rust range.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start..self.end()
    }
}

/// One element of a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A kernel call.
    Call(Call),
    /// Solver iterations.
    Loop(Loop),
}

impl Op {
    /// The call, if it is one.
    #[must_use]
    pub fn as_call(&self) -> Option<&Call> {
        match self {
            Self::Call(call) => Some(call),
            Self::Loop(_) => None,
        }
    }
}

/// Solver iterations: the CPU leaves as soon as every trajectory has converged; the GPU runs a fixed count, in
/// which converged trajectories change nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    /// One iteration.
    pub body: Vec<Op>,
    /// Upper bound of iterations.
    pub at_most: usize,
    /// The `solver` buffer: a trajectory has converged where column 0 ≤ column 1.
    pub until: Buf,
}

/// An ordered list of kernel calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// In the order of execution.
    pub ops: Vec<Op>,
}

impl Plan {
    /// Appends a call.
    pub fn push(&mut self, call: impl Into<Call>) {
        self.ops.push(Op::Call(call.into()));
    }
    /// Number of calls if every loop runs `iterations` times (capped by its bound).
    #[must_use]
    pub fn calls(&self, iterations: usize) -> usize {
        count(&self.ops, iterations)
    }
}

fn count(ops: &[Op], iterations: usize) -> usize {
    ops.iter()
        .map(|op| match op {
            Op::Call(_) => 1,
            Op::Loop(l) => count(&l.body, iterations) * iterations.min(l.at_most),
        })
        .sum()
}

/// Which plan of a [`Program`] to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlanId {
    /// Equilibrium for zero input, with the targets set to the network's own output (start of a run).
    Start,
    /// Takes the next static sample: the one presented before becomes the start of the ramp.
    Present,
    /// One time step.
    Step,
    /// Energy, ‖f‖, cost and the like from the state after a step.
    Observe,
    /// Steady state at β = 0 of the samples just taken: one forward sweep.
    Predict,
    /// Makes the weights of a clamped input population resident: after the first step of a presentation.
    ResidentStart,
    /// One time step with resident weights.
    ResidentStep,
    /// Brings what was learned into the weights: after the last step of a presentation.
    ResidentEnd,
    /// One update by backprop from the samples just taken: the control.
    Backprop,
    /// r̄, ρ', δ and Wᵀδ from the state after a step with resident weights, and the voltages of the input; changes nothing that a later step
    /// reads.
    ResidentObserve,
}

/// All plans of [`PlanId`], in order.
pub const PLAN_IDS: [PlanId; 10] = [
    PlanId::Start,
    PlanId::Present,
    PlanId::Step,
    PlanId::Observe,
    PlanId::Predict,
    PlanId::ResidentStart,
    PlanId::ResidentStep,
    PlanId::ResidentEnd,
    PlanId::Backprop,
    PlanId::ResidentObserve,
];

/// Buffers and the plans that use them: what an executor is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Indexed by [`Buf`].
    pub buffers: Vec<BufferSpec>,
    /// Indexed by [`PlanId`].
    pub plans: [Plan; PLAN_IDS.len()],
    /// Number of trajectories.
    pub batch: usize,
    /// The time step as a whole, where the network is small.
    pub small: Option<Small>,
    /// The time step with resident weights as a whole, where the network is a chain of layers.
    pub layered: Option<Layered>,
}

impl Program {
    /// The plan with this name.
    #[must_use]
    pub fn plan(&self, id: PlanId) -> &Plan {
        &self.plans[id as usize]
    }
    /// Shape and role of a buffer.
    #[must_use]
    pub fn spec(&self, buf: Buf) -> &BufferSpec {
        &self.buffers[buf.0 as usize]
    }
}

/// What changes from step to step; everything else in a plan is fixed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepControl {
    /// `s_k` of the presentation: 0 = the sample before, 1 = the present one.
    pub ramp: f64,
    /// The ramp of the step before; used with resident weights.
    pub ramp_prev: f64,
    /// Row of the stimulus sequences (`simulate`).
    pub row: u32,
    /// Row of the `beta` buffer.
    pub beta_row: u32,
    /// Number of the step since the status was last cleared; names a bad step.
    pub index: u32,
    /// η divided by the number of active trajectories, per ms; 0 where learning is off.
    pub rate_w: f64,
    /// η_b divided by the number of active trajectories, per ms; 0 where learning is off.
    pub rate_b: f64,
    /// As `rate_w`, of the weights onto interneurons, W^IP.
    pub rate_ip: f64,
    /// As `rate_w`, of the weights from interneurons, W^PI.
    pub rate_pi: f64,
    /// As `rate_w`, of the feedback weights B.
    pub rate_feedback: f64,
    /// As `rate_w`, of the biases of interneurons.
    pub rate_bi: f64,
}

/// A learning rate of a [`StepControl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Rate {
    /// Of W.
    Weights = 0,
    /// Of b.
    Biases = 1,
    /// Of W^IP.
    Interneurons = 2,
    /// Of W^PI.
    Apical = 3,
    /// Of B.
    Feedback = 4,
    /// Of b^I.
    InterneuronBiases = 5,
}

impl StepControl {
    /// A learning rate divided by the number of active trajectories, per ms.
    #[must_use]
    pub fn rate(&self, which: Rate) -> f64 {
        match which {
            Rate::Weights => self.rate_w,
            Rate::Biases => self.rate_b,
            Rate::Interneurons => self.rate_ip,
            Rate::Apical => self.rate_pi,
            Rate::Feedback => self.rate_feedback,
            Rate::InterneuronBiases => self.rate_bi,
        }
    }
}

impl StepControl {
    /// Multiplies every learning rate, as a [schedule](crate::schedule::Schedule) does.
    pub fn scale_rates(&mut self, factor: f64) {
        for rate in [
            &mut self.rate_w,
            &mut self.rate_b,
            &mut self.rate_ip,
            &mut self.rate_pi,
            &mut self.rate_feedback,
            &mut self.rate_bi,
        ] {
            *rate *= factor;
        }
    }
}

impl Default for StepControl {
    fn default() -> Self {
        Self {
            ramp: 1.0,
            ramp_prev: 1.0,
            row: 0,
            beta_row: 0,
            index: 0,
            rate_w: 0.0,
            rate_b: 0.0,
            rate_ip: 0.0,
            rate_pi: 0.0,
            rate_feedback: 0.0,
            rate_bi: 0.0,
        }
    }
}
