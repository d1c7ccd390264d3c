//! The status words: for each trajectory the first bad step and neuron, as `step · 2N + neuron`.

/// Row of voltages that are not finite.
pub const STATE: usize = 0;
/// Row of voltages above the limit.
pub const LIMIT: usize = 1;
/// Row of inputs and targets that are not finite; neuron `N + o` is the target of output o.
pub const INPUT: usize = 2;
/// Nothing to report.
pub const FINE: u32 = u32::MAX;

/// Notes a bad neuron of trajectory `b`, unless an earlier one is noted already.
pub fn note(word: &mut [u32], row: usize, batch: usize, b: usize, step: u32, neuron: usize, neurons: usize) {
    let code = u64::from(step) * 2 * neurons as u64 + neuron as u64;
    let code = u32::try_from(code).unwrap_or(FINE - 1);
    let at = &mut word[row * batch + b];
    *at = (*at).min(code);
}

/// Step and neuron of a word.
#[must_use]
pub fn decode(word: u32, neurons: usize) -> Option<(usize, usize)> {
    (word != FINE).then(|| (word as usize / (2 * neurons), word as usize % (2 * neurons)))
}
