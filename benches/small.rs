//! A training step of the small recurrent networks that the authors fit to intracranial EEG: 0-40-100-56 layered-recurrent and 0-40-56
//! fully-recurrent, sigmoid, τ = 10 ms, dt = 1 ms, η = 1e-3 per ms, β = 0.1, no biases.
//!
//! `cargo bench --bench small [-- --csv] [--network layered|full] [--precision f64|f32] [--batch B] [--tolerance T] [--steps N] [--rounds R] [--plain] [--device gpu|NAME]
//! [--compare]`. `--plain`: the plain plan, call by call; `--compare`: both, round by round. `--device gpu`: a GPU, or software Vulkan where there is none;
//! `--device NAME`: an adapter by a part of its name; `--profile small`: with the tiles of a GPU. An adapter records the iterations that the lead
//! took, and 4 more.
//! Targets are 56 seeded channels, sampled every 2 ms and interpolated linearly to 1 ms: each a random walk that is pulled back within 50 ms.
//! Prints the median time of a step of all windows of the batch over the rounds, and the solver iterations of a step.

#![allow(clippy::expect_used, clippy::panic)] // A bench fails by panicking.

use std::sync::Arc;
use std::time::Instant;

use lagrange_gpu::dynamics::{Features, Model, Settings, StimulusKind};
use lagrange_gpu::engine::{Device, Engine, Precision, Work};
use lagrange_gpu::gpu::{self, Choice, Profile};
use lagrange_gpu::kernels::{record, solver};
use lagrange_gpu::network::{
    Activation, Architecture, Init, InitKind, InputMode, Network, Parameters, Population,
};
use lagrange_gpu::plan::{PlanId, StepControl};
use lagrange_gpu::train::write_parameters;

const CHANNELS: usize = 56;
const ETA: f64 = 1e-3;
/// Steps before the clock starts: the network leaves its initial voltages.
const LEAD: usize = 100;

/// What is asked for on the command line.
struct Asked {
    csv: bool,
    layered: bool,
    precision: Precision,
    batch: usize,
    tolerance: f64,
    steps: usize,
    rounds: usize,
    learn: bool,
    plain: bool,
    compare: bool,
    device: Device,
}

fn device(name: Option<&str>, precision: Precision, profile: Option<&str>) -> Device {
    let found = match name {
        None | Some("cpu") => return Device::Cpu(precision),
        Some("gpu") => gpu::open(&Choice::Hardware).or_else(|_| gpu::open(&Choice::Index(0))),
        Some(name) => gpu::open(&Choice::Name(name.into())),
    };
    let found = found.unwrap_or_else(|e| panic!("{e}"));
    let by_name = |wanted: &str| Profile::NAMES.into_iter().find(|(name, _)| *name == wanted);
    match profile.and_then(by_name) {
        Some((_, profile)) => Device::Gpu(found.with_profile(profile)),
        None => Device::Gpu(found),
    }
}

fn asked() -> Asked {
    let args: Vec<String> = std::env::args().collect();
    let value = |key: &str| args.iter().position(|a| a == key).and_then(|i| args.get(i + 1)).cloned();
    let number = |key: &str, default: f64| {
        value(key)
            .map_or(default, |v| v.parse().unwrap_or_else(|_| panic!("{key} takes a number, not '{v}'")))
    };
    let precision =
        if value("--precision").as_deref() == Some("f32") { Precision::F32 } else { Precision::F64 };
    let device = device(value("--device").as_deref(), precision, value("--profile").as_deref());
    let precision = device.precision();
    Asked {
        csv: args.iter().any(|a| a == "--csv"),
        plain: args.iter().any(|a| a == "--plain"),
        learn: !args.iter().any(|a| a == "--fixed"),
        layered: value("--network").as_deref() != Some("full"),
        precision,
        batch: number("--batch", 1.0) as usize,
        tolerance: number("--tolerance", if precision == Precision::F32 { 1e-6 } else { 1e-9 }),
        steps: number("--steps", 1000.0) as usize,
        rounds: number("--rounds", 7.0) as usize,
        compare: args.iter().any(|a| a == "--compare"),
        device,
    }
}

fn network(layered: bool) -> (Network, Init) {
    let (sizes, architecture, std, clip) = if layered {
        (vec![0, 40, 100, CHANNELS], Architecture::LayeredRecurrent, 0.3, 1.0)
    } else {
        (vec![0, 40, CHANNELS], Architecture::FullyRecurrent, 0.1, 0.3)
    };
    let population = |(i, &size): (usize, &usize)| Population {
        name: format!("p{i}"),
        size,
        bias_factor: 0.0,
        bias_clip: None,
    };
    let mut network = Network {
        populations: sizes.iter().enumerate().map(population).collect(),
        projections: architecture.projections(sizes.len(), false),
        activation: Activation::Sigmoid,
        input: InputMode::Driven,
        microcircuit: None,
    };
    network.projections.iter_mut().for_each(|p| p.clip = Some(clip));
    (network, Init { kind: InitKind::Normal { mean: 0.0, std }, clip: Some(clip) })
}

/// Numbers in −1..1.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1_u64 << 30) as f64 - 1.0
    }
}

/// `[steps, windows·channels]`, standard deviation 0.5 as of voltages over 2.
fn signal(steps: usize, width: usize) -> Vec<f64> {
    let mut noise = Noise(1);
    let kept = (-2.0_f64 / 50.0).exp();
    // Uniform noise has the variance 1/3.
    let kick = 0.5 * (3.0 * (1.0 - kept * kept)).sqrt();
    let mut now: Vec<f64> = (0..width).map(|_| 0.5 * noise.uniform()).collect();
    let mut rows = Vec::with_capacity(steps * width);
    while rows.len() < steps * width {
        let next: Vec<f64> = now.iter().map(|v| kept * v + kick * noise.uniform()).collect();
        rows.extend_from_slice(&now);
        rows.extend(now.iter().zip(&next).map(|(a, b)| 0.5 * (a + b)));
        now = next;
    }
    rows.truncate(steps * width);
    rows
}

fn main() {
    let asked = asked();
    let (network, init) = network(asked.layered);
    let features = Features {
        stimulus: StimulusKind::Sequence { steps: LEAD + asked.steps },
        learning: true,
        ..Features::samples(false)
    };
    let settings = Settings { tolerance: asked.tolerance, max_iterations: 200, ..Settings::default() };
    let whole = Model::new(network, settings, asked.batch, features).expect("a valid model");
    let mut plain = whole.clone();
    plain.program.small = None;
    let mut models = vec![(asked.plain, Arc::new(if asked.plain { plain.clone() } else { whole }))];
    if asked.compare {
        models.push((true, Arc::new(plain)));
    }
    let mut times = vec![Vec::new(); models.len()];
    let mut books = vec![[0.0; 4]; models.len()];
    for _ in 0..asked.rounds {
        for (k, (_, model)) in models.iter().enumerate() {
            let (ms, book) = round(model, &asked, init);
            times[k].push(1e3 * ms);
            books[k] = book;
        }
    }
    for ((plain, _), (times, book)) in models.iter().zip(times.iter_mut().zip(books)) {
        times.sort_by(f64::total_cmp);
        print(&asked, *plain, times, book);
    }
    if let [whole, plain] = &times[..] {
        println!("the plain plan takes {:.2} times as long", plain[plain.len() / 2] / whole[whole.len() / 2]);
    }
}

fn print(asked: &Asked, plain: bool, times: &[f64], [mean, most, bent, cost]: [f64; 4]) {
    let (median, least) = (times[times.len() / 2], times[0]);
    let name = if asked.layered { "layered" } else { "full" };
    if asked.csv {
        println!("{name},{},{median:.3},{least:.3},{mean:.2},{most}", asked.batch);
        return;
    }
    println!(
        "{name} {} batch {} tolerance {:e}{}: {median:.1} µs a step (least {least:.1}), {:.2} µs a slice; {mean:.2} iterations, at most {most}; H indefinite {bent} times; cost {cost:.9}",
        asked.precision.name(),
        asked.batch,
        asked.tolerance,
        if plain { ", call by call" } else { "" },
        median / asked.batch as f64
    );
}

/// One run from the start: ms a step; mean and most iterations of a step, cost at the end.
fn round(model: &Arc<Model>, asked: &Asked, init: Init) -> (f64, [f64; 4]) {
    let l = &model.layout;
    let network = &model.network;
    let mut engine = Engine::new(Arc::clone(model), &asked.device).unwrap_or_else(|e| panic!("{e}"));
    let inits = vec![init; network.projections.len()];
    let parameters = Parameters::draw(network, &inits, &vec![init; network.populations.len()], 1);
    let parameters = Parameters { biases: vec![0.0; network.neurons()], ..parameters };
    write_parameters(&mut engine, &parameters).expect("written");
    engine.write(l.beta, &[0.1; CHANNELS]).expect("written");
    // At rest the targets are the network's own outputs; half of the lead goes from there to the signal.
    engine.run(&[Work::once(PlanId::Start)]).expect("started");
    let rest = engine.read(l.y).expect("read");
    let mut y = signal(LEAD + asked.steps, asked.batch * CHANNELS);
    for (t, row) in y.chunks_exact_mut(rest.len()).enumerate().take(LEAD / 2) {
        let share = t as f64 / (LEAD / 2) as f64;
        row.iter_mut().zip(&rest).for_each(|(v, rest)| *v = rest + share * (*v - rest));
    }
    engine.write(l.y_seq, &y).expect("written");
    let rate_w = if asked.learn { ETA / asked.batch as f64 } else { 0.0 };
    let control = |row: usize| StepControl { row: row as u32, rate_w, ..StepControl::default() };
    let work =
        |rows: std::ops::Range<usize>| Work { plan: PlanId::Step, controls: rows.map(control).collect() };
    engine.set_iterations(40);
    let lead = engine.run(&[work(0..LEAD)]).expect("steps");
    let most = lead.solver.chunks_exact(solver::LEN).map(|b| b[solver::MOST]).fold(0.0, f64::max);
    engine.set_iterations(most as usize + 4);
    let begun = Instant::now();
    let found = engine.run(&[work(LEAD..LEAD + asked.steps)]).expect("steps");
    let ms = 1e3 * begun.elapsed().as_secs_f64() / asked.steps as f64;
    let at = |i: usize| found.solver.chunks_exact(solver::LEN).map(move |b| b[i]);
    assert_eq!(at(solver::UNCONVERGED).sum::<f64>(), 0.0, "every trajectory converges");
    let mean = at(solver::TOTAL).sum::<f64>() / (asked.steps * asked.batch) as f64;
    let bent = at(solver::INDEFINITE).sum::<f64>();
    let seen = engine.run(&[Work::once(PlanId::Observe)]).expect("observed");
    let cost = seen.record.chunks_exact(record::LEN).map(|r| r[record::COST]).sum::<f64>();
    (ms, [mean, at(solver::MOST).fold(0.0, f64::max), bent, cost / asked.batch as f64])
}
