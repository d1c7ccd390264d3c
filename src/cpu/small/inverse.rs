//! P, the inverse of the mean of H over the trajectories:
//! `H̄ = (1 − W D̄)ᵀ(1 − W D̄) + diag β − diag(mean of ρ''·(Wᵀδ))`, D̄ the mean of ρ'.

use super::{Step, in_halves};
use crate::cpu::{Lane, Real, product};
use crate::plan::StepControl;
use crate::plan::small::PERIOD;

/// Makes P anew where it is old; by one lane for all, or by each thread for itself.
#[inline(always)]
pub(super) fn refresh<T: Real>(s: &mut Lane<T>, step: &Step, control: &StepControl) {
    let small = step.small;
    let Some(mut age) = s.take_all(small.age) else { return };
    let n = s.cols(step.u_dot);
    let halved = in_halves::<T>(s.whole_batch(), n);
    // A half beside the number of steps tells that P is packed: a checkpoint may come from another processor.
    let (mark, steps) = (if halved { 0.5 } else { 0.0 }, age[0].f64().floor());
    let due = steps == 0.0 || age[0].f64() - steps != mark;
    let next = steps + 1.0;
    age[0] = T::of(if next >= PERIOD as f64 { 0.0 } else { next + mark });
    s.put(small.age, age);
    if !due {
        return;
    }
    let Some(mut inverse) = s.take_all(small.inverse) else { return };
    let (d, bend) = means(s, step, control, n);
    let mut room = s.take_room(n * n);
    let gram = &mut room[..n * n];
    products(s, step, gram, n);
    for curved in [true, false] {
        assemble(s, step, (&d, &bend), gram, &mut inverse, curved);
        // Without ρ'' the mean is positive definite in any case but that of a singular J at β = 0.
        if invert(&mut inverse, n) {
            break;
        }
        identity(&mut inverse, n);
    }
    if halved {
        room[..n * n].copy_from_slice(&inverse);
        T::pack(&room, n, &mut inverse);
    }
    s.put_room(room);
    s.put(small.inverse, inverse);
}

/// Means of ρ' and of `β − ρ''·(Wᵀδ)` over the active trajectories.
fn means<T: Real>(s: &Lane<T>, step: &Step, control: &StepControl, n: usize) -> (Vec<T>, Vec<T>) {
    let (mut d, mut bend) = (vec![T::ZERO; n], vec![T::ZERO; n]);
    let curved = step.rates.d2.map(|d2| (s.whole(d2), s.whole(step.apical)));
    let mut count = T::ZERO;
    for (row, &active) in s.whole(step.mismatch.active).iter().enumerate() {
        if active == T::ZERO {
            continue;
        }
        count += T::ONE;
        let range = row * n..(row + 1) * n;
        d.iter_mut().zip(&s.whole(step.rates.d)[range.clone()]).for_each(|(d, &v)| *d += v);
        if let Some((d2, apical)) = curved {
            let both = d2[range.clone()].iter().zip(&apical[range]);
            bend.iter_mut().zip(both).for_each(|(bend, (&d2, &apical))| *bend += -(d2 * apical));
        }
    }
    if count > T::ZERO {
        let share = T::ONE / count;
        d.iter_mut().chain(&mut bend).for_each(|v| *v = *v * share);
    }
    let outputs = step.drive.outputs;
    let beta = &s.get(step.drive.beta)[control.beta_row as usize * outputs.len..][..outputs.len];
    bend[outputs.range()].iter_mut().zip(beta).for_each(|(bend, &beta)| *bend += beta);
    (d, bend)
}

/// `WᵀW`, from the projections that end in the same population.
fn products<T: Real>(s: &Lane<T>, step: &Step, gram: &mut [T], n: usize) {
    gram.fill(T::ZERO);
    for one in &step.small.blocks {
        for other in step.small.blocks.iter().filter(|b| b.post == one.post) {
            let (a, b) = (s.get(one.w), s.get(other.w));
            let (m, k, cols) = (one.pre.len, one.post.len, other.pre.len);
            let a = product::View { data: a, strides: (1, m) };
            let b = product::View { data: b, strides: (cols, 1) };
            let how = product::How { rows: m, padded: false, alone: false };
            let to = &mut gram[(one.pre.start * n + other.pre.start).min(n * n)..];
            let to = product::ViewMut { data: to, stride: n };
            product::multiply(how, (m, k, cols), T::ONE, a, b, T::ONE, to);
        }
    }
}

/// `h ← 1 − W D − D Wᵀ + D (WᵀW) D + diag(bend)`; of bend only what is positive, unless curved.
fn assemble<T: Real>(
    s: &Lane<T>,
    step: &Step,
    (d, bend): (&[T], &[T]),
    gram: &[T],
    h: &mut [T],
    curved: bool,
) {
    let n = d.len();
    for (i, (h, gram)) in h.chunks_exact_mut(n).zip(gram.chunks_exact(n)).enumerate() {
        for ((h, &gram), &dj) in h.iter_mut().zip(gram).zip(d) {
            *h = d[i] * gram * dj;
        }
        let bent = if curved || bend[i] > T::ZERO { bend[i] } else { T::ZERO };
        h[i] += T::ONE + bent;
    }
    for block in &step.small.blocks {
        let (pre, post) = (block.pre, block.post);
        for (i, w) in s.get(block.w).chunks_exact(pre.len.max(1)).enumerate() {
            for (j, &w) in w.iter().enumerate() {
                let (row, col) = (post.start + i, pre.start + j);
                let v = w * d[col];
                h[row * n + col] -= v;
                h[col * n + row] -= v;
            }
        }
    }
}

fn identity<T: Real>(h: &mut [T], n: usize) {
    h.fill(T::ZERO);
    h.iter_mut().step_by(n + 1).for_each(|v| *v = T::ONE);
}

/// Rows and columns of a sweep.
const BLOCK: usize = 16;

/// `h ← h⁻¹` of a symmetric matrix, in place; `false` if a pivot is not positive: it is not positive definite.
///
/// Sweeps of blocks K: `h_KK ← −D`, `h_iK ← h_iK D`, `h_ij ← h_ij − h_iK D h_Kj` with `D = h_KK⁻¹` keep the matrix symmetric, so that its lower
/// triangle will do, and leave `−h⁻¹`.
fn invert<T: Real>(h: &mut [T], n: usize) -> bool {
    let (mut left, mut right) = (vec![T::ZERO; n * BLOCK], vec![T::ZERO; n * BLOCK]);
    let mut across = left.clone();
    let mut pivot = [T::ZERO; BLOCK * BLOCK];
    for start in (0..n).step_by(BLOCK) {
        let k = BLOCK.min(n - start);
        let end = start + k;
        for i in 0..k {
            for j in 0..=i {
                let v = h[(start + i) * n + start + j];
                (pivot[i * k + j], pivot[j * k + i]) = (v, v);
            }
        }
        if !invert_few(&mut pivot[..k * k], k) {
            return false;
        }
        // h_iK of all i, 0 on the block itself, as columns and as rows.
        left.fill(T::ZERO);
        for i in (0..start).chain(end..n) {
            for j in 0..k {
                let v = if i < start { h[(start + j) * n + i] } else { h[i * n + start + j] };
                (left[i * k + j], across[j * n + i]) = (v, v);
            }
        }
        (0..k).for_each(|j| across[j * n + start..j * n + end].fill(T::ZERO));
        multiply(&pivot, &across, (k, k, n), T::ONE, T::ZERO, (&mut right, n), n);
        for first in (0..n).step_by(2 * BLOCK) {
            let last = n.min(first + 2 * BLOCK);
            let (a, to) = (&left[first * k..last * k], &mut h[first * n..last * n]);
            multiply(a, &right, (last - first, k, last), -T::ONE, T::ONE, (to, n), n);
        }
        for j in 0..k {
            h[(start + j) * n..][..start].copy_from_slice(&right[j * n..][..start]);
            (end..n).for_each(|i| h[i * n + start + j] = right[j * n + i]);
            (0..k).for_each(|i| h[(start + i) * n + start + j] = -pivot[i * k + j]);
        }
    }
    for i in 0..n {
        for j in 0..=i {
            let v = -h[i * n + j];
            (h[i * n + j], h[j * n + i]) = (v, v);
        }
    }
    true
}

/// `c ← alpha·a b + keep·c` with a `[m, k]`, b `[k, n]`, rows of b and c at these strides.
fn multiply<T: Real>(
    a: &[T],
    b: &[T],
    (m, k, n): (usize, usize, usize),
    alpha: T,
    keep: T,
    (c, stride): (&mut [T], usize),
    b_stride: usize,
) {
    let a = product::View { data: a, strides: (k, 1) };
    let b = product::View { data: b, strides: (b_stride, 1) };
    let how = product::How { rows: m, padded: false, alone: false };
    product::multiply(how, (m, k, n), alpha, a, b, keep, product::ViewMut { data: c, stride });
}

/// `h ← h⁻¹` element by element.
fn invert_few<T: Real>(h: &mut [T], n: usize) -> bool {
    for k in 0..n {
        let pivot = h[k * n + k];
        if !(pivot > T::ZERO && pivot.finite()) {
            return false;
        }
        let inverse = T::ONE / pivot;
        h[k * n + k] = T::ONE;
        h[k * n..][..n].iter_mut().for_each(|v| *v = *v * inverse);
        for i in (0..n).filter(|&i| i != k) {
            let factor = h[i * n + k];
            h[i * n + k] = T::ZERO;
            for j in 0..n {
                let v = factor * h[k * n + j];
                h[i * n + j] -= v;
            }
        }
    }
    true
}
