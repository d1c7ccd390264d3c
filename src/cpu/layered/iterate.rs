//! The iterations of the solver, for the groups of a panel together.

use super::room::{Field, Output, Panel, lane};
use super::solve::{backward, forward};
use super::{Crew, each, inverse, of_lanes, single};
use crate::cpu::Real;
use crate::kernels::solver;
use crate::plan::StepControl;

/// Conjugate gradients over the outputs, from u̇ as it follows from `û̇` of the outputs: with `A = 1 + √β M Mᵀ √β` the residual of
/// `A y = √β M c`, `y = √β u̇`, is `√β (u̇ − û̇)`. Where something is expected it is compared with ‖y‖, which but for the square of
/// the tolerance is not more than the right-hand side.
#[inline(always)]
pub(super) fn run<T: Real, const G: usize, const C: usize>(
    crew: &Crew<T>,
    p: Panel,
    step: &StepControl,
    w: usize,
) {
    let (ground, out) = (&crew.ground, crew.ground.map.out());
    let (beta, per) = (crew.beta(step), p.width / G);
    let res = ground.output(Output::Residual, p).as_chunks_mut::<G>().0;
    let dir = ground.output(Output::Direction, p).as_chunks_mut::<G>().0;
    let mut open = false;
    for g in 0..per {
        open |= residual::<T, G>(crew, p, g, beta, res);
    }
    for g in (0..per).filter(|_| open) {
        direct::<T, G>(crew, p, g, res, dir, None);
    }
    let mut left = crew.plan.at_most;
    while open && left > 0 {
        left -= 1;
        let way = ground.field(Field::Way, p, out).as_chunks_mut::<G>().0;
        for (k, (way, dir)) in way.iter_mut().zip(&*dir).enumerate() {
            let (root, dir) = (beta[k / per].sqrt(), *dir);
            *way = each(|j| root * dir[j]);
        }
        if G == 1 {
            single::sweep(crew, p, Field::Way, Field::Way, None);
        } else {
            backward(crew, p, Field::Way, w, None);
            forward(crew, p, Field::Way, w, None);
        }
        open = false;
        for g in 0..per {
            open |= descend::<T, G>(crew, p, g, beta, res, dir);
        }
        follow::<T, G, C>(crew, p);
    }
}

/// The residual of a group before the first iteration, and the books of its solver; whether any trajectory is beyond the tolerance.
#[inline(always)]
fn residual<T: Real, const G: usize>(
    crew: &Crew<T>,
    p: Panel,
    g: usize,
    beta: &[T],
    res: &mut [[T; G]],
) -> bool {
    let (ground, per) = (&crew.ground, p.width / G);
    let guess = ground.output(Output::Guess, p).as_chunks::<G>().0;
    let rate = ground.see(Field::Rate, p, ground.map.out()).as_chunks::<G>().0;
    let (norm2, threshold2) =
        (crew.book::<G>(solver::RESIDUAL2, p, g), crew.book::<G>(solver::THRESHOLD2, p, g));
    let active = crew.book::<G>(lane::ACTIVE, p, g);
    *norm2 = [T::ZERO; G];
    let mut size2 = [T::ZERO; G];
    for (o, beta) in beta.iter().enumerate() {
        let (root, at) = (beta.sqrt(), o * per + g);
        let (rate, guess, sum, last) = (rate[at], guess[at], *norm2, size2);
        let now: [T; G] = each(|j| root * (rate[j] - guess[j]));
        size2 = each(|j| last[j] + root * rate[j] * (root * rate[j]));
        *norm2 = each(|j| sum[j] + now[j] * now[j]);
        res[at] = now;
    }
    let tol2 = T::of(crew.plan.tolerance * crew.plan.tolerance);
    let mut open = false;
    for j in 0..G {
        threshold2[j] = tol2 * size2[j];
        open |= active[j] != T::ZERO && norm2[j] > threshold2[j];
    }
    *crew.book::<G>(solver::ITERATIONS, p, g) = [T::ZERO; G];
    *crew.book::<G>(solver::BENT, p, g) = [T::ZERO; G];
    open
}

/// The next direction of a group: from the estimate of the inverse, or where there is none from the residual and, where a direction went before,
/// the gain of its trajectories that are still open.
#[inline(always)]
fn direct<T: Real, const G: usize>(
    crew: &Crew<T>,
    p: Panel,
    g: usize,
    res: &[[T; G]],
    dir: &mut [[T; G]],
    gain: Option<([T; G], [bool; G])>,
) {
    if G > 1 && inverse::kept(crew) {
        return inverse::direct::<T, G>(crew, p, g, res, dir);
    }
    let per = p.width / G;
    for o in 0..crew.plan.n_out() {
        let at = o * per + g;
        let (res, last) = (res[at], dir[at]);
        dir[at] = match gain {
            None => res,
            Some((gain, on)) => each(|j| if on[j] { res[j] + gain[j] * last[j] } else { last[j] }),
        };
    }
}

/// An iteration of a group, after its sweeps; whether any trajectory has not converged.
#[inline(always)]
fn descend<T: Real, const G: usize>(
    crew: &Crew<T>,
    p: Panel,
    g: usize,
    beta: &[T],
    res: &mut [[T; G]],
    dir: &mut [[T; G]],
) -> bool {
    let per = p.width / G;
    let rate = crew.ground.see(Field::Rate, p, crew.ground.map.out()).as_chunks::<G>().0;
    let norm2 = crew.book::<G>(solver::RESIDUAL2, p, g);
    let threshold2 = crew.book::<G>(solver::THRESHOLD2, p, g);
    let active = crew.book::<G>(lane::ACTIVE, p, g);
    let way = crew.ground.see(Field::Way, p, crew.ground.map.out()).as_chunks::<G>().0;
    let on: [bool; G] = std::array::from_fn(|j| active[j] != T::ZERO && norm2[j] > threshold2[j]);
    let curved = length::<T, G>(crew, p, g, beta, (res, dir), &on);
    let alpha = *crew.book::<G>(lane::STEP, p, g);
    let image = crew.ground.output(Output::Image, p).as_chunks::<G>().0;
    let (mut next2, mut size2) = ([T::ZERO; G], [T::ZERO; G]);
    for (o, beta) in beta.iter().enumerate() {
        let (root, at) = (beta.sqrt(), o * per + g);
        let (image, way, sum, last) = (image[at], way[at], next2, res[at]);
        let (rate, size) = (rate[at], size2);
        let rate: [T; G] = each(|j| root * (rate[j] - alpha[j] * way[j]));
        size2 = each(|j| size[j] + rate[j] * rate[j]);
        let now: [T; G] = each(|j| last[j] - alpha[j] * image[j]);
        next2 = each(|j| sum[j] + now[j] * now[j]);
        res[at] = now;
    }
    if G > 1 && inverse::kept(crew) {
        inverse::learn::<T, G>(crew, p, g, dir, (&on, &curved));
    }
    let last = *norm2;
    let mut open = false;
    let tol2 = T::of(crew.plan.tolerance * crew.plan.tolerance);
    for j in 0..G {
        threshold2[j] = if G == 1 && on[j] { tol2 * size2[j] } else { threshold2[j] };
        norm2[j] = if on[j] { next2[j] } else { norm2[j] };
        open |= active[j] != T::ZERO && norm2[j] > threshold2[j];
    }
    if open || G > 1 {
        direct::<T, G>(crew, p, g, res, dir, Some((each(|j| next2[j] / last[j]), on)));
    }
    open
}

/// The image `A s` of a direction, `sᵀ A s`, and the step along it where a trajectory is open, with its books.
#[inline(always)]
fn length<T: Real, const G: usize>(
    crew: &Crew<T>,
    p: Panel,
    g: usize,
    beta: &[T],
    (res, dir): (&[[T; G]], &[[T; G]]),
    on: &[bool; G],
) -> [T; G] {
    let per = p.width / G;
    let way = crew.ground.see(Field::Way, p, crew.ground.map.out()).as_chunks::<G>().0;
    let image = crew.ground.output(Output::Image, p).as_chunks_mut::<G>().0;
    let count = crew.book::<G>(solver::ITERATIONS, p, g);
    let bent = crew.book::<G>(solver::BENT, p, g);
    let alpha = crew.book::<G>(lane::STEP, p, g);
    let (mut curved, mut slope) = ([T::ZERO; G], [T::ZERO; G]);
    for (o, beta) in beta.iter().enumerate() {
        let (root, at) = (beta.sqrt(), o * per + g);
        let (dir, way, res, sum, last) = (dir[at], way[at], res[at], curved, slope);
        let now: [T; G] = each(|j| dir[j] + root * way[j]);
        curved = each(|j| sum[j] + dir[j] * now[j]);
        slope = each(|j| last[j] + dir[j] * res[j]);
        image[at] = now;
    }
    for j in 0..G {
        count[j] += if on[j] { T::ONE } else { T::ZERO };
        bent[j] = if on[j] && curved[j] <= T::ZERO { T::ONE } else { bent[j] };
        let good = on[j] && curved[j] != T::ZERO;
        alpha[j] = if good { slope[j] / curved[j] } else { T::ZERO };
    }
    curved
}

/// `u̇ ← u̇ − α z`.
#[inline(always)]
fn follow<T: Real, const G: usize, const C: usize>(crew: &Crew<T>, p: Panel) {
    let ground = &crew.ground;
    let alpha = ground.lane(lane::STEP, p);
    for &rows in &ground.map.layers {
        let rate = ground.chunks::<C>(Field::Rate, p, rows);
        for (k, (rate, way)) in rate.iter_mut().zip(ground.see_chunks::<C>(Field::Way, p, rows)).enumerate() {
            let (alpha, way, last): ([T; C], _, _) = (of_lanes::<T, G, C>(alpha, p, k), *way, *rate);
            *rate = each(|j| last[j] - alpha[j] * way[j]);
        }
    }
}
