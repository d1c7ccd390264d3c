//! All of wgpu: device choice, buffers, recording, readback.

use std::sync::Arc;

use crate::dynamics::Model;
use crate::engine::{Snapshot, Work};
use crate::plan::Buf;

/// Why a GPU could not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// No adapter.
    #[error("no adapter")]
    None,
}

/// An opened adapter; cheap to clone.
#[derive(Clone, Debug)]
pub struct Device;

impl Device {
    /// Name of the adapter.
    #[must_use]
    pub fn name(&self) -> String {
        String::new()
    }
    /// Backend and driver.
    #[must_use]
    pub fn driver(&self) -> String {
        String::new()
    }
}

/// Runs the plans of a model on an adapter.
pub struct Executor;

#[allow(missing_docs, clippy::missing_errors_doc, clippy::unused_self)]
impl Executor {
    pub fn new(_device: &Device, _model: Arc<Model>) -> Result<Self, GpuError> {
        Err(GpuError::None)
    }
    pub fn write(&mut self, _buf: Buf, _data: &[f64]) -> Result<(), GpuError> {
        Err(GpuError::None)
    }
    pub fn write_bytes(&mut self, _buf: Buf, _data: &[u8]) -> Result<(), GpuError> {
        Err(GpuError::None)
    }
    pub fn read(&mut self, _buf: Buf) -> Result<Vec<f64>, GpuError> {
        Err(GpuError::None)
    }
    pub fn set_iterations(&mut self, _count: usize) {}
    pub fn submit(&mut self, _ticket: u64, _work: &[Work]) -> Result<(), GpuError> {
        Err(GpuError::None)
    }
    pub fn collect(&mut self, _ticket: u64) -> Result<Snapshot, GpuError> {
        Err(GpuError::None)
    }
}

/// Which adapter.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Choice {
    Hardware,
    Index(usize),
    Name(String),
}
/// Opens.
#[allow(clippy::missing_errors_doc)]
pub fn open(_: &Choice) -> Result<Device, GpuError> {
    Err(GpuError::None)
}
/// Info.
#[derive(Clone, Debug)]
pub struct AdapterInfo {
    /// sw
    pub is_software: bool,
}
impl AdapterInfo {
    /// Text.
    #[must_use]
    pub fn describe(&self) -> String {
        String::new()
    }
}
/// All.
#[must_use]
pub fn adapters() -> Vec<AdapterInfo> {
    Vec::new()
}
