//! `lagrange-gpu`: training of neuronal least-action (NLA) networks in real time.
//!
//! The theory is Senn, Dold, Kungl, Ellenberger, Jordan, Bengio, Sacramento & Petrovici, *A neuronal
//! least-action principle for real-time learning in cortical circuits*, eLife 12:RP89674 (2024). Each neuron
//! descends the gradient of one Lagrangian in a coordinate that looks ahead by the membrane time constant; rates
//! that are prospective by the same amount cancel the delays of the membranes, so that local plasticity follows
//! the gradient of the cost at every moment.
//!
//! How the crate is laid out, in the direction in which data flows:
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`mod@bench`] | speed: cases, ceilings of the device, reports |
//! | [`checkpoint`] | parameters and checkpoints on disk |
//! | [`completion`] | scores of predicted electrodes, baselines |
//! | [`config`] | experiment files: parsing, validation, resolved form |
//! | [`network`] | populations, projections, initialisation, parameters |
//! | [`dynamics`] | the equations, turned into a [`plan`] of kernel calls |
//! | [`plan`] | the plan itself: buffers, calls, loops |
//! | [`kernels`] | the host side of each kernel: arguments and dispatch size |
//! | [`cpu`] | the same kernels in plain Rust, for `f64` and `f32` |
//! | [`gpu`] | the executor on wgpu; the only place that names it |
//! | [`engine`] | one interface to the executors, device choice |
//! | [`schedule`] | learning-rate schedules over simulated time |
//! | [`probe`] | recordings of chosen neurons while a network runs |
//! | [`random`] | seeded random streams |
//! | [`data`] | MNIST and other data sets, arrays, the scheduler |
//! | [`train`] | the trainer, its events and metrics |
//! | [`tune`] | tiles of matrix products: measured, chosen, remembered |
//! | [`evaluate`] | answers and scores of a network with given parameters |
//! | [`simulate`] | a given network on a given stimulus |
//! | [`plot`] | pictures of runs: SVG and PNG |
//! | [`sinks`] | what listens to events: progress, JSON lines, run directory |
//! | [`cli`] | the subcommands |
//! | [`version`] | version and commit of this build |
//!
//! Units everywhere: time in ms, voltages dimensionless, learning rates per ms.

pub mod bench;
pub mod checkpoint;
pub mod cli;
pub mod completion;
pub mod config;
pub mod cpu;
pub mod data;
pub mod dynamics;
pub mod engine;
pub mod evaluate;
pub mod gpu;
pub mod kernels;
pub mod network;
pub mod plan;
pub mod plot;
pub mod probe;
pub mod random;
pub mod schedule;
pub mod simulate;
pub mod sinks;
pub mod train;
pub mod tune;
pub mod version;
