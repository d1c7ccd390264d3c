//! Damages files, always in the same way from the same seed.

/// Numbers as text that headers should not survive.
const TEXTS: [&str; 16] = [
    "0",
    "-1",
    "1",
    "-0",
    "2147483648",
    "-2147483649",
    "4294967296",
    "18446744073709551615",
    "99999999999999999999",
    "1e999",
    "1e-320",
    "nan",
    "inf",
    "0.0000001",
    "",
    "x",
];

/// A source of damaged files: Vigna's SplitMix64, which needs no crate and stays the same.
pub struct Mutator {
    state: u64,
}

impl Mutator {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, 0 for 0.
    fn below(&mut self, n: usize) -> usize {
        (self.random() % n.max(1) as u64) as usize
    }

    /// One of the files with one to four changes.
    pub fn next(&mut self, files: &[&[u8]]) -> Vec<u8> {
        let mut bytes = files[self.below(files.len())].to_vec();
        for _ in 0..=self.below(4) {
            match self.below(10) {
                0 | 1 => self.flip(&mut bytes),
                2 => bytes.truncate(self.below(bytes.len() + 1)),
                3 => self.splice(&mut bytes, files),
                4 => self.remove(&mut bytes),
                5..=7 => self.integer(&mut bytes),
                _ => self.text(&mut bytes),
            }
        }
        bytes
    }

    fn flip(&mut self, bytes: &mut [u8]) {
        for _ in 0..=self.below(8) {
            let at = self.below(bytes.len());
            let bit = 1 << self.below(8);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= bit;
            }
        }
    }

    /// Puts a piece of a file over, or between, what is there.
    fn splice(&mut self, bytes: &mut Vec<u8>, files: &[&[u8]]) {
        let other = files[self.below(files.len())];
        let from = self.below(other.len());
        let piece = &other[from..from + self.below((other.len() - from).min(200) + 1)];
        let at = self.below(bytes.len() + 1);
        let end = if self.below(2) == 0 { at } else { (at + piece.len()).min(bytes.len()) };
        bytes.splice(at..end, piece.iter().copied());
    }

    fn remove(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        let end = (at + 1 + self.below(40)).min(bytes.len());
        bytes.drain(at.min(end)..end);
    }

    /// Puts an extreme number, of 1 to 8 bytes in either order, somewhere; half of the time near the start, where headers are.
    fn integer(&mut self, bytes: &mut [u8]) {
        let width = 1 << self.below(4);
        let most = u64::MAX >> (64 - 8 * width);
        let size = bytes.len() as u64;
        let values = [
            0,
            1,
            most,
            most / 2,
            most / 2 + 1,
            size,
            size.wrapping_sub(1),
            size + 1,
            0xffff,
            1 << 31,
            self.random(),
        ];
        let value = values[self.below(values.len())];
        let word = if self.below(2) == 0 {
            value.to_le_bytes()
        } else {
            value.rotate_right(8 * width as u32).to_be_bytes()
        };
        let range = if self.below(2) == 0 { bytes.len().min(400) } else { bytes.len() };
        let at = self.below(range);
        for (byte, new) in bytes.iter_mut().skip(at).zip(&word[..width as usize]) {
            *byte = *new;
        }
    }

    /// Replaces a run of digits, in half of the cases with as many letters.
    fn text(&mut self, bytes: &mut Vec<u8>) {
        let start = self.below(bytes.len());
        let Some(from) = (start..bytes.len()).find(|&i| bytes[i].is_ascii_digit()) else { return };
        let end = (from..bytes.len()).find(|&i| !bytes[i].is_ascii_digit()).unwrap_or(bytes.len());
        let mut new = TEXTS[self.below(TEXTS.len())].as_bytes().to_vec();
        if self.below(2) == 0 {
            new.resize(end - from, b' ');
        }
        bytes.splice(from..end, new);
    }
}
