//! The sums of the lanes of as many vectors as there are lanes: one vector.

/// The sums of the lanes of L vectors, by halves.
macro_rules! totals {
    ($name:ident, $t:ident, $vector:ident, $(#[$feature:meta])*) => {
        /// The sum of each vector's lanes.
        $(#[$feature])*
        #[inline]
        pub fn $name(
            v: &[super::vector::$vector::Vector; super::vector::$vector::LANES],
        ) -> super::vector::$vector::Vector {
            use super::vector::$vector::{LANES as L, load, store};
            let mut out = [0.0; L];
            for r in 0..L {
                let mut a: [$t; L] = [0.0; L];
                // SAFETY: arrays of L elements.
                unsafe { store(a.as_mut_ptr(), v[r]) };
                let mut width = L / 2;
                while width > 0 {
                    for l in 0..width {
                        a[l] += a[l + width];
                    }
                    width /= 2;
                }
                out[r] = a[0];
            }
            // SAFETY: as above.
            unsafe { load(out.as_ptr()) }
        }
    };
}

#[cfg(target_arch = "x86_64")]
totals!(single_256, f32, f32_avx2, #[target_feature(enable = "avx2,fma")]);
#[cfg(target_arch = "x86_64")]
totals!(double_256, f64, f64_avx2, #[target_feature(enable = "avx2,fma")]);
totals!(single_128, f32, f32_plain,);
totals!(double_128, f64, f64_plain,);

/// Pairs of vectors are interleaved and added until each lane holds the sum of one.
#[cfg(target_arch = "x86_64")]
pub mod trees {
    use std::arch::x86_64::*;

    /// Of 16 vectors.
    #[target_feature(enable = "avx512f,fma")]
    #[inline]
    pub fn single(v: &[__m512; 16]) -> __m512 {
        let mut two = [_mm512_setzero_ps(); 8];
        for k in 0..8 {
            let (a, b) = (v[2 * k], v[2 * k + 1]);
            two[k] = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
        }
        let mut four = [_mm512_setzero_ps(); 4];
        for k in 0..4 {
            let (a, b) = (_mm512_castps_pd(two[2 * k]), _mm512_castps_pd(two[2 * k + 1]));
            let (low, high) = (_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
            four[k] = _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high));
        }
        let both = |a, b| {
            _mm512_add_ps(
                _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b),
                _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b),
            )
        };
        both(both(four[0], four[1]), both(four[2], four[3]))
    }

    /// Of 8 vectors.
    #[target_feature(enable = "avx512f,fma")]
    #[inline]
    pub fn double(v: &[__m512d; 8]) -> __m512d {
        let mut two = [_mm512_setzero_pd(); 4];
        for k in 0..4 {
            let (a, b) = (v[2 * k], v[2 * k + 1]);
            two[k] = _mm512_add_pd(_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
        }
        let both = |a, b| {
            _mm512_add_pd(
                _mm512_shuffle_f64x2::<0b10_00_10_00>(a, b),
                _mm512_shuffle_f64x2::<0b11_01_11_01>(a, b),
            )
        };
        both(both(two[0], two[1]), both(two[2], two[3]))
    }
}
