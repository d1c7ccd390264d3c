//! What the tests of checkpoints share: a small run that can be stopped anywhere, its state, and what it came to.
#![allow(dead_code)] // Each test file uses its own part.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test fails by panicking.

#[path = "../stripes/mod.rs"]
mod stripes;

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use lagrange_gpu::data::{Dataset, Encoding, Split};
use lagrange_gpu::dynamics::{Resident, Settings};
use lagrange_gpu::engine::{Carried, Device};
use lagrange_gpu::network::{
    Activation, Init, InitKind, InputMode, Microcircuit, MicrocircuitInit, MicrocircuitParameters, Network,
    Parameters, Population, expand,
};
use lagrange_gpu::schedule::Schedule;
use lagrange_gpu::train::{
    Epoch, Event, Gates, Keeper, Material, Moment, Protocol, Ramp, Score, Sink, State, TrainError, Trainer,
};
pub use stripes::{CLASSES, PIXELS, samples};

/// 17 training samples by five: three mini-batches and a tail of two.
pub const BATCHES: usize = 4;
pub const EPOCHS: usize = 3;

pub fn data() -> Dataset {
    let split = Split { seed: 5, validation: 6, train_limit: None };
    Dataset::new(samples(23, 0), samples(9, 1000), "stripes".into(), split).unwrap()
}

/// A kind of run.
#[derive(Clone, Debug)]
pub struct Kind {
    pub settings: Settings,
    pub activation: Activation,
    pub input: InputMode,
    pub schedule: Schedule,
    pub microcircuit: Option<Microcircuit>,
}

impl Kind {
    pub fn exact(resident: Resident) -> Self {
        let settings = Settings { resident, ..Settings::default() };
        Self {
            settings,
            activation: Activation::HardSigmoid,
            input: InputMode::Clamped,
            schedule: Schedule::Constant,
            microcircuit: None,
        }
    }
}

pub fn network(kind: &Kind) -> Network {
    let population = |(name, size): (&str, usize)| Population {
        name: name.into(),
        size,
        bias_factor: if name == "in" { 0.0 } else { 1.0 },
        bias_clip: None,
    };
    Network {
        populations: [("in", PIXELS), ("hidden", 10), ("out", CLASSES)].map(population).into(),
        projections: expand(3, &[1.0, 0.5]),
        activation: kind.activation,
        input: kind.input,
        microcircuit: kind.microcircuit.clone(),
    }
}

/// What a run came to, without the times it took.
#[derive(Debug, PartialEq)]
pub struct Result {
    pub epochs: Vec<Epoch>,
    pub batches: Vec<(usize, usize, f64)>,
    pub parameters: Parameters,
    pub test: Score,
    pub buffers: Vec<Carried>,
}

/// Hears events, and stops the run or keeps states where it is told to.
pub struct Watch<'a> {
    stop: &'a AtomicBool,
    /// Mini-batches to go until the run is stopped.
    left: Cell<usize>,
    always: bool,
    pub kept: Vec<(Moment, State)>,
}

impl Keeper for Watch<'_> {
    fn due(&self) -> bool {
        self.left.set(self.left.get().saturating_sub(1));
        if self.left.get() == 0 {
            self.stop.store(true, Ordering::Relaxed);
        }
        self.always
    }
    fn keep(
        &mut self,
        state: &State,
        moment: Moment,
        _: &mut dyn Sink,
    ) -> std::result::Result<(), TrainError> {
        self.kept.push((moment, state.clone()));
        Ok(())
    }
}

#[derive(Default)]
struct Heard {
    epochs: Vec<Epoch>,
    batches: Vec<(usize, usize, f64)>,
}

impl Sink for Heard {
    fn take(&mut self, event: &Event) -> io::Result<()> {
        if let Event::Batch { epoch, done, loss, .. } = event {
            self.batches.push((*epoch, *done, *loss));
        }
        Ok(())
    }
}

/// How a run is to go.
#[derive(Default)]
pub struct Plan {
    /// Where it starts; at the beginning without.
    pub from: Option<State>,
    /// Mini-batches after which it is stopped.
    pub stop_after: Option<usize>,
    /// Keep a state after every mini-batch.
    pub keep_always: bool,
}

/// Runs to the end, or until stopped: then the state comes back.
pub fn run<'a>(
    kind: &Kind,
    data: impl Into<Material<'a>>,
    device: &Device,
    plan: Plan,
) -> (Option<Result>, Vec<(Moment, State)>) {
    let stop = AtomicBool::new(false);
    let data: Material = data.into();
    let network = network(kind);
    let init = [Init { kind: InitKind::Normal { mean: 0.05, std: 0.1 }, clip: None }; 3];
    let mut parameters = Parameters::draw(&network, &init, &init, 5);
    parameters.microcircuit = MicrocircuitParameters::draw(&network, &MicrocircuitInit::default(), 5);
    let protocol = Protocol {
        rule: lagrange_gpu::train::Rule::LeastAction,
        seed: 5,
        epochs: EPOCHS,
        batch: 5,
        steps: 12,
        gates: Gates { nudge_from: 0.0, learn_from: 0.3 },
        ramp: Ramp::default(),
        beta: vec![0.1; CLASSES],
        rate_w: 0.2,
        rate_b: 0.2,
        rate_decay: 0.9,
        schedule: kind.schedule.clone(),
        step_ms: kind.settings.dt_ms,
        tables: Encoding::Unit.into(),
    };
    let mut trainer =
        Trainer::new(network, kind.settings, parameters, protocol, data, device, &stop).unwrap();
    let first = plan.from.as_ref().map_or(1, |state| state.epoch);
    if let Some(state) = plan.from {
        trainer.restore(state).unwrap();
    }
    let left = Cell::new(plan.stop_after.unwrap_or(usize::MAX));
    let mut watch = Watch { stop: &stop, left, always: plan.keep_always, kept: Vec::new() };
    let mut heard = Heard::default();
    for number in first..=EPOCHS {
        let Some(epoch) = trainer.epoch_keeping(number, &mut heard, &mut watch).unwrap() else {
            return (None, watch.kept);
        };
        heard.epochs.push(Epoch {
            samples_per_s: 0.0,
            steps_per_s: 0.0,
            elapsed_s: 0.0,
            eta_s: 0.0,
            ..epoch
        });
        if plan.keep_always {
            watch.kept.push((Moment::Periodic, trainer.state_before(number + 1).unwrap()));
        }
    }
    let test = trainer.test().unwrap();
    let buffers = trainer.state_before(EPOCHS + 1).unwrap().buffers;
    let (epochs, batches) = (heard.epochs, heard.batches);
    let parameters = trainer.parameters().clone();
    (Some(Result { epochs, batches, parameters, test, buffers }), watch.kept)
}
