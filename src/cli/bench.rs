//! `bench`: speed of time steps, case by case.

mod cases;
mod lists;
mod output;
mod run;

use std::path::PathBuf;

use super::interrupt::Interrupt;
use super::{ExperimentArgs, Failure};
use crate::bench::Effort;
use crate::tune::Tuner;

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = ABOUT)]
pub(super) struct Args {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Networks by their layer sizes from input to output; 0-… has no input, and its targets move in each step. Default: 784-500-10,784-300-100-10.
    #[arg(long, short, value_name = "LIST", conflicts_with = "config")]
    networks: Option<String>,
    /// Architectures, such as layered-feedforward (default), layered-recurrent, fully-recurrent.
    #[arg(long, value_name = "LIST", conflicts_with = "config")]
    architecture: Option<String>,
    /// Activations, such as hard-sigmoid (default), sigmoid.
    #[arg(long, value_name = "LIST", conflicts_with = "config")]
    activation: Option<String>,
    /// Trajectories side by side. Default: 1,32,128.
    #[arg(long, short, value_name = "LIST")]
    batch: Option<String>,
    /// Integrators, such as exact (default), equilibrium.
    #[arg(long, value_name = "LIST")]
    integrator: Option<String>,
    /// Devices: auto (default), cpu, gpu, indices or parts of names (see `lagrange-gpu devices`).
    #[arg(long, value_name = "LIST")]
    device: Option<String>,
    /// Tiles of matrix products on adapters: auto (the fastest for the case, measured once and remembered; default on hardware), class (default of
    /// the adapter's class), software, small, large.
    #[arg(long, value_name = "LIST", conflicts_with = "no_autotune")]
    tiles: Option<String>,
    /// As --tiles class.
    #[arg(long)]
    no_autotune: bool,
    /// f32 (default), f64 (CPU only).
    #[arg(long, value_name = "LIST")]
    precision: Option<String>,
    /// Time steps of a presentation. Default: 100.
    #[arg(long, value_name = "LIST")]
    steps: Option<String>,
    /// Threads of the processor. Default: all.
    #[arg(long, value_name = "LIST")]
    threads: Option<String>,
    /// Plans where there is a choice: auto (default, what `train` takes), resident (weights of the input), plain (call by call).
    #[arg(long, value_name = "LIST")]
    plan: Option<String>,
    /// Plasticity: on (default), off.
    #[arg(long, value_name = "LIST")]
    learn: Option<String>,
    /// Time step dt in ms.
    #[arg(long, value_name = "MS", default_value_t = 1.0, conflicts_with = "config")]
    dt_ms: f64,
    /// Relative residual of the solver.
    #[arg(long, default_value_t = 1e-5, conflicts_with = "config")]
    tolerance: f64,
    /// Repetitions of each case, of which the median counts.
    #[arg(long, short, value_name = "N", default_value_t = 5)]
    repetitions: usize,
    /// Shortest time of a repetition: short presentations are repeated within it.
    #[arg(long, value_name = "MS", default_value_t = 100.0)]
    least_ms: f64,
    /// Shortest time of the warm-up of each case.
    #[arg(long, value_name = "MS", default_value_t = 200.0)]
    warm_up_ms: f64,
    /// Leaves out copy bandwidth and large products of the device, and with them the share of the roofline.
    #[arg(long)]
    no_ceilings: bool,
    /// table, markdown, jsonl or csv; the last two have all fields, with version, commit, device and driver in every row.
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    output: String,
    /// Rows are added to this file in the format of --output, each as it is done; a table goes to standard output.
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,
    /// Prints ratios against an earlier run, from its JSON lines.
    #[arg(long, value_name = "FILE.jsonl")]
    compare: Option<PathBuf>,
    /// Cost against batch, width, depth, steps, neurons, or all of these, over two decades, with fits.
    #[arg(long, value_name = "LIST", conflicts_with = "config")]
    scaling: Option<String>,
    /// Values of the one quantity of --scaling, in place of two decades.
    #[arg(long, value_name = "LIST", requires = "scaling")]
    values: Option<String>,
    /// Draws the curves of --scaling into this folder, as SVG.
    #[arg(long, value_name = "FOLDER", requires = "scaling")]
    plots: Option<PathBuf>,
}

const ABOUT: &str = "\
Every combination of the lists is a case. Of each case whole presentations are measured, uploads included: the warm-up first, then the
repetitions. Standard output has their median, and half the distance of the quartiles in per cent of it.

  network    layer sizes from input to output; 50x4: four layers of 50
  plan       what ran: plain, resident (weights of the input) or whole (steps of a small network as a whole)
  neurons/s  neurons updated a second, of all trajectories
  GFLOP/s    multiply-adds of products, twice each, of the calls that ran
  GB/s       operands of these calls, each read or written once a call
  % of roof  of the speed that the fastest large product and a copy of what a step touches allow on the same device; above 100 % where
             operands stay in registers or a faster cache between calls, or where what large batches learn is multiplied in tiles of
             bfloat16: the ceiling is of f32 products
  calls      kernel calls (CPU) or dispatches (GPU) a step; iter.: solver iterations a step
  MiB        buffers of the engine; machine-readable formats also have the largest resident size of the process
  tiles      how products were tiled on an adapter; with auto that is measured before the case
  GPU busy   share of the time in which the adapter was busy, by its own clock

Nothing else should run meanwhile. Two Ctrl-C end a case that takes long; one lets its presentation end, and keeps all rows. To repeat figures
of the README:

  lagrange-gpu bench --networks 784-500-10,784-300-100-10 --batch 1,32,128,512 --plan auto,plain --device cpu --threads 1,2 \\
    --output jsonl --output-file benches/results/bench.jsonl
  lagrange-gpu bench --networks 0-40-100-56 --architecture layered-recurrent --activation sigmoid --batch 1,32 --plan auto,plain
  lagrange-gpu bench --config mnist.toml
  lagrange-gpu bench --scaling all --plan plain --device cpu --threads 2 --plots plots
  lagrange-gpu bench --compare benches/results/bench-6dfa7fae0498.jsonl

--compare matches cases by everything that was asked for and the kind of device, so it takes the same lists as the earlier run.";

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let effort = effort(args)?;
    let format = lists::choice("--output", &args.output, &crate::bench::report::Format::NAMES)?;
    let before = args.compare.as_deref().map(crate::bench::compare::load).transpose();
    let before = before.map_err(Failure::usage)?;
    let plan = cases::plan(args)?;
    let output = output::Output::new(format, args.output_file.as_deref(), &plan)?;
    let interrupt = Interrupt::listen();
    let tuner = Tuner::of_user();
    run::Run { args, effort, plan: &plan, interrupt: &interrupt, tuner }.run(output, before.as_deref())
}

fn effort(args: &Args) -> Result<Effort, Failure> {
    let time = |name: &str, ms: f64| {
        if (0.0..=3.6e6).contains(&ms) {
            return Ok(ms * 1e-3);
        }
        Err(Failure::usage(anyhow::anyhow!("{name} {ms}: give a time from 0 to 3,600,000 ms")))
    };
    for (name, value) in [("--dt-ms", args.dt_ms), ("--tolerance", args.tolerance)] {
        if !(value > 0.0 && value.is_finite()) {
            return Err(Failure::usage(anyhow::anyhow!("{name} {value}: give a number above 0")));
        }
    }
    if args.repetitions == 0 {
        return Err(Failure::usage(anyhow::anyhow!("--repetitions 0: give at least 1")));
    }
    Ok(Effort {
        repetitions: args.repetitions,
        least_s: time("--least-ms", args.least_ms)?,
        warm_s: time("--warm-up-ms", args.warm_up_ms)?,
    })
}
