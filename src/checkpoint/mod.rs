//! What is kept of a run on disk: parameters, and checkpoints from which it goes on with the same bits as if it had never stopped.
//!
//! A checkpoint is one safetensors file (`file.rs` names its tensors). It is written beside its place, flushed and renamed, so that an older
//! one is whole whatever happens meanwhile. In a run directory they are `checkpoints/<epoch>-<mini-batches>.safetensors`, the last few of
//! them, and `checkpoints/best.safetensors`, that of the end of the epoch with the best validation accuracy.

mod error;
mod file;
mod folder;
mod identity;
mod keep;
mod metrics;
pub mod parameters;
mod save;

pub use error::CheckpointError;
pub use folder::{Folder, Found, Lock, load};
pub use identity::{Identity, differing_keys};
pub use keep::{Checkpoints, unsaved};
pub use metrics::{Cut, cut};
pub use save::save_parameters;

use crate::train::State;

/// Where a run stands and what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What the run is.
    pub identity: Identity,
    /// Where it stands.
    pub state: State,
    /// The best epoch so far.
    pub best: Option<Best>,
}

/// The epoch with the best accuracy on the validation set, the first of several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// From 1.
    pub epoch: usize,
    /// Share of right answers.
    pub accuracy: f64,
}
