//! Samples of three classes that a small network learns in a moment.
#![allow(clippy::unwrap_used, missing_docs)] // A test fails by panicking.

use lagrange_gpu::data::Samples;

pub const CLASSES: usize = 3;
pub const PIXELS: usize = 12;

/// Class k lights pixels 4k to 4k + 3 of twelve; the others are dim, by a pattern of their own in every sample.
pub fn samples(count: usize, shift: usize) -> Samples {
    let image = |i: usize| {
        (0..PIXELS).map(move |p| {
            let noise = ((i + shift) * 53 + p * 31) * 97 % 60;
            if p / 4 == i % CLASSES { 255 - noise as u8 } else { noise as u8 }
        })
    };
    let labels = (0..count).map(|i| (i % CLASSES) as u8).collect();
    Samples::new((0..count).flat_map(image).collect(), labels, PIXELS, CLASSES).unwrap()
}
