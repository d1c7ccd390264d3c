//! Products with panels: vectors of some trajectories that lie side by side, `x[neuron, trajectory]`.
//!
//! A panel is a packed operand as it is: W is read where it lies, along its rows or across them, and each of its elements is multiplied with the
//! whole width of the panel. Blocks of accumulators stay in registers. Every element of a result is summed in one order, whatever the width of
//! the panel.

use super::vector::best;

/// A factor pair of a sum of products: `Σ_k a[i, k]·x[k, j]`.
#[derive(Clone, Copy)]
pub struct Part<T> {
    /// From element (0, 0) on.
    pub a: *const T,
    /// Row and column stride of a; one of them is 1, the same in all parts.
    pub strides: (usize, usize),
    /// From element (0, 0) on.
    pub x: *const T,
    /// Row stride of x.
    pub stride: usize,
    /// Columns of a, rows of x; at least 1.
    pub depth: usize,
}

/// Rows and columns of the result, and its row stride.
#[derive(Clone, Copy)]
pub struct Size {
    /// Rows.
    pub rows: usize,
    /// Columns: a multiple of a group of trajectories.
    pub cols: usize,
    /// Row stride of everything that is read or written beside the products.
    pub stride: usize,
}

/// `rate ← scale·sum`, `next ← w + dt·rate`, within ±clip.
#[derive(Clone, Copy, Debug)]
pub struct Learn<T> {
    /// Factor of all elements.
    pub scale: T,
    /// Time step.
    pub dt: T,
    /// Bound; infinite where there is none.
    pub clip: T,
    /// Old weights.
    pub w: *const T,
    /// New weights.
    pub next: *mut T,
    /// Ẇ; null where it is not needed.
    pub rate: *mut T,
}

/// What becomes of a sum.
#[derive(Clone, Copy)]
pub enum Finish<T> {
    /// `out ← gate·sum`.
    Gate {
        /// Factor of each element.
        gate: *const T,
        /// Result.
        out: *mut T,
    },
    /// `out ← scale·sum`.
    Scale {
        /// Factor of all elements.
        scale: T,
        /// Result.
        out: *mut T,
    },
    /// `out ← out + sum`, `gated ← gate·out`.
    Add {
        /// Result.
        out: *mut T,
        /// Factor of each element.
        gate: *const T,
        /// Second result.
        gated: *mut T,
    },
    /// What weights learn.
    Learn(Learn<T>),
}

/// A floating-point type with its compiled versions.
pub trait Panels: Sized {
    /// Runs the sum of products.
    ///
    /// # Safety
    /// The pointers must be valid for the sizes and strides; results must not overlap operands.
    #[doc(hidden)]
    unsafe fn panels(size: Size, parts: &[Part<Self>], finish: &Finish<Self>);
}

/// The kernels for one type and instruction set.
macro_rules! kernels {
    ($module:ident, $t:ident, $vector:ident, rows $rows:expr, $(#[$feature:meta])*) => {
        mod $module {
            use super::{Finish, Learn, Part, Size};
            use crate::cpu::vector::$vector::{LANES as L, Vector, fma, load, mul, splat, store};

            /// Rows of the largest block.
            const ROWS: usize = $rows;

            /// R rows and V vectors of columns; `ALONG`: a lies along its rows.
            $(#[$feature])*
            unsafe fn tile<const R: usize, const V: usize, const ALONG: bool>(
                size: &Size,
                parts: &[Part<$t>],
                finish: &Finish<$t>,
                (i, j): (usize, usize),
            ) {
                let mut sum = [[splat(0.0); V]; R];
                for part in parts {
                    let (rows, cols) = part.strides;
                    let mut x = part.x.wrapping_add(j);
                    // Tested at the end: a loop that may not run at all would move the accumulators about.
                    let mut left = part.depth;
                    if ALONG {
                        // Every third row: the two behind it are one and two strides away.
                        let mut a: [*const $t; 4] =
                            std::array::from_fn(|k| part.a.wrapping_add((i + 3 * k) * rows));
                        loop {
                            // SAFETY: the caller vouches for R rows of a, and for V vectors in each row of x.
                            unsafe {
                                let mut w = [splat(0.0); V];
                                for v in 0..V {
                                    w[v] = load(x.add(v * L));
                                }
                                for r in 0..R {
                                    let factor = splat(*a[r / 3].wrapping_add(r % 3 * rows));
                                    for v in 0..V {
                                        sum[r][v] = fma(factor, w[v], sum[r][v]);
                                    }
                                }
                            }
                            for k in 0..R.div_ceil(3) {
                                a[k] = a[k].wrapping_add(1);
                            }
                            x = x.wrapping_add(part.stride);
                            left -= 1;
                            if left == 0 {
                                break;
                            }
                        }
                    } else {
                        let mut a = part.a.wrapping_add(i);
                        loop {
                            // SAFETY: as above.
                            unsafe {
                                let mut w = [splat(0.0); V];
                                for v in 0..V {
                                    w[v] = load(x.add(v * L));
                                }
                                for r in 0..R {
                                    let factor = splat(*a.add(r));
                                    for v in 0..V {
                                        sum[r][v] = fma(factor, w[v], sum[r][v]);
                                    }
                                }
                            }
                            a = a.wrapping_add(cols);
                            x = x.wrapping_add(part.stride);
                            left -= 1;
                            if left == 0 {
                                break;
                            }
                        }
                    }
                }
                // SAFETY: passed on to the caller.
                unsafe { end(&sum, finish, i * size.stride + j, size.stride) };
            }

            /// Stores a block that begins at element `first`. A function of its own: what takes the address of accumulators keeps them out of
            /// the registers.
            $(#[$feature])*
            #[inline(never)]
            unsafe fn end<const R: usize, const V: usize>(
                sum: &[[Vector; V]; R],
                finish: &Finish<$t>,
                first: usize,
                stride: usize,
            ) {
                // SAFETY: the caller vouches for the rows and columns of everything that is not null.
                unsafe {
                    match *finish {
                        Finish::Gate { gate, out } => {
                            for r in 0..R {
                                for v in 0..V {
                                    let at = first + r * stride + v * L;
                                    store(out.add(at), mul(load(gate.add(at)), sum[r][v]));
                                }
                            }
                        }
                        Finish::Scale { scale, out } => {
                            for r in 0..R {
                                for v in 0..V {
                                    let at = first + r * stride + v * L;
                                    store(out.add(at), mul(splat(scale), sum[r][v]));
                                }
                            }
                        }
                        Finish::Add { out, gate, gated } => {
                            for r in 0..R {
                                for v in 0..V {
                                    let at = first + r * stride + v * L;
                                    let new = fma(splat(1.0), load(out.add(at)), sum[r][v]);
                                    store(out.add(at), new);
                                    store(gated.add(at), mul(load(gate.add(at)), new));
                                }
                            }
                        }
                        Finish::Learn(Learn { scale, dt, clip, w, next, rate }) => {
                            for r in 0..R {
                                for v in 0..V {
                                    let at = first + r * stride + v * L;
                                    let change = mul(splat(scale), sum[r][v]);
                                    if !rate.is_null() {
                                        store(rate.add(at), change);
                                    }
                                    store(next.add(at), fma(splat(dt), change, load(w.add(at))));
                                    if clip.is_finite() {
                                        let new = std::slice::from_raw_parts_mut(next.add(at), L);
                                        crate::cpu::update::clamp(new, clip);
                                    }
                                }
                            }
                        }
                    }
                }
            }

            /// All rows of V vectors of columns.
            $(#[$feature])*
            unsafe fn rows<const V: usize, const ALONG: bool>(
                size: &Size,
                parts: &[Part<$t>],
                finish: &Finish<$t>,
                j: usize,
            ) {
                let mut i = 0;
                while i < size.rows {
                    let (left, at) = (size.rows - i, (i, j));
                    // SAFETY: i + rows of a block ≤ rows.
                    i += unsafe {
                        if V == 1 && !ALONG && ROWS > 10 && left >= 20 {
                            tile::<20, V, ALONG>(size, parts, finish, at);
                            20
                        } else if left >= ROWS {
                            tile::<ROWS, V, ALONG>(size, parts, finish, at);
                            ROWS
                        } else if ROWS > 10 && left >= 10 {
                            tile::<10, V, ALONG>(size, parts, finish, at);
                            10
                        } else if left >= 6 {
                            tile::<6, V, ALONG>(size, parts, finish, at);
                            6
                        } else if left >= 4 {
                            tile::<4, V, ALONG>(size, parts, finish, at);
                            4
                        } else if left >= 2 {
                            tile::<2, V, ALONG>(size, parts, finish, at);
                            2
                        } else {
                            tile::<1, V, ALONG>(size, parts, finish, at);
                            1
                        }
                    };
                }
            }

            /// Runs the sum of products.
            ///
            /// # Safety
            /// As [`super::Panels::panels`].
            $(#[$feature])*
            pub unsafe fn run(size: Size, parts: &[Part<$t>], finish: &Finish<$t>) {
                let along = parts.iter().all(|part| part.strides.1 == 1);
                let mut j = 0;
                while j < size.cols {
                    let wide = j + 2 * L <= size.cols;
                    // SAFETY: columns are a multiple of a vector's elements; the rest is passed on.
                    unsafe {
                        match (wide, along) {
                            (true, true) => rows::<2, true>(&size, parts, finish, j),
                            (true, false) => rows::<2, false>(&size, parts, finish, j),
                            (false, true) => rows::<1, true>(&size, parts, finish, j),
                            (false, false) => rows::<1, false>(&size, parts, finish, j),
                        }
                    }
                    j += if wide { 2 * L } else { L };
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
        impl Panels for $t {
            unsafe fn panels(size: Size, parts: &[Part<Self>], finish: &Finish<Self>) {
                // SAFETY: the features are there where a version that needs them is called; the rest is passed on.
                unsafe { best!($avx512, $avx2, $plain => run(size, parts, finish)) }
            }
        }
    };
}

versions!(f32, single_avx512, single_avx2, single_plain);
versions!(f64, double_avx512, double_avx2, double_plain);
