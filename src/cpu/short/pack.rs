//! Numbers to short ones, short ones to tiles.

use super::{ACROSS, ALONG, Operand, SHORT, Size, TILE};
use std::arch::x86_64::*;

/// The nearest short number to each element; infinite ones stay so, and what processors make of invalid operations.
#[inline]
#[target_feature(enable = "avx512f")]
fn rounded(x: __m512) -> __m512 {
    let half = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
    _mm512_castsi512_ps(_mm512_and_si512(half, _mm512_set1_epi32(-0x1_0000)))
}

/// Short numbers of two rows in pairs: those of the first one in the lower halves.
#[inline]
#[target_feature(enable = "avx512f")]
fn pairs(even: __m512, odd: __m512) -> __m512i {
    _mm512_or_si512(_mm512_srli_epi32::<16>(_mm512_castps_si512(even)), _mm512_castps_si512(odd))
}

/// Both short numbers of 32 elements that follow each other.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn lines(first: __m512, second: __m512) -> [__m512i; SHORT] {
    let (a, b) = (rounded(first), rounded(second));
    let rest = _mm512_cvtne2ps_pbh(_mm512_sub_ps(second, b), _mm512_sub_ps(first, a));
    // SAFETY: both types are 64 bytes.
    unsafe {
        [
            std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(b, a)),
            std::mem::transmute::<__m512bh, __m512i>(rest),
        ]
    }
}

/// A row of up to 32 columns, packed; zeros where the second half is not there.
///
/// # Safety
/// As [`super::Short`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn row(from: *const f32, whole: bool) -> [__m512i; SHORT] {
    // SAFETY: the second half is read where it is there.
    unsafe {
        let second = if whole { _mm512_loadu_ps(from.add(ACROSS)) } else { _mm512_setzero_ps() };
        lines(_mm512_loadu_ps(from), second)
    }
}

/// See [`super::Short::left`].
///
/// # Safety
/// As [`super::Short`].
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn left(from: *const f32, size: Size, to: Operand<f32>) {
    for i in 0..size.rows {
        let tile = to.at.wrapping_add(i / ACROSS * to.outer + i % ACROSS * ACROSS);
        for k in 0..size.tiles.div_ceil(2) {
            // SAFETY: a row that is there, and lines of tiles.
            unsafe {
                let lines = row(from.add(i * size.stride + k * ALONG), 2 * k + 1 < size.tiles);
                for (level, line) in lines.into_iter().enumerate() {
                    _mm512_storeu_si512(tile.add((k * SHORT + level) * TILE).cast(), line);
                }
            }
        }
    }
}

/// A tile that is turned over afterwards.
#[repr(C, align(64))]
struct Tile([f32; TILE]);

/// See [`super::Short::turned`].
///
/// # Safety
/// As [`super::Short`].
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn turned(from: *const f32, size: Size, to: Operand<f32>) {
    let mut tiles = [const { Tile([0.0; TILE]) }; SHORT];
    for first in (0..size.rows).step_by(ACROSS) {
        let rows = ACROSS.min(size.rows - first);
        if rows < ACROSS {
            tiles = [const { Tile([0.0; TILE]) }; SHORT];
        }
        for k in 0..size.tiles.div_ceil(2) {
            // SAFETY: rows that are there, lines of the two tiles, and those of the packed operand.
            unsafe {
                for i in 0..rows {
                    let from = from.add((first + i) * size.stride + k * ALONG);
                    let lines = row(from, 2 * k + 1 < size.tiles);
                    for (tile, line) in tiles.iter_mut().zip(lines) {
                        _mm512_store_si512(tile.0.as_mut_ptr().add(i * ACROSS).cast(), line);
                    }
                }
                let to = to.at.add(first / ACROSS * to.outer + k * SHORT * TILE);
                for (level, tile) in tiles.iter().enumerate() {
                    // Pairs of numbers are elements.
                    let to = to.add(level * TILE);
                    crate::cpu::transpose::avx512::singles(tile.0.as_ptr(), ACROSS, to, ACROSS);
                }
            }
        }
    }
}

/// See [`super::Short::mixed`].
///
/// # Safety
/// As [`super::Short`].
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn mixed(
    old: *const f32,
    new: *const f32,
    (before, now): (f32, f32),
    size: Size,
    to: Operand<f32>,
) {
    let (before, now) = (_mm512_set1_ps(before), _mm512_set1_ps(now));
    for k in 0..size.rows / 2 {
        for j in 0..size.tiles {
            // SAFETY: two rows that are there, and a line of a tile.
            unsafe {
                let mut both = [_mm512_setzero_ps(); 2];
                for (i, one) in both.iter_mut().enumerate() {
                    let at = (2 * k + i) * size.stride + j * ACROSS;
                    let (old, new) = (_mm512_loadu_ps(old.add(at)), _mm512_loadu_ps(new.add(at)));
                    *one = _mm512_fmadd_ps(before, old, _mm512_mul_ps(now, new));
                }
                let tile = to.at.add(j * to.outer + k / ACROSS * SHORT * TILE + k % ACROSS * ACROSS);
                let (even, odd) = (rounded(both[0]), rounded(both[1]));
                _mm512_storeu_si512(tile.cast(), pairs(even, odd));
                let (even, odd) = (_mm512_sub_ps(both[0], even), _mm512_sub_ps(both[1], odd));
                _mm512_storeu_si512(tile.add(TILE).cast(), pairs(rounded(even), rounded(odd)));
            }
        }
    }
}
