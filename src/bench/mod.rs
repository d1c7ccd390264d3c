//! Speed: cases are measured one by one, with ceilings of the device to hold them against.
//!
//! | part | what it holds |
//! | --- | --- |
//! | [`Subject`] | a network with its settings and stimulus, from sizes or from an experiment |
//! | [`Case`] | a subject on a device, with batch, steps, plan |
//! | [`measure()`] | warm-up, repetitions, counted work |
//! | [`Ceilings`] | copy bandwidth and large products of the device, by the engine's own kernels |
//! | [`Row`] | a case and its figures, as files have them |
//! | [`report`] | table, Markdown, JSON lines, CSV |
//! | [`compare`] | ratios against an earlier run |
//! | [`scaling`] | cost against one quantity, with its fits |
//!
//! Work is counted from the calls that really run (see [`crate::plan::Cost`]): multiply-adds of products, each operand of a call once.

mod case;
mod ceilings;
pub mod compare;
mod error;
mod fit;
mod material;
mod measure;
mod memory;
pub mod report;
mod row;
pub mod scaling;
mod spread;
mod subject;

pub use case::{Case, PlanChoice};
pub use ceilings::{Ceilings, Roof};
pub use error::BenchError;
pub use fit::{Affine, Power, affine, power};
pub use measure::{Effort, Measured, measure};
pub use row::{COLUMNS, Machine, Row};
pub use spread::Spread;
pub use subject::{Layered, Subject};
