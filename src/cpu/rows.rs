//! Rows of a matrix with a single vector: inner products with some rows, and combinations of them.
//!
//! A small network that steps one trajectory is bound by reading W. Taking a few rows at a time, first as `W x` and then, with what that
//! gives, as `Wᵀ t`, fetches them once for both.

/// Most rows that are taken at a time.
pub const ROWS: usize = 8;

/// How many of the rows that are left are taken next.
pub fn next(left: usize) -> usize {
    match left {
        // As few blocks as possible, and none of a single row, which would wait for its own sums.
        9 | 10 => 5,
        ROWS.. => ROWS,
        5 => 5,
        4.. => 4,
        2.. => 2,
        _ => 1,
    }
}

/// A floating-point type with its compiled versions.
pub trait InRows: Sized {
    /// Inner products of as many rows as [`next`] gives, of `len` elements, with x.
    ///
    /// # Safety
    /// `a` must be valid for `rows` rows at that stride, x for `len` elements.
    #[doc(hidden)]
    unsafe fn dots(a: *const Self, stride: usize, rows: usize, len: usize, x: *const Self) -> [Self; ROWS];

    /// `out ← out + Σ t_r a_r` of as many rows, of `len` elements.
    ///
    /// # Safety
    /// As for [`InRows::dots`]; out must not overlap a.
    #[doc(hidden)]
    unsafe fn combine(
        a: *const Self,
        stride: usize,
        rows: usize,
        len: usize,
        t: &[Self; ROWS],
        out: *mut Self,
    );
}

/// The kernels for one type and instruction set.
macro_rules! kernels {
    ($module:ident, $t:ident, $vector:ident, $(#[$feature:meta])*) => {
        mod $module {
            use super::ROWS;
            use crate::cpu::vector::$vector::{LANES as L, Vector, fma, fma1, load, splat, store};

            /// Halves until one is left: a fixed order.
            $(#[$feature])*
            #[inline]
            unsafe fn total(v: Vector) -> $t {
                let mut a = [0.0; L];
                // SAFETY: an array of L elements.
                unsafe { store(a.as_mut_ptr(), v) };
                let mut width = L / 2;
                while width > 0 {
                    for l in 0..width {
                        a[l] += a[l + width];
                    }
                    width /= 2;
                }
                a[0]
            }

            /// # Safety
            /// As [`super::InRows::dots`].
            $(#[$feature])*
            pub unsafe fn dots<const R: usize>(
                a: *const $t,
                stride: usize,
                len: usize,
                x: *const $t,
            ) -> [$t; ROWS] {
                let mut sum = [splat(0.0); R];
                let mut out = [0.0; ROWS];
                // SAFETY: the caller vouches for len elements of R rows and of x.
                unsafe {
                    let mut j = 0;
                    while j + L <= len {
                        let one = load(x.add(j));
                        for r in 0..R {
                            sum[r] = fma(load(a.add(r * stride + j)), one, sum[r]);
                        }
                        j += L;
                    }
                    for r in 0..R {
                        out[r] = total(sum[r]);
                        for i in j..len {
                            out[r] = fma1(*a.add(r * stride + i), *x.add(i), out[r]);
                        }
                    }
                }
                out
            }

            /// # Safety
            /// As [`super::InRows::combine`].
            $(#[$feature])*
            pub unsafe fn combine<const R: usize>(
                a: *const $t,
                stride: usize,
                len: usize,
                t: &[$t; ROWS],
                out: *mut $t,
            ) {
                // SAFETY: the caller vouches for len elements of R rows and of out.
                unsafe {
                    let mut j = 0;
                    while j + L <= len {
                        let mut sum = load(out.add(j));
                        for r in 0..R {
                            sum = fma(splat(t[r]), load(a.add(r * stride + j)), sum);
                        }
                        store(out.add(j), sum);
                        j += L;
                    }
                    for i in j..len {
                        let mut sum = *out.add(i);
                        for r in 0..R {
                            sum = fma1(t[r], *a.add(r * stride + i), sum);
                        }
                        *out.add(i) = sum;
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
kernels!(single_avx512, f32, f32_avx512, #[target_feature(enable = "avx512f,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(double_avx512, f64, f64_avx512, #[target_feature(enable = "avx512f,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(single_avx2, f32, f32_avx2, #[target_feature(enable = "avx2,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(double_avx2, f64, f64_avx2, #[target_feature(enable = "avx2,fma")]);
kernels!(single_plain, f32, f32_plain,);
kernels!(double_plain, f64, f64_plain,);

/// The kernel for as many rows as [`next`] gives.
macro_rules! sized {
    ($rows:expr, $module:ident::$kernel:ident($($arg:expr),*)) => {
        match $rows {
            ROWS => $module::$kernel::<ROWS>($($arg),*),
            5 => $module::$kernel::<5>($($arg),*),
            4 => $module::$kernel::<4>($($arg),*),
            2 => $module::$kernel::<2>($($arg),*),
            _ => $module::$kernel::<1>($($arg),*),
        }
    };
}

macro_rules! versions {
    ($t:ident, $avx512:ident, $avx2:ident, $plain:ident) => {
        impl InRows for $t {
            #[inline]
            unsafe fn dots(a: *const $t, stride: usize, rows: usize, len: usize, x: *const $t) -> [$t; ROWS] {
                // SAFETY: the features are there where a version that needs them is called; the rest is passed on.
                unsafe {
                    #[cfg(target_arch = "x86_64")]
                    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
                        return sized!(rows, $avx512::dots(a, stride, len, x));
                    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                        return sized!(rows, $avx2::dots(a, stride, len, x));
                    }
                    sized!(rows, $plain::dots(a, stride, len, x))
                }
            }

            #[inline]
            unsafe fn combine(
                a: *const $t,
                stride: usize,
                rows: usize,
                len: usize,
                t: &[$t; ROWS],
                out: *mut $t,
            ) {
                // SAFETY: as above.
                unsafe {
                    #[cfg(target_arch = "x86_64")]
                    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
                        return sized!(rows, $avx512::combine(a, stride, len, t, out));
                    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                        return sized!(rows, $avx2::combine(a, stride, len, t, out));
                    }
                    sized!(rows, $plain::combine(a, stride, len, t, out))
                }
            }
        }
    };
}

versions!(f32, single_avx512, single_avx2, single_plain);
versions!(f64, double_avx512, double_avx2, double_plain);
