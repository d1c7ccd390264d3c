//! Matrix products: without packing where operands lie well, from a library elsewhere.

use super::tile::Shape;
use super::{Lane, Real, turned};
use crate::plan::{Buf, Cols};

/// A matrix operand: element (i, j) at `i·strides.0 + j·strides.1`.
#[derive(Clone, Copy)]
pub struct View<'a, T> {
    /// From element (0, 0) on.
    pub data: &'a [T],
    /// Row and column stride.
    pub strides: (usize, usize),
}

/// The result: row-major with a row stride.
pub struct ViewMut<'a, T> {
    /// From element (0, 0) on.
    pub data: &'a mut [T],
    /// Row stride.
    pub stride: usize,
}

/// `gate ⊙ x` on some columns of a lane's trajectories, packed into scratch; also frees `x` to be the output of the same call.
#[inline(always)]
pub fn gather<T: Real>(s: &mut Lane<T>, x: Buf, gate: Option<Buf>, cols: Cols) -> Vec<T> {
    let (n, batch) = (s.cols(x), s.batch());
    let mut data = s.take_operand(batch * cols.len);
    let values = s.get(x);
    let gates = gate.map(|g| s.get(g));
    for (b, to) in data.chunks_exact_mut(cols.len.max(1)).take(batch).enumerate() {
        let range = b * n + cols.start..b * n + cols.end();
        match gates {
            None => to.copy_from_slice(&values[range]),
            Some(g) => {
                for ((t, &x), &g) in to.iter_mut().zip(&values[range.clone()]).zip(&g[range]) {
                    *t = x * g;
                }
            }
        }
    }
    data
}

/// Copies some columns of a buffer with row length `n`.
pub fn copy_cols<T: Real>(from: &[T], to: &mut [T], n: usize, cols: Cols) {
    for (from, to) in from.chunks_exact(n).zip(to.chunks_exact_mut(n)) {
        to[cols.range()].copy_from_slice(&from[cols.range()]);
    }
}

/// Rows from which on they go through panels where both operands lie along their products: below, most of a panel would be idle.
const PANELS_FROM: usize = 8;

/// Elements from which on a matrix is beyond the faster caches, so that the order counts in which it is read.
pub(crate) const FAR: usize = 1 << 18;

/// Most trajectories of an update that are packed for it.
const FACTORS: usize = 64;

/// Longest piece of a sum along the rows of both operands: what a strip of each of them takes stays in the faster caches.
const DEEP: usize = 256;

/// Multiply-adds below which splitting costs more than it saves.
const SPLIT_ABOVE: usize = 400_000;

struct Raw<T>(*mut T);
// SAFETY: tasks write disjoint rows or columns of the result, see `multiply`.
unsafe impl<T> Send for Raw<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Raw<T> {}

impl<T> Raw<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}

/// How a product is run; none of it may change a sum.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Rows of all lanes together: decides which kernel runs, so that sums do not depend on the number of lanes.
    pub rows: usize,
    /// Rows of b are padded with zeros to a multiple of 16 elements.
    pub padded: bool,
    /// May be split over the cores.
    pub alone: bool,
}

/// `c ← alpha·a·b + keep·c` with a `[m, k]`, b `[k, n]`, c `[m, n]`. Every element is summed in the same order however the result
/// is split, over lanes or over the cores of a single one; long sums in pieces, each of which is rounded into c.
pub fn multiply<T: Real>(
    how: How,
    (m, k, n): (usize, usize, usize),
    alpha: T,
    a: View<T>,
    b: View<T>,
    keep: T,
    c: ViewMut<T>,
) {
    if m == 0 || n == 0 {
        return;
    }
    check(how, (m, k, n), a, b, &c);
    if k > DEEP && a.strides.0 == 1 && a.strides.1 != 1 && b.strides.1 == 1 {
        return by_pieces(how, (m, k, n), alpha, a, b, keep, c);
    }
    let (stride, out) = (c.stride, Raw(c.data.as_mut_ptr()));
    let (pa, pb) = (a.data, b.data);
    let along = a.strides.1 == 1 && b.strides.0 == 1 && b.strides.1 != 1;
    let ours = b.strides.1 == 1 || along;
    // The same sums as those of `tile`.
    let far = b.strides.1 == 1 && k > 0 && how.rows >= PANELS_FROM;
    let across = far && a.strides.1 == 1 && !how.padded && k * n >= FAR;
    let learns = far && a.strides.0 == 1 && keep == T::ONE && k <= FACTORS && how.rows * n >= FAR;
    let part = |rows: std::ops::Range<usize>, cols: std::ops::Range<usize>| {
        // SAFETY: `check` bounds every index; parts of c are disjoint; c is borrowed mutably, so it overlaps neither a nor b.
        unsafe {
            let (pa, pb) =
                (pa.as_ptr().add(rows.start * a.strides.0), pb.as_ptr().add(cols.start * b.strides.1));
            let pc = out.get().add(rows.start * stride + cols.start);
            let (m, n) = (rows.len(), cols.len());
            if along && how.rows >= PANELS_FROM && k > 0 {
                turned::along((m, k, n), (alpha, keep), (pa, a.strides.0), (pb, b.strides.1), (pc, stride));
            } else if across {
                turned::across((m, k, n), (alpha, keep), (pa, a.strides.0), (pb, b.strides.0), (pc, stride));
            } else if learns {
                turned::learn((m, k, n), alpha, (pa, a.strides.1), (pb, b.strides.0), (pc, stride));
            } else if ours {
                // Parts begin at multiples of 16 columns, so that a part's padding is in b too: another part's columns.
                let padded = how.padded;
                let shape = Shape { m, k, n, alpha, a: a.strides, b: b.strides, padded, keep, c: stride };
                T::product(&shape, pa, pb, pc);
            } else {
                T::gemm(m, k, n, alpha, pa, a.strides, pb, b.strides, keep, pc, (stride, 1));
            }
        }
    };
    let workers = if how.alone { rayon::current_num_threads() } else { 1 };
    if m * k * n < SPLIT_ABOVE || workers < 2 {
        part(0..m, 0..n);
        return;
    }
    let wide = n >= m;
    let side = if wide { n } else { m };
    // Whole blocks of 16 columns keep the kernels full.
    let share = side.div_ceil(workers).next_multiple_of(16);
    let run = |range: std::ops::Range<usize>| if wide { part(0..m, range) } else { part(range, 0..n) };
    halve(0..side, share, &run);
}

/// `c ← keep·c + alpha·Σ_P Σ_{p∈P} a_p b_p`: pieces P of at most [`DEEP`] terms in their order, each rounded into c. Where they end depends on k
/// alone, so that neither lanes nor cores change a sum.
fn by_pieces<T: Real>(
    how: How,
    (m, k, n): (usize, usize, usize),
    alpha: T,
    a: View<T>,
    b: View<T>,
    keep: T,
    c: ViewMut<T>,
) {
    for first in (0..k).step_by(DEEP) {
        let (a, b) = (from(a, first * a.strides.1), from(b, first * b.strides.0));
        let keep = if first == 0 { keep } else { T::ONE };
        let c = ViewMut { data: &mut *c.data, stride: c.stride };
        multiply(how, (m, DEEP.min(k - first), n), alpha, a, b, keep, c);
    }
}

/// A matrix from one of its elements on.
fn from<T>(view: View<T>, at: usize) -> View<T> {
    View { data: &view.data[at..], ..view }
}

/// Whether all elements are there.
fn check<T: Real>(how: How, (m, k, n): (usize, usize, usize), a: View<T>, b: View<T>, c: &ViewMut<T>) {
    let last = |strides: (usize, usize), rows: usize, cols: usize| match rows * cols {
        0 => 0,
        _ => (rows - 1) * strides.0 + (cols - 1) * strides.1 + 1,
    };
    assert!(a.data.len() >= last(a.strides, m, k) && b.data.len() >= last(b.strides, k, n));
    assert!(
        !how.padded
            || b.data.len() >= k * b.strides.0 && b.strides.0 >= n.next_multiple_of(super::tile::PADDING)
    );
    assert!(c.data.len() >= last((c.stride, 1), m, n) && c.stride >= n);
}

/// Runs `run` on pieces of at most `share`, on as many cores as there are pieces.
fn halve(range: std::ops::Range<usize>, share: usize, run: &(impl Fn(std::ops::Range<usize>) + Sync)) {
    let pieces = range.len().div_ceil(share);
    if pieces <= 1 {
        run(range);
        return;
    }
    let middle = range.start + pieces / 2 * share;
    rayon::join(|| halve(range.start..middle, share, run), || halve(middle..range.end, share, run));
}
