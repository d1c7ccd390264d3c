//! What the criterion benches share: the main job's network on the CPU, with content that does not degenerate.
#![allow(dead_code)] // Each bench uses its own part.
#![allow(clippy::expect_used, clippy::panic)] // A bench fails by panicking.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lagrange_gpu::data::Encoding;
use lagrange_gpu::dynamics::{Features, Model, Resident, Settings};
use lagrange_gpu::engine::{Device, Engine, Precision, Work};
use lagrange_gpu::network::{Activation, Init, InitKind, InputMode, Network, Parameters, Population, expand};
use lagrange_gpu::plan::{Buf, PlanId};
use lagrange_gpu::train::write_parameters;

/// 784-300-100-10, hard sigmoid, clamped inputs: the network of `mnist.toml`.
pub fn network() -> Network {
    let sizes = [784, 300, 100, 10];
    let population = |(i, size): (usize, usize)| Population {
        name: format!("p{i}"),
        size,
        bias_factor: 1.0,
        bias_clip: None,
    };
    Network {
        populations: sizes.into_iter().enumerate().map(population).collect(),
        projections: expand(sizes.len(), &[1.0, 0.2, 0.1]),
        activation: Activation::HardSigmoid,
        input: InputMode::Clamped,
        microcircuit: None,
    }
}

pub fn model(batch: usize, resident: Resident) -> Model {
    let settings = Settings { resident, dt_ms: 5.0, tolerance: 1e-4, ..Settings::default() };
    Model::new(network(), settings, batch, Features::training(true)).expect("a valid model")
}

/// The model on the CPU in f32, with drawn weights and images of which a third is dark, at the start of a run.
pub fn engine(model: &Arc<Model>) -> Engine {
    let mut engine = Engine::new(Arc::clone(model), &Device::Cpu(Precision::F32)).expect("memory");
    let init = Init { kind: InitKind::Normal { mean: 0.0, std: 0.05 }, clip: Some(0.15) };
    let parameters = Parameters::draw(&model.network, &[init; 3], &[init; 4], 1);
    write_parameters(&mut engine, &parameters).expect("written");
    let l = &model.layout;
    engine.write(l.pixel_table, &Encoding::Unit.pixel_table()).expect("written");
    engine.write(l.label_table, &Encoding::Unit.label_table()).expect("written");
    let bytes = |buf: Buf, f: &dyn Fn(usize) -> usize| -> Vec<u8> {
        (0..model.program.spec(buf).len()).map(|i| f(i) as u8).collect()
    };
    let pixels = bytes(l.pixels, &|i| if i * 7919 % 3 == 0 { 0 } else { i * 131 % 251 });
    engine.write_bytes(l.pixels, &pixels).expect("written");
    engine.write_bytes(l.labels, &bytes(l.labels, &|i| i % 10)).expect("written");
    // Row 0 free, row 1 nudged.
    engine.write(l.beta, &[[0.0; 10], [0.1; 10]].concat()).expect("written");
    engine.write(l.bias_factors, &vec![1.0; model.network.neurons()]).expect("written");
    engine.run(&[Work::once(PlanId::Start)]).expect("started");
    engine
}

/// Wall time of the work.
pub fn time(engine: &mut Engine, work: &[Work]) -> Duration {
    let begun = Instant::now();
    engine.run(work).expect("measured");
    begun.elapsed()
}
