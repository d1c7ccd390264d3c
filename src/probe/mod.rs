//! Probes: recordings of chosen quantities of chosen neurons, every so many ms, while a network is trained or simulated.
//!
//! A [`Probe`] is a request; a [`Recording`] is what came of it, bounded in memory. Who runs the steps calls [`Recording::is_due`] after each of
//! them, brings r̄, ρ', δ and Wᵀδ up to date ([`crate::plan::PlanId::Observe`], which touches nothing that a later step reads), and
//! hands the [`Fields`] of the device to [`Recording::take`]. Results of a run are the same bits with and without probes.

mod fields;
mod recording;
mod request;

pub use fields::Fields;
pub use recording::{Moment, Recording, Samples};
pub use request::{Probe, ProbeError, Quantity, Selection};
