//! Experiment files: parsing, validation, resolved form.
//!
//! An experiment is a TOML file. [`find`] tells which file, or which built-in experiment, a name stands for;
//! [`Experiment::load`] reads what a training run needs, [`SimulationConfig::load`] what a simulation needs. Both return
//! values that were checked, with every default written out, and [`Experiment::to_toml`] writes them back. Keys that do
//! not exist are errors; every error shows the line, and a caret under the value that is wrong.

mod activation;
mod arrays;
mod backprop;
mod completion;
mod data;
mod dynamics;
mod error;
mod idle;
mod init;
mod item;
mod microcircuit;
mod network;
mod overrides;
mod plasticity;
mod probe;
mod resolve;
mod run;
mod schedule;
mod section;
mod series;
mod source;
pub(crate) mod suggest;
mod text;
mod topology;
mod tree;
mod types;
mod write;

pub use error::{ConfigError, Diagnostic, Excerpt};
pub use idle::{Purpose, idle};
pub use overrides::Overrides;
pub use source::{Source, built_in_names, find};
pub use types::{
    BackpropConfig, DataConfig, DataSource, DeviceChoice, Experiment, RunConfig, SimulationConfig,
    TrainingConfig,
};
