//! Products whose trajectories are turned over into panels first, so that a large matrix is read where it lies.

use std::cell::RefCell;

use super::Real;
use super::panel::{Finish, Part, Size};
use super::wide::{Across, Learn};

thread_local! {
    /// A panel and its results, in lines of 64 bytes.
    static ROOM: RefCell<Vec<[u64; 8]>> = const { RefCell::new(Vec::new()) };
}

/// Most trajectories of a panel: as many lie in a cache of 1 MB, results included, for populations of 4,096 neurons.
const MOST: usize = 32;

/// Rows of a matrix that pass all trajectories of a panel before the next ones do.
const ROWS: usize = 24;

/// Runs `run` with room for so many elements; their values are arbitrary. Bits of any kind are numbers.
fn with_room<T: Real>(len: usize, run: impl FnOnce(*mut T)) {
    ROOM.with_borrow_mut(|room| {
        let lines = (len * size_of::<T>()).div_ceil(64);
        room.resize(room.len().max(lines), [0; 8]);
        run(room.as_mut_ptr().cast());
    });
}

/// `to ← fromᵀ`, from with `rows` rows of `cols` elements.
///
/// # Safety
/// The pointers must be valid for these sizes and strides, and must not overlap.
unsafe fn turn<T: Real>(
    from: *const T,
    from_stride: usize,
    (rows, cols): (usize, usize),
    to: *mut T,
    to_stride: usize,
) {
    let g = T::GROUP;
    for i in (0..rows).step_by(g) {
        for j in (0..cols).step_by(g) {
            let (high, wide) = (g.min(rows - i), g.min(cols - j));
            // SAFETY: within the sizes that the caller vouches for.
            unsafe {
                let (from, to) = (from.add(i * from_stride + j), to.add(j * to_stride + i));
                if (high, wide) == (g, g) {
                    T::transpose(from, from_stride, to, to_stride);
                    continue;
                }
                for (r, c) in (0..high).flat_map(|r| (0..wide).map(move |c| (r, c))) {
                    *to.add(c * to_stride + r) = *from.add(r * from_stride + c);
                }
            }
        }
    }
}

/// `to ← alpha·fromᵀ + keep·to`, from with `rows` rows of `cols` elements at this stride.
///
/// # Safety
/// As [`turn`].
unsafe fn back<T: Real>(
    (from, from_stride): (*const T, usize),
    (rows, cols): (usize, usize),
    (alpha, keep): (T, T),
    (to, to_stride): (*mut T, usize),
) {
    if alpha == T::ONE && keep == T::ZERO {
        // SAFETY: passed on.
        return unsafe { turn(from, from_stride, (rows, cols), to, to_stride) };
    }
    let g = T::GROUP;
    // A group is 64 bytes: 16 elements at most.
    let mut block = [T::ZERO; 16 * 16];
    for i in (0..rows).step_by(g) {
        for j in (0..cols).step_by(g) {
            let (high, wide) = (g.min(rows - i), g.min(cols - j));
            // SAFETY: within the sizes that the caller vouches for, and g ≤ 16.
            unsafe {
                turn(from.add(i * from_stride + j), from_stride, (high, wide), block.as_mut_ptr(), g);
                for (c, block) in block.chunks_exact(g).enumerate().take(wide) {
                    let to = std::slice::from_raw_parts_mut(to.add((j + c) * to_stride + i), high);
                    for (to, &new) in to.iter_mut().zip(block) {
                        *to = if keep == T::ZERO { alpha * new } else { alpha * new + keep * *to };
                    }
                }
            }
        }
    }
}

/// Products of rows of a with rows of b, each `k` long: those of a become a panel.
///
/// # Safety
/// The pointers must be valid for `m` and `n` rows of these strides, c for `m` rows of `n` elements; c must not overlap a or b.
pub(super) unsafe fn along<T: Real>(
    (m, k, n): (usize, usize, usize),
    (alpha, keep): (T, T),
    (a, a_stride): (*const T, usize),
    (b, b_stride): (*const T, usize),
    (c, c_stride): (*mut T, usize),
) {
    with_room((k + n) * MOST.min(m.next_multiple_of(T::GROUP)), |panel: *mut T| {
        for first in (0..m).step_by(MOST) {
            let width = MOST.min(m - first);
            let cols = width.next_multiple_of(T::GROUP);
            // SAFETY: the room holds k and n rows of a panel; the rest is vouched for by the caller.
            unsafe {
                let sums = panel.add(k * cols);
                turn(a.add(first * a_stride), a_stride, (width, k), panel, cols);
                for i in (0..n).step_by(ROWS) {
                    let (b, out) = (b.add(i * b_stride), sums.add(i * cols));
                    let part = Part { a: b, strides: (b_stride, 1), x: panel, stride: cols, depth: k };
                    let size = Size { rows: ROWS.min(n - i), cols, stride: cols };
                    T::panels(size, &[part], &Finish::Scale { scale: alpha, out });
                }
                back((sums, cols), (n, width), (T::ONE, keep), (c.add(first * c_stride), c_stride));
            }
        }
    });
}

/// Combinations of the `k` rows of b, each `n` long, with the factors that rows of a hold: those of a become a panel.
///
/// # Safety
/// The pointers must be valid for `m` and `k` rows of these strides, c for `m` rows of `n` elements; c must not overlap a or b.
pub(super) unsafe fn across<T: Real>(
    (m, k, n): (usize, usize, usize),
    factors: (T, T),
    (a, a_stride): (*const T, usize),
    (b, b_stride): (*const T, usize),
    (c, c_stride): (*mut T, usize),
) {
    with_room((k + n) * MOST.min(m.next_multiple_of(T::GROUP)), |panel: *mut T| {
        for first in (0..m).step_by(MOST) {
            let high = MOST.min(m - first);
            let width = high.next_multiple_of(T::GROUP);
            // SAFETY: as above.
            unsafe {
                let out = panel.add(k * width);
                turn(a.add(first * a_stride), a_stride, (high, k), panel, width);
                T::across(&Across { a: b, stride: b_stride, depth: k, cols: n, x: panel, out, width });
                back((out, width), (n, high), factors, (c.add(first * c_stride), c_stride));
            }
        }
    });
}

/// `w ← w + scale·δᵀ r`, for `rows` and `cols` columns of `depth` rows of δ and r.
///
/// # Safety
/// The pointers must be valid for these sizes and strides; w must not overlap the factors.
pub(super) unsafe fn learn<T: Real>(
    (rows, depth, cols): (usize, usize, usize),
    scale: T,
    (delta, delta_stride): (*const T, usize),
    (r, r_stride): (*const T, usize),
    (w, stride): (*mut T, usize),
) {
    let run = 2 * T::GROUP;
    with_room((rows + cols.next_multiple_of(run)) * depth, |room: *mut T| {
        // SAFETY: the room holds both; the rest is vouched for by the caller.
        unsafe {
            let turned = room.add(cols.next_multiple_of(run) * depth);
            turn(delta, delta_stride, (depth, rows), turned, depth);
            for j in (0..cols).step_by(run) {
                let wide = run.min(cols - j);
                for b in 0..depth {
                    let to = std::slice::from_raw_parts_mut(room.add(j * depth + b * run), run);
                    to[..wide].copy_from_slice(std::slice::from_raw_parts(r.add(b * r_stride + j), wide));
                    to[wide..].fill(T::ZERO);
                }
            }
            T::learn(&Learn { w, stride, rows, cols, depth, scale, delta: turned, r: room });
        }
    });
}
