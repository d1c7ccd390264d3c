//! `H u̇ = rhs` by conjugate gradients that are preconditioned with P.
//!
//! `rhs = Jᵀ c + g` with `c = s − δ/τ`, `g = ρ'·(Ẇᵀδ) + β(u* − u)/τ + β u̇*`, and `H p = Jᵀ J p + C p`, `C = diag β − diag(ρ''·(Wᵀδ))`.
//! Iterations start from u̇ = 0: as P H is close to the identity, the first of them is worth more than what the steps before let expect.

use std::ops::Range;

use super::group::{
    Each, along_factors, along_rates, backward, dot, gather, scatter, symmetric, there_and_back,
};
use super::{Step, in_factors};
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
    let mut room = s.take_room(9 * n * G);
    let mut parts = room.chunks_exact_mut(n * G);
    let mut part = || parts.next().unwrap_or_default();
    let mut v = Vectors {
        d: part(),
        bend: part(),
        res: part(),
        p: part(),
        q: part(),
        t: part(),
        y: part(),
        z: part(),
        x: part(),
    };
    right_side::<T, G>(s, step, rows.clone(), control, &mut v);
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
        v.bend.iter_mut().zip(&*v.t).for_each(|(d2, &apical)| *d2 = -(*d2 * apical));
    }
    let inv_tau = T::of(1.0 / args.tau_ms);
    // c in p, what ρ' gates in q.
    v.p.iter_mut().zip(&*v.x).for_each(|(c, &delta)| *c = -delta * inv_tau);
    if let Some(b_dot) = args.b_dot {
        for (c, &rate) in v.p.chunks_exact_mut(G).zip(s.get(b_dot)) {
            c.iter_mut().for_each(|c| *c += rate);
        }
    }
    if let Some(x_dot) = args.x_dot {
        let (x_dot, n_in) = (s.get(x_dot), s.cols(x_dot));
        for (lane, row) in rows.clone().enumerate() {
            (0..n_in).for_each(|i| v.p[i * G + lane] += x_dot[row * n_in + i]);
        }
    }
    v.q.fill(T::ZERO);
    if control.rate_w != 0.0 {
        let (forth, back) = ((&*v.y, &mut *v.p), (&*v.x, &mut *v.q));
        if in_factors(small, s.whole_batch()) {
            let all = (s.whole(step.rates.r), s.whole(args.delta), n);
            along_factors::<T, G>(&small.blocks, all, control.rate_w, forth, back, &mut Vec::new());
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
    let (u, y, y_dot) = (s.get(args.u), s.get(args.y), s.get(args.y_dot));
    let beta = &s.get(args.beta)[control.beta_row as usize * n_out..][..n_out];
    for (lane, row) in rows.enumerate() {
        for (o, &beta) in beta.iter().enumerate() {
            let (i, k) = (args.outputs.start + o, row * n_out + o);
            v.res[i * G + lane] += beta * ((y[k] - u[row * n + i]) * inv_tau + y_dot[k]);
            v.bend[i * G + lane] += beta;
        }
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
        symmetric::<T, G>(inverse, n, v.res, v.t);
        let now = dot::<T, G>(v.res, v.t);
        let gain: Each<T, G> = std::array::from_fn(|l| {
            if turn > 0 && open[l] && before[l] != T::ZERO { now[l] / before[l] } else { T::ZERO }
        });
        before = now;
        if turn == 0 {
            v.p.copy_from_slice(v.t);
        } else {
            for (p, z) in v.p.as_chunks_mut::<G>().0.iter_mut().zip(v.t.as_chunks::<G>().0) {
                for l in 0..G {
                    p[l] = z[l] + gain[l] * p[l];
                }
            }
        }
        operator::<T, G>(s, step, v);
        let curvature = dot::<T, G>(v.p, v.q);
        let alpha: Each<T, G> = std::array::from_fn(|l| {
            if open[l] && curvature[l] != T::ZERO { now[l] / curvature[l] } else { T::ZERO }
        });
        for l in (0..G).filter(|&l| open[l]) {
            book.count[l] += T::ONE;
            if curvature[l] <= T::ZERO {
                book.bent[l] = T::ONE;
            }
        }
        let (p, q) = (v.p.as_chunks::<G>().0, v.q.as_chunks::<G>().0);
        for (x, p) in v.x.as_chunks_mut::<G>().0.iter_mut().zip(p) {
            for l in 0..G {
                x[l] += alpha[l] * p[l];
            }
        }
        for (res, q) in v.res.as_chunks_mut::<G>().0.iter_mut().zip(q) {
            for l in 0..G {
                res[l] -= alpha[l] * q[l];
            }
        }
        book.norm2 = dot::<T, G>(v.res, v.res);
    }
    book
}

/// `q ← H p`.
#[inline(always)]
fn operator<T: Real, const G: usize>(s: &Lane<T>, step: &Step, v: &mut Vectors<T>) {
    for ((y, &d), &p) in v.y.iter_mut().zip(&*v.d).zip(&*v.p) {
        *y = d * p;
    }
    v.t.copy_from_slice(v.p);
    v.z.fill(T::ZERO);
    there_and_back::<T, G>(s, &step.small.blocks, -T::ONE, v.y, v.t, v.z);
    let parts = v.t.iter().zip(&*v.z).zip(&*v.d).zip(&*v.bend).zip(&*v.p);
    for (q, ((((&t, &z), &d), &bend), &p)) in v.q.iter_mut().zip(parts) {
        *q = t - d * z + bend * p;
    }
}
