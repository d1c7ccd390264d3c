//! Why a simulation ended before its last step.

use crate::network::Network;

/// A run that stopped early; what was computed before is kept.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("step {step}, trajectory {trajectory}: {reason}")]
pub struct Stop {
    /// The step that could not be completed, from 0.
    pub step: usize,
    /// Trajectory.
    pub trajectory: usize,
    /// What happened.
    pub reason: StopReason,
}

/// What stopped a run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StopReason {
    /// NaN or infinity in x, u* or β.
    #[error("{name}[{index}] is not finite; mend the stimulus")]
    NonFiniteInput {
        /// `x`, `y` or `beta`.
        name: &'static str,
        /// Input or output neuron.
        index: usize,
    },
    /// NaN or infinity in a voltage.
    #[error(
        "the voltage of neuron {neuron} ({place}) is not finite; look at the steps before, lower dt or beta"
    )]
    NonFiniteState {
        /// Neuron, from 0 over all populations.
        neuron: usize,
        /// The same as `population[index]`.
        place: String,
    },
    /// |u| passed the limit.
    #[error(
        "the voltage of neuron {neuron} ({place}) passed u-limit = {limit}: the run diverges; use integrator 'exact', or lower beta or the weights"
    )]
    Diverged {
        /// Neuron, from 0 over all populations.
        neuron: usize,
        /// The same as `population[index]`.
        place: String,
        /// The limit.
        limit: f64,
    },
    /// H is not positive definite and `on_indefinite = "error"`.
    #[error(
        "H is not positive definite (random voltages, strong weights or a large beta do that); lower beta, or set on-indefinite = \"fallback\""
    )]
    IndefiniteHessian,
}

/// `population[index]` of a neuron.
pub(crate) fn place(network: &Network, neuron: usize) -> String {
    let mut first = 0;
    for p in &network.populations {
        if neuron < first + p.size {
            return format!("{}[{}]", p.name, neuron - first);
        }
        first += p.size;
    }
    format!("neuron {neuron}")
}
