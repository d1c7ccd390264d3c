//! `H u̇ = rhs` by conjugate gradients that are preconditioned with P.
//!
//! `rhs = Jᵀ c + g` with `c = s − δ/τ`, `g = ρ'·(Ẇᵀδ) + β(u* − u)/τ + β u̇*`, and `H p = Jᵀ J p + C p`, `C = diag β − diag(ρ''·(Wᵀδ))`.
//! Iterations start from u̇ = 0: as P H is close to the identity, the first of them is worth more than what the steps before let expect.

use std::ops::Range;

use super::group::{
    Each, ROWS_AT_ONCE, add_products, along_factors, along_rates, backward, dot, gather, gather_some,
    scatter, symmetric, there_and_back,
};
use super::{Step, aligned, in_factors, in_halves};
use crate::cpu::vector::each;
use crate::cpu::{Lane, Real};
use crate::kernels::solver;
use crate::plan::StepControl;

/// Vectors of the iteration, each `[N, G]`.
struct Vectors<'a, T> {
    /// ρ'.
    d: &'a mut [T],
    /// C.
    bend: &'a mut [T],
    /// What is left of rhs.
    res: &'a mut [T],
    /// Direction.
    p: &'a mut [T],
    /// H p.
    q: &'a mut [T],
    /// J p, then P res.
    t: &'a mut [T],
    /// Gated operands.
    y: &'a mut [T],
    /// `Wᵀ J p`.
    z: &'a mut [T],
    /// u̇.
    x: &'a mut [T],
    /// Scratch of products in 16 bits.
    halves: &'a mut [T],
}

/// u̇ of some trajectories of the lane.
#[inline(always)]
pub(super) fn run<T: Real, const G: usize>(
    s: &mut Lane<T>,
    step: &Step,
    rows: Range<usize>,
    control: &StepControl,
) {
    let n = s.cols(step.u_dot);
    let halved = in_halves::<T>(s.whole_batch(), n);
    let (rows_of_t, scratch) = if halved { (T::rows(n) * G, T::scratch(n)) } else { (n * G, 0) };
    let (mut room, start) = aligned(s, 8 * n * G + rows_of_t + scratch);
    let (t, rest) = room[start..].split_at_mut(rows_of_t);
    let (halves, rest) = rest.split_at_mut(scratch);
    let mut parts = rest.chunks_exact_mut(n * G);
    let mut part = || parts.next().unwrap_or_default();
    let mut v = Vectors {
        d: part(),
        bend: part(),
        res: part(),
        p: part(),
        q: part(),
        t,
        y: part(),
        z: part(),
        x: part(),
        halves,
    };
    let mut overlaps = s.take_operand(0);
    right_side::<T, G>(s, step, rows.clone(), control, &mut v, &mut overlaps);
    s.put_operand(overlaps);
    let book = iterate::<T, G>(s, step, &mut v);
    let mut out = s.take(step.u_dot);
    scatter::<T, G>(v.x, n, rows.clone(), &mut out);
    s.put(step.u_dot, out);
    let mut books = s.take(step.solver);
    for (lane, row) in rows.enumerate() {
        let row = &mut books[row * solver::LEN..][..solver::LEN];
        row[solver::RESIDUAL2] = book.norm2[lane];
        row[solver::THRESHOLD2] = book.threshold2[lane];
        row[solver::ITERATIONS] = book.count[lane];
        row[solver::BENT] = book.bent[lane];
    }
    s.put(step.solver, books);
    s.put_room(room);
}

/// ρ', C and rhs.
#[inline(always)]
fn right_side<T: Real, const G: usize>(
    s: &Lane<T>,
    step: &Step,
    rows: Range<usize>,
    control: &StepControl,
    v: &mut Vectors<T>,
    overlaps: &mut Vec<T>,
) {
    let (small, args) = (step.small, step.drive);
    let n = s.cols(step.u_dot);
    gather::<T, G>(s.get(step.rates.d), n, rows.clone(), v.d);
    gather::<T, G>(s.get(step.rates.r), n, rows.clone(), v.y);
    gather::<T, G>(s.get(args.delta), n, rows.clone(), v.x);
    v.bend.fill(T::ZERO);
    if let Some(d2) = step.rates.d2 {
        gather::<T, G>(s.get(d2), n, rows.clone(), v.bend);
        gather::<T, G>(s.get(step.apical), n, rows.clone(), v.t);
        for (d2, &apical) in v.bend.iter_mut().zip(&*v.t) {
            *d2 = -(*d2 * apical);
        }
    }
    inflow::<T, G>(s, step, rows.clone(), v);
    // What ρ' gates.
    v.q.fill(T::ZERO);
    if control.rate_w != 0.0 {
        let (forth, back) = ((&*v.y, &mut *v.p), (&*v.x, &mut *v.q));
        if in_factors(small, s.whole_batch()) {
            let all = (s.whole(step.rates.r), s.whole(args.delta), n);
            along_factors::<T, G>(&small.blocks, all, control.rate_w, forth, back, overlaps);
        } else {
            along_rates::<T, G>(s, &small.blocks, forth, back);
        }
    }
    for block in &small.blocks {
        backward::<T, G>(s, block.w, block, -T::ONE, v.p, v.q);
    }
    for (((res, &c), &d), &q) in v.res.iter_mut().zip(&*v.p).zip(&*v.d).zip(&*v.q) {
        *res = c + d * q;
    }
    nudge::<T, G>(s, step, rows.clone(), control, v);
    let active = s.get(step.mismatch.active);
    for lane in 0..G {
        let row = rows.start + lane;
        if row >= rows.end || active[row] == T::ZERO {
            v.res.iter_mut().skip(lane).step_by(G).for_each(|v| *v = T::ZERO);
        }
    }
}

/// `c = −δ/τ + ḃ + ẋ`, in p; x holds δ.
#[inline(always)]
fn inflow<T: Real, const G: usize>(s: &Lane<T>, step: &Step, rows: Range<usize>, v: &mut Vectors<T>) {
    let args = step.drive;
    let inv_tau = T::of(1.0 / args.tau_ms);
    for (c, &delta) in v.p.iter_mut().zip(&*v.x) {
        *c = -delta * inv_tau;
    }
    if let Some(b_dot) = args.b_dot {
        for (c, &rate) in v.p.as_chunks_mut::<G>().0.iter_mut().zip(s.get(b_dot)) {
            let before = *c;
            *c = each(|l| before[l] + rate);
        }
    }
    if let Some(x_dot) = args.x_dot {
        let (x_dot, n_in) = (s.get(x_dot), s.cols(x_dot));
        for (lane, row) in rows.enumerate() {
            (0..n_in).for_each(|i| v.p[i * G + lane] += x_dot[row * n_in + i]);
        }
    }
}

/// β in C and in rhs.
#[inline(always)]
fn nudge<T: Real, const G: usize>(
    s: &Lane<T>,
    step: &Step,
    rows: Range<usize>,
    control: &StepControl,
    v: &mut Vectors<T>,
) {
    let args = step.drive;
    let (n, n_out, inv_tau) = (s.cols(step.u_dot), args.outputs.len, T::of(1.0 / args.tau_ms));
    let beta = &s.get(args.beta)[control.beta_row as usize * n_out..][..n_out];
    let (u, y, y_dot) = (&mut v.z[..n_out * G], &mut v.y[..n_out * G], &mut v.t[..n_out * G]);
    gather_some::<T, G>(s.get(args.u), n, args.outputs, rows.clone(), u);
    gather::<T, G>(s.get(args.y), n_out, rows.clone(), y);
    gather::<T, G>(s.get(args.y_dot), n_out, rows, y_dot);
    let outputs = args.outputs.start * G..args.outputs.end() * G;
    let (res, bend) = (&mut v.res[outputs.clone()], &mut v.bend[outputs]);
    let now = u.as_chunks::<G>().0.iter().zip(y.as_chunks::<G>().0).zip(y_dot.as_chunks::<G>().0);
    let to = res.as_chunks_mut::<G>().0.iter_mut().zip(bend.as_chunks_mut::<G>().0);
    for (((res, bend), ((u, y), y_dot)), &beta) in to.zip(now).zip(beta) {
        let before = *res;
        *res = each(|l| before[l] + beta * ((y[l] - u[l]) * inv_tau + y_dot[l]));
        let before = *bend;
        *bend = each(|l| before[l] + beta);
    }
}

/// What is booked of the iterations of each trajectory.
struct Book<T, const G: usize> {
    norm2: Each<T, G>,
    threshold2: Each<T, G>,
    count: Each<T, G>,
    bent: Each<T, G>,
}

/// Conjugate gradients; a trajectory that has converged changes no more.
#[inline(always)]
fn iterate<T: Real, const G: usize>(s: &Lane<T>, step: &Step, v: &mut Vectors<T>) -> Book<T, G> {
    let small = step.small;
    let (inverse, n) = (s.get(small.inverse), v.d.len() / G);
    let halved = in_halves::<T>(s.whole_batch(), n);
    v.x.fill(T::ZERO);
    let norm2 = dot::<T, G>(v.res, v.res);
    let scale = T::of(small.tolerance * small.tolerance);
    let mut book =
        Book { norm2, threshold2: norm2.map(|v| v * scale), count: [T::ZERO; G], bent: [T::ZERO; G] };
    let mut before = [T::ZERO; G];
    for turn in 0..small.at_most {
        let open: [bool; G] = std::array::from_fn(|l| book.norm2[l] > book.threshold2[l]);
        if !open.contains(&true) {
            break;
        }
        if halved {
            T::times(inverse, n, v.res, v.halves, v.t);
        } else {
            symmetric::<T, G>(inverse, n, v.res, &mut v.t[..n * G]);
        }
        let now = dot::<T, G>(v.res, v.t);
        let gain: Each<T, G> = std::array::from_fn(|l| {
            if turn > 0 && open[l] && before[l] != T::ZERO { now[l] / before[l] } else { T::ZERO }
        });
        before = now;
        way::<T, G>(v, &gain, turn == 0);
        there_and_back::<T, G>(s, &small.blocks, -T::ONE, v.y, v.t, v.z);
        let curvature = curvature::<T, G>(v);
        let alpha: Each<T, G> = std::array::from_fn(|l| {
            if open[l] && curvature[l] != T::ZERO { now[l] / curvature[l] } else { T::ZERO }
        });
        for l in (0..G).filter(|&l| open[l]) {
            book.count[l] += T::ONE;
            if curvature[l] <= T::ZERO {
                book.bent[l] = T::ONE;
            }
        }
        book.norm2 = go::<T, G>(v, &alpha);
    }
    book
}

/// The next direction `p ← P res + gain·p`, and what the operator starts from: ρ' p, p and 0.
#[inline(always)]
fn way<T: Real, const G: usize>(v: &mut Vectors<T>, gain: &Each<T, G>, first: bool) {
    v.z.fill(T::ZERO);
    let gain = *gain;
    let (p, y) = (v.p.as_chunks_mut::<G>().0, v.y.as_chunks_mut::<G>().0);
    let (t, d) = (v.t.as_chunks_mut::<G>().0, v.d.as_chunks::<G>().0);
    for (((p, y), t), d) in p.iter_mut().zip(y).zip(t).zip(d) {
        let (old, new, d) = (*p, *t, *d);
        // The first time p holds c.
        let next: Each<T, G> = if first { new } else { each(|l| new[l] + gain[l] * old[l]) };
        (*p, *t, *y) = (next, next, each(|l| d[l] * next[l]));
    }
}

/// Rows of a pass, a few at a time in a group; all at once of a single trajectory, whose numbers lie side by side.
#[inline(always)]
fn turns<const G: usize>(n: usize) -> impl Iterator<Item = Range<usize>> {
    let count = if G == 1 { n.max(1) } else { ROWS_AT_ONCE };
    (0..n).step_by(count).map(move |first| first..n.min(first + count))
}

/// `q ← H p` from J p in t and `Wᵀ J p` in z; p·q.
#[inline(always)]
fn curvature<T: Real, const G: usize>(v: &mut Vectors<T>) -> Each<T, G> {
    let mut sums = [T::ZERO; G];
    let (t, z, d) = (v.t.as_chunks::<G>().0, v.z.as_chunks::<G>().0, v.d.as_chunks::<G>().0);
    let (bend, p) = (v.bend.as_chunks::<G>().0, v.p.as_chunks::<G>().0);
    let q = v.q.as_chunks_mut::<G>().0;
    let n = q.len();
    for rows in turns::<G>(n) {
        let parts = t[rows.clone()].iter().zip(&z[rows.clone()]).zip(&d[rows.clone()]);
        let parts = parts.zip(&bend[rows.clone()]).zip(&p[rows.clone()]);
        for (q, ((((t, z), d), bend), p)) in q[rows.clone()].iter_mut().zip(parts) {
            *q = each(|l| t[l] - d[l] * z[l] + bend[l] * p[l]);
        }
        if G > 1 {
            add_products(&mut sums, &p[rows.clone()], &q[rows]);
        }
    }
    if G == 1 { dot::<T, G>(v.p, v.q) } else { sums }
}

/// `u̇ ← u̇ + α p`, `res ← res − α q`; |res|².
#[inline(always)]
fn go<T: Real, const G: usize>(v: &mut Vectors<T>, alpha: &Each<T, G>) -> Each<T, G> {
    let (mut sums, alpha) = ([T::ZERO; G], *alpha);
    let (x, res) = (v.x.as_chunks_mut::<G>().0, v.res.as_chunks_mut::<G>().0);
    let (p, q) = (v.p.as_chunks::<G>().0, v.q.as_chunks::<G>().0);
    let n = res.len();
    for rows in turns::<G>(n) {
        let moves = x[rows.clone()].iter_mut().zip(&mut res[rows.clone()]);
        for (((x, res), p), q) in moves.zip(&p[rows.clone()]).zip(&q[rows.clone()]) {
            let (from, left) = (*x, *res);
            *x = each(|l| from[l] + alpha[l] * p[l]);
            *res = each(|l| left[l] - alpha[l] * q[l]);
        }
        if G > 1 {
            add_products(&mut sums, &res[rows.clone()], &res[rows]);
        }
    }
    if G == 1 { dot::<T, G>(v.res, v.res) } else { sums }
}
