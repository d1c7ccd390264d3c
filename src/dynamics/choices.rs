//! What can be chosen of an integration by name.

/// Integration scheme (model, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrator {
    /// Solves `H u̇ = rhs`.
    Exact,
    /// Explicit, guess = last u̇.
    Euler,
    /// Explicit, guess extrapolated from two steps.
    Richardson1,
    /// Explicit, guess extrapolated from u̇₁, u̇₂, u̇₄.
    Richardson2,
    /// Newton on `f(u_{n+1}) = e^{−dt/τ} f(u_n)`, for large steps.
    Equilibrium,
}

impl Integrator {
    /// All of them, with the names they have in files.
    pub const NAMES: [(&'static str, Integrator); 5] = [
        ("exact", Integrator::Exact),
        ("euler", Integrator::Euler),
        ("richardson1", Integrator::Richardson1),
        ("richardson2", Integrator::Richardson2),
        ("equilibrium", Integrator::Equilibrium),
    ];

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// Weights of u̇₁ … u̇₄ in the guess of the explicit schemes.
    #[must_use]
    pub fn guess_weights(self) -> [f64; 4] {
        match self {
            Self::Exact | Self::Euler | Self::Equilibrium => [1.0, 0.0, 0.0, 0.0],
            Self::Richardson1 => [2.0, -1.0, 0.0, 0.0],
            Self::Richardson2 => [8.0 / 3.0, -2.0, 0.0, 1.0 / 3.0],
        }
    }

    /// The interval of eigenvalues of H for which the scheme is stable, with `k = dt/τ`.
    #[must_use]
    pub fn stable(self, k: f64) -> (f64, f64) {
        match self {
            Self::Exact | Self::Equilibrium => (0.0, f64::INFINITY),
            Self::Euler => (0.0, 4.0 / (2.0 + k)),
            Self::Richardson1 => (k / (1.0 + k), 8.0 / (6.0 + k)),
            Self::Richardson2 => (0.45 + 0.5 * k, 16.0 / (13.0 + 1.5 * k)),
        }
    }
}

/// Equation of motion (model, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dynamics {
    /// Neuronal least action: `(1 + τ d/dt) f = 0`.
    Nla,
    /// `τ u̇ = −f`: no look-ahead.
    GradientFlow,
    /// `J u̇ = −f/τ + s`: the basal voltage looks ahead, the error does not.
    LookaheadRateOnly,
}

impl Dynamics {
    /// All of them, with the names they have in files; one has two.
    pub const NAMES: [(&'static str, Dynamics); 4] = [
        ("nla", Dynamics::Nla),
        ("gradient-flow", Dynamics::GradientFlow),
        ("lookahead-rate-only", Dynamics::LookaheadRateOnly),
        ("no-lookahead", Dynamics::GradientFlow),
    ];

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

/// What the mismatch of a clamped input that something projects into is (model, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputMismatch {
    /// `δ = u − W r̄ − b − x`: its feedback weights learn to predict 0.
    Drive,
    /// `δ = u − W r̄ − b`: they learn to predict the input.
    Prediction,
}

impl InputMismatch {
    /// Both, with the names they have in files.
    pub const NAMES: [(&'static str, InputMismatch); 2] =
        [("drive", InputMismatch::Drive), ("prediction", InputMismatch::Prediction)];

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

/// How `H u̇ = rhs` is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solver {
    /// `output-cg` where ρ'' = 0 and the graph is feedforward, else `cg`.
    Auto,
    /// Conjugate gradients over the free neurons.
    Cg,
    /// Conjugate gradients over the outputs (ρ'' = 0, feedforward).
    OutputCg,
    /// Identity plus rank n_out, inverted exactly (ρ'' = 0, feedforward).
    Woodbury,
    /// Dense factorisation (small networks).
    Dense,
    /// BiCGStab, for systems that are not symmetric: separate feedback weights.
    Bicgstab,
}

impl Solver {
    /// All of them, with the names they have in files.
    pub const NAMES: [(&'static str, Solver); 6] = [
        ("auto", Solver::Auto),
        ("cg", Solver::Cg),
        ("output-cg", Solver::OutputCg),
        ("woodbury", Solver::Woodbury),
        ("dense", Solver::Dense),
        ("bicgstab", Solver::Bicgstab),
    ];

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }
}

/// What to do where H is not positive definite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnIndefinite {
    /// Stop the run.
    Error,
    /// Go on (dense solve of small networks, more iterations otherwise), and count.
    Fallback,
}

impl OnIndefinite {
    /// All of them, with the names they have in files.
    pub const NAMES: [(&'static str, OnIndefinite); 2] =
        [("error", OnIndefinite::Error), ("fallback", OnIndefinite::Fallback)];
}

/// Which derivatives of parameters enter the dynamics of u.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlasticityInDynamics {
    /// None.
    None,
    /// Ẇ.
    Weights,
    /// Ẇ and ḃ.
    All,
}

impl PlasticityInDynamics {
    /// All of them, with the names they have in files.
    pub const NAMES: [(&'static str, PlasticityInDynamics); 3] = [
        ("none", PlasticityInDynamics::None),
        ("weights", PlasticityInDynamics::Weights),
        ("all", PlasticityInDynamics::All),
    ];
}

/// What a bias is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// A parameter of its own: `ḃ = η_b·bias factor·mean δ`, without a bound on ḃ.
    Separate,
    /// The weight from a neuron whose rate is 1: ḃ has the bound of Ẇ and enters the dynamics where Ẇ does. η_b is to be η, and factor and
    /// clip of each population are to be those of the projection into it.
    UnitRate,
}

impl Bias {
    /// Both, with the names they have in files.
    pub const NAMES: [(&'static str, Bias); 2] =
        [("separate", Bias::Separate), ("unit-rate", Bias::UnitRate)];
}
