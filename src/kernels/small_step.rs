//! Time steps of a small network as a whole, of one trajectory in a workgroup: what [`crate::plan::PlanId::Step`] does call by call.
//!
//! It is no call of a plan. An executor that can run it takes it instead of the plan, for as many steps in a dispatch as it likes: control
//! values of the steps lie side by side, and a trajectory that owns its weights moves them in place. On the processor `cpu/small` is its
//! counterpart.

mod table;

use super::host::{Access, PlaceError, Places, Profile, params, to_u32};
use super::{
    Call, bias_rate, drive, guess, integrate, mismatch, observe, rates, slice, stimulus, weight_rate,
};
use crate::data::series::Format;
use crate::plan::{Buf, Op, Plan, PlanId, Program, Small, small::LIMIT};

use table::Table;

/// Where input and target come from.
#[derive(Clone, Debug, PartialEq)]
enum Stimulus {
    Values(stimulus::Args),
    Recording(slice::Args),
}

/// What the kernel reads: arguments of the calls of the plan that it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    small: Small,
    stimulus: Stimulus,
    rates: rates::Args,
    mismatch: mismatch::Args,
    observe: Option<observe::Args>,
    weight_rate: Option<weight_rate::Args>,
    bias_rate: Option<bias_rate::Args>,
    drive: drive::Args,
    guess: guess::Args,
    solver: Buf,
    integrate: integrate::Args,
    table: Table,
}

params! {
    u: u32,
    u_dot: u32,
    history: u32,
    b: u32,
    b_dot: u32,
    b_factor: u32,
    active_mask: u32,
    stimulus: u32,
    x_old: u32,
    x_new: u32,
    y_old: u32,
    y_new: u32,
    rows: u32,
    single: u32,
    x: u32,
    x_dot: u32,
    y: u32,
    y_dot: u32,
    beta: u32,
    solver: u32,
    record: u32,
    sums: u32,
    batch: u32,
    n: u32,
    n_in: u32,
    n_out: u32,
    out_start: u32,
    populations: u32,
    owners: u32,
    activation: u32,
    apical: u32,
    learning: u32,
    owns: u32,
    biases_move: u32,
    rate_clipped: u32,
    bias_rate_clipped: u32,
    rate_clip: f32,
    shape_a: f32,
    shape_d: f32,
    flat_below: f32,
    dt: f32,
    inv_dt: f32,
    inv_tau: f32,
    tolerance: f32,
    tol2: f32,
    u_limit: f32,
}

/// Storage bindings of the shader from 3 on: status, weights, table, control values, samples, targets.
pub const BINDINGS: &[Access] =
    &[Access::Write, Access::Write, Access::Read, Access::Read, Access::Read, Access::Read];

/// The first call of a kind.
macro_rules! find {
    ($plan:expr, $kind:ident) => {
        calls($plan).find_map(|call| if let Call::$kind(a) = call { Some(a.clone()) } else { None })
    };
}

fn calls(plan: &Plan) -> impl Iterator<Item = &Call> {
    plan.ops.iter().filter_map(Op::as_call)
}

impl Args {
    /// What the kernel needs for the steps of a program; `None` where the network is not small, or its step has a part that the kernel
    /// does not know.
    #[must_use]
    pub fn of(program: &Program) -> Option<Self> {
        let small = program.small.clone()?;
        let plan = program.plan(PlanId::Step);
        let integrate = find!(plan, Integrate)?;
        let n = program.spec(integrate.u).cols;
        let values = find!(plan, Stimulus).filter(|a| a.input).map(Stimulus::Values);
        let args = Self {
            stimulus: values.or_else(|| find!(plan, Slice).map(Stimulus::Recording))?,
            rates: find!(plan, Rates)?,
            mismatch: find!(plan, Mismatch)?,
            observe: find!(plan, Observe),
            weight_rate: find!(plan, WeightRate),
            bias_rate: find!(plan, BiasRate),
            drive: find!(plan, Drive)?,
            guess: find!(plan, Guess)?,
            solver: find!(plan, CgFinish)?.solver,
            table: Table::new(&small, calls(plan), n)?,
            small,
            integrate,
        };
        args.is_known(n).then_some(args)
    }

    /// Every neuron is free, the last ones are the outputs, and x enters the mismatch of the first ones where there are inputs.
    fn is_known(&self, n: usize) -> bool {
        let whole = |cols: crate::plan::Cols| cols.start == 0 && cols.len == n;
        let cols =
            [self.integrate.cols, self.drive.cols, self.mismatch.cols, self.rates.cols, self.guess.cols];
        n <= LIMIT && cols.into_iter().all(whole) && self.drive.outputs.end() == n
    }

    /// Whether steps change weights and biases where their rates are not 0.
    #[must_use]
    pub fn learns(&self) -> bool {
        self.bias_rate.is_some()
    }

    /// Populations and projections as the shader reads them; `at`: first element of each block among all weights.
    #[must_use]
    pub fn table(&self, at: impl Fn(Buf) -> u32) -> Vec<u32> {
        self.table.words(at)
    }

    /// The weight blocks.
    pub fn weights(&self) -> impl Iterator<Item = Buf> + '_ {
        self.small.blocks.iter().map(|block| block.w)
    }

    /// Buffers behind the bindings of status, samples and targets.
    #[must_use]
    pub fn bound(&self) -> [Option<Buf>; 3] {
        let [samples, targets] = match &self.stimulus {
            Stimulus::Recording(a) => [Some(a.series), Some(a.cursor)],
            Stimulus::Values(a) => match a.source {
                stimulus::Source::Sequence { x, y } => [Some(x), Some(y)],
                stimulus::Source::Ramp { .. } => [None, None],
            },
        };
        [Some(self.integrate.status), samples, targets]
    }

    /// Upper bound of solver iterations in a step.
    #[must_use]
    pub fn at_most(&self) -> usize {
        self.small.at_most
    }

    /// Loop iterations of the busiest invocation in a step with this many solver iterations, each loop counted once more for its end.
    #[must_use]
    pub fn loops(&self, profile: Profile, iterations: usize) -> u64 {
        let learning = self.learns().then_some(self.small.blocks.iter().any(|b| b.w_dot.is_some()));
        self.table.loops(profile, iterations as u64, self.observe.is_some(), learning)
    }

    /// The parameters of the shader.
    ///
    /// # Errors
    /// If a buffer is not where the shader reads it.
    pub fn params(&self, p: &Places) -> Result<Params, PlaceError> {
        let Self { rates, mismatch, drive, integrate, .. } = self;
        let learning = self.bias_rate.as_ref();
        let (a, d) = rates.activation.parameters();
        let clip = self.weight_rate.as_ref().and_then(|w| w.clip);
        let bias_clip = learning.and_then(|b| b.clip);
        let [kind, rows, single] = self.kind(p);
        let [x_old, x_new, y_old, y_new] = self.ramp(p)?;
        let [x, x_dot, y, y_dot] = self.signals().map(|buf| p.at(buf));
        let (x, x_dot, y, y_dot) = (x?, x_dot?, y?, y_dot?);
        Ok(Params {
            u: p.at(integrate.u)?,
            u_dot: p.at(integrate.u_dot)?,
            history: p.maybe(self.guess.history.first().copied())?,
            b: p.at(mismatch.b)?,
            b_dot: p.maybe(learning.map(|b| b.b_dot))?,
            b_factor: p.maybe(learning.map(|b| b.factor))?,
            active_mask: p.at(integrate.active)?,
            stimulus: kind,
            x_old,
            x_new,
            y_old,
            y_new,
            rows,
            single,
            x,
            x_dot,
            y,
            y_dot,
            beta: p.at(drive.beta)?,
            solver: p.at(self.solver)?,
            record: p.maybe(self.observe.as_ref().map(|o| o.record))?,
            sums: u32::from(self.observe.as_ref().is_some_and(|o| o.sums)),
            batch: to_u32(p.batch()),
            n: p.cols(integrate.u),
            n_in: p.cols(self.signals()[0]),
            n_out: to_u32(drive.outputs.len),
            out_start: to_u32(drive.outputs.start),
            populations: to_u32(self.table.populations()),
            owners: to_u32(self.table.owners()),
            activation: rates.activation.code(),
            apical: u32::from(rates.d2.is_some() || self.observe.is_some()),
            learning: u32::from(learning.is_some()),
            owns: u32::from(learning.is_some() && p.batch() == 1),
            biases_move: u32::from(drive.b_dot.is_some()),
            rate_clipped: u32::from(clip.is_some()),
            bias_rate_clipped: u32::from(bias_clip.is_some()),
            rate_clip: clip.or(bias_clip).unwrap_or(0.0) as f32,
            shape_a: a as f32,
            shape_d: d as f32,
            flat_below: (0.05 * self.observe.as_ref().map_or(0.0, |o| o.steepest)) as f32,
            dt: integrate.dt_ms as f32,
            inv_dt: (1.0 / integrate.dt_ms) as f32,
            inv_tau: (1.0 / drive.tau_ms) as f32,
            tolerance: self.small.tolerance as f32,
            tol2: (self.small.tolerance * self.small.tolerance) as f32,
            u_limit: integrate.u_limit as f32,
        })
    }

    /// x, ẋ, u*, u̇*.
    fn signals(&self) -> [Buf; 4] {
        match &self.stimulus {
            Stimulus::Values(a) => [a.x, a.x_dot, a.y, a.y_dot],
            Stimulus::Recording(a) => [a.x, a.x_dot, a.y, a.y_dot],
        }
    }

    /// Kind of the stimulus, rows of a recording, whether its values are in single precision.
    fn kind(&self, p: &Places) -> [u32; 3] {
        match &self.stimulus {
            Stimulus::Values(a) => [u32::from(matches!(a.source, stimulus::Source::Sequence { .. })), 0, 0],
            Stimulus::Recording(a) => {
                [2, to_u32(p.program.spec(a.series).rows), u32::from(a.format == Format::F32)]
            }
        }
    }

    /// Old and new samples of a ramp; gain and offset of a recording.
    fn ramp(&self, p: &Places) -> Result<[u32; 4], PlaceError> {
        let bufs = match &self.stimulus {
            Stimulus::Recording(a) => [Some(a.gain), Some(a.offset), None, None],
            Stimulus::Values(a) => match a.source {
                stimulus::Source::Ramp { x_old, x_new, y_old, y_new } => {
                    [x_old, x_new, y_old, y_new].map(Some)
                }
                stimulus::Source::Sequence { .. } => [None; 4],
            },
        };
        let [a, b, c, d] = bufs.map(|buf| p.maybe(buf));
        Ok([a?, b?, c?, d?])
    }
}
