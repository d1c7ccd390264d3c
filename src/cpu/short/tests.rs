//! Products against sums in f64, and what is left out of them within the bounds that [`super`] gives.

use super::*;

/// Elements that begin at a line of the cache, as tiles do.
fn room(len: usize) -> Vec<Line> {
    vec![Line([0.0; 16]); len.div_ceil(16)]
}

/// A line of the cache.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[allow(dead_code, reason = "read through pointers")] [f32; 16]);

/// A matrix of numbers with all 24 bits, row-major with a stride.
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

/// A packed operand's memory.
struct Memory {
    data: Vec<Line>,
    outer: usize,
    levels: usize,
}

impl Memory {
    fn new(across: usize, along: usize, levels: usize) -> Self {
        let outer = depth(along) * levels * TILE;
        Self { data: room(across.div_ceil(ACROSS) * outer), outer, levels }
    }

    fn packed(&mut self) -> Packed<f32> {
        Packed { to: self.data.as_mut_ptr().cast(), outer: self.outer, levels: self.levels }
    }

    fn operand(&self) -> Operand<f32> {
        Operand { at: self.data.as_ptr().cast(), outer: self.outer, levels: self.levels }
    }
}

fn ready() -> bool {
    if !f32::ready() {
        // What runs there is tested by `tests/layered.rs`.
        eprintln!("no tiles of bfloat16 here: nothing to test");
    }
    f32::ready()
}

/// What is left out of a product, and what f32 rounds in a sum of n terms (in whatever order): `(2⁻²⁵ + n 2⁻²⁴)` and `(2⁻¹⁶ + n 2⁻²⁴)` times the
/// sum of the absolute terms; six, or three, products of levels stand for each of them.
fn bound(whole: bool, n: usize) -> f64 {
    let (left_out, products) = if whole { (2_f64.powi(-25), 6.0) } else { (2_f64.powi(-16), 3.0) };
    left_out + products * n as f64 * 2_f64.powi(-24)
}

/// `W x` and `Wᵀ z` with both packed forms of W.
#[test]
fn products_are_within_their_bounds() {
    if !ready() {
        return;
    }
    for (rows, cols, tiles) in [(10_usize, 100_usize, 2), (100, 300, 2), (100, 300, 1), (33, 31, 2), (1, 1, 1), (16, 32, 1)] {
        let stride = cols.next_multiple_of(16);
        let w = matrix(rows, cols, stride, 7);
        let mut along = Memory::new(rows, cols, WHOLE);
        let mut across = Memory::new(stride, rows, SHORT);
        let both = Both { along: along.packed(), across: across.packed() };
        unsafe { f32::weights(w.as_ptr(), Size { rows, tiles: stride / 16, stride }, both) };
        for whole in [true, false] {
            // Columns as rows are short.
            for turned in [false, true].into_iter().take(if whole { 1 } else { 2 }) {
                let (from, to, w_packed) = if turned { (rows, cols, &across) } else { (cols, rows, &along) };
                let width = 16 * tiles;
                let x = matrix(from, width, width, 3);
                let mut packed = Memory::new(width, from, WHOLE);
                let size = Size { rows: from, tiles, stride: width };
                unsafe { f32::right(x.as_ptr(), size, packed.packed()) };
                let mut out = vec![f32::NAN; to * width];
                let term = Term { a: w_packed.operand(), x: packed.operand(), depth: depth(from), whole };
                let end = End::Scale { scale: 1.0, out: out.as_mut_ptr() };
                unsafe { f32::multiply(Size { rows: to, tiles, stride: width }, &[term], &end) };
                for i in 0..to {
                    for l in 0..width {
                        let (mut sum, mut size) = (0.0_f64, 0.0);
                        for k in 0..from {
                            let w = if turned { w[k * stride + i] } else { w[i * stride + k] };
                            let one = f64::from(w) * f64::from(x[k * width + l]);
                            (sum, size) = (sum + one, size + one.abs());
                        }
                        let error = (f64::from(out[i * width + l]) - sum).abs();
                        assert!(error <= bound(whole, from) * size, "{rows} x {cols}, {i}, {l}: {error:e} of {size}");
                    }
                }
            }
        }
    }
}

/// Ẇ, the next W and their packed forms: as those of numbers that were computed one by one.
#[test]
fn weights_learn_within_their_bound() {
    if !ready() {
        return;
    }
    let (scale, dt) = (0.3_f32, 0.25_f32);
    for (post, pre, lanes) in [(100, 300, 32), (10, 100, 16), (37, 20, 64), (3, 12, 48)] {
        for clip in [f32::INFINITY, 0.9] {
            let stride = usize::next_multiple_of(pre, 16);
            let (w, delta) = (matrix(post, pre, stride, 7), matrix(post, lanes, lanes, 9));
            let r = matrix(pre, lanes, lanes, 11);
            let (mut a, mut x) = (Memory::new(post, lanes, SHORT), Memory::new(pre, lanes, SHORT));
            for first in (0..lanes).step_by(32) {
                let tiles = 2.min((lanes - first) / 16);
                let at = |p: Packed<f32>| Packed { to: p.to.wrapping_add(first / 32 * SHORT * TILE), ..p };
                unsafe {
                    f32::left(delta.as_ptr().add(first), Size { rows: post, tiles, stride: lanes }, at(a.packed()));
                    f32::turned(r.as_ptr().add(first), Size { rows: pre, tiles, stride: lanes }, at(x.packed()));
                }
            }
            let mut forms = [WHOLE, SHORT].map(|l| (Memory::new(post, pre, l), Memory::new(pre, post, SHORT)));
            let [weights, rates] = &mut forms;
            let mut next = vec![0.0_f32; post * stride];
            let end = End::Learn {
                scale,
                dt,
                clip,
                w: w.as_ptr(),
                next: next.as_mut_ptr(),
                weights: Both { along: weights.0.packed(), across: weights.1.packed() },
                rates: Both { along: rates.0.packed(), across: rates.1.packed() },
            };
            let term = Term { a: a.operand(), x: x.operand(), depth: depth(lanes), whole: false };
            unsafe { f32::multiply(Size { rows: post, tiles: stride / 16, stride }, &[term], &end) };
            let mut change = vec![0.0_f32; post * stride];
            for i in 0..post {
                for k in 0..pre {
                    let (mut sum, mut size) = (0.0_f64, 0.0);
                    for l in 0..lanes {
                        let one = f64::from(delta[i * lanes + l]) * f64::from(r[k * lanes + l]);
                        (sum, size) = (sum + one, size + one.abs());
                    }
                    let at = i * stride + k;
                    let expected = (f64::from(w[at]) + f64::from(dt * scale) * sum).clamp(f64::from(-clip), f64::from(clip));
                    let allowed = f64::from(dt * scale) * bound(false, lanes) * size + 2_f64.powi(-22);
                    let error = (f64::from(next[at]) - expected).abs();
                    assert!(error <= allowed, "{post} x {pre}, {i}, {k}: {error:e}");
                    change[at] = (sum * f64::from(scale)) as f32;
                }
            }
            // The sum of the levels of both forms.
            for (matrix, (along, across), size) in [(&next, &forms[0], 0.0), (&change, &forms[1], f64::from(lanes as u32) * f64::from(scale))] {
                for i in 0..post {
                    for k in 0..pre {
                        let expected = f64::from(matrix[i * stride + k]);
                        for (memory, row, col) in [(along, i, k), (across, k, i)] {
                            let found = value(memory, row, col);
                            // What two levels leave of a number up to 1, and a sum's error.
                            let left = if memory.levels == WHOLE { 2_f64.powi(-25) } else { 2_f64.powi(-17) };
                            let allowed = left + 2_f64.powi(-16) * size;
                            assert!((found - expected).abs() <= allowed, "{found} for {expected}");
                        }
                    }
                }
            }
        }
    }
}

/// An element of a left operand: its levels together.
fn value(memory: &Memory, row: usize, col: usize) -> f64 {
    let base = memory.data.as_ptr().cast::<u16>();
    let tile = row / ACROSS * memory.outer + col / ALONG * memory.levels * TILE;
    let short = |level: usize| {
        let at = 2 * (tile + level * TILE) + row % ACROSS * ALONG + col % ALONG;
        f64::from(f32::from_bits(u32::from(unsafe { *base.add(at) }) << 16))
    };
    (0..memory.levels).map(short).sum()
}

/// A trajectory that is no number, or infinite, leaves the others alone.
#[test]
fn no_number_stays_in_its_column() {
    if !ready() {
        return;
    }
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let (n, width) = (40, 32);
        let w = matrix(n, n, 48, 7);
        let (mut along, mut across) = (Memory::new(n, n, WHOLE), Memory::new(48, n, SHORT));
        let both = Both { along: along.packed(), across: across.packed() };
        unsafe { f32::weights(w.as_ptr(), Size { rows: n, tiles: 3, stride: 48 }, both) };
        let mut x = matrix(n, width, width, 3);
        x[3 * width + 5] = bad;
        let mut packed = Memory::new(width, n, WHOLE);
        let size = Size { rows: n, tiles: 2, stride: width };
        unsafe { f32::right(x.as_ptr(), size, packed.packed()) };
        let mut out = vec![0.0_f32; n * width];
        let term = Term { a: along.operand(), x: packed.operand(), depth: depth(n), whole: true };
        unsafe { f32::multiply(size, &[term], &End::Scale { scale: 1.0, out: out.as_mut_ptr() }) };
        for (k, v) in out.iter().enumerate() {
            assert_eq!(v.is_finite(), k % width != 5, "{k}: {v}");
        }
    }
}

#[test]
fn timing_scratch() {
    if !ready() {
        return;
    }
    for (rows, cols, tiles) in [(100_usize, 300_usize, 2_usize), (300, 100, 2), (100, 300, 1), (300, 100, 1)] {
        let stride = cols.next_multiple_of(16);
        let w = matrix(rows, cols, stride, 7);
        let mut along = Memory::new(rows, cols, WHOLE);
        let mut across = Memory::new(stride, rows, SHORT);
        let both = Both { along: along.packed(), across: across.packed() };
        unsafe { f32::weights(w.as_ptr(), Size { rows, tiles: stride / 16, stride }, both) };
        let width = 16 * tiles;
        let x = matrix(cols, width, width, 3);
        let mut packed = Memory::new(width, cols, WHOLE);
        let size = Size { rows: cols, tiles, stride: width };
        unsafe { f32::right(x.as_ptr(), size, packed.packed()) };
        let mut out = vec![f32::NAN; rows * width];
        for whole in [true, false] {
            for scale in [true, false] {
            let term = Term { a: along.operand(), x: packed.operand(), depth: depth(cols), whole };
            let end = if scale { End::Scale { scale: 1.0, out: out.as_mut_ptr() } } else {End::Gate{gate: x.as_ptr(), out: out.as_mut_ptr(), packed: None}};
            if !scale && rows > cols { continue; }
            let mut best = f64::INFINITY;
            for _ in 0..50 {
                let t = std::time::Instant::now();
                for _ in 0..20 {
                    unsafe { f32::multiply(Size { rows, tiles, stride: width }, &[term], &end) };
                }
                best = best.min(t.elapsed().as_secs_f64() / 20.0);
            }
            let tdps = rows.div_ceil(16) * depth(cols) * tiles * if whole { 6 } else { 3 };
            eprintln!("{rows} x {cols}, {tiles} tiles, whole {whole} scale {scale}: {:.2} us, {tdps} dots, {:.1} ns each", best * 1e6, best * 1e9 / tdps as f64);
            }
        }
        let mut best = f64::INFINITY;
        for _ in 0..50 {
            let t = std::time::Instant::now();
            for _ in 0..20 {
            unsafe { f32::right(x.as_ptr(), size, packed.packed()) };
            }
            best = best.min(t.elapsed().as_secs_f64() / 20.0);
        }
        eprintln!("right {cols}: {:.2} us", best * 1e6);
        let mut best = f64::INFINITY;
        for _ in 0..50 {
            let t = std::time::Instant::now();
            for _ in 0..20 {
            unsafe { f32::weights(w.as_ptr(), Size { rows, tiles: stride / 16, stride }, both) };
            }
            best = best.min(t.elapsed().as_secs_f64() / 20.0);
        }
        eprintln!("weights {rows} {cols}: {:.2} us", best * 1e6);
    }
}
