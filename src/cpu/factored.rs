//! Products with `Ẇ = κ·δᵀ r̄` that never form it: see [`super::tasks`].

use super::outer::Shape;
use super::product::{FAR, How, View, ViewMut, multiply};
use super::{Lane, Real};
use crate::kernels::{backward, forward, update, weight_rate};
use crate::plan::{Buf, Cols, StepControl};

/// `[rows of the lane, batch]` overlaps of a lane's trajectories with all, on some columns.
fn overlaps<T: Real>(s: &mut Lane<T>, x: Buf, cols: Cols) -> Vec<T> {
    let (n, batch, all) = (s.cols(x), s.batch(), s.whole_batch());
    let mut out = s.take_operand(batch * all);
    multiply(
        How { rows: all, padded: false, alone: s.alone() },
        (batch, cols.len, all),
        T::ONE,
        View { data: &s.get(x)[cols.start..], strides: (n, 1) },
        View { data: &s.whole(x)[cols.start..], strides: (1, n) },
        T::ZERO,
        ViewMut { data: &mut out, stride: all },
    );
    out
}

/// `Σ δ r̄` of each neuron of a population over all trajectories: the diagonal of `δᵀ r̄`, which a population without self-connections lacks.
fn diagonal<T: Real>(s: &Lane<T>, rate: &weight_rate::Args) -> Option<Vec<T>> {
    if !rate.hollow {
        return None;
    }
    let mut sums = vec![T::ZERO; rate.post.len];
    let (n_d, n_r) = (s.cols(rate.delta), s.cols(rate.r));
    let rows = s.whole(rate.delta).chunks_exact(n_d).zip(s.whole(rate.r).chunks_exact(n_r));
    for (delta, r) in rows {
        let both = delta[rate.post.range()].iter().zip(&r[rate.pre.range()]);
        for (sum, (&d, &r)) in sums.iter_mut().zip(both) {
            *sum += d * r;
        }
    }
    Some(sums)
}

/// `c += κ·(r̄ r̄ᵀ) δ` on the postsynaptic columns.
pub(super) fn forward<T: Real>(
    s: &mut Lane<T>,
    a: &forward::Args,
    rate: &weight_rate::Args,
    step: &StepControl,
) {
    let (n, batch, all) = (s.cols(a.out), s.batch(), s.whole_batch());
    let overlaps = overlaps(s, rate.r, rate.pre);
    let mut out = s.take(a.out);
    multiply(
        How { rows: all, padded: false, alone: s.alone() },
        (batch, all, rate.post.len),
        T::of(step.rate_w * rate.factor * a.scale),
        View { data: &overlaps, strides: (all, 1) },
        View { data: &s.whole(rate.delta)[rate.post.start..], strides: (s.cols(rate.delta), 1) },
        T::ONE,
        ViewMut { data: &mut out[a.post.start..], stride: n },
    );
    if let Some(own) = diagonal(s, rate) {
        let (r, n_r, scale) = (s.get(rate.r), s.cols(rate.r), T::of(step.rate_w * rate.factor * a.scale));
        for (out, r) in out.chunks_exact_mut(n).zip(r.chunks_exact(n_r)) {
            let both = own.iter().zip(&r[rate.pre.range()]);
            for (out, (&own, &r)) in out[a.post.range()].iter_mut().zip(both) {
                *out -= scale * own * r;
            }
        }
    }
    s.put(a.out, out);
    s.put_operand(overlaps);
}

/// `g += ρ'·κ·(δ δᵀ) r̄` on the presynaptic columns.
pub(super) fn backward<T: Real>(
    s: &mut Lane<T>,
    a: &backward::Args,
    rate: &weight_rate::Args,
    step: &StepControl,
) {
    let (n, batch, all) = (s.cols(a.out), s.batch(), s.whole_batch());
    let overlaps = overlaps(s, rate.delta, rate.post);
    let mut room = s.take_room(batch * a.pre.len);
    multiply(
        How { rows: all, padded: false, alone: s.alone() },
        (batch, all, rate.pre.len),
        T::of(step.rate_w * rate.factor * a.scale),
        View { data: &overlaps, strides: (all, 1) },
        View { data: &s.whole(rate.r)[rate.pre.start..], strides: (s.cols(rate.r), 1) },
        T::ZERO,
        ViewMut { data: &mut room, stride: a.pre.len },
    );
    if let Some(own) = diagonal(s, rate) {
        let (delta, n_d) = (s.get(rate.delta), s.cols(rate.delta));
        let scale = T::of(step.rate_w * rate.factor * a.scale);
        for (room, delta) in room.chunks_exact_mut(a.pre.len).zip(delta.chunks_exact(n_d)).take(batch) {
            let both = own.iter().zip(&delta[rate.post.range()]);
            for (room, (&own, &d)) in room.iter_mut().zip(both) {
                *room -= scale * own * d;
            }
        }
    }
    let mut out = s.take(a.out);
    let gate = a.gate.map(|g| s.get(g));
    super::backward::add_gated(&mut out, &room, gate, (n, batch), a.pre);
    s.put(a.out, out);
    s.put_room(room);
    s.put_operand(overlaps);
}

/// `W += dt·κ·δᵀ r̄` on this lane's share of the rows, then the clip.
pub(super) fn learn<T: Real>(
    s: &mut Lane<T>,
    a: &update::Args,
    rate: &weight_rate::Args,
    step: &StepControl,
) {
    let (n, all) = (s.cols(rate.delta), s.whole_batch());
    let (mut w, posts) = s.take_rows(a.p);
    let share = T::of(step.rate_w * rate.factor * a.dt_ms);
    let delta = View { data: &s.whole(rate.delta)[rate.post.start + posts.start..], strides: (1, n) };
    let r = View { data: &s.whole(rate.r)[rate.pre.start..], strides: (n, 1) };
    let how = |rows: usize| How { rows, padded: false, alone: s.alone() };
    let clip = a.clip.map(T::of);
    let shape = (posts.len(), all, rate.pre.len);
    let learns = share != T::ZERO;
    let place = |i: usize| (i - posts.start) * rate.pre.len + i;
    let kept = if learns { own_weights(&w, rate, posts.clone(), place) } else { Vec::new() };
    // Weights beyond the caches are taken in blocks of their own.
    let near = rate.post.len * rate.pre.len < FAR;
    let at_once = learns && near && !s.has_transposed(a.p) && !s.alone();
    if at_once && outer(&mut w, shape, share, (delta.data, r.data), n, clip) {
        for (at, mut v) in kept {
            clip.into_iter().for_each(|clip| super::update::clamp(std::slice::from_mut(&mut v), clip));
            w[at] = v;
        }
        return s.put(a.p, w);
    }
    if learns {
        let to = ViewMut { data: &mut w, stride: rate.pre.len };
        multiply(how(rate.post.len), shape, share, delta, r, T::ONE, to);
        kept.into_iter().for_each(|(at, v)| w[at] = v);
    }
    if let Some(clip) = clip {
        super::update::clamp(&mut w, clip);
    }
    s.put(a.p, w);
    let alone = s.alone();
    let Some((mut w, stride)) = s.take_transposed(a.p) else {
        return s.follow(a.p, posts);
    };
    // The same sums: Wᵀ stays equal to W to the last bit.
    let how = How { rows: rate.pre.len, padded: false, alone };
    let (r, delta) = (View { strides: (1, n), ..r }, View { strides: (n, 1), ..delta });
    if learns {
        let kept = own_weights(&w, rate, posts.clone(), |i| i * stride + i - posts.start);
        let to = ViewMut { data: &mut w, stride };
        multiply(how, (rate.pre.len, all, posts.len()), share, r, delta, T::ONE, to);
        kept.into_iter().for_each(|(at, v)| w[at] = v);
    }
    if let Some(clip) = clip {
        super::update::clamp(&mut w, clip);
    }
}

/// `W ← W + share·δᵀ r̄` and its bounds in one pass; `false` where W is too narrow for it. δ and r̄ are rows of n elements.
fn outer<T: Real>(
    w: &mut [T],
    (rows, depth, cols): (usize, usize, usize),
    alpha: T,
    (delta, r): (&[T], &[T]),
    n: usize,
    clip: Option<T>,
) -> bool {
    if rows == 0 || cols == 0 || depth == 0 {
        return false;
    }
    assert!(w.len() >= rows * cols);
    assert!(delta.len() >= (depth - 1) * n + rows && r.len() >= (depth - 1) * n + cols);
    let clip = clip.unwrap_or(T::of(f64::INFINITY));
    let shape = Shape { rows, cols, depth, a: n, b: n, c: cols, alpha, clip };
    // SAFETY: the assertions bound every index; w is borrowed mutably, so it overlaps neither δ nor r̄.
    unsafe { T::outer(&shape, delta.as_ptr(), r.as_ptr(), w.as_mut_ptr()) }
}

/// Places and values of the weights of some neurons onto themselves, which do not learn; none where there are self-connections.
fn own_weights<T: Real>(
    w: &[T],
    rate: &weight_rate::Args,
    posts: std::ops::Range<usize>,
    place: impl Fn(usize) -> usize,
) -> Vec<(usize, T)> {
    if !rate.hollow {
        return Vec::new();
    }
    posts.map(|i| (place(i), w[place(i)])).collect()
}
