//! Named architectures, expanded to projections (model, section 5).

use super::Projection;

/// A named architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Each population projects to the next.
    LayeredFeedforward,
    /// Each population projects to the one before.
    LayeredFeedbackward,
    /// Each population projects to the next and to the one before.
    LayeredRecurrent,
    /// As [`Architecture::LayeredRecurrent`], and each population to itself.
    LayeredRecurrentRecurrent,
    /// Each population projects to the next, and all but the first to themselves.
    InRecurrentOut,
    /// Each population projects to all, itself included.
    FullyRecurrent,
    /// A list of projections.
    Custom,
}

impl Architecture {
    /// All of them, with the names they have in files.
    pub const NAMES: [(&'static str, Architecture); 7] = [
        ("layered-feedforward", Architecture::LayeredFeedforward),
        ("layered-feedbackward", Architecture::LayeredFeedbackward),
        ("layered-recurrent", Architecture::LayeredRecurrent),
        ("layered-recurrent-recurrent", Architecture::LayeredRecurrentRecurrent),
        ("in-recurrent-out", Architecture::InRecurrentOut),
        ("fully-recurrent", Architecture::FullyRecurrent),
        ("custom", Architecture::Custom),
    ];

    /// Its projections between `populations` populations, all with factor 1 and without self-connections; with `only_discriminative` none
    /// into the input population. None at all for a custom list.
    #[must_use]
    pub fn projections(self, populations: usize, only_discriminative: bool) -> Vec<Projection> {
        let up = || (1..populations).map(|k| (k - 1, k));
        let down = || (1..populations).map(|k| (k, k - 1));
        let own = || (0..populations).map(|k| (k, k));
        let ends: Vec<(usize, usize)> = match self {
            Self::LayeredFeedforward => up().collect(),
            Self::LayeredFeedbackward => down().collect(),
            Self::LayeredRecurrent => up().chain(down()).collect(),
            Self::LayeredRecurrentRecurrent => up().chain(down()).chain(own()).collect(),
            Self::InRecurrentOut => up().chain(own().skip(1)).collect(),
            Self::FullyRecurrent => {
                (0..populations).flat_map(|post| (0..populations).map(move |pre| (pre, post))).collect()
            }
            Self::Custom => Vec::new(),
        };
        let kept = ends.into_iter().filter(|&(_, post)| !(only_discriminative && post == 0));
        kept.map(|(pre, post)| Projection::between(pre, post)).collect()
    }
}

/// Projections of `layered-feedforward` between `populations` populations, with a factor each.
#[must_use]
pub fn expand(populations: usize, factors: &[f64]) -> Vec<Projection> {
    let mut all = Architecture::LayeredFeedforward.projections(populations, false);
    for (p, &factor) in all.iter_mut().zip(factors) {
        p.factor = factor;
    }
    all
}
