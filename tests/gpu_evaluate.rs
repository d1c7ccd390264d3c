//! Answers of a network on an adapter: as on the processor, independent of order and batch size.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod evaluate_support;
mod gpu_support;

use evaluate_support::{Case, EPS32};
use lagrange_gpu::engine::Device;
use lagrange_gpu::network::Activation;

/// Adapters may fuse or round twice, and divide to 2.5 ulp: four times the unit roundoff of f32.
const EPS: f64 = 4.0 * EPS32;

#[test]
fn order_and_batch_size_change_rounding_only_on_a_gpu() {
    let device = Device::Gpu(gpu_support::device());
    // Few samples: a software adapter takes its time over trajectories one at a time.
    Case::new(&[20, 14, 9, 4], Activation::HardSigmoid, 8, 0.3).check("hard sigmoid", &device, EPS);
    Case::new(&[20, 14, 9, 4], Activation::Sigmoid, 3, 0.5).check("sigmoid", &device, EPS);
}
