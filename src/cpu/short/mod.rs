//! Products of matrices of f32 as sums of products of short numbers (bfloat16: f32 with 8 significant bits), where the processor multiplies whole tiles
//! of them (AMX): several times as fast as its vectors multiply f32.
//!
//! A number is nearly the sum of two of them, `x ≈ x₀ + x₁`: x₀ is the nearest to x, |x − x₀| ≤ 2⁻⁸ |x|, x₁ the nearest to what that
//! leaves, so that 2⁻¹⁶ |x| is left at most. `a₀x₀ + a₀x₁ + a₁x₀` is off `a x` by `3·2⁻¹⁶ |a||x|` at most, of random signs; products of short
//! numbers are exact, and summed in f32. A sum of n terms in f32 is off by `n 2⁻²⁴ Σ|a||x|` at most: beyond some hundred terms
//! more. It is enough for rates of change, which a time step multiplies with dt before it adds them to anything that lasts. What is below 2⁻¹¹⁰ counts as
//! 0, and an infinite factor makes a sum that is no number.
//!
//! Operands are packed in tiles of 16 rows of 64 bytes: of the left one 16 rows and 32 columns, of the right one 32 rows, two of them side by side in
//! each element of a line, and 16 columns. Tiles that follow each other along the sum lie one after the other, each of them twice: x₀, x₁. Beyond the
//! edges of a matrix there are zeros. The order of all sums is fixed by the tiles.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod kernel;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod pack;
#[cfg(test)]
mod tests;

use super::panel::Learn;

/// Rows or columns of a tile across the sum.
pub const ACROSS: usize = 16;
/// Of a tile along the sum.
pub const ALONG: usize = 32;
/// Elements of f32 in the memory of a tile.
pub const TILE: usize = 256;
/// Short numbers for each number.
pub const SHORT: usize = 2;

/// A packed operand.
#[derive(Clone, Copy, Debug)]
pub struct Operand<T> {
    /// Its first tile.
    pub at: *mut T,
    /// Elements from a tile to the next one across the sum.
    pub outer: usize,
}

/// A product.
#[derive(Clone, Copy, Debug)]
pub struct Term<T> {
    /// Left operand.
    pub a: Operand<T>,
    /// Right operand.
    pub x: Operand<T>,
    /// Tiles along the sum.
    pub depth: usize,
}

/// What becomes of a sum; rows at the stride of [`Size`].
#[derive(Clone, Copy, Debug)]
pub enum End<T> {
    /// `out ← scale·sum`.
    Scale {
        /// Factor of all elements.
        scale: T,
        /// Result.
        out: *mut T,
    },
    /// What weights learn, with Ẇ.
    Learn(Learn<T>),
}

/// Rows and tiles of columns of a matrix, and the stride of its rows.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Rows.
    pub rows: usize,
    /// Tiles of 16 columns.
    pub tiles: usize,
    /// Row stride.
    pub stride: usize,
}

/// A floating-point type, and whether it can be multiplied so. All pointers must be valid for the sizes; results must not overlap operands.
#[allow(clippy::missing_safety_doc, reason = "one for all: see above; and `ready`")]
pub trait Short: Sized {
    /// Whether processor, system and type have such products.
    fn ready() -> bool {
        false
    }

    /// Runs a product.
    #[doc(hidden)]
    unsafe fn multiply(_size: Size, _term: Term<Self>, _end: &End<Self>) {}

    /// Packs a matrix as a left operand, with its columns along the sum.
    #[doc(hidden)]
    unsafe fn left(_from: *const Self, _size: Size, _to: Operand<Self>) {}

    /// Packs a matrix as a right operand, with its columns along the sum.
    #[doc(hidden)]
    unsafe fn turned(_from: *const Self, _size: Size, _to: Operand<Self>) {}

    /// Packs `before·old + now·new` as a right operand, with the rows, an even number, along the sum.
    #[doc(hidden)]
    unsafe fn mixed(
        _old: *const Self,
        _new: *const Self,
        _by: (Self, Self),
        _size: Size,
        _to: Operand<Self>,
    ) {
    }
}

impl Short for f64 {}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
impl Short for f32 {}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
impl Short for f32 {
    fn ready() -> bool {
        super::half::tiles::ready()
    }

    unsafe fn multiply(size: Size, term: Term<Self>, end: &End<Self>) {
        // SAFETY: passed on to the caller, here and below.
        unsafe { kernel::multiply(size, term, end) }
    }

    unsafe fn left(from: *const Self, size: Size, to: Operand<Self>) {
        unsafe { pack::left(from, size, to) }
    }

    unsafe fn turned(from: *const Self, size: Size, to: Operand<Self>) {
        unsafe { pack::turned(from, size, to) }
    }

    unsafe fn mixed(old: *const Self, new: *const Self, by: (Self, Self), size: Size, to: Operand<Self>) {
        unsafe { pack::mixed(old, new, by, size, to) }
    }
}
