//! The gradient of the cost, independently of the engine, and what plasticity learns near it.

use std::sync::Arc;

use lagrange_gpu::dynamics::{Features, Model, Settings};
use lagrange_gpu::engine::{Device, Engine, Precision, Snapshot, Work};
use lagrange_gpu::network::{Network, Parameters};
use lagrange_gpu::plan::{PlanId, StepControl};
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, SimulationOutput, run};
use lagrange_gpu::train::{read_parameters, write_parameters};

use super::random::{constant, steady};

pub fn simulate(setup: &Setup, input: &SimulationInput) -> SimulationOutput {
    let out = run(setup, &Device::Cpu(Precision::F64), input, &Record::default()).unwrap();
    assert_eq!(out.stop, None);
    out
}

/// `C = ½‖u* − u_o‖²` in the steady state at β = 0, mean over the samples.
pub fn cost(net: &Network, parameters: &Parameters, x: &[f64], y: &[f64]) -> f64 {
    let (n, n_out) = (net.neurons(), net.n_out());
    let u = steady(net, parameters, x);
    let samples = u.chunks_exact(n).zip(y.chunks_exact(n_out));
    let all: f64 = samples
        .map(|(u, y)| u[n - n_out..].iter().zip(y).map(|(u, y)| 0.5 * (y - u) * (y - u)).sum::<f64>())
        .sum();
    all / (x.len() / net.n_in()) as f64
}

/// `−dC/dW` of every weight (0 of those that stay 0) and `−dC/db` of every bias but those of the input (which do not learn), by central differences: error of order 1e-10.
pub fn descent(net: &Network, at: &Parameters, x: &[f64], y: &[f64]) -> Vec<f64> {
    let step = 1e-5;
    let mut out = Vec::new();
    let slope = |change: &dyn Fn(&mut Parameters, f64)| {
        let value = |by: f64| {
            let mut moved = at.clone();
            change(&mut moved, by);
            cost(net, &moved, x, y)
        };
        -(value(step) - value(-step)) / (2.0 * step)
    };
    for k in 0..at.weights.len() {
        let p = &net.projections[k];
        for i in 0..at.weights[k].len() {
            if p.is_hollow() && i % (net.populations[p.pre].size + 1) == 0 {
                out.push(0.0);
                continue;
            }
            out.push(slope(&|p, by| p.weights[k][i] += by));
        }
    }
    for i in net.n_in()..net.neurons() {
        out.push(slope(&|p, by| p.biases[i] += by));
    }
    out
}

/// `(new − old)·scale` of every weight and of every bias but those of the input.
pub fn change(net: &Network, new: &Parameters, old: &Parameters, scale: f64) -> Vec<f64> {
    let both = |new: &[f64], old: &[f64]| -> Vec<f64> {
        new.iter().zip(old).map(|(n, o)| (n - o) * scale).collect()
    };
    let mut all: Vec<f64> = new.weights.iter().zip(&old.weights).flat_map(|(n, o)| both(n, o)).collect();
    all.extend(both(&new.biases[net.n_in()..], &old.biases[net.n_in()..]));
    all
}

/// `mean δ r̄ᵀ / β` (and `mean δ / β`) at the nudged equilibrium, as the engine learns it: relaxed first with learning off (from f = −β(u* − u) by
/// a factor 2 a step), then one step with a rate of 1 per ms.
pub fn taught(setup: &Setup, at: &Parameters, x: &[f64], y: &[f64], beta: f64) -> Vec<f64> {
    let mut input = constant(setup, at.clone(), x, y, beta, 81);
    input.learn[80] = true;
    let out = simulate(setup, &input);
    change(&setup.network, &out.end, at, 1.0 / (setup.settings.dt_ms * beta))
}

/// A mini-batch for [`backprop`].
#[derive(Clone, Debug)]
pub struct Lesson {
    /// `[batch, n_in]`.
    pub x: Vec<f64>,
    /// `[batch, n_out]`.
    pub y: Vec<f64>,
    /// One a trajectory.
    pub active: Vec<bool>,
    /// Learning rate of the weights.
    pub rate_w: f64,
    /// Learning rate of the biases.
    pub rate_b: f64,
}

/// Parameters after one update by the control, and its metrics.
pub fn backprop(
    net: &Network,
    settings: Settings,
    at: &Parameters,
    lesson: &Lesson,
    device: &Device,
) -> (Parameters, Snapshot) {
    let batch = lesson.active.len();
    let model = Arc::new(Model::new(net.clone(), settings, batch, Features::training(false)).unwrap());
    let l = model.layout.clone();
    let mut engine = Engine::new(model, device).unwrap();
    write_parameters(&mut engine, at).unwrap();
    let factors: Vec<f64> =
        net.populations.iter().flat_map(|p| std::iter::repeat_n(p.bias_factor, p.size)).collect();
    let active: Vec<f64> = lesson.active.iter().map(|&a| f64::from(u8::from(a))).collect();
    for (buf, data) in
        [(l.bias_factors, &factors), (l.active, &active), (l.x_new, &lesson.x), (l.y_new, &lesson.y)]
    {
        engine.write(buf, data).unwrap();
    }
    let share = 1.0 / active.iter().sum::<f64>();
    let control = StepControl {
        rate_w: lesson.rate_w * share,
        rate_b: lesson.rate_b * share,
        ..StepControl::default()
    };
    let shot = engine.run(&[Work { plan: PlanId::Backprop, controls: vec![control] }]).unwrap();
    (read_parameters(&mut engine).unwrap(), shot)
}
