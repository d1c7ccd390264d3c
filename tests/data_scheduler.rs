//! The scheduler: every sample once an epoch, in an order that follows from seed and epoch alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use lagrange_gpu::data::{Batches, DataError, MiniBatch, Samples};
use proptest::prelude::*;

/// `n` samples of three pixels; each pixel of sample `i` is `i mod 251`, its label `i mod 10`.
fn numbered(n: usize) -> Samples {
    let images = (0..n).flat_map(|i| [(i % 251) as u8; 3]).collect();
    Samples::new(images, (0..n).map(|i| (i % 10) as u8).collect(), 3, 10).unwrap()
}

fn order(batches: Batches) -> Vec<u32> {
    batches.flat_map(|b| b.indices).collect()
}

/// What a mini-batch of [`numbered`] samples has to look like, given its indices.
fn check(item: &MiniBatch, batch: usize) {
    assert_eq!(item.count, item.indices.len());
    assert!((1..=batch).contains(&item.count));
    assert_eq!((item.pixels.len(), item.labels.len(), item.active.len()), (3 * batch, batch, batch));
    for slot in 0..batch {
        let (pixel, label, active) = match item.indices.get(slot) {
            Some(&i) => ((i % 251) as u8, (i % 10) as u8, 1.0),
            None => (0, 0, 0.0),
        };
        assert_eq!(item.pixels[3 * slot..3 * slot + 3], [pixel; 3]);
        assert_eq!((item.labels[slot], item.active[slot]), (label, active));
    }
}

proptest! {
    #[test]
    fn every_sample_is_presented_once(n in 1_usize..700, batch in 1_usize..90, seed: u64, epoch in 0_u64..99) {
        let mut batches = Batches::shuffled(&numbered(n), batch, seed, epoch).unwrap();
        prop_assert_eq!(batches.len(), n.div_ceil(batch));
        let mut seen = Vec::new();
        while let Some(item) = batches.next() {
            check(&item, batch);
            let last = batches.len() == 0;
            prop_assert!(item.count == batch || last);
            seen.extend(item.indices.iter().copied());
            batches.recycle(item);
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..n as u32).collect::<Vec<_>>());
    }
}

#[test]
fn the_order_does_not_depend_on_the_batch_size() {
    let samples = numbered(503);
    let with = |batch| order(Batches::shuffled(&samples, batch, 5, 2).unwrap());
    for batch in [2, 16, 100, 503, 1000] {
        assert_eq!(with(1), with(batch));
    }
}

#[test]
fn the_order_follows_seed_and_epoch() {
    let samples = numbered(200);
    let with = |seed, epoch| order(Batches::shuffled(&samples, 16, seed, epoch).unwrap());
    assert_eq!(with(1, 1), with(1, 1));
    assert_ne!(with(1, 1), with(1, 2));
    assert_ne!(with(1, 1), with(2, 1));
    assert!(!with(1, 1).is_sorted());
}

#[test]
fn evaluation_keeps_the_order_of_the_set() {
    let samples = numbered(25);
    let items: Vec<MiniBatch> = Batches::ordered(&samples, 10).unwrap().collect();
    assert_eq!(items.iter().map(|b| b.count).collect::<Vec<_>>(), [10, 10, 5]);
    items.iter().for_each(|item| check(item, 10));
    assert_eq!(order(Batches::ordered(&samples, 10).unwrap()), (0..25).collect::<Vec<_>>());
}

#[test]
fn dropping_early_ends_the_thread() {
    // Dropping joins the thread: this test would hang if it went on waiting for a listener.
    let samples = numbered(500);
    for taken in 0..4 {
        let mut batches = Batches::shuffled(&samples, 5, 1, 1).unwrap();
        assert_eq!(batches.by_ref().take(taken).count(), taken);
    }
}

#[test]
fn a_batch_of_nothing_is_refused() {
    assert!(matches!(Batches::ordered(&numbered(4), 0), Err(DataError::Batch)));
}
