//! `simulate` from outside: the files it reads and writes, and that they hold what the library computes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use std::io::Write;

use cli_support::{Place, Ran};
use lagrange_gpu::config::{Overrides, SimulationConfig, Source};
use lagrange_gpu::data::npz::{Array, Entry, NpzFile, write};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::gpu;
use lagrange_gpu::network::Parameters;
use lagrange_gpu::simulate::{Record, Setup, SimulationInput, SimulationOutput, run};

/// Three inputs, four hidden neurons, two outputs: nine in all.
const MODEL: &str = r#"
[network]
architecture = "layered-feedforward"
sizes = [3, 4, 2]
activation = "sigmoid"
input = "clamped"
weights = { init = "zeros" }
biases = { init = "zeros" }

[dynamics]
integrator = "exact"
tau-ms = 10.0
dt-ms = 1.0
beta = 0.5

[plasticity]
rate-per-ms = 0.01
"#;

const T: usize = 12;
const B: usize = 2;
const N: usize = 9;

/// The names that projections have in files, with post and pre.
const PROJECTIONS: [(&str, [usize; 2]); 2] = [("input->hidden", [4, 3]), ("hidden->output", [2, 4])];

/// Smooth numbers without a pattern.
fn wave(len: usize, phase: f64) -> Vec<f64> {
    (0..len).map(|i| 0.6 * (0.7 * i as f64 + phase).sin()).collect()
}

/// A stimulus that moves, weights and biases; clamped inputs start on x.
fn input() -> SimulationInput {
    let x = wave(T * B * 3, 0.0);
    let y = wave(T * B * 2, 1.0);
    let mut u0 = wave(B * N, 2.0);
    for b in 0..B {
        u0[b * N..b * N + 3].copy_from_slice(&x[b * 3..b * 3 + 3]);
    }
    let mut biases = wave(N, 5.0);
    biases[..3].fill(0.0);
    SimulationInput {
        steps: T,
        batch: B,
        beta: (0..T * 2).map(|i| if i < 12 { 0.0 } else { 0.5 }).collect(),
        learn: (0..T).map(|t| t >= 3).collect(),
        parameters: Parameters {
            weights: vec![wave(12, 3.0), wave(8, 4.0)],
            biases,
            ..Parameters::default()
        },
        u0,
        x_prev: x[..B * 3].to_vec(),
        y_prev: y[..B * 2].to_vec(),
        x,
        y,
        ..SimulationInput::default()
    }
}

fn entry<'a>(name: &str, shape: &[usize], data: &'a [f64]) -> Entry<'a> {
    Entry { name: name.into(), shape: shape.to_vec(), data, single: false }
}

/// Writes experiment, `model.npz` and `stimulus.npz`; arrays named in `without` are left out.
fn put(place: &Place, s: &SimulationInput, without: &[&str]) {
    place.write("model.toml", MODEL);
    let learn: Vec<f64> = s.learn.iter().map(|&on| f64::from(u8::from(on))).collect();
    let wanted = |e: &Entry| !without.contains(&e.name.as_str());
    let mut model = vec![entry("b0", &[N], &s.parameters.biases), entry("u0", &[B, N], &s.u0)];
    for ((name, shape), w) in PROJECTIONS.iter().zip(&s.parameters.weights) {
        model.push(entry(&format!("W:{name}"), shape, w));
    }
    let mut stimulus = vec![
        entry("x", &[T, B, 3], &s.x),
        entry("y", &[T, B, 2], &s.y),
        entry("beta", &[T, 2], &s.beta),
        entry("learn", &[T], &learn),
        entry("x_prev", &[B, 3], &s.x_prev),
        entry("y_prev", &[B, 2], &s.y_prev),
    ];
    model.retain(wanted);
    stimulus.retain(wanted);
    write(&place.path("model.npz"), &model).unwrap();
    write(&place.path("stimulus.npz"), &stimulus).unwrap();
}

const ARGS: [&str; 9] =
    ["simulate", "--config", "model.toml", "-i", "model.npz", "-i", "stimulus.npz", "-o", "out.npz"];

fn simulate(place: &Place, more: &[&str]) -> Ran {
    place.run(&[&ARGS[..], more].concat())
}

/// The same by the library, with overrides as on the command line.
fn by_the_library(place: &Place, device: &Device, s: &SimulationInput, set: &[&str]) -> SimulationOutput {
    let source = Source::File(place.path("model.toml"));
    let precision = format!("run.precision={}", device.precision().name());
    let set: Vec<&str> = set.iter().copied().chain([precision.as_str()]).collect();
    let c = SimulationConfig::load(&source, &Overrides::parse(set).unwrap()).unwrap();
    let setup = Setup {
        network: c.network,
        settings: c.settings,
        rate_w: c.rate_w,
        rate_b: c.rate_b,
        schedule: c.schedule,
    };
    run(&setup, device, s, &Record { voltages: true, snapshots: vec![2, 7], ..Record::default() }).unwrap()
}

fn read(place: &Place, name: &str) -> Array {
    NpzFile::open(&place.path("out.npz")).unwrap().read(name).unwrap()
}

/// Asserts that the file holds the documented arrays, with the bits of `want`.
fn holds(place: &Place, want: &SimulationOutput) {
    let done = want.steps_completed;
    let of = |f: fn(&lagrange_gpu::simulate::SolverStep) -> f64| want.solver_steps.iter().map(f).collect();
    let snaps = &want.snapshots;
    let count = snaps.len();
    let mut all: Vec<(String, Vec<usize>, Vec<f64>)> = vec![
        ("u".into(), vec![done, B, N], want.u.clone()),
        ("u_dot".into(), vec![done, B, N], want.u_dot.clone()),
        ("f_norm".into(), vec![done, B], want.f_norm.clone()),
        ("f_entry_norm".into(), vec![done, B], want.f_entry_norm.clone()),
        ("iterations".into(), vec![done], of(|s| s.iterations as f64)),
        ("residual".into(), vec![done], of(|s| s.residual)),
        ("indefinite".into(), vec![done], of(|s| s.indefinite as f64)),
        ("unconverged".into(), vec![done], of(|s| s.unconverged as f64)),
        ("snap_steps".into(), vec![count], snaps.iter().map(|s| s.step as f64).collect()),
        ("b_snap".into(), vec![count, N], snaps.iter().flat_map(|s| s.parameters.biases.clone()).collect()),
        ("b_end".into(), vec![N], want.end.biases.clone()),
    ];
    for (k, (name, [post, pre])) in PROJECTIONS.iter().enumerate() {
        let kept = snaps.iter().flat_map(|s| s.parameters.weights[k].clone()).collect();
        all.push((format!("W_snap:{name}"), vec![count, *post, *pre], kept));
        all.push((format!("W_end:{name}"), vec![*post, *pre], want.end.weights[k].clone()));
    }
    for (name, shape, data) in &all {
        let got = read(place, name);
        assert_eq!(&got.shape, shape, "{name}");
        assert!(got.data.iter().zip(data).all(|(a, b)| a.to_bits() == b.to_bits()), "{name} differs");
    }
    let mut names: Vec<String> = all.into_iter().map(|(name, ..)| name).collect();
    names.sort();
    assert_eq!(NpzFile::open(&place.path("out.npz")).unwrap().names(), names);
}

#[test]
fn trajectories_are_those_of_the_library_on_every_device() {
    let place = Place::new();
    let s = input();
    put(&place, &s, &[]);
    let mut devices = vec![
        (vec!["--precision", "f64", "--device", "cpu"], Device::Cpu(Precision::F64)),
        (vec!["--precision", "f32", "--device", "cpu"], Device::Cpu(Precision::F32)),
    ];
    let software = gpu::adapters().into_iter().find(|a| a.is_software);
    let index = software.as_ref().map(|a| a.index.to_string());
    match (&software, &index) {
        (Some(a), Some(index)) => {
            let device = gpu::open(&gpu::Choice::Index(a.index)).unwrap();
            devices.push((vec!["--precision", "f32", "--device", index], Device::Gpu(device)));
        }
        _ => eprintln!("not tested: there is no software adapter (Mesa's lavapipe, for example)"),
    }
    let mut voltages: Vec<Vec<f64>> = Vec::new();
    for (args, device) in &devices {
        let ran = simulate(&place, &[&args[..], &["--snapshots", "2,7"]].concat()).ends(0);
        assert!(ran.stdout.contains(&device.name()), "{}", ran.stdout);
        assert!(ran.stdout.contains("12 of 12 steps") && ran.stdout.contains("out.npz"), "{}", ran.stdout);
        holds(&place, &by_the_library(&place, device, &s, &[]));
        voltages.push(read(&place, "u").data);
    }
    // Twelve steps of voltages near 1: single precision and a relative residual of 1e-6 leave 1e-5 or so.
    for other in &voltages[1..] {
        let worst = voltages[0].iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-4 && worst > 0.0, "f32 and f64 differ by {worst}");
    }
}

#[test]
fn a_network_at_rest_stays_there() {
    let place = Place::new();
    let mut s = input();
    for t in 1..T {
        s.x.copy_within(..B * 3, t * B * 3);
    }
    // Without u0 a run starts in the steady state, and without nudging nothing moves it.
    put(&place, &s, &["u0", "y", "y_prev", "beta"]);
    simulate(&place, &["--precision", "f64", "--device", "cpu", "--set", "dynamics.beta=0"]).ends(0);
    let rate = |u: &f64| 1.0 / (1.0 + (-u).exp());
    let layer = |w: &[f64], b: &[f64], u: &[f64]| -> Vec<f64> {
        let r: Vec<f64> = u.iter().map(rate).collect();
        let sum = |row: &[f64]| row.iter().zip(&r).map(|(w, r)| w * r).sum::<f64>();
        w.chunks_exact(u.len()).zip(b).map(|(row, b)| b + sum(row)).collect()
    };
    let p = &s.parameters;
    let u = read(&place, "u").data;
    for (row, at) in u.chunks_exact(N).enumerate() {
        let x = &s.x[row % B * 3..][..3];
        let hidden = layer(&p.weights[0], &p.biases[3..7], x);
        let output = layer(&p.weights[1], &p.biases[7..], &hidden);
        let want = [x, &hidden, &output].concat();
        let worst = at.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-12, "row {row} is off by {worst}");
    }
    // No mismatch, nothing to learn.
    let w = read(&place, "W_end:input->hidden").data;
    assert!(w.iter().zip(&p.weights[0]).all(|(a, b)| (a - b).abs() < 1e-12));
    assert!(read(&place, "f_norm").data.iter().all(|f| f.abs() < 1e-12));
}

#[test]
fn voltages_can_be_left_out() {
    let place = Place::new();
    put(&place, &input(), &[]);
    let ran =
        simulate(&place, &["--device", "cpu", "--no-voltages", "--set", "dynamics.newton-tolerance=1e-3"]);
    ran.ends(0).says(&["warning: --set dynamics.newton-tolerance=1e-3 changes nothing", "exact"]);
    let file = NpzFile::open(&place.path("out.npz")).unwrap();
    assert!(!file.contains("u") && !file.contains("u_dot") && file.contains("f_norm"), "{:?}", file.names());
}

/// A run that cannot go on keeps the steps before, ends with 1 and says where it stopped.
#[test]
fn a_run_that_stops_keeps_what_came_before() {
    let f64_cpu = ["--precision", "f64", "--device", "cpu", "--snapshots", "2,7"];
    let device = Device::Cpu(Precision::F64);
    for (name, value) in [("x", f64::NAN), ("y", f64::INFINITY), ("beta", f64::NAN)] {
        let place = Place::new();
        let mut s = input();
        match name {
            "x" => s.x[(4 * B + 1) * 3 + 2] = value,
            "y" => s.y[(4 * B + 1) * 2] = value,
            _ => s.beta[4 * 2] = value,
        }
        put(&place, &s, &[]);
        let index = if name == "x" { 2 } else { 0 };
        let ran =
            simulate(&place, &f64_cpu).ends(1).says(&["step 4", &format!("{name}[{index}]"), "not finite"]);
        assert!(ran.stdout.contains("4 of 12 steps"), "{}", ran.stdout);
        holds(&place, &by_the_library(&place, &device, &s, &[]));
        assert!(read(&place, "u").data.iter().all(|u| u.is_finite()));
    }
    // 1 + beta = 21 is far over 4/(2 + dt/τ) = 1.9: errors grow tenfold a step once the nudging begins.
    let place = Place::new();
    let mut s = input();
    s.beta[12..].fill(20.0);
    put(&place, &s, &[]);
    let set = ["dynamics.integrator=euler", "dynamics.u-limit=1000"];
    let flags: Vec<&str> = set.iter().flat_map(|s| ["--set", *s]).collect();
    let ran = simulate(&place, &[&f64_cpu[..], &flags].concat()).ends(1);
    let want = by_the_library(&place, &device, &s, &set);
    let done = want.steps_completed;
    assert!((6..T).contains(&done), "it should diverge after step 6: {done}");
    // As `train` would have said: H has an eigenvalue above 1 + beta = 21.
    let ran = ran.says(&["warning [stability]", "'euler' is stable in"]);
    let ran = ran.says(&[&format!("step {done}"), "u-limit", "exact", "beta"]);
    assert!(ran.stderr.contains("hidden[") || ran.stderr.contains("output["), "{}", ran.stderr);
    holds(&place, &want);
    assert!(read(&place, "u").data.iter().all(|u| u.abs() <= 1000.0));
}

/// Everything is read before a device is opened; device 99 would end with 3.
#[track_caller]
fn refused(place: &Place, more: &[&str], words: &[&str]) {
    let ran = simulate(place, &[more, &["--device", "99"]].concat()).ends(2).says(words);
    assert!(ran.stdout.is_empty() && !place.path("out.npz").exists(), "{}", ran.stdout);
}

#[test]
fn missing_arrays_and_files_are_named() {
    let place = Place::new();
    for (name, need) in [("x", "input"), ("y", "target"), ("W:hidden->output", "weights")] {
        put(&place, &input(), &[name]);
        refused(&place, &[], &[&format!("'{name}'"), need, "stimulus.npz"]);
    }
    put(&place, &input(), &[]);
    simulate(&place, &["--device", "99"]).ends(3);
    std::fs::remove_file(place.path("stimulus.npz")).unwrap();
    refused(&place, &[], &["stimulus.npz"]);
    place.write("stimulus.npz", "no archive");
    refused(&place, &[], &["stimulus.npz", "not an .npz file"]);
}

#[test]
fn arrays_of_another_shape_or_type_are_named() {
    let place = Place::new();
    let s = input();
    for (name, shape) in
        [("y", &[T, B, 3][..]), ("beta", &[T]), ("x_prev", &[3]), ("u0", &[1, N]), ("learn", &[5])]
    {
        put(&place, &s, &[name]);
        let data = vec![0.1; shape.iter().product()];
        write(&place.path("more.npz"), &[entry(name, shape, &data)]).unwrap();
        refused(&place, &["-i", "more.npz"], &["more.npz", &format!("'{name}'"), &format!("{shape:?}")]);
    }
    // Three characters a value, as NumPy writes them.
    put(&place, &s, &["x"]);
    let header = format!("{{'descr': '<U3', 'fortran_order': False, 'shape': ({T}, {B}, 3), }}\n");
    let mut npy =
        [&b"\x93NUMPY\x01\x00"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
    npy.extend(vec![0; T * B * 3 * 12]);
    let mut npz = npyz::npz::NpzWriter::create(place.path("more.npz")).unwrap();
    npz.zip_writer().start_file("x.npy", Default::default()).unwrap();
    npz.zip_writer().write_all(&npy).unwrap();
    npz.zip_writer().finish().unwrap();
    drop(npz);
    refused(&place, &["-i", "more.npz"], &["more.npz", "'x'", "<U3", "float64"]);
}

/// Hours of work should not end at a name that was mistyped.
#[test]
fn what_cannot_be_done_with_the_output_is_said_first() {
    let place = Place::new();
    put(&place, &input(), &[]);
    let to = |out: &str| place.run(&[&ARGS[..8], &[out, "--device", "99"]].concat()).ends(2);
    to("no-folder/out.npz").says(&["no-folder", "--output"]);
    std::fs::create_dir(place.path("folder")).unwrap();
    to("folder").says(&["folder", "--output"]);
    let before = std::fs::read(place.path("model.npz")).unwrap();
    to("./model.npz").says(&["model.npz", "--input", "--output"]);
    assert!(std::fs::read(place.path("model.npz")).unwrap() == before, "the input was overwritten");
    refused(&place, &["--snapshots", "3,12"], &["--snapshots", "12", "12 steps"]);
    // f64 and a GPU exclude each other; the flag wins over the file.
    refused(&place, &["--precision", "f64"], &["f64", "cpu"]);
    simulate(&place, &["--set", "run.device=gpu", "--precision", "f64", "--device", "cpu"]).ends(0);
}
