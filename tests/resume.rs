//! A run that was stopped and goes on ends with the same bits as one that was not, wherever it was stopped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod resume_support;

use lagrange_gpu::checkpoint::{Checkpoint, Folder, Found, Identity};
use lagrange_gpu::dynamics::{Integrator, PlasticityInDynamics, Resident, Settings, Solver};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::gpu;
use lagrange_gpu::network::{
    Activation, InputMode, InterneuronDynamics, InterneuronInput, Interneurons, Microcircuit, Pathway,
};
use lagrange_gpu::schedule::{RateStep, Schedule};
use lagrange_gpu::train::{Moment, State};
use resume_support::{BATCHES, EPOCHS, Kind, Plan, data, network, run};

/// The state after its way through a file.
fn through_a_file(state: State, kind: &Kind, device: &Device) -> State {
    let place = tempfile::tempdir().unwrap();
    let text = |s: &str| s.to_owned();
    let network = network(kind);
    let identity = Identity {
        network: network.sizes(),
        precision: text(device.precision().name()),
        device_kind: text("any"),
        seed: text("5"),
        config: text("c"),
        data: text("d"),
        device: device.name(),
        tiles: text(device.profile()),
        version: text("v"),
    };
    let folder = Folder::of(place.path());
    let checkpoint = Checkpoint { identity: identity.clone(), state, best: None };
    folder.write(&checkpoint, &network, 2, false).unwrap();
    let found = folder.newest(&identity, &network).unwrap().expect("a checkpoint");
    let Found { checkpoint: read, refused, .. } = found;
    assert!(refused.is_empty());
    // Times are part of the equality: they go through a file as exactly as all else. Order is not.
    let sorted = |mut c: Checkpoint| {
        c.state.buffers.sort_by(|a, b| a.name.cmp(&b.name));
        c
    };
    let (read, checkpoint) = (sorted(read), sorted(checkpoint));
    assert_eq!(read.state.tally.sums(), checkpoint.state.tally.sums());
    let tally = checkpoint.state.tally.clone();
    assert_eq!(State { tally, ..read.state.clone() }, checkpoint.state);
    read.state
}

/// Stops a run after each of `points` mini-batches and goes on with it in a new trainer, from a file.
fn same_bits(what: &str, kind: &Kind, device: &Device, points: &[usize]) {
    let data = data();
    let (whole, _) = run(kind, &data, device, Plan::default());
    let whole = whole.expect("complete");
    assert!(whole.epochs.iter().all(|e| e.mean_abs_weight_change > 1e-5), "{what}: something is learned");
    for &point in points {
        let plan = Plan { stop_after: Some(point), ..Plan::default() };
        let (none, mut kept) = run(kind, &data, device, plan);
        assert!(none.is_none() && kept.len() == 1, "{what}: stopped after {point}");
        let (moment, state) = kept.remove(0);
        assert_eq!(moment, Moment::Stop);
        let (epoch, presented) = ((point - 1) / BATCHES + 1, (point - 1) % BATCHES + 1);
        assert_eq!((state.epoch, state.presented), (epoch, presented), "{what}");
        let state = through_a_file(state, kind, device);
        let (resumed, _) = run(kind, &data, device, Plan { from: Some(state), ..Plan::default() });
        let resumed = resumed.expect("complete");
        // Only what came after the stop was heard.
        assert_eq!(resumed.epochs, whole.epochs[epoch - 1..], "{what}: epochs after {point}");
        assert_eq!(resumed.batches, whole.batches[point..], "{what}: mini-batches after {point}");
        assert!(resumed.parameters == whole.parameters, "{what}: parameters after {point}");
        assert_eq!(resumed.test, whole.test, "{what}: test after {point}");
        assert!(resumed.buffers == whole.buffers, "{what}: final state after {point}");
    }
}

/// Saving after every mini-batch changes nothing, and each of these states leads to the same end.
fn saving_changes_nothing(what: &str, kind: &Kind, device: &Device, every: usize) {
    let data = data();
    let (whole, _) = run(kind, &data, device, Plan::default());
    let (saved, kept) = run(kind, &data, device, Plan { keep_always: true, ..Plan::default() });
    assert!(saved == whole, "{what}: saving changed the run");
    // After every mini-batch and between epochs.
    assert_eq!(kept.len(), EPOCHS * (BATCHES + 1), "{what}");
    let whole = whole.expect("complete");
    for (_, state) in kept.into_iter().step_by(every) {
        let at = (state.epoch, state.presented);
        let (resumed, _) = run(kind, &data, device, Plan { from: Some(state), ..Plan::default() });
        let resumed = resumed.expect("complete");
        assert!(resumed.parameters == whole.parameters, "{what}: parameters from {at:?}");
        assert!(resumed.buffers == whole.buffers, "{what}: final state from {at:?}");
        assert_eq!(resumed.epochs, whole.epochs[at.0 - 1..], "{what}: epochs from {at:?}");
    }
}

const ALL: [usize; EPOCHS * BATCHES] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

#[test]
fn every_mini_batch_on_the_cpu() {
    for precision in [Precision::F32, Precision::F64] {
        for resident in [Resident::Never, Resident::Always] {
            let what = format!("{} {resident:?}", precision.name());
            let (kind, device) = (Kind::exact(resident), Device::Cpu(precision));
            same_bits(&what, &kind, &device, &ALL);
            saving_changes_nothing(&what, &kind, &device, 1);
        }
    }
}

/// Other solvers and schemes carry other things: earlier u̇, guesses of the solver, rates of weights.
#[test]
fn every_kind_of_dynamics() {
    let schedule = Schedule::Constant;
    let of = |settings: Settings, activation, input| Kind {
        settings,
        activation,
        input,
        schedule: schedule.clone(),
        microcircuit: None,
    };
    let base = Settings::default;
    let kinds = [
        of(
            Settings { integrator: Integrator::Richardson2, dt_ms: 0.5, ..base() },
            Activation::Sigmoid,
            InputMode::Clamped,
        ),
        of(Settings { integrator: Integrator::Euler, ..base() }, Activation::Tanh, InputMode::Driven),
        of(
            Settings { plasticity_in_dynamics: PlasticityInDynamics::All, solver: Solver::Cg, ..base() },
            Activation::Sigmoid,
            InputMode::Driven,
        ),
        of(
            Settings { solver: Solver::Woodbury, derivative_clip: Some(0.01), ..base() },
            Activation::HardSigmoid,
            InputMode::Rates,
        ),
        of(Settings { solver: Solver::Dense, ..base() }, Activation::Relu, InputMode::Clamped),
    ];
    for kind in kinds {
        for precision in [Precision::F32, Precision::F64] {
            let what = format!("{} {kind:?}", precision.name());
            same_bits(&what, &kind, &Device::Cpu(precision), &[2, 4, 7]);
        }
    }
}

/// The rates follow from the position alone: with 12 steps of 1 ms a presentation and four a epoch, steps within a presentation and at the
/// end of one, and a cosine over the whole run.
#[test]
fn every_schedule() {
    let step = |at_ms, factor| RateStep { at_ms, factor };
    let cosine = Schedule::Cosine { duration_ms: None, final_factor: 0.1, warm_up_ms: 30.0 };
    for schedule in [Schedule::Step(vec![step(31.0, 0.5), step(96.0, 0.25)]), cosine] {
        for resident in [Resident::Never, Resident::Always] {
            let kind = Kind { schedule: schedule.clone(), ..Kind::exact(resident) };
            same_bits(
                &format!("{schedule} {resident:?}"),
                &kind,
                &Device::Cpu(Precision::F32),
                &[2, 3, 4, 8, 9],
            );
        }
    }
}

/// Feedback weights, interneurons and their voltages carry over as well.
#[test]
fn a_microcircuit_on_the_cpu_and_on_an_adapter() {
    let kind = Kind { microcircuit: Some(microcircuit()), ..Kind::exact(Resident::Auto) };
    same_bits("microcircuit", &kind, &Device::Cpu(Precision::F64), &[1, 4, 7]);
    let first = gpu::open(&gpu::Choice::Index(0)).expect("an adapter");
    same_bits("microcircuit on an adapter", &kind, &Device::Gpu(first), &[2]);
}

fn microcircuit() -> Microcircuit {
    Microcircuit {
        ip: InterneuronInput::Learned,
        interneurons: vec![Interneurons { population: 1, size: 4, factor: 1.0 }],
        dynamics: InterneuronDynamics::Dynamic,
        feedback: Pathway::Separate,
        pi: Pathway::Separate,
        beta: 0.1,
        rate_ip: 0.02,
        rate_pi: 0.02,
        rate_feedback: 0.01,
        rate_bi: 0.02,
    }
}

#[test]
fn on_every_adapter() {
    let adapters = gpu::adapters();
    assert!(!adapters.is_empty(), "no adapter: on Debian and Ubuntu, apt-get install mesa-vulkan-drivers");
    for adapter in adapters {
        let device = Device::Gpu(gpu::open(&gpu::Choice::Index(adapter.index)).unwrap());
        for resident in [Resident::Never, Resident::Always] {
            let what = format!("{} {resident:?}", device.name());
            let kind = Kind::exact(resident);
            // Mid-epoch, in the tail, at its end, in the next epoch.
            same_bits(&what, &kind, &device, &[2, 3, 4, 6]);
            saving_changes_nothing(&what, &kind, &device, 4);
        }
        // The number of solver iterations that is recorded follows what earlier presentations needed.
        let settings = Settings { solver: Solver::Cg, tolerance: 1e-6, ..Settings::default() };
        let (activation, input) = (Activation::Sigmoid, InputMode::Clamped);
        let kind = Kind { settings, activation, input, ..Kind::exact(Resident::Never) };
        same_bits("a solver that iterates", &kind, &device, &[1, 7]);
        saving_changes_nothing("a solver that iterates", &kind, &device, 5);
    }
}
