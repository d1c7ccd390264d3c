// The layers of a network that steps as a whole with resident weights: for each of them LAYER words.
//
// Of W into each layer but the first there are six matrices of SIZE elements: W and its successor, which change places with every step that
// learns, and W_dot, each as [post, pre] and transposed: neighbouring lanes read neighbouring elements in W x and in W^T x.

const LAYER: u32 = 16u;
// First column among all neurons, and among the free ones; columns.
const START: u32 = 0u;
const FIRST: u32 = 1u;
const LEN: u32 = 2u;
// First element of the matrices, and elements of each.
const MATRICES: u32 = 3u;
const SIZE: u32 = 4u;
// How many lanes share the terms of a sum with a result in this layer.
const PARTS: u32 = 5u;
// Learning-rate factor, bounds of W and of b.
const FACTOR: u32 = 6u;
const CLIPPED: u32 = 7u;
const CLIP: u32 = 8u;
const BIAS_CLIPPED: u32 = 9u;
const BIAS_CLIP: u32 = 10u;
// First element of W among all weights.
const WEIGHTS: u32 = 11u;

// W_dot beside the two W.
const RATE_MATRIX: u32 = 2u;

fn word(l: u32, which: u32) -> u32 { return table[l * LAYER + which]; }

// First element of W (0, 1) or W_dot into a layer, [post, pre].
fn matrix(l: u32, which: u32) -> u32 { return word(l, MATRICES) + 2u * which * word(l, SIZE); }

// The same transposed.
fn transposed(l: u32, which: u32) -> u32 { return matrix(l, which) + word(l, SIZE); }
