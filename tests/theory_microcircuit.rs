//! Limits of the learning microcircuit: where it must be weight transport, or feedback alignment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::compare::Report;
use common::random::{Rng, chain, network, parameters, setup, sines};
use common::zoo::precise;
use lagrange_gpu::dynamics::{Integrator, Settings};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::network::{
    Activation, InputMode, InterneuronDynamics, InterneuronInput, Interneurons, Kind, Microcircuit,
    MicrocircuitInit, MicrocircuitParameters, Network, Parameters, Pathway, alignment,
};
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, SimulationOutput, run};

fn tied(dynamics: InterneuronDynamics, pathway: Pathway) -> Microcircuit {
    Microcircuit {
        ip: InterneuronInput::Tied,
        interneurons: Vec::new(),
        dynamics,
        feedback: pathway,
        pi: pathway,
        beta: 0.0,
        rate_ip: 0.0,
        rate_pi: 0.0,
        rate_feedback: 0.0,
        rate_bi: 0.0,
    }
}

/// B = W^PI = Wᵀ and b^I = b as weights of their own.
fn mirrored(net: &Network, p: &Parameters) -> MicrocircuitParameters {
    let micro = net.microcircuit.as_ref().unwrap();
    let back = |block: &lagrange_gpu::network::Block| {
        let (w, cols) = (&p.weights[block.projection.unwrap()], block.to.len);
        (0..cols).flat_map(|j| w.iter().skip(j).step_by(cols).copied()).collect::<Vec<f64>>()
    };
    let of = |kind: Kind| micro.stored(net, kind).iter().map(back).collect::<Vec<_>>();
    let biases = if micro.stored_biases(net) > 0 { p.biases.clone() } else { Vec::new() };
    MicrocircuitParameters { feedback: of(Kind::Feedback), pi: of(Kind::Pi), biases, ..Default::default() }
}

fn go(setup: &Setup, input: &SimulationInput) -> SimulationOutput {
    let out = run(setup, &Device::Cpu(Precision::F64), input, &Record::default()).unwrap();
    assert!(out.stop.is_none(), "{:?}", out.stop);
    assert!(out.solver_steps.iter().all(|s| s.unconverged == 0));
    out
}

/// Chains and a graph with a skip connection, clamped and driven.
fn networks() -> Vec<Network> {
    let mut all = Vec::new();
    for input in [InputMode::Clamped, InputMode::Driven] {
        all.push(chain(&[4, 6, 5, 3], Activation::Sigmoid, input));
        let edges = [(0, 1), (1, 2), (2, 3), (1, 3)];
        all.push(network(&[3, 5, 4, 2], &edges, Activation::Tanh, input));
    }
    all
}

/// With B = W^PI = Wᵀ, W^IP = W and β^I = 0 the apical error is Wᵀδ: the same trajectories as without a microcircuit, learning included
/// where the copies follow W. Both solvers leave a relative residual of 1e-12 a step; H has a condition below 100 and a perturbation grows
/// less than tenfold: 1e-9.
#[test]
fn mirrored_pathways_are_weight_transport() {
    let mut report = Report::default();
    let mut rng = Rng(5);
    for net in networks() {
        for integrator in [Integrator::Exact, Integrator::Euler] {
            // The explicit scheme needs weak weights.
            let std = if integrator == Integrator::Exact { 0.25 } else { 0.1 };
            let settings = Settings { integrator, max_iterations: 100, ..precise() };
            let plain = setup(net.clone(), settings);
            let start = parameters(&net, std, &mut rng);
            let mut input = sines(&plain, start, 2, 30, &mut rng);
            for (pathway, dynamics) in [
                (Pathway::Transport, InterneuronDynamics::Instantaneous),
                (Pathway::Separate, InterneuronDynamics::Instantaneous),
            ] {
                if pathway == Pathway::Separate {
                    input.learn.fill(false);
                }
                input.parameters.microcircuit = MicrocircuitParameters::default();
                let want = go(&plain, &input);
                let mut circuit = plain.clone();
                circuit.network.microcircuit = Some(tied(dynamics, pathway));
                input.parameters.microcircuit = mirrored(&circuit.network, &input.parameters);
                let got = go(&circuit, &input);
                let name = format!("{} {integrator:?} {pathway:?}", net.sizes());
                let shape = [want.steps_completed, 2, net.neurons()];
                report.compare(&name, "u", &got.u, &want.u, &shape, 1e-9);
                report.compare(&name, "u_dot", &got.u_dot, &want.u_dot, &shape, 1e-9);
                report.compare(&name, "f_norm", &got.f_norm, &want.f_norm, &shape[..2], 1e-9);
                for (got, want) in got.end.weights.iter().zip(&want.end.weights) {
                    report.compare(&name, "W", got, want, &[want.len()], 1e-9);
                }
                report.compare(&name, "b", &got.end.biases, &want.end.biases, &[net.neurons()], 1e-9);
            }
        }
    }
    report.finish();
}

/// f decays as (1 − dt/τ)ⁿ under constant input and target without learning, also with random feedback weights, as the theory of the look-ahead
/// has it for any f(u). The Euler steps leave terms of order dt: halving dt must halve the distance from e^{−t/τ}.
#[test]
fn f_decays_with_random_feedback_weights() {
    let mut rng = Rng(9);
    let mut net = chain(&[4, 6, 3], Activation::Sigmoid, InputMode::Clamped);
    let start = parameters(&net, 0.25, &mut rng);
    net.microcircuit = Some(Microcircuit {
        ip: InterneuronInput::Learned,
        interneurons: vec![Interneurons { population: 1, size: 4, factor: 1.0 }],
        beta: 0.2,
        ..tied(InterneuronDynamics::Instantaneous, Pathway::Separate)
    });
    let own = MicrocircuitParameters::draw(&net, &MicrocircuitInit::default(), 4);
    let (x, u0) = (rng.uniforms(4, 0.2, 0.8), rng.uniforms(9, 0.1, 0.9));
    let y = rng.uniforms(3, 0.1, 0.9);
    let mut gaps = Vec::new();
    for dt_ms in [0.5, 0.25] {
        let circuit = setup(net.clone(), Settings { dt_ms, ..precise() });
        let steps = (10.0 / dt_ms) as usize;
        let input = SimulationInput {
            steps,
            batch: 1,
            x: x.repeat(steps),
            y: y.repeat(steps),
            beta: vec![0.1; steps * 3],
            learn: vec![false; steps],
            parameters: Parameters { microcircuit: own.clone(), ..start.clone() },
            u0: [x.clone(), u0.clone()].concat(),
            x_prev: x.clone(),
            y_prev: y.clone(),
            ..SimulationInput::default()
        };
        let out = go(&circuit, &input);
        let (first, last) = (out.f_entry_norm[0], out.f_norm[steps - 1]);
        gaps.push((last / first - (-1.0_f64).exp()).abs());
    }
    assert!(gaps[0] < 0.03, "{gaps:?}");
    let ratio = gaps[0] / gaps[1];
    assert!((1.6..2.5).contains(&ratio), "first order: {gaps:?}");
}

/// Angles of copies and of their opposites.
#[test]
fn angles_of_copies() {
    let mut net = chain(&[3, 5, 2], Activation::Sigmoid, InputMode::Clamped);
    net.microcircuit = Some(tied(InterneuronDynamics::Instantaneous, Pathway::Separate));
    let mut p = parameters(&net, 0.3, &mut Rng(2));
    p.microcircuit = mirrored(&net, &p);
    let angles = alignment(&net, &p);
    assert_eq!(angles.len(), 1, "of the free populations only p1 gets feedback");
    assert_eq!(angles[0].population, "p1");
    // acos is steep at 1: the roundoff of the cosine becomes its root.
    assert!(angles[0].feedback_deg.unwrap() < 1e-5 && angles[0].interneurons_deg.unwrap() < 1e-5);
    p.microcircuit.feedback.iter_mut().flatten().for_each(|b| *b = -*b);
    let angles = alignment(&net, &p);
    assert!(180.0 - angles[0].feedback_deg.unwrap() < 1e-5, "{angles:?}");
    assert!(180.0 - angles[0].interneurons_deg.unwrap() < 1e-5, "{angles:?}");
    net.microcircuit = None;
    assert!(alignment(&net, &p).is_empty());
}
