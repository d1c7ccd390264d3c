//! Vectors of a group of G trajectories, `[N, G]`: element by element, and through W.

use std::ops::Range;

use crate::cpu::group::Shape;
use crate::cpu::rows::{ROWS, next};
use crate::cpu::vector::each;
use crate::cpu::{Lane, Real, tile, transpose};
use crate::plan::{Buf, Cols, small::Block};

/// Numbers of the G trajectories.
pub(super) type Each<T, const G: usize> = [T; G];

/// `[N, G]` from some rows of a `[batch, N]` buffer; trajectories that are not there get 0.
#[inline(always)]
pub(super) fn gather<T: Real, const G: usize>(from: &[T], n: usize, rows: Range<usize>, to: &mut [T]) {
    gather_some::<T, G>(from, n, Cols { start: 0, len: n }, rows, to);
}

/// As [`gather`], of some columns alone.
#[inline(always)]
pub(super) fn gather_some<T: Real, const G: usize>(
    from: &[T],
    n: usize,
    cols: Cols,
    rows: Range<usize>,
    to: &mut [T],
) {
    if G == 1 {
        return to.copy_from_slice(&from[rows.start * n..][cols.range()]);
    }
    if rows.len() == G && G == T::GROUP {
        return transpose::group(&from[rows.start * n + cols.start..rows.end * n], cols.len, n, to);
    }
    to.fill(T::ZERO);
    for (lane, row) in rows.enumerate() {
        let from = &from[row * n..][cols.range()];
        for (to, &v) in to.as_chunks_mut::<G>().0.iter_mut().zip(from) {
            to[lane] = v;
        }
    }
}

/// Brings a group back.
#[inline(always)]
pub(super) fn scatter<T: Real, const G: usize>(from: &[T], n: usize, rows: Range<usize>, to: &mut [T]) {
    if G == 1 {
        return to[rows.start * n..][..n].copy_from_slice(from);
    }
    if rows.len() == G && G == T::GROUP {
        return transpose::ungroup(from, n, n, &mut to[rows.start * n..rows.end * n]);
    }
    for (lane, row) in rows.enumerate() {
        let to = &mut to[row * n..][..n];
        for (to, from) in to.iter_mut().zip(from.as_chunks::<G>().0) {
            *to = from[lane];
        }
    }
}

/// `out ← out + scale·A x` with a matrix of these strides, `[m, k]`.
#[inline(always)]
fn multiply<T: Real, const G: usize>(
    a: &[T],
    (m, k): (usize, usize),
    strides: (usize, usize),
    scale: T,
    x: &[T],
    out: &mut [T],
) {
    if m == 0 || k == 0 {
        return;
    }
    assert!(a.len() > (m - 1) * strides.0 + (k - 1) * strides.1);
    assert!(x.len() >= k * G && out.len() >= m * G && (G == 1 || G == T::GROUP));
    // SAFETY: the assertions bound every index; out is borrowed mutably, so it overlaps neither a nor x.
    unsafe {
        if G == 1 {
            let (b, keep, padded) = ((strides.1, strides.0), T::ONE, false);
            let shape = tile::Shape { m: 1, k, n: m, alpha: scale, a: (k, 1), b, padded, keep, c: m };
            T::product(&shape, x.as_ptr(), a.as_ptr(), out.as_mut_ptr());
        } else {
            let shape = Shape { rows: m, depth: k, a: strides, scale };
            T::grouped(&shape, a.as_ptr(), x.as_ptr(), out.as_mut_ptr());
        }
    }
}

/// `out_post ← out_post + scale·W x_pre` along a projection, W in `w`.
#[inline(always)]
fn forward<T: Real, const G: usize>(s: &Lane<T>, w: Buf, ends: &Block, scale: T, x: &[T], out: &mut [T]) {
    let (pre, post) = (ends.pre.len, ends.post.len);
    let (from, to) = (wide::<G>(ends.pre), wide::<G>(ends.post));
    multiply::<T, G>(s.get(w), (post, pre), (pre, 1), scale, &x[from], &mut out[to]);
}

/// `out_pre ← out_pre + scale·Wᵀ x_post` along a projection, W in `w`.
#[inline(always)]
pub(super) fn backward<T: Real, const G: usize>(
    s: &Lane<T>,
    w: Buf,
    ends: &Block,
    scale: T,
    x: &[T],
    out: &mut [T],
) {
    let (pre, post) = (ends.pre.len, ends.post.len);
    let (from, to) = (wide::<G>(ends.post), wide::<G>(ends.pre));
    multiply::<T, G>(s.get(w), (pre, post), (1, pre), scale, &x[from], &mut out[to]);
}

/// `t ← t + scale·W x`, then `out ← out + Wᵀ t`.
#[inline(always)]
pub(super) fn there_and_back<T: Real, const G: usize>(
    s: &Lane<T>,
    blocks: &[Block],
    scale: T,
    x: &[T],
    t: &mut [T],
    out: &mut [T],
) {
    if G == 1 {
        return by_rows(
            s,
            blocks,
            |b| Some(b.w),
            x,
            out,
            |rows, sums| {
                t[rows.clone()].iter_mut().zip(sums).for_each(|(t, sum)| *t += scale * sum);
                few(&t[rows])
            },
        );
    }
    // What ends in the same neurons, so that W is still near when it is read again.
    for blocks in blocks.chunk_by(|a, b| a.post == b.post) {
        for block in blocks {
            forward::<T, G>(s, block.w, block, scale, x, t);
        }
        for block in blocks {
            backward::<T, G>(s, block.w, block, T::ONE, t, out);
        }
    }
}

/// `to ← to + Ẇ x`, `out ← out + Ẇᵀ y`.
#[inline(always)]
pub(super) fn along_rates<T: Real, const G: usize>(
    s: &Lane<T>,
    blocks: &[Block],
    (x, to): (&[T], &mut [T]),
    (y, out): (&[T], &mut [T]),
) {
    if G == 1 {
        return by_rows(
            s,
            blocks,
            |b| b.w_dot,
            x,
            out,
            |rows, sums| {
                to[rows.clone()].iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
                few(&y[rows])
            },
        );
    }
    for (block, w_dot) in blocks.iter().filter_map(|b| b.w_dot.map(|w_dot| (b, w_dot))) {
        forward::<T, G>(s, w_dot, block, T::ONE, x, to);
        backward::<T, G>(s, w_dot, block, T::ONE, y, out);
    }
}

/// As [`along_rates`], without Ẇ: `Ẇ x = κ Σ_b δ_b (r̄_b·x)` over all trajectories b, κ the rate, and `Ẇᵀ y = κ Σ_b r̄_b (δ_b·y)`; here x is r̄ and y is
/// δ of the group. Only the columns of all trajectories are read, as `[batch, n]`.
#[inline(always)]
pub(super) fn along_factors<T: Real, const G: usize>(
    blocks: &[Block],
    (r, delta, n): (&[T], &[T], usize),
    rate: f64,
    (x, to): (&[T], &mut [T]),
    (y, out): (&[T], &mut [T]),
    overlaps: &mut Vec<T>,
) {
    let learns = || blocks.iter().filter(|b| b.w_dot.is_some());
    let forth = learns().map(|b| (b.pre, b.post, rate * b.factor));
    let back = learns().map(|b| (b.post, b.pre, rate * b.factor));
    spread::<T, G>(forth, (r, delta, n), x, to, overlaps);
    spread::<T, G>(back, (delta, r, n), y, out, overlaps);
    for block in learns().filter(|b| b.hollow) {
        // What neurons would teach themselves.
        let (pre, rate) = (block.pre, T::of(rate * block.factor));
        overlaps.clear();
        overlaps.resize(pre.len, T::ZERO);
        for (delta, r) in delta.chunks_exact(n).zip(r.chunks_exact(n)) {
            let both = delta[pre.range()].iter().zip(&r[pre.range()]);
            overlaps.iter_mut().zip(both).for_each(|(sum, (&delta, &r))| *sum += delta * r);
        }
        for (i, &sum) in pre.range().zip(&*overlaps) {
            for l in i * G..(i + 1) * G {
                to[l] -= rate * sum * x[l];
                out[l] -= rate * sum * y[l];
            }
        }
    }
}

/// `to ← to + κ Σ_b a_b (from_b·x)`, the overlap on the first population of each link and a_b of the second one: populations share what their links
/// have in common.
#[inline(always)]
fn spread<T: Real, const G: usize>(
    links: impl Iterator<Item = (Cols, Cols, f64)> + Clone,
    (from, a, n): (&[T], &[T], usize),
    x: &[T],
    to: &mut [T],
    overlaps: &mut Vec<T>,
) {
    let batch = from.len() / n;
    let known = |cols: Cols, count: usize| links.clone().take(count).position(|(by, ..)| by == cols);
    // One for each population that links begin at, and one for their sum.
    let size = batch * G;
    overlaps.clear();
    overlaps.resize((links.clone().count() + 1) * size, T::ZERO);
    let (sum, each) = overlaps.split_at_mut(size);
    let of = |v: &'_ [T], cols: Cols| cols.start.min(v.len());
    for (k, (by, ..)) in links.clone().enumerate().filter(|&(k, (by, ..))| known(by, k).is_none()) {
        let (a, x) = (&from[of(from, by)..], &x[wide::<G>(by)]);
        multiply::<T, G>(a, (batch, by.len), (n, 1), T::ONE, x, &mut each[k * size..][..size]);
    }
    let first = |k: usize, at: Cols| links.clone().take(k).all(|(_, other, _)| other != at);
    for (_, (_, at, _)) in links.clone().enumerate().filter(|&(k, (_, at, _))| first(k, at)) {
        sum.fill(T::ZERO);
        for (k, (by, _, rate)) in links.clone().enumerate().filter(|(_, (_, other, _))| *other == at) {
            let (rate, from) = (T::of(rate), known(by, k).unwrap_or(k));
            for (sum, &v) in sum.iter_mut().zip(&each[from * size..][..size]) {
                *sum += rate * v;
            }
        }
        multiply::<T, G>(&a[of(a, at)..], (at.len, batch), (1, n), T::ONE, sum, &mut to[wide::<G>(at)]);
    }
}

fn few<T: Real>(t: &[T]) -> [T; ROWS] {
    std::array::from_fn(|r| t.get(r).copied().unwrap_or(T::ZERO))
}

/// A few rows of all projections into a population at a time: `turn` gets their products with x and gives what they are combined with in `out`.
#[inline(always)]
fn by_rows<T: Real>(
    s: &Lane<T>,
    blocks: &[Block],
    of: impl Fn(&Block) -> Option<Buf>,
    x: &[T],
    out: &mut [T],
    mut turn: impl FnMut(Range<usize>, [T; ROWS]) -> [T; ROWS],
) {
    for blocks in blocks.chunk_by(|a, b| a.post == b.post) {
        let post = blocks[0].post;
        let mut first = 0;
        while first < post.len {
            let rows = first..first + next(post.len - first);
            first = rows.end;
            let part = |b: &Block| of(b).map(|w| &s.get(w)[rows.start * b.pre.len..rows.end * b.pre.len]);
            let mut sums = [T::ZERO; ROWS];
            for block in blocks {
                if let Some(a) = part(block) {
                    let (len, x) = (block.pre.len, &x[block.pre.range()]);
                    // SAFETY: a has whole rows of len elements, as has x.
                    let more = unsafe { T::dots(a.as_ptr(), len, rows.len(), len, x.as_ptr()) };
                    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
                }
            }
            let t = turn(post.start + rows.start..post.start + rows.end, sums);
            for block in blocks {
                if let Some(a) = part(block) {
                    let (len, out) = (block.pre.len, &mut out[block.pre.range()]);
                    // SAFETY: as above; out is borrowed mutably, so it does not overlap a.
                    unsafe { T::combine(a.as_ptr(), len, rows.len(), len, &t, out.as_mut_ptr()) };
                }
            }
        }
    }
}

/// `out ← A x` with a symmetric matrix `[n, n]`; of a single trajectory from its lower triangle alone.
#[inline(always)]
pub(super) fn symmetric<T: Real, const G: usize>(a: &[T], n: usize, x: &[T], out: &mut [T]) {
    out.fill(T::ZERO);
    if G > 1 {
        return multiply::<T, G>(a, (n, n), (1, n), T::ONE, x, out);
    }
    assert!(a.len() >= n * n && x.len() >= n && out.len() >= n);
    let mut first = 0;
    while first < n {
        let count = next(n - first);
        let rows = &a[first * n..(first + count) * n];
        // The square on the diagonal is whole.
        // SAFETY: `first + count` elements of each of these rows and of x.
        let sums = unsafe { T::dots(rows.as_ptr(), n, count, first + count, x.as_ptr()) };
        let t = few(&x[first..first + count]);
        // SAFETY: as above; out is borrowed mutably, so it does not overlap a.
        unsafe { T::combine(rows.as_ptr(), n, count, first, &t, out.as_mut_ptr()) };
        out[first..first + count].iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
        first += count;
    }
}

/// Elements of some neurons in a `[N, G]` vector.
fn wide<const G: usize>(cols: Cols) -> Range<usize> {
    cols.start * G..cols.end() * G
}

/// Σ x·y of each trajectory; of a single one in 16 partial sums that add up in a fixed order.
#[inline(always)]
pub(super) fn dot<T: Real, const G: usize>(x: &[T], y: &[T]) -> Each<T, G> {
    if G == 1 {
        let mut sums = [T::ZERO; 16];
        let ((x, x_rest), (y, y_rest)) = (x.as_chunks::<16>(), y.as_chunks::<16>());
        for (x, y) in x.iter().zip(y) {
            for l in 0..16 {
                sums[l] += x[l] * y[l];
            }
        }
        for (sum, (&x, &y)) in sums.iter_mut().zip(x_rest.iter().zip(y_rest)) {
            *sum += x * y;
        }
        return [sums.into_iter().sum(); G];
    }
    let mut sums = [T::ZERO; G];
    let (x, y) = (x.as_chunks::<G>().0, y.as_chunks::<G>().0);
    for (x, y) in x.chunks(ROWS_AT_ONCE).zip(y.chunks(ROWS_AT_ONCE)) {
        add_products(&mut sums, x, y);
    }
    sums
}

/// Rows whose products are added up before they join a sum: sums wait in memory, and each turn for the one before it.
pub(super) const ROWS_AT_ONCE: usize = 4;

/// Σ x·y of up to [`ROWS_AT_ONCE`] rows.
#[inline(always)]
pub(super) fn add_products<T: Real, const G: usize>(sums: &mut Each<T, G>, x: &[[T; G]], y: &[[T; G]]) {
    let before = *sums;
    if let ([a, b, c, d], [e, f, g, h]) = (x, y) {
        *sums = each(|l| before[l] + ((a[l] * e[l] + b[l] * f[l]) + (c[l] * g[l] + d[l] * h[l])));
        return;
    }
    for (x, y) in x.iter().zip(y) {
        let before = *sums;
        *sums = each(|l| before[l] + x[l] * y[l]);
    }
}
