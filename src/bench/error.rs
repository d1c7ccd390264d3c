//! Why a case has no figures.

use crate::dynamics::SettingsError;
use crate::engine::EngineError;
use crate::evaluate::EvaluateError;

/// Why a case has no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Network, settings and plan do not fit one another.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A plan that this network cannot take.
    #[error("resident weights do not apply to this network with these settings; use --plan auto or plain")]
    NotResident,
    /// The device.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The parameters could not be written.
    #[error(transparent)]
    Parameters(#[from] EvaluateError),
    /// The voltages grew beyond every bound: such steps cost what others do not.
    #[error(
        "{trajectories} of {batch} trajectories diverged; use a smaller --dt-ms, or an integrator that is stable with this network"
    )]
    Diverged {
        /// Trajectories that did.
        trajectories: usize,
        /// Of so many.
        batch: usize,
    },
    /// The system gives no threads.
    #[error("{threads} threads cannot be started: {reason}")]
    Threads {
        /// Number asked for.
        threads: usize,
        /// What the system said.
        reason: String,
    },
}
