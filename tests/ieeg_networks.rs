//! The networks that the authors fit to intracranial EEG: no input, recurrent, nudged by 56 channels. They run without divergence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::case::dense;
use common::oracle::{activation, times, transposed};
use common::random::{Rng, network};
use lagrange_gpu::dynamics::Settings;
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::network::{Activation, Architecture, InputMode, Network, Parameters};
use lagrange_gpu::probe::{Probe, Quantity, Selection};
use lagrange_gpu::schedule::Schedule;
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, SimulationOutput, run};

const CHANNELS: usize = 56;
const STEPS: usize = 500;
const ETA: f64 = 1e-3;
/// dt/τ.
const K: f64 = 0.1;
const EVERY: usize = 50;

/// Which of the two networks.
#[derive(Clone, Copy, Debug)]
enum Which {
    /// 0-40-100-56, W normal (0, 0.3) within ±1.
    LayeredRecurrent,
    /// 0-40-56, W normal (0, 0.1) within ±0.3.
    FullyRecurrent,
}

fn draw(which: Which, rng: &mut Rng) -> (Network, Parameters) {
    let (sizes, architecture, std, clip) = match which {
        Which::LayeredRecurrent => (vec![0, 40, 100, CHANNELS], Architecture::LayeredRecurrent, 0.3, 1.0),
        Which::FullyRecurrent => (vec![0, 40, CHANNELS], Architecture::FullyRecurrent, 0.1, 0.3),
    };
    let mut net = network(&sizes, &[], Activation::Sigmoid, InputMode::Clamped);
    net.projections = architecture.projections(sizes.len(), false);
    net.projections.iter_mut().for_each(|p| p.clip = Some(clip));
    net.populations.iter_mut().for_each(|p| p.bias_factor = 0.0);
    let mut start = common::random::parameters(&net, std, rng);
    // Both precisions start from the same numbers.
    start.weights.iter_mut().flatten().for_each(|w| *w = f64::from(w.clamp(-clip, clip) as f32));
    start.biases.fill(0.0);
    (net, start)
}

/// `u = W ρ(u)`, by sweeps: the steady state at β = 0.
fn rest(net: &Network, start: &Parameters) -> Vec<f64> {
    let w = dense(net, &start.weights);
    let mut u = vec![0.0; net.neurons()];
    for _ in 0..4000 {
        let r: Vec<f64> = u.iter().map(|&u| activation(Activation::Sigmoid, u)[0]).collect();
        // Half-way, so that cycles die out.
        u.iter_mut().zip(times(&w, &r)).for_each(|(u, a)| *u = 0.5 * (*u + a));
    }
    let r: Vec<f64> = u.iter().map(|&u| activation(Activation::Sigmoid, u)[0]).collect();
    let off = times(&w, &r).iter().zip(&u).map(|(a, u)| (a - u).abs()).fold(0.0, f64::max);
    assert!(off < 1e-12, "no state of rest: {off:e}");
    u
}

/// Three sines a channel, periods of 80 to 400 ms, amplitudes of 0.25 (EEG over 2), sampled every 2 ms and interpolated to 1 ms. The first 50 ms lead there from
/// the output at rest.
fn signal(rest: &[f64], rng: &mut Rng) -> Vec<f64> {
    let waves: Vec<(f64, f64)> =
        (0..3 * CHANNELS).map(|_| (rng.uniform(80.0, 400.0), rng.uniform(0.0, 6.3))).collect();
    let sample = |channel: usize, ms: usize| -> f64 {
        let own = &waves[3 * channel..3 * channel + 3];
        own.iter()
            .map(|(period, phase)| 0.25 * (std::f64::consts::TAU * ms as f64 / period + phase).sin())
            .sum()
    };
    let mut y = Vec::new();
    for t in 1..=STEPS {
        let lead = (t as f64 / 50.0).min(1.0);
        for (c, rest) in rest.iter().enumerate() {
            let value = 0.5 * (sample(c, t / 2 * 2) + sample(c, t.div_ceil(2) * 2));
            y.push(rest + lead * (value - rest));
        }
    }
    y
}

struct Case {
    setup: Setup,
    input: SimulationInput,
}

fn case(which: Which, beta: f64, precision: Precision) -> Case {
    let mut rng = Rng(61);
    let (network, parameters) = draw(which, &mut rng);
    let u0 = rest(&network, &parameters);
    let output = u0[network.outputs().range()].to_vec();
    let settings = match precision {
        Precision::F64 => Settings { tolerance: 1e-12, ..Settings::default() },
        Precision::F32 => Settings::default(),
    };
    let settings = Settings { max_iterations: 200, ..settings };
    let setup = Setup { network, settings, rate_w: ETA, rate_b: 0.0, schedule: Schedule::Constant };
    let input = SimulationInput {
        steps: STEPS,
        batch: 1,
        y: signal(&output, &mut rng),
        beta: vec![beta; STEPS * CHANNELS],
        learn: vec![true; STEPS],
        parameters,
        u0,
        y_prev: output,
        ..SimulationInput::default()
    };
    Case { setup, input }
}

/// With δ after every step as the only probe.
fn simulate(case: &Case, precision: Precision) -> SimulationOutput {
    let probe = Probe {
        name: "delta".into(),
        populations: (1..case.setup.network.populations.len()).collect(),
        neurons: Selection::All,
        quantities: vec![Quantity::Mismatch],
        every_ms: 1.0,
        trajectories: 1,
        epochs: Selection::All,
        presentations: Selection::All,
        max_mib: 16.0,
    };
    let keep = Record {
        snapshots: (EVERY - 1..STEPS).step_by(EVERY).collect(),
        probes: vec![probe],
        voltages: true,
    };
    let out = run(&case.setup, &Device::Cpu(precision), &case.input, &keep).unwrap();
    assert_eq!(out.stop, None);
    out
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m, v| m.max(v.abs()))
}

/// ‖W‖₂ by 60 power iterations, which end within 2 % below it (added).
fn spectral(net: &Network, at: &Parameters) -> f64 {
    let w = dense(net, &at.weights);
    let mut v = Rng(5).normals(net.neurons(), 1.0);
    for _ in 0..60 {
        let size = norm(&v);
        v.iter_mut().for_each(|v| *v /= size);
        v = transposed(&w, &times(&w, &v));
    }
    1.02 * norm(&v).sqrt()
}

/// Most weights of a row that are at their bound.
fn bounded(net: &Network, at: &Parameters) -> f64 {
    let clip = net.projections[0].clip.unwrap();
    let rows = dense(net, &at.weights);
    let count = |row: &[f64]| row.iter().filter(|w| w.abs() > 0.999 * clip).count();
    rows.chunks_exact(net.neurons()).map(count).max().unwrap() as f64
}

/// What a step leaves of f beyond its linear part, from `f = (1 − D Wᵀ) δ − β(u* − u)` with `|ρ'| ≤ 1/4`, `|ρ''| ≤ 0.0963`, `|ρ'''| ≤ 1/8`, w = ‖W‖₂,
/// d = (‖Δu‖, max |Δu|), e = ‖δ‖, l = ‖ΔW‖₂. `q` is what δ has beyond its own.
fn beyond_linear(w: f64, (d, most): (f64, f64), e: f64, l: f64, neurons: f64) -> f64 {
    let q = 0.0482 * w * most * d + 0.25 * l * d;
    let delta = (1.0 + 0.25 * w) * d + l * neurons.sqrt() + q;
    let slope = 0.0963 * most;
    (1.0 + 0.25 * w) * q + 0.0625 * most * most * w * e + slope * l * e + (slope * (w + l) + 0.25 * l) * delta
}

/// `f_{n+1} = (1 − k) f_n + k β Δu* + R`, R beyond the linear part of the step and what the clips of W take back: a bound on ‖f‖ after every step
/// from what the run itself did, and one on |u| ≤ Σ|W| + |δ|, where no rate exceeds 1 and no row of W gains more than `η N Σ|δ|`.
fn check(case: &Case, out: &SimulationOutput, rounding: f64) -> [f64; 3] {
    let net = &case.setup.network;
    let (n, start) = (net.neurons(), &case.input.parameters);
    let deltas = &out.recordings[0].values[0];
    assert_eq!(deltas.len(), STEPS * n);
    let (beta, clipped) = (case.input.beta[0], bounded(net, start).max(bounded(net, &out.end)));
    let rows: Vec<f64> =
        dense(net, &start.weights).chunks_exact(n).map(|r| r.iter().map(|w| w.abs()).sum()).collect();
    let mut gained = vec![0.0; n];
    let (mut g, mut w, mut worst) = (0.0, spectral(net, start), [0.0_f64; 3]);
    let mut y_prev = &case.input.y_prev[..];
    for t in 0..STEPS {
        // At rest δ = 0.
        let old = if t == 0 { vec![0.0; n] } else { deltas[(t - 1) * n..t * n].to_vec() };
        let (u, y) = (&out.u[t * n..(t + 1) * n], &case.input.y[t * CHANNELS..(t + 1) * CHANNELS]);
        let target = norm(&y.iter().zip(y_prev).map(|(y, p)| y - p).collect::<Vec<_>>());
        let (e, moved) = (norm(&old), &out.u_dot[t * n..(t + 1) * n]);
        let learned = ETA * e * (n as f64).sqrt();
        let curved = beyond_linear(w, (norm(moved), largest(moved)), e, learned, n as f64);
        g = (1.0 - K) * g + K * beta * target + curved + (1.0 + 0.25 * w) * clipped * ETA * e + rounding;
        assert!(out.f_norm[t] <= g, "step {t}: ‖f‖ = {} above {g}", out.f_norm[t]);
        for i in 0..n {
            gained[i] += ETA * n as f64 * old[i].abs();
            let bound = rows[i] + gained[i] + deltas[t * n + i].abs() + rounding;
            assert!(u[i].abs() <= bound, "step {t}, neuron {i}: |u| = {} above {bound}", u[i]);
        }
        w += learned;
        if (t + 1) % EVERY == 0 {
            w = spectral(net, &out.snapshots[t / EVERY].parameters);
        }
        worst = [worst[0].max(out.f_norm[t]), worst[1].max(g), worst[2].max(largest(u))];
        y_prev = y;
    }
    worst
}

fn runs_without_divergence(which: Which, precision: Precision, rounding: f64) {
    for beta in [0.1, 10.0] {
        let case = case(which, beta, precision);
        let out = simulate(&case, precision);
        let most =
            |of: fn(&lagrange_gpu::simulate::SolverStep) -> usize| out.solver_steps.iter().map(of).max();
        println!(
            "{which:?} β = {beta} {precision:?}: {:?} iterations, {:?} unconverged, {:?} indefinite",
            most(|s| s.iterations),
            most(|s| s.unconverged),
            most(|s| s.indefinite)
        );
        let [f, bound, u] = check(&case, &out, rounding);
        println!("    ‖f‖ up to {f:.3} (bound {bound:.3}), |u| up to {u:.2}");
        assert_eq!(most(|s| s.unconverged), Some(0));
        assert_eq!(most(|s| s.indefinite), Some(0));
        // The bound says something: it is below the force that the whole target has on an output at 0.
        let force = case.input.y.chunks_exact(CHANNELS).map(norm).fold(0.0, f64::max);
        assert!(bound < beta * force, "a bound of {bound}, the target pulls with {}", beta * force);
    }
}

/// Residual 1e-12 and rounding of f64, times norms of some tens.
#[test]
fn layered_recurrent_in_double_precision() {
    runs_without_divergence(Which::LayeredRecurrent, Precision::F64, 1e-9);
}

#[test]
fn fully_recurrent_in_double_precision() {
    runs_without_divergence(Which::FullyRecurrent, Precision::F64, 1e-9);
}

/// Residual 1e-6 and rounding of 6e-8 in sums of 200 terms, times norms of some tens.
#[test]
fn layered_recurrent_in_single_precision() {
    runs_without_divergence(Which::LayeredRecurrent, Precision::F32, 1e-4);
}

#[test]
fn fully_recurrent_in_single_precision() {
    runs_without_divergence(Which::FullyRecurrent, Precision::F32, 1e-4);
}

/// Mean of ½‖u* − a_o‖² over the last 100 ms, a the basal prediction u − δ.
fn cost(case: &Case, out: &SimulationOutput) -> f64 {
    let (n, deltas) = (case.setup.network.neurons(), &out.recordings[0].values[0]);
    let first = case.setup.network.outputs().start;
    let of = |t: usize| -> f64 {
        (0..CHANNELS)
            .map(|o| {
                let at = t * n + first + o;
                0.5 * (case.input.y[t * CHANNELS + o] - out.u[at] + deltas[at]).powi(2)
            })
            .sum()
    };
    (STEPS - 100..STEPS).map(of).sum::<f64>() / 100.0
}

/// At β = 0.1 an output is off by some `u* − a`, which learning shrinks by `β η ‖r̄‖²` per ms: with rates near ½ of 40 (or more) neurons at least
/// 1e-3 per ms, so that 450 ms take a third of the error off, and with it more than half of the cost.
#[test]
fn learning_lowers_the_cost() {
    for which in [Which::LayeredRecurrent, Which::FullyRecurrent] {
        let mut case = case(which, 0.1, Precision::F32);
        let with = cost(&case, &simulate(&case, Precision::F32));
        case.input.learn.fill(false);
        let without = cost(&case, &simulate(&case, Precision::F32));
        println!("{which:?}: cost {with:.3} with learning, {without:.3} without");
        assert!(with < 0.5 * without, "{which:?}: {with} with learning, {without} without");
    }
}
