//! One training time step on the CPU in f32, 784-300-100-10, with and without resident weights: `cargo bench --bench step`.
//!
//! A step is measured within presentations of 30 steps, all of which learn, so that what a presentation costs once has its share in each step.
//! `benches/record` keeps a table of this in `benches/results/`.

mod common;

use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use lagrange_gpu::dynamics::Resident;
use lagrange_gpu::train::{Gates, Ramp, controls, work};

/// Time steps of a presentation, as in `mnist.toml`.
const STEPS: u32 = 30;

fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("step");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.warm_up_time(Duration::from_millis(200));
    for (batch, seconds) in [(1, 1), (32, 1), (128, 2), (512, 6)] {
        group.measurement_time(Duration::from_secs(seconds));
        for (name, resident) in [("plain", Resident::Never), ("resident", Resident::Always)] {
            let model = Arc::new(common::model(batch, resident));
            let mut engine = common::engine(&model);
            let ramp = Ramp { from: -14.0, to: 46.0 }.values(STEPS as usize);
            let controls = controls(&ramp, Gates::default(), 1e-3, 1e-3, batch);
            let presentation = work(controls, model.layout.resident);
            group.throughput(Throughput::Elements(batch as u64));
            group.bench_function(BenchmarkId::new(name, batch), |b| {
                b.iter_custom(|n| {
                    let all: Duration = (0..n).map(|_| common::time(&mut engine, &presentation)).sum();
                    all / STEPS
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
