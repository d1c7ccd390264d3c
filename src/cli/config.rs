//! `config check` and `config show`.

use super::{ExperimentArgs, Failure, print};
use crate::config::{DataSource, Experiment};
use crate::dynamics::{Features, Model};
use crate::train::Tables;

/// `lagrange-gpu config …`
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Reads an experiment and says whether it can be run.
    Check(Check),
    /// Prints the experiment with every default written out.
    Show(Show),
}

/// Arguments of `config check`.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    experiment: ExperimentArgs,
}

/// Arguments of `config show`.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Prints the plan of kernel calls instead.
    #[arg(long)]
    plan: bool,
}

/// Loads an experiment with the flags that stand for keys of it.
pub(super) fn load(
    args: &ExperimentArgs,
    flags: &[(&str, &str, Option<String>)],
) -> Result<Experiment, Failure> {
    let overrides = args.overrides(flags)?;
    let source = args.source()?;
    Experiment::load(&source, &overrides).map_err(Failure::usage)
}

/// The model that an experiment trains. (Data are not read: of arrays, those of numbers.)
pub(super) fn model(e: &Experiment) -> Result<Model, Failure> {
    let in_unit_range = Tables::from(e.data.encoding).in_unit_range();
    let features = match e.data.source {
        DataSource::Arrays(_) => Features::values(false),
        _ => Features::training(in_unit_range),
    };
    Model::new(e.network.clone(), e.settings, e.training.batch, features).map_err(Failure::usage)
}

/// Runs the subcommand.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check(args) => {
            let e = load(&args.experiment, &[])?;
            let model = model(&e)?;
            let solver = model.solver.map_or("none", crate::dynamics::Solver::name);
            print(&format!(
                "{}: fine\n  network {} ({} weights), {}, integrator {}, solver {}\n",
                e.source,
                e.network.sizes(),
                e.network.weights(),
                e.network.activation.name(),
                e.settings.describe(&e.network),
                solver
            ))
        }
        Command::Show(args) => {
            let e = load(&args.experiment, &[])?;
            if args.plan {
                return print(&model(&e)?.program.describe());
            }
            print(&format!("# {}\n{}", e.source, e.to_toml()))
        }
    }
}
