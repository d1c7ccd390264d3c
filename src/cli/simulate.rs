//! `simulate`: a given network on a given stimulus.

use std::path::{Path, PathBuf};

use super::{ExperimentArgs, Failure, device, print, say, tiles, warn_of_idle};
use crate::config::{Purpose, SimulationConfig};
use crate::dynamics::{Model, Solver};
use crate::engine::Precision;
use crate::simulate::{
    Record, Setup, SimulationError, SimulationInput, SimulationOutput, load_npz, rehearsal, run as simulate,
    save_npz,
};
use crate::sinks::save_recording;
use crate::train::{Event, network_warnings};

/// Arguments of `simulate`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = FILES)]
pub(super) struct Args {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Parameters, states and stimulus; may be given several times, the first file that holds an array counts.
    #[arg(long, short, value_name = "FILE.npz", required = true)]
    input: Vec<PathBuf>,
    /// Where the trajectories go.
    #[arg(long, short, value_name = "FILE.npz")]
    output: PathBuf,
    /// Steps (from 0) after which all weights and biases are kept, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "STEPS")]
    snapshots: Vec<usize>,
    /// Leaves out u and u_dot: norms, solver counts and weights only.
    #[arg(long)]
    no_voltages: bool,
    /// Records what the [[probe]] tables of the experiment ask for, each in a file OUTPUT.NAME.npz beside the output, in place of u and
    /// u_dot of all neurons.
    #[arg(long)]
    probes: bool,
    /// auto, cpu, gpu, an index or a part of a name (see `lagrange-gpu devices`); default: the file's.
    #[arg(long)]
    device: Option<String>,
    #[command(flatten)]
    tiles: tiles::TileArgs,
    /// f64 (CPU only) or f32; default: the file's.
    #[arg(long, value_parser = ["f32", "f64"])]
    precision: Option<String>,
}

const FILES: &str = "\
Arrays read (T steps, B trajectories, N neurons, time in ms):
  x [T,B,n_in]                      input of every step
  y [T,B,n_out]                     target of every step (may be missing if beta is 0)
  W0 [N,N] or W:pre->post [post,pre]  weights, dense or a block a projection
  b0 [N], u0 [B,N], x_prev, y_prev, beta [T,n_out], learn [T], u_dot0, u_dot_2..4   optional
  of a microcircuit with M interneurons, as far as they have weights of their own:
  B0 [N,N], WPI0 [N,M], WIP0 [M,N], BIP0 [M,N]  dense, or a block each such as B:from->to [to,from]
  bI0 [M], u_I0, u_I_dot0 [B,M], learn [T,4] (W and b, W^IP, W^PI, B)   optional
Arrays written:
  u, u_dot [T,B,N]; f_norm, f_entry_norm [T,B]; iterations, residual, indefinite, unconverged [T];
  snap_steps, W_snap:pre->post, b_snap; W_end:pre->post, b_end;
  of a microcircuit u_I, u_I_dot [T,B,M], and B, WPI, WIP, BIP, bI as W and b";

/// Runs the subcommand.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let flags = [
        ("--device", "run.device", args.device.clone()),
        ("--precision", "run.precision", args.precision.clone()),
    ];
    let overrides = args.experiment.overrides(&flags)?;
    let source = args.experiment.source()?;
    check_output(&args.output, &args.input)?;
    let c = SimulationConfig::load(&source, &overrides).map_err(Failure::usage)?;
    warn_of_idle(&args.experiment, &c.settings, Purpose::Simulation);
    if args.probes && c.probes.is_empty() {
        return Err(Failure::usage(anyhow::anyhow!("--probes: {source} has no [[probe]] tables; add one")));
    }
    if args.probes {
        for probe in &c.probes {
            check_output(&probe_path(&args.output, &probe.name), &args.input)?;
        }
    }
    let input = load_npz(&c.network, &args.input, &c.beta).map_err(Failure::usage)?;
    check_snapshots(&args.snapshots, input.steps)?;
    let device = tiles::Tiled::new(device::open(&c.run.device, c.run.precision)?, &args.tiles)?;
    let setup = Setup {
        network: c.network.clone(),
        settings: c.settings,
        rate_w: c.rate_w,
        rate_b: c.rate_b,
        schedule: c.schedule.clone(),
    };
    let keep = Record {
        voltages: !args.no_voltages && !args.probes,
        snapshots: args.snapshots.clone(),
        probes: if args.probes { c.probes.clone() } else { Vec::new() },
    };
    let plan = rehearsal(&setup, &input).map_err(failed)?;
    warn(&plan.model, &input);
    let device = device.settle(None, || Ok(plan))?;
    let out = simulate(&setup, &device, &input, &keep).map_err(failed)?;
    save_npz(&args.output, &c.network, &out).map_err(Failure::run)?;
    let probed = save_probes(&args.output, &out, device.precision())?;
    let name = format!("{}{}", device.name(), tiles::told(&device));
    let done = summary(&out, input.steps, &name, device.precision());
    print(&format!("{done}wrote {}\n{probed}", args.output.display()))?;
    match out.stop {
        Some(stop) => Err(Failure::run(stop)),
        None => Ok(()),
    }
}

/// What a user should know before the first step, of the strongest nudging of each output.
fn warn(model: &Model, input: &SimulationInput) {
    let n_out = model.network.n_out();
    let mut beta = vec![0.0_f64; n_out];
    for row in input.beta.chunks_exact(n_out.max(1)) {
        // An output that is held has no voltage of its own.
        beta.iter_mut().zip(row).filter(|(_, b)| b.is_finite()).for_each(|(most, &b)| *most = most.max(b));
    }
    for event in network_warnings(model, &input.parameters, &beta) {
        if let Event::Warning { kind, message, .. } = event {
            say(&format!("warning [{kind}]: {message}"));
        }
    }
}

/// The exit code of a simulation that cannot run.
fn failed(error: SimulationError) -> Failure {
    match error {
        SimulationError::Engine(error) => Failure::run(error),
        other => Failure::usage(other),
    }
}

/// `OUTPUT.NAME.npz`, where OUTPUT is without its `.npz`.
fn probe_path(output: &Path, name: &str) -> PathBuf {
    let text = output.to_string_lossy();
    PathBuf::from(format!("{}.{name}.npz", text.strip_suffix(".npz").unwrap_or(&text)))
}

/// Writes what the probes recorded beside the output; returns what to tell of it.
fn save_probes(output: &Path, out: &SimulationOutput, precision: Precision) -> Result<String, Failure> {
    let mut told = String::new();
    for recording in &out.recordings {
        let path = probe_path(output, &recording.probe.name);
        save_recording(&path, recording, precision == Precision::F32).map_err(Failure::run)?;
        let samples = recording.moments.len();
        told += &format!("wrote {} ({samples} samples)\n", path.display());
        if recording.is_full {
            told += &format!("warning [probe]: {}\n", recording.full_message());
        }
    }
    Ok(told)
}

/// Hours of work should not end at a name that was mistyped, nor replace what it came from.
fn check_output(output: &Path, inputs: &[PathBuf]) -> Result<(), Failure> {
    let refuse = |why: String| Err(Failure::usage(anyhow::anyhow!("--output {}: {why}", output.display())));
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return refuse(format!("there is no folder {}; make it, or choose another", folder.display()));
    }
    if output.is_dir() {
        return refuse("this is a folder; give the name of a file".into());
    }
    // A file that is not there yet has no canonical path, and is no input.
    let same =
        |input: &&PathBuf| output.canonicalize().is_ok_and(|o| input.canonicalize().is_ok_and(|i| i == o));
    match inputs.iter().find(same) {
        Some(input) => refuse(format!("it would replace --input {}; choose another name", input.display())),
        None => Ok(()),
    }
}

/// Every snapshot that was asked for can be taken.
fn check_snapshots(snapshots: &[usize], steps: usize) -> Result<(), Failure> {
    match snapshots.iter().find(|&&step| step >= steps) {
        Some(step) => Err(Failure::usage(anyhow::anyhow!(
            "--snapshots {step}: the stimulus has {steps} steps, counted from 0; choose a smaller one"
        ))),
        None => Ok(()),
    }
}

fn summary(out: &SimulationOutput, steps: usize, device: &str, precision: Precision) -> String {
    let solver = out.solver.map_or("none (explicit scheme)", Solver::name);
    let most = out.solver_steps.iter().map(|s| s.iterations).max().unwrap_or(0);
    let residual = out.solver_steps.iter().map(|s| s.residual).fold(0.0, f64::max);
    let indefinite: usize = out.solver_steps.iter().map(|s| s.indefinite).sum();
    let unconverged: usize = out.solver_steps.iter().map(|s| s.unconverged).sum();
    let f_end = out.f_norm.iter().rev().take(out.batch).copied().fold(0.0, f64::max);
    format!(
        "{} of {steps} steps, {} trajectories, {} neurons on {device}, {}\n\
         solver {solver}: at most {most} iterations a step, relative residual at most {residual:.1e}\n\
         indefinite H: {indefinite} trajectory steps; not converged: {unconverged}; largest |f| at the end: {f_end:.3e}\n",
        out.steps_completed,
        out.batch,
        out.neurons,
        precision.name()
    )
}
