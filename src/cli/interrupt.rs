//! Ctrl-C and SIGTERM: the run finishes the mini-batches in flight, saves, and ends with the exit code of the signal.
//!
//! A hang-up keeps what the system or `nohup` made of it. A second signal changes nothing: `timeout` sends each one twice.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether the run was asked to stop, and by which signal.
pub(super) struct Interrupt {
    stop: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Listens from now on. Where that is not possible, a signal ends the program at once, and a warning says so.
    pub(super) fn listen() -> Self {
        let this = Self { stop: Arc::default(), signal: Arc::new(AtomicUsize::new(SIGINT as usize)) };
        for signal in [SIGINT, SIGTERM] {
            if let Err(error) = this.register(signal) {
                log::warn!("signal {signal} will end the program at once, without saving: {error}");
            }
        }
        this
    }

    /// The number first: who sees the flag finds it.
    fn register(&self, signal: i32) -> io::Result<()> {
        flag::register_usize(signal, Arc::clone(&self.signal), signal as usize)?;
        flag::register(signal, Arc::clone(&self.stop))?;
        Ok(())
    }

    /// Set once the run should stop.
    pub(super) fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// Exit code of the signal that came: 128 and its number, as shells have it.
    pub(super) fn code(&self) -> u8 {
        128 + self.signal.load(Ordering::SeqCst) as u8
    }
}
