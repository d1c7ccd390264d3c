//! Answers of a network: independent of order and batch size, and what the theory says they are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod evaluate_support;

use evaluate_support::{Case, EPS32, EPS64};
use lagrange_gpu::dynamics::{Integrator, Settings};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::evaluate::{EvaluateError, Inputs, Predictor, Readout};
use lagrange_gpu::network::Activation;
use lagrange_gpu::train::Ramp;

const F64: Device = Device::Cpu(Precision::F64);
const F32: Device = Device::Cpu(Precision::F32);

/// Sizes at which products are split and blocked in other ways for 1, 7 and 64 trajectories.
const WIDE: [usize; 3] = [784, 40, 10];
const SMALL: [usize; 4] = [20, 14, 9, 4];

#[test]
fn order_and_batch_size_change_rounding_only_in_f64() {
    Case::new(&SMALL, Activation::HardSigmoid, 70, 0.3).check("small f64", &F64, EPS64);
    Case::new(&SMALL, Activation::Sigmoid, 70, 0.5).check("sigmoid f64", &F64, EPS64);
    Case::new(&WIDE, Activation::HardSigmoid, 70, 0.05).check("wide f64", &F64, EPS64);
}

#[test]
fn order_and_batch_size_change_rounding_only_in_f32() {
    Case::new(&SMALL, Activation::HardSigmoid, 70, 0.3).check("small f32", &F32, EPS32);
    Case::new(&SMALL, Activation::Sigmoid, 70, 0.5).check("sigmoid f32", &F32, EPS32);
    Case::new(&WIDE, Activation::HardSigmoid, 70, 0.05).check("wide f32", &F32, EPS32);
}

/// One at a time every sample is computed by the same operations: the same bits, whatever came before. The presentation is far too short to
/// settle, so that anything carried over would show.
#[test]
fn nothing_is_carried_over_from_the_sample_before() {
    let case = Case::new(&SMALL, Activation::HardSigmoid, 20, 0.4);
    let short = Readout::Trajectory(Ramp::default().values(3));
    for readout in [Readout::SteadyState, short] {
        for device in [F64, F32] {
            let natural: Vec<usize> = (0..case.samples()).collect();
            let mut predictor = case.predictor(1, readout.clone(), &device);
            let first = case.outputs(&mut predictor, &natural);
            assert_eq!(first, case.outputs(&mut predictor, &case.shuffled()));
            for (i, want) in first.iter().enumerate() {
                let n = case.network.n_in();
                let alone = Inputs::Bytes { images: &case.images[i * n..(i + 1) * n], table: &case.table };
                case.predictor(1, readout.clone(), &device)
                    .run(&alone, |_, got| assert_eq!(got, want))
                    .unwrap();
            }
        }
    }
}

/// Linear ρ: δ of a step is (1 − dt/τ) times that of the step before, and 0 at the start, so the trajectory is the steady state of s x at all
/// times, however large the steps. That is affine in s: u(s) = u(0) + s (u(1) − u(0)).
#[test]
fn a_linear_trajectory_is_the_steady_state_of_its_input() {
    let case = Case::new(&SMALL, Activation::Linear, 5, 0.3);
    let natural: Vec<usize> = (0..case.samples()).collect();
    let full = case.outputs(&mut case.predictor(2, Readout::SteadyState, &F64), &natural);
    let dark = Inputs::Voltages(&vec![0.0; case.network.n_in()]);
    let mut zero = Vec::new();
    case.predictor(1, Readout::SteadyState, &F64).run(&dark, |_, out| zero = out.to_vec()).unwrap();
    for ramp in [vec![0.25], vec![0.1, 0.7], Ramp::default().values(12)] {
        let s = *ramp.last().unwrap();
        let readout = Readout::Trajectory(ramp);
        let got = case.outputs(&mut case.predictor(2, readout.clone(), &F64), &natural);
        for (i, (got, full)) in got.iter().zip(&full).enumerate() {
            // The bound of each of the three numbers.
            let (_, error) = case.steady(i, EPS64, &case.long(EPS64));
            for o in 0..got.len() {
                let want = zero[o] + s * (full[o] - zero[o]);
                assert!(
                    (want - got[o]).abs() <= 3.0 * error[o],
                    "{readout:?}, sample {i}, output {o}: {want} {}",
                    got[o]
                );
            }
        }
    }
}

/// Sigmoid ρ leaves a mismatch while the input moves. Once it rests, `δ ← (1 − dt/τ) δ + O(δ²)`: the distance to the steady state shrinks by
/// (1 − dt/τ)⁸ in 8 steps, up to a part of the order of the distance itself.
#[test]
fn a_trajectory_approaches_the_steady_state_at_the_rate_of_the_theory() {
    for dt_ms in [1.0, 2.5] {
        let mut case = Case::new(&[6, 8, 5, 3], Activation::Sigmoid, 4, 1.0);
        case.settings = Settings { dt_ms, tau_ms: 10.0, tolerance: 1e-12, ..Settings::default() };
        let natural: Vec<usize> = (0..case.samples()).collect();
        let distance = |rest: usize| -> Vec<f64> {
            let mut ramp = vec![0.5];
            ramp.extend(vec![1.0; rest]);
            let got = case.outputs(&mut case.predictor(4, Readout::Trajectory(ramp), &F64), &natural);
            let steady = |i: usize| case.steady(i, EPS64, &Readout::SteadyState).0;
            let norm = |(i, got): (usize, &Vec<f64>)| {
                got.iter().zip(steady(i)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
            };
            got.iter().enumerate().map(norm).collect()
        };
        let (early, late) = (distance(30), distance(38));
        let want = (1.0 - dt_ms / 10.0_f64).powi(8);
        for (early, late) in early.iter().zip(&late) {
            assert!(*early > 1e-10, "there is a distance to shrink: {early:e}");
            // The distance is of order 1 after the jump and (1 − dt/τ)³⁰ ≤ 0.042 of it after 30 steps.
            let ratio = late / early;
            assert!((ratio / want - 1.0).abs() < 0.05, "dt {dt_ms}: ratio {ratio}, want {want}");
        }
    }
}

/// Outputs of 0, and parameters that overflow: a message, with the sample's place.
#[test]
fn what_cannot_be_evaluated_is_refused_by_name() {
    let mut case = Case::new(&[4, 3, 2], Activation::Linear, 9, 0.3);
    let mut predictor = case.predictor(4, Readout::SteadyState, &F32);
    let bytes = Inputs::Bytes { images: &case.images[..7], table: &case.table };
    let error = predictor.run(&bytes, |_, _| {}).unwrap_err();
    assert!(matches!(error, EvaluateError::Inputs { got: 7, n_in: 4 }), "{error}");

    // Sample 6, the third of the second mini-batch, is the first that is not dark.
    case.images[..24].fill(0);
    case.images[24..].fill(9);
    case.parameters.biases.fill(0.0);
    case.parameters.weights.iter_mut().for_each(|w| w.fill(1e30));
    let mut seen = Vec::new();
    let mut predictor = case.predictor(4, Readout::SteadyState, &F32);
    let all = Inputs::Bytes { images: &case.images, table: &case.table };
    let error = predictor.run(&all, |i, _| seen.push(i)).unwrap_err();
    assert!(matches!(error, EvaluateError::NotFinite { sample: 6, precision: "f32" }), "{error}");
    assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
    // 10⁶⁰ fits in double precision.
    case.predictor(4, Readout::SteadyState, &F64).run(&all, |_, _| {}).unwrap();
}

/// Euler with a chain of weight 3 is unstable (H reaches beyond 2 τ/dt − …): the voltages pass u-limit.
#[test]
fn a_diverging_trajectory_names_sample_and_neuron() {
    let mut case = Case::new(&[2, 2, 2, 2], Activation::Linear, 3, 0.3);
    case.images = vec![0, 0, 0, 0, 200, 200];
    case.parameters.biases.fill(0.0);
    case.parameters.weights.iter_mut().for_each(|w| w.fill(3.0));
    case.settings = Settings { integrator: Integrator::Euler, dt_ms: 1.0, ..case.settings };
    let readout = Readout::Trajectory(vec![1.0; 400]);
    let mut predictor: Predictor = case.predictor(3, readout, &F64);
    let inputs = Inputs::Bytes { images: &case.images, table: &case.table };
    let error = predictor.run(&inputs, |_, _| {}).unwrap_err();
    let EvaluateError::Bad { sample: 2, place, .. } = &error else { panic!("{error}") };
    assert!(place.starts_with('p') && error.to_string().contains("dt-ms"), "{error}");
}
