//! `a = W r̄ + b + [x]_in`, `δ = u − a` and `Wᵀδ` (step order, item 2).

use std::ops::Range;

use super::group::{gather, scatter, there_and_back};
use super::{Step, aligned};
use crate::cpu::vector::each;
use crate::cpu::{Lane, Real};

/// Of some trajectories of the lane.
#[inline(always)]
pub(super) fn run<T: Real, const G: usize>(s: &mut Lane<T>, step: &Step, rows: Range<usize>) {
    let (small, args) = (step.small, step.mismatch);
    let n = s.cols(args.u);
    let (mut room, start) = aligned(s, 4 * n * G);
    let mut parts = room[start..].chunks_exact_mut(n * G);
    let mut part = || parts.next().unwrap_or_default();
    let (r, basal, delta, apical) = (part(), part(), part(), part());
    gather::<T, G>(s.get(step.rates.r), n, rows.clone(), r);
    gather::<T, G>(s.get(args.u), n, rows.clone(), basal);
    // δ = u − b − x, then − W r̄.
    let groups = delta.as_chunks_mut::<G>().0.iter_mut().zip(basal.as_chunks::<G>().0);
    for ((delta, u), &bias) in groups.zip(s.get(args.b)) {
        *delta = each(|l| u[l] - bias);
    }
    if let Some(x) = args.x {
        let (x, n_in) = (s.get(x), s.cols(x));
        for (lane, row) in rows.clone().enumerate() {
            (0..n_in).for_each(|i| delta[i * G + lane] -= x[row * n_in + i]);
        }
    }
    apical.fill(T::ZERO);
    there_and_back::<T, G>(s, &small.blocks, -T::ONE, r, delta, apical);
    for (a, &delta) in basal.iter_mut().zip(&*delta) {
        *a -= delta;
    }
    for (lane, row) in rows.clone().enumerate() {
        if s.get(args.active)[row] == T::ZERO {
            for v in [&mut *delta, &mut *apical] {
                v.iter_mut().skip(lane).step_by(G).for_each(|v| *v = T::ZERO);
            }
        }
    }
    for (buf, from) in [(args.a, &*basal), (args.delta, delta), (step.apical, apical)] {
        let mut out = s.take(buf);
        scatter::<T, G>(from, n, rows.clone(), &mut out);
        s.put(buf, out);
    }
    s.put_room(room);
}
