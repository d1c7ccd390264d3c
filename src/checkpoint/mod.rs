//! What is kept of a run on disk: parameters, and checkpoints from which it goes on.

mod save;

pub use save::save_parameters;
