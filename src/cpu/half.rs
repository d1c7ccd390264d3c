//! Products of a square matrix with a group of trajectories in numbers of 16 bits (bfloat16: f32 with 8 significant bits), summed in f32, where the
//! processor multiplies whole tiles of them (AMX): many times as fast as in f32, and good enough for a preconditioner.
//!
//! A tile has 16 rows of 64 bytes. The matrix is packed in tiles of 16 rows and 32 columns, zeros beyond its edges: bands of 64 rows, or 16 at its end, in
//! each of them the columns in order, and for these the tiles below each other. Of the vectors, rows `2k` and `2k + 1` lie together, trajectory by
//! trajectory.

/// A floating-point type, and whether it can be multiplied so.
pub trait Halved: Sized {
    /// Elements that a packed `[n, n]` takes; `None` where processor, system or type do not have such products.
    #[must_use]
    fn packed(_n: usize) -> Option<usize> {
        None
    }

    /// Elements of scratch that a product takes.
    #[must_use]
    fn scratch(_n: usize) -> usize {
        0
    }

    /// Rows of the result of a product: those of the matrix and, up to the end of a tile, zeros.
    #[must_use]
    fn rows(n: usize) -> usize {
        n
    }

    /// `to ← from`, packed; only where [`Halved::packed`] is known.
    fn pack(_from: &[Self], _n: usize, _to: &mut [Self]) {}

    /// `out ← A x` with a packed A, `[n, 16]` x and [`Halved::rows`] rows of out; only where [`Halved::packed`] is known.
    fn times(_a: &[Self], _n: usize, _x: &[Self], _scratch: &mut [Self], _out: &mut [Self]) {}
}

impl Halved for f64 {}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
impl Halved for f32 {}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
impl Halved for f32 {
    fn packed(n: usize) -> Option<usize> {
        tiles::ready().then_some(tiles::rows(n) * tiles::columns(n) * tiles::COLUMNS / 2)
    }

    fn scratch(n: usize) -> usize {
        tiles::columns(n) * tiles::COLUMNS * tiles::GROUP / 2
    }

    fn rows(n: usize) -> usize {
        tiles::rows(n)
    }

    fn pack(from: &[Self], n: usize, to: &mut [Self]) {
        assert!(from.len() >= n * n && Self::packed(n).is_some_and(|len| to.len() >= len));
        // SAFETY: the processor has what it takes, and the lengths are checked.
        unsafe { tiles::pack(from, n, to.as_mut_ptr().cast()) }
    }

    fn times(a: &[Self], n: usize, x: &[Self], scratch: &mut [Self], out: &mut [Self]) {
        assert!(Self::packed(n).is_some_and(|len| a.len() >= len) && x.len() >= n * tiles::GROUP);
        assert!(scratch.len() >= Self::scratch(n) && out.len() >= Self::rows(n) * tiles::GROUP);
        // SAFETY: as above.
        unsafe {
            tiles::pair(x, n, scratch.as_mut_ptr().cast());
            tiles::multiply(a.as_ptr().cast(), n, scratch.as_ptr().cast(), out.as_mut_ptr());
        }
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(in crate::cpu) mod tiles {
    use std::arch::asm;
    use std::arch::x86_64::*;
    use std::sync::OnceLock;

    /// Trajectories of a group.
    pub(super) const GROUP: usize = 16;
    /// Rows of a tile.
    const ROWS: usize = 16;
    /// Rows of four tiles.
    const BAND: usize = 64;
    /// Columns of a tile.
    pub(super) const COLUMNS: usize = 32;

    /// Rows of all tiles.
    pub(super) fn rows(n: usize) -> usize {
        n.next_multiple_of(ROWS)
    }

    /// First rows and numbers of rows of the bands.
    fn bands(n: usize) -> impl Iterator<Item = (usize, usize)> {
        let whole = rows(n) / BAND * BAND;
        let band = move |first: usize| if first < whole { BAND } else { ROWS };
        std::iter::successors(Some(0), move |&first| Some(first + band(first)))
            .take_while(move |&first| first < rows(n))
            .map(move |first| (first, band(first)))
    }

    pub(super) fn columns(n: usize) -> usize {
        n.div_ceil(COLUMNS)
    }

    /// Whether the processor has the tiles, and the system lets this process use them: it has to be asked once.
    pub(in crate::cpu) fn ready() -> bool {
        static READY: OnceLock<bool> = OnceLock::new();
        *READY.get_or_init(|| {
            const REQUEST: libc::c_long = 0x1023;
            const TILES: libc::c_long = 18;
            let vectors = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512bf16");
            // AMX-BF16 and AMX-TILE.
            let wanted = (1 << 22) | (1 << 24);
            let has = vectors && __cpuid_count(7, 0).edx & wanted == wanted;
            // It holds for the whole process. SAFETY: asks for a permission alone; systems that do not know it refuse, and so do those where a thread's
            // alternate signal stack is too small for the tiles.
            has && unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST, TILES) } == 0
        })
    }

    /// See [`super::Halved::pack`].
    ///
    /// # Safety
    /// [`ready`]; `n²` elements of from, and room for the packed matrix.
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub(super) unsafe fn pack(from: &[f32], n: usize, to: *mut u16) {
        let mut to = to;
        for (first, rows) in bands(n) {
            for column in 0..columns(n) {
                for row in first..first + rows {
                    let half = |first: usize| {
                        let left = if row < n { n.saturating_sub(first).min(16) } else { 0 };
                        let mask = ((1_u32 << left) - 1) as __mmask16;
                        // SAFETY: masked elements are not read.
                        unsafe { _mm512_maskz_loadu_ps(mask, from.as_ptr().wrapping_add(row * n + first)) }
                    };
                    let (low, high) = (half(column * COLUMNS), half(column * COLUMNS + 16));
                    // SAFETY: a row of a tile; both types are 64 bytes.
                    unsafe {
                        let row: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(high, low));
                        _mm512_storeu_si512(to.cast(), row);
                        to = to.add(COLUMNS);
                    }
                }
            }
        }
    }

    /// Brings rows `2k` and `2k + 1` of `[n, 16]` together.
    ///
    /// # Safety
    /// [`ready`]; n rows of x, and room for [`columns`] tiles.
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub(super) unsafe fn pair(x: &[f32], n: usize, to: *mut u16) {
        let order: [u16; 32] = std::array::from_fn(|i| (i / 2 + i % 2 * 16) as u16);
        // SAFETY: rows below n are there, and room for all.
        unsafe {
            let order = _mm512_loadu_si512(order.as_ptr().cast());
            let row = |k: usize| {
                if k < n { _mm512_loadu_ps(x.as_ptr().add(k * GROUP)) } else { _mm512_setzero_ps() }
            };
            for k in 0..columns(n) * COLUMNS / 2 {
                let both: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(row(2 * k + 1), row(2 * k)));
                _mm512_storeu_si512(to.add(k * 2 * GROUP).cast(), _mm512_permutexvar_epi16(order, both));
            }
        }
    }

    /// How tiles are cut, as the processor reads it: all eight have 16 rows of 64 bytes.
    #[repr(C, align(64))]
    pub(in crate::cpu) struct Cut([u8; 64]);

    pub(in crate::cpu) static CUT: Cut = {
        let mut bytes = [0; 64];
        bytes[0] = 1;
        let mut tile = 0;
        while tile < 8 {
            bytes[16 + 2 * tile] = 64;
            bytes[48 + tile] = 16;
            tile += 1;
        }
        Cut(bytes)
    };

    /// Band by band; a band's sums stay in four tiles, or in one.
    ///
    /// # Safety
    /// [`ready`]; a packed matrix, its paired vectors, and room for the rows of all bands.
    pub(super) unsafe fn multiply(a: *const u16, n: usize, x: *const u16, out: *mut f32) {
        let columns = columns(n);
        // SAFETY: reads and writes what the caller vouches for; tiles are state that nobody else uses, and are given back.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &raw const CUT, options(nostack, readonly, preserves_flags));
            for (first, rows) in bands(n) {
                let (a, out) = (a.add(first * columns * COLUMNS), out.add(first * GROUP));
                if rows == ROWS {
                    single(a, columns, x, out);
                    continue;
                }
                asm!(
                    "tilezero tmm0",
                    "tilezero tmm1",
                    "tilezero tmm2",
                    "tilezero tmm3",
                    "2:",
                    "tileloadd tmm4, [{x} + {line}]",
                    "tileloadd tmm5, [{a} + {line}]",
                    "tdpbf16ps tmm0, tmm5, tmm4",
                    "tileloadd tmm6, [{a} + {line} + 1024]",
                    "tdpbf16ps tmm1, tmm6, tmm4",
                    "tileloadd tmm7, [{a} + {line} + 2048]",
                    "tdpbf16ps tmm2, tmm7, tmm4",
                    "tileloadd tmm5, [{a} + {line} + 3072]",
                    "tdpbf16ps tmm3, tmm5, tmm4",
                    "add {a}, 4096",
                    "add {x}, 1024",
                    "dec {left}",
                    "jnz 2b",
                    "tilestored [{out} + {line}], tmm0",
                    "tilestored [{out} + {line} + 1024], tmm1",
                    "tilestored [{out} + {line} + 2048], tmm2",
                    "tilestored [{out} + {line} + 3072], tmm3",
                    a = inout(reg) a => _,
                    x = inout(reg) x => _,
                    left = inout(reg) columns => _,
                    out = in(reg) out,
                    line = in(reg) 64_usize,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                );
            }
            asm!("tilerelease", options(nostack, nomem, preserves_flags));
        }
    }

    /// A band of a single tile.
    ///
    /// # Safety
    /// As [`multiply`], between its ends.
    #[inline]
    unsafe fn single(a: *const u16, columns: usize, x: *const u16, out: *mut f32) {
        // SAFETY: passed on to the caller.
        unsafe {
            asm!(
                "tilezero tmm0",
                "2:",
                "tileloadd tmm4, [{x} + {line}]",
                "tileloadd tmm5, [{a} + {line}]",
                "tdpbf16ps tmm0, tmm5, tmm4",
                "add {a}, 1024",
                "add {x}, 1024",
                "dec {left}",
                "jnz 2b",
                "tilestored [{out} + {line}], tmm0",
                a = inout(reg) a => _,
                x = inout(reg) x => _,
                left = inout(reg) columns => _,
                out = in(reg) out,
                line = in(reg) 64_usize,
                out("tmm0") _, out("tmm4") _, out("tmm5") _,
                options(nostack),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where processor or system have no tiles, the products in f32 run, which `tests/small.rs` tests there.
    fn untested() {
        eprintln!("no tiles of bfloat16 here: nothing to test");
    }

    /// Numbers of 8 significant bits, and sums that f32 holds exactly: a product is exact in whatever order it is summed.
    #[test]
    fn a_product_of_short_numbers_is_exact() {
        for n in [1_usize, 2, 15, 16, 31, 32, 33, 63, 64, 65, 100, 196] {
            let Some(len) = f32::packed(n) else { return untested() };
            let a: Vec<f32> = (0..n * n).map(|i| (i * 37 % 201) as f32 - 100.0).collect();
            let x: Vec<f32> = (0..n * 16).map(|i| (i * 53 % 251) as f32 - 125.0).collect();
            let mut packed = vec![f32::NAN; len];
            f32::pack(&a, n, &mut packed);
            let mut scratch = vec![f32::NAN; f32::scratch(n)];
            let mut out = vec![f32::NAN; f32::rows(n) * 16];
            f32::times(&packed, n, &x, &mut scratch, &mut out);
            for (i, row) in out.chunks_exact(16).enumerate() {
                for (l, &found) in row.iter().enumerate() {
                    let expected: f32 =
                        if i < n { (0..n).map(|k| a[i * n + k] * x[k * 16 + l]).sum() } else { 0.0 };
                    assert_eq!(found, expected, "n = {n}: {i}, {l}");
                }
            }
        }
    }

    /// A trajectory that is no number leaves the others alone.
    #[test]
    fn no_number_stays_in_its_column() {
        let n = 40;
        let Some(len) = f32::packed(n) else { return untested() };
        let mut packed = vec![0.0; len];
        f32::pack(&vec![1.0; n * n], n, &mut packed);
        let mut x = vec![1.0; n * 16];
        x[3 * 16 + 5] = f32::NAN;
        let (mut scratch, mut out) = (vec![0.0; f32::scratch(n)], vec![0.0; f32::rows(n) * 16]);
        f32::times(&packed, n, &x, &mut scratch, &mut out);
        for (k, &v) in out[..n * 16].iter().enumerate() {
            assert!(if k % 16 == 5 { v.is_nan() } else { v == n as f32 }, "{k}: {v}");
        }
    }
}
