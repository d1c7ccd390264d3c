//! The loop trap of software adapters.
//!
//! Mesa's llvmpipe up to 22.3 ends every loop of an invocation once the iterations of all its loops together reach 65,535,
//! with wrong results and no message. Each kernel therefore tells how often its busiest invocation loops, each loop counted once more
//! for its end ([`crate::kernels::host::Invocation::loops`]), and what comes too close is refused.

use super::error::GpuError;

/// Most loop iterations of an invocation on a software adapter.
pub const SOFTWARE_LIMIT: u64 = 60_000;

/// Refuses a call that a software adapter would compute wrongly.
///
/// # Errors
/// [`GpuError::TooManyLoops`].
pub fn check(kernel: &'static str, loops: u64, is_software: bool, adapter: &str) -> Result<(), GpuError> {
    if is_software && loops > SOFTWARE_LIMIT {
        let adapter = adapter.to_owned();
        return Err(GpuError::TooManyLoops { kernel, need: loops, limit: SOFTWARE_LIMIT, adapter });
    }
    Ok(())
}
