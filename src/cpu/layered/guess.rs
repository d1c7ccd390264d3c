//! u̇ of the outputs as it is expected from the steps before: where conjugate gradients of a single trajectory begin. It costs no product, since it
//! only changes what the first sweep starts from. (A panel goes on until its last trajectory has converged, and is not faster for it.)
//!
//! The value after u̇ₙ by a polynomial of degree p through the last ones is `Σ_{k≤p} ∇ᵏ u̇ₙ`, with the backward differences `∇⁰ = u̇`,
//! `∇ᵏ⁺¹ u̇ₙ = ∇ᵏ u̇ₙ − ∇ᵏ u̇ₙ₋₁`; how far the same polynomial was from u̇ₙ is `∇ᵖ⁺¹ u̇ₙ`. So the smallest difference tells the degree at each
//! step: a smooth course takes a high one, after a kink there is none.

use super::Crew;
use super::room::{DIFFERENCES, Field, Output, Panel, lane};
use crate::cpu::Real;

/// Before the first step of a presentation: u̇ is all that is known.
pub(super) fn begin<T: Real>(crew: &Crew<T>, p: Panel) {
    let rate = crew.ground.see(Field::Rate, p, crew.ground.map.out());
    crew.ground.difference(0, p).copy_from_slice(rate);
    crew.ground.lane(lane::KNOWN, p)[0] = T::ONE;
}

/// What is expected of the step that begins.
#[inline(always)]
pub(super) fn run<T: Real>(crew: &Crew<T>, p: Panel) {
    let known = crew.ground.lane(lane::KNOWN, p)[0].f64() as usize;
    // With a single one there is nothing to compare.
    let (mut best, mut terms) = (T::ZERO, usize::from(known == 1));
    for k in 0..if known > 1 { known } else { 0 } {
        let mut norm2 = T::ZERO;
        for &of in &*crew.ground.difference(k, p) {
            norm2 += of * of;
        }
        // Of numbers that are not finite nothing is expected.
        if k == 0 || norm2 < best {
            (best, terms) = (norm2, k);
        }
    }
    let guess = crew.ground.output(Output::Guess, p);
    guess.fill(T::ZERO);
    for k in 0..terms {
        super::single::add_flat(guess, T::ONE, crew.ground.difference(k, p));
    }
}

/// Takes up u̇ of a step.
#[inline(always)]
pub(super) fn learn<T: Real>(crew: &Crew<T>, p: Panel) {
    let rate = crew.ground.see(Field::Rate, p, crew.ground.map.out());
    let known = crew.ground.lane(lane::KNOWN, p);
    let count = known[0].f64() as usize;
    for (o, &rate) in rate.iter().enumerate() {
        let mut next = rate;
        // One more than before; of the first step of all there is one already.
        for k in 0..DIFFERENCES.min(count + 1) {
            let to = &mut crew.ground.difference(k, p)[o];
            let last = std::mem::replace(to, next);
            next -= last;
        }
    }
    known[0] = T::of(DIFFERENCES.min(count + 1) as f64);
}
