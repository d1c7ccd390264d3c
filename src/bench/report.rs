//! Rows as a table, Markdown, JSON lines or CSV, one by one as they are done.

use std::fmt::Write as _;

use super::{COLUMNS, Row};
use crate::sinks::text::{count, thousands};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Columns for people.
    Table,
    /// The same as a Markdown table.
    Markdown,
    /// A JSON object a line, with all fields.
    Jsonl,
    /// RFC 4180, with all fields and their names in the first line.
    Csv,
}

impl Format {
    /// All of them, with the names they have on the command line.
    pub const NAMES: [(&'static str, Format); 4] = [
        ("table", Format::Table),
        ("markdown", Format::Markdown),
        ("jsonl", Format::Jsonl),
        ("csv", Format::Csv),
    ];

    /// Whether programs read it.
    #[must_use]
    pub fn is_for_programs(self) -> bool {
        matches!(self, Self::Jsonl | Self::Csv)
    }
}

/// A column for people.
type Column = (&'static str, fn(&Row) -> String);

/// Parameters that are shown only where cases differ in them.
const VARYING: [Column; 8] = [
    ("architecture", |r| r.architecture.clone()),
    ("activation", |r| r.activation.clone()),
    ("integrator", |r| r.integrator.clone()),
    ("device", |r| r.device.clone()),
    ("precision", |r| r.precision.clone()),
    ("threads", |r| r.threads.map_or_else(|| "-".into(), |n| n.to_string())),
    ("learn", |r| if r.learn { "on" } else { "off" }.into()),
    ("steps", |r| r.steps.to_string()),
];

/// Figures.
const FIGURES: [Column; 12] = [
    ("plan", |r| r.runs.clone()),
    ("ms/step", |r| short(r.step_ms)),
    ("+-%", |r| format!("{:.1}", 100.0 * r.spread)),
    ("steps/s", |r| rate(r.steps_per_s)),
    ("samples/s", |r| rate(r.samples_per_s)),
    ("neurons/s", |r| format!("{:.2e}", r.neuron_updates_per_s)),
    ("GFLOP/s", |r| short(r.gflops)),
    ("GB/s", |r| short(r.gb_per_s)),
    ("% of roof", |r| percent(r.share)),
    ("calls", |r| format!("{:.1}", r.calls_per_step)),
    ("iter.", |r| format!("{:.1}", r.iterations)),
    ("MiB", |r| short(r.engine_bytes as f64 / f64::from(1 << 20))),
];

/// The last columns, where there are adapters.
const ADAPTER: [Column; 2] = [("GPU busy %", |r| percent(r.busy_share)), ("tiles", |r| r.profile.clone())];

/// Three digits.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 => format!("{value:.2}"),
        v if v >= 0.01 => format!("{value:.4}"),
        _ => format!("{value:.1e}"),
    }
}

/// Sizes from input to output, four or more equal ones that follow each other as `sizexcount`.
fn brief(network: &str) -> String {
    let sizes: Vec<&str> = network.split('-').collect();
    let run = |run: &[&str]| match run.len() {
        0..=3 => run.join("-"),
        n => format!("{}x{n}", run[0]),
    };
    sizes.chunk_by(|a, b| a == b).map(run).collect::<Vec<_>>().join("-")
}

fn rate(per_s: f64) -> String {
    if per_s >= 100.0 { thousands(per_s.round() as u64) } else { short(per_s) }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".into(), |share| format!("{:.1}", 100.0 * share))
}

/// Writes rows in a format. The columns for people are chosen from all cases, before any of them ran.
#[derive(Clone, Debug)]
pub struct Report {
    format: Format,
    columns: Vec<(Column, usize)>,
    about: String,
}

impl Report {
    /// For these cases, without figures yet.
    #[must_use]
    pub fn new(format: Format, cases: &[Row]) -> Self {
        let differs = |column: &&Column| cases.iter().any(|row| (column.1)(row) != (column.1)(&cases[0]));
        let mut columns: Vec<Column> =
            vec![("network", |r| brief(&r.network)), ("batch", |r| r.batch.to_string())];
        columns.extend(VARYING.iter().filter(differs));
        columns.extend(FIGURES);
        if cases.iter().any(|row| row.kind == "gpu") {
            columns.extend(ADAPTER);
        }
        let width = |column: &Column| {
            let widest = cases.iter().map(|row| (column.1)(row).chars().count()).max().unwrap_or(0);
            widest.max(column.0.chars().count()).max(least(column.0))
        };
        let about = cases.first().map_or_else(String::new, |first| about(first, &differs));
        let columns = columns.into_iter().map(|column| (column, width(&column))).collect();
        Self { format, columns, about }
    }

    /// What comes first; nothing with JSON lines.
    #[must_use]
    pub fn head(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|(c, _)| c.0.to_owned()).collect();
        match self.format {
            Format::Table => format!("{}\n{}", self.about, self.aligned(&names)),
            Format::Markdown => {
                let dashes: Vec<String> = self.columns.iter().map(|_| "---:".to_owned()).collect();
                format!("{}\n\n{}{}", self.about, piped(&names), piped(&dashes))
            }
            Format::Jsonl => String::new(),
            Format::Csv => csv_line(COLUMNS.iter().map(|c| (*c).to_owned())),
        }
    }

    /// A row, ended.
    ///
    /// # Errors
    /// Never in fact: a row is numbers and texts.
    pub fn line(&self, row: &Row) -> serde_json::Result<String> {
        let shown = || self.columns.iter().map(|(column, _)| (column.1)(row)).collect::<Vec<_>>();
        Ok(match self.format {
            Format::Table => self.aligned(&shown()),
            Format::Markdown => piped(&shown()),
            Format::Jsonl => format!("{}\n", serde_json::to_string(row)?),
            Format::Csv => {
                let all = serde_json::to_value(row)?;
                csv_line(COLUMNS.iter().map(|column| match &all[*column] {
                    serde_json::Value::Null => String::new(),
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                }))
            }
        })
    }

    fn aligned(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for (i, (cell, (_, width))) in cells.iter().zip(&self.columns).enumerate() {
            // Names to the left, numbers to the right.
            let _ = if i == 0 { write!(line, "{cell:<width$}") } else { write!(line, "  {cell:>width$}") };
        }
        format!("{}\n", line.trim_end())
    }
}

/// Room for figures that are not known yet.
fn least(column: &str) -> usize {
    match column {
        "plan" | "tiles" => 8,
        "steps/s" | "samples/s" | "neurons/s" => 9,
        "calls" | "iter." => 5,
        "+-%" => 4,
        _ => 7,
    }
}

/// One line on what all cases have in common.
fn about(first: &Row, differs: &impl Fn(&&Column) -> bool) -> String {
    let mut parts = vec![format!("lagrange-gpu {} ({})", first.version, first.commit), first.date.clone()];
    let common = VARYING.iter().filter(|column| !differs(column));
    for (name, get) in common {
        let value = get(first);
        parts.push(match *name {
            "device" => format!("{value}, {}", first.driver),
            "precision" | "architecture" | "activation" | "integrator" => value,
            "threads" if value == "-" => continue,
            "threads" => first.threads.map_or_else(String::new, |n| count(n, "thread", "threads")),
            "steps" => format!("{value} steps of {} ms a presentation", first.dt_ms),
            _ => format!("{name} {value}"),
        });
    }
    parts.join("; ")
}

fn piped(cells: &[String]) -> String {
    format!("| {} |\n", cells.iter().map(|c| c.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
}

/// RFC 4180: quoted where it has to be.
fn csv_line(cells: impl Iterator<Item = String>) -> String {
    let quoted = |cell: String| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    };
    format!("{}\n", cells.map(quoted).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
#[path = "report/tests.rs"]
mod tests;
