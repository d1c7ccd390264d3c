//! Pattern completion: some output neurons are nudged, the others, the *free electrodes*, are predicted; and what simple predictors make of the
//! same data.
//!
//! A score without its baselines says little of such recordings: neighbouring samples and neighbouring contacts are much alike. So every
//! [`Table`] holds the network beside all [`Method`]s that were fitted on the same training part and scored on the same samples.

mod baselines;
mod moments;
mod nearest;
mod ridge;
mod score;
mod table;

pub use baselines::{Baselines, FitError};
pub use moments::Moments;
pub use nearest::{How, Nearest, contact};
pub use ridge::{LAMBDAS, Ridge};
pub use score::{Electrode, Sums};
pub use table::{Entry, Method, Scorer, Summary, Table};
