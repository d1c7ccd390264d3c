//! Warnings: what a user should know about a run, with what to do about it.

use super::{Epoch, Event, Health};
use crate::dynamics::{Dynamics, Integrator, Model, eigenvalues};
use crate::evaluate::Rest;
use crate::network::Parameters;

/// Share of saturated neurons above which little can be learned.
const MOSTLY_SATURATED: f64 = 0.9;

fn warning(epoch: usize, kind: &str, message: String) -> Event {
    Event::Warning { epoch, kind: kind.into(), message }
}

/// What stopped the solver: the cap of the settings, or, below it, the count that a GPU had recorded or rounding; in a Newton iteration the kinks
/// of ρ.
fn unconverged_advice(model: &Model, health: &Health) -> String {
    if model.settings.integrator == Integrator::Equilibrium {
        let advice = if model.network.activation.is_smooth() {
            "use a smaller dt-ms, or raise newton-tolerance"
        } else {
            "where an activation has kinks a step may have no root, and keeps the voltages of smallest residual: softplus, sigmoid and tanh have none, and a smaller dt-ms makes it rarer"
        };
        return advice.into();
    }
    let cap = model.settings.max_iterations;
    if health.most_iterations >= cap as f64 {
        return format!("raise max-iterations (now {cap}) or the tolerance");
    }
    format!(
        "no step took more than {} of {cap} iterations: a GPU records as many as an earlier mini-batch needed, and more after one that they did not suffice for; if the share is large, raise the tolerance",
        health.most_iterations
    )
}

/// Before the first step: populations that nothing reaches, a start that is no rest, an explicit scheme that cannot be stable.
#[must_use]
pub fn start_warnings(model: &Model, parameters: &Parameters, beta: &[f64], rest: &Rest) -> Vec<Event> {
    let mut all = unreached(model);
    if !rest.is_reached() {
        all.push(warning(0, "start", format!(
            "the network did not come to rest for an input of 0 within {} time steps: f is {:.1e} of its voltages there and decays from that value while the first samples are presented; smaller recurrent weights have a rest that is found",
            rest.steps, rest.f_norm
        )));
    }
    all.extend(stability(model, parameters, beta));
    all
}

/// As [`start_warnings`], of a network that starts where it is told to.
#[must_use]
pub fn network_warnings(model: &Model, parameters: &Parameters, beta: &[f64]) -> Vec<Event> {
    let mut all = unreached(model);
    all.extend(stability(model, parameters, beta));
    all
}

/// A warning for each population that no projection reaches.
fn unreached(model: &Model) -> Vec<Event> {
    let net = &model.network;
    let name = |p: usize| {
        let what = if p + 1 == net.populations.len() {
            "its voltages follow its biases and the target alone, and nothing is predicted"
        } else {
            "its voltages follow its biases alone"
        };
        let name = &net.populations[p].name;
        warning(0, "unreached", format!("no projection reaches population '{name}': {what}"))
    };
    net.unreached().into_iter().map(name).collect()
}

/// Whether an explicit scheme can be stable.
fn stability(model: &Model, parameters: &Parameters, beta: &[f64]) -> Vec<Event> {
    let scheme = model.settings.integrator;
    let implicit = matches!(scheme, Integrator::Exact | Integrator::Equilibrium);
    if implicit || model.settings.dynamics != Dynamics::Nla {
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
        let (what, tolerance, size) = match model.settings.integrator {
            Integrator::Equilibrium => {
                ("the Newton iteration", model.settings.newton_tolerance, "residual of f")
            }
            _ => ("the solver", model.settings.tolerance, "relative residual"),
        };
        all.push(warning(n, "unconverged", format!(
            "{what} stopped short of its tolerance {tolerance:e} in {} trajectory steps ({:.2} %), at a {size} of up to {:.1e}; {}",
            h.unconverged, share(h.unconverged), h.residual, unconverged_advice(model, h)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dynamics::{Features, Settings};
    use crate::network::{Activation, InputMode, Network, Population, expand};

    /// A cap that was not reached is not to be raised.
    #[test]
    fn advice_names_what_stopped_the_solver() {
        let population =
            |name: &str| Population { name: name.into(), size: 2, bias_factor: 1.0, bias_clip: None };
        let network = Network {
            populations: vec![population("in"), population("out")],
            projections: expand(2, &[]),
            activation: Activation::Sigmoid,
            input: InputMode::Clamped,
            microcircuit: None,
        };
        let settings = Settings { max_iterations: 12, ..Settings::default() };
        let model = Model::new(network, settings, 1, Features::samples(false)).unwrap();
        let advice = |most_iterations| {
            unconverged_advice(&model, &Health { unconverged: 1, most_iterations, ..Health::default() })
        };
        assert!(advice(12.0).contains("raise max-iterations (now 12)"));
        assert!(!advice(5.0).contains("max-iterations") && advice(5.0).contains("5 of 12"));
    }
}
