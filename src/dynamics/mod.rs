//! The theory: a network and an integrator become a [`Program`] of plans.
//!
//! One file an integrator. The equations are those of Senn et al. 2024, corrected where the paper's Eq. 47 has a wrong
//! sign and drops a term: `H u̇ = rhs`, `H = JᵀJ − diag(ρ''·(Wᵀδ)) + diag β`, in the form that needs no cancelling
//! subtraction, `J⁻ᵀ rhs = s − δ/τ + J⁻ᵀ [β(u* − u)/τ + β u̇* + ρ'·(Ẇᵀδ)]` with `s = Ẇ r̄ + ḃ + ẋ`.

mod backprop;
mod basal;
mod bicgstab;
mod choices;
mod economy;
mod equilibrium;
mod exact;
mod explicit;
mod features;
mod flow;
mod layered;
mod layout;
mod microcircuit;
mod observe;
mod resident;
mod settings;
#[cfg(test)]
mod sharing;
mod small;
mod stability;

pub use bicgstab::BicgLayout;
pub use choices::{Bias, Dynamics, InputMismatch, Integrator, OnIndefinite, PlasticityInDynamics, Solver};
pub use economy::{LearningProducts, Resident};
pub use features::{Features, StimulusKind};
pub use layout::Layout;
pub use microcircuit::{MicroLayout, Path, lies_transposed};
pub use settings::{
    DENSE_LIMIT, DENSE_LIMIT_RECURRENT, MOST_ITERATES, PROBE_LIMIT, Settings, SettingsError, WOODBURY_LIMIT,
    dense_limit,
};

pub use stability::eigenvalues;

use crate::network::Network;
use crate::plan::{Plan, Program};

/// A network with its plans and the buffers they use.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The network.
    pub network: Network,
    /// How it is integrated.
    pub settings: Settings,
    /// The solver that runs, `auto` resolved; `None` for explicit schemes.
    pub solver: Option<Solver>,
    /// Where everything is.
    pub layout: Layout,
    /// Buffers and plans.
    pub program: Program,
}

impl Model {
    /// Builds the plans for `batch` trajectories.
    ///
    /// # Errors
    /// If the network cannot be run, or a forced solver does not apply to it: see [`SettingsError`].
    pub fn new(
        network: Network,
        settings: Settings,
        batch: usize,
        features: Features,
    ) -> Result<Self, SettingsError> {
        Self::with_buffers(network, settings, batch, features, true)
    }

    /// As [`Model::new`]; `shares`: buffers that are never needed at the same time are one, which changes no result.
    fn with_buffers(
        network: Network,
        settings: Settings,
        batch: usize,
        features: Features,
        shares: bool,
    ) -> Result<Self, SettingsError> {
        network.check()?;
        settings.check(&network)?;
        let solver = settings.resolve_solver(&network);
        let (layout, buffers) = Layout::new(&network, &settings, solver, batch, features, shares);
        let build = Build { net: &network, set: &settings, solver, lay: &layout, features };
        let plans = [
            observe::start(&build),
            basal::present(&build),
            if settings.integrator == Integrator::Equilibrium {
                equilibrium::step(&build)
            } else {
                step(&build, false)
            },
            observe::observe(&build),
            observe::predict(&build),
            resident::start(&build),
            if layout.resident { step(&build, true) } else { crate::plan::Plan::default() },
            resident::end(&build),
            backprop::step(&build),
            resident::observe(&build),
        ];
        let small = small::step(&build);
        let program = Program { buffers, plans, batch, small, layered: layered::step(&build) };
        Ok(Self { network, settings, solver, layout, program })
    }
}

/// What the plan builders read.
pub(crate) struct Build<'a> {
    pub net: &'a Network,
    pub set: &'a Settings,
    pub solver: Option<Solver>,
    pub lay: &'a Layout,
    pub features: Features,
}

/// One time step, in the order of section 8 of the model; `resident`: without touching the weights of a clamped input.
fn step(b: &Build, resident: bool) -> Plan {
    if let Some(plan) = microcircuit::step(b) {
        return plan;
    }
    let mut plan = Plan::default();
    basal::stimulus(b, &mut plan, resident); // 1
    basal::rates(b, &mut plan, resident); // 2
    basal::mismatch(b, &mut plan, resident); // 2
    if b.lay.needs_apical || b.features.entry_norms || b.set.dynamics != Dynamics::Nla {
        basal::apical(b, &mut plan);
    }
    observe::entry(b, &mut plan);
    basal::plasticity(b, &mut plan, resident); // 4
    // 5
    match (b.set.dynamics, b.set.integrator) {
        (Dynamics::Nla, Integrator::Exact) => {
            basal::drive(b, &mut plan, resident);
            exact::rate_of_change(b, &mut plan);
        }
        (Dynamics::Nla, _) => {
            basal::drive(b, &mut plan, resident);
            explicit::rate_of_change(b, &mut plan);
        }
        (Dynamics::GradientFlow, _) => flow::gradient_flow(b, &mut plan),
        (Dynamics::LookaheadRateOnly, _) => flow::lookahead_rate_only(b, &mut plan),
    }
    basal::prescribe(b, &mut plan);
    basal::integrate(b, &mut plan, resident); // 7
    plan
}
