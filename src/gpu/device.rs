//! An opened adapter, its pipelines and its faults.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::adapter::AdapterInfo;
use super::error::GpuError;
use super::pipelines::Pipelines;
use crate::kernels::host::Profile;

/// An opened adapter; cheap to clone. Executors of one device share its compiled shaders.
#[derive(Clone)]
pub struct Device {
    inner: Arc<Inner>,
    profile: Profile,
    tiles_by: TilesBy,
    block_limit: u64,
    factors_from: usize,
}

/// Who chose the tiles of matrix products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TilesBy {
    /// The class of the adapter.
    #[default]
    Class,
    /// The user, by name.
    User,
    /// A measurement in this process.
    Measured,
    /// A measurement of an earlier process.
    Cached,
    /// The run that goes on.
    Run,
}

impl TilesBy {
    /// In words.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Class => "default of its class",
            Self::User => "as asked for",
            Self::Measured => "measured now",
            Self::Cached => "measured earlier",
            Self::Run => "as the run began",
        }
    }
}

struct Inner {
    /// For [`Device::reopened`].
    adapter: wgpu::Adapter,
    info: AdapterInfo,
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipelines: Mutex<Pipelines>,
    fault: Arc<Mutex<Option<GpuError>>>,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device")
            .field("info", &self.inner.info)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

impl Device {
    /// Opens an adapter with its own limits: large buffers need more than the defaults.
    pub(super) fn open(adapter: &wgpu::Adapter, info: AdapterInfo) -> Result<Self, GpuError> {
        let desc = wgpu::DeviceDescriptor {
            label: Some("lagrange-gpu"),
            // For the time of kernels; nothing else depends on it.
            required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
            required_limits: adapter.limits(),
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&desc))
            .map_err(|e| GpuError::Open { adapter: info.name.clone(), reason: e.to_string() })?;
        let fault = Arc::new(Mutex::new(None));
        watch(&device, &fault, &info.name);
        let profile = class_default(&info);
        let pipelines = Mutex::new(Pipelines::default());
        let block_limit = info.max_binding.min(info.max_buffer);
        let adapter = adapter.clone();
        let inner = Arc::new(Inner { adapter, info, device, queue, pipelines, fault });
        let tiles_by = TilesBy::Class;
        Ok(Self { inner, profile, tiles_by, block_limit, factors_from: super::factors::FROM })
    }

    /// The same adapter opened once more: what fails there fails there alone.
    ///
    /// # Errors
    /// If its driver refuses.
    pub fn reopened(&self) -> Result<Self, GpuError> {
        let Inner { adapter, info, .. } = &*self.inner;
        let Self { inner, profile, .. } = Self::open(adapter, info.clone())?;
        Ok(Self { inner, profile, ..*self })
    }

    /// Name of the adapter.
    #[must_use]
    pub fn name(&self) -> String {
        self.inner.info.name.clone()
    }

    /// Backend and driver.
    #[must_use]
    pub fn driver(&self) -> String {
        let info = &self.inner.info;
        format!("{} {} {}", info.backend, info.driver, info.driver_info).trim_end().to_owned()
    }

    /// All that is known of the adapter.
    #[must_use]
    pub fn info(&self) -> &AdapterInfo {
        &self.inner.info
    }

    /// Whether it computes on the processor.
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.inner.info.is_software
    }

    /// How matrix products are tiled on it. Part of what makes a run repeat bit by bit.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// The tiles that an adapter of its class has unless others are asked for or faster.
    #[must_use]
    pub fn default_profile(&self) -> Profile {
        class_default(&self.inner.info)
    }

    /// The same device with other tiles.
    #[must_use]
    pub fn with_profile(&self, profile: Profile) -> Self {
        Self { inner: Arc::clone(&self.inner), profile, ..*self }
    }

    /// The same device with tiles that somebody chose.
    #[must_use]
    pub fn with_tiles(&self, profile: Profile, tiles_by: TilesBy) -> Self {
        Self { inner: Arc::clone(&self.inner), profile, tiles_by, ..*self }
    }

    /// Who chose its tiles.
    #[must_use]
    pub fn tiles_by(&self) -> TilesBy {
        self.tiles_by
    }

    /// The same device with a smaller bound on the bytes of a weight block, beyond which it is kept in several buffers of whole rows.
    #[must_use]
    pub fn with_block_limit(&self, bytes: u64) -> Self {
        Self { inner: Arc::clone(&self.inner), block_limit: self.block_limit.min(bytes), ..*self }
    }

    /// The same device with derivatives in factors of all weight blocks from so many elements on, where factors pay.
    #[must_use]
    pub fn with_factors_from(&self, elements: usize) -> Self {
        Self { inner: Arc::clone(&self.inner), factors_from: elements, ..*self }
    }

    /// Whether it tells the time of what it runs.
    #[must_use]
    pub fn has_timestamps(&self) -> bool {
        self.inner.device.features().contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    pub(super) fn factors_from(&self) -> usize {
        self.factors_from
    }

    pub(super) fn block_limit(&self) -> u64 {
        self.block_limit
    }

    pub(super) fn raw(&self) -> &wgpu::Device {
        &self.inner.device
    }

    pub(super) fn queue(&self) -> &wgpu::Queue {
        &self.inner.queue
    }

    pub(super) fn pipelines(&self) -> MutexGuard<'_, Pipelines> {
        self.inner.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first fault that wgpu reported since the device was opened. It stays: nothing after it can be trusted.
    pub(super) fn check(&self) -> Result<(), GpuError> {
        let fault = self.inner.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.as_ref().map_or(Ok(()), |fault| Err(fault.clone()))
    }

    /// Waits for a submission, or for all of them.
    pub(super) fn wait(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<(), GpuError> {
        let poll = wgpu::PollType::Wait { submission_index: submission, timeout: None };
        let waited = self.inner.device.poll(poll);
        self.check()?;
        waited.map(|_| ()).map_err(|e| self.lost(&e.to_string()))
    }

    pub(super) fn lost(&self, reason: &str) -> GpuError {
        GpuError::Lost { adapter: self.name(), reason: reason.into() }
    }
}

fn class_default(info: &AdapterInfo) -> Profile {
    if info.is_software { Profile::Software } else { Profile::Small }
}

/// Keeps the first fault instead of wgpu's default, which is to panic.
fn watch(device: &wgpu::Device, fault: &Arc<Mutex<Option<GpuError>>>, name: &str) {
    let keep = |fault: &Mutex<Option<GpuError>>, error: GpuError| {
        log::debug!("{error}");
        fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    };
    let (errors, adapter) = (Arc::clone(fault), name.to_owned());
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        let (adapter, reason) = (adapter.clone(), error.to_string());
        let error = match error {
            wgpu::Error::OutOfMemory { .. } => GpuError::Memory { adapter, reason },
            _ => GpuError::Refused { adapter, reason },
        };
        keep(&errors, error);
    }));
    let (losses, adapter) = (Arc::clone(fault), name.to_owned());
    device.set_device_lost_callback(move |reason, message| {
        // Dropping the device at the end of a run is no loss.
        if reason != wgpu::DeviceLostReason::Destroyed {
            keep(&losses, GpuError::Lost { adapter: adapter.clone(), reason: message });
        }
    });
}
