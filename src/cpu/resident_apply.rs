//! CPU twin of `shaders/resident_apply.wgsl`; the equation stands in [`crate::kernels::resident_apply`].

use super::panel::{Finish, Learn, Part, Size};
use super::{Lane, Real, product};
use crate::kernels::resident_apply::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let (n, n_in, batch) = (s.cols(a.a_old), s.cols(a.x_old), s.whole_batch());
    let (mut w, posts) = s.take_rows(a.w);
    if batch == 1 {
        let [sums, samples] =
            [[a.a_old, a.a_new], [a.x_old, a.x_new]].map(|bufs| bufs.map(|buf| s.whole(buf)));
        let [old, new] = samples.map(|x| &x[a.pre.range()]);
        for (row, i) in w.chunks_exact_mut(a.pre.len).zip(posts.clone()) {
            let [by_old, by_new] = sums.map(|sum| sum[a.post.start + i]);
            for ((w, &old), &new) in row.iter_mut().zip(old).zip(new) {
                *w += by_old * old + by_new * new;
            }
        }
        s.put(a.w, w);
        return s.follow(a.w, posts);
    }
    let pairs = [(a.a_old, a.x_old), (a.a_new, a.x_new)];
    if a.pre.len.is_multiple_of(T::GROUP) && !posts.is_empty() {
        // W passes by once for both.
        let part = |(sum, x)| Part {
            a: s.whole(sum)[a.post.start + posts.start..].as_ptr(),
            strides: (1, n),
            x: s.whole(x)[a.pre.start..].as_ptr(),
            stride: n_in,
            depth: batch,
        };
        let to = w.as_mut_ptr();
        let finish = Finish::Learn(Learn {
            scale: T::ONE,
            dt: T::ONE,
            clip: T::of(f64::INFINITY),
            w: to,
            next: to,
            rate: std::ptr::null_mut(),
        });
        let size = Size { rows: posts.len(), cols: a.pre.len, stride: a.pre.len };
        // SAFETY: sums have a column for each row of W, samples one for each of its columns; W was taken.
        unsafe { T::panels(size, &pairs.map(part), &finish) };
        s.put(a.w, w);
        return s.follow(a.w, posts);
    }
    for (sum, x) in pairs {
        product::multiply(
            product::How { rows: a.post.len, padded: false, alone: s.alone() },
            (posts.len(), batch, a.pre.len),
            T::ONE,
            product::View { data: &s.whole(sum)[a.post.start + posts.start..], strides: (1, n) },
            product::View { data: &s.whole(x)[a.pre.start..], strides: (n_in, 1) },
            T::ONE,
            product::ViewMut { data: &mut w, stride: a.pre.len },
        );
    }
    s.put(a.w, w);
    s.follow(a.w, posts);
}
