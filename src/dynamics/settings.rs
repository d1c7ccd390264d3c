//! How a network is integrated.

use super::choices::{Bias, Dynamics, InputMismatch, Integrator, OnIndefinite, PlasticityInDynamics, Solver};
use super::economy::{LearningProducts, Resident};
use crate::kernels::newton_check;
use crate::network::{Network, NetworkError};

/// Largest number of free neurons for the dense solver: a GPU invocation stays below 60,000 loop iterations.
pub const DENSE_LIMIT: usize = 192;

/// The same on graphs with cycles.
pub const DENSE_LIMIT_RECURRENT: usize = 128;

/// Largest number of free neurons for which a Cholesky factorisation tells whether H is positive definite.
pub const PROBE_LIMIT: usize = 64;

/// Largest number of output neurons for the Woodbury solver: it takes as many sweeps, and as many buffers of the size of u.
pub const WOODBURY_LIMIT: usize = 1024;

/// Everything about the integration that does not change during a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Equation of motion.
    pub dynamics: Dynamics,
    /// Scheme.
    pub integrator: Integrator,
    /// Membrane time constant τ, ms.
    pub tau_ms: f64,
    /// Time step dt, ms.
    pub dt_ms: f64,
    /// Solver of `exact`.
    pub solver: Solver,
    /// Relative residual at which a trajectory has converged.
    pub tolerance: f64,
    /// `max |f − e^{−dt/τ} f(u_n)|` at which the Newton iteration of `equilibrium` ends.
    pub newton_tolerance: f64,
    /// Iterates that the Newton iteration of `equilibrium` judges in a step at most, from 1 to [`MOST_ITERATES`].
    pub newton_iterations: usize,
    /// Upper bound of solver iterations in a step.
    pub max_iterations: usize,
    /// What to do where H is not positive definite.
    pub on_indefinite: OnIndefinite,
    /// Which derivatives of parameters enter the dynamics of u.
    pub plasticity_in_dynamics: PlasticityInDynamics,
    /// Bound on |Ẇ|, per ms.
    pub derivative_clip: Option<f64>,
    /// What a bias is.
    pub bias: Bias,
    /// |u| above this is divergence.
    pub u_limit: f64,
    /// Whether presentations run with resident weights.
    pub resident: Resident,
    /// In what numbers the processor multiplies what weights learn from.
    pub learning_products: LearningProducts,
    /// Some β may be ∞: the voltages of these outputs are prescribed.
    pub hard_targets: bool,
    /// What the mismatch of a clamped input is.
    pub input_mismatch: InputMismatch,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dynamics: Dynamics::Nla,
            integrator: Integrator::Exact,
            tau_ms: 10.0,
            dt_ms: 1.0,
            solver: Solver::Auto,
            tolerance: 1e-6,
            newton_tolerance: 1e-6,
            newton_iterations: MOST_ITERATES,
            max_iterations: 40,
            on_indefinite: OnIndefinite::Fallback,
            plasticity_in_dynamics: PlasticityInDynamics::All,
            derivative_clip: None,
            bias: Bias::Separate,
            u_limit: 1e6,
            resident: Resident::Auto,
            learning_products: LearningProducts::Auto,
            hard_targets: false,
            input_mismatch: InputMismatch::Drive,
        }
    }
}

/// Iterates that a Newton iteration can come to: the start, eight directions, and halvings of some of them.
pub const MOST_ITERATES: usize = 1 + newton_check::STEPS * (1 + newton_check::HALVINGS as usize);

/// Why a network cannot be integrated with these settings.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// The network itself.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A solver that needs ρ'' = 0.
    #[error(
        "solver '{solver}' needs an activation with ρ'' = 0 (hard-sigmoid, relu, linear), not '{activation}'; use 'cg' or 'auto'"
    )]
    NeedsPiecewiseLinear {
        /// The forced solver.
        solver: &'static str,
        /// The activation.
        activation: &'static str,
    },
    /// A solver for feedforward graphs.
    #[error(
        "solver '{solver}' needs a feedforward network; the projection {projection} does not run forward: use 'cg' or 'auto'"
    )]
    NeedsFeedforward {
        /// The forced solver.
        solver: &'static str,
        /// A projection against the order of populations.
        projection: String,
    },
    /// A solver that takes the root of β.
    #[error("solver '{0}' needs a finite beta: use 'cg' or 'auto' where outputs are clamped (beta = inf)")]
    NeedsFiniteBeta(&'static str),
    /// Newton on another equation of motion.
    #[error("integrator 'equilibrium' follows the dynamics 'nla' only, not '{0}': use integrator 'exact'")]
    NeedsNla(&'static str),
    /// A dense solve of a large network.
    #[error(
        "solver 'dense' is limited to {limit} free neurons (it takes O(N³) a step); this network has {free}: use 'cg' or 'auto'"
    )]
    TooLargeForDense {
        /// Free neurons of the network.
        free: usize,
        /// Most that the solver takes.
        limit: usize,
    },
    /// Woodbury for a network with very many outputs.
    #[error(
        "solver 'woodbury' is limited to {WOODBURY_LIMIT} output neurons (it takes a sweep for each of them); this network has {0}: use 'output-cg', 'cg' or 'auto'"
    )]
    TooManyForWoodbury(usize),
    /// A solver for symmetric systems with separate feedback weights.
    #[error(
        "solver '{0}' needs the symmetric system of weight transport; with a microcircuit use 'bicgstab' or 'auto'"
    )]
    NeedsSymmetric(&'static str),
    /// The solver for systems that are not symmetric, without need.
    #[error("solver 'bicgstab' is for networks with a microcircuit; use 'cg', 'output-cg' or 'auto'")]
    NeedsMicrocircuit,
    /// β = ∞ with separate feedback weights.
    #[error("outputs cannot be clamped (beta = inf) in a network with a microcircuit: use a finite beta")]
    HardTargetsOfMicrocircuit,
    /// Unstable by itself.
    #[error(
        "a time step is stable for dt < 2τ only: dt_ms = {dt}, tau_ms = {tau}; with dynamics 'nla', integrator 'equilibrium' takes larger steps"
    )]
    StepTooLarge {
        /// Time step, ms.
        dt: f64,
        /// Time constant, ms.
        tau: f64,
    },
}

impl Settings {
    /// Checks that these settings apply to the network.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn check(&self, network: &Network) -> Result<(), SettingsError> {
        if self.hard_targets && network.microcircuit.is_some() {
            return Err(SettingsError::HardTargetsOfMicrocircuit);
        }
        let implicit = matches!(self.integrator, Integrator::Exact | Integrator::Equilibrium);
        if self.integrator == Integrator::Equilibrium && self.dynamics != Dynamics::Nla {
            return Err(SettingsError::NeedsNla(self.dynamics.name()));
        }
        let euler_on_f = self.integrator == Integrator::Exact || self.dynamics == Dynamics::GradientFlow;
        if euler_on_f && self.dt_ms >= 2.0 * self.tau_ms {
            return Err(SettingsError::StepTooLarge { dt: self.dt_ms, tau: self.tau_ms });
        }
        if self.dynamics != Dynamics::Nla || !implicit {
            return Ok(());
        }
        let free = network.free().len;
        match (self.solver, network.microcircuit.is_some()) {
            (Solver::Auto | Solver::Bicgstab, true) => return Ok(()),
            (forced, true) => return Err(SettingsError::NeedsSymmetric(forced.name())),
            (Solver::Bicgstab, false) => return Err(SettingsError::NeedsMicrocircuit),
            _ => {}
        }
        let limit = dense_limit(network);
        match self.solver {
            Solver::OutputCg | Solver::Woodbury if !network.activation.is_piecewise_linear() => {
                Err(SettingsError::NeedsPiecewiseLinear {
                    solver: self.solver.name(),
                    activation: network.activation.name(),
                })
            }
            Solver::OutputCg | Solver::Woodbury if !network.is_feedforward() => {
                let back = network.projections.iter().position(|p| p.pre >= p.post).unwrap_or_default();
                Err(SettingsError::NeedsFeedforward {
                    solver: self.solver.name(),
                    projection: network.projection_name(back),
                })
            }
            Solver::OutputCg | Solver::Woodbury if self.hard_targets => {
                Err(SettingsError::NeedsFiniteBeta(self.solver.name()))
            }
            Solver::Dense if free > limit => Err(SettingsError::TooLargeForDense { free, limit }),
            Solver::Woodbury if network.n_out() > WOODBURY_LIMIT => {
                Err(SettingsError::TooManyForWoodbury(network.n_out()))
            }
            _ => Ok(()),
        }
    }

    /// Equation of motion, integrator and circuit in a few words, for headers.
    #[must_use]
    pub fn describe(&self, network: &Network) -> String {
        let motion = match self.dynamics {
            Dynamics::Nla => self.integrator.name().to_owned(),
            Dynamics::GradientFlow => self.dynamics.name().to_owned(),
            Dynamics::LookaheadRateOnly => format!("{}, {}", self.dynamics.name(), self.integrator.name()),
        };
        if network.microcircuit.is_some() { format!("{motion}, microcircuit") } else { motion }
    }

    /// The solver that runs: `auto` resolved, `None` for the explicit schemes.
    #[must_use]
    pub fn resolve_solver(&self, network: &Network) -> Option<Solver> {
        let implicit = matches!(self.integrator, Integrator::Exact | Integrator::Equilibrium);
        match self.dynamics {
            _ if !implicit => return None,
            Dynamics::GradientFlow => return None,
            // J is triangular on feedforward graphs, and not symmetric on others.
            Dynamics::LookaheadRateOnly if network.is_feedforward() => return None,
            Dynamics::LookaheadRateOnly => return Some(Solver::Bicgstab),
            Dynamics::Nla => {}
        }
        if network.microcircuit.is_some() {
            return Some(Solver::Bicgstab);
        }
        let low_rank =
            network.activation.is_piecewise_linear() && network.is_feedforward() && !self.hard_targets;
        Some(match self.solver {
            Solver::Auto if low_rank => Solver::OutputCg,
            Solver::Auto => Solver::Cg,
            forced => forced,
        })
    }
}

/// Largest number of free neurons for the dense solver on this graph: J of one with cycles has no zero triangle to skip.
#[must_use]
pub fn dense_limit(network: &Network) -> usize {
    if network.is_feedforward() { DENSE_LIMIT } else { DENSE_LIMIT_RECURRENT }
}
