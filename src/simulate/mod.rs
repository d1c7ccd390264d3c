//! Simulation of given input and target sequences, step by step, with everything recorded: what `simulate` runs, and what
//! the scientific tests check.
//!
//! [`run()`] takes a [`Setup`] (network, settings, learning rates), a device and a [`SimulationInput`]; [`load_npz`] and [`save_npz`]
//! are its files. Time is submitted one step at a time, so that norms, solver counts and a stop belong to one step. This is for looking
//! closely; the trainer submits whole presentations.

mod files;
mod input;
mod microcircuit;
mod microcircuit_files;
mod output;
mod run;
mod stop;

pub use files::{load_npz, save_npz};
pub use input::SimulationInput;
pub use microcircuit::MicrocircuitInput;
pub use output::{Record, Setup, SimulationOutput, Snap, SolverStep};
pub use run::{rehearsal, run};
pub(crate) use stop::place;
pub use stop::{Stop, StopReason};

use crate::data::npz::NpzError;
use crate::dynamics::SettingsError;
use crate::engine::EngineError;
use crate::probe::ProbeError;

/// Why a simulation cannot be started, or was given up.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// Network or settings that cannot run.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The device.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A probe that cannot record.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// A file.
    #[error(transparent)]
    File(#[from] NpzError),
    /// An input of the wrong length.
    #[error("simulation input '{name}' has {got} values, expected {want} (shape {shape})")]
    Length {
        /// Which.
        name: String,
        /// Values needed.
        want: usize,
        /// Values given.
        got: usize,
        /// What the values are.
        shape: String,
    },
    /// A stimulus for nobody.
    #[error("simulation input 'x' has no trajectories (shape [T, B, n_in] with B = 0); give at least one")]
    NoTrajectory,
    /// β < 0 with a solver that takes its root.
    #[error(
        "beta = {value} at step {step}, output {output}: solver '{solver}' takes the root of beta; use a beta of 0 or more"
    )]
    NegativeBeta {
        /// Step.
        step: usize,
        /// Output neuron.
        output: usize,
        /// The value.
        value: f64,
        /// The solver.
        solver: &'static str,
    },
    /// An array that no file holds and that has no default.
    #[error("no array '{name}' in {files}: {need}")]
    Missing {
        /// The array.
        name: String,
        /// The files looked into.
        files: String,
        /// What it is needed for.
        need: String,
    },
    /// A weight of a neuron onto itself.
    #[error(
        "neuron {neuron} of population '{population}' has a weight onto itself: set it to 0, or ask for such weights with self-connections = true"
    )]
    OntoItself {
        /// Population.
        population: String,
        /// Neuron within it, from 0.
        neuron: usize,
    },
    /// A weight of the microcircuit where the network has no pathway.
    #[error(
        "array '{name}' has a weight from column {from} to row {to}, where the microcircuit has no pathway: feedback runs against the projections, and only into populations with interneurons; set the weight to 0 or change the network"
    )]
    StrayFeedback {
        /// The array.
        name: String,
        /// Row.
        to: usize,
        /// Column.
        from: usize,
    },
    /// A weight where the network has no projection.
    #[error(
        "array 'W0' has a weight from neuron {pre} to neuron {post}, but no projection runs from '{pre_population}' to '{post_population}': add the projection or set the weight to 0"
    )]
    StrayWeight {
        /// Presynaptic neuron.
        pre: usize,
        /// Postsynaptic neuron.
        post: usize,
        /// Population of the first.
        pre_population: String,
        /// Population of the second.
        post_population: String,
    },
}
