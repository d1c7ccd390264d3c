//! Text with a column per channel: CSV and TSV.
//!
//! The first row names the columns; a name may end in its unit (`A1 (uV)`). Columns are parted by commas, semicolons or tabs, whichever the
//! first row has most of. One column may be times, from which the rate follows; without one the rate has to be given. Numbers have a
//! decimal point; empty cells and `nan` are missing values, NaN. A file is checked as a whole when it is opened, and read in pieces after.

mod lines;
mod number;
mod times;

use std::ops::Range;

use lines::{Cells, Lines};
use number::number;
pub(super) use times::Times;

use super::labels::Labels;
use super::store::Store;
use super::stream::StoreReader;
use super::{Hints, Recording, RecordingError, Source, text};

/// Numbers of a block of rows that is parsed and kept at once.
const BLOCK: usize = 1 << 20;
/// Columns that are read at most.
const COLUMNS: usize = 1 << 16;

const HELP: &str =
    "add a column 'time' (in seconds) or 'time_ms', or set the rate yourself (data.rate-hz, or --rate-hz)";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Channel,
    Time,
    /// Numbers of rows, as some programs write.
    Index,
}

/// Opens a table.
///
/// # Errors
/// If the file is no UTF-8 text, a row has more or fewer cells than the first, a cell is no number, times do not have equal steps, or the rate
/// is not known. Line, column and text are named.
pub fn open(store: Store, hints: &Hints) -> Result<Recording, RecordingError> {
    let path = store.path().to_path_buf();
    let mut lines = Lines::new(StoreReader::new(store));
    let start = Start::read(&mut lines)?;
    let scan = start.scan(&mut lines)?;
    let store = lines.into_store();
    let (rate, mut notices) = match &start.times {
        Some(unit) => {
            let (rate, notice) = unit.rate(&scan.times).map_err(|(line, what)| store.error(line, what))?;
            (Some((rate, format!("column '{}'", start.names[unit.column]))), notice.into_iter().collect())
        }
        None => (None, Vec::new()),
    };
    notices.extend(start.notices);
    let labels = Labels { rate, names: Some((start.channels, "line 1".into())), units: start.units };
    let count = labels.names.as_ref().map_or(0, |(names, _)| names.len());
    let (channels, more) = labels.channels(&store, (count as u64, scan.rows), hints, HELP)?;
    notices.extend(more);
    let cells = Cells::new(start.delimiter);
    let source = Table {
        lines: Lines::new(StoreReader::new(store)),
        cells,
        columns: start.columns,
        channels: count,
        rows: scan.rows,
        blocks: scan.blocks,
        block_rows: start.block_rows,
        held: None,
        values: Vec::new(),
    };
    let mut recording = Recording::new(&path, "table", channels, Box::new(source));
    recording.notices = notices;
    Ok(recording)
}

/// What the first row tells.
struct Start {
    delimiter: u8,
    names: Vec<String>,
    columns: Vec<Column>,
    channels: Vec<String>,
    units: Vec<String>,
    times: Option<Times>,
    notices: Vec<String>,
    block_rows: u64,
    /// Byte and line of the first row of numbers.
    at: (u64, u64),
}

impl Start {
    fn read(lines: &mut Lines) -> Result<Self, RecordingError> {
        lines.skip_mark()?;
        let start = lines.at();
        if !lines.next()? {
            return Err(lines.wrong("line 1", "the file is empty"));
        }
        let delimiter = delimiter_of(lines.line());
        let mut cells = Cells::new(delimiter);
        cells.split(lines.line());
        if cells.len() > COLUMNS {
            let what = format!("{} columns; at most {COLUMNS} are read", cells.len());
            return Err(lines.wrong("line 1", what));
        }
        let mut names: Vec<String> =
            (0..cells.len()).map(|i| text::decode(cells.get(i)).0.trim().to_owned()).collect();
        if let Some(first) = names.first_mut() {
            // NumPy's savetxt marks the row of names as a comment.
            *first = first.trim_start_matches('#').trim_start().to_owned();
        }
        let mut notices = Vec::new();
        let mut at = lines.at();
        if only_numbers(&names) {
            notices.push(
                "the first row is numbers: it is taken as samples, and channels are named ch1, ch2, …"
                    .to_owned(),
            );
            names = (1..=names.len()).map(|i| format!("ch{i}")).collect();
            at = start;
        }
        let times = Times::find(&names).map_err(|what| lines.wrong("line 1", what))?;
        let time = times.as_ref().map(|times| times.column);
        let (mut columns, mut channels, mut units) = (Vec::new(), Vec::new(), Vec::new());
        for (i, name) in names.iter().enumerate() {
            columns.push(if Some(i) == time {
                Column::Time
            } else if i == 0 && name.is_empty() && names.len() > 1 {
                notices
                    .push("the first column has no name: it is taken as numbers of rows and left out".into());
                Column::Index
            } else {
                let (name, unit) = times::name_and_unit(name);
                channels.push(name.to_owned());
                units.push(unit.to_owned());
                Column::Channel
            });
        }
        let block_rows = (BLOCK / channels.len().max(1)).max(1) as u64;
        Ok(Self { delimiter, names, columns, channels, units, times, notices, block_rows, at })
    }

    /// Reads all rows once: every cell has to be a number, every row as long as the first.
    fn scan(&self, lines: &mut Lines) -> Result<Scan, RecordingError> {
        lines.seek(self.at)?;
        let mut cells = Cells::new(self.delimiter);
        let mut scan = Scan::default();
        let mut blank = None;
        loop {
            let at = lines.at();
            if !lines.next()? {
                return Ok(scan);
            }
            if lines.line().is_empty() {
                blank = blank.or(Some(at.1));
                continue;
            }
            if let Some(line) = blank {
                let what = "is blank, but rows follow; write nan for samples that are missing";
                return Err(lines.wrong(format!("line {line}"), what));
            }
            if scan.rows.is_multiple_of(self.block_rows) {
                scan.blocks.push(at);
            }
            cells.split(lines.line());
            let what = |(place, what): (Option<usize>, String)| {
                let column = place.map(|i| format!(", column {} ('{}')", i + 1, self.names[i]));
                lines.wrong(format!("line {}{}", at.1, column.unwrap_or_default()), what)
            };
            if let Some(time) = check(&cells, &self.columns).map_err(what)? {
                scan.times.push(time);
            }
            scan.rows += 1;
        }
    }
}

/// What reading all rows found.
#[derive(Default)]
struct Scan {
    rows: u64,
    /// Byte and line of the first row of each block.
    blocks: Vec<(u64, u64)>,
    times: Vec<f64>,
}

/// Whether the first row holds samples, not names: all cells are numbers, and not just 0, 1, 2, … or 1, 2, 3, …
fn only_numbers(names: &[String]) -> bool {
    let counts = |from: usize| names.iter().enumerate().all(|(i, name)| *name == (i + from).to_string());
    let plain = names.len() > 1 && (counts(0) || counts(1));
    !plain && names.iter().all(|name| name.parse::<f64>().is_ok())
}

/// What parts the cells of a line: whatever there is most of outside quotes.
fn delimiter_of(line: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for &byte in line {
        quoted ^= byte == b'"';
        counts.iter_mut().filter(|(d, _)| *d == byte && !quoted).for_each(|(_, n)| *n += 1);
    }
    // The first of those with as many.
    counts.iter().rev().max_by_key(|(_, n)| *n).map_or(b',', |(delimiter, _)| *delimiter)
}

/// Checks a row; its time, if it has one.
fn check(cells: &Cells, columns: &[Column]) -> Result<Option<f64>, (Option<usize>, String)> {
    if cells.len() != columns.len() {
        let what = format!("has {} cells, but line 1 has {}", cells.len(), columns.len());
        return Err((None, what));
    }
    let mut time = None;
    for (i, column) in columns.iter().enumerate() {
        if *column == Column::Index {
            continue;
        }
        let value = number(cells.get(i)).map_err(|what| (Some(i), what))?;
        if *column == Column::Time {
            if !value.is_finite() {
                return Err((Some(i), "there is no time".into()));
            }
            time = Some(value);
        }
    }
    Ok(time)
}

/// Rows of an open table.
struct Table {
    lines: Lines,
    cells: Cells,
    columns: Vec<Column>,
    channels: usize,
    rows: u64,
    blocks: Vec<(u64, u64)>,
    block_rows: u64,
    /// Which block `values` holds, row-major.
    held: Option<u64>,
    values: Vec<f64>,
}

impl Table {
    fn hold(&mut self, block: u64) -> Result<(), RecordingError> {
        if self.held == Some(block) {
            return Ok(());
        }
        self.held = None;
        self.values.clear();
        let Self { lines, cells, columns, values, .. } = self;
        let Some(&at) = self.blocks.get(block as usize) else { return Ok(()) };
        lines.seek(at)?;
        let rows = self.block_rows.min(self.rows - block * self.block_rows);
        for _ in 0..rows {
            let line = lines.at().1;
            let more = lines.next()?;
            cells.split(lines.line());
            if !more || check(cells, columns).is_err() {
                return Err(lines.wrong(format!("line {line}"), "has changed since the file was opened"));
            }
            let channels = columns.iter().enumerate().filter(|(_, column)| **column == Column::Channel);
            values.extend(channels.map(|(i, _)| number(cells.get(i)).unwrap_or(f64::NAN)));
        }
        self.held = Some(block);
        Ok(())
    }
}

impl Source for Table {
    fn read(&mut self, channel: usize, range: Range<u64>, out: &mut Vec<f64>) -> Result<(), RecordingError> {
        let mut at = range.start;
        while at < range.end {
            let block = at / self.block_rows;
            self.hold(block)?;
            let first = block * self.block_rows;
            let until = (first + self.block_rows).min(range.end);
            let rows = (at - first) as usize..(until - first) as usize;
            let values =
                self.values.get(rows.start * self.channels..rows.end * self.channels).unwrap_or_default();
            out.extend(values.iter().skip(channel).step_by(self.channels.max(1)));
            at = until;
        }
        Ok(())
    }
}
