//! Files that hold the parameters of a network.

pub mod parameters;
