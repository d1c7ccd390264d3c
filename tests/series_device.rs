//! A run over a recording, cut, interpolated and differentiated on the device, against `simulate` with the sequence made by the host.

#![allow(clippy::expect_used, clippy::panic)] // A test fails by panicking.

mod common;

use std::sync::Arc;

use common::random::Rng;
use lagrange_gpu::data::series::{Format, Grid, Series};
use lagrange_gpu::dynamics::{Features, Model, Settings};
use lagrange_gpu::engine::{Device, Engine, Precision, Work};
use lagrange_gpu::kernels::record;
use lagrange_gpu::network::{Activation, InputMode, Network, Parameters, Population, Projection};
use lagrange_gpu::plan::{PlanId, StepControl};
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, run};

const CHANNELS: [usize; 2] = [3, 5];
const ROWS: usize = 31;
/// First rows of the windows of three trajectories, the second of which has none.
const FIRST: [usize; 3] = [4, 0, 9];
const RATE: f64 = 0.01;

fn network(input: InputMode) -> Network {
    let population =
        |name: &str, size| Population { name: name.into(), size, bias_factor: 1.0, bias_clip: None };
    Network {
        populations: vec![
            population("in", CHANNELS[0]),
            population("hidden", 7),
            population("out", CHANNELS[1]),
        ],
        projections: vec![Projection::between(0, 1), Projection::between(1, 2), Projection::between(2, 1)],
        activation: Activation::Sigmoid,
        input,
        microcircuit: None,
    }
}

fn series(format: Format) -> Series {
    let channels = CHANNELS[0] + CHANNELS[1];
    let mut numbers = Rng(11);
    let values = numbers.uniforms(ROWS * channels, -1.0, 1.0);
    let bytes = values.iter().flat_map(|v| match format {
        Format::I16 => ((v * 30_000.0) as i16).to_le_bytes().to_vec(),
        Format::F32 => (*v as f32).to_le_bytes().to_vec(),
    });
    let unit = if format == Format::I16 { 1.0 / 30_000.0 } else { 1.0 };
    let gain = (0..channels).map(|c| unit * (1.0 + 0.1 * c as f64)).collect();
    let offset = (0..channels).map(|c| 0.05 * c as f64).collect();
    let names = (0..channels).map(|c| format!("c{c}")).collect();
    Series::in_memory(names, 2.0, format, (gain, offset), bytes.collect()).expect("whole rows")
}

/// Everything at the start, the same for both.
struct Start {
    parameters: Parameters,
    u0: Vec<f64>,
    beta: Vec<f64>,
}

fn start(net: &Network, first_rows: &[f64]) -> Start {
    let mut numbers = Rng(5);
    let weight = |p: &Projection| net.populations[p.pre].size * net.populations[p.post].size;
    let parameters = Parameters {
        weights: net.projections.iter().map(|p| numbers.normals(weight(p), 0.3)).collect(),
        biases: numbers.normals(net.neurons(), 0.1),
        microcircuit: Default::default(),
    };
    let (n, channels) = (net.neurons(), CHANNELS[0] + CHANNELS[1]);
    let mut u0 = numbers.normals(3 * n, 0.5);
    if net.input.is_clamped() {
        for b in 0..3 {
            u0[b * n..b * n + CHANNELS[0]].copy_from_slice(&first_rows[b * channels..][..CHANNELS[0]]);
        }
    }
    Start { parameters, u0, beta: vec![0.5; CHANNELS[1]] }
}

/// Voltages of all steps and the weights after them, and Σ‖f‖ at entry, by the device that slices.
fn on_device(
    net: &Network,
    settings: Settings,
    data: &Series,
    start: &Start,
    steps: usize,
) -> (Vec<f64>, Vec<Vec<f64>>, Vec<f64>) {
    let features = Features { learning: true, ..Features::series(ROWS, data.format, data.cols()) };
    let model = Arc::new(Model::new(net.clone(), settings, 3, features).expect("a model"));
    let mut engine = Engine::new(Arc::clone(&model), &Device::Cpu(Precision::F64)).expect("an engine");
    let l = &model.layout;
    for (&buf, w) in l.weights.iter().zip(&start.parameters.weights) {
        engine.write(buf, w).expect("written");
    }
    engine.write(l.biases, &start.parameters.biases).expect("written");
    engine.write(l.bias_factors, &vec![1.0; net.neurons()]).expect("written");
    engine.write(l.beta, &[vec![0.0; CHANNELS[1]], start.beta.clone()].concat()).expect("written");
    engine.write(l.u, &start.u0).expect("written");
    engine.write(l.active, &[1.0, 0.0, 1.0]).expect("written");
    engine.write(l.series_gain, &data.gain).expect("written");
    engine.write(l.series_offset, &data.offset).expect("written");
    let mut bytes = Vec::new();
    data.read(0..ROWS, &mut bytes).expect("rows");
    engine.write_bytes(l.series, &bytes).expect("written");
    let grid = Grid::new(data.step_ms, settings.dt_ms);
    let mut voltages = Vec::new();
    let mut norms = vec![0.0; 3];
    // In two pieces, as long windows are submitted, each with a cursor of its own.
    let middle = steps / 3;
    for (from, to) in [(0, middle), (middle, steps)] {
        let first = grid.rows(from, to).start;
        let cursors: Vec<u8> = FIRST.iter().flat_map(|f| ((f + first) as u32).to_le_bytes()).collect();
        engine.write_bytes(l.cursor, &cursors).expect("written");
        if from == 0 {
            engine.run(&[Work::once(PlanId::Present)]).expect("ran");
        }
        for control in grid.controls(from, to) {
            let control = StepControl { rate_w: RATE / 2.0, rate_b: RATE / 2.0, beta_row: 1, ..control };
            let work = [PlanId::Step, PlanId::Observe].map(|plan| Work { plan, controls: vec![control] });
            let snapshot = engine.run(&work).expect("ran");
            assert!(snapshot.status.iter().all(|w| *w == u32::MAX), "nothing to report");
            voltages.extend(engine.read(l.u).expect("read"));
            if control.index as usize + 1 == to - from {
                for (sum, row) in norms.iter_mut().zip(snapshot.record.chunks_exact(record::LEN)) {
                    *sum += row[record::F_NORM];
                }
            }
        }
    }
    let weights = l.weights.iter().map(|&w| engine.read(w).expect("read")).collect();
    (voltages, weights, norms)
}

fn interpolated(data: &Series, grid: Grid, first: usize, step: usize) -> Vec<f64> {
    let (row, part) = grid.at(step);
    let all = data.values(first + row..ROWS).expect("rows");
    let (now, next) = all.split_at(data.cols());
    now.iter().enumerate().map(|(c, v)| if part > 0.0 { v + (next[c] - v) * part } else { *v }).collect()
}

fn close(what: &str, want: &[f64], got: &[f64]) {
    assert_eq!(want.len(), got.len(), "{what}: length");
    // The solver stops at a relative residual of 1e-12; the dynamics contract, and 40 steps of learning add up.
    for (i, (w, g)) in want.iter().zip(got).enumerate() {
        assert!((w - g).abs() < 1e-9 * w.abs().max(1.0), "{what}: index {i}: want {w}, got {g}");
    }
}

#[test]
fn the_device_follows_a_recording_as_the_host_would() {
    for (input, format, dt_ms) in [
        (InputMode::Driven, Format::F32, 1.0),
        (InputMode::Clamped, Format::I16, 1.0),
        (InputMode::Clamped, Format::F32, 0.7),
    ] {
        let (net, data) = (network(input), series(format));
        let settings = Settings { dt_ms, ..Settings::default() };
        let grid = Grid::new(data.step_ms, dt_ms);
        let steps = grid.steps(20);
        let frame = |step: usize| -> Vec<Vec<f64>> {
            FIRST.iter().map(|&f| interpolated(&data, grid, f, step)).collect()
        };
        let part = |step: usize, input: bool| -> Vec<f64> {
            let cut = |row: Vec<f64>| if input { row[..3].to_vec() } else { row[3..].to_vec() };
            frame(step).into_iter().flat_map(cut).collect()
        };
        let start = start(&net, &frame(0).concat());
        let input = SimulationInput {
            steps,
            batch: 3,
            x: (1..=steps).flat_map(|k| part(k, true)).collect(),
            y: (1..=steps).flat_map(|k| part(k, false)).collect(),
            beta: start.beta.repeat(steps),
            learn: vec![true; steps],
            parameters: start.parameters.clone(),
            u0: start.u0.clone(),
            x_prev: part(0, true),
            y_prev: part(0, false),
            active: Some(vec![true, false, true]),
            ..SimulationInput::default()
        };
        let setup = Setup {
            network: net.clone(),
            settings,
            rate_w: RATE,
            rate_b: RATE,
            schedule: Default::default(),
        };
        let want = run(&setup, &Device::Cpu(Precision::F64), &input, &Record::default()).expect("simulated");
        assert_eq!((want.stop.as_ref(), want.steps_completed), (None, steps));
        let (voltages, weights, norms) = on_device(&net, settings, &data, &start, steps);
        let n = net.neurons();
        let active = |u: &[f64]| -> Vec<f64> {
            u.chunks_exact(n).enumerate().filter(|(i, _)| i % 3 != 1).flat_map(|(_, u)| u.to_vec()).collect()
        };
        close("u", &active(&want.u), &active(&voltages));
        for (want, got) in want.end.weights.iter().zip(&weights) {
            close("W", want, got);
        }
        let sums: Vec<f64> = [0, 2].map(|b| want.f_entry_norm.iter().skip(b).step_by(3).sum()).to_vec();
        close("sum of |f|", &sums, &[norms[0], norms[2]]);
    }
}
