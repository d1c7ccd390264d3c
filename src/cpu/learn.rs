//! CPU twin of `shaders/learn.wgsl`; the equation stands in [`crate::kernels::learn`].

use super::{Lane, Real};
use crate::kernels::learn::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let (n, r_n) = (s.cols(a.delta), s.cols(a.r));
    let (mut w, posts) = s.take_rows(a.w);
    let share = T::of(step.rate_w * a.factor * a.dt_ms);
    let rows = || s.whole(a.delta).chunks_exact(n).zip(s.whole(a.r).chunks_exact(r_n));
    for (row, post) in w.chunks_exact_mut(a.pre.len).zip(posts.clone()) {
        for (pre, w) in row.iter_mut().enumerate() {
            let own = a.hollow && a.post.start + post == a.pre.start + pre;
            if share != T::ZERO && !own {
                let sum: T = rows().map(|(delta, r)| delta[a.post.start + post] * r[a.pre.start + pre]).sum();
                *w += share * sum;
            }
        }
        if let Some(clip) = a.clip.map(T::of) {
            super::update::clamp(row, clip);
        }
    }
    s.put(a.w, w);
    s.follow(a.w, posts);
}
