//! How a subcommand fails, and the exit code that says so.

use std::fmt;

/// A failure with its exit code.
#[derive(Debug)]
pub enum Failure {
    /// Usage, configuration or data: exit code 2.
    Usage(anyhow::Error),
    /// No suitable device: exit code 3.
    Device(anyhow::Error),
    /// The run itself: exit code 1.
    Run(anyhow::Error),
    /// Stopped by a signal after what was computed was saved.
    Interrupted {
        /// What was saved, and where.
        what: String,
        /// 130 after Ctrl-C, 143 after SIGTERM.
        code: u8,
    },
}

impl Failure {
    /// Usage, configuration or data.
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }
    /// No suitable device.
    pub fn device(error: impl Into<anyhow::Error>) -> Self {
        Self::Device(error.into())
    }
    /// The run itself.
    pub fn run(error: impl Into<anyhow::Error>) -> Self {
        Self::Run(error.into())
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Run(_) => 1,
            Self::Usage(_) => 2,
            Self::Device(_) => 3,
            Self::Interrupted { code, .. } => *code,
        }
    }

    /// Prints the failure once, to standard error.
    pub fn print(&self) {
        use std::io::Write;
        // Nobody is left to tell if standard error is closed.
        let _ = writeln!(std::io::stderr(), "{self}");
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) | Self::Device(error) | Self::Run(error) => write!(f, "error: {error:#}"),
            Self::Interrupted { what, .. } => write!(f, "interrupted: {what}"),
        }
    }
}
