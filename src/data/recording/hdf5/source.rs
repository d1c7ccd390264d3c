//! Samples of a data set, read block by block.

use std::ops::Range;
use std::path::{Path, PathBuf};

use hdf5_reader::error::Error;
use hdf5_reader::{Dataset, Datatype, SliceInfo, SliceInfoElem};

use crate::data::recording::{Digital, RecordingError, Source};

/// Numbers of a block of samples of all channels that is kept.
const BLOCK: u64 = 1 << 20;

/// How the samples stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orientation {
    /// One channel: a single axis.
    Single,
    /// A row per sample.
    Rows,
    /// A column per sample.
    Columns,
}

/// Bytes of an element; `None` if it is no number that is read.
pub fn width(of: &Datatype) -> Option<u64> {
    match of {
        Datatype::FloatingPoint { size: size @ (4 | 8), .. }
        | Datatype::FixedPoint { size: size @ (1 | 2 | 4 | 8), .. } => Some(u64::from(*size)),
        _ => None,
    }
}

/// What a channel tells about its integers, where they have 16 bits.
pub fn digital(of: &Datatype, gain: f64, offset: f64) -> Option<Digital> {
    let word = matches!(of, Datatype::FixedPoint { size: 2, signed: true, .. });
    word.then_some(Digital { gain, offset, range: [i16::MIN.into(), i16::MAX.into()] })
}

/// The first number of a data set.
pub fn first(data: &Dataset) -> Option<f64> {
    let one = SliceInfoElem::Slice { start: 0, end: 1, step: 1 };
    numbers(data, vec![one; data.ndim()]).ok()?.first().copied()
}

/// Numbers of a part of a data set, in its order.
pub fn numbers(data: &Dataset, selections: Vec<SliceInfoElem>) -> Result<Vec<f64>, Error> {
    let selection = SliceInfo { selections };
    macro_rules! read {
        ($type:ty) => {
            data.read_slice::<$type>(&selection)?.iter().map(|&v| v as f64).collect()
        };
    }
    Ok(match *data.dtype() {
        Datatype::FloatingPoint { size: 4, .. } => read!(f32),
        Datatype::FloatingPoint { size: 8, .. } => read!(f64),
        Datatype::FixedPoint { size: 1, signed: true, .. } => read!(i8),
        Datatype::FixedPoint { size: 1, signed: false, .. } => read!(u8),
        Datatype::FixedPoint { size: 2, signed: true, .. } => read!(i16),
        Datatype::FixedPoint { size: 2, signed: false, .. } => read!(u16),
        Datatype::FixedPoint { size: 4, signed: true, .. } => read!(i32),
        Datatype::FixedPoint { size: 4, signed: false, .. } => read!(u32),
        Datatype::FixedPoint { size: 8, signed: true, .. } => read!(i64),
        Datatype::FixedPoint { size: 8, signed: false, .. } => read!(u64),
        _ => return Err(Error::InvalidData("no numbers".into())),
    })
}

/// Access to the samples of a data set.
pub struct Samples {
    path: PathBuf,
    place: String,
    data: Dataset,
    orientation: Orientation,
    channels: u64,
    gain: Vec<f64>,
    offset: f64,
    /// Samples of a block, which block `values` holds, and its numbers in the order of the file.
    block: u64,
    held: Option<u64>,
    values: Vec<f64>,
}

impl Samples {
    pub fn new(
        path: &Path,
        place: String,
        data: Dataset,
        orientation: Orientation,
        channels: u64,
        (gain, offset): (Vec<f64>, f64),
    ) -> Self {
        let block = (BLOCK / channels.max(1)).max(1);
        let path = path.to_path_buf();
        Self { path, place, data, orientation, channels, gain, offset, block, held: None, values: Vec::new() }
    }

    fn hold(&mut self, block: u64) -> Result<(), Error> {
        if self.held == Some(block) {
            return Ok(());
        }
        self.held = None;
        let samples = match (self.orientation, self.data.shape()) {
            (Orientation::Columns, &[_, n]) | (_, &[n, ..]) => n,
            _ => 0,
        };
        let start = block.saturating_mul(self.block);
        let time =
            SliceInfoElem::Slice { start, end: start.saturating_add(self.block).min(samples), step: 1 };
        let all = SliceInfoElem::Slice { start: 0, end: self.channels, step: 1 };
        let selections = match self.orientation {
            Orientation::Single => vec![time],
            Orientation::Rows => vec![time, all],
            Orientation::Columns => vec![all, time],
        };
        self.values = numbers(&self.data, selections)?;
        self.held = Some(block);
        Ok(())
    }

    /// Samples of a channel out of the block that is held.
    fn take(&self, channel: usize, rows: Range<usize>, out: &mut Vec<f64>) -> Result<(), Error> {
        let channels = self.channels as usize;
        let (skip, step) = match self.orientation {
            Orientation::Columns => (channel * (self.values.len() / channels.max(1)) + rows.start, 1),
            _ => (rows.start * channels + channel, channels.max(1)),
        };
        let gain = self.gain.get(channel).or_else(|| self.gain.first()).copied().unwrap_or(1.0);
        let before = out.len();
        let scaled = self.values.iter().skip(skip).step_by(step).take(rows.len());
        out.extend(scaled.map(|v| gain * v + self.offset));
        if out.len() - before == rows.len() {
            Ok(())
        } else {
            Err(Error::InvalidData("samples are missing".into()))
        }
    }
}

impl Source for Samples {
    fn read(&mut self, channel: usize, range: Range<u64>, out: &mut Vec<f64>) -> Result<(), RecordingError> {
        let mut at = range.start;
        while at < range.end {
            let block = at / self.block;
            let first = block * self.block;
            let until = (first + self.block).min(range.end);
            let done = self.hold(block);
            let rows = (at - first) as usize..(until - first) as usize;
            done.and_then(|()| self.take(channel, rows, out)).map_err(|e| RecordingError::Format {
                path: self.path.clone(),
                place: format!("{}, samples from {at} on", self.place),
                what: e.to_string(),
            })?;
            at = until;
        }
        Ok(())
    }
}
