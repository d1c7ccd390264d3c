//! From `--device` to an opened device.

use super::Failure;
use crate::config::DeviceChoice;
use crate::engine::{Device, Precision};
use crate::gpu;

/// Opens the chosen device. `auto` is a hardware GPU or else the CPU; a GPU computes in f32, so `auto` with f64 is the CPU. An
/// impossible choice is an error, never a substitute.
///
/// # Errors
/// [`Failure::Device`] where there is no such device; [`Failure::Usage`] for f64 on a GPU.
pub fn open(choice: &DeviceChoice, precision: Precision) -> Result<Device, Failure> {
    let gpu_choice = match choice {
        DeviceChoice::Cpu => return Ok(Device::Cpu(precision)),
        DeviceChoice::Auto if precision == Precision::F64 => return Ok(Device::Cpu(precision)),
        DeviceChoice::Auto => {
            return Ok(match gpu::open(&gpu::Choice::Hardware) {
                Ok(device) => Device::Gpu(device),
                Err(error) => {
                    log::debug!("no hardware GPU, the CPU runs: {error}");
                    Device::Cpu(precision)
                }
            });
        }
        DeviceChoice::Gpu => gpu::Choice::Hardware,
        DeviceChoice::Index(index) => gpu::Choice::Index(*index),
        DeviceChoice::Name(name) => gpu::Choice::Name(name.clone()),
    };
    if precision == Precision::F64 {
        return Err(Failure::usage(anyhow::anyhow!(
            "device '{choice}' computes in f32 only, but the precision is f64; use --precision f32 or --device cpu"
        )));
    }
    gpu::open(&gpu_choice).map(Device::Gpu).map_err(Failure::device)
}
