//! Ctrl-C, SIGTERM and a hang-up: the run finishes the mini-batches in flight, saves, and ends with the exit code of the signal.
//!
//! A second signal ends it at once; what was saved before stays whole. One that comes within a second of the first is the same
//! request: `timeout`, for one, sends each signal twice, to the program and to its group.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Signals closer together than this are one request.
const ONE_REQUEST: Duration = Duration::from_secs(1);
/// How often to look whether a request came.
const LOOK: Duration = Duration::from_millis(100);

/// Whether the run was asked to stop, and by which signal.
pub(super) struct Interrupt {
    stop: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
    /// The next signal ends the program.
    armed: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens from now on. Where that is not possible, a signal ends the program at once, and a warning says so.
    pub(super) fn listen() -> Self {
        let this = Self {
            stop: Arc::default(),
            signal: Arc::new(AtomicUsize::new(SIGINT as usize)),
            armed: Arc::default(),
        };
        for signal in signals() {
            if let Err(error) = this.register(signal) {
                log::warn!("signal {signal} will end the program at once, without saving: {error}");
            }
        }
        let (stop, armed) = (Arc::downgrade(&this.stop), Arc::clone(&this.armed));
        let watch = std::thread::Builder::new().name("signals".to_owned());
        if let Err(error) = watch.spawn(move || arm(&stop, &armed)) {
            log::warn!("a second signal will not end the program: {error}");
        }
        this
    }

    /// The end of the program goes first, for it is not for the signal that arms it; then the number, so that who sees the flag finds it.
    fn register(&self, signal: i32) -> io::Result<()> {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&self.armed))?;
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

/// Waits for a request, and a little longer; ends with the [`Interrupt`] or once armed.
fn arm(stop: &Weak<AtomicBool>, armed: &AtomicBool) {
    // The handlers hold the flag too, for as long as the program runs.
    while let Some(stop) = stop.upgrade() {
        if stop.load(Ordering::SeqCst) {
            std::thread::sleep(ONE_REQUEST);
            armed.store(true, Ordering::SeqCst);
            return;
        }
        drop(stop);
        std::thread::sleep(LOOK);
    }
}

/// The signals that ask to stop. A hang-up is not one of them under `nohup`, which has it ignored.
fn signals() -> Vec<i32> {
    #[cfg(unix)]
    if !is_ignored(signal_hook::consts::SIGHUP) {
        return vec![SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
    }
    vec![SIGINT, SIGTERM]
}

/// Whether the program was started with this signal ignored.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action the call only fills in the present one, which is plain data for which zeros are valid.
    let now = unsafe {
        if libc::sigaction(signal, std::ptr::null(), now.as_mut_ptr()) != 0 {
            return false;
        }
        now.assume_init()
    };
    now.sa_sigaction == libc::SIG_IGN
}
