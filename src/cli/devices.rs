//! `devices`: what can be chosen with `--device`.

use super::{Failure, print};
use crate::gpu;

/// Arguments of `devices`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Runs the subcommand.
pub(super) fn run(_: &Args) -> Result<(), Failure> {
    let tiles = if crate::cpu::has_tiles() { ", tiles of bfloat16 (AMX)" } else { "" };
    let threads = rayon::current_num_threads();
    let mut text = format!("cpu    this machine's processor, {threads} threads, f32 and f64{tiles}\n");
    let adapters = gpu::adapters();
    for a in &adapters {
        text.push_str(&describe(a));
    }
    if adapters.is_empty() {
        text.push_str("no GPU adapter found: install the driver of your GPU (Vulkan, Metal or DirectX 12)\n");
    }
    let hardware = adapters.iter().any(|a| !a.is_software);
    text.push_str(if hardware {
        "--device auto takes a hardware GPU\n"
    } else {
        "--device auto takes the CPU: there is no hardware GPU\n"
    });
    print(&text)
}

/// Two or three lines for an adapter.
fn describe(a: &gpu::AdapterInfo) -> String {
    let mib = |bytes: u64| bytes >> 20;
    let mut text = format!(
        "{:<6} {}: {}, {}, driver {} {}\n       buffers up to {} MiB ({} MiB seen by a shader), {} KiB workgroup memory, {} invocations a workgroup\n",
        a.index,
        a.name,
        a.kind,
        a.backend,
        a.driver,
        a.driver_info,
        mib(a.max_buffer),
        mib(a.max_binding),
        a.workgroup_memory >> 10,
        a.invocations
    );
    if a.is_software {
        text.push_str(
            "       runs on the processor: for tests, chosen only by index or name; the CPU path is faster\n",
        );
    }
    text
}
