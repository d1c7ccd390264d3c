//! Time series that networks learn: preprocessed channels on one clock, cut into training, validation and test parts.
//!
//! A [`Series`] is what a device is given: rows of samples, one a time step of the recording, in the precision of their file. The first
//! columns drive the input population, the others are targets of the output population.

mod error;
mod filter;
mod grid;
mod load;
mod reference;
mod resample;
mod run;
mod scale;
mod select;
mod settings;
mod split;
mod spool;
mod windows;

pub use error::SeriesError;
pub use filter::NOTCH_Q;
pub use grid::Grid;
pub use load::{Options, load, prepare};
pub use settings::{Channels, Files, MEMORY_LIMIT_MB, Reference, Scale, SeriesConfig};
pub use windows::{Presentation, RESIDENT_BYTES, WindowError, Windows};

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// How the device holds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 16-bit integers, little-endian.
    I16,
    /// Single precision, little-endian.
    F32,
}

impl Format {
    /// Bytes of a value.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::I16 => 2,
            Self::F32 => 4,
        }
    }
}

/// Where the rows are.
#[derive(Clone, Debug)]
enum Rows {
    /// In memory.
    Memory(Arc<Vec<u8>>),
    /// In a file of their own, which is gone when the last handle is: recordings larger than memory.
    File(Arc<Mutex<File>>),
}

/// One preprocessed recording: `rows` samples of `names.len()` channels, on one clock.
#[derive(Clone, Debug)]
pub struct Series {
    /// Names of the channels, in the order of the columns.
    pub names: Vec<String>,
    /// Simulated time from row to row, ms.
    pub step_ms: f64,
    /// Number of rows.
    pub rows: usize,
    /// How a value is held.
    pub format: Format,
    /// A held value d stands for the voltage `gain·d + offset` of the network; one a column.
    pub gain: Vec<f64>,
    /// As `gain`.
    pub offset: Vec<f64>,
    content: Rows,
}

impl Series {
    /// Rows in memory: `bytes` holds `rows × names.len()` values of `format`, row-major.
    ///
    /// # Errors
    /// The length of `bytes` that was expected, if it is another.
    pub fn in_memory(
        names: Vec<String>,
        step_ms: f64,
        format: Format,
        scale: (Vec<f64>, Vec<f64>),
        bytes: Vec<u8>,
    ) -> Result<Self, usize> {
        let width = names.len() * format.bytes();
        let rows = bytes.len() / width.max(1);
        if rows * width != bytes.len() || scale.0.len() != names.len() || scale.1.len() != names.len() {
            return Err(rows * width);
        }
        let content = Rows::Memory(Arc::new(bytes));
        Ok(Self { names, step_ms, rows, format, gain: scale.0, offset: scale.1, content })
    }

    /// Rows in a file, from its start.
    #[must_use]
    pub fn in_file(
        names: Vec<String>,
        step_ms: f64,
        rows: usize,
        format: Format,
        scale: (Vec<f64>, Vec<f64>),
        file: File,
    ) -> Self {
        let content = Rows::File(Arc::new(Mutex::new(file)));
        Self { names, step_ms, rows, format, gain: scale.0, offset: scale.1, content }
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.names.len()
    }

    /// Bytes of a row.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        self.cols() * self.format.bytes()
    }

    /// Appends rows as they are held.
    ///
    /// # Errors
    /// If the file cannot be read, or there are no such rows.
    pub fn read(&self, rows: Range<usize>, out: &mut Vec<u8>) -> std::io::Result<()> {
        let (from, to) = (rows.start * self.row_bytes(), rows.end * self.row_bytes());
        if rows.end > self.rows || rows.start > rows.end {
            let what = format!("rows {} to {} of a series of {} rows", rows.start, rows.end, self.rows);
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, what));
        }
        match &self.content {
            Rows::Memory(bytes) => out.extend_from_slice(&bytes[from..to]),
            Rows::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(from as u64))?;
                let at = out.len();
                out.resize(at + to - from, 0);
                file.read_exact(&mut out[at..])?;
            }
        }
        Ok(())
    }

    /// Rows as voltages, row-major.
    ///
    /// # Errors
    /// As [`Series::read`].
    pub fn values(&self, rows: Range<usize>) -> std::io::Result<Vec<f64>> {
        let mut bytes = Vec::with_capacity(rows.len() * self.row_bytes());
        self.read(rows, &mut bytes)?;
        let raw: Vec<f64> = match self.format {
            Format::I16 => {
                bytes.chunks_exact(2).map(|b| f64::from(i16::from_le_bytes([b[0], b[1]]))).collect()
            }
            Format::F32 => bytes
                .chunks_exact(4)
                .map(|b| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])))
                .collect(),
        };
        let cols = self.cols().max(1);
        Ok(raw.iter().enumerate().map(|(i, d)| self.gain[i % cols] * d + self.offset[i % cols]).collect())
    }
}

/// A contiguous stretch of one of the series of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which series.
    pub series: usize,
    /// Its rows.
    pub rows: Range<usize>,
}

/// Series with the same columns, clock and format, and the parts of them that are learned and tested.
#[derive(Clone, Debug)]
pub struct SeriesSet {
    /// All of the same columns, step and format; gain and offset are those of the first for all.
    pub series: Vec<Series>,
    /// The first so many columns drive the input population; the others are targets. 0 for pattern completion.
    pub inputs: usize,
    /// What is learned; contiguous blocks of time.
    pub train: Vec<Span>,
    /// Held out of the training part for choosing settings; may be empty.
    pub validation: Vec<Span>,
    /// Read once, at the end.
    pub test: Vec<Span>,
    /// Unit of what a voltage of the network stands for, and how much of it (`µV × 200`), for people.
    pub unit: String,
    /// Where the series came from, for people.
    pub description: String,
}

impl SeriesSet {
    /// Number of target columns.
    #[must_use]
    pub fn targets(&self) -> usize {
        self.series.first().map_or(0, Series::cols).saturating_sub(self.inputs)
    }
}
