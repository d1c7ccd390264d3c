//! Products of a matrix with the vectors of a group of trajectories that lie side by side: `x[column, trajectory]`.
//!
//! A group is 64 bytes wide, so that no part of a vector is idle whatever the sizes of the populations, and `W x` and `Wᵀ x` read the same W along its
//! rows. Every element is summed in one order.

use super::vector::best;

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
            use crate::cpu::vector::$vector::{LANES as L, Vector, fma, load, splat, store};

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
                // SAFETY: the caller vouches for R rows of out.
                unsafe { finish(s, &sum, out) };
            }

            /// R rows of out, from R rows of what lies in memory.
            $(#[$feature])*
            unsafe fn along<const R: usize>(s: &Shape<$t>, a: *const $t, x: *const $t, out: *mut $t) {
                let mut sum = [[splat(0.0); V]; R];
                // Every third row: the two behind it are one and two strides away.
                let mut a: [*const $t; 5] = std::array::from_fn(|k| a.wrapping_add(3 * k * s.a.0));
                let mut x = x;
                for _ in 0..s.depth {
                    let mut w = [splat(0.0); V];
                    for v in 0..V {
                        // SAFETY: the caller vouches for a group in each row of x.
                        w[v] = unsafe { load(x.add(v * L)) };
                    }
                    for r in 0..R {
                        // SAFETY: the caller vouches for R rows of a.
                        let factor = splat(unsafe { *a[r / 3].wrapping_add(r % 3 * s.a.0) });
                        for v in 0..V {
                            sum[r][v] = fma(factor, w[v], sum[r][v]);
                        }
                    }
                    for k in 0..R.div_ceil(3) {
                        a[k] = a[k].wrapping_add(1);
                    }
                    x = x.wrapping_add(GROUP);
                }
                // SAFETY: the caller vouches for R rows of out.
                unsafe { finish(s, &sum, out) };
            }

            /// Adds a block to what is there.
            $(#[$feature])*
            #[inline]
            unsafe fn finish<const R: usize>(s: &Shape<$t>, sum: &[[Vector; V]; R], out: *mut $t) {
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

            /// R rows of out.
            $(#[$feature])*
            #[inline]
            unsafe fn block<const R: usize>(s: &Shape<$t>, a: *const $t, x: *const $t, out: *mut $t) {
                // SAFETY: passed on to the caller.
                unsafe {
                    if s.a.0 == 1 {
                        tile::<R>(s, a, x, out);
                    } else {
                        along::<R>(s, a, x, out);
                    }
                }
            }

            /// Runs the product.
            ///
            /// # Safety
            /// As [`super::Grouped::grouped`].
            $(#[$feature])*
            pub unsafe fn run(s: &Shape<$t>, a: *const $t, x: *const $t, out: *mut $t) {
                // Blocks of nearly the same size: a small one would wait for its own sums.
                let blocks = s.rows.div_ceil(ROWS);
                for i in 0..blocks {
                    let (first, end) = (i * s.rows / blocks, (i + 1) * s.rows / blocks);
                    let (a, out) = (a.wrapping_add(first * s.a.0), out.wrapping_add(first * GROUP));
                    // SAFETY: rows of a block are below those of all; the rest is passed on to the caller.
                    unsafe {
                        match end - first {
                            14.. if ROWS >= 14 => block::<14>(s, a, x, out),
                            13 if ROWS >= 14 => block::<13>(s, a, x, out),
                            12 if ROWS >= 14 => block::<12>(s, a, x, out),
                            11 if ROWS >= 14 => block::<11>(s, a, x, out),
                            10 if ROWS >= 14 => block::<10>(s, a, x, out),
                            9 if ROWS >= 14 => block::<9>(s, a, x, out),
                            8 if ROWS >= 14 => block::<8>(s, a, x, out),
                            7 if ROWS >= 14 => block::<7>(s, a, x, out),
                            6.. => block::<6>(s, a, x, out),
                            5 => block::<5>(s, a, x, out),
                            4 => block::<4>(s, a, x, out),
                            3 => block::<3>(s, a, x, out),
                            2 => block::<2>(s, a, x, out),
                            _ => block::<1>(s, a, x, out),
                        }
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
                unsafe { best!($avx512, $avx2, $plain => run(s, a, x, out)) }
            }
        }
    };
}

versions!(f32, 16, single_avx512, single_avx2, single_plain);
versions!(f64, 8, double_avx512, double_avx2, double_plain);
