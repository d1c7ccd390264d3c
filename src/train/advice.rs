//! Warnings: what a user should know about a run, with what to do about it.

use super::{Epoch, Event};
use crate::dynamics::{Integrator, Model, eigenvalues};
use crate::network::Parameters;

/// Share of saturated neurons above which little can be learned.
const MOSTLY_SATURATED: f64 = 0.9;

fn warning(epoch: usize, kind: &str, message: String) -> Event {
    Event::Warning { epoch, kind: kind.into(), message }
}

/// Before the first step: whether an explicit scheme can be stable.
#[must_use]
pub fn start_warnings(model: &Model, parameters: &Parameters, beta: &[f64]) -> Vec<Event> {
    let scheme = model.settings.integrator;
    if scheme == Integrator::Exact {
        return Vec::new();
    }
    let (low, high) = scheme.stable(model.settings.dt_ms / model.settings.tau_ms);
    let (smallest, largest) = eigenvalues(&model.network, parameters, beta);
    if smallest > low && largest < high {
        return Vec::new();
    }
    let message = format!(
        "the eigenvalues of H reach from {smallest:.3} to {largest:.3} where all neurons are at their steepest, but '{}' is stable in ({low:.3}, {high:.3}) only: expect divergence; use `integrator = \"exact\"`, smaller weights or a smaller beta (an output neuron alone has 1 + beta)",
        scheme.name()
    );
    vec![warning(0, "stability", message)]
}

/// After an epoch: indefinite H, a solver that was stopped by its cap, saturation.
#[must_use]
pub fn epoch_warnings(model: &Model, epoch: &Epoch, trajectory_steps: f64) -> Vec<Event> {
    let mut all = Vec::new();
    let (h, n) = (&epoch.health, epoch.epoch);
    let share = |count: u64| 100.0 * count as f64 / trajectory_steps.max(1.0);
    if h.indefinite > 0 {
        all.push(warning(n, "indefinite", format!(
            "H was not positive definite in {} trajectory steps ({:.2} %); the run went on with its fallback. Smaller weights or a smaller beta avoid it; `on-indefinite = \"error\"` stops there",
            h.indefinite, share(h.indefinite)
        )));
    }
    if h.unconverged > 0 {
        all.push(warning(n, "unconverged", format!(
            "the solver stopped short of its tolerance {:e} in {} trajectory steps ({:.2} %), at a relative residual of up to {:.1e}; raise max-iterations (now {}) or the tolerance",
            model.settings.tolerance, h.unconverged, share(h.unconverged), h.residual, model.settings.max_iterations
        )));
    }
    if h.saturated > MOSTLY_SATURATED {
        all.push(warning(n, "saturated", format!(
            "{:.0} % of the hidden neurons are saturated (rho' below 5 % of its maximum) and learn nothing; use smaller weights or a lower learning rate",
            100.0 * h.saturated
        )));
    }
    all
}
