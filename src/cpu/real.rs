//! The two floating-point types of the CPU path.

use super::exponential;
use super::group::Grouped;
use super::half::Halved;
use super::outer::Outer;
use super::panel::Panels;
use super::rows::InRows;
use super::short::Short;
use super::sweep::Sweeps;
use super::tile::Tiled;
use super::transpose::Transposed;
use super::wide::Wide;
use std::fmt::{Debug, LowerExp};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

/// `f32` or `f64`, with the functions and the matrix product that the kernels need.
pub trait Real:
    Copy
    + Debug
    + Tiled
    + Grouped
    + Halved
    + Outer
    + Panels
    + Transposed
    + InRows
    + Short
    + Sweeps
    + Wide
    + Default
    + LowerExp
    + PartialOrd
    + Send
    + Sync
    + Sum
    + Add<Output = Self>
    + AddAssign
    + Div<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + Sub<Output = Self>
    + SubAssign
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Distance from 1 to the next larger number.
    const EPSILON: f64;
    /// From `f64`, rounded.
    fn of(v: f64) -> Self;
    /// To `f64`, exact.
    fn f64(self) -> f64;
    /// |x|.
    fn abs(self) -> Self;
    /// eˣ.
    fn exp(self) -> Self;
    /// ln(1 + x), accurate for small x.
    fn ln_1p(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Neither infinite nor NaN.
    fn finite(self) -> bool;
    /// `c ← alpha·a·b + beta·c`, `a` m×k, `b` k×n, with row and column strides in elements.
    ///
    /// # Safety
    /// The pointers must be valid for the shapes and strides, and `c` must not overlap `a` or `b`.
    #[allow(clippy::too_many_arguments)]
    unsafe fn gemm(
        m: usize,
        k: usize,
        n: usize,
        alpha: Self,
        a: *const Self,
        a_strides: (usize, usize),
        b: *const Self,
        b_strides: (usize, usize),
        beta: Self,
        c: *mut Self,
        c_strides: (usize, usize),
    );
}

macro_rules! real {
    ($t:ident, $exp:path, $gemm:path) => {
        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const EPSILON: f64 = $t::EPSILON as f64;
            #[inline]
            fn of(v: f64) -> Self {
                v as $t
            }
            #[inline]
            fn f64(self) -> f64 {
                f64::from(self)
            }
            #[inline]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline]
            fn ln_1p(self) -> Self {
                $t::ln_1p(self)
            }
            #[inline]
            fn tanh(self) -> Self {
                $t::tanh(self)
            }
            #[inline]
            fn sqrt(self) -> Self {
                $t::sqrt(self)
            }
            #[inline]
            fn finite(self) -> bool {
                self.is_finite()
            }
            unsafe fn gemm(
                m: usize,
                k: usize,
                n: usize,
                alpha: Self,
                a: *const Self,
                (ra, ca): (usize, usize),
                b: *const Self,
                (rb, cb): (usize, usize),
                beta: Self,
                c: *mut Self,
                (rc, cc): (usize, usize),
            ) {
                // SAFETY: passed on to the caller; strides are far below isize::MAX.
                unsafe {
                    $gemm(
                        m,
                        k,
                        n,
                        alpha,
                        a,
                        ra as isize,
                        ca as isize,
                        b,
                        rb as isize,
                        cb as isize,
                        beta,
                        c,
                        rc as isize,
                        cc as isize,
                    );
                }
            }
        }
    };
}

real!(f32, exponential::single, matrixmultiply::sgemm);
real!(f64, exponential::double, matrixmultiply::dgemm);

/// Σ x², in 16 partial sums that add up in a fixed order.
#[inline(always)]
pub fn square<T: Real>(x: &[T]) -> T {
    let mut sums = [T::ZERO; 16];
    let (whole, rest) = x.as_chunks::<16>();
    for part in whole {
        for (sum, &x) in sums.iter_mut().zip(part) {
            *sum += x * x;
        }
    }
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum += x * x;
    }
    sums.into_iter().sum()
}
