//! What the pictures of a pattern completion need of `completion.npz` and `completion.json`.

use std::path::Path;

use serde::Deserialize;

use super::super::scores::Method;
use super::super::traces::Trace;
use super::super::{PlotError, Scores, Traces};
use crate::data::npz::{Array, NpzError, NpzFile};

/// Content of `completion.json`, as far as it is drawn.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Table {
    /// All target electrodes.
    pub channels: Vec<String>,
    /// Those that are predicted.
    pub free: Vec<String>,
    /// What a voltage of 1 stands for.
    pub unit: String,
    /// Scores, one a method and electrode.
    pub rows: Vec<Row>,
}

/// One method on one free electrode.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Row {
    /// How it was predicted.
    pub method: String,
    /// Name of the electrode.
    pub channel: String,
    /// Coefficient of determination; `None` = not defined.
    pub r2: Option<f64>,
}

impl Table {
    /// R² of a method on an electrode; NaN = not known.
    #[must_use]
    pub fn r2(&self, method: &str, channel: &str) -> f64 {
        let row = self.rows.iter().find(|row| row.method == method && row.channel == channel);
        row.and_then(|row| row.r2).unwrap_or(f64::NAN)
    }

    /// The methods in the order of the file, each with all free electrodes.
    #[must_use]
    pub fn scores(&self) -> Scores {
        let mut names: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !names.contains(&row.method.as_str()) {
                names.push(&row.method);
            }
        }
        let r2 = |method: &str| self.free.iter().map(|channel| self.r2(method, channel)).collect();
        let methods = names.iter().map(|name| Method { name: (*name).into(), r2: r2(name) }).collect();
        Scores { electrodes: self.free.clone(), methods, ..Scores::default() }
    }
}

/// Reads `completion.json`.
///
/// # Errors
/// [`PlotError::Input`].
pub fn table(path: &Path) -> Result<Table, PlotError> {
    let wrong = |what: String| PlotError::Input { path: path.into(), what };
    let bytes = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        wrong(format!("is not the table of a pattern completion ({error}); take that of a complete run"))
    })
}

/// Reads `completion.npz`: `time_ms` `[T]`, `truth`, `before` and `after` `[T, C]`, `free` `[F]`, the places of the free electrodes among the
/// C. Names, unit and scores are those of `table`, if there is one.
///
/// # Errors
/// [`PlotError::Input`]: an array is missing, damaged or of another shape, or `free` holds no places.
pub fn traces(path: &Path, table: Option<&Table>) -> Result<Traces, PlotError> {
    let bad = |error: NpzError| PlotError::Input {
        path: path.into(),
        // The error names the file itself.
        what: error.to_string().trim_start_matches(&format!("{}: ", path.display())).to_owned(),
    };
    let mut file = NpzFile::open(path).map_err(bad)?;
    let time = file.read_shaped("time_ms", &[None]).map_err(bad)?.data;
    let steps = Some(time.len());
    let truth = file.read_shaped("truth", &[steps, None]).map_err(bad)?;
    let shape = [steps, Some(truth.shape[1])];
    let mut optional = |name| match file.contains(name) {
        true => file.read_shaped(name, &shape).map(Some).map_err(bad),
        false => Ok(None),
    };
    let (before, after) = (optional("before")?, optional("after")?);
    let free = file.read_shaped("free", &[None]).map_err(bad)?.data;
    let columns = truth.shape[1];
    let mut rows = Vec::with_capacity(free.len());
    for &at in &free {
        if at.fract() != 0.0 || !(0.0..columns as f64).contains(&at) {
            let what = format!("array 'free' holds {at}, which is no index below {columns}");
            return Err(PlotError::Input { path: path.into(), what });
        }
        let c = at as usize;
        let column =
            |array: &Array| array.data.iter().skip(c).step_by(columns).copied().collect::<Vec<f64>>();
        let of = |array: &Option<Array>| array.as_ref().map(column).unwrap_or_default();
        let known = table.and_then(|table| table.channels.get(c).cloned());
        let name = known.unwrap_or_else(|| format!("channel {c}"));
        let r2 = table.map_or(f64::NAN, |table| table.r2("network", &name));
        rows.push(Trace { name, truth: column(&truth), before: of(&before), after: of(&after), r2 });
    }
    let unit = table.map(|table| table.unit.clone()).unwrap_or_default();
    Ok(Traces { time_ms: time, rows, unit, ..Traces::default() })
}
