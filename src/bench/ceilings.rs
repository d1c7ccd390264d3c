//! What a device can do at best: copies and large products by the engine's own kernels.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::BenchError;
use crate::dynamics::{Features, Model, Settings};
use crate::engine::{Device, Engine, Precision, Work};
use crate::kernels::{Base, Call, backward, copy, forward, weight_rate};
use crate::network::{Activation, InputMode, Network, Population, expand};
use crate::plan::{Buf, BufferSpec, Cost, Elem, Op, Plan, PlanId, Rate, Role, StepControl};

/// Working sets for which the bandwidth is measured: two buffers, together so large.
const SETS: [u64; 6] = [128 << 10, 512 << 10, 2 << 20, 8 << 20, 32 << 20, 128 << 20];
/// Rows of the buffers of a copy: every thread has some.
const ROWS: usize = 64;
/// Sizes of square weight blocks, and most trajectories of the products with them.
const SIZES: [usize; 4] = [512, 1024, 2048, 4096];
const MOST_ROWS: usize = 1024;
/// A product that takes longer is large enough.
const LARGE_S: f64 = 5e-3;
/// Repetitions, of which the fastest counts, and the shortest time of one.
const REPETITIONS: usize = 5;
const LEAST_S: f64 = 10e-3;
/// Calls of a repetition, at most.
const MOST_CALLS: usize = 100_000;

/// Ceilings of a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Ceilings {
    /// Operations per second of the fastest large product.
    pub flops: f64,
    /// Bytes per second of a copy, read and written, by the bytes of its two buffers.
    pub copies: Vec<(u64, f64)>,
}

/// What the ceilings allow for some counted work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roof {
    /// Operations per second of large products.
    pub flops: f64,
    /// Bytes per second of a copy within a working set of this size.
    pub bytes: f64,
    /// The shortest time that the work can take, seconds.
    pub least_s: f64,
}

impl Ceilings {
    /// The roofline of a step: `max(flops/ceiling, bytes/bandwidth)`, with the bandwidth of the smallest measured working set that holds what the
    /// step touches: at most all buffers, `allocated` bytes, and at most its `bytes`.
    #[must_use]
    pub fn roof(&self, flops: f64, bytes: f64, allocated: u64) -> Roof {
        let touched = bytes.min(allocated as f64);
        let fits = self.copies.iter().find(|(set, _)| *set as f64 >= touched).or(self.copies.last());
        let bandwidth = fits.map_or(f64::NAN, |(_, bandwidth)| *bandwidth);
        Roof { flops: self.flops, bytes: bandwidth, least_s: (flops / self.flops).max(bytes / bandwidth) }
    }

    /// Measures them; `threads` as in [`super::Case`]. `None` if it was stopped.
    ///
    /// # Errors
    /// If the device refuses or is lost.
    pub fn measure(
        device: &Device,
        threads: Option<usize>,
        stop: &AtomicBool,
    ) -> Result<Option<Self>, BenchError> {
        let Some(threads) = threads else { return all(device, stop) };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|e| BenchError::Threads { threads, reason: e.to_string() })?;
        pool.install(|| all(device, stop))
    }
}

fn all(device: &Device, stop: &AtomicBool) -> Result<Option<Ceilings>, BenchError> {
    let mut copies = Vec::new();
    for set in SETS.into_iter().filter(|&set| fits(device, set)) {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        copies.push((set, copied(device, set)?));
    }
    let mut flops = 0.0_f64;
    for size in SIZES {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let (rate, seconds) = product(device, size)?;
        flops = flops.max(rate);
        if seconds > LARGE_S {
            break;
        }
    }
    Ok(Some(Ceilings { flops, copies }))
}

/// Whether an adapter can bind buffers of so many bytes together: they lie in one.
fn fits(device: &Device, bytes: u64) -> bool {
    match device {
        Device::Cpu(_) => true,
        // Some room is for what every engine has.
        Device::Gpu(gpu) => bytes < gpu.info().max_binding.min(gpu.info().max_buffer) / 10 * 9,
    }
}

/// A network of two populations, whose plan to observe is replaced.
fn model(sizes: [usize; 2], batch: usize) -> Result<Model, BenchError> {
    let population =
        |(i, size)| Population { name: format!("p{i}"), size, bias_factor: 0.0, bias_clip: None };
    let network = Network {
        populations: sizes.into_iter().enumerate().map(population).collect(),
        projections: expand(2, &[1.0]),
        activation: Activation::Linear,
        input: InputMode::Clamped,
        microcircuit: None,
    };
    Ok(Model::new(network, Settings::default(), batch, Features::training(true))?)
}

/// Bytes per second of a copy.
fn copied(device: &Device, set: u64) -> Result<f64, BenchError> {
    let real = if device.precision() == Precision::F64 { 8 } else { 4 };
    let cols = (set / 2 / real / ROWS as u64).max(1) as usize;
    let mut model = model([1, 1], ROWS)?;
    let mut buffer = |name: &str| {
        let (role, elem) = (Role::State, Elem::Real);
        let spec = BufferSpec { name: name.into(), role, elem, rows: ROWS, cols, per_trajectory: true };
        model.program.buffers.push(spec);
        Buf(model.program.buffers.len() as u16 - 1)
    };
    let (from, to) = (buffer("from"), buffer("to"));
    let call: Call = copy::Args { src: Some((from, 0)), dst: (to, 0), len: cols, rows: ROWS }.into();
    let bytes = Cost::of(&call, &model.program).traffic(real) as f64;
    // Pages are there only once they are written.
    let fill = vec![0.5; ROWS * cols];
    Ok(bytes / fastest(device, model, call, &[(from, &fill), (to, &fill)])?)
}

/// Operations per second of the fastest of the three products with a weight block, and the seconds of it.
fn product(device: &Device, size: usize) -> Result<(f64, f64), BenchError> {
    let batch = size.min(MOST_ROWS);
    let model = model([size, size], batch)?;
    let l = &model.layout;
    let (pre, post, w, scale) = (model.network.cols(0), model.network.cols(1), l.weights[0], 1.0);
    let base = Base::Zero;
    let mut calls: Vec<Call> = vec![
        forward::Args { w, x: l.r, gate: None, base, out: l.a, pre, post, scale }.into(),
        backward::Args { w, x: l.r, gate: None, base, out: l.g, pre, post, scale }.into(),
    ];
    calls.extend(l.weight_rates[0].map(|w_dot| {
        let (rate, hollow, clip) = (Rate::Weights, false, None);
        Call::from(weight_rate::Args {
            delta: l.delta,
            r: l.r,
            w_dot,
            pre,
            post,
            factor: 1.0,
            clip,
            hollow,
            rate,
        })
    }));
    let values = |len: usize| (0..len).map(|i| ((i * 37 % 101) as f64 - 50.0) * 1e-2).collect::<Vec<_>>();
    let [block, rows] = [w, l.r].map(|buf| values(model.program.spec(buf).len()));
    let mut best = (0.0_f64, 0.0);
    for call in calls {
        let flops = Cost::of(&call, &model.program).flops as f64;
        let seconds = fastest(device, model.clone(), call, &[(w, &block), (l.r, &rows), (l.delta, &rows)])?;
        if flops / seconds > best.0 {
            best = (flops / seconds, seconds);
        }
    }
    Ok(best)
}

/// Calls that take long enough to be measured, after some that took so many seconds each: more than before, [`MOST_CALLS`] at most.
fn calls(before: usize, once: f64) -> usize {
    let enough = (LEAST_S / once.max(1e-9)).ceil() as usize;
    enough.max(before + 1).min(MOST_CALLS)
}

/// Seconds of a call, the fastest of some repetitions.
fn fastest(
    device: &Device,
    mut model: Model,
    call: Call,
    content: &[(Buf, &Vec<f64>)],
) -> Result<f64, BenchError> {
    model.program.plans[PlanId::Observe as usize] = Plan { ops: vec![Op::Call(call)] };
    let mut engine = Engine::new(Arc::new(model), device)?;
    for (buf, values) in content {
        engine.write(*buf, values)?;
    }
    let control = StepControl { rate_w: 1e-3, ..StepControl::default() };
    let mut run = |count: usize| -> Result<f64, BenchError> {
        let work = [Work { plan: PlanId::Observe, controls: vec![control; count] }];
        let begun = Instant::now();
        engine.run(&work)?;
        Ok(begun.elapsed().as_secs_f64() / count as f64)
    };
    run(1)?;
    // An adapter finds the size of its submissions meanwhile.
    let mut count = 1;
    for _ in 0..12 {
        let once = run(count)?;
        if once * count as f64 >= LEAST_S || count == MOST_CALLS {
            break;
        }
        count = calls(count, once);
    }
    let mut best = f64::INFINITY;
    for _ in 0..REPETITIONS {
        best = best.min(run(count)?);
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call of a ps would take more calls than there may be; one that grew slower meanwhile still takes more than before.
    #[test]
    fn calls_grow_up_to_a_bound() {
        assert_eq!(calls(1, LEAST_S / 40.5), 41);
        assert_eq!(calls(50, LEAST_S), 51);
        assert_eq!(calls(1, 1e-12), MOST_CALLS);
        assert_eq!(calls(MOST_CALLS, 1e-12), MOST_CALLS);
    }

    /// Where operations cost more than traffic they bound the time, and the other way round; the bandwidth is that of the working set.
    #[test]
    fn the_roof_is_the_slower_of_the_two_ceilings() {
        let ceilings = Ceilings { flops: 1e9, copies: vec![(1000, 4e9), (10_000, 1e9)] };
        let roof = ceilings.roof(2e9, 1e9, 500);
        assert_eq!((roof.bytes, roof.least_s), (4e9, 2.0));
        let roof = ceilings.roof(2e9, 3e9, 1001);
        assert_eq!((roof.bytes, roof.least_s), (1e9, 3.0));
        // Beyond the largest.
        assert_eq!(ceilings.roof(0.0, 1e9, 1 << 40).bytes, 1e9);
        // A step that touches little of large buffers.
        assert_eq!(ceilings.roof(0.0, 900.0, 1 << 40).bytes, 4e9);
    }
}
