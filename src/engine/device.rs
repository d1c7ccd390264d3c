//! Where a model runs, and in which numbers.

use crate::gpu;

/// Floating-point type of the CPU path; GPUs compute in `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Single.
    F32,
    /// Double.
    F64,
}

impl Precision {
    /// Both, with the names they have in files.
    pub const NAMES: [(&'static str, Precision); 2] = [("f32", Precision::F32), ("f64", Precision::F64)];

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        if self == Self::F32 { "f32" } else { "f64" }
    }
}

/// A device that was chosen and opened.
#[derive(Clone, Debug)]
pub enum Device {
    /// The processor.
    Cpu(Precision),
    /// A wgpu adapter.
    Gpu(gpu::Device),
}

impl Device {
    /// Name for headers and provenance.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Cpu(_) => format!("CPU, {} threads", rayon::current_num_threads()),
            Self::Gpu(device) => device.name(),
        }
    }

    /// Driver and backend.
    #[must_use]
    pub fn driver(&self) -> String {
        match self {
            Self::Cpu(_) => "plain Rust".into(),
            Self::Gpu(device) => device.driver(),
        }
    }

    /// How an adapter tiles matrix products, and who chose that; empty for the processor.
    #[must_use]
    pub fn tiles(&self) -> String {
        match self {
            Self::Cpu(_) => String::new(),
            Self::Gpu(device) => {
                format!("{} tiles ({})", device.profile().name(), device.tiles_by().describe())
            }
        }
    }

    /// Name of the tiles alone; empty for the processor.
    #[must_use]
    pub fn profile(&self) -> &'static str {
        if let Self::Gpu(device) = self { device.profile().name() } else { "" }
    }

    /// The floating-point type it computes in.
    #[must_use]
    pub fn precision(&self) -> Precision {
        match self {
            Self::Cpu(precision) => *precision,
            Self::Gpu(_) => Precision::F32,
        }
    }
}
