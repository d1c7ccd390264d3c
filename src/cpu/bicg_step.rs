//! CPU twin of `shaders/bicg_step.wgsl`; the equation stands in [`crate::kernels::bicg_step`].

use super::{Lane, Real, real};
use crate::kernels::bicg_step::{Args, Half, ORTHOGONAL};
use crate::kernels::solver;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let n = s.cols(a.u_dot);
    let (mut u_dot, mut res, mut shadow) = (s.take(a.u_dot), s.take(a.res), s.take(a.shadow));
    let (mut p, mut y) = (s.take(a.p), s.take(a.y));
    let (mut scalars, mut book) = (s.take(a.scalars), s.take(a.solver));
    let (q, z) = (s.get(a.q), s.get(a.z));
    let rows = book.chunks_exact_mut(solver::LEN).zip(scalars.chunks_exact_mut(2));
    for (b, (book, scalars)) in rows.enumerate() {
        if book[solver::RESIDUAL2] <= book[solver::THRESHOLD2] {
            continue;
        }
        let free = b * n + a.cols.start..b * n + a.cols.end();
        let part = free.clone();
        let mut of = Trajectory {
            u_dot: &mut u_dot[part.clone()],
            res: &mut res[part.clone()],
            shadow: &mut shadow[part.clone()],
            p: &mut p[part.clone()],
            y: &mut y[part],
        };
        book[solver::RESIDUAL2] = match a.half {
            Half::First => {
                book[solver::ITERATIONS] += T::ONE;
                of.first(&q[free], scalars)
            }
            Half::Second => of.second(&q[free.clone()], &z[free], scalars),
        };
    }
    s.put(a.u_dot, u_dot);
    s.put(a.res, res);
    s.put(a.shadow, shadow);
    s.put(a.p, p);
    s.put(a.y, y);
    s.put(a.scalars, scalars);
    s.put(a.solver, book);
}

/// The vectors of a trajectory, free columns alone.
struct Trajectory<'a, T> {
    u_dot: &'a mut [T],
    res: &'a mut [T],
    shadow: &'a mut [T],
    p: &'a mut [T],
    y: &'a mut [T],
}

#[inline(always)]
fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).map(|(&a, &b)| a * b).sum()
}

/// Whether two vectors are orthogonal but for rounding, from their product and squares.
#[inline(always)]
fn orthogonal<T: Real>(product: T, square: T, other: T) -> bool {
    product.abs() <= T::of(ORTHOGONAL * T::EPSILON) * (square.sqrt() * other.sqrt())
}

impl<T: Real> Trajectory<'_, T> {
    /// `u̇ += length·y`, `res −= length·image`.
    #[inline(always)]
    fn advance(&mut self, length: T, image: &[T]) {
        for (u_dot, &y) in self.u_dot.iter_mut().zip(&*self.y) {
            *u_dot += length * y;
        }
        for (res, &image) in self.res.iter_mut().zip(image) {
            *res -= length * image;
        }
    }

    /// `u̇ += α y`, `res −= α q`; returns ‖res‖².
    #[inline(always)]
    fn first(&mut self, q: &[T], scalars: &mut [T]) -> T {
        let slope = dot(self.shadow, q);
        let flat = orthogonal(slope, real::square(self.shadow), real::square(q));
        let alpha = if flat { T::ZERO } else { scalars[0] / slope };
        scalars[1] = alpha;
        self.advance(alpha, q);
        self.y.copy_from_slice(self.res);
        real::square(self.res)
    }

    /// `u̇ += ω y`, `res −= ω z`, the next direction; returns ‖res‖².
    #[inline(always)]
    fn second(&mut self, q: &[T], z: &[T], scalars: &mut [T]) -> T {
        let zz = real::square(z);
        let omega = if zz == T::ZERO { T::ZERO } else { dot(z, self.res) / zz };
        self.advance(omega, z);
        let norm2 = real::square(self.res);
        let (rho, alpha) = (scalars[0], scalars[1]);
        let next = dot(self.shadow, self.res);
        let anew = alpha == T::ZERO
            || omega == T::ZERO
            || rho == T::ZERO
            || orthogonal(next, real::square(self.shadow), norm2);
        if anew {
            self.shadow.copy_from_slice(self.res);
            self.p.copy_from_slice(self.res);
            scalars[0] = norm2;
        } else {
            let gain = next / rho * (alpha / omega);
            for ((p, &res), &q) in self.p.iter_mut().zip(&*self.res).zip(q) {
                *p = res + gain * (*p - omega * q);
            }
            scalars[0] = next;
        }
        self.y.copy_from_slice(self.p);
        norm2
    }
}
