//! Files of `simulate`: what is read, what is written, and what is said of files that are no good.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};

use common::case::dense;
use common::random::{Rng, network, parameters, setup, sines, steady};
use lagrange_gpu::data::npz::{Entry, NpzError, NpzFile, write};
use lagrange_gpu::dynamics::{Integrator, Settings};
use lagrange_gpu::engine::{Device, Precision};
use lagrange_gpu::network::{Activation, InputMode};
use lagrange_gpu::simulate::{
    Record, Setup, SimulationError, SimulationInput, StopReason, load_npz, run, save_npz,
};

const CPU: Device = Device::Cpu(Precision::F64);

fn entry<'a>(name: &str, shape: &[usize], data: &'a [f64]) -> Entry<'a> {
    Entry { name: name.into(), shape: shape.to_vec(), data, single: false }
}

/// A zip archive with one member, of these bytes.
fn archive(path: &Path, member: &str, bytes: &[u8]) {
    let mut npz = npyz::npz::NpzWriter::create(path).unwrap();
    npz.zip_writer().start_file(member, Default::default()).unwrap();
    npz.zip_writer().write_all(bytes).unwrap();
    npz.zip_writer().finish().unwrap();
}

/// A `.npy` file with this header text.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    let text = format!("{header}\n");
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.as_bytes());
    out.extend(data);
    out
}

fn one(path: &Path, header: &str, data: &[u8]) -> Result<lagrange_gpu::data::npz::Array, NpzError> {
    archive(path, "a.npy", &npy(header, data));
    NpzFile::open(path)?.read("a")
}

#[test]
fn arrays_survive_writing_and_reading() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.npz");
    let data = [0.1, -2.5e300, f64::MIN_POSITIVE, 0.0, f64::INFINITY, 7.0];
    let single = Entry { single: true, ..entry("f", &[6], &data) };
    write(&path, &[entry("d", &[2, 3], &data), single, entry("e", &[0, 4], &[])]).unwrap();
    let mut file = NpzFile::open(&path).unwrap();
    assert_eq!(file.names(), ["d", "e", "f"]);
    let d = file.read("d").unwrap();
    assert_eq!((d.shape.as_slice(), d.data.as_slice()), ([2, 3].as_slice(), data.as_slice()));
    let f = file.read("f").unwrap();
    assert!(f.data.iter().zip(&data).all(|(f, d)| *f == f64::from(*d as f32)));
    assert_eq!(file.read("e").unwrap().shape, [0, 4]);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "the temporary file is gone");
}

#[test]
fn every_type_and_order_of_numpy_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.npz");
    let check = |descr: &str, fortran: &str, shape: &str, bytes: &[u8], want: &[f64]| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
        assert_eq!(one(&path, &header, bytes).unwrap().data, want, "{descr}");
    };
    check("|u1", "False", "(3,)", &[0, 1, 255], &[0.0, 1.0, 255.0]);
    check("|i1", "False", "(2,)", &[255, 3], &[-1.0, 3.0]);
    check("|b1", "False", "(2,)", &[0, 1], &[0.0, 1.0]);
    check("<i8", "False", "()", &(-5_i64).to_le_bytes(), &[-5.0]);
    check(">i2", "False", "(1,)", &(-300_i16).to_be_bytes(), &[-300.0]);
    check(">f4", "False", "(1,)", &1.5_f32.to_be_bytes(), &[1.5]);
    check("<f8", "False", "(1,)", &0.1_f64.to_le_bytes(), &[0.1]);
    // Columns first: [[1, 2, 3], [4, 5, 6]].
    check("|u1", "True", "(2, 3)", &[1, 4, 2, 5, 3, 6], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn bad_files_get_an_error_that_names_file_and_array() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.npz");
    let error = |header: &str, data: &[u8]| one(&path, header, data).unwrap_err().to_string();
    for (text, words) in [
        (error("{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }", &[0; 16]), "<c16"),
        (error("{'descr': '<U3', 'fortran_order': False, 'shape': (1,), }", &[0; 12]), "<U3"),
        (
            error("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", &[0; 20]),
            "cut off after 20 bytes",
        ),
        // A shape whose size overflows, and one that no memory holds.
        (
            error(
                "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967295, 4294967295, 9), }",
                &[0; 8],
            ),
            "cut off",
        ),
        (
            error("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", &[0; 8]),
            "cut off after 8 bytes",
        ),
        (error("no dictionary", &[]), "cannot be read"),
    ] {
        assert!(text.contains("a.npz") && text.contains("'a'") && text.contains(words), "{text}");
    }
    let missing = NpzFile::open(&path).unwrap().read("b").unwrap_err().to_string();
    assert!(missing.contains("no array 'b'") && missing.contains("it has: a"), "{missing}");
    write(&path, &[entry("a", &[2, 3], &[0.0; 6])]).unwrap();
    let shape = NpzFile::open(&path).unwrap().read_shaped("a", &[None, Some(2)]).unwrap_err().to_string();
    assert!(shape.contains("has shape [2, 3], expected [?, 2]"), "{shape}");
    std::fs::write(&path, b"not a zip file").unwrap();
    assert!(matches!(NpzFile::open(&path), Err(NpzError::NotZip { .. })));
    assert!(matches!(NpzFile::open(&dir.path().join("none.npz")), Err(NpzError::Open { .. })));
}

/// Any byte of a file may be wrong, and it may end anywhere: an error or other numbers, never a panic.
#[test]
fn damaged_files_do_not_panic() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.npz");
    write(&path, &[entry("x", &[2, 3], &[0.5; 6]), entry("b0", &[4], &[0.25; 4])]).unwrap();
    let sound = std::fs::read(&path).unwrap();
    let read_all = || {
        let Ok(mut file) = NpzFile::open(&path) else { return };
        for name in file.names().to_vec() {
            let _ = file.read(&name);
        }
    };
    for cut in 0..sound.len() {
        std::fs::write(&path, &sound[..cut]).unwrap();
        read_all();
    }
    for at in 0..sound.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = sound.clone();
            bytes[at] ^= flip;
            std::fs::write(&path, &bytes).unwrap();
            read_all();
        }
    }
}

/// A small network with a skip connection, and a stimulus for it.
fn example(integrator: Integrator) -> (Setup, SimulationInput) {
    let mut rng = Rng(31);
    let net = network(&[3, 4, 2], &[(0, 1), (1, 2), (0, 2)], Activation::Sigmoid, InputMode::Clamped);
    let setup = setup(net, Settings { integrator, dt_ms: 0.5, tolerance: 1e-12, ..Settings::default() });
    let start = parameters(&setup.network, 0.1, &mut rng);
    let input = sines(&setup, start, 2, 12, &mut rng);
    (setup, input)
}

fn files(dir: &Path, setup: &Setup, input: &SimulationInput, whole: bool) -> Vec<PathBuf> {
    let (t, b, n) = (input.steps, input.batch, setup.network.neurons());
    let w0 = dense(&setup.network, &input.parameters.weights);
    let learn: Vec<f64> = input.learn.iter().map(|&on| f64::from(u8::from(on))).collect();
    let names: Vec<String> = (0..3).map(|k| format!("W:{}", setup.network.projection_name(k))).collect();
    let mut model = vec![entry("b0", &[n], &input.parameters.biases), entry("u0", &[b, n], &input.u0)];
    if whole {
        model.push(entry("W0", &[n, n], &w0));
    } else {
        for (k, shape) in [[4, 3], [2, 4], [2, 3]].iter().enumerate() {
            model.push(entry(&names[k], shape, &input.parameters.weights[k]));
        }
    }
    let stimulus = [
        entry("x", &[t, b, 3], &input.x),
        entry("y", &[t, b, 2], &input.y),
        entry("beta", &[t, 2], &input.beta),
        entry("learn", &[t], &learn),
        entry("x_prev", &[b, 3], &input.x_prev),
        entry("y_prev", &[b, 2], &input.y_prev),
    ];
    let paths = vec![dir.join("model.npz"), dir.join("stimulus.npz")];
    write(&paths[0], &model).unwrap();
    write(&paths[1], &stimulus).unwrap();
    paths
}

#[test]
fn input_is_read_from_several_files() {
    let dir = tempfile::tempdir().unwrap();
    let (setup, input) = example(Integrator::Exact);
    for whole in [true, false] {
        let paths = files(dir.path(), &setup, &input, whole);
        assert_eq!(load_npz(&setup.network, &paths, &vec![0.0; setup.network.n_out()]).unwrap(), input);
    }
}

#[test]
fn what_is_missing_has_its_default_or_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (setup, input) = example(Integrator::Exact);
    let paths = files(dir.path(), &setup, &input, true);
    write(&paths[1], &[entry("x", &[12, 2, 3], &input.x), entry("y", &[12, 2, 2], &input.y)]).unwrap();
    let n = setup.network.neurons();
    let w0 = dense(&setup.network, &input.parameters.weights);
    write(&paths[0], &[entry("W0", &[n, n], &w0)]).unwrap();
    let got = load_npz(&setup.network, &paths, &vec![0.3; setup.network.n_out()]).unwrap();
    assert_eq!((got.beta, got.learn), (vec![0.3; 24], vec![true; 12]));
    assert_eq!((&got.x_prev, &got.y_prev), (&input.x[..6].to_vec(), &input.y[..4].to_vec()));
    let want = steady(&setup.network, &got.parameters, &got.x_prev);
    assert!(got.u0.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-15));
    write(&paths[1], &[entry("x", &[12, 2, 3], &input.x)]).unwrap();
    assert_eq!(load_npz(&setup.network, &paths, &vec![0.0; setup.network.n_out()]).unwrap().y, vec![0.0; 48]);
    let error = load_npz(&setup.network, &paths, &vec![0.3; setup.network.n_out()]).unwrap_err().to_string();
    assert!(error.contains("no array 'y'") && error.contains("stimulus.npz"), "{error}");
    // A weight where the network has no projection.
    let mut stray = w0.clone();
    stray[3 * n + 7] = 0.1;
    write(&paths[0], &[entry("W0", &[n, n], &stray)]).unwrap();
    let error = load_npz(&setup.network, &paths, &vec![0.0; setup.network.n_out()]).unwrap_err();
    assert!(matches!(error, SimulationError::StrayWeight { pre: 7, post: 3, .. }), "{error}");
}

/// A network with cycles starts where δ = 0, too, if its weights let sweeps find that; neurons onto themselves have to be asked for.
#[test]
fn networks_with_cycles_have_the_same_defaults() {
    let dir = tempfile::tempdir().unwrap();
    let path = [dir.path().join("all.npz")];
    let mut rng = Rng(32);
    let edges = [(0, 1), (1, 2), (2, 1), (1, 1)];
    let mut net = network(&[3, 4, 2], &edges, Activation::Tanh, InputMode::Driven);
    let at = parameters(&net, 0.25, &mut rng);
    let (x, y) = (rng.uniforms(12, 0.0, 1.0), vec![0.0; 8]);
    let put = |w: &[f64]| {
        let all = [entry("W0", &[9, 9], w), entry("x", &[2, 2, 3], &x), entry("y", &[2, 2, 2], &y)];
        write(&path[0], &all).unwrap();
    };
    let w0 = dense(&net, &at.weights);
    put(&w0);
    let got = load_npz(&net, &path, &[0.3; 2]).unwrap();
    let want = steady(&net, &got.parameters, &got.x_prev);
    assert!(got.u0.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-12));
    // Where no sweep converges, u0 has to be given.
    net.activation = Activation::Linear;
    put(&w0.iter().map(|w| 20.0 * w).collect::<Vec<_>>());
    let error = load_npz(&net, &path, &[0.3; 2]).unwrap_err().to_string();
    assert!(error.contains("no array 'u0'") && error.contains("recurrent"), "{error}");
    let mut onto_itself = w0;
    onto_itself[5 * 9 + 5] = 0.1;
    put(&onto_itself);
    let error = load_npz(&net, &path, &[0.3; 2]).unwrap_err();
    assert!(
        matches!(&error, SimulationError::OntoItself { population, neuron: 2 } if population == "p1"),
        "{error}"
    );
    net.projections[3].self_connections = true;
    assert_eq!(load_npz(&net, &path, &[0.3; 2]).unwrap().parameters.weights[3][2 * 4 + 2], 0.1);
}

/// An input population without neurons.
#[test]
fn networks_without_an_input_start_at_their_steady_state() {
    let dir = tempfile::tempdir().unwrap();
    let path = [dir.path().join("all.npz")];
    let net = network(&[0, 4, 2], &[(0, 1), (1, 2), (2, 1), (0, 0)], Activation::Sigmoid, InputMode::Driven);
    let at = parameters(&net, 0.3, &mut Rng(33));
    let w0 = dense(&net, &at.weights);
    let all = [
        entry("W0", &[6, 6], &w0),
        entry("b0", &[6], &at.biases),
        entry("x", &[3, 2, 0], &[]),
        entry("y", &[3, 2, 2], &[0.5; 12]),
    ];
    write(&path[0], &all).unwrap();
    let input = load_npz(&net, &path, &[0.0; 2]).unwrap();
    let out = run(&setup(net, Settings::default()), &CPU, &input, &Record::default()).unwrap();
    assert_eq!((out.stop, out.steps_completed), (None, 3));
    // At rest without nudging.
    assert!(out.f_norm.iter().all(|f| *f < 1e-12), "{:?}", out.f_norm);
}

/// A run that is cut in two and goes on from its files is the run in one piece, for the scheme with the longest history.
#[test]
fn a_run_goes_on_from_saved_arrays() {
    let dir = tempfile::tempdir().unwrap();
    let (setup, input) = example(Integrator::Richardson2);
    let whole = run(&setup, &CPU, &input, &Record::default()).unwrap();
    assert_eq!(whole.stop, None);
    let first = SimulationInput {
        steps: 7,
        x: input.x[..7 * 6].to_vec(),
        y: input.y[..7 * 4].to_vec(),
        beta: input.beta[..14].to_vec(),
        learn: input.learn[..7].to_vec(),
        ..input.clone()
    };
    let half =
        run(&setup, &CPU, &first, &Record { voltages: true, snapshots: vec![2, 6], ..Record::default() })
            .unwrap();
    let saved = dir.path().join("half.npz");
    save_npz(&saved, &setup.network, &half).unwrap();
    let mut file = NpzFile::open(&saved).unwrap();
    assert_eq!(file.read("snap_steps").unwrap().data, [2.0, 6.0]);
    assert_eq!(file.read("f_norm").unwrap().data, half.f_norm);
    let u = file.read_shaped("u", &[Some(7), Some(2), Some(9)]).unwrap().data;
    let u_dot = file.read("u_dot").unwrap().data;
    let row = |data: &[f64], t: usize| data[t * 18..(t + 1) * 18].to_vec();
    let blocks = (0..3).map(|k| format!("W_end:{}", setup.network.projection_name(k)));
    let rest = SimulationInput {
        steps: 5,
        x: input.x[7 * 6..].to_vec(),
        y: input.y[7 * 4..].to_vec(),
        beta: input.beta[14..].to_vec(),
        learn: input.learn[7..].to_vec(),
        parameters: lagrange_gpu::network::Parameters {
            weights: blocks.map(|name| file.read(&name).unwrap().data).collect(),
            biases: file.read("b_end").unwrap().data,
            ..Default::default()
        },
        u0: row(&u, 6),
        x_prev: input.x[6 * 6..7 * 6].to_vec(),
        y_prev: input.y[6 * 4..7 * 4].to_vec(),
        u_dot0: Some(row(&u_dot, 6)),
        history: vec![row(&u_dot, 5), row(&u_dot, 4), row(&u_dot, 3)],
        ..input.clone()
    };
    let rest = run(&setup, &CPU, &rest, &Record::default()).unwrap();
    // The very same bits.
    assert_eq!(rest.u, whole.u[7 * 18..]);
    assert_eq!(rest.end, whole.end);
}

#[test]
fn lengths_and_values_that_are_wrong_are_named() {
    let (setup, input) = example(Integrator::Exact);
    let nobody = SimulationInput {
        batch: 0,
        x: Vec::new(),
        y: Vec::new(),
        u0: Vec::new(),
        x_prev: Vec::new(),
        y_prev: Vec::new(),
        ..input.clone()
    };
    let error = run(&setup, &CPU, &nobody, &Record::default()).unwrap_err();
    assert!(matches!(error, SimulationError::NoTrajectory), "{error}");
    let short = SimulationInput { x: input.x[1..].to_vec(), ..input.clone() };
    let error = run(&setup, &CPU, &short, &Record::default()).unwrap_err().to_string();
    assert!(error.contains("'x' has 71 values, expected 72"), "{error}");
    for (name, at) in [("x", 4 * 6 + 5), ("y", 4 * 4 + 3), ("beta", 4 * 2 + 1)] {
        let mut bad = input.clone();
        match name {
            "x" => bad.x[at] = f64::NAN,
            "y" => bad.y[at] = f64::INFINITY,
            _ => bad.beta[at] = f64::NAN,
        }
        let out = run(&setup, &CPU, &bad, &Record::default()).unwrap();
        let stop = out.stop.unwrap();
        let index = if name == "x" { 2 } else { 1 };
        assert_eq!((stop.step, &stop.reason), (4, &StopReason::NonFiniteInput { name, index }));
        assert_eq!((out.steps_completed, out.u.len()), (4, 4 * 18));
        // The step was not begun: parameters are those before it.
        assert!(out.end.weights.iter().flatten().all(|w| w.is_finite()));
    }
    // Finite in f64, too large for f32: the device finds it.
    let mut bad = input.clone();
    bad.y[4 * 4] = 1e39;
    let out = run(&setup, &Device::Cpu(Precision::F32), &bad, &Record::default()).unwrap();
    let stop = out.stop.unwrap();
    assert_eq!((stop.step, stop.reason), (4, StopReason::NonFiniteInput { name: "y", index: 0 }));
    // A voltage that is not finite from the start.
    let mut bad = input;
    bad.u0[9 + 5] = f64::NAN;
    let stop = run(&setup, &CPU, &bad, &Record::default()).unwrap().stop.unwrap();
    assert_eq!((stop.step, stop.trajectory), (0, 1));
    assert!(matches!(stop.reason, StopReason::NonFiniteState { .. }), "{stop}");
}
