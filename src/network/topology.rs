//! Named architectures, expanded to projections (model, section 5).

use super::Projection;

/// A named architecture. This version runs functionally feedforward networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Each population projects to the next.
    LayeredFeedforward,
    /// A list of projections.
    Custom,
}

impl Architecture {
    /// All of them, with the names they have in files.
    pub const NAMES: [(&'static str, Architecture); 2] =
        [("layered-feedforward", Architecture::LayeredFeedforward), ("custom", Architecture::Custom)];
}

/// Projections of `layered-feedforward` between `populations` populations, with a factor each.
#[must_use]
pub fn expand(populations: usize, factors: &[f64]) -> Vec<Projection> {
    (1..populations)
        .map(|post| Projection {
            pre: post - 1,
            post,
            factor: factors.get(post - 1).copied().unwrap_or(1.0),
            clip: None,
        })
        .collect()
}
