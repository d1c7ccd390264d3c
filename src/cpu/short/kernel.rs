//! Blocks of tiles, and what becomes of their sums.
//!
//! Tile registers keep their contents from one piece of assembly to the next: compilers use none of them by themselves where the target features do not
//! have them, and keep the order of pieces that have side effects.

use super::{ACROSS, End, Learn, SHORT, Size, TILE, Term};
use std::arch::asm;
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// Sets a tile to 0.
macro_rules! zero {
    ($($tile:tt)*) => { $(asm!(concat!("tilezero ", $tile), out($tile) _, options(nostack, nomem, preserves_flags));)* };
}

/// Loads a tile.
macro_rules! load {
    ($tile:tt, $from:expr) => {
        asm!(
            concat!("tileloadd ", $tile, ", [{from} + {line}]"),
            from = in(reg) $from, line = in(reg) 64_usize, out($tile) _,
            options(nostack, readonly, preserves_flags),
        )
    };
}

/// Adds the product of two tiles to a third one.
macro_rules! dot {
    ($($sum:tt $a:tt $x:tt),*) => {
        $(asm!(concat!("tdpbf16ps ", $sum, ", ", $a, ", ", $x), out($sum) _, options(nostack, nomem, preserves_flags));)*
    };
}

/// Stores a tile, its lines so many bytes apart.
macro_rules! store {
    ($tile:tt, $to:expr, $line:expr) => {
        asm!(
            concat!("tilestored [{to} + {line}], ", $tile),
            to = in(reg) $to, line = in(reg) $line,
            options(nostack, preserves_flags),
        )
    };
}

/// Sums of a block, row by row.
#[repr(C, align(64))]
struct Sums(#[allow(dead_code, reason = "lent as memory")] [f32; 4 * TILE]);

/// See [`super::Short::multiply`].
///
/// # Safety
/// As [`super::Short`].
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn multiply(size: Size, term: Term<f32>, end: &End<f32>) {
    let mut sums = MaybeUninit::<Sums>::uninit();
    let (sums, rows) = (sums.as_mut_ptr().cast::<f32>(), size.rows.div_ceil(ACROSS));
    // SAFETY: tiles that are there; tiles of the processor are state that nobody else uses, and are given back.
    unsafe {
        asm!("ldtilecfg [{}]", in(reg) &raw const crate::cpu::half::tiles::CUT, options(nostack, readonly, preserves_flags));
        let (mut i, tall) = (0, if size.tiles == 1 { 4 } else { 2 });
        while i < rows {
            let high = tall.min(rows - i);
            let first = i * ACROSS;
            let there = (high * ACROSS).min(size.rows - first);
            let mut j = 0;
            while j < size.tiles {
                let wide = 2.min(size.tiles - j);
                match (high, wide) {
                    (2, 2) => square::<true>(term, (i, j), sums),
                    (1, 2) => square::<false>(term, (i, j), sums),
                    (4, _) => column::<4>(term, (i, j), sums),
                    (3, _) => column::<3>(term, (i, j), sums),
                    (2, _) => column::<2>(term, (i, j), sums),
                    _ => column::<1>(term, (i, j), sums),
                }
                if wide == 2 {
                    finish::<2>(sums, end, size.stride, (first, there, j));
                } else {
                    finish::<1>(sums, end, size.stride, (first, there, j));
                }
                j += wide;
            }
            i += high;
        }
        asm!("tilerelease", options(nostack, nomem, preserves_flags));
    }
}

/// Two tiles of columns, and two of rows or a single one.
///
/// # Safety
/// As [`super::Short`], between the ends of [`multiply`].
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn square<const TWO: bool>(term: Term<f32>, (i, j): (usize, usize), sums: *mut f32) {
    let mut a: *const f32 = term.a.at.wrapping_add(i * term.a.outer);
    let mut x: *const f32 = term.x.at.wrapping_add(j * term.x.outer);
    let (down, right) = (if TWO { term.a.outer } else { 0 }, term.x.outer);
    macro_rules! left {
        ($level:literal) => {
            load!("tmm4", a.wrapping_add($level * TILE));
            if TWO {
                load!("tmm5", a.wrapping_add($level * TILE + down));
            }
        };
    }
    macro_rules! above {
        ($level:literal) => {
            load!("tmm6", x.wrapping_add($level * TILE));
            load!("tmm7", x.wrapping_add($level * TILE + right));
        };
    }
    macro_rules! dots {
        () => {
            dot!("tmm0" "tmm4" "tmm6", "tmm1" "tmm4" "tmm7");
            if TWO {
                dot!("tmm2" "tmm5" "tmm6", "tmm3" "tmm5" "tmm7");
            }
        };
    }
    // SAFETY: tiles that are there.
    unsafe {
        zero!("tmm0" "tmm1" "tmm2" "tmm3");
        for _ in 0..term.depth {
            left!(0);
            above!(1);
            dots!();
            above!(0);
            dots!();
            left!(1);
            dots!();
            a = a.wrapping_add(SHORT * TILE);
            x = x.wrapping_add(SHORT * TILE);
        }
        store!("tmm0", sums, 128_usize);
        store!("tmm1", sums.add(16), 128_usize);
        if TWO {
            store!("tmm2", sums.add(512), 128_usize);
            store!("tmm3", sums.add(528), 128_usize);
        }
    }
}

/// A tile of columns, and up to four of rows.
///
/// # Safety
/// As [`square`].
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn column<const M: usize>(term: Term<f32>, (i, j): (usize, usize), sums: *mut f32) {
    let mut a: *const f32 = term.a.at.wrapping_add(i * term.a.outer);
    let mut x: *const f32 = term.x.at.wrapping_add(j * term.x.outer);
    macro_rules! row {
        ($sum:tt, $m:literal) => {
            if M > $m {
                let a = a.wrapping_add($m * term.a.outer);
                load!("tmm4", a);
                dot!($sum "tmm4" "tmm6", $sum "tmm4" "tmm5");
                load!("tmm4", a.wrapping_add(TILE));
                dot!($sum "tmm4" "tmm5");
            }
        };
    }
    // SAFETY: tiles that are there.
    unsafe {
        zero!("tmm0" "tmm1" "tmm2" "tmm3");
        for _ in 0..term.depth {
            load!("tmm5", x);
            load!("tmm6", x.wrapping_add(TILE));
            row!("tmm0", 0);
            row!("tmm1", 1);
            row!("tmm2", 2);
            row!("tmm3", 3);
            a = a.wrapping_add(SHORT * TILE);
            x = x.wrapping_add(SHORT * TILE);
        }
        store!("tmm0", sums, 64_usize);
        if M > 1 {
            store!("tmm1", sums.add(TILE), 64_usize);
        }
        if M > 2 {
            store!("tmm2", sums.add(2 * TILE), 64_usize);
        }
        if M > 3 {
            store!("tmm3", sums.add(3 * TILE), 64_usize);
        }
    }
}

/// Sums of row i and vector v of a block with V vectors in each row.
///
/// # Safety
/// The row is one of the block.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn sum<const V: usize>(sums: *const f32, i: usize, v: usize) -> __m512 {
    // SAFETY: vouched for by the caller.
    unsafe { _mm512_load_ps(sums.add((i * V + v) * ACROSS)) }
}

/// Stores a block that begins with row `first` and tile j of the columns, of which `rows` rows are there.
///
/// # Safety
/// As [`super::Short`].
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn finish<const V: usize>(
    sums: *const f32,
    end: &End<f32>,
    stride: usize,
    (first, rows, j): (usize, usize, usize),
) {
    let origin = first * stride + j * ACROSS;
    // SAFETY: the caller vouches for the rows and columns.
    unsafe {
        match *end {
            End::Scale { scale, out } => {
                let scale = _mm512_set1_ps(scale);
                for i in 0..rows {
                    for v in 0..V {
                        let at = origin + i * stride + v * ACROSS;
                        _mm512_storeu_ps(out.add(at), _mm512_mul_ps(scale, sum::<V>(sums, i, v)));
                    }
                }
            }
            End::Learn(Learn { scale, dt, clip, w, next, rate }) => {
                let (scale, dt, bound) = (_mm512_set1_ps(scale), _mm512_set1_ps(dt), _mm512_set1_ps(clip));
                let lower = _mm512_set1_ps(-clip);
                for i in 0..rows {
                    for v in 0..V {
                        let at = origin + i * stride + v * ACROSS;
                        let change = _mm512_mul_ps(scale, sum::<V>(sums, i, v));
                        _mm512_storeu_ps(rate.add(at), change);
                        let new = _mm512_fmadd_ps(dt, change, _mm512_loadu_ps(w.add(at)));
                        // What is no number stays so: the second operand is the result then.
                        let within = _mm512_max_ps(lower, _mm512_min_ps(bound, new));
                        _mm512_storeu_ps(next.add(at), within);
                    }
                }
            }
        }
    }
}
