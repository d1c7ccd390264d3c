//! Activations ρ and their derivatives (model, section 6).

use crate::cpu::Real;

/// ρ, the same for all neurons of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Activation {
    /// `1/(1 + e^{−u})`.
    Sigmoid = 0,
    /// Clip to [0, 1]; ρ' = 1 on the closed interval.
    HardSigmoid = 1,
    /// `max(u, 0)`; ρ'(0) = 0.
    Relu = 2,
    /// Identity.
    Linear = 3,
    /// Hyperbolic tangent.
    Tanh = 4,
}

impl Activation {
    /// All of them, with the names they have in files.
    pub const NAMES: [(&'static str, Activation); 5] = [
        ("sigmoid", Activation::Sigmoid),
        ("hard-sigmoid", Activation::HardSigmoid),
        ("relu", Activation::Relu),
        ("linear", Activation::Linear),
        ("tanh", Activation::Tanh),
    ];

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// Whether ρ'' vanishes wherever it is defined.
    #[must_use]
    pub fn is_piecewise_linear(self) -> bool {
        matches!(self, Self::HardSigmoid | Self::Relu | Self::Linear)
    }

    /// Largest ρ', the unit in which saturation is measured.
    #[must_use]
    pub fn steepest(self) -> f64 {
        if self == Self::Sigmoid { 0.25 } else { 1.0 }
    }

    /// `(ρ, ρ', ρ'')` at `u`.
    #[inline(always)]
    pub fn eval<T: Real>(self, u: T) -> (T, T, T) {
        let (zero, one) = (T::ZERO, T::ONE);
        match self {
            Self::Sigmoid => {
                // e^{−|u|} never overflows, and 1 − ρ is taken from it without cancellation.
                let e = (-u.abs()).exp();
                let (small, large) = (e / (one + e), one / (one + e));
                let (r, q) = if u >= zero { (large, small) } else { (small, large) };
                let d = r * q;
                (r, d, d * (q - r))
            }
            Self::HardSigmoid => {
                let inside = u >= zero && u <= one;
                // Comparisons, not min/max: those would hide a NaN.
                let r = if u < zero {
                    zero
                } else if u > one {
                    one
                } else {
                    u
                };
                (r, if inside { one } else { zero }, zero)
            }
            Self::Relu => {
                if u <= zero {
                    (zero, zero, zero)
                } else {
                    (u, one, zero)
                }
            }
            Self::Linear => (u, one, zero),
            Self::Tanh => {
                let r = u.tanh();
                let d = one - r * r;
                (r, d, -(r + r) * d)
            }
        }
    }
}
