//! From `--device` to an opened device.

use super::{Failure, say};
use crate::config::DeviceChoice;
use crate::engine::{Device, Precision};
use crate::gpu::{self, GpuError};

/// Opens the chosen device. `auto` is a hardware GPU or else the CPU, and then says why; a GPU computes in f32, so `auto` with f64
/// is the CPU. An impossible choice is an error, never a substitute.
///
/// # Errors
/// [`Failure::Device`] where there is no such device; [`Failure::Usage`] for f64 on a GPU.
pub fn open(choice: &DeviceChoice, precision: Precision) -> Result<Device, Failure> {
    let gpu_choice = match choice {
        DeviceChoice::Cpu => return Ok(Device::Cpu(precision)),
        DeviceChoice::Auto => return Ok(auto(precision)),
        DeviceChoice::Gpu => gpu::Choice::Hardware,
        DeviceChoice::Index(index) => gpu::Choice::Index(*index),
        DeviceChoice::Name(name) => gpu::Choice::Name(name.clone()),
    };
    if precision == Precision::F64 {
        return Err(Failure::usage(anyhow::anyhow!(
            "device '{choice}' computes in f32 only, but the precision is f64; use --precision f32 or --device cpu"
        )));
    }
    gpu::open(&gpu_choice).map(Device::Gpu).map_err(|error| refused(&gpu_choice, error))
}

fn auto(precision: Precision) -> Device {
    let why = match precision {
        Precision::F64 => "only the CPU computes in f64".to_owned(),
        Precision::F32 => match gpu::open(&gpu::Choice::Hardware) {
            Ok(device) => return Device::Gpu(device),
            Err(GpuError::NoAdapter { .. }) => {
                "there is no hardware GPU with a driver (see `lagrange-gpu devices`)".to_owned()
            }
            // There is one, and it does not work: worth knowing.
            Err(error) => error.to_string(),
        },
    };
    say(&format!("device: auto takes the CPU: {why}"));
    Device::Cpu(precision)
}

/// The error, with what to do about a GPU that is not in its list.
fn refused(choice: &gpu::Choice, error: GpuError) -> Failure {
    match (choice, &error) {
        (gpu::Choice::Index(_) | gpu::Choice::Name(_), GpuError::NoAdapter { .. }) => {
            Failure::device(anyhow::anyhow!(
                "{error}; for a GPU that is not in the list, install its driver (Vulkan, Metal or DirectX 12); --device cpu needs none"
            ))
        }
        _ => Failure::device(error),
    }
}
