//! Files of predictions at every row of recordings.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use npyz::WriterBuilder;
use npyz::npz::NpzWriter;

use crate::data::series::{SeriesSet, Span};
use crate::sinks::atomic;

/// Rows that are read and written at a time.
const CHUNK: usize = 4096;

/// Output voltages at every row of some spans, `[rows, targets]`, the spans one after another; in single precision, as hour-long recordings
/// have many.
#[derive(Clone, Debug, PartialEq)]
pub struct RowPredictions {
    spans: Vec<Span>,
    /// Place of the first row of each span.
    starts: Vec<usize>,
    free: Vec<usize>,
    outputs: Vec<f32>,
}

impl RowPredictions {
    /// For some spans of a set; `free` are the target columns that are predicted.
    #[must_use]
    pub fn new(set: &SeriesSet, spans: Vec<Span>, free: &[usize]) -> Self {
        let mut rows = 0;
        let next = |span: &Span| {
            rows += span.rows.len();
            rows - span.rows.len()
        };
        let starts = spans.iter().map(next).collect();
        let outputs = vec![f32::NAN; rows * set.targets()];
        Self { spans, starts, free: free.to_vec(), outputs }
    }

    /// The outputs at a row of a span; both count from 0.
    pub fn add(&mut self, span: usize, row: usize, outputs: &[f64]) {
        let at = (self.starts[span] + row) * outputs.len();
        for (to, &v) in self.outputs[at..].iter_mut().zip(outputs) {
            *to = v as f32;
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.spans.iter().map(|span| span.rows.len()).sum()
    }

    /// Number and row of the recording of every row, in order.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        self.spans
            .iter()
            .enumerate()
            .flat_map(|(number, span)| span.rows.clone().map(move |row| (number, row)))
    }

    /// What was recorded, `[rows, targets]` of a few rows at a time.
    fn truth<'a>(&'a self, set: &'a SeriesSet) -> impl Iterator<Item = io::Result<Vec<f64>>> + 'a {
        self.spans.iter().flat_map(move |span| {
            let parts = span.rows.clone().step_by(CHUNK);
            parts.map(move |from| {
                let all = set.series[span.series].values(from..span.rows.end.min(from + CHUNK))?;
                let cols = set.inputs + set.targets();
                Ok(all.chunks_exact(cols).flat_map(|row| row[set.inputs..].iter().copied()).collect())
            })
        })
    }
}

/// Writes predictions as `.npz` or, if the path ends in `.csv`, as CSV; the name never stands for half a file.
///
/// `.npz`: `span` (int64) and `time_ms` (float64, simulated time since the start of the recording), `[rows]`; `truth` and `output` (float32,
/// `[rows, targets]`, voltages of the network); `free` (int64), places of the targets that were not nudged. CSV: the columns
/// `span,time_ms,truth_NAME,…,output_NAME,…`.
///
/// # Errors
/// What the operating system says.
pub fn write_rows(path: &Path, set: &SeriesSet, all: &RowPredictions) -> io::Result<()> {
    let csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    atomic::write_with(path, |file| if csv { table(file, set, all) } else { arrays(file, set, all) })
}

fn step_ms(set: &SeriesSet) -> f64 {
    set.series.first().map_or(1.0, |series| series.step_ms)
}

fn table(file: &mut BufWriter<File>, set: &SeriesSet, all: &RowPredictions) -> io::Result<()> {
    let names = set.series.first().map_or(&[][..], |series| &series.names[set.inputs..]);
    write!(file, "span,time_ms")?;
    for what in ["truth", "output"] {
        for name in names {
            let plain = !name.contains(['"', ',', '\n', '\r']);
            let name = if plain { name.clone() } else { name.replace('"', "\"\"") };
            let quote = if plain { "" } else { "\"" };
            write!(file, ",{quote}{what}_{name}{quote}")?;
        }
    }
    writeln!(file)?;
    let targets = set.targets().max(1);
    let mut rows = all.places().zip(all.outputs.chunks_exact(targets));
    for truth in all.truth(set) {
        for (truth, ((span, row), output)) in truth?.chunks_exact(targets).zip(&mut rows) {
            write!(file, "{span},{}", row as f64 * step_ms(set))?;
            truth.iter().try_for_each(|v| write!(file, ",{}", *v as f32))?;
            output.iter().try_for_each(|v| write!(file, ",{v}"))?;
            writeln!(file)?;
        }
    }
    Ok(())
}

fn arrays(file: &mut BufWriter<File>, set: &SeriesSet, all: &RowPredictions) -> io::Result<()> {
    let mut npz = NpzWriter::new(file);
    let (rows, targets) = (all.rows() as u64, set.targets() as u64);
    let large = || npyz::zip::write::FileOptions::default().large_file(rows * targets * 4 >= 0xf000_0000);
    let mut array = npz.array::<i64>("span", large())?.default_dtype().shape(&[rows]).begin_nd()?;
    array.extend(all.places().map(|(span, _)| span as i64))?;
    array.finish()?;
    let mut array = npz.array::<f64>("time_ms", large())?.default_dtype().shape(&[rows]).begin_nd()?;
    array.extend(all.places().map(|(_, row)| row as f64 * step_ms(set)))?;
    array.finish()?;
    let mut array = npz.array::<f32>("truth", large())?.default_dtype().shape(&[rows, targets]).begin_nd()?;
    for part in all.truth(set) {
        array.extend(part?.into_iter().map(|v| v as f32))?;
    }
    array.finish()?;
    let mut array =
        npz.array::<f32>("output", large())?.default_dtype().shape(&[rows, targets]).begin_nd()?;
    array.extend(all.outputs.iter().copied())?;
    array.finish()?;
    let free = [all.free.len() as u64];
    let mut array = npz.array::<i64>("free", large())?.default_dtype().shape(&free).begin_nd()?;
    array.extend(all.free.iter().map(|&c| c as i64))?;
    array.finish()?;
    npz.zip_writer().finish()?;
    Ok(())
}
