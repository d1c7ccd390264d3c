//! What the tests on an adapter share: a device, models with random content, comparison of buffers.
#![allow(dead_code)] // Each test file uses its own part.
#![allow(clippy::expect_used, clippy::panic)] // A test fails by panicking.

use std::sync::{Arc, OnceLock};

use lagrange_gpu::dynamics::{Features, Model, Settings, StimulusKind};
use lagrange_gpu::engine::{Device, Engine, Precision, Snapshot, Work};
use lagrange_gpu::gpu::{self, Choice, Profile};
use lagrange_gpu::kernels::{Call, copy, solver};
use lagrange_gpu::network::{
    Activation, InputMode, InterneuronDynamics, InterneuronInput, Interneurons, Microcircuit, Network,
    Pathway, Population, expand,
};
use lagrange_gpu::plan::{Buf, BufferSpec, Elem, Op, Plan, PlanId, Role, StepControl};

/// Unit roundoff of `f32`.
pub const EPS: f64 = 5.960_464_5e-8;

/// The adapter under test: the one whose name `LAGRANGE_TEST_ADAPTER` is part of, else a software adapter, else any.
pub fn device() -> gpu::Device {
    static DEVICE: OnceLock<gpu::Device> = OnceLock::new();
    DEVICE.get_or_init(open).clone()
}

fn open() -> gpu::Device {
    let choice = match std::env::var("LAGRANGE_TEST_ADAPTER") {
        Ok(name) => Choice::Name(name),
        Err(_) => {
            let list = gpu::adapters();
            let at = list.iter().position(|a| a.is_software).unwrap_or(0);
            Choice::Index(at)
        }
    };
    gpu::open(&choice).unwrap_or_else(|e| {
        panic!(
            "these tests need an adapter, and a software one will do: on Debian and Ubuntu, apt-get install mesa-vulkan-drivers\n{e}"
        )
    })
}

/// Numbers without a pattern, exact in `f32`, the same everywhere.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    /// Uniform in [-1, 1).
    pub fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f64::from((self.0 >> 40) as f32 / 8_388_608.0 - 1.0)
    }
    pub fn fill(&mut self, len: usize, size: f64) -> Vec<f64> {
        (0..len).map(|_| f64::from((self.next() * size) as f32)).collect()
    }
}

/// A layered network.
pub fn network(sizes: &[usize], activation: Activation, input: InputMode) -> Network {
    let population = |(i, &size): (usize, &usize)| Population {
        name: format!("p{i}"),
        size,
        bias_factor: 1.0,
        bias_clip: Some(2.0),
    };
    Network {
        populations: sizes.iter().enumerate().map(population).collect(),
        projections: expand(sizes.len(), &[1.0, 0.5, 2.0]),
        activation,
        input,
        microcircuit: None,
    }
}

/// Interneurons of the hidden population p1, everything learning.
pub fn microcircuit() -> Microcircuit {
    Microcircuit {
        ip: InterneuronInput::Learned,
        interneurons: vec![Interneurons { population: 1, size: 9, factor: 0.5 }],
        dynamics: InterneuronDynamics::Dynamic,
        feedback: Pathway::Separate,
        pi: Pathway::Separate,
        beta: 0.25,
        rate_ip: 0.1,
        rate_pi: 0.1,
        rate_feedback: 0.1,
        rate_bi: 0.1,
    }
}

pub fn features(learning: bool) -> Features {
    Features {
        stimulus: StimulusKind::Samples,
        beta_rows: 2,
        entry_norms: false,
        learning,
        unit_range: false,
    }
}

/// A model whose step is to be replaced by single calls, with a buffer that presets `solver`.
pub struct Bench {
    pub model: Model,
    pub preset: Buf,
    pub values: Vec<Vec<f64>>,
    pub bytes: Vec<Vec<u8>>,
}

impl Bench {
    pub fn new(network: Network, settings: Settings, batch: usize, features: Features) -> Self {
        let mut model = Model::new(network, settings, batch, features).expect("a valid model");
        let spec = BufferSpec {
            name: "preset".into(),
            role: Role::Scratch,
            elem: Elem::Real,
            rows: batch,
            cols: solver::LEN,
            per_trajectory: true,
        };
        model.program.buffers.push(spec);
        let preset = Buf(model.program.buffers.len() as u16 - 1);
        let mut noise = Noise::new(7);
        let real = |s: &BufferSpec| if s.elem == Elem::Real { s.len() } else { 0 };
        let values = model.program.buffers.iter().map(|s| noise.fill(real(s), 1.0)).collect();
        let bytes = model
            .program
            .buffers
            .iter()
            .map(|s| {
                (0..if s.elem == Elem::Byte { s.len() } else { 0 }).map(|i| (i * 37 % 251) as u8).collect()
            })
            .collect();
        let mut bench = Self { model, preset, values, bytes };
        let l = bench.model.layout.clone();
        // All trajectories active but the second, β between 0 and 1, labels in range.
        bench.set(l.active, |i, _| if i == 1 { 0.0 } else { 1.0 });
        bench.set(l.beta, |_, v| v.abs());
        let classes = bench.model.network.n_out();
        for (i, b) in bench.bytes[l.labels.0 as usize].iter_mut().enumerate() {
            *b = (i % classes) as u8;
        }
        bench
    }

    /// Rewrites a buffer from index and present value.
    pub fn set(&mut self, buf: Buf, f: impl Fn(usize, f64) -> f64) {
        for (i, v) in self.values[buf.0 as usize].iter_mut().enumerate() {
            *v = f64::from(f(i, *v) as f32);
        }
    }

    pub fn get(&self, buf: Buf) -> &[f64] {
        &self.values[buf.0 as usize]
    }

    /// Content of all buffers and the snapshot after the calls.
    pub fn run(&self, calls: &[Call], control: StepControl, device: &Device) -> (Vec<Vec<f64>>, Snapshot) {
        let mut model = self.model.clone();
        let l = model.layout.clone();
        let preset =
            copy::Args { src: Some((self.preset, 0)), dst: (l.solver, 0), len: solver::LEN, rows: l.batch };
        // The other plans stay, so that weights keep their buffers of their own.
        let mut plan = Plan::default();
        plan.push(preset);
        plan.ops.extend(calls.iter().cloned().map(Op::Call));
        model.program.plans[PlanId::Observe as usize] = plan;
        let buffers = model.program.buffers.clone();
        let mut engine = Engine::new(Arc::new(model), device).unwrap_or_else(|e| panic!("{e}"));
        for (i, spec) in buffers.iter().enumerate().filter(|(_, s)| !s.is_empty()) {
            let buf = Buf(i as u16);
            match spec.elem {
                Elem::Real => engine.write(buf, &self.values[i]).expect("written"),
                Elem::Byte => engine.write_bytes(buf, &self.bytes[i]).expect("written"),
                Elem::Word => {}
            }
        }
        let work = Work { plan: PlanId::Observe, controls: vec![control] };
        let snapshot = engine.run(&[work]).unwrap_or_else(|e| panic!("{e}"));
        let all = buffers
            .iter()
            .enumerate()
            .map(|(i, s)| {
                if s.elem == Elem::Real && !s.is_empty() {
                    engine.read(Buf(i as u16)).expect("read")
                } else {
                    Vec::new()
                }
            })
            .collect();
        (all, snapshot)
    }

    /// Runs the calls in `f64` and `f32` on the processor and on the adapter in these profiles, and compares all buffers with `f64`,
    /// to `tolerance · max(1, largest value of the buffer)`. Returns the content in `f64`.
    pub fn compare(
        &self,
        what: &str,
        calls: &[Call],
        control: StepControl,
        profiles: &[Profile],
        tolerance: f64,
    ) -> Vec<Vec<f64>> {
        let (want, want_snapshot) = self.run(calls, control, &Device::Cpu(Precision::F64));
        let mut others = vec![("CPU f32".to_owned(), self.run(calls, control, &Device::Cpu(Precision::F32)))];
        for &profile in profiles {
            let device = Device::Gpu(device().with_profile(profile));
            others.push((format!("GPU {}", profile.name()), self.run(calls, control, &device)));
        }
        for (who, (got, snapshot)) in others {
            for (i, spec) in self.model.program.buffers.iter().enumerate() {
                close(&format!("{what}, {who}, buffer {}", spec.name), &want[i], &got[i], tolerance);
            }
            assert_eq!(snapshot.status, want_snapshot.status, "{what}, {who}: status");
        }
        want
    }
}

/// Compares with `tolerance · max(1, largest |want|)`; a failure prints the largest absolute and relative differences and where they are.
pub fn close(what: &str, want: &[f64], got: &[f64], tolerance: f64) {
    assert_eq!(want.len(), got.len(), "{what}: length");
    let scale = want.iter().filter(|v| v.is_finite()).fold(1.0_f64, |m, v| m.max(v.abs()));
    let (mut worst, mut relative, mut at) = (0.0_f64, 0.0_f64, 0);
    for (i, (&w, &g)) in want.iter().zip(got).enumerate() {
        let same = (w.is_nan() && g.is_nan()) || w == g;
        let diff = if same { 0.0 } else { (w - g).abs() };
        if diff > worst || diff.is_nan() {
            (worst, at) = (if diff.is_nan() { f64::INFINITY } else { diff }, i);
        }
        if w != 0.0 && diff.is_finite() {
            relative = relative.max(diff / w.abs());
        }
    }
    assert!(
        worst <= tolerance * scale,
        "{what}: max abs {worst:e} (allowed {:e}), max rel {relative:e}, at index {at}: want {:e}, got {:e}",
        tolerance * scale,
        want[at],
        got[at]
    );
}
