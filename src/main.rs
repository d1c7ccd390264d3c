//! The `lagrange-gpu` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    quiet_without_a_display();
    lagrange_gpu::cli::main()
}

/// Mesa's device-selection layer looks for a Wayland display and complains on standard error where there is none, as in
/// containers and on headless machines. There is nothing to select by a display then.
fn quiet_without_a_display() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() && std::env::var_os("NODEVICE_SELECT").is_none() {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}
