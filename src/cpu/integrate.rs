//! CPU twin of `shaders/integrate.wgsl`; the equation stands in [`crate::kernels::integrate`].

use super::{Lane, Real, status};
use crate::kernels::integrate::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let n = s.cols(a.u);
    let (mut u, mut u_dot, mut word) = (s.take(a.u), s.take(a.u_dot), s.take_words(a.status));
    let active = s.get(a.active);
    let clamp = a.clamp.map(|x| (s.get(x), s.cols(x)));
    let (dt, limit, batch) = (T::of(a.dt_ms), T::of(a.u_limit), s.batch());
    for b in 0..batch {
        let free = b * n + a.cols.start..b * n + a.cols.end();
        if active[b] == T::ZERO {
            u_dot[b * n..(b + 1) * n].fill(T::ZERO);
            continue;
        }
        let mut sound = true;
        for (u, &rate) in u[free.clone()].iter_mut().zip(&u_dot[free.clone()]) {
            *u += dt * rate;
            sound &= u.abs() <= limit;
        }
        if !sound {
            let here = &u[free];
            let mut note = |row, at: Option<usize>| {
                if let Some(i) = at {
                    status::note(&mut word, row, batch, b, step.index, a.cols.start + i, n);
                }
            };
            note(status::STATE, here.iter().position(|v| !v.finite()));
            note(status::LIMIT, here.iter().position(|v| v.finite() && v.abs() > limit));
        }
        if let Some((x, n_in)) = clamp {
            u[b * n..b * n + n_in].copy_from_slice(&x[b * n_in..(b + 1) * n_in]);
        }
    }
    s.put(a.u, u);
    s.put(a.u_dot, u_dot);
    s.put_words(a.status, word);
}
