//! The subcommands of `lagrange-gpu`.
//!
//! Exit codes: 0 done, 1 the run failed, 2 usage or configuration, 3 no suitable device, 130, 143 or 129 (Ctrl-C, SIGTERM,
//! a hang-up) interrupted after saving.

mod bench;
mod config;
mod data;
mod dataset;
mod device;
mod devices;
mod eval;
mod evaluate;
mod failure;
mod interrupt;
mod plot;
mod predict;
mod recordings;
mod simulate;
mod tiles;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use failure::Failure;

use crate::config::{Overrides, Purpose, Source, find, idle};
use crate::dynamics::Settings;

/// Trains neuronal least-action networks (Senn et al., eLife 2024) on any GPU, or on the CPU.
#[derive(Debug, Parser)]
#[command(name = "lagrange-gpu", version = crate::version::LONG, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Trains a network and leaves a run directory.
    Train(train::Args),
    /// Scores a trained network on a data set.
    Eval(eval::Args),
    /// Writes the answer of a trained network to every sample.
    Predict(predict::Args),
    /// Integrates a given network on a given stimulus and writes the trajectories.
    Simulate(simulate::Args),
    /// Draws the pictures of a run: learning curve, confusion matrix, receptive fields, traces.
    Plot(plot::Args),
    /// Measures the speed of time steps: networks, batches, plans, devices.
    Bench(Box<bench::Args>),
    /// Lists the devices that can be chosen with --device.
    Devices(devices::Args),
    /// Checks or shows an experiment file.
    #[command(subcommand)]
    Config(config::Command),
    /// Lists or downloads data sets.
    #[command(subcommand)]
    Data(data::Command),
}

/// Options that name an experiment and change it.
#[derive(Debug, clap::Args)]
struct ExperimentArgs {
    /// Experiment file (TOML), or the name of a built-in experiment such as mnist.toml.
    #[arg(long, short, value_name = "FILE")]
    config: Option<String>,
    /// Overrides a key of the file; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

impl ExperimentArgs {
    /// The file or built-in experiment that is meant.
    fn source(&self) -> Result<Source, Failure> {
        let file = self.config.as_deref().ok_or_else(|| {
            Failure::usage(anyhow::anyhow!(
                "no experiment is given: name a file, or a built-in experiment such as mnist.toml, with --config FILE; see --help"
            ))
        })?;
        find(file).map_err(Failure::usage)
    }

    /// All overrides: those of `--set`, then the flags that were given, which win. They are checked as the file is, and before
    /// it is resolved: other keys depend on them.
    fn overrides(&self, flags: &[(&str, &str, Option<String>)]) -> Result<Overrides, Failure> {
        let mut overrides = Overrides::parse(&self.overrides).map_err(Failure::usage)?;
        for (flag, key, value) in flags {
            if let Some(value) = value {
                overrides.flag(flag, key, value);
            }
        }
        Ok(overrides)
    }
}

/// Says which keys that were set on the command line change nothing.
fn warn_of_idle(args: &ExperimentArgs, settings: &Settings, purpose: Purpose) {
    for set in &args.overrides {
        let key = set.split('=').next().unwrap_or_default().trim();
        if let Some(why) = idle(key, settings, purpose) {
            say(&format!("warning: --set {set} changes nothing: {why}"));
        }
    }
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Train(args) => train::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Plot(args) => plot::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Config(command) => config::run(&command),
        Command::Data(command) => data::run(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code())
        }
    }
}

/// A line on standard error, where progress goes too.
fn say(text: &str) {
    use std::io::Write;
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints to standard output; a closed pipe ends the program quietly instead of with a panic.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::run(error)),
        Ok(()) => Ok(()),
    }
}
