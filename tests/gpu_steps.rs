//! Whole plans on the adapter: single steps against the processor from the same state, repeated runs against each other, bad numbers.

#![allow(clippy::expect_used, clippy::panic)] // A test fails by panicking.

mod gpu_support;

use std::sync::Arc;

use gpu_support::{Noise, close, device, features, network};
use lagrange_gpu::cpu::status;
use lagrange_gpu::dynamics::{Integrator, Model, Settings, Solver};
use lagrange_gpu::engine::{Device, Engine, Precision, Snapshot, Work};
use lagrange_gpu::gpu::{self, Choice, GpuError, Profile};
use lagrange_gpu::kernels::solver;
use lagrange_gpu::network::{Activation, InputMode};
use lagrange_gpu::plan::{Buf, Elem, PlanId, Role, StepControl};

const BATCH: usize = 4;

fn model(activation: Activation, input: InputMode, settings: Settings) -> Arc<Model> {
    sized(&[12, 9, 5], activation, input, settings)
}

fn sized(sizes: &[usize], activation: Activation, input: InputMode, settings: Settings) -> Arc<Model> {
    let net = network(sizes, activation, input);
    Arc::new(Model::new(net, settings, BATCH, features(true)).expect("a valid model"))
}

/// An engine with random weights, tables and samples, the last trajectory without a sample, at the start of a run.
fn begin(model: &Arc<Model>, device: &Device) -> Engine {
    let mut engine = Engine::new(Arc::clone(model), device).unwrap_or_else(|e| panic!("{e}"));
    engine.set_iterations(20);
    let (l, program) = (&model.layout, &model.program);
    let mut noise = Noise::new(3);
    let mut write = |engine: &mut Engine, buf: Buf, size: f64, shift: f64| {
        let data: Vec<f64> =
            noise.fill(program.spec(buf).len(), size).iter().map(|v| f64::from((v + shift) as f32)).collect();
        engine.write(buf, &data).expect("written");
    };
    for &w in &l.weights {
        // Basal inputs of order 1 whatever the number of presynaptic neurons.
        write(&mut engine, w, (1.0 / program.spec(w).cols as f64).sqrt(), 0.0);
    }
    write(&mut engine, l.biases, 0.3, 0.2);
    write(&mut engine, l.pixel_table, 0.45, 0.5);
    write(&mut engine, l.label_table, 0.45, 0.5);
    write(&mut engine, l.beta, 0.1, 0.2);
    engine.write(l.bias_factors, &vec![1.0; program.spec(l.bias_factors).len()]).expect("written");
    engine.write(l.active, &[1.0, 1.0, 1.0, 0.0]).expect("written");
    let pixels: Vec<u8> = (0..program.spec(l.pixels).len()).map(|i| (i * 41 % 256) as u8).collect();
    engine.write_bytes(l.pixels, &pixels).expect("written");
    engine.write_bytes(l.labels, &[0, 3, 4, 1]).expect("written");
    engine.run(&[Work::once(PlanId::Start), Work::once(PlanId::Present)]).expect("started");
    engine
}

fn control(k: usize) -> StepControl {
    let ramp = (0.2 * (k + 1) as f64).min(1.0);
    StepControl {
        ramp,
        ramp_prev: if k == 0 { 1.0 } else { 0.2 * k as f64 },
        row: 0,
        beta_row: k as u32 % 2,
        index: k as u32,
        rate_w: 0.02 / 3.0,
        rate_b: 0.01 / 3.0,
        ..StepControl::default()
    }
}

fn step(k: usize) -> [Work; 1] {
    [Work { plan: PlanId::Step, controls: vec![control(k)] }]
}

/// What a step leaves behind.
fn state(model: &Model) -> Vec<(Buf, String)> {
    let lasting = |s: &lagrange_gpu::plan::BufferSpec| {
        // An executor need not form Ẇ; what it does to u and W is compared, and Ẇ itself in `gpu_parity`.
        let kept = matches!(s.role, Role::State | Role::Parameter) && !s.name.starts_with("W_dot");
        s.elem == Elem::Real && !s.is_empty() && kept
    };
    let all = model.program.buffers.iter().enumerate();
    all.filter(|(_, s)| lasting(s)).map(|(i, s)| (Buf(i as u16), s.name.clone())).collect()
}

#[test]
fn single_steps_agree_with_the_processor() {
    let with = |integrator, solver| Settings { integrator, solver, ..Settings::default() };
    let cases = [
        ("cg", Activation::Sigmoid, InputMode::Clamped, with(Integrator::Exact, Solver::Cg)),
        ("cg driven", Activation::Tanh, InputMode::Driven, with(Integrator::Exact, Solver::Cg)),
        ("output-cg", Activation::HardSigmoid, InputMode::Clamped, with(Integrator::Exact, Solver::OutputCg)),
        ("woodbury", Activation::Relu, InputMode::Rates, with(Integrator::Exact, Solver::Woodbury)),
        ("dense", Activation::Tanh, InputMode::Clamped, with(Integrator::Exact, Solver::Dense)),
        ("euler", Activation::Sigmoid, InputMode::Clamped, with(Integrator::Euler, Solver::Auto)),
        ("richardson2", Activation::Linear, InputMode::Driven, with(Integrator::Richardson2, Solver::Auto)),
    ];
    for (name, activation, input, mut settings) in cases {
        settings.derivative_clip = Some(0.01);
        let model = model(activation, input, settings);
        let mut want = begin(&model, &Device::Cpu(Precision::F64));
        let mut others = [
            ("CPU f32", begin(&model, &Device::Cpu(Precision::F32))),
            ("GPU software", begin(&model, &Device::Gpu(device().with_profile(Profile::Software)))),
            ("GPU small", begin(&model, &Device::Gpu(device().with_profile(Profile::Small)))),
        ];
        for k in 0..4 {
            // From the same state: long trajectories separate by rounding.
            let before: Vec<_> =
                state(&model).into_iter().map(|(buf, _)| (buf, want.read(buf).expect("read"))).collect();
            let work = [step(k)[0].clone(), Work::once(PlanId::Observe)];
            let want_record = want.run(&work).expect("a step");
            for (who, engine) in &mut others {
                for (buf, data) in &before {
                    engine.write(*buf, data).expect("written");
                }
                let record = engine.run(&work).expect("a step");
                let what = format!("{name}, {who}, step {k}");
                // Solvers stop at a relative residual of 1e-6, condition numbers here are below 10; products have up to 12 terms and all
                // numbers are of order 1, so that rounding adds about 30 units of 6e-8.
                for (buf, buffer) in state(&model) {
                    let got = engine.read(buf).expect("read");
                    close(&format!("{what}, {buffer}"), &want.read(buf).expect("read"), &got, 1e-5);
                }
                close(&format!("{what}, record"), &want_record.record, &record.record, 1e-5);
                assert_eq!(record.status, want_record.status, "{what}");
                for (b, (w, g)) in
                    want_record.solver.chunks(solver::LEN).zip(record.solver.chunks(solver::LEN)).enumerate()
                {
                    // In f32 an iteration more or less, and the same verdicts.
                    assert!(
                        (w[3] - g[3]).abs() <= 1.0,
                        "{what}, trajectory {b}: iterations {} and {}",
                        w[3],
                        g[3]
                    );
                    assert_eq!((w[5], w[6]), (g[5], g[6]), "{what}, trajectory {b}: indefinite, unconverged");
                }
            }
        }
    }
}

/// Updates by backprop, from the same state. Of 784 inputs an update moves a basal input by some hundred times the rate: small rates keep all
/// numbers of order 1.
#[test]
fn the_control_agrees_with_the_processor() {
    let sizes: [&[usize]; 2] = [&[12, 9, 5], &[784, 300, 100, 10]];
    let kinds = [
        (Activation::Sigmoid, InputMode::Clamped),
        (Activation::HardSigmoid, InputMode::Rates),
        (Activation::Tanh, InputMode::Driven),
    ];
    for (sizes, (activation, input)) in sizes.into_iter().flat_map(|s| kinds.map(|k| (s, k))) {
        let model = sized(sizes, activation, input, Settings::default());
        let mut want = begin(&model, &Device::Cpu(Precision::F64));
        for (_, profile) in Profile::NAMES {
            let mut engine = begin(&model, &Device::Gpu(device().with_profile(profile)));
            for k in 0..2 {
                for (buf, _) in state(&model) {
                    engine.write(buf, &want.read(buf).expect("read")).expect("written");
                }
                let control =
                    StepControl { rate_w: 0.01 / 3.0, rate_b: 0.02 / 3.0, ..StepControl::default() };
                let work = [Work { plan: PlanId::Backprop, controls: vec![control] }];
                let before: Vec<f64> =
                    model.layout.weights.iter().flat_map(|&w| want.read(w).expect("read")).collect();
                let record = engine.run(&work).expect("an update");
                let mut expected = want.run(&work).expect("an update");
                let after: Vec<f64> =
                    model.layout.weights.iter().flat_map(|&w| want.read(w).expect("read")).collect();
                assert_ne!(before, after, "the weights learn");
                let what = format!(
                    "{} {}, {}, update {k}",
                    model.network.sizes(),
                    activation.name(),
                    profile.name()
                );
                for (buf, buffer) in state(&model) {
                    let got = engine.read(buf).expect("read");
                    // As for a time step: sums of up to 784 terms of order 1/28, below 800 roundings of 6e-8.
                    close(&format!("{what}, {buffer}"), &want.read(buf).expect("read"), &got, 5e-5);
                }
                // The class of an inactive trajectory is of no interest; those of the others differ by far more than rounding.
                expected.record.truncate(3 * record_columns());
                close(
                    &format!("{what}, record"),
                    &expected.record,
                    &record.record[..expected.record.len()],
                    5e-5,
                );
                assert_eq!(record.status, expected.status, "{what}");
            }
        }
    }
}

fn record_columns() -> usize {
    lagrange_gpu::kernels::record::LEN
}

#[test]
fn a_step_agrees_where_tiles_are_many() {
    for activation in [Activation::HardSigmoid, Activation::Sigmoid] {
        let model = sized(&[784, 300, 100, 10], activation, InputMode::Clamped, Settings::default());
        let mut want = begin(&model, &Device::Cpu(Precision::F64));
        let before: Vec<_> =
            state(&model).into_iter().map(|(buf, _)| (buf, want.read(buf).expect("read"))).collect();
        let work = [step(0)[0].clone(), Work::once(PlanId::Observe)];
        let want_record = want.run(&work).expect("a step");
        for (_, profile) in Profile::NAMES {
            let mut engine = begin(&model, &Device::Gpu(device().with_profile(profile)));
            for (buf, data) in &before {
                engine.write(*buf, data).expect("written");
            }
            let record = engine.run(&work).expect("a step");
            let what = format!("{}, {}", activation.name(), profile.name());
            for (buf, buffer) in state(&model) {
                let got = engine.read(buf).expect("read");
                // Sums of up to 784 terms of order 1/28: below 800 roundings, and the solver's 1e-6.
                close(&format!("{what}, {buffer}"), &want.read(buf).expect("read"), &got, 5e-5);
            }
            close(&format!("{what}, record"), &want_record.record, &record.record, 5e-5);
            assert_eq!(record.status, want_record.status, "{what}");
        }
    }
}

/// Weights, biases, voltages after 40 steps, so many in a submission, and the last snapshot.
fn train(model: &Arc<Model>, device: &Device, at_once: usize) -> (Vec<Vec<u64>>, Snapshot) {
    let mut engine = begin(model, device);
    let steps: Vec<StepControl> = (0..40).map(control).collect();
    for part in steps.chunks(at_once) {
        engine.run(&[Work { plan: PlanId::Step, controls: part.to_vec() }]).expect("steps");
    }
    let snapshot = engine.run(&[Work::once(PlanId::Observe)]).expect("observed");
    let bits = |buf| engine.read(buf).expect("read").iter().map(|v| v.to_bits()).collect();
    (state(model).into_iter().map(|(buf, _)| buf).map(bits).collect(), snapshot)
}

#[test]
fn the_same_run_gives_the_same_bits() {
    for (activation, solver) in
        [(Activation::Sigmoid, Solver::Cg), (Activation::HardSigmoid, Solver::OutputCg)]
    {
        let model = model(activation, InputMode::Clamped, Settings { solver, ..Settings::default() });
        for profile in [Profile::Software, Profile::Small] {
            let device = Device::Gpu(device().with_profile(profile));
            let first = train(&model, &device, 40);
            assert!(first == train(&model, &device, 40), "{}: repeated", profile.name());
            assert!(first == train(&model, &device, 7), "{}: however steps are submitted", profile.name());
            let start = begin(&model, &device).read(model.layout.weights[0]).expect("read");
            let start: Vec<u64> = start.iter().map(|v| v.to_bits()).collect();
            assert_ne!(first.0[0], start, "{}: the weights learn", profile.name());
        }
    }
}

#[test]
fn snapshots_belong_to_their_submissions() {
    let model = model(Activation::Sigmoid, InputMode::Clamped, Settings::default());
    let device = Device::Gpu(device());
    let work = |k: usize| [step(k)[0].clone(), Work::once(PlanId::Observe)];
    let mut one = begin(&model, &device);
    let want: Vec<Snapshot> = (0..3).map(|k| one.run(&work(k)).expect("a step")).collect();
    let mut many = begin(&model, &device);
    let tickets: Vec<_> = (0..3).map(|k| many.submit(&work(k)).expect("submitted")).collect();
    for k in [2, 0, 1] {
        assert_eq!(many.collect(tickets[k]).expect("collected"), want[k], "submission {k}");
    }
    assert!(many.collect(tickets[0]).is_err(), "a snapshot is collected once");
}

#[test]
fn bad_numbers_are_reported_with_step_and_neuron() {
    // An explicit scheme: a NaN spreads in the same way on every device.
    let settings = Settings { integrator: Integrator::Euler, u_limit: 50.0, ..Settings::default() };
    let model = model(Activation::Linear, InputMode::Clamped, settings);
    let (l, n) = (&model.layout, model.network.neurons());
    let run = |device: &Device, buf: Buf, at: usize, value: f64| {
        let mut engine = begin(&model, device);
        for k in 0..2 {
            engine.run(&step(k)).expect("a step");
        }
        let mut data = engine.read(buf).expect("read");
        data[at] = value;
        engine.write(buf, &data).expect("written");
        // One step only from the large voltage: learning from it overflows f32 before f64.
        let controls = (2..if value.is_nan() { 5 } else { 3 }).map(control).collect();
        engine.run(&[Work { plan: PlanId::Step, controls }]).expect("steps").status
    };
    // A voltage of the second trajectory, an input of the first, a target of the third; the limit.
    let cases = [
        (l.u, n + 22, f64::NAN, (status::STATE, 1)),
        (l.x_new, 7, f64::NAN, (status::INPUT, 0)),
        (l.y_new, 2 * 5 + 3, f64::NAN, (status::INPUT, 2)),
        (l.u, 2 * n + 15, 1000.0, (status::LIMIT, 2)),
    ];
    for (buf, at, value, (row, trajectory)) in cases {
        let want = run(&Device::Cpu(Precision::F64), buf, at, value);
        for profile in [Profile::Software, Profile::Small] {
            let got = run(&Device::Gpu(device().with_profile(profile)), buf, at, value);
            let name = &model.program.spec(buf).name;
            assert_eq!(got, want, "{name}[{at}] = {value}, {}", profile.name());
            let (step, neuron) = status::decode(got[row * BATCH + trajectory], n).expect("reported");
            assert_eq!(step, 2, "{name}: the first bad step");
            match (buf == l.x_new, buf == l.y_new) {
                (true, _) => assert_eq!(neuron, 7),
                (_, true) => assert_eq!(neuron, n + 3),
                _ => assert!((12..n).contains(&neuron)),
            }
        }
    }
}

#[test]
fn steady_states_are_predicted() {
    let model = model(Activation::Sigmoid, InputMode::Clamped, Settings::default());
    let mut want = begin(&model, &Device::Cpu(Precision::F64));
    let want = want.run(&[Work::once(PlanId::Predict)]).expect("predicted");
    let mut got = begin(&model, &Device::Gpu(device()));
    let got = got.run(&[Work::once(PlanId::Predict)]).expect("predicted");
    // Three layers of at most 12 terms.
    close("record", &want.record, &got.record, 3.0 * 28.0 * gpu_support::EPS);
}

#[test]
fn adapters_are_listed_and_impossible_choices_refused() {
    let list = gpu::adapters();
    assert!(!list.is_empty(), "no adapter: on Debian and Ubuntu, apt-get install mesa-vulkan-drivers");
    let named = gpu::open(&Choice::Name(list[0].name.to_uppercase())).expect("opened by name");
    assert_eq!(named.name(), list[0].name);
    assert!(!named.driver().is_empty());
    for choice in [Choice::Index(list.len()), Choice::Name("no such adapter".into())] {
        let error = gpu::open(&choice).expect_err("there is none");
        assert!(matches!(error, GpuError::NoAdapter { .. }));
        assert!(error.to_string().contains(&list[0].name), "{error}");
    }
    if list.iter().all(|a| a.is_software) {
        let error = gpu::open(&Choice::Hardware).expect_err("software is chosen only if asked for");
        assert!(error.to_string().contains("driver"), "{error}");
    }
}

#[test]
fn buffers_are_checked() {
    let model = model(Activation::Sigmoid, InputMode::Clamped, Settings::default());
    let Device::Gpu(raw) = Device::Gpu(device()) else { unreachable!() };
    let mut executor = gpu::Executor::new(&raw, Arc::clone(&model)).expect("an executor");
    let l = &model.layout;
    assert!(matches!(executor.write(l.u, &[0.0]), Err(GpuError::Length { .. })));
    assert!(matches!(executor.write(l.pixels, &[0.0; 48]), Err(GpuError::Kind { .. })));
    assert!(matches!(executor.read(l.status), Err(GpuError::Kind { .. })));
    assert!(matches!(executor.collect(3), Err(GpuError::Ticket(3))));
    assert_eq!(executor.read(l.active).expect("read"), [1.0; BATCH]);
    assert_eq!(executor.read(l.u).expect("read"), vec![0.0; BATCH * 26]);
}
