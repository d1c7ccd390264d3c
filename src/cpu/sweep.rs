//! Products of single vectors with a block of W that lies in a cache: what is bound by fetching W fetches it once for several of them.
//!
//! A block is padded with zeros to whole lines. Many postsynaptic neurons lie transposed, `[pre, post]`, a few as they are, `[post, pre]`, so
//! that either way the long side is the one that vectors run along, or a few rows stay in registers.

/// Most postsynaptic neurons whose rows lie as they are.
pub const NARROW: usize = 16;

/// A block of W.
#[derive(Clone, Copy)]
pub struct Block<T> {
    /// `[post, pre]` up to [`NARROW`] postsynaptic neurons, `[pre, post]` above.
    pub w: *mut T,
    /// Presynaptic neurons, a multiple of 16: with zeros.
    pub pre: usize,
    /// Postsynaptic neurons.
    pub post: usize,
}

impl<T> Block<T> {
    /// The postsynaptic neurons, a multiple of 16: with zeros.
    fn stride(&self) -> usize {
        self.post.next_multiple_of(16)
    }
}

/// `y ← d·(Wᵀz + share·r) + e`, and, where they are asked for, the sums `W (d·y)` of what comes of it.
#[derive(Clone, Copy)]
pub struct Sweep<T> {
    /// z, of the postsynaptic neurons.
    pub z: *const T,
    /// Factors, of the presynaptic neurons.
    pub d: *const T,
    /// What is added to the product.
    pub r: *const T,
    /// Its factor.
    pub share: T,
    /// What is added at last; may be y itself, and null for nothing.
    pub e: *const T,
    /// The result.
    pub y: *mut T,
    /// The sums of the postsynaptic neurons; null where nobody needs them.
    pub sums: *mut T,
}

/// `W ← W + δ tᵀ`, then `sums ← W x`.
#[derive(Clone, Copy)]
pub struct Forth<T> {
    /// t, of the presynaptic neurons; null where nothing is learned.
    pub t: *const T,
    /// δ.
    pub delta: *const T,
    /// x, of the presynaptic neurons; null where nobody needs the sums.
    pub x: *const T,
    /// Of the postsynaptic neurons.
    pub sums: *mut T,
}

/// A floating-point type with its compiled versions.
pub trait Sweeps: Sized {
    /// Runs a sweep there and back.
    ///
    /// # Safety
    /// All pointers that are not null must be valid for their neurons, padded to a multiple of 16 and there finite; what is written must overlap
    /// nothing else, but for y and e.
    #[doc(hidden)]
    unsafe fn sweep(block: &Block<Self>, s: &Sweep<Self>);

    /// Learns and runs forward.
    ///
    /// # Safety
    /// As above.
    #[doc(hidden)]
    unsafe fn forth(block: &Block<Self>, f: &Forth<Self>);
}

/// The kernels for one type and instruction set. `$totals` sums the lanes of as many vectors as there are lanes.
macro_rules! kernels {
    ($module:ident, $t:ident, $vector:ident, $totals:path, $(#[$feature:meta])*) => {
        mod $module {
            use super::{Block, Forth, Sweep};
            use crate::cpu::vector::$vector::{LANES as L, Vector, fma, load, mul, splat, store};

            /// `d·(sum + share·r) + e` of a vector of neurons; stores it and gives it times d.
            $(#[$feature])*
            #[inline]
            unsafe fn finish(s: &Sweep<$t>, j: usize, sum: Vector) -> Vector {
                // SAFETY: the caller vouches for a vector from j on.
                unsafe {
                    let d = load(s.d.add(j));
                    let mut y = mul(d, fma(splat(s.share), load(s.r.add(j)), sum));
                    if !s.e.is_null() {
                        y = fma(splat(1.0), load(s.e.add(j)), y);
                    }
                    store(s.y.add(j), y);
                    mul(d, y)
                }
            }

            /// # Safety
            /// As [`super::Sweeps::sweep`].
            $(#[$feature])*
            pub unsafe fn sweep_wide(b: &Block<$t>, s: &Sweep<$t>) {
                let (stride, n) = (b.stride(), b.stride() / L);
                // SAFETY: the caller vouches for all of the block and the neurons.
                unsafe {
                    if !s.sums.is_null() {
                        std::slice::from_raw_parts_mut(s.sums, stride).fill(0.0);
                    }
                    let mut j = 0;
                    while j < b.pre {
                        let w = b.w.add(j * stride);
                        let mut sum = [splat(0.0); L];
                        for v in 0..n {
                            let z = load(s.z.add(v * L));
                            for r in 0..L {
                                sum[r] = fma(load(w.add(r * stride + v * L)), z, sum[r]);
                            }
                        }
                        let gated = finish(s, j, $totals(&sum));
                        if !s.sums.is_null() {
                            let mut x = [0.0; L];
                            store(x.as_mut_ptr(), gated);
                            for v in 0..n {
                                let mut sum = load(s.sums.add(v * L));
                                for r in 0..L {
                                    sum = fma(splat(x[r]), load(w.add(r * stride + v * L)), sum);
                                }
                                store(s.sums.add(v * L), sum);
                            }
                        }
                        j += L;
                    }
                }
            }

            /// # Safety
            /// As [`super::Sweeps::sweep`].
            $(#[$feature])*
            pub unsafe fn sweep_narrow<const R: usize>(b: &Block<$t>, s: &Sweep<$t>) {
                let mut sum = [splat(0.0); R];
                // SAFETY: as above.
                unsafe {
                    let mut j = 0;
                    while j < b.pre {
                        let w = b.w.add(j);
                        let mut dot = [splat(0.0); 2];
                        for r in 0..R {
                            dot[r % 2] = fma(splat(*s.z.add(r)), load(w.add(r * b.pre)), dot[r % 2]);
                        }
                        let gated = finish(s, j, fma(splat(1.0), dot[0], dot[1]));
                        if !s.sums.is_null() {
                            for r in 0..R {
                                sum[r] = fma(load(w.add(r * b.pre)), gated, sum[r]);
                            }
                        }
                        j += L;
                    }
                    if !s.sums.is_null() {
                        put(&sum, s.sums);
                    }
                }
            }

            /// Sums of rows, to a line of its own.
            $(#[$feature])*
            #[inline]
            unsafe fn put<const R: usize>(sum: &[Vector; R], sums: *mut $t) {
                let mut k = 0;
                while k < R {
                    let mut part = [splat(0.0); L];
                    for r in 0..L.min(R - k) {
                        part[r] = sum[k + r];
                    }
                    // SAFETY: a whole line.
                    unsafe { store(sums.add(k), $totals(&part)) };
                    k += L;
                }
            }

            /// # Safety
            /// As [`super::Sweeps::forth`].
            $(#[$feature])*
            pub unsafe fn forth_wide<const LEARN: bool, const SUM: bool>(b: &Block<$t>, f: &Forth<$t>) {
                const ROWS: usize = 8;
                let (stride, n) = (b.stride(), b.stride() / L);
                // SAFETY: as above.
                unsafe {
                    if SUM {
                        std::slice::from_raw_parts_mut(f.sums, stride).fill(0.0);
                    }
                    let mut j = 0;
                    while j < b.pre {
                        let w = b.w.add(j * stride);
                        for v in 0..n {
                            let delta = if LEARN { load(f.delta.add(v * L)) } else { splat(0.0) };
                            let mut sum = if SUM { load(f.sums.add(v * L)) } else { splat(0.0) };
                            for r in 0..ROWS {
                                let at = w.add(r * stride + v * L);
                                let mut now = load(at);
                                if LEARN {
                                    now = fma(splat(*f.t.add(j + r)), delta, now);
                                    store(at, now);
                                }
                                if SUM {
                                    sum = fma(splat(*f.x.add(j + r)), now, sum);
                                }
                            }
                            if SUM {
                                store(f.sums.add(v * L), sum);
                            }
                        }
                        j += ROWS;
                    }
                }
            }

            /// # Safety
            /// As [`super::Sweeps::forth`].
            $(#[$feature])*
            pub unsafe fn forth_narrow<const R: usize, const LEARN: bool, const SUM: bool>(
                b: &Block<$t>,
                f: &Forth<$t>,
            ) {
                let mut sum = [splat(0.0); R];
                // SAFETY: as above.
                unsafe {
                    let mut j = 0;
                    while j < b.pre {
                        let t = if LEARN { load(f.t.add(j)) } else { splat(0.0) };
                        let x = if SUM { load(f.x.add(j)) } else { splat(0.0) };
                        for r in 0..R {
                            let at = b.w.add(r * b.pre + j);
                            let mut now = load(at);
                            if LEARN {
                                now = fma(splat(*f.delta.add(r)), t, now);
                                store(at, now);
                            }
                            if SUM {
                                sum[r] = fma(now, x, sum[r]);
                            }
                        }
                        j += L;
                    }
                    if SUM {
                        put(&sum, f.sums);
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
kernels!(single_avx512, f32, f32_avx512, crate::cpu::sums::trees::single, #[target_feature(enable = "avx512f,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(double_avx512, f64, f64_avx512, crate::cpu::sums::trees::double, #[target_feature(enable = "avx512f,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(single_avx2, f32, f32_avx2, crate::cpu::sums::single_256, #[target_feature(enable = "avx2,fma")]);
#[cfg(target_arch = "x86_64")]
kernels!(double_avx2, f64, f64_avx2, crate::cpu::sums::double_256, #[target_feature(enable = "avx2,fma")]);
kernels!(single_plain, f32, f32_plain, crate::cpu::sums::single_128,);
kernels!(double_plain, f64, f64_plain, crate::cpu::sums::double_128,);

/// The sweep for a block's shape.
macro_rules! sweep {
    ($module:ident, $b:expr, $s:expr) => {
        match $b.post {
            0..=2 => $module::sweep_narrow::<2>($b, $s),
            3 | 4 => $module::sweep_narrow::<4>($b, $s),
            5..=8 => $module::sweep_narrow::<8>($b, $s),
            9 | 10 => $module::sweep_narrow::<10>($b, $s),
            11 | 12 => $module::sweep_narrow::<12>($b, $s),
            13..=NARROW => $module::sweep_narrow::<16>($b, $s),
            _ => $module::sweep_wide($b, $s),
        }
    };
}

/// The pass for a block's shape.
macro_rules! forth {
    ($module:ident, $learn:literal, $sum:literal, $b:expr, $f:expr) => {
        match $b.post {
            0..=2 => $module::forth_narrow::<2, $learn, $sum>($b, $f),
            3 | 4 => $module::forth_narrow::<4, $learn, $sum>($b, $f),
            5..=8 => $module::forth_narrow::<8, $learn, $sum>($b, $f),
            9 | 10 => $module::forth_narrow::<10, $learn, $sum>($b, $f),
            11 | 12 => $module::forth_narrow::<12, $learn, $sum>($b, $f),
            13..=NARROW => $module::forth_narrow::<16, $learn, $sum>($b, $f),
            _ => $module::forth_wide::<$learn, $sum>($b, $f),
        }
    };
    ($module:ident, $b:expr, $f:expr) => {
        match ($f.t.is_null(), $f.x.is_null()) {
            (true, true) => {}
            (true, false) => forth!($module, false, true, $b, $f),
            (false, true) => forth!($module, true, false, $b, $f),
            (false, false) => forth!($module, true, true, $b, $f),
        }
    };
}

macro_rules! versions {
    ($t:ident, $avx512:ident, $avx2:ident, $plain:ident) => {
        impl Sweeps for $t {
            unsafe fn sweep(block: &Block<$t>, s: &Sweep<$t>) {
                // SAFETY: the features are there where a version that needs them is called; the rest is passed on.
                unsafe {
                    #[cfg(target_arch = "x86_64")]
                    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
                        return sweep!($avx512, block, s);
                    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                        return sweep!($avx2, block, s);
                    }
                    sweep!($plain, block, s);
                }
            }

            unsafe fn forth(block: &Block<$t>, f: &Forth<$t>) {
                // SAFETY: as above.
                unsafe {
                    #[cfg(target_arch = "x86_64")]
                    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
                        forth!($avx512, block, f);
                        return;
                    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                        forth!($avx2, block, f);
                        return;
                    }
                    forth!($plain, block, f);
                }
            }
        }
    };
}

versions!(f32, single_avx512, single_avx2, single_plain);
versions!(f64, double_avx512, double_avx2, double_plain);
