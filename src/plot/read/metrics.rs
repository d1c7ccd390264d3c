//! What a learning curve needs of `metrics.jsonl`.

use std::path::Path;

use serde::Deserialize;

use super::super::learning::EpochPoint;
use super::super::{Learning, PlotError};

/// The fields that are drawn, of every kind of event; `null` and missing are the same.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    event: String,
    name: Option<String>,
    seed: Option<u64>,
    network: Option<String>,
    activation: Option<String>,
    rule: Option<String>,
    integrator: Option<String>,
    data: Option<String>,
    epoch: Option<f64>,
    done: Option<f64>,
    of: Option<f64>,
    loss: Option<f64>,
    r2: Option<f64>,
    train_accuracy: Option<f64>,
    validation_accuracy: Option<f64>,
    validation_loss: Option<f64>,
    validation_r2: Option<f64>,
    simulated_ms: Option<f64>,
    accuracy: Option<f64>,
    samples: Option<serde_json::Value>,
    methods: Option<Vec<Mean>>,
}

/// Means of a method over the free electrodes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Mean {
    method: String,
    r2: Option<f64>,
}

/// The events of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// To be drawn.
    pub learning: Learning,
    /// Name of the experiment; empty if the first event is missing.
    pub name: String,
    /// Seed of the run.
    pub seed: Option<u64>,
    /// Lines that are no events.
    pub torn: usize,
}

/// Reads `metrics.jsonl`; lines that are no events, such as a last one that was cut off, are counted and passed over.
///
/// # Errors
/// [`PlotError::Input`] if the file cannot be read.
pub fn metrics(path: &Path) -> Result<Metrics, PlotError> {
    let bytes = std::fs::read(path)
        .map_err(|error| PlotError::Input { path: path.into(), what: format!("cannot be read: {error}") })?;
    Ok(parse(&bytes))
}

/// As [`metrics`], from the bytes of the file.
#[must_use]
pub fn parse(bytes: &[u8]) -> Metrics {
    let mut all = Metrics { learning: empty(), ..Metrics::default() };
    for line in bytes.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        match serde_json::from_slice::<Line>(line) {
            Ok(line) => all.take(line),
            Err(_) => all.torn += 1,
        }
    }
    all
}

fn empty() -> Learning {
    let not = f64::NAN;
    Learning { epoch_s: not, test_accuracy: not, test_loss: not, test_r2: not, ..Learning::default() }
}

fn known(value: Option<f64>) -> f64 {
    value.unwrap_or(f64::NAN)
}

impl Metrics {
    fn take(&mut self, line: Line) {
        let run = &mut self.learning;
        match line.event.as_str() {
            "started" => self.begin(line),
            "batch" => {
                let share = known(line.done) / known(line.of);
                run.batches.push((known(line.epoch) - 1.0 + share, known(line.loss)));
            }
            "epoch" => {
                run.epochs.push(EpochPoint {
                    epoch: known(line.epoch),
                    loss: known(line.loss),
                    train_accuracy: known(line.train_accuracy),
                    validation_accuracy: known(line.validation_accuracy),
                    validation_loss: known(line.validation_loss),
                    validation_r2: known(line.validation_r2),
                });
                run.epoch_s = known(line.simulated_ms) / 1000.0 / known(line.epoch);
            }
            "tested" => {
                (run.test_accuracy, run.test_loss) = (known(line.accuracy), known(line.loss));
                let samples = line.samples.and_then(|n| n.as_u64()).map(crate::sinks::text::thousands);
                let accuracy = format!("test accuracy {:.2} %", 100.0 * run.test_accuracy);
                if run.test_accuracy.is_finite() {
                    run.about.push(samples.map_or(accuracy.clone(), |n| format!("{accuracy} ({n} samples)")));
                }
            }
            "fitted" => {
                run.test_loss = known(line.loss);
                run.test_r2 = known(line.r2);
            }
            "completed" => {
                let methods = line.methods.unwrap_or_default();
                let network = methods.into_iter().find(|mean| mean.method == "network");
                run.test_r2 = known(network.and_then(|mean| mean.r2));
                if run.test_r2.is_finite() {
                    let r2 = super::super::axis::minus(&format!("{:.3}", run.test_r2));
                    run.about.push(format!("mean R² of the free electrodes in the test part: {r2}"));
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, line: Line) {
        self.name = line.name.unwrap_or_default();
        self.seed = line.seed;
        let control = line.rule.as_deref() == Some("backprop") && !self.name.contains("backprop");
        let parts = [line.network, line.activation, line.integrator.filter(|_| !control), line.data];
        let about: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        self.learning.title = self.title("learning curve");
        self.learning.about = if about.is_empty() { Vec::new() } else { vec![about.join(" · ")] };
    }

    /// `name, seed 1: what`.
    #[must_use]
    pub fn title(&self, what: &str) -> String {
        let name = if self.name.is_empty() { "run" } else { &self.name };
        self.seed.map_or_else(|| format!("{name}: {what}"), |seed| format!("{name}, seed {seed}: {what}"))
    }
}
