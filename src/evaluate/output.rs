//! Files of predictions.

use std::fmt::Write as _;
use std::io::{self, Cursor};
use std::path::Path;

use npyz::WriterBuilder;
use npyz::npz::NpzWriter;

use super::argmax;
use crate::sinks::atomic;

/// A whole number of a prediction.
type Column = fn(&Prediction) -> i64;

/// The answer to one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Place in the set, from 0.
    pub index: usize,
    /// True class, where known.
    pub label: Option<u8>,
    /// Output voltages `[n_out]`.
    pub output: Vec<f64>,
}

/// Writes predictions as `.npz` or, if the path ends in `.csv`, as CSV: under another name first, then renamed, so that the name never
/// stands for half a file.
///
/// `.npz`: `index`, `label` (-1 where unknown), `predicted` (int64, `[samples]`), `output` (float64, `[samples, n_out]`). CSV: the columns
/// `index,label,predicted,output_0,…`, the label empty where unknown, outputs with all their digits.
///
/// # Errors
/// What the operating system says.
pub fn write_predictions(path: &Path, all: &[Prediction], n_out: usize) -> io::Result<()> {
    let csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    let bytes = if csv { table(all, n_out).into_bytes() } else { arrays(all, n_out)? };
    atomic::write(path, &bytes)
}

fn table(all: &[Prediction], n_out: usize) -> String {
    let mut text = String::from("index,label,predicted");
    for o in 0..n_out {
        let _ = write!(text, ",output_{o}");
    }
    text.push('\n');
    for p in all {
        let label = p.label.map_or_else(String::new, |l| l.to_string());
        let _ = write!(text, "{},{label},{}", p.index, argmax(&p.output));
        for v in &p.output {
            let _ = write!(text, ",{v}");
        }
        text.push('\n');
    }
    text
}

fn arrays(all: &[Prediction], n_out: usize) -> io::Result<Vec<u8>> {
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    let samples = all.len() as u64;
    let columns: [(&str, Column); 3] = [
        ("index", |p| p.index as i64),
        ("label", |p| p.label.map_or(-1, i64::from)),
        ("predicted", |p| argmax(&p.output) as i64),
    ];
    for (name, value) in columns {
        let array = npz.array::<i64>(name, Default::default())?;
        let mut array = array.default_dtype().shape(&[samples]).begin_nd()?;
        array.extend(all.iter().map(value))?;
        array.finish()?;
    }
    let array = npz.array::<f64>("output", Default::default())?;
    let mut array = array.default_dtype().shape(&[samples, n_out as u64]).begin_nd()?;
    array.extend(all.iter().flat_map(|p| p.output.iter().copied()))?;
    array.finish()?;
    Ok(npz.zip_writer().finish()?.into_inner())
}

/// The answer to one sample that has targets rather than a class.
#[derive(Clone, Debug, PartialEq)]
pub struct ValuePrediction {
    /// Place in the set, from 0.
    pub index: usize,
    /// Targets `[n_out]`, where known.
    pub target: Option<Vec<f32>>,
    /// Output voltages `[n_out]`.
    pub output: Vec<f64>,
}

/// Writes the answers of a regression as `.npz` or, if the path ends in `.csv`, as CSV; as [`write_predictions`].
///
/// `.npz`: `index` (int64, `[samples]`), `output` (float64, `[samples, n_out]`) and, where all are known, `target` (the same). CSV: the columns
/// `index,output_0,…` and, where known, `target_0,…`.
///
/// # Errors
/// What the operating system says.
pub fn write_values(path: &Path, all: &[ValuePrediction], n_out: usize) -> io::Result<()> {
    let known = all.iter().all(|p| p.target.is_some());
    let csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    let bytes =
        if csv { value_table(all, n_out, known).into_bytes() } else { value_arrays(all, n_out, known)? };
    atomic::write(path, &bytes)
}

fn value_table(all: &[ValuePrediction], n_out: usize, known: bool) -> String {
    let mut text = String::from("index");
    for name in ["output", "target"].iter().take(1 + usize::from(known)) {
        (0..n_out).for_each(|o| text.push_str(&format!(",{name}_{o}")));
    }
    text.push('\n');
    for p in all {
        let _ = write!(text, "{}", p.index);
        p.output.iter().for_each(|v| text.push_str(&format!(",{v}")));
        p.target.iter().flatten().filter(|_| known).for_each(|v| text.push_str(&format!(",{v}")));
        text.push('\n');
    }
    text
}

fn value_arrays(all: &[ValuePrediction], n_out: usize, known: bool) -> io::Result<Vec<u8>> {
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    let samples = all.len() as u64;
    let index = npz.array::<i64>("index", Default::default())?;
    let mut index = index.default_dtype().shape(&[samples]).begin_nd()?;
    index.extend(all.iter().map(|p| p.index as i64))?;
    index.finish()?;
    let outputs: Vec<f64> = all.iter().flat_map(|p| p.output.iter().copied()).collect();
    let targets: Vec<f64> =
        all.iter().flat_map(|p| p.target.iter().flatten().map(|&v| f64::from(v))).collect();
    for (name, values) in [("output", outputs), ("target", targets)].into_iter().take(1 + usize::from(known))
    {
        let array = npz.array::<f64>(name, Default::default())?;
        let mut array = array.default_dtype().shape(&[samples, n_out as u64]).begin_nd()?;
        array.extend(values)?;
        array.finish()?;
    }
    Ok(npz.zip_writer().finish()?.into_inner())
}
