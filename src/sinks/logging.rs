//! Log messages that do not tear the progress bar apart.

use indicatif::MultiProgress;
use indicatif_log_bridge::LogWrapper;

/// Sends what the `log` crate gets to stderr, with the bars of `bars` out of the way meanwhile. `RUST_LOG` chooses what
/// is shown; without it, warnings and errors.
///
/// # Errors
/// If there is a logger already.
pub fn init_logging(bars: &MultiProgress) -> Result<(), log::SetLoggerError> {
    let environment = env_logger::Env::default().default_filter_or("warn");
    let logger = env_logger::Builder::from_env(environment).format_timestamp_secs().build();
    let level = logger.filter();
    LogWrapper::new(bars.clone(), logger).try_init()?;
    log::set_max_level(level);
    Ok(())
}
