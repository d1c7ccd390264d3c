//! Why an evaluation stopped.

use crate::dynamics::SettingsError;
use crate::engine::EngineError;

/// Why samples cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The network and settings do not fit one another.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A steady state that one sweep does not give.
    #[error(
        "network {0} has cycles, or projections into a clamped input: no forward sweep gives its steady state; read the end of a trajectory"
    )]
    NeedsTrajectory(String),
    /// The device.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Inputs that are no whole number of samples.
    #[error("{got} input values are not a whole number of samples of {n_in}")]
    Inputs {
        /// Values given.
        got: usize,
        /// Neurons of the input population.
        n_in: usize,
    },
    /// A steady state that is not finite.
    #[error(
        "the output of sample {sample} (from 0) is not finite: the parameters or inputs overflow in {precision}; try --precision f64 --device cpu"
    )]
    NotFinite {
        /// Place in the set, from 0.
        sample: usize,
        /// Floating-point type of the device.
        precision: &'static str,
    },
    /// Nothing to follow.
    #[error("there is no recording")]
    NoSeries,
    /// Data that cannot be read.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// A trajectory that follows a recording went wrong.
    #[error("{what} in span {span} (from 0), {time_ms} ms after its start, {place}; {advice}")]
    BadRow {
        /// What was found.
        what: &'static str,
        /// Which span of the part.
        span: usize,
        /// Simulated time since its start.
        time_ms: f64,
        /// `population[index]`.
        place: String,
        /// What to do.
        advice: &'static str,
    },
    /// A trajectory went wrong.
    #[error("{what} in sample {sample} (from 0), step {step}, {place}; {advice}")]
    Bad {
        /// What was found.
        what: &'static str,
        /// Place in the set, from 0.
        sample: usize,
        /// Time step of the presentation, from 0.
        step: usize,
        /// `population[index]`.
        place: String,
        /// What to do.
        advice: &'static str,
    },
    /// H is indefinite and the settings ask to stop there.
    #[error(
        "H is not positive definite on the way to sample {sample} (from 0); use smaller weights or, of a feedforward network, the steady state (without --trajectory), or go on with `on-indefinite = \"fallback\"`"
    )]
    Indefinite {
        /// Place in the set, from 0.
        sample: usize,
    },
}
