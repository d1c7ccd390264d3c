//! All of wgpu, and the only place that names it: device choice, buffers, recording, readback.
//!
//! [`open`] chooses an adapter, [`Executor`] runs the plans of a model on it. A plan becomes a list of dispatches once; a time step is then only
//! recorded, many steps go into one submission, and the host reads a few numbers for each trajectory when it asks for them.

mod adapter;
mod blocks;
mod clock;
mod control;
mod device;
mod error;
mod executor;
mod factors;
mod layered;
pub mod loops;
mod pace;
mod pipelines;
mod readback;
mod recorder;
pub mod shaders;
mod store;
#[cfg(test)]
#[allow(clippy::expect_used)] // Tests fail by panicking.
mod ticks;
mod whole;

pub use crate::kernels::host::Profile;
pub use adapter::{AdapterInfo, Choice, adapters, open};
pub use device::{Device, TilesBy};
pub use error::GpuError;
pub use executor::Executor;
