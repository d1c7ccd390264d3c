//! The training part of recordings in windows, each a trajectory; batches of windows in pieces of bounded length.
//!
//! Mini-batch m of a pass over the spans takes the windows m, m + K, m + 2K, …, where K is the number of mini-batches of a pass: without
//! shuffling each trajectory follows one stretch of the recording from window to window, without a jump between them. A mini-batch is
//! submitted in pieces, in order, so that memory, checkpoints and progress do not depend on how long a window is.

use std::io;
use std::ops::Range;

use rand::seq::SliceRandom;

use super::{Format, Grid, Series, SeriesSet, Span};
use crate::data::MiniBatch;
use crate::random::{Purpose, stream};

/// Most time steps of a piece.
const PIECE_STEPS: usize = 1000;

/// Most bytes of a training part that the device holds as a whole; a longer one comes in pieces.
pub const RESIDENT_BYTES: usize = 64 << 20;

/// How windows are presented.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Presentation {
    /// Length of a window, ms; `None` = the shortest training span.
    pub window_ms: Option<f64>,
    /// Passes over the training spans in an epoch, at least 1.
    pub repetitions: usize,
    /// Draw the order of the windows anew for each pass; else it is that of time.
    pub shuffle: bool,
    /// Most bytes that the device holds at once of the training part; [`RESIDENT_BYTES`].
    pub resident_bytes: usize,
}

impl Presentation {
    /// Rows of a window of `set`, at least 0: as long as asked for, or as the shortest training span.
    fn rows(&self, set: &SeriesSet) -> usize {
        let step_ms = set.series.first().map_or(1.0, |s| s.step_ms);
        let shortest = set.train.iter().map(|span| span.rows.len().saturating_sub(1)).min().unwrap_or(0);
        self.window_ms.map_or(shortest, |ms| (ms / step_ms + 1e-6) as usize)
    }

    /// Share of the training part, from 0 to 1, behind the last whole window of its span: it is not presented.
    #[must_use]
    pub fn left_out(&self, set: &SeriesSet) -> f64 {
        let rows = self.rows(set).max(1);
        let lengths = || set.train.iter().map(|span| span.rows.len().saturating_sub(1));
        let (left, all): (usize, usize) = (lengths().map(|n| n % rows).sum(), lengths().sum());
        left as f64 / all.max(1) as f64
    }
}

impl Default for Presentation {
    fn default() -> Self {
        Self { window_ms: None, repetitions: 1, shuffle: false, resident_bytes: RESIDENT_BYTES }
    }
}

/// Why there is no window.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WindowError {
    /// The training part is too short.
    #[error(
        "a window of {window_ms} ms with time steps of {dt_ms} ms does not fit: the longest training span is {longest_ms} ms; take a shorter \
         window (training.window-ms) or a longer training part"
    )]
    Long {
        /// Length of a window; of the shortest span, where none was asked for.
        window_ms: f64,
        /// Time step.
        dt_ms: f64,
        /// Longest span.
        longest_ms: f64,
    },
    /// More rows than a 32-bit cursor reaches.
    #[error("{0} rows at once are more than a device can be pointed into; take a smaller batch")]
    Rows(usize),
}

/// A window: which series, its first row there, and where that row is on a device that holds all spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    series: usize,
    first: usize,
    held: usize,
}

/// All windows of a training part.
#[derive(Clone, Debug)]
pub struct Windows {
    series: Vec<Series>,
    spans: Vec<Span>,
    grid: Grid,
    places: Vec<Place>,
    /// Time steps of a window, and of a piece but the last.
    steps: usize,
    piece: usize,
    /// Rows of a trajectory on a device that does not hold all.
    slot: usize,
    batch: usize,
    repetitions: usize,
    shuffle: bool,
    resident: bool,
}

impl Windows {
    /// Cuts the training part of `set` for `batch` trajectories; what is left of a span after its last whole window is not presented.
    ///
    /// # Errors
    /// If no window fits, or there are too many rows.
    pub fn new(set: &SeriesSet, how: &Presentation, dt_ms: f64, batch: usize) -> Result<Self, WindowError> {
        let step_ms = set.series.first().map_or(1.0, |s| s.step_ms);
        let lengths = || set.train.iter().map(|span| span.rows.len().saturating_sub(1));
        let rows = how.rows(set);
        let grid = Grid::new(step_ms, dt_ms);
        let steps = grid.steps(rows);
        let (mut places, mut held) = (Vec::new(), 0);
        for span in set.train.iter().filter(|_| rows > 0) {
            let count = span.rows.len().saturating_sub(1) / rows;
            places.extend((0..count).map(|w| {
                let first = span.rows.start + w * rows;
                Place { series: span.series, first, held: held + w * rows }
            }));
            held += span.rows.len();
        }
        if steps == 0 || places.is_empty() {
            let window_ms = how.window_ms.unwrap_or(rows as f64 * step_ms);
            let longest_ms = lengths().max().unwrap_or(0) as f64 * step_ms;
            return Err(WindowError::Long { window_ms, dt_ms, longest_ms });
        }
        let row_bytes = set.series.first().map_or(0, Series::row_bytes);
        let piece = steps.min(PIECE_STEPS);
        let mut windows = Self {
            series: set.series.clone(),
            spans: set.train.clone(),
            grid,
            places,
            steps,
            piece,
            slot: 0,
            batch,
            repetitions: how.repetitions.max(1),
            shuffle: how.shuffle,
            resident: held.saturating_mul(row_bytes) <= how.resident_bytes,
        };
        let slots = (0..windows.pieces()).map(|p| windows.rows_of(p).len());
        windows.slot = slots.max().unwrap_or(0);
        match u32::try_from(windows.device_rows()) {
            Ok(_) => Ok(windows),
            Err(_) => Err(WindowError::Rows(windows.device_rows())),
        }
    }

    /// Rows that the device holds at a time.
    #[must_use]
    pub fn device_rows(&self) -> usize {
        if self.resident { self.spans.iter().map(|s| s.rows.len()).sum() } else { self.batch * self.slot }
    }

    /// All rows, to be uploaded once, if the device is to hold them.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn resident(&self) -> io::Result<Option<Vec<u8>>> {
        if !self.resident {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        for span in &self.spans {
            self.series[span.series].read(span.rows.clone(), &mut bytes)?;
        }
        Ok(Some(bytes))
    }

    /// How values are held.
    #[must_use]
    pub fn format(&self) -> Format {
        self.series.first().map_or(Format::F32, |s| s.format)
    }

    /// Number of windows.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Time steps of a window.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Pieces of a window.
    fn pieces(&self) -> usize {
        self.steps.div_ceil(self.piece)
    }

    /// Mini-batches of a pass.
    fn groups(&self) -> usize {
        self.places.len().div_ceil(self.batch)
    }

    /// Pieces of mini-batches in an epoch: what is submitted at once.
    #[must_use]
    pub fn mini_batches(&self) -> usize {
        self.repetitions * self.groups() * self.pieces()
    }

    /// Time steps of the trajectories of an epoch, all together.
    #[must_use]
    pub fn trajectory_steps(&self) -> usize {
        self.repetitions * self.places.len() * self.steps
    }

    /// Time steps of the device in the first `pieces` pieces of an epoch.
    #[must_use]
    pub fn steps_before(&self, pieces: usize) -> u64 {
        let (windows, piece) = (pieces / self.pieces(), pieces % self.pieces());
        windows as u64 * self.steps as u64 + (piece * self.piece) as u64
    }

    /// The steps `from + 1..=to` of its windows that piece number `index` of an epoch takes.
    #[must_use]
    pub fn steps_of(&self, index: usize) -> Range<usize> {
        let from = index % self.pieces() * self.piece;
        from..(from + self.piece).min(self.steps)
    }

    /// Time steps on the rows.
    #[must_use]
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// Rows of a window that a piece reads.
    fn rows_of(&self, piece: usize) -> Range<usize> {
        let steps = self.steps_of(piece);
        self.grid.rows(steps.start, steps.end)
    }

    /// The order of the windows in a pass of an epoch.
    fn order(&self, seed: u64, epoch: u64, pass: usize) -> Vec<u32> {
        // As many as rows at most, which fit 32 bits.
        let mut order: Vec<u32> = (0_u32..).take(self.places.len()).collect();
        if self.shuffle {
            order.shuffle(&mut stream(seed, Purpose::Shuffle, epoch, pass as u64));
        }
        order
    }

    /// Fills `item` with piece number `index` of an epoch.
    fn gather(&self, index: usize, order: &[u32], item: &mut MiniBatch) -> io::Result<()> {
        item.clear();
        let group = index / self.pieces() % self.groups();
        let (rows, steps) = (self.rows_of(index % self.pieces()), self.steps_of(index));
        item.steps = steps;
        let windows = (0..self.batch).map(|b| b * self.groups() + group);
        item.indices.extend(windows.map_while(|w| order.get(w).copied()));
        item.count = item.indices.len();
        for b in 0..item.count {
            let place = self.places[item.indices[b] as usize];
            let series = &self.series[place.series];
            let cursor = if self.resident { place.held + rows.start } else { b * self.slot };
            item.cursors.extend((cursor as u32).to_le_bytes());
            if !self.resident {
                series.read(place.first + rows.start..place.first + rows.end, &mut item.rows)?;
                item.rows.resize((b + 1) * self.slot * series.row_bytes(), 0);
            }
        }
        let row_bytes = self.series.first().map_or(0, Series::row_bytes);
        item.cursors.resize(4 * self.batch, 0);
        item.rows.resize(if self.resident { 0 } else { self.device_rows() * row_bytes }, 0);
        item.active.resize(item.count, 1.0);
        item.active.resize(self.batch, 0.0);
        Ok(())
    }

    /// Assembles the pieces of `epoch` from number `from` on, in order.
    pub(in crate::data) fn assembler(
        self,
        seed: u64,
        epoch: u64,
        from: usize,
    ) -> impl FnMut(usize, &mut MiniBatch) -> io::Result<()> + Send {
        let mut drawn: Option<(usize, Vec<u32>)> = None;
        move |i, item| {
            let index = from + i;
            let pass = index / (self.groups() * self.pieces());
            if drawn.as_ref().is_none_or(|(of, _)| *of != pass) {
                drawn = Some((pass, self.order(seed, epoch, pass)));
            }
            let order = drawn.as_ref().map_or(&[][..], |(_, order)| order);
            self.gather(index, order, item)
        }
    }
}
