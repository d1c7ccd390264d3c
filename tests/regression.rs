//! Linear regression of a network without hidden neurons, whose solution is known in closed form.
//!
//! Inputs are the eight corners (±1, ±1, ±1): with the constant of the bias their second moments are the identity, so that the least-squares
//! solution is W = mean(y xᵀ), b = mean(y).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)] // A test fails by panicking.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use lagrange_gpu::data::{Answers, Dataset, Encoding, Values};
use lagrange_gpu::dynamics::{Resident, Settings};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::evaluate::{Inputs, Predictor, Readout};
use lagrange_gpu::network::{Activation, Init, InitKind, InputMode, Network, Parameters, Population, expand};
use lagrange_gpu::schedule::Schedule;
use lagrange_gpu::train::{
    Epoch, Event, Gates, Outcome, Protocol, Ramp, Regression, Rule, Sink, Tables, Trainer,
};

const CORNERS: usize = 8;

fn corners() -> Vec<f32> {
    (0..CORNERS).flat_map(|i| (0..3).map(move |axis| if i >> axis & 1 == 1 { 1.0 } else { -1.0 })).collect()
}

fn values(targets: &[f32]) -> Values {
    Values::new(corners(), Answers::Targets(Arc::new(targets.to_vec())), [3, 2]).unwrap()
}

fn network() -> Network {
    let population = |(name, size, bias_factor): (&str, usize, f64)| Population {
        name: name.into(),
        size,
        bias_factor,
        bias_clip: None,
    };
    Network {
        populations: [("in", 3, 0.0), ("out", 2, 1.0)].map(population).into(),
        projections: expand(2, &[1.0]),
        activation: Activation::Linear,
        input: InputMode::Clamped,
        microcircuit: None,
    }
}

struct Nothing;

impl Sink for Nothing {
    fn take(&mut self, _: &Event) -> io::Result<()> {
        Ok(())
    }
}

fn protocol(rule: Rule, epochs: usize, rate: f64) -> Protocol {
    Protocol {
        seed: 5,
        rule,
        epochs,
        batch: CORNERS,
        steps: if rule == Rule::Backprop { 1 } else { 60 },
        gates: Gates { nudge_from: 0.0, learn_from: 1.0 - 1e-9 },
        ramp: Ramp { from: -20.0, to: 145.0 },
        beta: vec![1.0; 2],
        rate_w: rate,
        rate_b: rate,
        rate_decay: 1.0,
        schedule: Schedule::Constant,
        step_ms: 1.0,
        tables: Tables::from(Encoding::Unit),
    }
}

/// From W = b = 0; weights `[2, 3]` and biases `[2]` of the outputs, the epochs, and the test.
fn learn(targets: &[f32], protocol: Protocol, settings: Settings) -> (Vec<f64>, Vec<Epoch>, Regression) {
    let data = Dataset {
        train: values(targets),
        validation: Some(values(targets)),
        test: values(targets),
        description: "corners".into(),
    };
    let zeros = [Init { kind: InitKind::Zeros, clip: None }; 2];
    let parameters = Parameters::draw(&network(), &zeros, &zeros, 1);
    let (stop, epochs) = (AtomicBool::new(false), protocol.epochs);
    let device = Device::Cpu(Precision::F64);
    let mut trainer = Trainer::new(network(), settings, parameters, protocol, &data, &device, &stop).unwrap();
    let epochs = (1..=epochs).map(|n| trainer.epoch(n, &mut Nothing).unwrap().unwrap()).collect();
    let learned = trainer.parameters();
    let all = [&learned.weights[0][..], &learned.biases[3..]].concat();
    assert!(trainer.test().is_err(), "there are no classes");
    let Outcome::Values(test) = trainer.outcome().unwrap() else { panic!("values") };
    (all, epochs, test)
}

/// The closed form: W `[2, 3]`, b `[2]`.
fn least_squares(targets: &[f32]) -> Vec<f64> {
    let x = corners();
    let mean = |of: &dyn Fn(usize) -> f64| (0..CORNERS).map(of).sum::<f64>() / CORNERS as f64;
    let weight = |o: usize, i: usize| mean(&|n| f64::from(targets[2 * n + o]) * f64::from(x[3 * n + i]));
    let weights = (0..6).map(|k| weight(k / 3, k % 3));
    weights.chain((0..2).map(|o| mean(&|n| f64::from(targets[2 * n + o])))).collect()
}

/// Targets that no plane meets.
fn rough() -> Vec<f32> {
    (0..2 * CORNERS).map(|k| ((k * k * 7 + 3 * k) % 23) as f32 / 8.0 - 1.0).collect()
}

/// Gradient descent on ½ mean‖y − W x − b‖² with second moments 1 is W ← W + η (W_LS − W): after n updates, W = (1 − (1 − η)ⁿ) W_LS. An update
/// rounds a few times by ε of values below 4, and errors shrink as they are carried on: 1e-14 each, of which 1/η = 5 last.
#[test]
fn backprop_follows_the_closed_form() {
    let (targets, rate) = (rough(), 0.2);
    let want = least_squares(&targets);
    for epochs in [1, 2, 10] {
        let (got, lines, _) = learn(&targets, protocol(Rule::Backprop, epochs, rate), Settings::default());
        let share = 1.0 - (1.0 - rate).powi(epochs as i32);
        for (got, want) in got.iter().zip(&want) {
            assert!((got - share * want).abs() < 1e-13, "{epochs}: {got} {}", share * want);
        }
        assert!(lines.iter().all(|e| e.train_accuracy.is_none() && e.validation_accuracy.is_none()));
    }
}

/// At the least-squares solution the scores are those of the residuals y − W x − b. (1 − 0.5)⁶⁰ = 1e-18 of W is left out.
#[test]
fn scores_are_those_of_the_residuals() {
    let (targets, x) = (rough(), corners());
    let (solution, lines, test) = learn(&targets, protocol(Rule::Backprop, 60, 0.5), Settings::default());
    let answer = |n: usize, o: usize| {
        let row = (0..3).map(|i| solution[3 * o + i] * f64::from(x[3 * n + i])).sum::<f64>();
        row + solution[6 + o]
    };
    let mut all = 0.0;
    for o in 0..2 {
        let y: Vec<f64> = (0..CORNERS).map(|n| f64::from(targets[2 * n + o])).collect();
        let mean = y.iter().sum::<f64>() / CORNERS as f64;
        let errors: f64 = y.iter().enumerate().map(|(n, y)| (y - answer(n, o)).powi(2)).sum();
        let spread: f64 = y.iter().map(|y| (y - mean).powi(2)).sum();
        let score = test.outputs[o];
        assert!((score.r2.unwrap() - (1.0 - errors / spread)).abs() < 1e-12);
        assert!((score.rmse - (errors / CORNERS as f64).sqrt()).abs() < 1e-12);
        assert!(score.r2.unwrap() < 0.99, "something is left");
        all += errors;
    }
    assert_eq!(test.samples, CORNERS);
    assert!((test.loss - 0.5 * all / CORNERS as f64).abs() < 1e-12);
    assert!((test.rmse - (all / 16.0).sqrt()).abs() < 1e-12);
    let last = lines.last().unwrap();
    assert_eq!((last.validation_r2, last.validation_loss), (test.r2, Some(test.loss)), "the same samples");
}

/// Targets on a plane, y = W x + b. A nudged output rests at δ = β/(1 + β) (y − a), so that the error y − a shrinks by e^(−η t/2) in t ms of learning
/// at β = 1, whatever the corner a trajectory is at, since all corners are shown at once. The ramp is 1/(1 + e^(−x/4)), x = −20 + 165 k/59; it is over
/// 1 − 10⁻⁹ from x = 4 ln 10⁹ = 82.9 on, so for k = 37 … 59: 23 ms. In 100 epochs e^(−0.02/2·23·100) = 1e-10 of errors below 4 is left.
///
/// A clamped input that jumps leaves a mismatch, of at most the jump of a, which is below 4; it halves in a step of 1 ms at τ = 2 ms, and what the ramp
/// still moves halves as well (e^(−2.8/4)). Thirty steps after the middle of the ramp 4·30·2⁻³⁰ = 1e-7 is left where learning begins, as if the
/// targets were off by (1 + β)/β = 2 times that. The bound is five times this.
#[test]
fn least_action_finds_the_plane() {
    let plane = [0.5_f32, -1.0, 0.25, 1.5, 0.0, -0.75, 0.125, -0.5];
    let x = corners();
    let row =
        |n: usize, o: usize| (0..3).map(|i| plane[3 * o + i] * x[3 * n + i]).sum::<f32>() + plane[6 + o];
    let targets: Vec<f32> = (0..2 * CORNERS).map(|k| row(k / 2, k % 2)).collect();
    for resident in [Resident::Never, Resident::Always] {
        let settings = Settings { resident, tau_ms: 2.0, ..Settings::default() };
        let (got, lines, test) = learn(&targets, protocol(Rule::LeastAction, 100, 0.02), settings);
        for (got, want) in got.iter().zip(&plane) {
            assert!((got - f64::from(*want)).abs() < 1e-6, "{resident:?}: {got} {want}");
        }
        assert!(test.r2.unwrap() > 1.0 - 1e-10 && lines.iter().all(|e| e.train_accuracy.is_none()));
    }
}

/// Order and company of samples change an answer by rounding: sums of four terms below 4, 1e-14.
#[test]
fn answers_do_not_depend_on_the_company() {
    let device = Device::Cpu(Precision::F64);
    let solution = least_squares(&rough());
    let parameters = Parameters {
        weights: vec![solution[..6].to_vec()],
        biases: [&[0.0; 3], &solution[6..]].concat(),
        microcircuit: Default::default(),
    };
    let answers = |inputs: &[f32], batch: usize, readout: Readout| {
        let mut predictor = Predictor::new(&network(), Settings::default(), batch, readout, &device).unwrap();
        predictor.set_parameters(&parameters).unwrap();
        let mut all = Vec::new();
        predictor.run(&Inputs::Singles(inputs), |_, out| all.push(out.to_vec())).unwrap();
        all
    };
    let (forward, mut backward) = (corners(), Vec::new());
    forward.chunks(3).rev().for_each(|x| backward.extend_from_slice(x));
    for readout in [Readout::SteadyState, Readout::Trajectory(Ramp::default().values(30))] {
        let one = answers(&forward, 1, readout.clone());
        for batch in [3, 8] {
            let mut other = answers(&backward, batch, readout.clone());
            other.reverse();
            for (a, b) in one.iter().flatten().zip(other.iter().flatten()) {
                assert!((a - b).abs() < 1e-13, "{readout:?} {batch}: {a} {b}");
            }
        }
    }
}
