//! The `lagrange-gpu` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    lagrange_gpu::cli::main()
}
