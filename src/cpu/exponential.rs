//! eˣ in additions and multiplications alone, so that loops over neurons are vectorised.
//!
//! `x = k ln 2 + r` with k whole and `|r| ≤ ½ ln 2`, eʳ by its Taylor series, and 2ᵏ through the exponent's bits, in two factors since the last powers
//! are subnormal. No operation is fused: every processor, and every place in a vector, gets the same bits.

/// A function of one type: the coefficients 1/n! from the highest to n = 2, and the layout of its bits.
macro_rules! exponential {
    (
        $name:ident, $t:ident, $bits:ident, $int:ident, mantissa $mantissa:expr, bias $bias:expr, shift $shift:expr,
        ln2 ($high:expr, $low:expr), range ($least:expr, $most:expr), [$($c:expr),+]
    ) => {
        /// eˣ; 0 and ∞ beyond the range of the type, NaN of NaN. Within 2 units in the last place of normal results.
        #[inline(always)]
        pub fn $name(x: $t) -> $t {
            // Comparisons, not min/max: those would hide a NaN.
            let within = if x < $least { $least } else { x };
            let within = if within > $most { $most } else { within };
            // Adding and taking off a number whose last bit is worth 1 rounds to a whole one.
            let shifted = within * std::$t::consts::LOG2_E + $shift;
            let k = shifted - $shift;
            let r = within - k * $high - k * $low;
            let mut sum: $t = 0.0;
            $(sum = sum * r + $c;)+
            let e = (sum * r) * r + r + 1.0;
            // The last bits of `shifted` are k.
            let k = (shifted.to_bits() as $int).wrapping_sub($shift.to_bits() as $int);
            let half = k >> 1;
            let power = |k: $int| $t::from_bits((k.wrapping_add($bias) as $bits) << $mantissa);
            e * power(half) * power(k.wrapping_sub(half))
        }
    };
}

// k·high is exact for every k: high has as many bits less than the type as k has.
exponential!(
    single, f32, u32, i32, mantissa 23, bias 127, shift 12_582_912.0_f32,
    ln2 (0.693_145_75_f32, 1.428_606_8e-6_f32), range (-105.0, 90.0),
    [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5]
);
exponential!(
    double, f64, u64, i64, mantissa 52, bias 1023, shift 6_755_399_441_055_744.0_f64,
    ln2 (HIGH, LOW), range (-747.0, 711.0),
    [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5
    ]
);

/// ln 2 to 41 bits.
const HIGH: f64 = 0.693_147_180_559_663;
/// What is left of it.
const LOW: f64 = 2.823_529_056_303_157_7e-13;

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of the last sum, half a unit, and of r and its square, which are below 0.35, and of `k·low`: below 2 units; below the normal
    /// numbers half of the least one besides.
    #[test]
    fn both_are_accurate_to_the_last_places() {
        for i in -20_000..=20_000 {
            let x = f64::from(i) * 0.036_5;
            let (got, want) = (double(x), x.exp());
            // Two of ours, and one of the library's.
            let bound = 3.0 * f64::EPSILON * want + f64::from_bits(1);
            assert!(got == want || (got - want).abs() <= bound, "{x}: {got:e} for {want:e}");
            let x = (f64::from(i) * 0.005_3) as f32;
            let (got, want) = (f64::from(single(x)), f64::from(x).exp());
            let bound = 2.0 * f64::from(f32::EPSILON) * want + f64::from(f32::from_bits(1));
            let beyond = want > f64::from(f32::MAX) && got == f64::INFINITY;
            assert!(beyond || (got - want).abs() <= bound, "{x}: {got:e} for {want:e}");
        }
    }

    #[test]
    fn ends_are_those_of_the_types() {
        for x in [f64::INFINITY, 1e300, 710.0] {
            assert_eq!(double(x), f64::INFINITY);
            assert_eq!(double(-x - 37.0), 0.0);
            assert_eq!(single(x as f32), f32::INFINITY);
            assert_eq!(single(-x as f32), 0.0);
        }
        assert_eq!((double(0.0), single(0.0)), (1.0, 1.0));
        assert_eq!((double(-0.0), single(-0.0)), (1.0, 1.0));
        assert!(double(f64::NAN).is_nan() && single(f32::NAN).is_nan());
    }
}
