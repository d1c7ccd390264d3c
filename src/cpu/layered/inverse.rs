//! The inverse of the system of the outputs, as the iterations before have shown it: what turns a residual into a direction.
//!
//! `A = 1 + √β M Mᵀ √β` changes little from one time step to the next, while conjugate gradients begin with the same directions each time. So each
//! trajectory keeps an estimate `P ≈ A⁻¹`, and learns from each iteration, whose direction s and image `q = A s` cost a sweep there and
//! back anyway: `P ← P + s wᵀ + w sᵀ`, `w = ((1 + qᵀPq / sᵀq) s / 2 − P q) / sᵀq` (Broyden, Fletcher, Goldfarb, Shanno), so that `P q = s`. Directions `P·residual` with
//! exact steps along them are conjugate as those of conjugate gradients are, and the same ones as long as P begins with 1: a presentation
//! begins so.

use super::room::{Output, Panel};
use super::{Crew, each};
use crate::cpu::Real;

/// Outputs up to which P is kept: its cost grows with their square, that of the sweeps in proportion.
pub(super) const MOST: usize = 32;

/// Smallest sᵀ A s that is learned from: the reciprocal of smaller ones may not be finite in f32.
const LEAST: f64 = 1e-30;

/// Whether panels keep P. (A single trajectory begins with what it expects and has fewer iterations to save.)
#[inline(always)]
pub(super) fn kept<T: Real>(crew: &Crew<T>) -> bool {
    !crew.ground.map.single && crew.plan.n_out() <= MOST
}

/// Before the first step of a presentation.
pub(super) fn begin<T: Real>(crew: &Crew<T>, p: Panel) {
    let n = crew.plan.n_out();
    let inverse = crew.ground.inverse(p);
    inverse.fill(T::ZERO);
    for o in 0..n {
        inverse[(o * n + o) * p.width..][..p.width].fill(T::ONE);
    }
}

/// `to ← P x` of a group g of per, and `xᵀ P x`.
#[inline(always)]
fn times<T: Real, const G: usize>(
    inverse: &[[T; G]],
    (n, per, g): (usize, usize, usize),
    x: &[[T; G]],
    to: &mut [[T; G]],
) -> [T; G] {
    let mut product = [T::ZERO; G];
    for o in 0..n {
        let mut sum = [T::ZERO; G];
        for q in 0..n {
            let (of, x, last) = (inverse[(o * n + q) * per + g], x[q * per + g], sum);
            sum = each(|j| last[j] + of[j] * x[j]);
        }
        to[o * per + g] = sum;
        let (x, last) = (x[o * per + g], product);
        product = each(|j| last[j] + sum[j] * x[j]);
    }
    product
}

/// `dir ← P res` of a group; of trajectories where that is not a descent, for rounding, P begins anew. (With converged ones, too, which the others of a
/// panel wait for or not: their residual rests, so that it happens at once or never.)
#[inline(always)]
pub(super) fn direct<T: Real, const G: usize>(
    crew: &Crew<T>,
    p: Panel,
    g: usize,
    res: &[[T; G]],
    dir: &mut [[T; G]],
) {
    let (n, per) = (crew.plan.n_out(), p.width / G);
    let inverse = crew.ground.inverse(p).as_chunks_mut::<G>().0;
    let slope = times::<T, G>(inverse, (n, per, g), res, dir);
    let mut lost = false;
    for slope in slope {
        lost |= slope < T::ZERO || !slope.finite();
    }
    for j in (0..G).filter(|&j| lost && (slope[j] < T::ZERO || !slope[j].finite())) {
        for o in 0..n {
            for q in 0..n {
                inverse[(o * n + q) * per + g][j] = if o == q { T::ONE } else { T::ZERO };
            }
            dir[o * per + g][j] = res[o * per + g][j];
        }
    }
}

/// What a group learns from the direction `s` and `√β M Mᵀ √β s` of an iteration, of trajectories that were still open; `curved = sᵀ A s`.
#[inline(always)]
pub(super) fn learn<T: Real, const G: usize>(
    crew: &Crew<T>,
    p: Panel,
    g: usize,
    s: &[[T; G]],
    (open, curved): (&[bool; G], &[T; G]),
) {
    let (n, per) = (crew.plan.n_out(), p.width / G);
    let inverse = crew.ground.inverse(p).as_chunks_mut::<G>().0;
    let image = crew.ground.output(Output::Image, p).as_chunks::<G>().0;
    let change = crew.ground.output(Output::Change, p).as_chunks_mut::<G>().0;
    let least = T::of(LEAST);
    let scale: [T; G] = each(|j| if open[j] && curved[j] > least { T::ONE / curved[j] } else { T::ZERO });
    let turned = times::<T, G>(inverse, (n, per, g), image, change);
    let half = T::of(0.5);
    let share: [T; G] = each(|j| half * (T::ONE + turned[j] * scale[j]));
    for o in 0..n {
        let (s, image) = (s[o * per + g], change[o * per + g]);
        change[o * per + g] = each(|j| scale[j] * (share[j] * s[j] - image[j]));
    }
    for o in 0..n {
        let (left, right) = (s[o * per + g], change[o * per + g]);
        for q in 0..n {
            let at = (o * n + q) * per + g;
            let (last, s, change) = (inverse[at], s[q * per + g], change[q * per + g]);
            inverse[at] = each(|j| last[j] + left[j] * change[j] + right[j] * s[j]);
        }
    }
}
