//! What a network with given parameters answers: its outputs for static samples, and the score of a labelled set.
//!
//! β is 0 and nothing learns. The output is the voltage `u_o` of the output population, the answer its argmax (the lowest index of
//! equals), the cost `½‖u* − u_o‖²`. Two readouts:
//!
//! * [`Readout::SteadyState`]: the fixed point of the dynamics, one forward sweep over a feedforward graph (of others the trajectory is read);
//! * [`Readout::Trajectory`]: `u_o` after the last time step of a presentation. Each sample is presented alone: its trajectory starts
//!   from the equilibrium for x = 0 with u̇ = 0 and its history 0, and the input ramps from 0 to the sample. Nothing is carried
//!   over from the sample before, as it is in training.
//!
//! So the answer to a sample depends on that sample only, up to rounding: products are summed in another order for another number of
//! trajectories. For the steady state this is at most the error of a sum of n terms, `n ε Σ|w r̄|`, carried forward through the
//! weights. A trajectory adds `ε|u| τ/dt`; where ρ has kinks, a neuron that comes within rounding of one may pass it a step
//! earlier or later, a difference of `dt |w u̇|` that decays as `(1 − dt/τ)ⁿ` over the n steps that follow.
//!
//! Trajectory and steady state agree up to the mismatch `δ` that finite steps leave while the input moves, which decays as
//! `(1 − dt/τ)ⁿ` once it rests, and the distance `1 − s` of the ramp's last value from 1.

mod error;
mod input;
mod output;
mod predictor;
mod regression;
mod rest;
mod rows;
mod score;
mod series;
pub mod text;

pub use error::EvaluateError;
pub use input::{Images, InputError, Inputs};
pub use output::{Prediction, ValuePrediction, write_predictions, write_values};
pub use predictor::{Predictor, Readout, Trouble, write_parameters};
pub use regression::{OutputScore, Regression, Residuals};
pub use rest::{Rest, rest};
pub use rows::{RowPredictions, write_rows};
pub use score::{Report, Score, Tabulation, argmax};
pub use series::{Follower, Slice};
