//! Samples that stand at equal distances in a file: arrays of NumPy, MATLAB and the like, by rows or by columns.

use std::ops::Range;

use super::store::Store;
use super::{Channel, Digital, RecordingError, Source};
use crate::data::npy::{Element, Kind};

/// A matrix of numbers in a file.
#[derive(Debug)]
pub(super) struct Strided {
    store: Store,
    layout: Layout,
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
        Ok(Self { store, layout })
    }

    /// The file.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

impl Source for Strided {
    fn read(&mut self, channel: usize, range: Range<u64>, out: &mut Vec<f64>) -> Result<(), RecordingError> {
        let Layout { start, element, channels, samples, by_channel, scale: [gain, offset] } = self.layout;
        // All of these lie within the file: `new` saw to it.
        let first = if by_channel {
            channel as u64 * samples + range.start
        } else {
            range.start * channels + channel as u64
        };
        let stride = element.width * if by_channel { 1 } else { channels as usize };
        let (from, count) = (start + first * element.width as u64, range.end - range.start);
        let before = out.len();
        self.store.strided(from, stride, element.width, count, out, |bytes| element.number(bytes))?;
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
