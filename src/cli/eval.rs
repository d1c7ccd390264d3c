//! `eval`: accuracy and cost of given parameters on a data set.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::evaluate::{self, Opened, check_out, failed};
use super::{Failure, print, recordings};
use crate::completion::Entry;
use crate::config::Experiment;
use crate::data::DataError;
use crate::engine::Device;
use crate::evaluate::{Regression, Report, Residuals, Tabulation, Trouble, text};
use crate::sinks::{atomic, text::completion};
use crate::train::CompletionScore;
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
    #[serde(skip_serializing_if = "String::is_empty")]
    tiles: String,
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
    Completion(Completion),
}

/// Of free electrodes.
#[derive(Serialize)]
struct Completion {
    #[serde(flatten)]
    means: CompletionScore,
    electrodes: Vec<Entry>,
}

/// What an evaluation is of.
struct About<'a> {
    e: &'a Experiment,
    file: &'a Path,
    epoch: Option<u64>,
    data: &'a str,
    part: &'a str,
    readout: (&'static str, Option<usize>),
    device: &'a Device,
    trouble: Trouble,
}

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(out) = &args.out {
        check_out(out, &[])?;
    }
    let begun = evaluate::begin(&args.common)?;
    if let Some(out) = &args.out {
        check_out(out, &[&begun.file])?;
    }
    let (json, shown) = if begun.is_series() { of_series(begun)? } else { of_samples(begun)? };
    if let Some(out) = &args.out {
        let written = atomic::write(out, json.as_bytes());
        written.map_err(|e| Failure::run(anyhow::anyhow!("{}: cannot be written: {e}", out.display())))?;
    }
    if args.json { print(&json) } else { print(&shown) }
}

/// JSON and text.
type Shown = (String, String);

fn of_samples(begun: evaluate::Begun<'_>) -> Result<Shown, Failure> {
    let mut opened = evaluate::open(begun, None)?;
    let report = score(&mut opened)?;
    opened.warn();
    let shown = match &report {
        Scored::Classes(report) => text::report(report),
        Scored::Values(score) => text::regression(score),
        Scored::Completion(score) => completion(&score.means),
    };
    let shown = opened.header() + &shown;
    let steps = (opened.readout() == "trajectory").then_some(opened.experiment.training.steps_per_sample);
    let about = About {
        e: &opened.experiment,
        file: &opened.file,
        epoch: opened.epoch(),
        data: &opened.images.description,
        part: &opened.part,
        readout: (opened.readout(), steps),
        device: &opened.device,
        trouble: opened.predictor.trouble(),
    };
    Ok((json(&about, report)?, shown))
}

fn of_series(begun: evaluate::Begun<'_>) -> Result<Shown, Failure> {
    let mut opened = recordings::open(begun, None)?;
    let (table, trouble) = opened.follow(|_| {})?;
    let means = CompletionScore::of(&table, None);
    let shown = opened.header() + &completion(&means);
    let about = About {
        e: &opened.experiment,
        file: &opened.file,
        epoch: evaluate::epoch(&opened.about),
        data: &opened.set.description,
        part: &opened.part,
        readout: ("trajectory", None),
        device: &opened.device,
        trouble,
    };
    let score = Scored::Completion(Completion { means, electrodes: table.rows });
    Ok((json(&about, score)?, shown))
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

fn json(about: &About<'_>, score: Scored) -> Result<String, Failure> {
    let e = about.e;
    let all = Evaluation {
        parameters: about.file.display().to_string(),
        epoch: about.epoch,
        network: e.network.sizes(),
        activation: e.network.activation.name().into(),
        data: about.data.into(),
        part: about.part.into(),
        readout: about.readout.0,
        steps: about.readout.1,
        dt_ms: e.settings.dt_ms,
        tau_ms: e.settings.tau_ms,
        device: about.device.name(),
        tiles: about.device.tiles(),
        precision: about.device.precision().name(),
        version: version::VERSION,
        commit: version::COMMIT,
        indefinite: about.trouble.indefinite,
        unconverged: about.trouble.unconverged,
        score,
    };
    let text = serde_json::to_string_pretty(&all).map_err(Failure::run)?;
    Ok(text + "\n")
}
