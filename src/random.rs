//! One counter-based generator for everything, its streams keyed by what they are for.
//!
//! A stream depends on (seed, purpose, epoch, index) alone: not on the device, nor on how work is split, and there is
//! nothing to save for a resume.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Initial weights; index = projection.
    Weights = 1,
    /// Initial biases; index = population.
    Biases = 2,
    /// Order of the samples in an epoch.
    Shuffle = 3,
    /// Initial weights of a microcircuit; index = block, of a kind 2³² on.
    Microcircuit = 5,
    /// Split into training and validation samples.
    Split = 4,
}

/// The stream for `purpose` in `epoch` at `index`.
#[must_use]
pub fn stream(seed: u64, purpose: Purpose, epoch: u64, index: u64) -> ChaCha8Rng {
    let mut key = [0_u8; 32];
    for (chunk, value) in key.chunks_exact_mut(8).zip([seed, purpose as u64, epoch, index]) {
        chunk.copy_from_slice(&value.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::Rng;

    #[test]
    fn streams_repeat_and_differ() {
        let first = |seed, purpose, epoch, index| stream(seed, purpose, epoch, index).next_u64();
        let base = first(1, Purpose::Shuffle, 0, 0);
        assert_eq!(base, first(1, Purpose::Shuffle, 0, 0));
        for other in [
            first(2, Purpose::Shuffle, 0, 0),
            first(1, Purpose::Weights, 0, 0),
            first(1, Purpose::Shuffle, 1, 0),
            first(1, Purpose::Shuffle, 0, 1),
        ] {
            assert_ne!(base, other);
        }
    }
}
