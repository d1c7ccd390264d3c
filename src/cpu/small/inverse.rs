//! P, the inverse of the mean of H over the trajectories:
//! `H̄ = (1 − W D̄)ᵀ(1 − W D̄) + diag β − diag(mean of ρ''·(Wᵀδ))`, D̄ the mean of ρ'.

use super::Step;
use crate::cpu::{Lane, Real, product};
use crate::plan::StepControl;
use crate::plan::small::PERIOD;

/// Makes P anew where it is old; by one lane for all, or by each thread for itself.
#[inline(always)]
pub(super) fn refresh<T: Real>(s: &mut Lane<T>, step: &Step, control: &StepControl) {
    let small = step.small;
    let Some(mut age) = s.take_all(small.age) else { return };
    let due = age[0] == T::ZERO;
    let next = age[0] + T::ONE;
    age[0] = if next.f64() >= PERIOD as f64 { T::ZERO } else { next };
    s.put(small.age, age);
    if !due {
        return;
    }
    let Some(mut inverse) = s.take_all(small.inverse) else { return };
    let n = s.cols(step.u_dot);
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

/// Rows and columns that are eliminated at a time.
const BLOCK: usize = 16;

/// `h ← h⁻¹` of a symmetric matrix, in place, by blocks; `false` if a pivot is not positive: it is not positive definite.
fn invert<T: Real>(h: &mut [T], n: usize) -> bool {
    let (mut left, mut right) = (vec![T::ZERO; n * BLOCK], vec![T::ZERO; n * BLOCK]);
    let mut pivot = [T::ZERO; BLOCK * BLOCK];
    for start in (0..n).step_by(BLOCK) {
        let k = BLOCK.min(n - start);
        for i in 0..k {
            pivot[i * k..][..k].copy_from_slice(&h[(start + i) * n + start..][..k]);
        }
        if !invert_few(&mut pivot[..k * k], k) {
            return false;
        }
        // left = h[:, block], right = pivot⁻¹ h[block, :]; the block itself counts as 0 in left and as −1 in right.
        for i in 0..n {
            left[i * k..][..k].copy_from_slice(&h[i * n + start..][..k]);
        }
        left[start * k..(start + k) * k].fill(T::ZERO);
        multiply(&pivot, &h[start * n..(start + k) * n], (k, k, n), T::ONE, T::ZERO, &mut right);
        for i in 0..k {
            right[i * n + start..][..k].copy_from_slice(&pivot[i * k..][..k]);
        }
        for i in 0..n {
            h[i * n + start..][..k].fill(T::ZERO);
        }
        multiply(&left, &right, (n, k, n), -T::ONE, T::ONE, h);
        for i in 0..k {
            h[(start + i) * n..][..n].copy_from_slice(&right[i * n..][..n]);
        }
    }
    true
}

/// `c ← alpha·a b + keep·c` with a `[m, k]`, b `[k, n]`, without gaps between rows.
fn multiply<T: Real>(a: &[T], b: &[T], (m, k, n): (usize, usize, usize), alpha: T, keep: T, c: &mut [T]) {
    let a = product::View { data: a, strides: (k, 1) };
    let b = product::View { data: b, strides: (n, 1) };
    let how = product::How { rows: m, padded: false, alone: false };
    product::multiply(how, (m, k, n), alpha, a, b, keep, product::ViewMut { data: c, stride: n });
}

/// As [`invert`], element by element.
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
