//! Where the time of a training run goes, kernel by kernel.

use serde::Serialize;

use crate::engine::{KernelTime, Precision, Timings};

/// Time and counted work of the kernels of a run, of this process alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Profile {
    /// Device that ran them.
    pub device: String,
    /// Wall time of the training alone, seconds; without what a profile itself takes it would be less.
    pub wall_s: f64,
    /// Bytes of a number.
    pub real_bytes: usize,
    /// The kernels. Their seconds are summed over the threads of the processor.
    #[serde(flatten)]
    pub timings: Timings,
}

impl Profile {
    /// Kernels that take most of the time first; where nothing is timed, those with most operations.
    #[must_use]
    pub fn new(device: String, precision: Precision, wall_s: f64, mut timings: Timings) -> Self {
        let weight = |k: &KernelTime| (k.seconds, k.flops, k.calls);
        timings
            .kernels
            .sort_by(|a, b| weight(b).partial_cmp(&weight(a)).unwrap_or(std::cmp::Ordering::Equal));
        let real_bytes = if precision == Precision::F64 { 8 } else { 4 };
        Self { device, wall_s, real_bytes, timings }
    }

    /// Bytes that a kernel reads and writes.
    #[must_use]
    pub fn bytes(&self, kernel: &KernelTime) -> f64 {
        kernel.reals * self.real_bytes as f64 + kernel.bytes
    }
}
