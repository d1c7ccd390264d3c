//! Samples that stand at equal distances in a file: arrays of NumPy, MATLAB and the like, by rows or by columns.

use std::ops::Range;

use super::store::Store;
use super::{Channel, Digital, RecordingError, Source};
use crate::data::npy::{Element, Kind};

/// Bytes that are read at once: a few seconds of some hundred channels, so that channels read one after the other share them.
const BLOCK: u64 = 8 << 20;

/// A matrix of numbers in a file.
#[derive(Debug)]
pub(super) struct Strided {
    store: Store,
    layout: Layout,
    /// First byte, in the file, of what `bytes` holds.
    held: u64,
    bytes: Vec<u8>,
}

/// Where the numbers of a matrix stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Byte of the first sample of the first channel.
    pub start: u64,
    /// How a number stands there.
    pub element: Element,
    /// Number of channels.
    pub channels: u64,
    /// Number of samples of each.
    pub samples: u64,
    /// The samples of a channel stand together; else the channels of a sample do.
    pub by_channel: bool,
    /// A number d stands for gain·d + offset.
    pub scale: [f64; 2],
}

impl Layout {
    /// Bytes of all; `None` beyond what 64 bits count.
    fn size(&self) -> Option<u64> {
        self.samples.checked_mul(self.channels)?.checked_mul(self.element.width as u64)
    }

    /// What a channel tells about its integers, where they have 16 bits.
    pub fn digital(&self) -> Option<Digital> {
        let word = self.element.kind == Kind::Int && self.element.width == 2;
        let [gain, offset] = self.scale;
        word.then_some(Digital { gain, offset, range: [i16::MIN.into(), i16::MAX.into()] })
    }
}

impl Strided {
    /// Samples at these places of a file.
    ///
    /// # Errors
    /// If the file ends before the last of them.
    pub fn new(store: Store, layout: Layout) -> Result<Self, RecordingError> {
        let end = layout.size().and_then(|size| size.checked_add(layout.start));
        if end.is_none_or(|end| end > store.len()) {
            let what = format!(
                "{} samples of {} channels with {} bytes each begin here, but the file ends at byte {}",
                layout.samples,
                layout.channels,
                layout.element.width,
                store.len()
            );
            return Err(store.error(format!("byte {}", layout.start), what));
        }
        Ok(Self { store, layout, held: 0, bytes: Vec::new() })
    }

    /// The file.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Makes `bytes` hold the stretch of the file, unless it does.
    fn hold(&mut self, from: u64, size: u64) -> Result<&[u8], RecordingError> {
        let at = from.checked_sub(self.held).and_then(|at| usize::try_from(at).ok());
        let within = at.filter(|at| self.bytes.len().saturating_sub(*at) as u64 >= size);
        let at = if let Some(at) = within {
            at
        } else {
            // Cleared first: a failed read must not leave bytes that seem to be held.
            self.bytes.clear();
            let mut bytes = std::mem::take(&mut self.bytes);
            bytes.resize(size as usize, 0);
            self.store.read_at(from, &mut bytes)?;
            (self.bytes, self.held) = (bytes, from);
            0
        };
        Ok(&self.bytes[at..at + size as usize])
    }

    /// Samples of one channel that stand one behind the other.
    fn together(
        &mut self,
        channel: u64,
        range: Range<u64>,
        out: &mut Vec<f64>,
    ) -> Result<(), RecordingError> {
        let Layout { start, element, samples, .. } = self.layout;
        let width = element.width as u64;
        let mut at = range.start;
        while at < range.end {
            let n = (range.end - at).min(BLOCK / width);
            let bytes = self.hold(start + (channel * samples + at) * width, n * width)?;
            element.extend(bytes, element.width, out);
            at += n;
        }
        Ok(())
    }

    /// Samples of one channel out of rows with all channels.
    fn across(&mut self, channel: u64, range: Range<u64>, out: &mut Vec<f64>) -> Result<(), RecordingError> {
        let Layout { start, element, channels, samples, .. } = self.layout;
        let row = channels * element.width as u64;
        // Blocks begin at fixed rows, so that the next channel asks for the same ones.
        let block = (BLOCK / row).max(1);
        let mut at = range.start;
        while at < range.end {
            let first = at / block * block;
            let end = (first + block).min(samples);
            let until = end.min(range.end);
            let bytes = self.hold(start + first * row, (end - first) * row)?;
            let from = ((at - first) * row + channel * element.width as u64) as usize;
            let to = ((until - first) * row) as usize;
            element.extend(&bytes[from..to], row as usize, out);
            at = until;
        }
        Ok(())
    }
}

impl Source for Strided {
    fn read(&mut self, channel: usize, range: Range<u64>, out: &mut Vec<f64>) -> Result<(), RecordingError> {
        let before = out.len();
        if self.layout.by_channel {
            self.together(channel as u64, range, out)?;
        } else {
            self.across(channel as u64, range, out)?;
        }
        let [gain, offset] = self.layout.scale;
        if [gain, offset] != [1.0, 0.0] {
            out[before..].iter_mut().for_each(|v| *v = gain * *v + offset);
        }
        Ok(())
    }
}

/// Sets what channels tell about their integers.
pub(super) fn mark_digital(channels: &mut [Channel], layout: &Layout) {
    channels.iter_mut().for_each(|channel| channel.digital = layout.digital());
}
