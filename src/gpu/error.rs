//! What can go wrong on a GPU, in words that say what to do.

use crate::kernels::host::PlaceError;

/// Why a GPU could not do what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
    /// The machine offers no adapter that fits.
    #[error("no {wanted} was found; this machine offers:\n{found}\n{advice}")]
    NoAdapter {
        /// What was asked for.
        wanted: String,
        /// The adapters there are, one a line.
        found: String,
        /// What to install or to choose instead.
        advice: String,
    },
    /// The driver refused to open the adapter.
    #[error("adapter '{adapter}' could not be opened: {reason}; update its driver or choose another adapter")]
    Open {
        /// Name of the adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// A buffer exceeds a limit of the adapter.
    #[error(
        "buffer '{buffer}' needs {need} bytes, but {limit_name} of adapter '{adapter}' is {limit}: use fewer trajectories (batch) or smaller populations (a large one can be two of half the size), or another device such as the CPU"
    )]
    TooLarge {
        /// Name of the buffer, or of the largest buffers of the arena.
        buffer: String,
        /// Bytes it needs.
        need: u64,
        /// Name of the limit, as wgpu spells it.
        limit_name: &'static str,
        /// Its value.
        limit: u64,
        /// Name of the adapter.
        adapter: String,
    },
    /// More workgroups than a dispatch may have.
    #[error(
        "kernel '{kernel}' would need {need} workgroups in one dimension, adapter '{adapter}' allows {limit}: use fewer trajectories (batch) or smaller populations"
    )]
    TooManyGroups {
        /// Name of the kernel.
        kernel: &'static str,
        /// Workgroups it needs.
        need: u32,
        /// What is allowed.
        limit: u32,
        /// Name of the adapter.
        adapter: String,
    },
    /// More loop iterations than a software adapter computes correctly.
    #[error(
        "kernel '{kernel}' would loop {need} times in one invocation; software adapters such as '{adapter}' end all loops silently after 65,535 iterations, so that more than {limit} are refused: use fewer trajectories (batch), smaller populations, another solver, or the CPU"
    )]
    TooManyLoops {
        /// Name of the kernel.
        kernel: &'static str,
        /// Iterations of the busiest invocation.
        need: u64,
        /// What is allowed.
        limit: u64,
        /// Name of the adapter.
        adapter: String,
    },
    /// A plan uses a buffer where its shader cannot read it.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The device was lost: driver reset, unplugged, or out of memory.
    #[error(
        "adapter '{adapter}' was lost: {reason}; what was computed since results were last saved is gone: run it again, with a newer driver or on another device if this comes back"
    )]
    Lost {
        /// Name of the adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// Out of memory.
    #[error(
        "adapter '{adapter}' is out of memory: {reason}; use fewer trajectories (batch), close other programs that use it, or choose another device"
    )]
    Memory {
        /// Name of the adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// wgpu refused a call or a shader: a defect of this program or of the driver.
    #[error(
        "adapter '{adapter}' refused a call: {reason}; please report this with the name of the adapter and its driver"
    )]
    Refused {
        /// Name of the adapter.
        adapter: String,
        /// What wgpu said.
        reason: String,
    },
    /// A buffer was read or written as what it is not.
    #[error("buffer '{buffer}' holds {holds}, not {asked}")]
    Kind {
        /// Name of the buffer.
        buffer: String,
        /// What it holds.
        holds: String,
        /// What was asked for.
        asked: String,
    },
    /// Data of the wrong length.
    #[error("buffer '{buffer}' holds {want} values, {got} were given")]
    Length {
        /// Name of the buffer.
        buffer: String,
        /// Its elements.
        want: usize,
        /// Values given.
        got: usize,
    },
    /// A ticket that was collected already, or never given.
    #[error("submission {0} has no snapshot to collect")]
    Ticket(u64),
}
