//! Which build this is: results are quoted with it.

/// Version of the program, from `Cargo.toml`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Commit this program was built from: 12 digits, `-dirty` if something was not committed; `unknown` outside a
/// checkout.
pub const COMMIT: &str = env!("LAGRANGE_GPU_COMMIT");

/// Version and commit in one line: `0.1.0 (a7a4a0b00000)`.
pub const LONG: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("LAGRANGE_GPU_COMMIT"), ")");
