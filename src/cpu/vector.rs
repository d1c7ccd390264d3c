//! Vectors of the instruction sets that products are compiled for. Explicit, since compilers turn blocks of accumulators in
//! arrays into gathers.

use super::Real;

/// An array from its elements. What they are computed from is copied before, so that compilers see that nothing is written meanwhile and take
/// them all at once.
#[inline(always)]
pub(super) fn each<T: Real, const G: usize>(of: impl Fn(usize) -> T) -> [T; G] {
    let mut all = [T::ZERO; G];
    for (j, one) in all.iter_mut().enumerate() {
        *one = of(j);
    }
    all
}

/// Runs a function of the module that is compiled for the best instruction set there is: `best!(avx512, avx2, plain => run(…))`, at the end of
/// the function that gives its result.
macro_rules! best {
    ($avx512:ident, $avx2:ident, $plain:ident => $run:ident $arguments:tt) => {{
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
            return $avx512::$run $arguments;
        } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return $avx2::$run $arguments;
        }
        $plain::$run $arguments
    }};
}
pub(super) use best;

/// Vectors of one x86 instruction set.
#[cfg(target_arch = "x86_64")]
macro_rules! x86 {
    ($module:ident, $t:ident, $v:ident, $lanes:expr, $features:literal, $load:ident $store:ident $splat:ident $fma:ident $mul:ident) => {
        pub mod $module {
            use std::arch::x86_64::*;

            pub type Vector = $v;
            pub const LANES: usize = $lanes;

            /// # Safety
            /// `p` points to a vector's elements.
            #[target_feature(enable = $features)]
            #[inline]
            pub unsafe fn load(p: *const $t) -> Vector {
                // SAFETY: vouched for by the caller.
                unsafe { $load(p) }
            }
            /// # Safety
            /// As `load`.
            #[target_feature(enable = $features)]
            #[inline]
            pub unsafe fn store(p: *mut $t, v: Vector) {
                // SAFETY: vouched for by the caller.
                unsafe { $store(p, v) }
            }
            #[target_feature(enable = $features)]
            #[inline]
            pub fn splat(x: $t) -> Vector {
                $splat(x)
            }
            /// x·y + z.
            #[target_feature(enable = $features)]
            #[inline]
            pub fn fma(x: Vector, y: Vector, z: Vector) -> Vector {
                $fma(x, y, z)
            }
            #[target_feature(enable = $features)]
            #[inline]
            pub fn mul(x: Vector, y: Vector) -> Vector {
                $mul(x, y)
            }
            /// Asks for what lies at `p`, which need not be valid.
            #[target_feature(enable = $features)]
            #[inline]
            pub fn fetch(p: *const $t) {
                _mm_prefetch::<_MM_HINT_T1>(p.cast());
            }
            /// x·y + z of single numbers, rounded as the vectors are.
            #[target_feature(enable = $features)]
            #[inline]
            pub fn fma1(x: $t, y: $t, z: $t) -> $t {
                x.mul_add(y, z)
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
x86!(f32_avx512, f32, __m512, 16, "avx512f,fma", _mm512_loadu_ps _mm512_storeu_ps _mm512_set1_ps _mm512_fmadd_ps _mm512_mul_ps);
#[cfg(target_arch = "x86_64")]
x86!(f64_avx512, f64, __m512d, 8, "avx512f,fma", _mm512_loadu_pd _mm512_storeu_pd _mm512_set1_pd _mm512_fmadd_pd _mm512_mul_pd);
#[cfg(target_arch = "x86_64")]
x86!(f32_avx2, f32, __m256, 8, "avx2,fma", _mm256_loadu_ps _mm256_storeu_ps _mm256_set1_ps _mm256_fmadd_ps _mm256_mul_ps);
#[cfg(target_arch = "x86_64")]
x86!(f64_avx2, f64, __m256d, 4, "avx2,fma", _mm256_loadu_pd _mm256_storeu_pd _mm256_set1_pd _mm256_fmadd_pd _mm256_mul_pd);

/// Vectors of 128 bits as arrays: what every processor of a kind has.
macro_rules! baseline {
    ($module:ident, $t:ident, $lanes:expr, $fma:expr) => {
        pub mod $module {
            pub type Vector = [$t; LANES];
            pub const LANES: usize = $lanes;

            /// # Safety
            /// `p` points to a vector's elements.
            #[inline(always)]
            pub unsafe fn load(p: *const $t) -> Vector {
                // SAFETY: vouched for by the caller.
                unsafe { p.cast::<Vector>().read_unaligned() }
            }
            /// # Safety
            /// As `load`.
            #[inline(always)]
            pub unsafe fn store(p: *mut $t, v: Vector) {
                // SAFETY: vouched for by the caller.
                unsafe { p.cast::<Vector>().write_unaligned(v) }
            }
            #[inline(always)]
            pub fn splat(x: $t) -> Vector {
                [x; LANES]
            }
            /// x·y + z.
            #[inline(always)]
            pub fn fma(x: Vector, y: Vector, z: Vector) -> Vector {
                std::array::from_fn(|l| fma1(x[l], y[l], z[l]))
            }
            #[inline(always)]
            pub fn mul(x: Vector, y: Vector) -> Vector {
                std::array::from_fn(|l| x[l] * y[l])
            }
            /// Nothing: it is only worth its time in longer vectors.
            #[inline(always)]
            pub fn fetch(_: *const $t) {}
            /// x·y + z of single numbers, rounded as the vectors are.
            #[inline(always)]
            pub fn fma1(x: $t, y: $t, z: $t) -> $t {
                $fma(x, y, z)
            }
        }
    };
}

// Fused operations are part of the baseline there.
#[cfg(target_arch = "aarch64")]
baseline!(f32_plain, f32, 4, |x: f32, y: f32, z: f32| x.mul_add(y, z));
#[cfg(target_arch = "aarch64")]
baseline!(f64_plain, f64, 2, |x: f64, y: f64, z: f64| x.mul_add(y, z));
#[cfg(not(target_arch = "aarch64"))]
baseline!(f32_plain, f32, 4, |x: f32, y: f32, z: f32| x * y + z);
#[cfg(not(target_arch = "aarch64"))]
baseline!(f64_plain, f64, 2, |x: f64, y: f64, z: f64| x * y + z);
