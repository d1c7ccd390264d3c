//! Products with few rows, without packing: the shapes of a time step, where a library spends as long on copying the
//! weights as on multiplying. Blocks of accumulators stay in registers and the weights are read where they lie.
//!
//! Compiled for AVX-512, for AVX2 with FMA and for the baseline, chosen when the program runs. Every element is summed over k in one
//! fixed order, however the result is split.

/// Operands of `c ← alpha·a·b + keep·c`.
#[derive(Clone, Copy)]
pub struct Shape<T> {
    /// Rows of a and c.
    pub m: usize,
    /// Columns of a, rows of b.
    pub k: usize,
    /// Columns of b and c.
    pub n: usize,
    /// Factor of the product.
    pub alpha: T,
    /// Row and column stride of a.
    pub a: (usize, usize),
    /// Row and column stride of b; one of them is 1.
    pub b: (usize, usize),
    /// Factor of c.
    pub keep: T,
    /// Row stride of c.
    pub c: usize,
}

/// A floating-point type with its compiled versions.
pub trait Skinny: Sized {
    /// Runs the product.
    ///
    /// # Safety
    /// The pointers must be valid for the shape and strides, and c must not overlap a or b.
    #[doc(hidden)]
    unsafe fn product(s: &Shape<Self>, a: *const Self, b: *const Self, c: *mut Self);
}

macro_rules! versions {
    ($t:ident, $lanes:expr, $module:ident) => {
        mod $module {
            use super::{Shape, Skinny};

            /// Lanes of the widest vector; narrower machines take it in parts.
            const L: usize = $lanes;
            /// Rows of a block.
            const R: usize = 4;

            macro_rules! bodies {
                ($fma:expr) => {
                    /// b lies along n: rows of c as combinations of rows of b.
                    #[inline(always)]
                    unsafe fn along_columns(s: &Shape<$t>, a: *const $t, b: *const $t, c: *mut $t) {
                        let mut j = 0;
                        while j < s.n {
                            let width = (s.n - j).min(2 * L);
                            let mut i = 0;
                            while i < s.m {
                                let rows = (s.m - i).min(R);
                                let mut sum = [[0.0 as $t; 2 * L]; R];
                                // SAFETY: i + rows ≤ m and j + width ≤ n, within the shapes that the caller vouches for.
                                unsafe {
                                    let a = a.add(i * s.a.0);
                                    if width == 2 * L && rows == R {
                                        for p in 0..s.k {
                                            let b =
                                                b.add(p * s.b.0 + j).cast::<[$t; 2 * L]>().read_unaligned();
                                            for r in 0..R {
                                                let x = *a.add(r * s.a.0 + p * s.a.1);
                                                for l in 0..2 * L {
                                                    sum[r][l] = $fma(x, b[l], sum[r][l]);
                                                }
                                            }
                                        }
                                    } else {
                                        for p in 0..s.k {
                                            let b = b.add(p * s.b.0 + j);
                                            for r in 0..rows {
                                                let x = *a.add(r * s.a.0 + p * s.a.1);
                                                for l in 0..width {
                                                    sum[r][l] = $fma(x, *b.add(l), sum[r][l]);
                                                }
                                            }
                                        }
                                    }
                                    for r in 0..rows {
                                        let c = c.add((i + r) * s.c + j);
                                        for l in 0..width {
                                            let old = if s.keep == 0.0 { 0.0 } else { s.keep * *c.add(l) };
                                            *c.add(l) = s.alpha * sum[r][l] + old;
                                        }
                                    }
                                }
                                i += rows;
                            }
                            j += width;
                        }
                    }

                    /// a and b lie along k: elements of c as inner products.
                    #[inline(always)]
                    unsafe fn along_depth(s: &Shape<$t>, a: *const $t, b: *const $t, c: *mut $t) {
                        let whole = s.k / L * L;
                        let mut j = 0;
                        while j < s.n {
                            let cols = (s.n - j).min(R);
                            let mut i = 0;
                            while i < s.m {
                                let rows = (s.m - i).min(R);
                                let mut sum = [[[0.0 as $t; L]; R]; R];
                                // Rows and columns beyond the edge repeat the last one; their sums are not stored.
                                let row = |r: usize| (i + r.min(rows - 1)) * s.a.0;
                                let col = |q: usize| (j + q.min(cols - 1)) * s.b.1;
                                // SAFETY: all rows are below m, all columns below n, all depths below k.
                                unsafe {
                                    for p in (0..whole).step_by(L) {
                                        let x: [[$t; L]; R] = std::array::from_fn(|r| {
                                            a.add(row(r) + p).cast::<[$t; L]>().read_unaligned()
                                        });
                                        for q in 0..R {
                                            let w = b.add(col(q) + p).cast::<[$t; L]>().read_unaligned();
                                            for r in 0..R {
                                                for l in 0..L {
                                                    sum[q][r][l] = $fma(x[r][l], w[l], sum[q][r][l]);
                                                }
                                            }
                                        }
                                    }
                                    for q in 0..cols {
                                        for r in 0..rows {
                                            let mut half = L / 2;
                                            while half > 0 {
                                                for l in 0..half {
                                                    sum[q][r][l] += sum[q][r][l + half];
                                                }
                                                half /= 2;
                                            }
                                            let mut total = sum[q][r][0];
                                            for p in whole..s.k {
                                                total = $fma(*a.add(row(r) + p), *b.add(col(q) + p), total);
                                            }
                                            let c = c.add((i + r) * s.c + j + q);
                                            let old = if s.keep == 0.0 { 0.0 } else { s.keep * *c };
                                            *c = s.alpha * total + old;
                                        }
                                    }
                                }
                                i += rows;
                            }
                            j += cols;
                        }
                    }

                    #[inline(always)]
                    pub(super) unsafe fn run(s: &Shape<$t>, a: *const $t, b: *const $t, c: *mut $t) {
                        // SAFETY: passed on to the caller.
                        unsafe {
                            if s.b.1 == 1 {
                                along_columns(s, a, b, c);
                            } else {
                                along_depth(s, a, b, c);
                            }
                        }
                    }
                };
            }

            mod fused {
                use super::{L, R, Shape};
                bodies!(|x: $t, y: $t, z: $t| x.mul_add(y, z));
            }
            #[cfg(not(target_arch = "aarch64"))]
            mod plain {
                use super::{L, R, Shape};
                bodies!(|x: $t, y: $t, z: $t| x * y + z);
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,fma")]
            unsafe fn avx512(s: &Shape<$t>, a: *const $t, b: *const $t, c: *mut $t) {
                // SAFETY: passed on to the caller.
                unsafe { fused::run(s, a, b, c) }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn avx2(s: &Shape<$t>, a: *const $t, b: *const $t, c: *mut $t) {
                // SAFETY: passed on to the caller.
                unsafe { fused::run(s, a, b, c) }
            }

            impl Skinny for $t {
                unsafe fn product(s: &Shape<Self>, a: *const Self, b: *const Self, c: *mut Self) {
                    // SAFETY: the features are there where a version that needs them is called; the rest is passed on.
                    unsafe {
                        #[cfg(target_arch = "x86_64")]
                        if is_x86_feature_detected!("avx512f")
                            && is_x86_feature_detected!("avx512vl")
                            && is_x86_feature_detected!("avx512dq")
                        {
                            return avx512(s, a, b, c);
                        } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                            return avx2(s, a, b, c);
                        }
                        // Fused operations are part of the baseline there.
                        #[cfg(target_arch = "aarch64")]
                        fused::run(s, a, b, c);
                        #[cfg(not(target_arch = "aarch64"))]
                        plain::run(s, a, b, c);
                    }
                }
            }
        }
    };
}

versions!(f32, 16, single);
versions!(f64, 8, double);
