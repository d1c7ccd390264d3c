//! CPU twin of `shaders/slice.wgsl`; the equation stands in [`crate::kernels::slice`].

use super::stimulus::follow_input;
use super::{Lane, Real, status};
use crate::data::series::Format;
use crate::kernels::slice::Args;
use crate::plan::{Buf, StepControl};

/// Runs the kernel.
#[inline(always)]
pub fn run<T: Real>(s: &mut Lane<T>, a: &Args, step: &StepControl) {
    let n_in = s.cols(a.x);
    follow(s, a, step, n_in, (a.y, a.y_dot), false);
    follow(s, a, step, 0, (a.x, a.x_dot), true);
    if let Some(clamp) = a.clamp {
        follow_input(s, a.x, clamp, a.dt_ms);
    }
}

/// Present value and backward difference of one of the two signals, which starts at column `at`.
#[inline(always)]
fn follow<T: Real>(
    s: &mut Lane<T>,
    a: &Args,
    step: &StepControl,
    at: usize,
    (value, rate): (Buf, Buf),
    input: bool,
) {
    let n = s.cols(value);
    let (mut value_v, mut rate_v) = (s.take(value), s.take(rate));
    let mut word = s.take_words(a.status);
    let (active, inv_dt) = (s.get(a.active), T::of(1.0 / a.dt_ms));
    let (gain, offset) = (&s.get(a.gain)[at..at + n], &s.get(a.offset)[at..at + n]);
    let (bytes, cursor) = (s.bytes(a.series), s.bytes(a.cursor));
    let (width, wide) = (s.cols(a.series), a.format.bytes());
    let last = (bytes.len() / width.max(1)).saturating_sub(1);
    let (first, ramp) = if a.start { (0, T::ZERO) } else { (step.row as usize, T::of(step.ramp)) };
    let neurons = s.neurons();
    for (b, window) in cursor.chunks_exact(4).enumerate() {
        let span = b * n..(b + 1) * n;
        if active[b] == T::ZERO {
            rate_v[span].fill(T::ZERO);
            continue;
        }
        let window = u32::from_le_bytes([window[0], window[1], window[2], window[3]]) as usize;
        let row = |k: usize| &bytes[(window + k).min(last) * width + at * wide..][..n * wide];
        let now = row(first);
        // The last row of a window has no next, and needs none.
        let next = if ramp > T::ZERO { row(first + 1) } else { now };
        let (value, rate) = (&mut value_v[span.clone()], &mut rate_v[span]);
        for c in 0..n {
            let (from, to): (T, T) = (held(now, c, a.format), held(next, c, a.format));
            let next = (from + (to - from) * ramp) * gain[c] + offset[c];
            rate[c] = if a.start { T::ZERO } else { (next - value[c]) * inv_dt };
            value[c] = next;
        }
        if let Some(i) = value.iter().position(|v| !v.finite()) {
            // A target that is not finite is named as neuron N + output.
            let neuron = if input { i } else { neurons + i };
            status::note(&mut word, status::INPUT, active.len(), b, step.index, neuron, neurons);
        }
    }
    s.put(value, value_v);
    s.put(rate, rate_v);
    s.put_words(a.status, word);
}

/// Value `c` of a row.
#[inline(always)]
fn held<T: Real>(row: &[u8], c: usize, format: Format) -> T {
    T::of(match format {
        Format::I16 => f64::from(i16::from_le_bytes([row[2 * c], row[2 * c + 1]])),
        Format::F32 => {
            f64::from(f32::from_le_bytes([row[4 * c], row[4 * c + 1], row[4 * c + 2], row[4 * c + 3]]))
        }
    })
}
