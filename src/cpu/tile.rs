//! Products without packing, for the shapes of a time step, where a library spends as long on copying operands as on
//! multiplying. Blocks of accumulators stay in registers and operands are read where they lie.
//!
//! Compiled for AVX-512, for AVX2 with FMA and for the baseline, chosen when the program runs. Every element is summed over k in one
//! fixed order, however the result is split: results do not depend on the number of threads.

use super::vector::best;

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
    /// Whether a vector may be read from every row of b at column n − 1: rows padded to [`PADDING`].
    pub padded: bool,
    /// Factor of c.
    pub keep: T,
    /// Row stride of c.
    pub c: usize,
}

/// Rows of transposed weights are padded with zeros to a multiple of this: the longest vector of any version.
pub const PADDING: usize = 16;

/// A floating-point type with its compiled versions.
pub trait Tiled: Sized {
    /// Runs the product.
    ///
    /// # Safety
    /// The pointers must be valid for the shape and strides, and c must not overlap a or b.
    #[doc(hidden)]
    unsafe fn product(s: &Shape<Self>, a: *const Self, b: *const Self, c: *mut Self);
}

/// The kernels for one type and instruction set.
macro_rules! kernels {
    ($module:ident, $t:ident, $vector:ident, rows $rows:expr, $(#[$feature:meta])*) => {
        mod $module {
            use super::Shape;
            use crate::cpu::vector::$vector::{LANES as L, Vector, fma, fma1, load, mul, splat, store};

            /// Rows of the largest block: 2 vectors of accumulators in each fill the registers.
            const ROWS: usize = $rows;
            /// Rows and columns of a block of inner products.
            const R: usize = 4;

            /// Some columns of c.
            #[derive(Clone, Copy)]
            struct Span {
                /// Column of c and b that the block begins at.
                at: usize,
                /// Columns of the block that are stored.
                lo: usize,
                hi: usize,
            }

            /// R rows × V vectors of c as combinations of rows of b.
            $(#[$feature])*
            unsafe fn tile<const R: usize, const V: usize>(
                s: &Shape<$t>,
                a: *const $t,
                b: *const $t,
                c: *mut $t,
                span: Span,
            ) {
                let mut sum = [[splat(0.0); V]; R];
                let (mut a, mut b) = (a, b.wrapping_add(span.at));
                for _ in 0..s.k {
                    let mut w = [splat(0.0); V];
                    for v in 0..V {
                        // SAFETY: the caller vouches for V vectors from each row of b.
                        w[v] = unsafe { load(b.add(v * L)) };
                    }
                    for r in 0..R {
                        // SAFETY: the caller vouches for R rows of a.
                        let x = splat(unsafe { *a.add(r * s.a.0) });
                        for v in 0..V {
                            sum[r][v] = fma(x, w[v], sum[r][v]);
                        }
                    }
                    a = a.wrapping_add(s.a.1);
                    b = b.wrapping_add(s.b.0);
                }
                // SAFETY: the caller vouches for the columns of R rows of c.
                unsafe { finish(s, &sum, c.add(span.at), span) };
            }

            /// As [`tile`] where a row of b is shorter than a vector.
            $(#[$feature])*
            unsafe fn narrow<const R: usize>(
                s: &Shape<$t>,
                a: *const $t,
                b: *const $t,
                c: *mut $t,
                span: Span,
            ) {
                let mut sum = [[splat(0.0); 1]; R];
                // SAFETY: as for `tile`, with n elements from each row of b.
                unsafe {
                    for p in 0..s.k {
                        let mut row = [0.0; L];
                        std::ptr::copy_nonoverlapping(b.add(span.at + p * s.b.0), row.as_mut_ptr(), span.hi);
                        let w = load(row.as_ptr());
                        for r in 0..R {
                            sum[r][0] = fma(splat(*a.add(r * s.a.0 + p * s.a.1)), w, sum[r][0]);
                        }
                    }
                    finish(s, &sum, c.add(span.at), span);
                }
            }

            /// Stores a block.
            $(#[$feature])*
            #[inline]
            unsafe fn finish<const R: usize, const V: usize>(
                s: &Shape<$t>,
                sum: &[[Vector; V]; R],
                c: *mut $t,
                span: Span,
            ) {
                let whole = span.lo == 0 && span.hi == V * L;
                // Columns that are not stored are those before lo: adding nothing leaves them as they are. (Where a sum has overflowed, infinite ones become NaN.)
                let adds = !whole && V == 1 && span.hi == L && s.keep == 1.0;
                let mut alphas = [s.alpha; L];
                alphas[..span.lo.min(L)].fill(0.0);
                // SAFETY: an array of L elements.
                let alpha = if adds { unsafe { load(alphas.as_ptr()) } } else { splat(s.alpha) };
                let keep = splat(s.keep);
                for r in 0..R {
                    let c = c.wrapping_add(r * s.c);
                    for v in 0..V {
                        let scaled = mul(alpha, sum[r][v]);
                        // SAFETY: the caller vouches for the columns lo to hi of R rows of c.
                        unsafe {
                            if whole || adds {
                                let c = c.add(v * L);
                                let new = if s.keep == 0.0 { scaled } else { fma(keep, load(c), scaled) };
                                store(c, new);
                            } else {
                                let mut new = [0.0; L];
                                store(new.as_mut_ptr(), scaled);
                                for i in span.lo.max(v * L)..span.hi.min(v * L + L) {
                                    let c = c.add(i);
                                    let new = new[i - v * L];
                                    *c = if s.keep == 0.0 { new } else { fma1(s.keep, *c, new) };
                                }
                            }
                        }
                    }
                }
            }

            /// All rows of some columns.
            $(#[$feature])*
            #[inline]
            unsafe fn rows<const V: usize>(
                s: &Shape<$t>,
                a: *const $t,
                b: *const $t,
                c: *mut $t,
                span: Span,
            ) {
                let mut i = 0;
                let at = |i: usize| (a.wrapping_add(i * s.a.0), c.wrapping_add(i * s.c));
                // SAFETY: i + rows of a block ≤ m.
                unsafe {
                    while V <= 2 && i + ROWS <= s.m {
                        let (a, c) = at(i);
                        tile::<ROWS, V>(s, a, b, c, span);
                        i += ROWS;
                    }
                    while V <= 4 && i + 4 <= s.m {
                        let (a, c) = at(i);
                        tile::<4, V>(s, a, b, c, span);
                        i += 4;
                    }
                    while V <= 4 && i + 2 <= s.m {
                        let (a, c) = at(i);
                        tile::<2, V>(s, a, b, c, span);
                        i += 2;
                    }
                    while i < s.m {
                        let (a, c) = at(i);
                        tile::<1, V>(s, a, b, c, span);
                        i += 1;
                    }
                }
            }

            /// b lies along n.
            $(#[$feature])*
            unsafe fn along_columns(s: &Shape<$t>, a: *const $t, b: *const $t, c: *mut $t) {
                // Few rows need many vectors of each to keep the units busy.
                let wide = match s.m {
                    1 => 8,
                    2..ROWS => 4,
                    _ => 2,
                };
                let mut j = 0;
                while j < s.n {
                    let left = s.n - j;
                    let full = |vectors: usize| Span { at: j, lo: 0, hi: vectors * L };
                    // SAFETY: columns j to j + width are below n, or in the padding; the rest is passed on.
                    let done = unsafe {
                        if wide == 8 && left >= 8 * L {
                            rows::<8>(s, a, b, c, full(8));
                            8 * L
                        } else if wide >= 4 && left >= 4 * L {
                            rows::<4>(s, a, b, c, full(4));
                            4 * L
                        } else if left >= 2 * L {
                            rows::<2>(s, a, b, c, full(2));
                            2 * L
                        } else if left >= L {
                            rows::<1>(s, a, b, c, full(1));
                            L
                        } else {
                            edge(s, a, b, c, j);
                            left
                        }
                    };
                    j += done;
                }
            }

            /// The last columns, fewer than a vector.
            $(#[$feature])*
            unsafe fn edge(s: &Shape<$t>, a: *const $t, b: *const $t, c: *mut $t, j: usize) {
                let left = s.n - j;
                // SAFETY: as for `along_columns`.
                unsafe {
                    if s.padded {
                        rows::<1>(s, a, b, c, Span { at: j, lo: 0, hi: left });
                        return;
                    }
                    if s.n >= L {
                        // Columns that are there already are computed again, not stored.
                        rows::<1>(s, a, b, c, Span { at: s.n - L, lo: L - left, hi: L });
                        return;
                    }
                    let span = Span { at: j, lo: 0, hi: left };
                    let whole = s.m / 4 * 4;
                    for i in (0..whole).step_by(4) {
                        narrow::<4>(s, a.add(i * s.a.0), b, c.add(i * s.c), span);
                    }
                    for i in whole..s.m {
                        narrow::<1>(s, a.add(i * s.a.0), b, c.add(i * s.c), span);
                    }
                }
            }

            /// Inner products of up to R rows of a with up to Q columns of b.
            $(#[$feature])*
            unsafe fn inner<const Q: usize, const R: usize>(
                s: &Shape<$t>,
                a: *const $t,
                b: *const $t,
                c: *mut $t,
            ) {
                let mut sum = [[splat(0.0); R]; Q];
                let whole = s.k / L * L;
                // SAFETY: the caller vouches for R rows of a and c and for Q columns of b and c.
                unsafe {
                    for p in (0..whole).step_by(L) {
                        let mut x = [splat(0.0); R];
                        for r in 0..R {
                            x[r] = load(a.add(r * s.a.0 + p));
                        }
                        for q in 0..Q {
                            let w = load(b.add(q * s.b.1 + p));
                            for r in 0..R {
                                sum[q][r] = fma(x[r], w, sum[q][r]);
                            }
                        }
                    }
                    for q in 0..Q {
                        for r in 0..R {
                            let mut parts = [0.0; L];
                            store(parts.as_mut_ptr(), sum[q][r]);
                            let mut half = L / 2;
                            while half > 0 {
                                for l in 0..half {
                                    parts[l] += parts[l + half];
                                }
                                half /= 2;
                            }
                            let mut total = parts[0];
                            for p in whole..s.k {
                                total = fma1(*a.add(r * s.a.0 + p), *b.add(q * s.b.1 + p), total);
                            }
                            let c = c.add(r * s.c + q);
                            *c = if s.keep == 0.0 { s.alpha * total } else { fma1(s.keep, *c, s.alpha * total) };
                        }
                    }
                }
            }

            /// a and b lie along k: elements of c as inner products.
            $(#[$feature])*
            unsafe fn along_depth(s: &Shape<$t>, a: *const $t, b: *const $t, c: *mut $t) {
                let at = |i: usize, j: usize| {
                    let (a, b) = (a.wrapping_add(i * s.a.0), b.wrapping_add(j * s.b.1));
                    (a, b, c.wrapping_add(i * s.c + j))
                };
                let (rows, cols) = (s.m / R * R, s.n / R * R);
                // SAFETY: all rows are below m, all columns below n.
                unsafe {
                    for j in (0..cols).step_by(R) {
                        for i in (0..rows).step_by(R) {
                            let (a, b, c) = at(i, j);
                            inner::<R, R>(s, a, b, c);
                        }
                        for i in rows..s.m {
                            let (a, b, c) = at(i, j);
                            inner::<R, 1>(s, a, b, c);
                        }
                    }
                    for j in cols..s.n {
                        for i in 0..s.m {
                            let (a, b, c) = at(i, j);
                            inner::<1, 1>(s, a, b, c);
                        }
                    }
                }
            }

            /// Runs the product.
            ///
            /// # Safety
            /// As [`super::Tiled::product`].
            $(#[$feature])*
            pub unsafe fn run(s: &Shape<$t>, a: *const $t, b: *const $t, c: *mut $t) {
                // SAFETY: passed on to the caller.
                unsafe {
                    if s.b.1 == 1 {
                        along_columns(s, a, b, c);
                    } else {
                        along_depth(s, a, b, c);
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
kernels!(single_avx512, f32, f32_avx512, rows 8, #[target_feature(enable = "avx512f,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(double_avx512, f64, f64_avx512, rows 8, #[target_feature(enable = "avx512f,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(single_avx2, f32, f32_avx2, rows 4, #[target_feature(enable = "avx2,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(double_avx2, f64, f64_avx2, rows 4, #[target_feature(enable = "avx2,fma")]);
kernels!(single_plain, f32, f32_plain, rows 4,);
kernels!(double_plain, f64, f64_plain, rows 4,);

macro_rules! versions {
    ($t:ident, $avx512:ident, $avx2:ident, $plain:ident) => {
        impl Tiled for $t {
            unsafe fn product(s: &Shape<Self>, a: *const Self, b: *const Self, c: *mut Self) {
                // SAFETY: the features are there where a version that needs them is called; the rest is passed on.
                unsafe { best!($avx512, $avx2, $plain => run(s, a, b, c)) }
            }
        }
    };
}

versions!(f32, single_avx512, single_avx2, single_plain);
versions!(f64, double_avx512, double_avx2, double_plain);
