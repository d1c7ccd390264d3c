//! Every kernel on the adapter and in `f32` on the processor against `f64`, on random data.
//!
//! Tolerances are in units of the unit roundoff `EPS` of f32, relative to the largest value of a buffer (at least 1; the data are uniform in
//! [-1, 1]). An elementwise kernel rounds a handful of times: 16. A sum over k such terms walks at random: √k roundings of partial sums of size √k,
//! hence k + 16. `exp` may be off by 8 units on software adapters.

#![allow(clippy::expect_used, clippy::panic)] // A test fails by panicking.

mod gpu_support;

use gpu_support::{Bench, EPS, Noise, features, microcircuit, network};
use lagrange_gpu::data::series::Format;
use lagrange_gpu::dynamics::{Features, Integrator, Settings, Solver, StimulusKind};
use lagrange_gpu::gpu::Profile;
use lagrange_gpu::kernels::cg_start::Space;
use lagrange_gpu::kernels::*;
use lagrange_gpu::network::{Activation, InputMode};
use lagrange_gpu::plan::{Cols, Rate, StepControl};

const ELEMENTWISE: f64 = 16.0 * EPS;
const BOTH: [Profile; 2] = [Profile::Software, Profile::Small];
const ALL: [Profile; 3] = [Profile::Software, Profile::Small, Profile::Large];
const CONTROL: StepControl = StepControl {
    ramp: 0.25,
    ramp_prev: 0.125,
    row: 1,
    beta_row: 1,
    index: 5,
    rate_w: 0.125,
    rate_b: 0.0625,
    rate_ip: 0.25,
    rate_pi: 0.5,
    rate_feedback: 0.1875,
    rate_bi: 0.3125,
};

fn smooth(input: InputMode) -> Bench {
    // `exact` shares buffers that kernels are to have apart here.
    let settings =
        Settings { solver: Solver::Cg, integrator: Integrator::Equilibrium, ..Settings::default() };
    Bench::new(network(&[13, 21, 6], Activation::Sigmoid, input), settings, 5, features(true))
}

fn ends(b: &Bench, k: usize) -> (Cols, Cols) {
    let p = &b.model.network.projections[k];
    (b.model.network.cols(p.pre), b.model.network.cols(p.post))
}

#[test]
fn rates_of_every_activation() {
    for (name, activation) in Activation::NAMES {
        let mut b = smooth(InputMode::Clamped);
        let l = b.model.layout.clone();
        // Kinks and both tails as well as random values.
        let special = [0.0, 1.0, -0.0, 30.0, -30.0, 100.0, -100.0, 0.2499, 0.2501, 1e-6];
        b.set(l.u, |i, v| if i < special.len() { special[i] } else { 3.0 * v });
        for d2 in [l.d2, None] {
            let cols = Cols { start: 2, len: 35 };
            let call = rates::Args { u: l.u, r: l.r, d: l.d, d2, cols, identity: 5, activation };
            b.compare(name, &[call.into()], CONTROL, &BOTH[..1], ELEMENTWISE);
        }
    }
}

#[test]
fn products() {
    // 13 → 21 → 6 leaves ragged edges everywhere; 70 → 67 crosses tile borders of every profile.
    for (sizes, batch) in [(vec![13, 21, 6], 5), (vec![70, 67, 33], 66)] {
        let net = network(&sizes, Activation::Sigmoid, InputMode::Driven);
        let b =
            Bench::new(net, Settings { solver: Solver::Cg, ..Settings::default() }, batch, features(true));
        let l = &b.model.layout;
        for k in 0..2 {
            let (pre, post) = ends(&b, k);
            let mut calls: Vec<(&str, Call, usize)> = Vec::new();
            for (gate, base) in [(None, Base::Zero), (Some(l.d), Base::Out), (Some(l.d), Base::From(l.c))] {
                let (w, x, out) = (l.weights[k], l.r, l.r);
                let f = forward::Args { w, x, gate, base, out, pre, post, scale: 1.0 };
                calls.push(("forward", f.into(), pre.len));
                let f = backward::Args { w, x, gate, base, out: l.z, pre, post, scale: -0.75 };
                calls.push(("backward", f.into(), post.len));
            }
            for clip in [None, Some(0.05)] {
                let w_dot = l.weight_rates[k].expect("learns");
                let f = weight_rate::Args {
                    delta: l.delta,
                    r: l.r,
                    w_dot,
                    pre,
                    post,
                    factor: 0.5,
                    clip,
                    hollow: false,
                    rate: Rate::Weights,
                };
                calls.push(("weight_rate", f.into(), batch));
            }
            for (name, call, depth) in calls {
                b.compare(name, &[call], CONTROL, &ALL, (depth as f64 + 16.0) * EPS);
            }
        }
    }
}

/// A population onto itself: only the diagonal differs, and is 0 whatever δ and r̄ are.
#[test]
fn a_hollow_rate_has_no_diagonal() {
    for (size, batch) in [(13, 5), (70, 66)] {
        let net = network(&[size, size, 6], Activation::Sigmoid, InputMode::Driven);
        let b =
            Bench::new(net, Settings { solver: Solver::Cg, ..Settings::default() }, batch, features(true));
        let l = &b.model.layout;
        let (w_dot, own) = (l.weight_rates[0].expect("learns"), Cols { start: 0, len: size });
        let rate = |hollow: bool| -> Call {
            weight_rate::Args {
                delta: l.delta,
                r: l.r,
                w_dot,
                pre: own,
                post: own,
                factor: 0.5,
                clip: None,
                hollow,
                rate: Rate::Weights,
            }
            .into()
        };
        let tolerance = (batch as f64 + 16.0) * EPS;
        let full = b.compare("weight_rate", &[rate(false)], CONTROL, &ALL, tolerance);
        let hollow = b.compare("weight_rate hollow", &[rate(true)], CONTROL, &ALL, tolerance);
        let at = w_dot.0 as usize;
        for (i, (full, hollow)) in full[at].iter().zip(&hollow[at]).enumerate() {
            let diagonal = i / size == i % size;
            assert!(*hollow == if diagonal { 0.0 } else { *full }, "{i}");
            assert!(!diagonal || *full != 0.0, "{i}: something to leave out");
        }
    }
}

#[test]
fn a_product_without_learning_is_zero_whatever_its_operands() {
    let mut b = smooth(InputMode::Clamped);
    let l = b.model.layout.clone();
    b.set(l.delta, |_, _| f64::NAN);
    let (pre, post) = ends(&b, 0);
    let w_dot = l.weight_rates[0].expect("learns");
    let call = weight_rate::Args {
        delta: l.delta,
        r: l.r,
        w_dot,
        pre,
        post,
        factor: 0.5,
        clip: None,
        hollow: false,
        rate: Rate::Weights,
    };
    b.compare("weight_rate", &[call.into()], StepControl::default(), &ALL, 0.0);
}

#[test]
fn elementwise_kernels() {
    for input in [InputMode::Clamped, InputMode::Driven] {
        let b = smooth(input);
        let (l, net) = (&b.model.layout, &b.model.network);
        let (cols, outputs) = (net.free(), net.outputs());
        let driven = (input == InputMode::Driven).then_some(l.x);
        let driven_rate = driven.map(|_| l.x_dot);
        let b_dot = driven.map(|_| l.bias_rates);
        let d2 = driven.map_or(l.d2, |_| None);
        let clamp = input.is_clamped().then_some(l.x);
        let calls: Vec<Call> = vec![
            mismatch::Args { u: l.u, b: l.biases, x: driven, active: l.active, a: l.a, delta: l.delta, cols }
                .into(),
            bias_rate::Args {
                delta: l.delta,
                factor: l.bias_factors,
                b_dot: l.bias_rates,
                cols,
                rate: Rate::Biases,
                clip: driven.map(|_| 0.02),
            }
            .into(),
            drive::Args {
                delta: l.delta,
                b_dot,
                x_dot: driven_rate,
                held: clamp.map(|_| l.u_dot),
                clamped: net.clamped(),
                u: l.u,
                y: l.y,
                y_dot: l.y_dot,
                beta: l.beta,
                c: l.c,
                g: l.g,
                // With a clamped input that something projects into, all neurons have a mismatch.
                cols: Cols { start: 0, len: net.neurons() },
                outputs,
                tau_ms: 10.0,
            }
            .into(),
            bend::Args { d2: l.z, apical: l.apical, cols }.into(),
            curvature::Args { y: l.y_vec, bend: d2, beta: l.beta, z: l.z, cols, outputs }.into(),
            blend::Args::new(l.z, cols, &[(0.5, l.c), (-1.25, l.z), (2.0, l.p)]).into(),
            blend::Args::new(l.z, cols, &[(-0.1, l.c)]).into(),
            hold::Args { dst: l.u_dot, active: l.active, cols }.into(),
            gradient::Args {
                delta: l.delta,
                d: l.d,
                apical: l.apical,
                u: l.u,
                y: l.y,
                beta: l.beta,
                f: l.z,
                cols,
                outputs,
            }
            .into(),
            relax::Args { c: l.c, v: l.p, w: l.z, cols }.into(),
            combine::Args {
                v: l.y_vec,
                w: l.z,
                g: l.g,
                d2,
                apical: l.apical,
                beta: l.beta,
                u_dot: l.u_dot,
                cols,
                outputs,
            }
            .into(),
            unit::Args { m: l.p, beta: l.beta, output: 2, cols, outputs }.into(),
            integrate::Args {
                u: l.u,
                u_dot: l.u_dot,
                clamp,
                active: l.active,
                cols,
                dt_ms: 0.5,
                u_limit: 1.2,
                status: l.status,
            }
            .into(),
            copy::Args { src: Some((l.u, 3)), dst: (l.y, 1), len: 4, rows: l.batch }.into(),
            copy::Args { src: None, dst: (l.u, 7), len: 20, rows: 3 }.into(),
        ];
        for call in calls {
            b.compare(call.name(), std::slice::from_ref(&call), CONTROL, &BOTH[..1], ELEMENTWISE);
        }
    }
}

#[test]
fn updates_of_weights_and_biases() {
    let b = smooth(InputMode::Clamped);
    let l = &b.model.layout;
    let n = b.model.network.neurons();
    let (pre, _) = ends(&b, 0);
    let weights = Cols { start: 0, len: pre.len };
    for clip in [None, Some(0.5)] {
        for rate in [true, false] {
            let own = update::Args {
                p: l.weights[0],
                p_dot: l.weight_rates[0].filter(|_| rate),
                cols: weights,
                dt_ms: 0.5,
                clip,
            };
            let biases = update::Args {
                p: l.biases,
                p_dot: rate.then_some(l.bias_rates),
                cols: Cols { start: 3, len: n - 3 },
                dt_ms: 0.5,
                clip,
            };
            b.compare("update", &[own.into(), biases.into()], CONTROL, &BOTH[..1], ELEMENTWISE);
        }
    }
}

#[test]
fn samples_are_decoded_and_ramped() {
    for input in [InputMode::Clamped, InputMode::Driven] {
        let b = smooth(input);
        let l = &b.model.layout;
        let decode: Call = decode::Args {
            pixels: l.pixels,
            labels: l.labels,
            pixel_table: l.pixel_table,
            label_table: l.label_table,
            active: l.active,
            x_old: l.x_old,
            x_new: l.x_new,
            y_old: l.y_old,
            y_new: l.y_new,
        }
        .into();
        let source =
            stimulus::Source::Ramp { x_old: l.x_old, x_new: l.x_new, y_old: l.y_old, y_new: l.y_new };
        let clamp = input.is_clamped().then_some((l.u, l.u_dot));
        let ramp: Call = stimulus::Args {
            source,
            input: true,
            active: l.active,
            x: l.x,
            x_dot: l.x_dot,
            y: l.y,
            y_dot: l.y_dot,
            clamp,
            dt_ms: 0.5,
            status: l.status,
        }
        .into();
        b.compare("decode, stimulus", &[decode, ramp], CONTROL, &BOTH[..1], ELEMENTWISE);
        let renew = |next, old, new| -> Call { renew::Args { next, active: l.active, old, new }.into() };
        let calls = [renew(l.x, l.x_old, l.x_new), renew(l.y, l.y_old, l.y_new)];
        b.compare("renew", &calls, CONTROL, &BOTH[..1], ELEMENTWISE);
    }
}

#[test]
fn sequences_are_followed() {
    let net = network(&[13, 21, 6], Activation::HardSigmoid, InputMode::Clamped);
    let mut f = features(false);
    f.stimulus = StimulusKind::Sequence { steps: 3 };
    let b = Bench::new(net, Settings::default(), 5, f);
    let l = &b.model.layout;
    let call: Call = stimulus::Args {
        source: stimulus::Source::Sequence { x: l.x_seq, y: l.y_seq },
        input: true,
        active: l.active,
        x: l.x,
        x_dot: l.x_dot,
        y: l.y,
        y_dot: l.y_dot,
        clamp: Some((l.u, l.u_dot)),
        dt_ms: 0.5,
        status: l.status,
    }
    .into();
    b.compare("stimulus", &[call], CONTROL, &BOTH[..1], ELEMENTWISE);
}

/// Rows of a recording in both formats, inside a window, on its last row, and at its start; windows that end beyond the rows that are held
/// read the last one. A value that is not finite is noted.
#[test]
fn recordings_are_sliced() {
    for (format, input, bad) in [
        (Format::I16, InputMode::Clamped, false),
        (Format::F32, InputMode::Driven, false),
        (Format::F32, InputMode::Clamped, true),
    ] {
        let f = Features::series(7, format, 19);
        let mut b = Bench::new(network(&[13, 21, 6], Activation::Sigmoid, input), Settings::default(), 5, f);
        let l = b.model.layout.clone();
        let cursors = [0_u32, 3, 4, 6, 9].map(u32::to_le_bytes).concat();
        b.bytes[l.cursor.0 as usize] = cursors;
        if format == Format::F32 {
            let mut noise = Noise::new(3);
            let value = |i: usize| if bad && i == 4 * 19 + 15 { f32::NAN } else { noise.next() as f32 };
            b.bytes[l.series.0 as usize] = (0..7 * 19).map(value).flat_map(f32::to_le_bytes).collect();
        }
        for (start, ramp) in [(false, 0.25), (false, 0.0), (true, 1.0)] {
            let call: Call = slice::Args {
                series: l.series,
                format,
                cursor: l.cursor,
                gain: l.series_gain,
                offset: l.series_offset,
                start,
                active: l.active,
                x: l.x,
                x_dot: l.x_dot,
                y: l.y,
                y_dot: l.y_dot,
                clamp: input.is_clamped().then_some((l.u, l.u_dot)),
                dt_ms: 0.5,
                status: l.status,
            }
            .into();
            let control = StepControl { ramp, ..CONTROL };
            b.compare("slice", &[call], control, &BOTH[..1], ELEMENTWISE);
        }
    }
}

#[test]
fn history_of_the_explicit_schemes() {
    for integrator in [Integrator::Euler, Integrator::Richardson1, Integrator::Richardson2] {
        let settings = Settings { integrator, ..Settings::default() };
        let net = network(&[13, 21, 6], Activation::Sigmoid, InputMode::Clamped);
        let b = Bench::new(net, settings, 5, features(false));
        let l = &b.model.layout;
        let call = guess::Args {
            u_dot: l.u_dot,
            history: l.history.clone(),
            weights: integrator.guess_weights(),
            v: l.y_vec,
            cols: b.model.network.free(),
            clamped: b.model.network.clamped(),
        };
        b.compare("guess", &[call.into()], CONTROL, &BOTH[..1], ELEMENTWISE);
    }
}

#[test]
fn metrics() {
    let mut b = smooth(InputMode::Clamped);
    let l = b.model.layout.clone();
    // ρ' of a sigmoid lies in (0, 0.25); equal basal predictions, the first of which is the class.
    b.set(l.d, |_, v| 0.125 + 0.125 * v);
    let (n, out) = (b.model.network.neurons(), b.model.network.outputs());
    b.set(l.a, |i, v| if [2, 3].contains(&(i / n)) && i % n >= out.start + i / n { 2.0 } else { v });
    for sums in [false, true] {
        let call = observe::Args {
            u: l.u,
            d: l.d,
            a: l.a,
            delta: l.delta,
            apical: l.apical,
            y: l.y,
            beta: l.beta,
            record: l.record,
            cols: b.model.network.free(),
            outputs: out,
            steepest: 0.25,
            sums,
        };
        // Sums of 27 squares.
        b.compare("observe", &[call.into()], CONTROL, &BOTH, 43.0 * EPS);
    }
}

#[test]
fn conjugate_gradients() {
    for space in [Space::Full, Space::Output] {
        let mut b = smooth(InputMode::Clamped);
        let l = b.model.layout.clone();
        // A direction and an image that make pᵀq large and positive: no cancellation, so that α is well conditioned.
        let p = b.get(l.p).to_vec();
        b.set(l.z, |i, v| 0.5 * p[i] + 0.01 * v);
        // Book: residual² 3, threshold² 1; the third trajectory has converged.
        b.set(b.preset, |i, _| {
            [if i / solver::LEN == 2 { 0.5 } else { 3.0 }, 1.0, 2.0, 4.0, 1.0, 0.0, 0.0, 1e-3, 0.0]
                [i % solver::LEN]
        });
        let (cols, outputs) = (b.model.network.free(), b.model.network.outputs());
        let (u_dot, z, y, p, res, beta, solver) = (l.u_dot, l.z, l.y_vec, l.p, l.res, l.beta, l.solver);
        let begin: Call =
            cg_start::Args { space, u_dot, z, y, p, res, beta, solver, cols, outputs, tolerance: 1e-3 }
                .into();
        let step: Call = cg_step::Args { space, u_dot, z, y, p, res, beta, solver, cols, outputs }.into();
        let finish: Call = cg_finish::Args { solver, active: l.active, tolerance: 1e-3 }.into();
        // 27 terms a sum; α and the gain are quotients of two of them.
        let tolerance = 2.0 * 43.0 * EPS;
        b.compare("cg_start", &[begin], CONTROL, &BOTH, tolerance);
        b.compare("cg_step", &[step], CONTROL, &BOTH, tolerance);
        b.compare("cg_finish", &[finish], CONTROL, &BOTH[..1], tolerance);
        let (c, z, u_dot, solver) = (l.c, l.z, l.u_dot, l.solver);
        let call = assemble::Args { c, z, u_dot, solver, cols, warm: space == Space::Full };
        b.compare("assemble", &[call.into()], CONTROL, &BOTH, tolerance);
    }
}

/// Both halves of an iteration with numbers that make every denominator large; the fourth trajectory is orthogonal to its shadow and starts
/// anew, the third has converged.
#[test]
fn biconjugate_gradients() {
    let mut b = circuit();
    let l = b.model.layout.clone();
    let n = b.model.network.neurons();
    let res = b.get(l.res).to_vec();
    b.set(l.bicg.shadow, |i, v| if i / n == 3 { 0.0 } else { res[i] + 0.1 * v });
    for image in [l.bicg.q, l.z] {
        b.set(image, |i, v| res[i] + 0.1 * v);
    }
    b.set(l.bicg.scalars, |i, v| 1.5 + i as f64 + 0.1 * v);
    b.set(b.preset, |i, _| {
        [if i / solver::LEN == 2 { 0.5 } else { 3.0 }, 1.0, 2.0, 4.0, 1.0, 0.0, 0.0, 1e-3, 0.0]
            [i % solver::LEN]
    });
    let (u_dot, z, y, p, res, solver) = (l.u_dot, l.z, l.y_vec, l.p, l.res, l.solver);
    let (shadow, q, scalars) = (l.bicg.shadow, l.bicg.q, l.bicg.scalars);
    let cols = b.model.network.free();
    // 27 terms a sum; lengths and gain are quotients of two or three of them.
    let tolerance = 4.0 * 43.0 * EPS;
    for stage in [bicg_start::Stage::Guess, bicg_start::Stage::Residual] {
        let tolerance_of = 1e-3;
        let call = bicg_start::Args {
            stage,
            c: l.c,
            u_dot,
            z,
            res,
            shadow,
            p,
            y,
            scalars,
            solver,
            cols,
            tolerance: tolerance_of,
        };
        b.compare("bicg_start", &[call.into()], CONTROL, &BOTH, tolerance);
    }
    for half in [bicg_step::Half::First, bicg_step::Half::Second] {
        let call = bicg_step::Args { half, u_dot, q, z, res, shadow, p, y, scalars, solver, cols };
        b.compare("bicg_step", &[call.into()], CONTROL, &BOTH, tolerance);
    }
}

fn circuit() -> Bench {
    let mut net = network(&[13, 21, 6], Activation::Sigmoid, InputMode::Clamped);
    net.microcircuit = Some(microcircuit());
    Bench::new(net, Settings::default(), 5, features(true))
}

#[test]
fn kernels_of_a_microcircuit() {
    let b = circuit();
    let (l, net) = (&b.model.layout, &b.model.network);
    let m = l.micro.as_ref().expect("a microcircuit");
    let (cols, outputs) = (net.free(), net.outputs());
    let (x, x_dot) = (Some(l.x), Some(l.x_dot));
    let mut calls: Vec<Call> = vec![
        apical_error::Args { u: l.u, feedback: m.sum, apical: l.apical, active: l.active }.into(),
        couple::Args { c: l.c, g: l.g, d: l.d, apical: l.apical, q: m.q, cols, tau_ms: 8.0 }.into(),
    ];
    for (t, beta, sign) in [(None, None, 1.0), (Some(m.q), Some(l.beta), -1.0)] {
        let (d2, apical) = (l.d2.filter(|_| t.is_some()), l.apical);
        let (base, y, d, out) = (l.c, l.y_vec, l.d, l.z);
        calls.push(image::Args { base, y, t, d, d2, apical, beta, out, sign, cols, outputs }.into());
    }
    // The network has fewer interneurons than inputs, so that only some of them meet x.
    for (x, u_dot, out, beta) in
        [(x, None, m.u, 0.0), (None, Some(m.u_dot), m.u, 0.25), (x, Some(m.u_dot), m.ahead, 0.25)]
    {
        let (p, g, u, mismatch, b, active) = (m.p, m.g, m.u, m.mismatch, m.biases, l.active);
        let call = interneuron::Args { p, g, u, out, u_dot, mismatch, b, x, active, beta, dt_ms: 0.5 };
        calls.push(call.into());
    }
    for (b_dot, x_dot) in [(Some(m.bias_rates), None), (None, x_dot)] {
        let (m, g, u) = (m.m, m.g, m.u);
        calls.push(interneuron_drive::Args { m, g, u, b_dot, x_dot, beta: 0.25, tau_ms: 8.0 }.into());
    }
    for call in calls {
        b.compare(call.name(), std::slice::from_ref(&call), CONTROL, &BOTH[..1], ELEMENTWISE);
    }
}

/// Blocks between neurons and interneurons, whose buffers differ in width, and every learning rate.
#[test]
fn products_of_a_microcircuit() {
    let b = circuit();
    let (l, m) = (&b.model.layout, b.model.layout.micro.as_ref().expect("a microcircuit"));
    let mut calls: Vec<(&str, Call, usize)> = Vec::new();
    let (pi, ip, feedback) = (m.pi[0], m.ip[0], m.feedback[0]);
    let (x, scale) = (m.u, -0.75);
    let (pre, post) = (pi.to, pi.from);
    let call = backward::Args { w: pi.w, x, gate: None, base: Base::Out, out: l.apical, pre, post, scale };
    calls.push(("backward", call.into(), post.len));
    let (w_dot, rate) = (pi.rate.expect("learns"), Rate::Apical);
    let call = weight_rate::Args {
        delta: m.u,
        r: l.apical,
        w_dot,
        pre,
        post,
        factor: 0.5,
        clip: None,
        hollow: false,
        rate,
    };
    calls.push(("weight_rate", call.into(), l.batch));
    let (pre, post) = (ip.from, ip.to);
    let call =
        forward::Args { w: ip.w, x: l.r, gate: Some(l.d), base: Base::Out, out: m.p, pre, post, scale };
    calls.push(("forward", call.into(), pre.len));
    let (w_dot, rate) = (ip.rate.expect("learns"), Rate::Interneurons);
    let call = weight_rate::Args {
        delta: m.mismatch,
        r: l.r,
        w_dot,
        pre,
        post,
        factor: 0.5,
        clip: None,
        hollow: false,
        rate,
    };
    calls.push(("weight_rate", call.into(), l.batch));
    let (pre, post, w_dot) = (feedback.to, feedback.from, feedback.rate.expect("learns"));
    let rate = Rate::Feedback;
    let call = weight_rate::Args {
        delta: l.u,
        r: m.sum,
        w_dot,
        pre,
        post,
        factor: 0.5,
        clip: None,
        hollow: false,
        rate,
    };
    calls.push(("weight_rate", call.into(), l.batch));
    let cols = Cols { start: 0, len: 9 };
    let (factor, b_dot, rate) = (m.bias_factors, m.bias_rates, Rate::InterneuronBiases);
    calls.push((
        "bias_rate",
        bias_rate::Args { delta: m.mismatch, factor, b_dot, cols, rate, clip: None }.into(),
        l.batch,
    ));
    for (name, call, depth) in calls {
        b.compare(name, &[call], CONTROL, &ALL, (depth as f64 + 16.0) * EPS);
    }
}

#[test]
fn woodbury_inverse() {
    let settings = Settings { solver: Solver::Woodbury, ..Settings::default() };
    let net = network(&[13, 21, 6], Activation::HardSigmoid, InputMode::Clamped);
    let b = Bench::new(net, settings, 5, features(false));
    let l = &b.model.layout;
    let call = woodbury::Args {
        first: l.rows[0],
        k: l.small,
        u_dot: l.u_dot,
        cols: b.model.network.free(),
        outputs: b.model.network.outputs(),
    };
    // `small` holds the factor in its lower triangle; what lies above is scratch. Both leave the product there, the adapter nothing: compare u̇.
    let calls: Vec<Call> =
        vec![call.into(), copy::Args { src: None, dst: (l.small, 0), len: 42, rows: 5 }.into()];
    // Condition at most 1 + Σ|m|² ≈ 60, sums of 27 terms.
    b.compare("woodbury", &calls, CONTROL, &BOTH, 60.0 * 43.0 * EPS);
}

#[test]
fn dense_systems() {
    for fallback in [false, true] {
        let mut b = smooth(InputMode::Clamped);
        let l = b.model.layout.clone();
        let (cols, outputs, n) =
            (b.model.network.free(), b.model.network.outputs(), b.model.network.neurons());
        let (free, start) = (cols.len, cols.start);
        let (pre, post) = ends(&b, 1);
        // Weak weights keep H well conditioned; in the fourth trajectory ρ''·Wᵀδ = 8 makes it indefinite but not singular.
        b.set(l.weights[1], |_, v| 0.2 * v);
        b.set(l.d2.expect("smooth"), |i, v| if i / n == 3 && i % n < start + 5 { 8.0 } else { 0.1 * v });
        // There the first pivot vanishes but for rounding: (JᵀJ)₀₀ = 1 + Σ (W ρ')² is taken away again, so that rows must change places.
        let (w, d) = (b.get(l.weights[1]).to_vec(), b.get(l.d)[3 * n + start]);
        let first = 1.0 + w.iter().step_by(pre.len).map(|w| (w * d).powi(2)).sum::<f64>();
        b.set(l.d2.expect("smooth"), |i, v| if i == 3 * n + start { first } else { v });
        let identity: Call =
            jacobian::Args { w: None, d: l.d, jac: l.jac, pre: cols, post: cols, cols, rows: cols }.into();
        let block: Call =
            jacobian::Args { w: Some(l.weights[1]), d: l.d, jac: l.jac, pre, post, cols, rows: cols }.into();
        b.compare("jacobian", &[identity.clone(), block.clone()], CONTROL, &BOTH[..1], ELEMENTWISE);
        let solve: Call = dense_solve::Args {
            fallback,
            jac: l.jac,
            h: l.h,
            rhs: l.rhs,
            bend: l.d2,
            beta: l.beta,
            u_dot: l.u_dot,
            solver: l.solver,
            cols,
            rows: cols.len,
            triangular: true,
            outputs,
        }
        .into();
        // Factors in h are scratch and differ in what lies outside the triangle.
        let wipe: Call = copy::Args { src: None, dst: (l.h, 0), len: free * (free + 1), rows: 5 }.into();
        // Condition below 100, sums of 27 terms.
        let calls = [identity, block, solve, wipe];
        let want = b.compare("dense_solve", &calls, CONTROL, &BOTH[..1], 100.0 * 43.0 * EPS);
        let indefinite: Vec<f64> =
            want[l.solver.0 as usize].chunks(solver::LEN).map(|book| book[solver::BENT]).collect();
        let preset: Vec<f64> = b.get(b.preset).chunks(solver::LEN).map(|book| book[solver::BENT]).collect();
        assert_eq!(indefinite[3], 1.0, "the fourth trajectory takes the elimination");
        assert_eq!(indefinite[0], preset[0], "the first one takes Cholesky");
        assert_ne!(preset[0], 1.0, "and would not show it otherwise");
    }
}

/// β = ∞ prescribes an output: whatever it would contribute is left out, on every device.
#[test]
fn kernels_at_prescribed_outputs() {
    for input in [InputMode::Clamped, InputMode::Driven] {
        let mut b = smooth(input);
        let l = b.model.layout.clone();
        let (cols, outputs) = (b.model.network.free(), b.model.network.outputs());
        b.set(l.beta, |i, v| if i % 2 == 0 { f64::INFINITY } else { v.abs() });
        b.set(l.weights[1], |_, v| 0.2 * v);
        b.set(l.d2.expect("smooth"), |_, v| 0.1 * v);
        let (beta, d2, apical) = (l.beta, l.d2, l.apical);
        let from = |dst, src, keep, scale| pin::Args { beta, dst, src, keep, scale, outputs };
        let rows = Cols { start: 0, len: b.model.network.neurons() };
        let calls: Vec<Call> = vec![
            from(l.u_dot, Some((l.y, 0)), 0.0, 2.0).into(),
            from(l.u_dot, Some((l.u, outputs.start)), 1.0, -2.0).into(),
            from(l.c, None, 0.0, 0.0).into(),
            from(l.c, Some((l.c, outputs.start)), 0.5, 1.0).into(),
            curvature::Args { y: l.y_vec, bend: d2, beta, z: l.z, cols, outputs }.into(),
            combine::Args { v: l.y_vec, w: l.z, g: l.g, d2, apical, beta, u_dot: l.u_dot, cols, outputs }
                .into(),
            gradient::Args { delta: l.delta, d: l.d, apical, u: l.u, y: l.y, beta, f: l.z, cols, outputs }
                .into(),
            drive::Args {
                delta: l.delta,
                b_dot: None,
                x_dot: None,
                held: None,
                clamped: Cols { start: 0, len: 0 },
                u: l.u,
                y: l.y,
                y_dot: l.y_dot,
                beta,
                c: l.c,
                g: l.g,
                cols,
                outputs,
                tau_ms: 10.0,
            }
            .into(),
            observe::Args {
                u: l.u,
                d: l.d,
                a: l.a,
                delta: l.delta,
                apical,
                y: l.y,
                beta,
                record: l.record,
                cols,
                outputs,
                steepest: 0.25,
                sums: false,
            }
            .into(),
        ];
        for call in calls {
            b.compare(call.name(), std::slice::from_ref(&call), CONTROL, &BOTH, 43.0 * EPS);
        }
        // J with entries above the diagonal, and with the rows of a clamped input that the hidden population projects into.
        let rows = if input.is_clamped() { cols } else { rows };
        let (pre, post) = ends(&b, 1);
        let identity = jacobian::Args { w: None, d: l.d, jac: l.jac, pre: cols, post: rows, cols, rows };
        let block = jacobian::Args { w: Some(l.weights[1]), d: l.d, jac: l.jac, pre, post, cols, rows };
        let solve = dense_solve::Args {
            fallback: false,
            jac: l.jac,
            h: l.h,
            rhs: l.rhs,
            bend: d2,
            beta,
            u_dot: l.u_dot,
            solver: l.solver,
            cols,
            rows: rows.len,
            triangular: false,
            outputs,
        };
        let wipe = copy::Args { src: None, dst: (l.h, 0), len: cols.len * (cols.len + 1), rows: 5 };
        let calls: [Call; 4] = [identity.into(), block.into(), solve.into(), wipe.into()];
        b.compare("dense_solve", &calls, CONTROL, &BOTH[..1], 100.0 * 43.0 * EPS);
    }
}

/// Newton iterates that are accepted, halved, given up, reached, idle; with a NaN in one of them.
#[test]
fn newton_iterations() {
    let settings = Settings { integrator: Integrator::Equilibrium, ..Settings::default() };
    let net = network(&[13, 21, 6], Activation::Sigmoid, InputMode::Clamped);
    let mut b = Bench::new(net, settings, 5, features(true));
    let l = b.model.layout.clone();
    let (cols, n) = (b.model.network.free(), b.model.network.neurons());
    b.set(l.active, |i, _| if i == 4 { 0.0 } else { 1.0 });
    b.set(l.f, |i, v| match (i / n, i % n) {
        (1, 20) => f64::NAN,
        (2, _) => 1e-9 * v,
        _ => v,
    });
    b.set(l.aim, |i, v| if i / n == 2 { 0.0 } else { v });
    let (newton, solver, active) = (l.newton, l.solver, l.active);
    let book = |stage| newton_book::Args { stage, newton, solver, active, tolerance: 1e-6 };
    let check = || newton_check::Args { f: l.f, target: l.aim, u: l.u, best: l.best, g: l.g, newton, cols };
    let (u_dot, direction, best, u) = (l.u_dot, l.direction, l.best, l.u);
    let next = || newton_move::Args { u_dot, direction, best, u, newton, solver, cols };
    let mut calls: Vec<Call> = vec![book(newton_book::Stage::Open).into()];
    // The same f again is no improvement: the step is halved until the direction is given up.
    for _ in 0..newton_check::HALVINGS + 3 {
        calls.extend([check().into(), next().into()]);
    }
    for upto in [3, 5, calls.len()] {
        b.compare("newton", &calls[..upto], CONTROL, &BOTH, ELEMENTWISE);
    }
    calls.push(book(newton_book::Stage::Close).into());
    let want = b.compare("newton", &calls, CONTROL, &BOTH, ELEMENTWISE);
    let rows: Vec<&[f64]> = want[newton.0 as usize].chunks(solver::LEN).collect();
    // One evaluation that is accepted, then one a halving until the part is below the smallest.
    let halvings = f64::from(newton_check::HALVINGS) + 2.0;
    let evaluations: Vec<f64> = rows.iter().map(|row| row[newton::EVALUATIONS]).collect();
    assert_eq!(evaluations, [halvings, halvings - 1.0, 1.0, halvings, 0.0]);
    let before: Vec<f64> = b.get(b.preset).chunks(solver::LEN).map(|row| row[solver::UNCONVERGED]).collect();
    let after = want[solver.0 as usize].chunks(solver::LEN).map(|row| row[solver::UNCONVERGED]);
    let missed: Vec<bool> = after.zip(before).map(|(a, b)| a > b).collect();
    assert_eq!(missed, [true, true, false, true, false]);
}
