//! Products of a matrix with the vectors of a group of trajectories that lie side by side: `x[column, trajectory]`.
//!
//! A group is 64 bytes wide, so that no part of a vector is idle whatever the sizes of the populations, and `W x` and `Wᵀ x` read the same W along its
//! rows. Every element is summed in one order.

/// `out ← out + scale·A x`; A has `rows` rows of `depth` elements, x and out rows of [`Grouped::GROUP`] trajectories.
#[derive(Clone, Copy)]
pub struct Shape<T> {
    /// Rows of A and out.
    pub rows: usize,
    /// Columns of A, rows of x.
    pub depth: usize,
    /// Row and column stride of A; one of them is 1.
    pub a: (usize, usize),
    /// Factor of the product.
    pub scale: T,
}

/// A floating-point type with its compiled versions.
pub trait Grouped: Sized {
    /// Trajectories of a group.
    const GROUP: usize;

    /// Runs the product.
    ///
    /// # Safety
    /// The pointers must be valid for the shape and strides, and out must not overlap a or x.
    #[doc(hidden)]
    unsafe fn grouped(s: &Shape<Self>, a: *const Self, x: *const Self, out: *mut Self);
}

/// The kernels for one type and instruction set.
macro_rules! kernels {
    ($module:ident, $t:ident, $vector:ident, rows $rows:expr, $(#[$feature:meta])*) => {
        mod $module {
            use super::{Grouped, Shape};
            use crate::cpu::vector::$vector::{LANES as L, fma, load, splat, store};

            const GROUP: usize = <$t as Grouped>::GROUP;
            /// Vectors of a group.
            const V: usize = GROUP / L;
            /// Rows of the largest block: its accumulators fill the registers.
            const ROWS: usize = $rows;

            /// R rows of out, from R columns of what lies in memory: sums stay in the registers.
            $(#[$feature])*
            unsafe fn tile<const R: usize>(s: &Shape<$t>, a: *const $t, x: *const $t, out: *mut $t) {
                let mut sum = [[splat(0.0); V]; R];
                let (mut a, mut x) = (a, x);
                for _ in 0..s.depth {
                    let mut w = [splat(0.0); V];
                    for v in 0..V {
                        // SAFETY: the caller vouches for a group in each row of x.
                        w[v] = unsafe { load(x.add(v * L)) };
                    }
                    for r in 0..R {
                        // SAFETY: the caller vouches for R rows of a.
                        let factor = splat(unsafe { *a.add(r) });
                        for v in 0..V {
                            sum[r][v] = fma(factor, w[v], sum[r][v]);
                        }
                    }
                    a = a.wrapping_add(s.a.1);
                    x = x.wrapping_add(GROUP);
                }
                let scale = splat(s.scale);
                for r in 0..R {
                    for v in 0..V {
                        // SAFETY: the caller vouches for R rows of out.
                        unsafe {
                            let out = out.add(r * GROUP + v * L);
                            store(out, fma(scale, sum[r][v], load(out)));
                        }
                    }
                }
            }

            /// R columns of A, whose rows lie along memory: x stays in the registers, and out passes by.
            $(#[$feature])*
            unsafe fn across<const R: usize>(s: &Shape<$t>, a: *const $t, x: *const $t, out: *mut $t) {
                let mut w = [[splat(0.0); V]; R];
                for r in 0..R {
                    for v in 0..V {
                        // SAFETY: the caller vouches for R rows of x.
                        w[r][v] = unsafe { load(x.add(r * GROUP + v * L)) };
                    }
                }
                let (scale, one) = (splat(s.scale), splat(1.0));
                let (mut a, mut out) = (a, out);
                for _ in 0..s.rows {
                    let mut sum = [[splat(0.0); V]; 2];
                    for r in 0..R {
                        // SAFETY: the caller vouches for R elements of each row of a.
                        let factor = splat(unsafe { *a.add(r) });
                        for v in 0..V {
                            sum[r % 2][v] = fma(factor, w[r][v], sum[r % 2][v]);
                        }
                    }
                    for v in 0..V {
                        let both = fma(one, sum[0][v], sum[1][v]);
                        // SAFETY: the caller vouches for the rows of out.
                        unsafe { store(out.add(v * L), fma(scale, both, load(out.add(v * L)))) };
                    }
                    a = a.wrapping_add(s.a.0);
                    out = out.wrapping_add(GROUP);
                }
            }

            /// All columns, by [`across`].
            $(#[$feature])*
            #[inline]
            unsafe fn columns(s: &Shape<$t>, a: *const $t, x: *const $t, out: *mut $t) {
                let mut k = 0;
                let at = |k: usize| (a.wrapping_add(k), x.wrapping_add(k * GROUP));
                // SAFETY: k + columns of a block ≤ depth.
                unsafe {
                    while k + ROWS <= s.depth {
                        let (a, x) = at(k);
                        across::<ROWS>(s, a, x, out);
                        k += ROWS;
                    }
                    while k + 4 <= s.depth {
                        let (a, x) = at(k);
                        across::<4>(s, a, x, out);
                        k += 4;
                    }
                    while k < s.depth {
                        let (a, x) = at(k);
                        across::<1>(s, a, x, out);
                        k += 1;
                    }
                }
            }

            /// All rows, by [`tile`].
            $(#[$feature])*
            #[inline]
            unsafe fn rows(s: &Shape<$t>, a: *const $t, x: *const $t, out: *mut $t) {
                let mut i = 0;
                let at = |i: usize| (a.wrapping_add(i * s.a.0), out.wrapping_add(i * GROUP));
                // SAFETY: i + rows of a block ≤ rows.
                unsafe {
                    while i + ROWS <= s.rows {
                        let (a, out) = at(i);
                        tile::<ROWS>(s, a, x, out);
                        i += ROWS;
                    }
                    while i + 4 <= s.rows {
                        let (a, out) = at(i);
                        tile::<4>(s, a, x, out);
                        i += 4;
                    }
                    while i < s.rows {
                        let (a, out) = at(i);
                        tile::<1>(s, a, x, out);
                        i += 1;
                    }
                }
            }

            /// Runs the product.
            ///
            /// # Safety
            /// As [`super::Grouped::grouped`].
            $(#[$feature])*
            pub unsafe fn run(s: &Shape<$t>, a: *const $t, x: *const $t, out: *mut $t) {
                // SAFETY: passed on to the caller.
                unsafe {
                    if s.a.0 == 1 {
                        rows(s, a, x, out);
                    } else {
                        columns(s, a, x, out);
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
kernels!(single_avx512, f32, f32_avx512, rows 14, #[target_feature(enable = "avx512f,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(double_avx512, f64, f64_avx512, rows 14, #[target_feature(enable = "avx512f,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(single_avx2, f32, f32_avx2, rows 6, #[target_feature(enable = "avx2,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(double_avx2, f64, f64_avx2, rows 6, #[target_feature(enable = "avx2,fma")]);
kernels!(single_plain, f32, f32_plain, rows 4,);
kernels!(double_plain, f64, f64_plain, rows 4,);

macro_rules! versions {
    ($t:ident, $group:expr, $avx512:ident, $avx2:ident, $plain:ident) => {
        impl Grouped for $t {
            const GROUP: usize = $group;

            unsafe fn grouped(s: &Shape<Self>, a: *const Self, x: *const Self, out: *mut Self) {
                // SAFETY: the features are there where a version that needs them is called; the rest is passed on.
                unsafe {
                    #[cfg(target_arch = "x86_64")]
                    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
                        return $avx512::run(s, a, x, out);
                    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                        return $avx2::run(s, a, x, out);
                    }
                    $plain::run(s, a, x, out);
                }
            }
        }
    };
}

versions!(f32, 16, single_avx512, single_avx2, single_plain);
versions!(f64, 8, double_avx512, double_avx2, double_plain);
