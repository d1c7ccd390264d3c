//! Cuts samples, or windows of recordings, into mini-batches. A thread gathers the next ones while the device integrates the present one.
//!
//! Every sample is presented exactly once an epoch; the last mini-batch is padded with inactive slots. The order
//! depends on (seed, epoch) alone: not on the batch size, nor on the device.

use std::io;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use rand::seq::SliceRandom;

use super::series::Windows;
use super::{DataError, Samples};
use crate::random::{Purpose, stream};

/// Mini-batches that wait, assembled, for the device.
const DEPTH: usize = 2;

/// Samples that are integrated together; or windows of recordings, piece by piece.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MiniBatch {
    /// `[batch, pixels]` row-major, 0 to 255; 0 in inactive slots. Empty but for samples that are bytes.
    pub pixels: Vec<u8>,
    /// `[batch]`; 0 in inactive slots. Empty for windows, and for samples that have targets.
    pub labels: Vec<u8>,
    /// `[batch, n_in]` row-major, of samples that are numbers; 0 in inactive slots.
    pub inputs: Vec<f64>,
    /// `[batch, n_out]` row-major, of samples that are numbers; 0 in inactive slots.
    pub targets: Vec<f64>,
    /// Rows of the recordings, one window after the other; empty for samples, and where the device holds all rows.
    pub rows: Vec<u8>,
    /// `[batch, 4]`: the row on the device where each trajectory's piece begins, 32 bits, little-endian; empty for samples.
    pub cursors: Vec<u8>,
    /// The time steps `start + 1..=end` of the windows that the piece takes; empty for samples.
    pub steps: Range<usize>,
    /// `[batch]`: 1 where there is a sample, 0 in inactive slots, which come last.
    pub active: Vec<f64>,
    /// Number of active slots, at least 1.
    pub count: usize,
    /// `[count]`: the samples (windows) of the active slots, by their place in the set.
    pub indices: Vec<u32>,
}

impl MiniBatch {
    /// Empty, with the memory it had.
    pub(super) fn clear(&mut self) {
        [&mut self.pixels, &mut self.labels, &mut self.rows, &mut self.cursors]
            .into_iter()
            .for_each(Vec::clear);
        [&mut self.active, &mut self.inputs, &mut self.targets].into_iter().for_each(Vec::clear);
        self.indices.clear();
        (self.steps, self.count) = (0..0, 0);
    }
}

/// Static samples, as mini-batches are made of them.
#[allow(clippy::len_without_is_empty, reason = "never empty")]
pub trait Rows: Clone + Send + 'static {
    /// Number of samples, at least 1 and at most 2³² − 1.
    fn len(&self) -> usize;

    /// Puts the samples at `indices` into an empty mini-batch, padded to `batch` slots.
    fn gather(&self, batch: usize, indices: &[u32], item: &mut MiniBatch);
}

impl Rows for Samples {
    fn len(&self) -> usize {
        self.len()
    }

    fn gather(&self, batch: usize, indices: &[u32], item: &mut MiniBatch) {
        for &i in indices {
            item.pixels.extend_from_slice(self.image(i as usize));
            item.labels.push(self.labels()[i as usize]);
        }
        item.pixels.resize(batch * self.pixels(), 0);
        item.labels.resize(batch, 0);
    }
}

/// The mini-batches of one pass over the samples, in order.
///
/// [`Batches::recycle`] hands a used mini-batch back, so that its memory serves again; this is optional. Dropping the
/// iterator early stops its thread.
#[derive(Debug)]
pub struct Batches {
    ready: Option<Receiver<io::Result<MiniBatch>>>,
    used: Sender<MiniBatch>,
    worker: Option<JoinHandle<()>>,
    left: usize,
    error: Option<io::Error>,
}

impl Batches {
    /// All samples in the order of `epoch`, for learning.
    ///
    /// # Errors
    /// If `batch` is 0 or no thread can be started.
    pub fn shuffled(samples: &impl Rows, batch: usize, seed: u64, epoch: u64) -> Result<Self, DataError> {
        let mut order = natural_order(samples);
        order.shuffle(&mut stream(seed, Purpose::Shuffle, epoch, 0));
        Self::start(samples, batch, order)
    }

    /// All samples in the order of the set, for evaluation.
    ///
    /// # Errors
    /// If `batch` is 0 or no thread can be started.
    pub fn ordered(samples: &impl Rows, batch: usize) -> Result<Self, DataError> {
        Self::start(samples, batch, natural_order(samples))
    }

    /// The windows of recordings in the order of `epoch`, without the first `from` pieces.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn windows(windows: &Windows, seed: u64, epoch: u64, from: usize) -> Result<Self, DataError> {
        let left = windows.mini_batches().saturating_sub(from);
        Self::spawn(left, windows.clone().assembler(seed, epoch, from))
    }

    /// Without the first `presented`.
    #[must_use]
    pub(crate) fn after(mut self, presented: usize) -> Self {
        for _ in 0..presented {
            let Some(batch) = self.next() else { break };
            self.recycle(batch);
        }
        self
    }

    /// Why the mini-batches ended before the last one, if they did.
    pub fn error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// Hands a mini-batch back when its content is no longer needed.
    pub fn recycle(&self, used: MiniBatch) {
        // If the thread has ended there is nothing to reuse it for.
        let _ = self.used.send(used);
    }

    fn start(samples: &impl Rows, batch: usize, order: Vec<u32>) -> Result<Self, DataError> {
        if batch == 0 {
            return Err(DataError::Batch);
        }
        let (samples, left) = (samples.clone(), order.len().div_ceil(batch));
        Self::spawn(left, move |i, item| {
            gather(&samples, batch, &order[i * batch..order.len().min((i + 1) * batch)], item);
            Ok(())
        })
    }

    /// `left` mini-batches; `fill` makes the one with a number, from 0.
    fn spawn(
        left: usize,
        fill: impl FnMut(usize, &mut MiniBatch) -> io::Result<()> + Send + 'static,
    ) -> Result<Self, DataError> {
        let (to_device, ready) = sync_channel(DEPTH);
        let (used, from_device) = channel();
        let worker = std::thread::Builder::new()
            .name("mini-batches".to_owned())
            .spawn(move || assemble(left, fill, &to_device, &from_device))
            .map_err(DataError::Thread)?;
        Ok(Self { ready: Some(ready), used, worker: Some(worker), left, error: None })
    }
}

impl Iterator for Batches {
    type Item = MiniBatch;

    fn next(&mut self) -> Option<MiniBatch> {
        let next = match self.ready.as_ref()?.recv().ok() {
            Some(Ok(next)) => Some(next),
            Some(Err(error)) => {
                self.error = Some(error);
                None
            }
            None => {
                if self.left > 0 {
                    // It ends early only if it failed.
                    let what = "the thread that assembles mini-batches ended early";
                    self.error = Some(std::io::Error::other(what));
                }
                None
            }
        };
        self.left = if next.is_some() { self.left.saturating_sub(1) } else { 0 };
        next
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Batches {}

impl Drop for Batches {
    fn drop(&mut self) {
        // Without a receiver the thread's next send fails, and it ends.
        drop(self.ready.take());
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

/// The order of the set. The number of samples fits in 32 bits.
fn natural_order(samples: &impl Rows) -> Vec<u32> {
    (0_u32..).take(samples.len()).collect()
}

/// Gathers all mini-batches, until the last, one that cannot be made, or until nobody listens.
fn assemble(
    count: usize,
    mut fill: impl FnMut(usize, &mut MiniBatch) -> io::Result<()>,
    to_device: &SyncSender<io::Result<MiniBatch>>,
    from_device: &Receiver<MiniBatch>,
) {
    for i in 0..count {
        let mut item = from_device.try_recv().unwrap_or_default();
        let made = fill(i, &mut item).map(|()| item);
        let last = made.is_err();
        if to_device.send(made).is_err() || last {
            return;
        }
    }
}

/// Fills `item` with the samples at `indices`, at most `batch` of them, and pads the rest.
fn gather(samples: &impl Rows, batch: usize, indices: &[u32], item: &mut MiniBatch) {
    item.clear();
    samples.gather(batch, indices, item);
    item.count = indices.len();
    item.indices.extend_from_slice(indices);
    item.active.resize(item.count, 1.0);
    item.active.resize(batch, 0.0);
}
