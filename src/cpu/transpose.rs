//! Square blocks turned over: between `[trajectory, neuron]` and `[neuron, trajectory]` of a group. Explicit, since compilers move such blocks element by
//! element.

use super::group::Grouped;

/// A floating-point type with its compiled versions.
pub trait Transposed: Grouped {
    /// `to[j][i] ← from[i][j]` for i and j below [`Grouped::GROUP`], rows at these strides.
    ///
    /// # Safety
    /// Both pointers must be valid for that many rows of that many elements, and the blocks must not overlap.
    #[doc(hidden)]
    unsafe fn transpose(from: *const Self, from_stride: usize, to: *mut Self, to_stride: usize);
}

/// Element by element.
///
/// # Safety
/// As [`Transposed::transpose`].
unsafe fn plain<T: Grouped + Copy>(from: *const T, from_stride: usize, to: *mut T, to_stride: usize) {
    for i in 0..T::GROUP {
        for j in 0..T::GROUP {
            // SAFETY: vouched for by the caller.
            unsafe { *to.add(j * to_stride + i) = *from.add(i * from_stride + j) };
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(in crate::cpu) mod avx512 {
    use std::arch::x86_64::*;

    /// Halves, quarters and so on change places: rows `i` and `i + s` trade what is s columns off the diagonal of their block.
    ///
    /// # Safety
    /// As [`super::Transposed::transpose`].
    #[target_feature(enable = "avx512f")]
    pub(in crate::cpu) unsafe fn singles(
        from: *const f32,
        from_stride: usize,
        to: *mut f32,
        to_stride: usize,
    ) {
        let mut a = [_mm512_setzero_ps(); 16];
        let mut b = a;
        for (i, a) in a.iter_mut().enumerate() {
            // SAFETY: vouched for by the caller.
            *a = unsafe { _mm512_loadu_ps(from.add(i * from_stride)) };
        }
        for i in (0..16).step_by(2) {
            b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
            b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
        }
        for i in (0..16).step_by(4) {
            a[i] = _mm512_shuffle_ps::<0x44>(b[i], b[i + 2]);
            a[i + 1] = _mm512_shuffle_ps::<0xee>(b[i], b[i + 2]);
            a[i + 2] = _mm512_shuffle_ps::<0x44>(b[i + 1], b[i + 3]);
            a[i + 3] = _mm512_shuffle_ps::<0xee>(b[i + 1], b[i + 3]);
        }
        // a[4 g + j] holds columns j, j + 4, j + 8, j + 12 of rows 4 g to 4 g + 3, a quarter each.
        for j in 0..4 {
            b[j] = _mm512_shuffle_f32x4::<0x88>(a[j], a[4 + j]);
            b[4 + j] = _mm512_shuffle_f32x4::<0xdd>(a[j], a[4 + j]);
            b[8 + j] = _mm512_shuffle_f32x4::<0x88>(a[8 + j], a[12 + j]);
            b[12 + j] = _mm512_shuffle_f32x4::<0xdd>(a[8 + j], a[12 + j]);
        }
        for j in 0..4 {
            a[j] = _mm512_shuffle_f32x4::<0x88>(b[j], b[8 + j]);
            a[8 + j] = _mm512_shuffle_f32x4::<0xdd>(b[j], b[8 + j]);
            a[4 + j] = _mm512_shuffle_f32x4::<0x88>(b[4 + j], b[12 + j]);
            a[12 + j] = _mm512_shuffle_f32x4::<0xdd>(b[4 + j], b[12 + j]);
        }
        for (j, &a) in a.iter().enumerate() {
            // SAFETY: vouched for by the caller.
            unsafe { _mm512_storeu_ps(to.add(j * to_stride), a) };
        }
    }

    /// As [`singles`].
    ///
    /// # Safety
    /// As [`super::Transposed::transpose`].
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn doubles(from: *const f64, from_stride: usize, to: *mut f64, to_stride: usize) {
        let mut a = [_mm512_setzero_pd(); 8];
        let mut b = a;
        for (i, a) in a.iter_mut().enumerate() {
            // SAFETY: vouched for by the caller.
            *a = unsafe { _mm512_loadu_pd(from.add(i * from_stride)) };
        }
        for i in (0..8).step_by(2) {
            b[i] = _mm512_unpacklo_pd(a[i], a[i + 1]);
            b[i + 1] = _mm512_unpackhi_pd(a[i], a[i + 1]);
        }
        // b[2 g + j] holds columns j, j + 2, j + 4, j + 6 of rows 2 g and 2 g + 1.
        for j in 0..2 {
            a[j] = _mm512_shuffle_f64x2::<0x88>(b[j], b[2 + j]);
            a[2 + j] = _mm512_shuffle_f64x2::<0xdd>(b[j], b[2 + j]);
            a[4 + j] = _mm512_shuffle_f64x2::<0x88>(b[4 + j], b[6 + j]);
            a[6 + j] = _mm512_shuffle_f64x2::<0xdd>(b[4 + j], b[6 + j]);
        }
        for j in 0..2 {
            b[j] = _mm512_shuffle_f64x2::<0x88>(a[j], a[4 + j]);
            b[4 + j] = _mm512_shuffle_f64x2::<0xdd>(a[j], a[4 + j]);
            b[2 + j] = _mm512_shuffle_f64x2::<0x88>(a[2 + j], a[6 + j]);
            b[6 + j] = _mm512_shuffle_f64x2::<0xdd>(a[2 + j], a[6 + j]);
        }
        for (j, &b) in b.iter().enumerate() {
            // SAFETY: vouched for by the caller.
            unsafe { _mm512_storeu_pd(to.add(j * to_stride), b) };
        }
    }
}

macro_rules! versions {
    ($t:ident, $avx512:ident) => {
        impl Transposed for $t {
            #[inline]
            unsafe fn transpose(from: *const Self, from_stride: usize, to: *mut Self, to_stride: usize) {
                #[cfg(target_arch = "x86_64")]
                if is_x86_feature_detected!("avx512f") {
                    // SAFETY: the feature is there; the rest is passed on.
                    return unsafe { avx512::$avx512(from, from_stride, to, to_stride) };
                }
                // SAFETY: passed on.
                unsafe { plain(from, from_stride, to, to_stride) }
            }
        }
    };
}

versions!(f32, singles);
versions!(f64, doubles);

/// `[row, col]` with rows at a stride to `[col, row]` with rows of [`Grouped::GROUP`] elements, all of which a group of rows has.
///
/// # Panics
/// If a slice is too short.
#[inline(always)]
pub(super) fn group<T: Transposed + Copy>(from: &[T], cols: usize, stride: usize, to: &mut [T]) {
    let g = T::GROUP;
    assert!(cols <= stride && from.len() >= (g - 1) * stride + cols && to.len() >= cols * g);
    for k in blocks(cols, g) {
        // SAFETY: k + g ≤ cols, so that all rows are within the slices, which do not overlap.
        unsafe { T::transpose(from.as_ptr().add(k), stride, to.as_mut_ptr().add(k * g), g) };
    }
    for k in 0..few(cols, g) {
        (0..g).for_each(|i| to[k * g + i] = from[i * stride + k]);
    }
}

/// The way back of [`group`].
///
/// # Panics
/// If a slice is too short.
#[inline(always)]
pub(super) fn ungroup<T: Transposed + Copy>(from: &[T], cols: usize, stride: usize, to: &mut [T]) {
    let g = T::GROUP;
    assert!(cols <= stride && to.len() >= (g - 1) * stride + cols && from.len() >= cols * g);
    for k in blocks(cols, g) {
        // SAFETY: as above.
        unsafe { T::transpose(from.as_ptr().add(k * g), g, to.as_mut_ptr().add(k), stride) };
    }
    for k in 0..few(cols, g) {
        (0..g).for_each(|i| to[i * stride + k] = from[k * g + i]);
    }
}

/// First columns of the blocks; the last one may overlap the one before it.
#[inline(always)]
fn blocks(cols: usize, g: usize) -> impl Iterator<Item = usize> {
    (0..cols / g).map(move |b| b * g).chain((cols > g && !cols.is_multiple_of(g)).then(|| cols - g))
}

/// Columns where there is not a whole block.
#[inline(always)]
fn few(cols: usize, g: usize) -> usize {
    if cols < g { cols } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the definition, for widths with and without a rest, each with a row stride of its own; what lies beyond stays.
    fn check<T: Transposed + Copy + PartialEq + std::fmt::Debug>(of: impl Fn(usize) -> T) {
        let g = T::GROUP;
        for (cols, stride) in [(1, 1), (g - 1, g), (g, g), (g + 1, g + 1), (3 * g + 4, 3 * g + 9)] {
            let from: Vec<T> = (0..g * stride).map(&of).collect();
            let mut turned = vec![of(0); cols * g];
            group(&from, cols, stride, &mut turned);
            for k in 0..cols {
                for i in 0..g {
                    assert_eq!(turned[k * g + i], from[i * stride + k], "{cols} columns: {k}, {i}");
                }
            }
            let mut back = vec![of(1_000_000); g * stride];
            ungroup(&turned, cols, stride, &mut back);
            for (at, v) in back.iter().enumerate() {
                let expected = if at % stride < cols { from[at] } else { of(1_000_000) };
                assert_eq!(*v, expected, "{cols} columns: {at}");
            }
        }
    }

    #[test]
    fn blocks_are_turned_over_in_f32() {
        check(|i| i as f32);
    }

    #[test]
    fn blocks_are_turned_over_in_f64() {
        check(|i| i as f64);
    }

    #[test]
    fn the_plain_version_agrees() {
        let from: Vec<f32> = (0..16 * 20).map(|i| i as f32).collect();
        let (mut a, mut b) = ([0.0; 16 * 17], [0.0; 16 * 17]);
        // SAFETY: 16 rows of 16 elements at these strides.
        unsafe {
            plain(from.as_ptr(), 20, a.as_mut_ptr(), 17);
            f32::transpose(from.as_ptr(), 20, b.as_mut_ptr(), 17);
        }
        assert_eq!(a, b);
    }
}
