//! Training on recordings: the same as `simulate` on one window, the same bits however rows reach the device and wherever a run is
//! stopped, every window once a pass; and the test by pattern completion.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // A test fails by panicking.

mod common;

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use common::random::Rng;
use lagrange_gpu::data::series::{Format, Grid, Presentation, Series, SeriesSet, Span, WindowError, Windows};
use lagrange_gpu::data::{Batches, Encoding};
use lagrange_gpu::dynamics::Settings;
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::network::{Activation, InputMode, Network, Parameters, Population, Projection};
use lagrange_gpu::schedule::Schedule;
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, run};
use lagrange_gpu::train::{
    Completion, Epoch, Event, Gates, Keeper, Moment, Protocol, Ramp, Rule, SeriesTask, Sink, State,
    TrainError, Trainer,
};

const C: usize = 4;
const CPU: Device = Device::Cpu(Precision::F64);

fn network() -> Network {
    let population =
        |name: &str, size| Population { name: name.into(), size, bias_factor: 0.0, bias_clip: None };
    let edges = [(1, 1), (1, 2), (2, 1), (2, 2)];
    Network {
        populations: vec![population("in", 0), population("hidden", 6), population("out", C)],
        projections: edges.iter().map(|&(pre, post)| Projection::between(pre, post)).collect(),
        activation: Activation::Sigmoid,
        input: InputMode::Driven,
        microcircuit: None,
    }
}

fn parameters(net: &Network) -> Parameters {
    let mut rng = Rng(9);
    let block = |p: &Projection| {
        let size = net.populations[p.pre].size;
        let mut w = rng.normals(size * net.populations[p.post].size, 0.2);
        if p.pre == p.post {
            (0..size).for_each(|i| w[i * size + i] = 0.0);
        }
        w
    };
    Parameters {
        weights: net.projections.iter().map(block).collect(),
        biases: vec![0.0; net.neurons()],
        microcircuit: Default::default(),
    }
}

/// Smooth signals of one source, so that channels tell of each other.
fn series(rows: usize, seed: u64) -> Series {
    let mut rng = Rng(seed);
    let phases = rng.uniforms(2 * C, 0.0, 6.0);
    let value = |row: usize, c: usize| {
        let t = row as f64 * 0.05;
        ((t + 0.3 * phases[c]).sin() + 0.5 * (2.3 * t + phases[C + c]).sin()) as f32
    };
    let bytes = (0..rows * C).flat_map(|i| value(i / C, i % C).to_le_bytes()).collect();
    let names = (0..C).map(|c| format!("A{c}")).collect();
    Series::in_memory(names, 2.0, Format::F32, (vec![0.5; C], vec![0.1; C]), bytes).expect("whole rows")
}

fn set(train: Vec<Span>, rows: usize) -> SeriesSet {
    let series = vec![series(rows, 3), series(rows, 4)];
    let part = |rows| Span { series: 0, rows };
    SeriesSet {
        series,
        inputs: 0,
        train,
        validation: vec![part(rows - 60..rows - 30)],
        test: vec![part(rows - 30..rows), Span { series: 1, rows: rows - 40..rows }],
        unit: "uV x 2".into(),
        description: "waves".into(),
    }
}

fn protocol(batch: usize, epochs: usize) -> Protocol {
    Protocol {
        seed: 5,
        rule: Rule::LeastAction,
        epochs,
        batch,
        steps: 1,
        gates: Gates::default(),
        ramp: Ramp::default(),
        beta: vec![0.2; C],
        rate_w: 0.01,
        rate_b: 0.0,
        rate_decay: 0.9,
        schedule: Schedule::Constant,
        step_ms: 1.0,
        tables: Encoding::Unit.into(),
    }
}

fn task(set: &SeriesSet, presentation: Presentation) -> SeriesTask<'_> {
    let completion = Completion { free: vec![1], beta: vec![5.0, 0.0, 5.0, 5.0], settle_ms: 20.0 };
    SeriesTask { set, presentation, completion }
}

/// Hears events; as a keeper, keeps every state and stops the run after so many mini-batches.
struct Watch<'a> {
    stop: &'a AtomicBool,
    left: Cell<usize>,
    kept: Vec<State>,
}

impl Keeper for Watch<'_> {
    fn due(&self) -> bool {
        self.left.set(self.left.get().saturating_sub(1));
        if self.left.get() == 0 {
            self.stop.store(true, Ordering::Relaxed);
        }
        false
    }
    fn keep(&mut self, state: &State, _: Moment, _: &mut dyn Sink) -> Result<(), TrainError> {
        self.kept.push(state.clone());
        Ok(())
    }
}

#[derive(Default)]
struct Heard(Vec<(usize, usize, usize, f64)>);

impl Sink for Heard {
    fn take(&mut self, event: &Event) -> io::Result<()> {
        if let Event::Batch { epoch, done, of, loss, .. } = event {
            self.0.push((*epoch, *done, *of, *loss));
        }
        Ok(())
    }
}

/// What a run came to.
struct Came {
    parameters: Parameters,
    epochs: Vec<Epoch>,
    batches: Vec<(usize, usize, usize, f64)>,
}

/// Runs all epochs, or until stopped after `stop_after` pieces: then the state.
fn train(
    task: SeriesTask<'_>,
    protocol: &Protocol,
    from: Option<State>,
    stop_after: usize,
) -> Result<Came, Box<State>> {
    let stop = AtomicBool::new(false);
    let net = network();
    let parameters = parameters(&net);
    let settings = Settings::default();
    let mut trainer =
        Trainer::new(net, settings, parameters, protocol.clone(), task, &CPU, &stop).expect("a trainer");
    let first = from.as_ref().map_or(1, |s| s.epoch);
    if let Some(state) = from {
        trainer.restore(state).expect("restored");
    }
    let mut watch = Watch { stop: &stop, left: Cell::new(stop_after), kept: Vec::new() };
    let (mut heard, mut epochs) = (Heard::default(), Vec::new());
    for number in first..=protocol.epochs {
        match trainer.epoch_keeping(number, &mut heard, &mut watch).expect("an epoch") {
            Some(epoch) => epochs.push(epoch),
            None => return Err(Box::new(watch.kept.pop().expect("kept"))),
        }
    }
    Ok(Came { parameters: trainer.parameters().clone(), epochs, batches: heard.0 })
}

fn whole(task: SeriesTask<'_>, protocol: &Protocol) -> Came {
    train(task, protocol, None, usize::MAX).unwrap_or_else(|_| panic!("not stopped"))
}

/// A window of 41 rows as one trajectory against `simulate` with the sequence made here: weights to the tolerance of the solver, mean cost
/// from the basal prediction at each step.
#[test]
fn one_window_is_that_of_simulate() {
    let span = Span { series: 0, rows: 3..44 };
    let set = set(vec![span], 200);
    let came = whole(task(&set, Presentation::default()), &protocol(1, 1));
    let net = network();
    let grid = Grid::new(2.0, 1.0);
    let steps = grid.steps(40);
    let all = set.series[0].values(3..44).expect("rows");
    let at = |step: usize| -> Vec<f64> {
        let (row, part) = grid.at(step);
        let value = |c: usize| {
            let (now, next) = (all[row * C + c], all.get((row + 1) * C + c).copied().unwrap_or(0.0));
            if part > 0.0 { now + (next - now) * part } else { now }
        };
        (0..C).map(value).collect()
    };
    let stop = AtomicBool::new(false);
    let mut rested = Trainer::new(
        net.clone(),
        Settings::default(),
        parameters(&net),
        protocol(1, 1),
        task(&set, Presentation::default()),
        &CPU,
        &stop,
    )
    .expect("a trainer");
    let state = rested.state_before(1).expect("a state");
    let u0 = state.buffers.iter().find(|b| b.name == "u").expect("u").values.clone();
    let input = SimulationInput {
        steps,
        batch: 1,
        y: (1..=steps).flat_map(at).collect(),
        beta: vec![0.2; steps * C],
        learn: vec![true; steps],
        parameters: parameters(&net),
        u0,
        y_prev: at(0),
        ..SimulationInput::default()
    };
    let setup = Setup {
        network: net,
        settings: Settings::default(),
        rate_w: 0.01,
        rate_b: 0.0,
        schedule: Schedule::Constant,
    };
    let want = run(&setup, &CPU, &input, &Record::default()).expect("simulated");
    assert_eq!(want.steps_completed, steps);
    for (want, got) in want.end.weights.iter().zip(&came.parameters.weights) {
        for (w, g) in want.iter().zip(got) {
            // The solver leaves 1e-12 a step; 80 steps contract.
            assert!((w - g).abs() < 1e-9, "{w} {g}");
        }
    }
    let f = want.f_entry_norm.iter().sum::<f64>() / steps as f64;
    assert!((came.epochs[0].health.f_norm - f).abs() < 1e-9 * f, "{f} {:?}", came.epochs[0].health);
    assert_eq!(came.batches.last().map(|b| (b.1, b.2)), Some((steps, steps)));
    assert!(came.epochs[0].loss > 0.0 && came.epochs[0].train_accuracy.is_none());
}

fn windows() -> Presentation {
    Presentation { window_ms: Some(30.0), repetitions: 2, shuffle: true, ..Presentation::default() }
}

/// Rows that the device holds, and rows that come with each mini-batch; windows longer than a piece.
#[test]
fn the_way_of_the_rows_does_not_matter() {
    let spans =
        |rows: std::ops::Range<usize>| vec![Span { series: 0, rows: rows.clone() }, Span { series: 1, rows }];
    let long = Presentation { window_ms: None, repetitions: 1, ..Presentation::default() };
    for (presentation, rows, batch) in [(windows(), 5..71, 3), (long, 5..1300, 2)] {
        let set = set(spans(rows), 1500);
        let held = whole(task(&set, presentation), &protocol(batch, 1));
        let streamed = Presentation { resident_bytes: 0, ..presentation };
        let came = whole(task(&set, streamed), &protocol(batch, 1));
        assert_eq!(held.parameters, came.parameters);
        assert_eq!(held.batches, came.batches);
        assert!(held.parameters != parameters(&network()), "something is learned");
    }
}

/// Stopped after any piece and continued: the same bits.
#[test]
fn a_stopped_run_goes_on_as_if_it_had_not() {
    let set = set(vec![Span { series: 0, rows: 0..100 }], 1500);
    let long = vec![Span { series: 1, rows: 0..1300 }, Span { series: 0, rows: 0..1300 }];
    let long = SeriesSet { train: long, ..set.clone() };
    let cases = [
        (&set, windows(), vec![1, 3, 5], 3),
        (&long, Presentation { resident_bytes: 0, ..Presentation::default() }, vec![1, 2, 4, 8], 1),
    ];
    for (set, presentation, stops, batch) in cases {
        let want = whole(task(set, presentation), &protocol(batch, 2));
        for stop in stops {
            let Err(state) = train(task(set, presentation), &protocol(batch, 2), None, stop) else {
                panic!("stopped after {stop}")
            };
            let came = train(task(set, presentation), &protocol(batch, 2), Some(*state), usize::MAX);
            let came = came.unwrap_or_else(|_| panic!("not stopped"));
            assert_eq!(came.parameters, want.parameters, "after {stop}");
            let (a, b) = (came.epochs.last().unwrap(), want.epochs.last().unwrap());
            assert_eq!((a.loss, a.health, a.validation_r2), (b.loss, b.health, b.validation_r2));
        }
    }
}

/// 7 windows by three: every window once a pass, in the order of time along each trajectory unless shuffled; the last mini-batch padded.
#[test]
fn every_window_is_presented_once_a_pass() {
    let set = set(vec![Span { series: 0, rows: 0..76 }, Span { series: 1, rows: 4..37 }], 200);
    for shuffle in [false, true] {
        let how = Presentation { window_ms: Some(30.0), repetitions: 2, shuffle, ..Presentation::default() };
        let windows = Windows::new(&set, &how, 1.0, 3).expect("windows");
        assert_eq!((windows.len(), windows.steps(), windows.mini_batches()), (7, 30, 6));
        assert_eq!((windows.trajectory_steps(), windows.steps_before(6)), (2 * 7 * 30, 6 * 30));
        let items: Vec<_> = Batches::windows(&windows, 1, 0, 0).expect("batches").collect();
        assert_eq!(items.iter().map(|i| i.count).collect::<Vec<_>>(), [3, 2, 2, 3, 2, 2]);
        for pass in items.chunks(3) {
            let mut seen: Vec<u32> = pass.iter().flat_map(|i| i.indices.clone()).collect();
            seen.sort_unstable();
            assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
        }
        if !shuffle {
            let slots: Vec<_> = items[..3].iter().map(|i| i.indices.clone()).collect();
            assert_eq!(slots, [vec![0, 3, 6], vec![1, 4], vec![2, 5]]);
            // Windows of 15 rows; the second span starts where the first one ends on the device.
            let cursor =
                |b: usize| u32::from_le_bytes(items[0].cursors[4 * b..4 * b + 4].try_into().unwrap());
            assert_eq!([cursor(0), cursor(1), cursor(2)], [0, 45, 76 + 15]);
            assert_eq!(items[1].active, [1.0, 1.0, 0.0]);
        }
        let rest: Vec<_> = Batches::windows(&windows, 1, 0, 4).expect("batches").collect();
        assert_eq!(rest, items[4..]);
    }
    let too_long = Presentation { window_ms: Some(200.0), ..Presentation::default() };
    assert!(matches!(Windows::new(&set, &too_long, 1.0, 3), Err(WindowError::Long { .. })));
}

/// Traces are the recording; settled rows count; a network that learned predicts better than one that was drawn; the tables of all methods
/// are there.
#[test]
fn completion_of_a_free_electrode() {
    let set = set(vec![Span { series: 0, rows: 0..1400 }], 1500);
    let presentation = Presentation { repetitions: 10, ..Presentation::default() };
    let stop = AtomicBool::new(false);
    let net = network();
    let drawn = parameters(&net);
    let task = task(&set, presentation);
    let settings = Settings::default();
    let mut trainer =
        Trainer::new(net, settings, drawn.clone(), protocol(1, 2), task, &CPU, &stop).expect("a trainer");
    let first = trainer.epoch(1, &mut Heard::default()).expect("an epoch").expect("not stopped");
    let last = trainer.epoch(2, &mut Heard::default()).expect("an epoch").expect("not stopped");
    assert!(last.loss < first.loss, "{} {}", first.loss, last.loss);
    let done = trainer.complete(&drawn).expect("tested").expect("a recording");
    // Of the first span alone: rows of two recordings are no trace.
    assert_eq!(done.traces.time_ms.len(), 30);
    let first = &set.test[0];
    let truth = set.series[first.series].values(first.rows.start + 1..first.rows.start + 2).expect("a row");
    let times = [0, 1, 2].map(|row| 2.0 * (first.rows.start + row) as f64);
    assert_eq!(done.traces.time_ms[..3], times);
    assert_eq!(done.traces.truth[C..2 * C], truth);
    assert_eq!(done.traces.before.len(), done.traces.truth.len());
    assert_eq!(done.traces.after.len(), done.traces.truth.len());
    // Without the first 20 ms of each span.
    assert_eq!(done.table.samples, 70 - 2 * 10);
    assert_eq!(done.table.free, ["A1"]);
    let score = done.score();
    assert_eq!(score.methods.len(), 5);
    let (before, after) = (score.before.expect("before"), score.methods[0]);
    assert!(after.cost < before.cost, "{before:?} {after:?}");
    assert_eq!(last.validation_loss.is_some(), last.validation_r2.is_some());
    assert!(last.validation_loss.is_some());
}

#[test]
fn channels_and_neurons_have_to_be_as_many() {
    let mut wrong = set(vec![Span { series: 0, rows: 0..100 }], 200);
    wrong.inputs = 1;
    let stop = AtomicBool::new(false);
    let net = network();
    let start = parameters(&net);
    let task = task(&wrong, Presentation::default());
    let error = Trainer::new(net, Settings::default(), start, protocol(1, 1), task, &CPU, &stop)
        .err()
        .expect("refused")
        .to_string();
    assert!(error.contains("1 input and 3 target channels"), "{error}");
}
