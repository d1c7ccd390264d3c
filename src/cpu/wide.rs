//! Products with a matrix beyond the caches that lies across them, and its update: it is read where it lies, once, in long runs of each row.
//!
//! As in [`super::panel`], vectors of some trajectories lie side by side, `x[neuron, trajectory]`. Every element is summed in one order.

use super::vector::best;

/// `out ← aᵀ x`, for some columns of a.
#[derive(Clone, Copy)]
pub struct Across<T> {
    /// From element (0, 0) on.
    pub a: *const T,
    /// Row stride of a.
    pub stride: usize,
    /// Rows of a and x.
    pub depth: usize,
    /// Columns of a, rows of out.
    pub cols: usize,
    /// `[depth, width]`.
    pub x: *const T,
    /// `[cols, width]`.
    pub out: *mut T,
    /// Trajectories: a multiple of a group.
    pub width: usize,
}

/// `w ← w + scale·δᵀ r`, for some rows and columns of w.
#[derive(Clone, Copy)]
pub struct Learn<T> {
    /// From element (0, 0) on.
    pub w: *mut T,
    /// Row stride of w.
    pub stride: usize,
    /// Rows of w.
    pub rows: usize,
    /// Columns of w.
    pub cols: usize,
    /// Trajectories.
    pub depth: usize,
    /// Factor of the product.
    pub scale: T,
    /// `[rows, depth]`.
    pub delta: *const T,
    /// `[depth, run]` for each run of two groups of columns; the last one is filled up with zeros.
    pub r: *const T,
}

/// A floating-point type with its compiled versions.
pub trait Wide: Sized {
    /// Runs the product.
    ///
    /// # Safety
    /// The pointers must be valid for the sizes and strides, and out must not overlap a or x.
    #[doc(hidden)]
    unsafe fn across(s: &Across<Self>);

    /// Runs the update.
    ///
    /// # Safety
    /// The pointers must be valid for the sizes and strides, and w must not overlap the factors.
    #[doc(hidden)]
    unsafe fn learn(s: &Learn<Self>);
}

/// Rows of a that are taken at a time: all their columns pass by while sums are in the registers for one block of columns after the other.
/// More would push each other out of a cache where rows lie a power of two apart.
const DEPTH: usize = 24;

/// The kernels for one type and instruction set.
macro_rules! kernels {
    ($module:ident, $t:ident, $vector:ident, rows $rows:expr, $(#[$feature:meta])*) => {
        mod $module {
            use super::{Across, DEPTH, Learn};
            use crate::cpu::group::Grouped;
            use crate::cpu::vector::$vector::{LANES as L, Vector, fetch, fma, fma1, load, mul, splat, store};

            /// Rows of the largest block: 2 vectors of accumulators in each fill the registers.
            const ROWS: usize = $rows;
            /// Columns of a that are asked for ahead: rows are too short a run for the processor to guess what follows.
            const AHEAD: usize = 4 * <$t as Grouped>::GROUP;
            /// Columns of a run.
            const RUN: usize = 2 * <$t as Grouped>::GROUP;

            /// R columns of a with V vectors of trajectories, for `depth` rows from `from` on.
            $(#[$feature])*
            unsafe fn sum<const R: usize, const V: usize>(
                s: &Across<$t>,
                (from, depth): (usize, usize),
                (i, j): (usize, usize),
            ) {
                let out = s.out.wrapping_add(i * s.width + j);
                let mut sum = [[splat(0.0); V]; R];
                // SAFETY: the caller vouches for R columns of a, and for V vectors in each row of x and out.
                unsafe {
                    if from > 0 {
                        for r in 0..R {
                            for v in 0..V {
                                sum[r][v] = load(out.add(r * s.width + v * L));
                            }
                        }
                    }
                    let mut a = s.a.wrapping_add(from * s.stride + i);
                    let mut x = s.x.wrapping_add(from * s.width + j);
                    for _ in 0..depth {
                        let mut w = [splat(0.0); V];
                        for v in 0..V {
                            w[v] = load(x.add(v * L));
                        }
                        fetch(a.wrapping_add(AHEAD));
                        for r in 0..R {
                            let factor = splat(*a.add(r));
                            for v in 0..V {
                                sum[r][v] = fma(factor, w[v], sum[r][v]);
                            }
                        }
                        a = a.wrapping_add(s.stride);
                        x = x.wrapping_add(s.width);
                    }
                    for r in 0..R {
                        for v in 0..V {
                            store(out.add(r * s.width + v * L), sum[r][v]);
                        }
                    }
                }
            }

            /// All trajectories of R columns of a.
            $(#[$feature])*
            #[inline]
            unsafe fn columns<const R: usize>(s: &Across<$t>, rows: (usize, usize), i: usize) {
                let mut j = 0;
                // SAFETY: the width is a multiple of a vector's elements; the rest is passed on.
                unsafe {
                    while j + 2 * L <= s.width {
                        sum::<R, 2>(s, rows, (i, j));
                        j += 2 * L;
                    }
                    if j < s.width {
                        sum::<R, 1>(s, rows, (i, j));
                    }
                }
            }

            /// # Safety
            /// As [`super::Wide::across`].
            $(#[$feature])*
            pub unsafe fn across(s: &Across<$t>) {
                for from in (0..s.depth).step_by(DEPTH) {
                    let rows = (from, DEPTH.min(s.depth - from));
                    let mut i = 0;
                    // SAFETY: i + columns of a block ≤ cols; the rest is passed on.
                    unsafe {
                        while i + ROWS <= s.cols {
                            columns::<ROWS>(s, rows, i);
                            i += ROWS;
                        }
                        while i + 4 <= s.cols {
                            columns::<4>(s, rows, i);
                            i += 4;
                        }
                        while i < s.cols {
                            columns::<1>(s, rows, i);
                            i += 1;
                        }
                    }
                }
            }

            /// R rows of w, two vectors of columns from j on.
            $(#[$feature])*
            unsafe fn change<const R: usize>(s: &Learn<$t>, i: usize, j: usize) {
                let mut sum = [[splat(0.0); 2]; R];
                let mut delta = s.delta.wrapping_add(i * s.depth);
                let mut r = s.r.wrapping_add(j / RUN * RUN * s.depth + j % RUN);
                for _ in 0..s.depth {
                    // SAFETY: the caller vouches for R rows of delta and whole runs of r.
                    unsafe {
                        let x = [load(r), load(r.add(L))];
                        for k in 0..R {
                            let factor = splat(*delta.add(k * s.depth));
                            for v in 0..2 {
                                sum[k][v] = fma(factor, x[v], sum[k][v]);
                            }
                        }
                    }
                    delta = delta.wrapping_add(1);
                    r = r.wrapping_add(RUN);
                }
                // SAFETY: passed on to the caller.
                unsafe { add(&sum, s, i, j) };
            }

            /// Adds a block to w, as far as its columns go.
            $(#[$feature])*
            #[inline]
            unsafe fn add<const R: usize>(sum: &[[Vector; 2]; R], s: &Learn<$t>, i: usize, j: usize) {
                for k in 0..R {
                    let w = s.w.wrapping_add((i + k) * s.stride + j);
                    for v in 0..2 {
                        let change = mul(splat(s.scale), sum[k][v]);
                        let first = j + v * L;
                        // SAFETY: the caller vouches for the columns of R rows of w.
                        unsafe {
                            let w = w.wrapping_add(v * L);
                            if first + L <= s.cols {
                                store(w, fma(splat(1.0), load(w), change));
                            } else {
                                let mut each = [0.0; L];
                                store(each.as_mut_ptr(), change);
                                for l in 0..s.cols.saturating_sub(first) {
                                    *w.add(l) = fma1(1.0, *w.add(l), each[l]);
                                }
                            }
                        }
                    }
                }
            }

            /// # Safety
            /// As [`super::Wide::learn`].
            $(#[$feature])*
            pub unsafe fn learn(s: &Learn<$t>) {
                let mut i = 0;
                while i < s.rows {
                    let count = if i + ROWS <= s.rows { ROWS } else if i + 4 <= s.rows { 4 } else { 1 };
                    for j in (0..s.cols).step_by(2 * L) {
                        // SAFETY: i + count ≤ rows; the rest is passed on.
                        unsafe {
                            match count {
                                ROWS => change::<ROWS>(s, i, j),
                                4 => change::<4>(s, i, j),
                                _ => change::<1>(s, i, j),
                            }
                        }
                    }
                    i += count;
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
kernels!(single_avx512, f32, f32_avx512, rows 12, #[target_feature(enable = "avx512f,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(double_avx512, f64, f64_avx512, rows 12, #[target_feature(enable = "avx512f,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(single_avx2, f32, f32_avx2, rows 6, #[target_feature(enable = "avx2,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(double_avx2, f64, f64_avx2, rows 6, #[target_feature(enable = "avx2,fma")]);
kernels!(single_plain, f32, f32_plain, rows 6,);
kernels!(double_plain, f64, f64_plain, rows 6,);

macro_rules! versions {
    ($t:ident, $avx512:ident, $avx2:ident, $plain:ident) => {
        impl Wide for $t {
            unsafe fn across(s: &Across<Self>) {
                // SAFETY: the features are there where a version that needs them is called; the rest is passed on.
                unsafe { best!($avx512, $avx2, $plain => across(s)) }
            }

            unsafe fn learn(s: &Learn<Self>) {
                // SAFETY: as above.
                unsafe { best!($avx512, $avx2, $plain => learn(s)) }
            }
        }
    };
}

versions!(f32, single_avx512, single_avx2, single_plain);
versions!(f64, double_avx512, double_avx2, double_plain);
