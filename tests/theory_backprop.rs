//! The control: one update is gradient descent on the cost, and what plasticity tends to as β vanishes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::case::dense;
use common::compare::Report;
use common::gradient::{Lesson, backprop, change, descent, taught};
use common::oracle::activation;
use common::random::{Rng, network, parameters, setup, steady};
use common::zoo::{Graph, topologies};
use lagrange_gpu::cpu::status;
use lagrange_gpu::dynamics::{Integrator, Settings};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::kernels::record;
use lagrange_gpu::network::{Activation, InputMode, Network, Parameters};

const CPU: Device = Device::Cpu(Precision::F64);
const INPUTS: [InputMode; 3] = [InputMode::Clamped, InputMode::Driven, InputMode::Rates];

fn lesson(net: &Network, batch: usize, rng: &mut Rng) -> Lesson {
    Lesson {
        x: rng.uniforms(batch * net.n_in(), -0.4, 1.2),
        y: rng.uniforms(batch * net.n_out(), -0.8, 0.8),
        active: vec![true; batch],
        rate_w: 1.0,
        rate_b: 1.0,
    }
}

/// Differences of C with a step h = 1e-5 are good to `h²C'''/6` and `1e-16 C/h`, some 1e-11 each of the largest. Piecewise linear ρ
/// has no kink within h of the voltages that are drawn here.
#[test]
fn an_update_descends_the_gradient() {
    let mut rng = Rng(23);
    let mut report = Report::default();
    let chain: [(usize, usize); 3] = [(0, 1), (1, 2), (2, 3)];
    let skips: [(usize, usize); 5] = [(0, 1), (1, 2), (2, 3), (1, 3), (0, 3)];
    for (name, kind) in Activation::NAMES {
        for input in INPUTS {
            for edges in [&chain[..], &skips] {
                let net = network(&[3, 5, 4, 2], edges, kind, input);
                let at = parameters(&net, 0.6, &mut rng);
                let lesson = lesson(&net, 4, &mut rng);
                let (after, _) = backprop(&net, Settings::default(), &at, &lesson, &CPU);
                let got = change(&net, &after, &at, 1.0);
                let want = descent(&net, &at, &lesson.x, &lesson.y);
                assert!(want.iter().any(|v| v.abs() > 0.01), "{name}: there is something to learn");
                let case = format!("{name} {input:?} {} projections", edges.len());
                let size = want.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
                report.compare(&case, "change", &got, &want, &[got.len()], 1e-9 * size);
            }
        }
    }
    report.finish();
}

/// One update on dense matrices, neuron by neuron: parameters, and cost and class of each trajectory.
fn by_hand(net: &Network, at: &Parameters, lesson: &Lesson) -> (Parameters, Vec<(f64, usize)>) {
    let (n, n_in, n_out) = (net.neurons(), net.n_in(), net.n_out());
    let w = dense(net, &at.weights);
    let u = steady(net, at, &lesson.x);
    let count = lesson.active.iter().filter(|a| **a).count() as f64;
    let (mut w_dot, mut b_dot) = (vec![0.0; n * n], vec![0.0; n]);
    let mut scores = Vec::new();
    for (b, u) in u.chunks_exact(n).enumerate() {
        let y = &lesson.y[b * n_out..(b + 1) * n_out];
        let out = &u[n - n_out..];
        let class = (0..n_out).fold(0, |best, o| if out[o] > out[best] { o } else { best });
        scores.push((out.iter().zip(y).map(|(u, y)| (y - u).powi(2) / 2.0).sum(), class));
        if !lesson.active[b] {
            continue;
        }
        let linear = |i: usize| net.input == InputMode::Rates && i < n_in;
        let r: Vec<f64> =
            (0..n).map(|i| if linear(i) { u[i] } else { activation(net.activation, u[i])[0] }).collect();
        let mut delta = vec![0.0; n];
        for i in (0..n).rev() {
            let nudge = if i >= n - n_out { y[i + n_out - n] - u[i] } else { 0.0 };
            let apical: f64 = (0..n).map(|j| w[j * n + i] * delta[j]).sum();
            let slope = if linear(i) { 1.0 } else { activation(net.activation, u[i])[1] };
            delta[i] = nudge + slope * apical;
        }
        for i in 0..n {
            b_dot[i] += delta[i] / count;
            for j in 0..n {
                w_dot[i * n + j] += delta[i] * r[j] / count;
            }
        }
    }
    let bound = |v: f64, clip: Option<f64>| clip.map_or(v, |c| v.clamp(-c, c));
    let mut new = at.clone();
    for (k, p) in net.projections.iter().enumerate() {
        let (pre, post) = (net.cols(p.pre), net.cols(p.post));
        for (at, w) in new.weights[k].iter_mut().enumerate() {
            let (i, j) = (post.start + at / pre.len, pre.start + at % pre.len);
            *w = bound(*w + lesson.rate_w * p.factor * w_dot[i * n + j], p.clip);
        }
    }
    for (p, population) in net.populations.iter().enumerate() {
        // A clamped input has no mismatch.
        let factor = if p == 0 && net.input.is_clamped() { 0.0 } else { population.bias_factor };
        for i in net.cols(p).range() {
            new.biases[i] = bound(new.biases[i] + lesson.rate_b * factor * b_dot[i], population.bias_clip);
        }
    }
    (new, scores)
}

/// A network with random factors and clips, and a mini-batch in which some trajectories have no sample.
fn draw(graph: &Graph, input: InputMode, kind: Activation, rng: &mut Rng) -> (Network, Lesson) {
    let mut net = network(&graph.0, &graph.1, kind, input);
    for p in &mut net.projections {
        p.factor = [0.0, 0.5, 1.0, 2.0][rng.below(4)];
        p.clip = (rng.below(3) == 0).then_some(0.4);
    }
    for p in &mut net.populations {
        p.bias_factor = [0.0, 0.5, 1.0][rng.below(3)];
        p.bias_clip = (rng.below(3) == 0).then_some(0.12);
    }
    let mut lesson = lesson(&net, 5, rng);
    (lesson.rate_w, lesson.rate_b) = (0.3, 0.2);
    lesson.active = vec![true, false, true, true, rng.below(2) == 0];
    (net, lesson)
}

fn against_dense_matrices(precision: Precision, tolerance: f64) {
    let mut rng = Rng(29);
    let mut report = Report::default();
    let device = Device::Cpu(precision);
    let forward = |graph: &Graph| graph.1.iter().all(|(pre, post)| pre < post);
    for graph in topologies().into_iter().filter(forward) {
        for (name, kind) in Activation::NAMES {
            for input in INPUTS {
                let (net, lesson) = draw(&graph, input, kind, &mut rng);
                let at = parameters(&net, 0.3, &mut rng);
                // Time does not enter: other steps, schemes and bounds on Ẇ give the same.
                let settings = Settings {
                    integrator: [Integrator::Exact, Integrator::Richardson2][rng.below(2)],
                    tau_ms: rng.uniform(5.0, 20.0),
                    dt_ms: rng.uniform(0.1, 3.0),
                    derivative_clip: Some(1e-9),
                    ..Settings::default()
                };
                let (got, shot) = backprop(&net, settings, &at, &lesson, &device);
                let (want, scores) = by_hand(&net, &at, &lesson);
                let case = format!("{} {:?} {name} {input:?}", net.sizes(), graph.1);
                for (k, (g, w)) in got.weights.iter().zip(&want.weights).enumerate() {
                    report.compare(&case, &net.projection_name(k), g, w, &[g.len()], tolerance);
                }
                report.compare(&case, "b", &got.biases, &want.biases, &[want.biases.len()], tolerance);
                let rows = shot.record.chunks_exact(record::LEN).zip(&scores);
                for ((row, (cost, class)), _) in rows.zip(&lesson.active).filter(|(_, active)| **active) {
                    report.compare(&case, "cost", &[row[record::COST]], &[*cost], &[1], tolerance);
                    assert_eq!(row[record::CLASS] as usize, *class, "{case}");
                    assert_eq!(row[record::F_NORM], 0.0, "{case}");
                }
                assert!(shot.status.iter().all(|&s| s == status::FINE), "{case}");
            }
        }
    }
    report.finish();
}

/// Sums of some ten terms of order 1.
#[test]
fn an_update_agrees_with_dense_matrices() {
    against_dense_matrices(Precision::F64, 1e-13);
}

/// The same sums with roundings of 6e-8, through up to four populations.
#[test]
fn an_update_agrees_with_dense_matrices_in_single_precision() {
    against_dense_matrices(Precision::F32, 2e-6);
}

/// What the least-action rule learns over β differs from an update by O(β): halving β halves the difference, and none is left at β = 0.
#[test]
fn plasticity_tends_to_the_control_as_beta_vanishes() {
    let mut rng = Rng(31);
    let edges = [(0, 1), (1, 2), (2, 3), (1, 3)];
    for (kind, input) in [
        (Activation::Tanh, InputMode::Clamped),
        (Activation::Sigmoid, InputMode::Driven),
        (Activation::Linear, InputMode::Rates),
    ] {
        let net = network(&[3, 5, 4, 2], &edges, kind, input);
        let settings = Settings {
            tau_ms: 10.0,
            dt_ms: 5.0,
            tolerance: 1e-14,
            max_iterations: 400,
            ..Settings::default()
        };
        let mut setup = setup(net, settings);
        (setup.rate_w, setup.rate_b) = (1.0, 1.0);
        let at = parameters(&setup.network, 0.6, &mut rng);
        let lesson = lesson(&setup.network, 3, &mut rng);
        let (after, _) = backprop(&setup.network, settings, &at, &lesson, &CPU);
        let want = change(&setup.network, &after, &at, 1.0);
        let size = want.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let learned = |beta: f64| taught(&setup, &at, &lesson.x, &lesson.y, beta);
        let most = |got: &[f64]| got.iter().zip(&want).map(|(g, w)| (g - w).abs()).fold(0.0, f64::max);
        let [coarse, fine] = [2e-4, 1e-4].map(learned);
        let ratio = most(&coarse) / most(&fine);
        assert!((1.9..2.1).contains(&ratio), "{} {input:?}: error ratio {ratio}", kind.name());
        assert!(most(&fine) < 0.01 * size, "{} {input:?}: {:e} of {size}", kind.name(), most(&fine));
        let limit: Vec<f64> = fine.iter().zip(&coarse).map(|(a, b)| 2.0 * a - b).collect();
        assert!(most(&limit) < 0.02 * most(&fine), "{} {input:?}: {:e} is left", kind.name(), most(&limit));
    }
}

/// Weights that have run away are noted, as in a time step.
#[test]
fn voltages_that_are_no_numbers_are_noted() {
    let mut rng = Rng(37);
    let net = network(&[3, 4, 2], &[(0, 1), (1, 2)], Activation::Linear, InputMode::Clamped);
    for (weight, row) in [(f64::NAN, status::STATE), (1e12, status::LIMIT)] {
        let mut at = parameters(&net, 0.3, &mut rng);
        // From input 0 to hidden neuron 2, which has index 5.
        at.weights[0][2 * 3] = weight;
        let mut lesson = lesson(&net, 2, &mut rng);
        lesson.x[0] = 0.5;
        lesson.active = vec![true, false];
        let (_, shot) = backprop(&net, Settings::default(), &at, &lesson, &CPU);
        let words: Vec<_> = shot.status.chunks_exact(2).map(|w| status::decode(w[0], 9)).collect();
        assert_eq!(words[row], Some((0, 5)), "{weight}");
        assert!(shot.status.chunks_exact(2).all(|w| w[1] == status::FINE), "{weight}");
    }
}
