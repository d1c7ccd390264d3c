//! The table of several runs that differ by their seed alone, with their control: accuracies, mean ± sd, paired differences.
//!
//! A group has a folder `DIR/<name>/<utc>-seeds/` with `config.toml`, `seeds.json` and `seeds.md`; its runs have run directories of
//! their own beside it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::text::{count, thousands};
use crate::train::Header;

/// What a complete run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedResult {
    /// Its run directory.
    pub directory: String,
    /// Share of right answers on the test set; of recordings, mean R² of the free electrodes, `None` where none of them moves.
    pub accuracy: Option<f64>,
    /// Mean cost on the test set; of recordings, of a row over the free electrodes.
    pub loss: f64,
    /// Test samples; of recordings, scored rows.
    pub samples: usize,
    /// Seconds of wall time.
    pub seconds: f64,
}

/// One seed: the run of the experiment, and its control.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeedRow {
    /// Seed of all random streams of both.
    pub seed: u64,
    /// The experiment; `None` = not run yet.
    pub run: Option<SeedResult>,
    /// Backprop of the same network, from the same initial values with the same mini-batches; `None` = not run (yet).
    pub control: Option<SeedResult>,
}

/// Mean and sample standard deviation (n − 1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Sample standard deviation; `None` of a single value.
    pub sd: Option<f64>,
}

impl Spread {
    /// Of some values; `None` of none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / n)?;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        Some(Self { mean, sd: (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt()) })
    }
}

/// Content of `seeds.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedTable {
    /// What all runs share: device, precision, integrator, dt, simulated time of a presentation, commit, data.
    pub about: String,
    /// Whether each seed has its control.
    pub controlled: bool,
    /// Whether results are R², of recordings or samples with targets, in place of shares of right answers.
    #[serde(default)]
    pub completion: bool,
    /// One a seed, in the order in which they run.
    pub rows: Vec<SeedRow>,
    /// Of the test accuracies of the runs that are complete.
    pub accuracy: Option<Spread>,
    /// Of those of the controls.
    pub control_accuracy: Option<Spread>,
    /// Of accuracy less that of the control of the same seed.
    pub difference: Option<Spread>,
}

impl SeedTable {
    /// Without results.
    #[must_use]
    pub fn new(seeds: &[u64], controlled: bool) -> Self {
        let rows = seeds.iter().map(|&seed| SeedRow { seed, ..SeedRow::default() }).collect();
        let (accuracy, control_accuracy, difference) = (None, None, None);
        let completion = false;
        Self { about: String::new(), controlled, completion, rows, accuracy, control_accuracy, difference }
    }

    /// Takes the means anew; to be called when a result was added.
    pub fn summarise(&mut self) {
        let of = |pick: &dyn Fn(&SeedRow) -> Option<f64>| {
            Spread::of(&self.rows.iter().filter_map(pick).collect::<Vec<f64>>())
        };
        self.accuracy = of(&|row| row.run.as_ref()?.accuracy);
        self.control_accuracy = of(&|row| row.control.as_ref()?.accuracy);
        self.difference = of(&difference);
    }

    /// Whether every run is complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.rows.iter().all(|row| row.run.is_some() && (row.control.is_some() || !self.controlled))
    }

    /// Header line and table in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let samples = self.rows.iter().find_map(|r| r.run.as_ref().or(r.control.as_ref())).map(|r| r.samples);
        let samples = samples.map_or_else(String::new, |n| format!("; {} test samples", thousands(n as u64)));
        let mut text = format!("{}{samples}\n\n", self.about);
        let (factor, digits) = self.scale();
        let [measure, control, points] = if self.completion {
            ["test R²", "backprop R²", "difference"]
        } else {
            ["test accuracy %", "backprop %", "difference, points"]
        };
        let mut titles = vec!["seed", measure, "loss", "seconds"];
        if self.controlled {
            titles.extend([control, "loss", "seconds", points]);
        }
        line(&mut text, &titles.iter().map(ToString::to_string).collect::<Vec<_>>());
        line(&mut text, &vec!["---".to_owned(); titles.len()]);
        for row in &self.rows {
            let mut cells = vec![row.seed.to_string()];
            cells.extend(self.result(row.run.as_ref()));
            if self.controlled {
                cells.extend(self.result(row.control.as_ref()));
                cells.push(difference(row).map_or_else(not_run, |d| format!("{:+.digits$}", factor * d)));
            }
            line(&mut text, &cells);
        }
        self.means(&mut text);
        text
    }

    /// Factor and digits of the measure: shares are in per cent.
    fn scale(&self) -> (f64, usize) {
        if self.completion { (1.0, 4) } else { (100.0, 2) }
    }

    fn result(&self, result: Option<&SeedResult>) -> [String; 3] {
        let (factor, digits) = self.scale();
        match result {
            None => [not_run(), not_run(), not_run()],
            Some(r) => [
                r.accuracy.map_or_else(undefined, |v| format!("{:.digits$}", factor * v)),
                format!("{:.5}", r.loss),
                format!("{:.0}", r.seconds),
            ],
        }
    }

    fn means(&self, text: &mut String) {
        let (factor, digits) = self.scale();
        let of = |pick: fn(&SeedRow) -> Option<&SeedResult>, value: &dyn Fn(&SeedResult) -> Option<f64>| {
            Spread::of(&self.rows.iter().filter_map(|r| pick(r).and_then(value)).collect::<Vec<f64>>())
        };
        let three = |pick: fn(&SeedRow) -> Option<&SeedResult>| {
            let none = if self.rows.iter().any(|r| pick(r).is_some()) { undefined } else { not_run };
            let cell = |s: Option<Spread>, digits| s.map_or_else(none, |s| spread(s, digits, false));
            [
                cell(of(pick, &|r| r.accuracy.map(|v| factor * v)), digits),
                cell(of(pick, &|r| Some(r.loss)), 5),
                cell(of(pick, &|r| Some(r.seconds)), 0),
            ]
        };
        let mut cells = vec!["mean ± sd".to_owned()];
        cells.extend(three(|r| r.run.as_ref()));
        if self.controlled {
            cells.extend(three(|r| r.control.as_ref()));
            let points =
                self.difference.map(|d| Spread { mean: factor * d.mean, sd: d.sd.map(|s| factor * s) });
            cells.push(points.map_or_else(not_run, |d| spread(d, digits, true)));
        }
        line(text, &cells);
    }
}

/// Header line of a table: what holds for all runs of it.
#[must_use]
pub fn about(h: &Header) -> String {
    let solver = if h.solver.is_empty() { String::new() } else { format!(" ({})", h.solver) };
    let steps = h.steps as f64;
    format!(
        "{}: {}, {}; {}, {}, {}; {}{solver}, τ = {} ms, dt = {} ms, {} ms a presentation; {}, batch {}; commit {}; {}",
        h.name,
        h.network,
        h.activation,
        h.device,
        h.driver,
        h.precision,
        h.integrator,
        h.tau_ms,
        h.dt_ms,
        (steps * h.dt_ms * 1e9).round() / 1e9,
        count(h.epochs, "epoch", "epochs"),
        h.batch,
        h.commit,
        h.data
    )
}

fn difference(row: &SeedRow) -> Option<f64> {
    Some(row.run.as_ref()?.accuracy? - row.control.as_ref()?.accuracy?)
}

fn undefined() -> String {
    "-".into()
}

fn not_run() -> String {
    "not run".to_owned()
}

fn spread(s: Spread, digits: usize, signed: bool) -> String {
    let mean = if signed { format!("{:+.digits$}", s.mean) } else { format!("{:.digits$}", s.mean) };
    s.sd.map_or_else(|| mean.clone(), |sd| format!("{mean} ± {sd:.digits$}"))
}

fn line(text: &mut String, cells: &[String]) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}
