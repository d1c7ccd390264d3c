//! What has to be the same for a choice to hold.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::engine::Work;
use crate::gpu::AdapterInfo;
use crate::plan::{Cost, Op, Program};
use crate::version;

/// Adapter, driver, program and shapes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Name of the adapter.
    pub adapter: String,
    /// Its vendor and model, as buses have them.
    pub ids: [u32; 2],
    /// Vulkan, Metal, Dx12.
    pub backend: String,
    /// Driver.
    pub driver: String,
    /// Its version.
    pub driver_info: String,
    /// Version and commit of the program.
    pub version: String,
    /// Trajectories, and what the calls of the plans add up to ([`shapes`]).
    pub shapes: String,
}

impl Key {
    /// Of work of a program on an adapter.
    #[must_use]
    pub fn new(info: &AdapterInfo, program: &Program, work: &[Work]) -> Self {
        Self {
            adapter: info.name.clone(),
            ids: [info.vendor, info.model],
            backend: info.backend.clone(),
            driver: info.driver.clone(),
            driver_info: info.driver_info.clone(),
            version: version::LONG.into(),
            shapes: shapes(program, work),
        }
    }

    /// Name of the file of its choice: half of its SHA-256 in hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> String {
        let Self { adapter, ids, backend, driver, driver_info, version, shapes } = self;
        hex(&format!("{:?}", (adapter, ids, backend, driver, driver_info, version, shapes)))
    }
}

fn hex(text: &str) -> String {
    Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The shapes of all calls of the plans that some work runs, as text; numbers that change no time, such as learning rates, are no part of it.
#[must_use]
pub fn shapes(program: &Program, work: &[Work]) -> String {
    let mut text = String::new();
    for work in work {
        let learns = work.controls.iter().any(|c| c.rate_w != 0.0 || c.rate_b != 0.0);
        text += &format!("{:?} {learns}: ", work.plan);
        list(&program.plan(work.plan).ops, program, &mut text);
    }
    let wholes = (program.small.is_some(), program.layered.is_some());
    format!("batch {}, {wholes:?}, {}", program.batch, hex(&text))
}

fn list(ops: &[Op], program: &Program, text: &mut String) {
    for op in ops {
        match op {
            Op::Call(call) => {
                let Cost { flops, reals, bytes, .. } = Cost::of(call, program);
                *text += &format!("{} {flops} {reals} {bytes}; ", call.name());
            }
            Op::Loop(l) => {
                *text += "loop { ";
                list(&l.body, program, text);
                *text += "} ";
            }
        }
    }
}
