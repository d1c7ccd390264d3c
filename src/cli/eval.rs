//! `eval`: accuracy and cost of given parameters on a data set.

use std::path::PathBuf;

use serde::Serialize;

use super::evaluate::{self, Opened, check_out, failed};
use super::{Failure, print};
use crate::data::DataError;
use crate::evaluate::{Regression, Report, Residuals, Tabulation, text};
use crate::sinks::atomic;
use crate::version;

/// Arguments of `eval`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: evaluate::Args,
    /// Prints JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// Writes the JSON to a file as well.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Evaluation {
    parameters: String,
    epoch: Option<u64>,
    network: String,
    activation: String,
    data: String,
    part: String,
    readout: &'static str,
    steps: Option<usize>,
    dt_ms: f64,
    tau_ms: f64,
    device: String,
    precision: &'static str,
    version: &'static str,
    commit: &'static str,
    indefinite: u64,
    unconverged: u64,
    score: Scored,
}

/// By what the answers are.
#[derive(Serialize)]
#[serde(untagged)]
enum Scored {
    Classes(Report),
    Values(Regression),
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(out) = &args.out {
        check_out(out, &[])?;
    }
    let mut opened = evaluate::open(&args.common, None)?;
    if let Some(out) = &args.out {
        check_out(out, &[&opened.file])?;
    }
    let report = score(&mut opened)?;
    opened.warn();
    let shown = match &report {
        Scored::Classes(report) => text::report(report),
        Scored::Values(score) => text::regression(score),
    };
    let json = json(&opened, report)?;
    if let Some(out) = &args.out {
        let written = atomic::write(out, json.as_bytes());
        written.map_err(|e| Failure::run(anyhow::anyhow!("{}: cannot be written: {e}", out.display())))?;
    }
    if args.json { print(&json) } else { print(&format!("{}{shown}", opened.header())) }
}

fn score(opened: &mut Opened) -> Result<Scored, Failure> {
    let e = &opened.experiment;
    let classes = e.network.n_out();
    let inputs = opened.images.inputs();
    if opened.is_regression() && opened.images.targets(0).is_some() {
        let mut sums = Residuals::new(classes);
        let add = |i, output: &[f64]| sums.add(opened.images.targets(i).unwrap_or_default(), output);
        opened.predictor.run(&inputs, add).map_err(failed)?;
        return Ok(Scored::Values(sums.score()));
    }
    let Some(labels) = opened.images.labels.clone() else {
        let what = if opened.is_regression() { "targets" } else { "labels" };
        return Err(Failure::usage(anyhow::anyhow!(
            "{}: no {what} to compare with; save them beside the inputs as array '{what}' of an .npz, or use predict",
            opened.images.description
        )));
    };
    if let Some(index) = labels.iter().position(|&label| usize::from(label) >= classes) {
        let from = opened.images.description.clone();
        return Err(Failure::usage(DataError::Label { from, index, label: labels[index], classes }));
    }
    let mut table = Tabulation::new(classes, e.data.encoding.label_table());
    opened.predictor.run(&inputs, |i, output| table.add(labels[i], output)).map_err(failed)?;
    Ok(Scored::Classes(table.score().into()))
}

fn json(opened: &Opened, score: Scored) -> Result<String, Failure> {
    let (e, trouble) = (&opened.experiment, opened.predictor.trouble());
    let all = Evaluation {
        parameters: opened.file.display().to_string(),
        epoch: opened.epoch(),
        network: e.network.sizes(),
        activation: e.network.activation.name().into(),
        data: opened.images.description.clone(),
        part: opened.part.clone(),
        readout: opened.readout(),
        steps: (opened.readout() == "trajectory").then_some(e.training.steps_per_sample),
        dt_ms: e.settings.dt_ms,
        tau_ms: e.settings.tau_ms,
        device: opened.device.name(),
        precision: opened.device.precision().name(),
        version: version::VERSION,
        commit: version::COMMIT,
        indefinite: trouble.indefinite,
        unconverged: trouble.unconverged,
        score,
    };
    let text = serde_json::to_string_pretty(&all).map_err(Failure::run)?;
    Ok(text + "\n")
}
