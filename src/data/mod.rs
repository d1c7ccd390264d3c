//! Placeholder.

pub mod npz;
