//! Products against sums in f64, and what is left out of them within the bounds that [`super`] gives.

use super::*;

/// A line of the cache.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[allow(dead_code, reason = "read through pointers")] [f32; 16]);

/// A packed operand's memory.
struct Memory {
    data: Vec<Line>,
    outer: usize,
}

impl Memory {
    fn new(across: usize, along: usize) -> Self {
        let outer = along.div_ceil(ALONG) * SHORT * TILE;
        Self { data: vec![Line([0.0; 16]); across.div_ceil(ACROSS) * outer / 16], outer }
    }

    fn operand(&mut self) -> Operand<f32> {
        Operand { at: self.data.as_mut_ptr().cast(), outer: self.outer }
    }
}

/// A row-major matrix of numbers with all 24 bits.
fn matrix(rows: usize, cols: usize, stride: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut all = vec![0.0; rows * stride];
    for row in all.chunks_exact_mut(stride) {
        row[..cols].fill_with(&mut next);
    }
    all
}

fn ready() -> bool {
    if !f32::ready() {
        // What runs there is tested by `tests/layered.rs`.
        eprintln!("no tiles of bfloat16 here: nothing to test");
    }
    f32::ready()
}

/// Most that a product of n terms may be off, of the sum of their absolute values: what is left out of three products of short numbers, and what f32
/// rounds in the sum of them.
fn bound(n: usize) -> f64 {
    3.0 * 2_f64.powi(-16) + 3.0 * n as f64 * 2_f64.powi(-24)
}

/// Element (i, j) of a product in f64, and the sum of its absolute terms.
fn exact(n: usize, term: impl Fn(usize) -> (f32, f32)) -> (f64, f64) {
    let terms = (0..n).map(|k| f64::from(term(k).0) * f64::from(term(k).1));
    terms.fold((0.0, 0.0), |(sum, size), one| (sum + one, size + one.abs()))
}

/// Both operands with their columns along the sum, as W learns from δ and r̄.
#[test]
fn weights_learn_within_their_bound() {
    if !ready() {
        return;
    }
    let (scale, dt) = (0.3_f32, 0.25_f32);
    for (post, pre, lanes) in [(100_usize, 300_usize, 128_usize), (10, 100, 48), (37, 20, 64), (3, 12, 80)] {
        for clip in [f32::INFINITY, 0.9] {
            let stride = pre.next_multiple_of(16);
            let w = matrix(post, pre, stride, 7);
            let (delta, r) = (matrix(post, lanes, lanes, 9), matrix(pre, lanes, lanes, 11));
            let (mut a, mut x) = (Memory::new(post, lanes), Memory::new(pre, lanes));
            let mut next = vec![f32::NAN; post * stride];
            let mut rate = next.clone();
            let (to, out) = (rate.as_mut_ptr(), next.as_mut_ptr());
            let end = End::Learn(Learn { scale, dt, clip, w: w.as_ptr(), next: out, rate: to });
            let of = |rows: usize| Size { rows, tiles: lanes / 16, stride: lanes };
            let size = Size { rows: post, tiles: stride / 16, stride };
            // SAFETY: all lengths are as they are asked for.
            unsafe {
                f32::left(delta.as_ptr(), of(post), a.operand());
                f32::turned(r.as_ptr(), of(pre), x.operand());
                let term = Term { a: a.operand(), x: x.operand(), depth: lanes.div_ceil(ALONG) };
                f32::multiply(size, term, &end);
            }
            for i in 0..post {
                for k in 0..pre {
                    let at = i * stride + k;
                    let (sum, size) = exact(lanes, |l| (delta[i * lanes + l], r[k * lanes + l]));
                    let allowed = f64::from(scale) * (bound(lanes) * size + 2_f64.powi(-23) * sum.abs());
                    let error = (f64::from(rate[at]) - f64::from(scale) * sum).abs();
                    assert!(error <= allowed, "{post} x {pre}, {i}, {k}: {error:e}, {allowed:e}");
                    let free = f64::from(w[at]) + f64::from(dt) * f64::from(scale) * sum;
                    let expected = free.clamp(-f64::from(clip), f64::from(clip));
                    let error = (f64::from(next[at]) - expected).abs();
                    assert!(error <= f64::from(dt) * allowed + 2_f64.powi(-23), "{i}, {k}: {error:e}");
                }
            }
        }
    }
}

/// The right operand mixed from two matrices, a tile of columns or several.
#[test]
fn mixed_products_are_within_their_bound() {
    if !ready() {
        return;
    }
    for (rows, lanes, tiles) in
        [(300, 128, 2), (300, 48, 1), (75, 80, 2), (33, 64, 1), (1, 32, 1), (50, 160, 3)]
    {
        let width = 16 * tiles;
        let delta = matrix(rows, lanes, lanes, 9);
        let (old, new) = (matrix(lanes, width, width, 3), matrix(lanes, width, width, 5));
        let (before, now) = (0.25_f32, 0.75_f32);
        let (mut a, mut x) = (Memory::new(rows, lanes), Memory::new(width, lanes));
        let mut out = vec![f32::NAN; rows * width];
        // SAFETY: all lengths are as they are asked for.
        unsafe {
            f32::left(delta.as_ptr(), Size { rows, tiles: lanes / 16, stride: lanes }, a.operand());
            let size = Size { rows: lanes, tiles, stride: width };
            f32::mixed(old.as_ptr(), new.as_ptr(), (before, now), size, x.operand());
            let term = Term { a: a.operand(), x: x.operand(), depth: lanes.div_ceil(ALONG) };
            let end = End::Scale { scale: 2.0, out: out.as_mut_ptr() };
            f32::multiply(Size { rows, tiles, stride: width }, term, &end);
        }
        for i in 0..rows {
            for l in 0..width {
                let mixed = |k: usize| before * old[k * width + l] + now * new[k * width + l];
                let (sum, size) = exact(lanes, |k| (delta[i * lanes + k], mixed(k)));
                let error = (f64::from(out[i * width + l]) - 2.0 * sum).abs();
                // The mixture is rounded, too, once here and once there.
                let allowed = 2.0 * (bound(lanes) + 2_f64.powi(-22)) * size;
                assert!(error <= allowed, "{rows}, {lanes}, {i}, {l}: {error:e}, {allowed:e}");
            }
        }
    }
}

/// A row that is no number, or infinite, leaves the others alone.
#[test]
fn no_number_stays_in_its_row() {
    if !ready() {
        return;
    }
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let (rows, lanes) = (40, 64);
        let mut delta = matrix(rows, lanes, lanes, 7);
        delta[5 * lanes + 3] = bad;
        let r = matrix(32, lanes, lanes, 3);
        let (mut a, mut x) = (Memory::new(rows, lanes), Memory::new(32, lanes));
        let mut out = vec![0.0_f32; rows * 32];
        let of = |rows: usize| Size { rows, tiles: lanes / 16, stride: lanes };
        // SAFETY: all lengths are as they are asked for.
        unsafe {
            f32::left(delta.as_ptr(), of(rows), a.operand());
            f32::turned(r.as_ptr(), of(32), x.operand());
            let term = Term { a: a.operand(), x: x.operand(), depth: 2 };
            let end = End::Scale { scale: 1.0, out: out.as_mut_ptr() };
            f32::multiply(Size { rows, tiles: 2, stride: 32 }, term, &end);
        }
        for (k, v) in out.iter().enumerate() {
            assert_eq!(v.is_finite(), k / 32 != 5, "{k}: {v}");
        }
    }
}

/// A trajectory that is no number makes none of the weights that learn from it, within whatever bounds, and of a mixture its column.
#[test]
fn no_number_is_no_number_within_bounds() {
    if !ready() {
        return;
    }
    let (post, pre, lanes) = (20, 30, 48);
    let (w, delta) = (matrix(post, 32, 32, 7), matrix(post, lanes, lanes, 9));
    let mut r = matrix(pre, lanes, lanes, 11);
    r[4 * lanes + 40] = f32::NAN;
    let (mut a, mut x) = (Memory::new(post, lanes), Memory::new(pre, lanes));
    // One row more, which nobody writes.
    let mut next = vec![3.0_f32; (post + 1) * 32];
    let mut rate = next.clone();
    let (to, out) = (rate.as_mut_ptr(), next.as_mut_ptr());
    let end = End::Learn(Learn { scale: 1.0, dt: 1.0, clip: 0.9, w: w.as_ptr(), next: out, rate: to });
    let of = |rows: usize| Size { rows, tiles: lanes / 16, stride: lanes };
    let mut old = matrix(lanes, 16, 16, 3);
    old[7 * 16 + 5] = f32::NAN;
    let (new, mut y) = (matrix(lanes, 16, 16, 5), Memory::new(16, lanes));
    let mut mixture = vec![0.0_f32; post * 16];
    // SAFETY: all lengths are as they are asked for.
    unsafe {
        f32::left(delta.as_ptr(), of(post), a.operand());
        f32::turned(r.as_ptr(), of(pre), x.operand());
        let term = Term { a: a.operand(), x: x.operand(), depth: 2 };
        f32::multiply(Size { rows: post, tiles: 2, stride: 32 }, term, &end);
        let size = Size { rows: lanes, tiles: 1, stride: 16 };
        f32::mixed(old.as_ptr(), new.as_ptr(), (0.5, 0.5), size, y.operand());
        let term = Term { a: a.operand(), x: y.operand(), depth: 2 };
        let end = End::Scale { scale: 1.0, out: mixture.as_mut_ptr() };
        f32::multiply(Size { rows: post, tiles: 1, stride: 16 }, term, &end);
    }
    for i in 0..post {
        for k in 0..32 {
            let (now, change) = (next[i * 32 + k], rate[i * 32 + k]);
            assert_eq!((now.is_nan(), change.is_nan()), (k == 4, k == 4), "{i}, {k}: {now}, {change}");
            // Beside the weights nothing is learned: those of `matrix` are within 1 there, too.
            assert!(k < pre || change == 0.0 && now == w[i * 32 + k].clamp(-0.9, 0.9), "{i}, {k}: {now}");
        }
        for l in 0..16 {
            assert_eq!(mixture[i * 16 + l].is_nan(), l == 5, "{i}, {l}");
        }
    }
    assert!(next[post * 32..].iter().chain(&rate[post * 32..]).all(|&v| v == 3.0), "beyond the rows");
}
