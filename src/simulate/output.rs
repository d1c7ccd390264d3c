//! What is simulated, what to keep, and what was recorded.

use super::Stop;
use crate::dynamics::{Settings, Solver};
use crate::kernels::solver;
use crate::network::{Network, Parameters};
use crate::probe::{Probe, Recording};
use crate::schedule::Schedule;

/// What is simulated, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// The network.
    pub network: Network,
    /// How it is integrated.
    pub settings: Settings,
    /// η, per ms.
    pub rate_w: f64,
    /// η_b, per ms.
    pub rate_b: f64,
    /// What both are multiplied by, in simulated time since the first step.
    pub schedule: Schedule,
}

/// What to keep beside norms and solver counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// u and u̇ after every step.
    pub voltages: bool,
    /// Steps after which W and b are kept.
    pub snapshots: Vec<usize>,
    /// Quantities of chosen neurons; epochs and presentations in them are for training alone.
    pub probes: Vec<Probe>,
}

impl Default for Record {
    fn default() -> Self {
        Self { voltages: true, snapshots: Vec::new(), probes: Vec::new() }
    }
}

/// Parameters after a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Snap {
    /// The step.
    pub step: usize,
    /// W and b.
    pub parameters: Parameters,
}

/// What the solver did in a step, over all trajectories.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SolverStep {
    /// Largest number of iterations.
    pub iterations: usize,
    /// Largest relative residual at the end of the iteration.
    pub residual: f64,
    /// Trajectories whose H was found not to be positive definite.
    pub indefinite: usize,
    /// Trajectories that did not reach the tolerance.
    pub unconverged: usize,
}

/// Everything that was recorded. Arrays hold `steps_completed` rows.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulationOutput {
    /// Steps that were completed.
    pub steps_completed: usize,
    /// Number of trajectories B.
    pub batch: usize,
    /// Number of neurons N.
    pub neurons: usize,
    /// u after each step, `[steps_completed, B, N]`, if it was asked for.
    pub u: Vec<f64>,
    /// u̇ found in each step, `[steps_completed, B, N]`, if it was asked for.
    pub u_dot: Vec<f64>,
    /// u^I as used inside each step, `[steps_completed, B, M]`, if voltages were asked for and there are interneurons.
    pub u_i: Vec<f64>,
    /// u̇^I found in each step; empty for instantaneous interneurons.
    pub u_i_dot: Vec<f64>,
    /// ‖f‖ over the free neurons inside each step (old u and parameters, new x and u*), `[steps_completed, B]`.
    pub f_entry_norm: Vec<f64>,
    /// ‖f‖ over the free neurons after each step, `[steps_completed, B]`.
    pub f_norm: Vec<f64>,
    /// What the solver did in each step, `[steps_completed]`.
    pub solver_steps: Vec<SolverStep>,
    /// Parameters after the chosen steps, in order.
    pub snapshots: Vec<Snap>,
    /// What the probes recorded, in their order.
    pub recordings: Vec<Recording>,
    /// Parameters at the end. Where a step failed on the device (divergence, say), as that step left them.
    pub end: Parameters,
    /// The solver that ran; `None` for explicit schemes.
    pub solver: Option<Solver>,
    /// Why the run ended before its last step.
    pub stop: Option<Stop>,
}

impl SolverStep {
    /// From the `solver` buffer, `[B, 9]`.
    pub(super) fn of(book: &[f64]) -> Self {
        let column = |c: usize| book.chunks_exact(solver::LEN).map(move |row| row[c]);
        let most = |c: usize| column(c).fold(0.0, f64::max);
        let count = |c: usize| column(c).filter(|v| *v > 0.0).count();
        Self {
            iterations: most(solver::MOST) as usize,
            residual: most(solver::RESIDUAL),
            indefinite: count(solver::INDEFINITE),
            unconverged: count(solver::UNCONVERGED),
        }
    }
}
