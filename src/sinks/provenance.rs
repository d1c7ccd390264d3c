//! Where a result comes from: enough to repeat it.

use std::time::SystemTime;

use serde::Serialize;
use sysinfo::{CpuRefreshKind, RefreshKind, System};

use super::clock;
use crate::train::Header;

/// Content of `provenance.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// Commit it was built from.
    pub commit: String,
    /// Device that really ran.
    pub device: String,
    /// Backend and driver.
    pub driver: String,
    /// How an adapter tiles matrix products, and who chose that; empty for the processor.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tiles: String,
    /// Floating-point type.
    pub precision: String,
    /// Seed of all random streams.
    pub seed: u64,
    /// How the network learns.
    pub rule: String,
    /// Where the data came from.
    pub data: String,
    /// Start of the run, UTC, RFC 3339.
    pub started: String,
    /// The command with its arguments.
    pub command_line: Vec<String>,
    /// Operating system.
    pub os: String,
    /// Architecture of the processor.
    pub arch: String,
    /// Model of the processor, where the system tells.
    pub cpu: Option<String>,
}

impl Provenance {
    /// What `header` says, and what can be learned of this process and machine.
    #[must_use]
    pub fn new(header: &Header, started: SystemTime) -> Self {
        Self {
            version: header.version.clone(),
            commit: header.commit.clone(),
            device: header.device.clone(),
            driver: header.driver.clone(),
            tiles: header.tiles.clone(),
            precision: header.precision.clone(),
            seed: header.seed,
            rule: header.rule.clone(),
            data: header.data.clone(),
            started: clock::readable(started),
            command_line: std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect(),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cpu: cpu_model(),
        }
    }
}

/// Model of the processor, where the system tells.
pub(crate) fn cpu_model() -> Option<String> {
    let system = System::new_with_specifics(RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()));
    system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).filter(|brand| !brand.is_empty())
}
