//! Probes: what they record is the state of the network, and they change nothing about a run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod resume_support;

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use lagrange_gpu::data::Encoding;
use lagrange_gpu::dynamics::{Integrator, Resident, Settings};
use lagrange_gpu::engine::{Carried, Device, Precision};
use lagrange_gpu::gpu;
use lagrange_gpu::network::{
    Activation, Init, InitKind, InputMode, InterneuronDynamics, InterneuronInput, Interneurons, Microcircuit,
    MicrocircuitParameters, Parameters, Pathway,
};
use lagrange_gpu::probe::{Moment, Probe, ProbeError, Quantity, Recording, Selection};
use lagrange_gpu::schedule::Schedule;
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, run as simulate};
use lagrange_gpu::sinks::{ProbeFiles, save_recording};
use lagrange_gpu::train::{
    Event, Gates, Keeper, Moment as Why, Protocol, Ramp, Rule, Sink, State, TrainError, Trainer,
};
use resume_support::{BATCHES, CLASSES, EPOCHS, Kind, PIXELS, data, network};

const STEPS: usize = 12;
const HIDDEN: usize = 10;

/// The events of a run.
#[derive(Default)]
struct Heard(Vec<Event>);

impl Sink for Heard {
    fn take(&mut self, event: &Event) -> io::Result<()> {
        self.0.push(event.clone());
        Ok(())
    }
}

/// Stops a run after some mini-batches, and has what was kept then.
struct Stopper<'a> {
    stop: &'a AtomicBool,
    left: Cell<usize>,
    kept: Option<State>,
    recorded: Vec<Recording>,
}

impl Keeper for Stopper<'_> {
    fn due(&self) -> bool {
        self.left.set(self.left.get().saturating_sub(1));
        if self.left.get() == 0 {
            self.stop.store(true, Ordering::Relaxed);
        }
        false
    }
    fn keep(&mut self, state: &State, _: Why, _: &mut dyn Sink) -> Result<(), TrainError> {
        self.kept = Some(state.clone());
        Ok(())
    }
    fn record(&mut self, all: &[Recording], _: usize, _: &mut dyn Sink) -> Result<(), TrainError> {
        self.recorded = all.to_vec();
        Ok(())
    }
}

/// How a run is to go.
struct How<'a> {
    kind: Kind,
    device: Device,
    probes: &'a [Probe],
    rate: f64,
    stop_after: usize,
    /// Where it goes on, and the files that have what was recorded by then.
    from: Option<(State, ProbeFiles)>,
}

impl<'a> How<'a> {
    fn new(kind: Kind, device: &Device, probes: &'a [Probe]) -> Self {
        Self { kind, device: device.clone(), probes, rate: 0.2, stop_after: usize::MAX, from: None }
    }
}

struct Run {
    heard: Heard,
    recordings: Vec<Recording>,
    buffers: Vec<Carried>,
    parameters: Parameters,
    kept: Option<State>,
}

fn start(kind: &Kind) -> Parameters {
    let init = [Init { kind: InitKind::Normal { mean: 0.05, std: 0.1 }, clip: None }; 3];
    Parameters::draw(&network(kind), &init, &init, 5)
}

fn run(how: How) -> Run {
    let How { kind, device, probes, rate, stop_after, from } = how;
    let (stop, data) = (AtomicBool::new(false), data());
    let protocol = Protocol {
        rule: Rule::LeastAction,
        seed: 5,
        epochs: EPOCHS,
        batch: 5,
        steps: STEPS,
        gates: Gates { nudge_from: 0.5, learn_from: 0.3 },
        ramp: Ramp { from: -10.0, to: 20.0 },
        beta: vec![0.1; CLASSES],
        rate_w: rate,
        rate_b: rate,
        rate_decay: 1.0,
        schedule: Schedule::Constant,
        step_ms: kind.settings.dt_ms,
        tables: Encoding::Unit.into(),
    };
    let (settings, parameters) = (kind.settings, start(&kind));
    let mut trainer =
        Trainer::new(network(&kind), settings, parameters, protocol, &data, &device, &stop).unwrap();
    let mut recordings: Vec<Recording> =
        probes.iter().map(|p| Recording::new(p, trainer.model()).unwrap()).collect();
    let mut first = 1;
    if let Some((state, files)) = from {
        first = state.epoch;
        let steps = trainer.steps_before(state.epoch, state.presented);
        assert_eq!(files.resume(&mut recordings, steps, first), []);
        trainer.restore(state).unwrap();
    }
    trainer.record(recordings).unwrap();
    let left = Cell::new(stop_after);
    let mut keeper = Stopper { stop: &stop, left, kept: None, recorded: Vec::new() };
    let mut heard = Heard::default();
    for number in first..=EPOCHS {
        if trainer.epoch_keeping(number, &mut heard, &mut keeper).unwrap().is_none() {
            let recordings = keeper.recorded;
            let (buffers, parameters) = (Vec::new(), trainer.parameters().clone());
            return Run { heard, recordings, buffers, parameters, kept: keeper.kept };
        }
    }
    let buffers = trainer.state_before(EPOCHS + 1).unwrap().buffers;
    let (recordings, parameters) = (trainer.recordings().to_vec(), trainer.parameters().clone());
    Run { heard, recordings, buffers, parameters, kept: None }
}

fn probe(name: &str, populations: &[usize], quantities: &[Quantity], every_ms: f64) -> Probe {
    Probe {
        name: name.into(),
        populations: populations.to_vec(),
        neurons: Selection::All,
        quantities: quantities.to_vec(),
        every_ms,
        trajectories: 5,
        epochs: Selection::All,
        presentations: Selection::All,
        max_mib: 64.0,
    }
}

const FREE: [Quantity; 9] = [
    Quantity::Voltage,
    Quantity::Rate,
    Quantity::ProspectiveRate,
    Quantity::VoltageDerivative,
    Quantity::Mismatch,
    Quantity::ApicalError,
    Quantity::Error,
    Quantity::Target,
    Quantity::Nudging,
];

/// Everything there is, every third step and at every one.
fn all() -> [Probe; 3] {
    [
        probe("free", &[1, 2], &FREE, 3.0),
        probe("input", &[0], &[Quantity::Voltage, Quantity::Rate], 1.0),
        Probe { epochs: Selection::List(vec![2]), ..probe("second", &[2], &FREE, 5.0) },
    ]
}

fn kinds() -> Vec<Kind> {
    let smooth = Settings { integrator: Integrator::Richardson2, dt_ms: 0.5, ..Settings::default() };
    vec![
        Kind::exact(Resident::Always),
        Kind::exact(Resident::Never),
        Kind {
            activation: Activation::Sigmoid,
            input: InputMode::Clamped,
            settings: smooth,
            ..Kind::exact(Resident::Never)
        },
    ]
}

fn same_with_and_without(device: &Device) {
    for kind in kinds() {
        let what = format!("{} {kind:?}", device.name());
        let bare = run(How::new(kind.clone(), device, &[]));
        let probed = run(How::new(kind, device, &all()));
        assert!(probed.buffers == bare.buffers, "{what}: the state at the end");
        assert!(probed.parameters == bare.parameters, "{what}: parameters");
        let losses = |run: &Run| -> Vec<(usize, f64)> {
            let of = |e: &Event| match e {
                Event::Batch { done, loss, .. } => Some((*done, *loss)),
                _ => None,
            };
            run.heard.0.iter().filter_map(of).collect()
        };
        assert_eq!(losses(&probed), losses(&bare), "{what}");
        let values = probed.recordings.iter().flat_map(|r| r.values.iter().flatten());
        assert!(values.clone().count() > 1000 && values.clone().all(|v| v.is_finite()), "{what}");
    }
}

#[test]
fn a_run_is_the_same_bits_with_and_without() {
    for precision in [Precision::F32, Precision::F64] {
        same_with_and_without(&Device::Cpu(precision));
    }
}

#[test]
fn a_run_is_the_same_bits_with_and_without_on_every_adapter() {
    let adapters = gpu::adapters();
    assert!(!adapters.is_empty(), "no adapter: on Debian and Ubuntu, apt-get install mesa-vulkan-drivers");
    for adapter in adapters {
        same_with_and_without(&Device::Gpu(gpu::open(&gpu::Choice::Index(adapter.index)).unwrap()));
    }
}

/// Values of a quantity at a sample, `[5, width]`.
fn at(r: &Recording, quantity: Quantity, sample: usize) -> &[f64] {
    let k = r.probe.quantities.iter().position(|q| *q == quantity).unwrap();
    let width: usize = r.shape(quantity).iter().product();
    &r.values[k][sample * width..(sample + 1) * width]
}

/// The definitions of the model's section 1, checked neuron by neuron on recorded values, in f64 with constant weights. The sums have at most 17
/// terms of order 1: 1e-14.
#[test]
fn what_is_recorded_obeys_the_definitions() {
    let close = |a: f64, b: f64, what: &str| assert!((a - b).abs() < 1e-14, "{what}: {a} for {b}");
    for resident in [Resident::Always, Resident::Never] {
        let kind = Kind::exact(resident);
        let probes = [probe("free", &[1, 2], &FREE, 1.0), probe("input", &[0], &[Quantity::Rate], 1.0)];
        let device = Device::Cpu(Precision::F64);
        let run = run(How { rate: 0.0, ..How::new(kind.clone(), &device, &probes) });
        let (p, n) = (start(&kind), HIDDEN + CLASSES);
        let [free, input] = &run.recordings[..] else { panic!("two") };
        assert_eq!(free.moments.len(), EPOCHS * BATCHES * STEPS);
        let train = data().train;
        for s in 0..free.moments.len() {
            let step = s % STEPS;
            let (u, r, u_dot) = (
                at(free, Quantity::Voltage, s),
                at(free, Quantity::Rate, s),
                at(free, Quantity::VoltageDerivative, s),
            );
            let (delta, apical) = (at(free, Quantity::Mismatch, s), at(free, Quantity::ApicalError, s));
            let (error, ahead) = (at(free, Quantity::Error, s), at(free, Quantity::ProspectiveRate, s));
            let (target, beta) = (at(free, Quantity::Target, s), at(free, Quantity::Nudging, s));
            let x = at(input, Quantity::Rate, s);
            // x_k of the ramp from -10 to 20.
            let ramp = 1.0 / (1.0 + (-(-10.0 + 30.0 / 11.0 * step as f64) / 4.0).exp());
            let nudging = if ramp >= 0.5 { 0.1 } else { 0.0 };
            assert!(beta.iter().all(|b| *b == nudging), "step {step}: {beta:?}");
            for b in (0..5).filter(|b| free.samples[s * 5 + b] >= 0.0) {
                let class = train.labels()[free.samples[s * 5 + b] as usize];
                assert_eq!(free.labels[s * 5 + b], f64::from(class));
                if step + 1 == STEPS {
                    let o = usize::from(class);
                    // 1 - s of the last step of the ramp is 0.7 %; of the target before 1 at most.
                    assert!((target[b * CLASSES + o] - 1.0).abs() < 0.01, "{target:?}");
                }
                for i in 0..n {
                    let k = b * n + i;
                    close(r[k], u[k].clamp(0.0, 1.0), "rate");
                    let steep = f64::from(u8::from((0.0..=1.0).contains(&u[k])));
                    close(ahead[k], r[k] + 10.0 * steep * u_dot[k], "prospective rate");
                    if i < HIDDEN {
                        let row = &p.weights[0][i * PIXELS..(i + 1) * PIXELS];
                        let basal: f64 = row.iter().zip(&x[b * PIXELS..]).map(|(w, x)| w * x).sum();
                        close(delta[k], u[k] - basal - p.biases[PIXELS + i], "mismatch");
                        let back =
                            (0..CLASSES).map(|o| p.weights[1][o * HIDDEN + i] * delta[b * n + HIDDEN + o]);
                        close(apical[k], back.sum(), "apical error");
                        close(error[k], steep * apical[k], "error");
                    } else {
                        let o = i - HIDDEN;
                        let row = &p.weights[1][o * HIDDEN..(o + 1) * HIDDEN];
                        let basal: f64 = row.iter().zip(&r[b * n..]).map(|(w, r)| w * r).sum();
                        close(delta[k], u[k] - basal - p.biases[PIXELS + i], "mismatch of an output");
                        assert_eq!(apical[k], 0.0);
                        close(error[k], beta[o] * (target[b * CLASSES + o] - u[k]), "error of an output");
                    }
                    if s > 0 {
                        let before = at(free, Quantity::Voltage, s - 1)[k];
                        // An inactive trajectory holds its state, and its u-dot is 0.
                        close(u[k], before + u_dot[k], "a step of 1 ms");
                    }
                }
            }
        }
    }
}

/// Multiples of every-ms since the start of the run, of the chosen epochs and presentations, and of those neurons.
#[test]
fn samples_are_taken_where_they_were_asked_for() {
    let device = Device::Cpu(Precision::F64);
    let chosen = Probe {
        neurons: Selection::List(vec![1, 2]),
        trajectories: 2,
        epochs: Selection::Range(2, 4),
        presentations: Selection::List(vec![1, 4]),
        ..probe("chosen", &[2, 1], &[Quantity::Voltage], 5.0)
    };
    // Longer than a presentation.
    let rare = probe("rare", &[1], &[Quantity::Voltage], 40.0);
    let run = run(How::new(Kind::exact(Resident::Auto), &device, &[chosen, rare]));
    let moments = |r: &Recording| -> Vec<(u64, usize, usize)> {
        r.moments.iter().map(|m| (m.steps, m.epoch, m.mini_batch)).collect()
    };
    // An epoch has 48 steps, a presentation 12: steps 49-60, 85-96, 97-108 and 133-144 of the run.
    let want = [(50, 2, 1), (55, 2, 1), (60, 2, 1), (85, 2, 4), (90, 2, 4), (95, 2, 4)];
    let more = [(100, 3, 1), (105, 3, 1), (135, 3, 4), (140, 3, 4)];
    assert_eq!(moments(&run.recordings[0]), [&want[..], &more].concat());
    assert_eq!(moments(&run.recordings[1]), [(40, 1, 4), (80, 2, 3), (120, 3, 2)]);
    let first = PIXELS + HIDDEN;
    assert_eq!(run.recordings[0].columns, [first + 1, first + 2, PIXELS + 1, PIXELS + 2]);
    assert_eq!(run.recordings[0].values[0].len(), 10 * 2 * 4);
    // The tail of an epoch has two samples of five.
    let tail: Vec<bool> = run.recordings[1].samples[..5].iter().map(|&s| s >= 0.0).collect();
    assert_eq!(tail, [true, true, false, false, false]);
    assert!(run.recordings[1].labels[2..5].iter().all(|l| *l == -1.0));
}

/// A sample of three voltages takes 24 bytes, 48 for what three trajectories show, and those of its moment: of a bound for ten and a half, ten are
/// taken, and one warning says so.
#[test]
fn the_bound_on_memory_is_kept_and_told() {
    let bytes = 24 + 48 + size_of::<Moment>();
    let bounded = Probe {
        neurons: Selection::List(vec![0]),
        trajectories: 3,
        max_mib: 10.5 * bytes as f64 / f64::from(1 << 20),
        ..probe("small", &[2], &[Quantity::Voltage], 1.0)
    };
    let run = run(How::new(Kind::exact(Resident::Auto), &Device::Cpu(Precision::F32), &[bounded]));
    let recording = &run.recordings[0];
    assert!(recording.is_full && recording.moments.len() == 10, "{}", recording.moments.len());
    let told: Vec<&String> = run
        .heard
        .0
        .iter()
        .filter_map(|e| match e {
            Event::Warning { kind, message, .. } if kind == "probe" => Some(message),
            _ => None,
        })
        .collect();
    let [message] = told[..] else { panic!("{told:?}") };
    assert!(message.contains("probe 'small' has recorded 10 samples") && message.contains("Raise max-mib"));
}

/// Stopped anywhere, with files that reach as far or further, a run ends with the recordings of one that was not.
#[test]
fn recordings_go_on_with_a_run() {
    for (precision, resident) in [(Precision::F32, Resident::Always), (Precision::F64, Resident::Never)] {
        let (kind, device) = (Kind::exact(resident), Device::Cpu(precision));
        let probes = all();
        let whole = run(How::new(kind.clone(), &device, &probes));
        for stop_after in [1, 3, 4, 6] {
            let folder = tempfile::tempdir().unwrap();
            let first = run(How { stop_after, ..How::new(kind.clone(), &device, &probes) });
            let state = first.kept.expect("stopped");
            let mut files = ProbeFiles::new(folder.path(), precision == Precision::F32);
            // What came after the last state was recorded, but is to be forgotten.
            let kept = if stop_after == 3 { &whole.recordings } else { &first.recordings };
            files.save(kept, 1, &mut Heard::default()).unwrap();
            let from = Some((state, files));
            let second = run(How { from, ..How::new(kind.clone(), &device, &probes) });
            assert!(second.recordings == whole.recordings, "{precision:?}, stopped after {stop_after}");
        }
    }
}

#[test]
fn files_of_other_probes_are_refused() {
    let device = Device::Cpu(Precision::F64);
    let [one, ..] = all();
    let done = run(How::new(Kind::exact(Resident::Never), &device, std::slice::from_ref(&one)));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("probes")).unwrap();
    save_recording(&folder.path().join("probes/free.npz"), &done.recordings[0], false).unwrap();
    let files = ProbeFiles::new(folder.path(), false);
    let fresh = || {
        let mut r = done.recordings[0].clone();
        r.cut(0);
        r
    };
    let mut same = [fresh()];
    assert_eq!(files.resume(&mut same, 1_000_000, 1), []);
    assert!(same[0] == done.recordings[0]);
    let mut other = [fresh()];
    other[0].columns[0] += 1;
    let told = files.resume(&mut other, 1_000_000, 1);
    let [Event::Warning { kind, message, .. }] = &told[..] else { panic!("{told:?}") };
    assert!(kind == "probe" && message.contains("free.npz") && message.contains("samples from before"));
    assert!(other[0].moments.is_empty());
}

#[test]
fn what_is_not_computed_is_refused_by_name() {
    let device = Device::Cpu(Precision::F64);
    let (stop, data) = (AtomicBool::new(false), data());
    let refused = |resident, probe: &Probe| {
        let kind = Kind::exact(resident);
        let protocol = Protocol {
            rule: Rule::LeastAction,
            seed: 5,
            epochs: 1,
            batch: 5,
            steps: STEPS,
            gates: Gates::default(),
            ramp: Ramp::default(),
            beta: vec![0.1; CLASSES],
            rate_w: 0.1,
            rate_b: 0.1,
            rate_decay: 1.0,
            schedule: Schedule::Constant,
            step_ms: 1.0,
            tables: Encoding::Unit.into(),
        };
        let parameters = start(&kind);
        let trainer =
            Trainer::new(network(&kind), kind.settings, parameters, protocol, &data, &device, &stop);
        Recording::new(probe, trainer.unwrap().model()).err()
    };
    let moving = probe("x", &[0, 1], &[Quantity::VoltageDerivative], 1.0);
    assert_eq!(refused(Resident::Never, &moving), None);
    let error = refused(Resident::Always, &moving).expect("refused");
    assert!(
        matches!(error, ProbeError::Resident { .. })
            && error.to_string().contains("'u-dot' of population 'in'")
    );
    for (probe, says) in [
        (probe("x", &[0], &[Quantity::Error], 1.0), "'error' of population 'in'"),
        (probe("x", &[1], &[Quantity::Target], 1.0), "add the population 'out'"),
        (probe("x", &[1], &[Quantity::Voltage], 1.5), "every 1.5 ms"),
        (
            Probe { trajectories: 6, ..probe("x", &[1], &[Quantity::Voltage], 1.0) },
            "6 trajectories, but there are 5",
        ),
        (
            Probe { neurons: Selection::Range(3, 11), ..probe("x", &[1], &[Quantity::Voltage], 1.0) },
            "neuron 10 of",
        ),
        (probe("x", &[], &[Quantity::Voltage], 1.0), "no neuron or no quantity"),
    ] {
        let error = refused(Resident::Never, &probe).expect("refused").to_string();
        assert!(error.contains(says), "{error}");
    }
}

/// Section 4 of the model on recorded values of a simulation: `u^I = (1 − β^I)(W^IP r̄ + b^I) + β^I B^IP u_o` and the apical error
/// `B u_o − W^PI u^I`, with instantaneous interneurons and constant weights. Sums of three terms of order 1: 1e-14.
#[test]
fn interneurons_are_recorded_with_the_error_they_make() {
    let kind = Kind { activation: Activation::Tanh, ..Kind::exact(Resident::Never) };
    let mut net = network(&kind);
    for (population, size) in net.populations.iter_mut().zip([2, 3, 1]) {
        population.size = size;
    }
    net.microcircuit = Some(Microcircuit {
        ip: InterneuronInput::Learned,
        interneurons: vec![Interneurons { population: 1, size: 2, factor: 1.0 }],
        dynamics: InterneuronDynamics::Instantaneous,
        feedback: Pathway::Separate,
        pi: Pathway::Separate,
        beta: 0.25,
        rate_ip: 0.0,
        rate_pi: 0.0,
        rate_feedback: 0.0,
        rate_bi: 0.0,
    });
    let wave =
        |len: usize, phase: f64| -> Vec<f64> { (0..len).map(|i| 0.5 * (i as f64 + phase).sin()).collect() };
    let (feedback, pi, ip, nudge) = (wave(3, 1.0), wave(6, 2.0), wave(6, 3.0), wave(2, 4.0));
    let micro = MicrocircuitParameters {
        feedback: vec![feedback.clone()],
        pi: vec![pi.clone()],
        ip: vec![ip.clone()],
        nudge: vec![nudge.clone()],
        biases: vec![0.1, -0.2],
    };
    let input = SimulationInput {
        steps: 9,
        batch: 2,
        x: wave(36, 0.0),
        y: wave(18, 0.5),
        beta: vec![0.1; 9],
        learn: vec![false; 9],
        parameters: Parameters {
            weights: vec![wave(6, 5.0), wave(3, 6.0)],
            biases: vec![0.0; 6],
            microcircuit: micro,
        },
        u0: wave(12, 7.0),
        x_prev: wave(4, 0.0),
        y_prev: wave(2, 0.5),
        ..SimulationInput::default()
    };
    let quantities = [Quantity::Voltage, Quantity::Rate, Quantity::ApicalError, Quantity::Interneuron];
    let asked = Probe { trajectories: 2, ..probe("cells", &[1, 2], &quantities, 2.0) };
    let setup = Setup {
        network: net,
        settings: kind.settings,
        rate_w: 0.0,
        rate_b: 0.0,
        schedule: Schedule::Constant,
    };
    let keep = Record { probes: vec![asked], ..Record::default() };
    let out = simulate(&setup, &Device::Cpu(Precision::F64), &input, &keep).unwrap();
    assert_eq!(out.stop, None);
    let r = &out.recordings[0];
    assert_eq!((r.moments.len(), &r.interneurons[..]), (4, &[0, 1][..]));
    for s in 0..4 {
        let (u, rate) = (at(r, Quantity::Voltage, s), at(r, Quantity::Rate, s));
        let (apical, cells) = (at(r, Quantity::ApicalError, s), at(r, Quantity::Interneuron, s));
        for b in 0..2 {
            let top = u[b * 4 + 3];
            for k in 0..2 {
                let basal: f64 = (0..3).map(|i| ip[k * 3 + i] * rate[b * 4 + i]).sum();
                let want = 0.75 * (basal + [0.1, -0.2][k]) + 0.25 * nudge[k] * top;
                assert!(
                    (cells[b * 2 + k] - want).abs() < 1e-14,
                    "interneuron {k}: {} for {want}",
                    cells[b * 2 + k]
                );
            }
            for i in 0..3 {
                let want = feedback[i] * top - (0..2).map(|k| pi[i * 2 + k] * cells[b * 2 + k]).sum::<f64>();
                assert!(
                    (apical[b * 4 + i] - want).abs() < 1e-14,
                    "apical {i}: {} for {want}",
                    apical[b * 4 + i]
                );
            }
        }
    }
}
