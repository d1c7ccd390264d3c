//! Choices that cost more or less and change results by rounding alone, of f32 or of the products of short numbers.

/// Whether presentations of static samples run with resident weights: the same results to rounding, at another cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resident {
    /// Where it applies and counted operations say that it pays.
    Auto,
    /// Wherever it applies.
    Always,
    /// Never.
    Never,
}

impl Resident {
    /// All of them, with the names they have in files.
    pub const NAMES: [(&'static str, Resident); 3] =
        [("auto", Resident::Auto), ("always", Resident::Always), ("never", Resident::Never)];
}

/// How a processor multiplies what weights learn from, δ and r̄ of a batch, in f32: `Ẇ = κ Σ δ r̄ᵀ` and its products with the patterns of the
/// input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearningProducts {
    /// Where the processor multiplies tiles of bfloat16 (AMX) and more than 32 trajectories step as a whole, each number as the sum of two of
    /// those: what is left out is below 5e-5 of the sum of absolute terms, some millionths of it on average.
    Auto,
    /// In f32 everywhere.
    Full,
}

impl LearningProducts {
    /// Both, with the names they have in files.
    pub const NAMES: [(&'static str, LearningProducts); 2] =
        [("auto", LearningProducts::Auto), ("full", LearningProducts::Full)];
}
