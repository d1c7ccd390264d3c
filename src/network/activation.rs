//! Activations ρ and their derivatives (model, section 6).

use crate::cpu::Real;

/// ρ, the same for all neurons of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `1/(1 + e^{−u})`.
    Sigmoid,
    /// Clip to [0, 1]; ρ' = 1 on the closed interval.
    HardSigmoid,
    /// `max(u, 0)`; ρ'(0) = 0.
    Relu,
    /// Identity.
    Linear,
    /// Hyperbolic tangent.
    Tanh,
    /// `ln(1 + eᵘ)`.
    Softplus,
    /// The threshold that short-term depression leaves: `½(u − θ + √((u − θ)² + 4u/d))`, `θ = (1 + a)/d`, for u ≥ 0, and 0 below;
    /// ρ'(0) = 1/(1 + a), and ρ' tends to 1.
    Depression {
        /// How far the slope at 0 is below 1; ≥ 0.
        a: f64,
        /// Inverse of the rate over which the slope rises; > 0.
        d: f64,
    },
}

impl Activation {
    /// All of them, with the names they have in files; where there are parameters, with their defaults.
    pub const NAMES: [(&'static str, Activation); 7] = [
        ("sigmoid", Activation::Sigmoid),
        ("hard-sigmoid", Activation::HardSigmoid),
        ("relu", Activation::Relu),
        ("linear", Activation::Linear),
        ("tanh", Activation::Tanh),
        ("softplus", Activation::Softplus),
        ("depression", Activation::Depression { a: 0.5, d: 2.0 }),
    ];

    /// Its number in kernels, and its place in [`Activation::NAMES`].
    #[must_use]
    pub fn code(self) -> u32 {
        match self {
            Self::Sigmoid => 0,
            Self::HardSigmoid => 1,
            Self::Relu => 2,
            Self::Linear => 3,
            Self::Tanh => 4,
            Self::Softplus => 5,
            Self::Depression { .. } => 6,
        }
    }

    /// Its parameters a and d; 0 where it has none.
    #[must_use]
    pub fn parameters(self) -> (f64, f64) {
        match self {
            Self::Depression { a, d } => (a, d),
            _ => (0.0, 0.0),
        }
    }

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self.code() as usize].0
    }

    /// Whether ρ'' vanishes wherever it is defined.
    #[must_use]
    pub fn is_piecewise_linear(self) -> bool {
        matches!(self, Self::HardSigmoid | Self::Relu | Self::Linear)
    }

    /// Whether ρ' is continuous: without kinks, every step of `equilibrium` has a root.
    #[must_use]
    pub fn is_smooth(self) -> bool {
        !matches!(self, Self::HardSigmoid | Self::Relu | Self::Depression { .. })
    }

    /// Largest ρ' (or its limit), the unit in which saturation is measured.
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
            Self::Softplus => {
                // As the sigmoid; ρ' is one.
                let e = (-u.abs()).exp();
                let (small, large) = (e / (one + e), one / (one + e));
                let tail = e.ln_1p();
                if u >= zero { (u + tail, large, small * large) } else { (tail, small, small * large) }
            }
            Self::Depression { a, d } => depression(u, T::of(a), T::of(d)),
        }
    }
}

/// With `v = u − θ` and `p = v + 2/d` the root is `s = √(v² + 4u/d) = √(p² + 4a/d²)`, whence `ρ' = (ρ + 1/d)/s` and
/// `ρ'' = 2a/(d² s³)`: sums of terms of one sign. So is ρ, once `v + s` is written as `(4u/d)/(s − v)` where v < 0.
#[inline(always)]
fn depression<T: Real>(u: T, a: T, d: T) -> (T, T, T) {
    let (zero, one) = (T::ZERO, T::ONE);
    if u < zero {
        return (zero, zero, zero);
    }
    let (two, unit) = (one + one, one / d);
    let v = u - (one + a) / d;
    let p = v + two * unit;
    let bend = two * a * unit * unit;
    let s = (p * p + bend + bend).sqrt();
    let r = if v < zero { two * u * unit / (s - v) } else { (v + s) / two };
    (r, (r + unit) / s, bend / (s * s * s))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Voltages on both sides of every kink and far out on both tails.
    fn voltages() -> impl Iterator<Item = f64> {
        (-800..=800).map(|i| 0.0501 * f64::from(i) + 0.013)
    }

    /// Central differences of step h: error h²/6 of a derivative of order 1 (at most 4 here) plus rounding 2ε|ρ|/h.
    #[test]
    fn derivatives_are_those_of_the_rate() {
        let h = 1e-5;
        for (name, rho) in
            Activation::NAMES.into_iter().chain([("steep", Activation::Depression { a: 3.0, d: 0.7 })])
        {
            for u in voltages() {
                let (below, at, above) = (rho.eval(u - h), rho.eval(u), rho.eval(u + h));
                let error = 4.0 * h * h + 4.0 * f64::EPSILON * (1.0 + at.0.abs()) / h;
                let slope = (above.0 - below.0) / (2.0 * h);
                assert!((at.1 - slope).abs() < error, "{name}: slope {} for {slope} at {u}", at.1);
                let bend = (above.1 - below.1) / (2.0 * h);
                assert!((at.2 - bend).abs() < error, "{name}: curvature {} for {bend} at {u}", at.2);
                assert!(at.1 <= rho.steepest() + f64::EPSILON, "{name}: {} at {u}", at.1);
            }
        }
    }

    /// Single precision gives every digit it has, on the tails too: no overflow, no cancellation. A handful of roundings, and those of u
    /// itself: |u|·ε in `e^{−|u|}`.
    #[test]
    fn single_precision_is_accurate_on_the_tails() {
        for rho in [
            Activation::Softplus,
            Activation::Depression { a: 0.5, d: 2.0 },
            Activation::Depression { a: 3.0, d: 50.0 },
        ] {
            for u in voltages().chain([1e-6, 1e-3, 85.0, -85.0, 1e4, -1e4]) {
                let single = u as f32;
                let (got, want) = (rho.eval(single), rho.eval(f64::from(single)));
                let close = |got: f32, want: f64| {
                    let error = (f64::from(got) - want).abs();
                    error <= (16.0 + 2.0 * u.abs().min(100.0)) * f64::from(f32::EPSILON) * want.abs() + 1e-37
                };
                assert!(close(got.0, want.0), "{rho:?} at {u}: {} for {}", got.0, want.0);
                assert!(close(got.1, want.1), "{rho:?}' at {u}: {} for {}", got.1, want.1);
                assert!(close(got.2, want.2), "{rho:?}'' at {u}: {} for {}", got.2, want.2);
            }
        }
    }

    /// The values of the definition: 0 and 1/(1 + a) at 0, nothing below, and the asymptote u − a/d.
    #[test]
    fn depression_has_the_values_of_its_definition() {
        let (a, d) = (0.5, 2.0);
        let rho = Activation::Depression { a, d };
        assert_eq!(rho.eval(-1e-9), (0.0, 0.0, 0.0));
        let (r, slope, _) = rho.eval(0.0_f64);
        assert_eq!(r, 0.0);
        assert!((slope - 1.0 / (1.0 + a)).abs() < 1e-15, "{slope}");
        // The distance from the asymptote is a/(d² u) to first order.
        assert!((rho.eval(1e6_f64).0 - (1e6 - a / d)).abs() < 1e-6);
        let u: f64 = 0.8;
        let theta = (1.0 + a) / d;
        let direct = 0.5 * (u - theta + ((u - theta).powi(2) + 4.0 * u / d).sqrt());
        assert!((rho.eval(u).0 - direct).abs() < 1e-15);
    }
}
