//! CPU twin of `shaders/decode.wgsl`; the equation stands in [`crate::kernels::decode`].

use super::{Lane, Real};
use crate::kernels::decode::Args;
use crate::plan::StepControl;

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, _: &StepControl) {
    let mut x_old = s.take(a.x_old);
    let mut x_new = s.take(a.x_new);
    let mut y_old = s.take(a.y_old);
    let mut y_new = s.take(a.y_new);
    let (n_in, n_out) = (s.cols(a.x_new), s.cols(a.y_new));
    let (pixels, labels, active) = (s.bytes(a.pixels), s.bytes(a.labels), s.get(a.active));
    let (pixel, label) = (s.get(a.pixel_table), s.get(a.label_table));
    for b in (0..active.len()).filter(|&b| active[b] != T::ZERO) {
        let row = b * n_in..(b + 1) * n_in;
        x_old[row.clone()].copy_from_slice(&x_new[row.clone()]);
        for (x, &p) in x_new[row.clone()].iter_mut().zip(&pixels[row]) {
            *x = pixel[usize::from(p)];
        }
        let row = b * n_out..(b + 1) * n_out;
        y_old[row.clone()].copy_from_slice(&y_new[row.clone()]);
        for (o, y) in y_new[row].iter_mut().enumerate() {
            *y = label[usize::from(o == usize::from(labels[b]))];
        }
    }
    s.put(a.x_old, x_old);
    s.put(a.x_new, x_new);
    s.put(a.y_old, y_old);
    s.put(a.y_new, y_new);
}
