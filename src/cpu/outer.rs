//! Sums of outer products onto a matrix that lies in rows, `c ← c + alpha·Σ_k a_k b_kᵀ`, and its bounds at once: what weights learn from a mini-batch.
//!
//! Every element is summed over k in order and rounded as by [`super::tile`]; [`super::product`] rounds long sums piece by piece, this does not.

use super::vector::best;

/// Operands.
#[derive(Clone, Copy)]
pub struct Shape<T> {
    /// Rows of c, elements of a row of a.
    pub rows: usize,
    /// Columns of c, elements of a row of b.
    pub cols: usize,
    /// Rows of a and b.
    pub depth: usize,
    /// Row stride of a.
    pub a: usize,
    /// Row stride of b.
    pub b: usize,
    /// Row stride of c.
    pub c: usize,
    /// Factor of the sums.
    pub alpha: T,
    /// Bound of |c|; infinite where there is none.
    pub clip: T,
}

/// A floating-point type with its compiled versions.
pub trait Outer: Sized {
    /// Runs the product; `false` if c has fewer columns than a vector has elements, which this is not made for.
    ///
    /// # Safety
    /// The pointers must be valid for the shape and strides, and c must not overlap a or b.
    #[doc(hidden)]
    unsafe fn outer(s: &Shape<Self>, a: *const Self, b: *const Self, c: *mut Self) -> bool;
}

/// The kernels for one type and instruction set.
macro_rules! kernels {
    ($module:ident, $t:ident, $vector:ident, rows $rows:expr, $(#[$feature:meta])*) => {
        mod $module {
            use super::Shape;
            use crate::cpu::update::clamp;
            use crate::cpu::vector::$vector::{LANES as L, Vector, fma, load, mul, splat, store};

            /// Rows of the largest block: 2 vectors of accumulators in each leave room for operands.
            const ROWS: usize = $rows;

            /// R rows and V vectors of columns.
            $(#[$feature])*
            unsafe fn tile<const R: usize, const V: usize>(
                s: &Shape<$t>,
                a: *const $t,
                b: *const $t,
                c: *mut $t,
                alpha: Vector,
            ) {
                let mut sum = [[splat(0.0); V]; R];
                let (mut a, mut b) = (a, b);
                for _ in 0..s.depth {
                    let mut w = [splat(0.0); V];
                    for v in 0..V {
                        // SAFETY: the caller vouches for V vectors from each row of b.
                        w[v] = unsafe { load(b.add(v * L)) };
                    }
                    for r in 0..R {
                        // SAFETY: the caller vouches for R elements of each row of a.
                        let factor = splat(unsafe { *a.add(r) });
                        for v in 0..V {
                            sum[r][v] = fma(factor, w[v], sum[r][v]);
                        }
                    }
                    a = a.wrapping_add(s.a);
                    b = b.wrapping_add(s.b);
                }
                for r in 0..R {
                    for v in 0..V {
                        // SAFETY: the caller vouches for V vectors in R rows of c.
                        unsafe {
                            let c = c.add(r * s.c + v * L);
                            store(c, fma(splat(1.0), load(c), mul(alpha, sum[r][v])));
                            if s.clip.is_finite() {
                                clamp(std::slice::from_raw_parts_mut(c, L), s.clip);
                            }
                        }
                    }
                }
            }

            /// All rows of V vectors of columns.
            $(#[$feature])*
            unsafe fn rows<const V: usize>(
                s: &Shape<$t>,
                a: *const $t,
                b: *const $t,
                c: *mut $t,
                alpha: Vector,
            ) {
                let mut i = 0;
                while i < s.rows {
                    let (left, a, c) = (s.rows - i, a.wrapping_add(i), c.wrapping_add(i * s.c));
                    // SAFETY: i + rows of a block ≤ rows; the rest is passed on to the caller.
                    i += unsafe {
                        if left >= ROWS {
                            tile::<ROWS, V>(s, a, b, c, alpha);
                            ROWS
                        } else if ROWS > 8 && left >= 8 {
                            tile::<8, V>(s, a, b, c, alpha);
                            8
                        } else if left >= 4 {
                            tile::<4, V>(s, a, b, c, alpha);
                            4
                        } else if left >= 2 {
                            tile::<2, V>(s, a, b, c, alpha);
                            2
                        } else {
                            tile::<1, V>(s, a, b, c, alpha);
                            1
                        }
                    };
                }
            }

            /// Runs the product.
            ///
            /// # Safety
            /// As [`super::Outer::outer`].
            $(#[$feature])*
            pub unsafe fn run(s: &Shape<$t>, a: *const $t, b: *const $t, c: *mut $t) -> bool {
                if s.cols < L {
                    return false;
                }
                let (alpha, mut j) = (splat(s.alpha), 0);
                // SAFETY: columns j to j + width are below cols; the rest is passed on to the caller.
                unsafe {
                    while j + 2 * L <= s.cols {
                        rows::<2>(s, a, b.add(j), c.add(j), alpha);
                        j += 2 * L;
                    }
                    if j + L <= s.cols {
                        rows::<1>(s, a, b.add(j), c.add(j), alpha);
                        j += L;
                    }
                    if j < s.cols {
                        // To columns that are there already nothing is added: they stay as they are. (Where a sum has overflowed they become NaN.)
                        let at = s.cols - L;
                        let mut alphas = [s.alpha; L];
                        alphas[..j - at].fill(0.0);
                        rows::<1>(s, a, b.add(at), c.add(at), load(alphas.as_ptr()));
                    }
                }
                true
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
kernels!(single_avx512, f32, f32_avx512, rows 12, #[target_feature(enable = "avx512f,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(double_avx512, f64, f64_avx512, rows 12, #[target_feature(enable = "avx512f,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(single_avx2, f32, f32_avx2, rows 4, #[target_feature(enable = "avx2,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(double_avx2, f64, f64_avx2, rows 4, #[target_feature(enable = "avx2,fma")]);
kernels!(single_plain, f32, f32_plain, rows 4,);
kernels!(double_plain, f64, f64_plain, rows 4,);

macro_rules! versions {
    ($t:ident, $avx512:ident, $avx2:ident, $plain:ident) => {
        impl Outer for $t {
            unsafe fn outer(s: &Shape<Self>, a: *const Self, b: *const Self, c: *mut Self) -> bool {
                // SAFETY: the features are there where a version that needs them is called; the rest is passed on.
                unsafe { best!($avx512, $avx2, $plain => run(s, a, b, c)) }
            }
        }
    };
}

versions!(f32, single_avx512, single_avx2, single_plain);
versions!(f64, double_avx512, double_avx2, double_plain);

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, which sums hold exactly, against the definition, within bounds or not; what lies between rows stays.
    #[test]
    fn sums_and_bounds_follow_the_definition() {
        for (rows, cols, depth) in
            [(1, 16, 1), (13, 40, 32), (29, 56, 5), (56, 100, 32), (7, 17, 3), (3, 4, 2)]
        {
            for clip in [f32::INFINITY, 40.0] {
                let (a_stride, b_stride, c_stride) = (rows + 3, cols + 1, cols + 2);
                let of = |i: usize, m: usize| (i * m % 11) as f32 - 5.0;
                let a: Vec<f32> = (0..depth * a_stride).map(|i| of(i, 7)).collect();
                let b: Vec<f32> = (0..depth * b_stride).map(|i| of(i, 3)).collect();
                let before: Vec<f32> = (0..rows * c_stride).map(|i| of(i, 5)).collect();
                let mut c = before.clone();
                let shape =
                    Shape { rows, cols, depth, a: a_stride, b: b_stride, c: c_stride, alpha: 2.0, clip };
                // SAFETY: lengths are depth and rows times the strides.
                if !unsafe { f32::outer(&shape, a.as_ptr(), b.as_ptr(), c.as_mut_ptr()) } {
                    assert!(cols < 16);
                    continue;
                }
                for (k, (&found, &before)) in c.iter().zip(&before).enumerate() {
                    let (i, j) = (k / c_stride, k % c_stride);
                    let sum = || (0..depth).map(|k| a[k * a_stride + i] * b[k * b_stride + j]).sum::<f32>();
                    let expected = if j < cols { (before + 2.0 * sum()).clamp(-clip, clip) } else { before };
                    assert_eq!(found, expected, "{rows}×{cols}, depth {depth}: {i}, {j}");
                }
            }
        }
    }
}
