//! From the files of a run directory to what the pictures are drawn from.

pub mod completion;
pub mod metrics;
