//! Parameters from safetensors files: what is read, and what is refused by name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::HashMap;
use std::path::Path;

use lagrange_gpu::checkpoint::parameters::{ParameterError, config_beside, find, parse, read};
use lagrange_gpu::checkpoint::save_parameters;
use lagrange_gpu::network::{
    Activation, Init, InitKind, InputMode, InterneuronDynamics, InterneuronInput, Interneurons, Microcircuit,
    MicrocircuitInit, MicrocircuitParameters, Network, Parameters, Pathway, Population, expand,
};
use lagrange_gpu::sinks::RunDir;
use safetensors::tensor::{Dtype, TensorView};

fn network() -> Network {
    let population = |(name, size): (&str, usize)| Population {
        name: name.into(),
        size,
        bias_factor: 0.0,
        bias_clip: None,
    };
    Network {
        populations: [("in", 2), ("hidden", 3), ("out", 1)].map(population).into(),
        projections: expand(3, &[]),
        activation: Activation::Sigmoid,
        input: InputMode::Clamped,
        microcircuit: None,
    }
}

/// What is written of a microcircuit is read again; without it the file is refused.
#[test]
fn a_microcircuit_goes_through_a_file() {
    let mut network = network();
    network.microcircuit = Some(Microcircuit {
        ip: InterneuronInput::Learned,
        interneurons: vec![Interneurons { population: 1, size: 2, factor: 1.0 }],
        dynamics: InterneuronDynamics::Instantaneous,
        feedback: Pathway::Separate,
        pi: Pathway::Separate,
        beta: 0.5,
        rate_ip: 0.1,
        rate_pi: 0.1,
        rate_feedback: 0.0,
        rate_bi: 0.1,
    });
    let init = [Init { kind: InitKind::Lecun, clip: None }; 3];
    let mut parameters = Parameters::draw(&network, &init, &init, 3);
    parameters.microcircuit = MicrocircuitParameters::draw(&network, &MicrocircuitInit::default(), 3);
    let micro = &parameters.microcircuit;
    // B from 1 to 3 neurons, W^PI and W^IP between 3 neurons and 2 interneurons, B^IP from 1 neuron to 2 interneurons.
    let sizes = [&micro.feedback, &micro.pi, &micro.ip, &micro.nudge].map(|blocks| blocks[0].len());
    assert_eq!((sizes, micro.biases.len()), ([3, 6, 6, 2], 2));
    let place = tempfile::tempdir().unwrap();
    let dir = RunDir::create(place.path(), "run", 3, std::time::SystemTime::now()).unwrap();
    save_parameters(&dir, &network, &parameters, 1, true).unwrap();
    let file = find(dir.path()).unwrap();
    assert_eq!(read(&file, &network).unwrap().parameters, parameters);
    network.microcircuit.as_mut().unwrap().interneurons[0].size = 3;
    let error = read(&file, &network).unwrap_err().to_string();
    assert!(error.contains("'WPI:hidden'") && error.contains("[3, 2]"), "{error}");
    network.microcircuit = None;
    let error = read(&file, &network).unwrap_err().to_string();
    assert!(error.contains("'B:out->hidden'") && error.contains("no place"), "{error}");
}

struct Tensor(&'static str, Dtype, Vec<usize>, Vec<u8>);

fn f32s(name: &'static str, shape: &[usize], values: &[f32]) -> Tensor {
    Tensor(name, Dtype::F32, shape.into(), values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

fn f64s(name: &'static str, shape: &[usize], values: &[f64]) -> Tensor {
    Tensor(name, Dtype::F64, shape.into(), values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

fn whole() -> Vec<Tensor> {
    vec![
        f32s("W:in->hidden", &[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.5]),
        f64s("W:hidden->out", &[1, 3], &[0.1, 0.2, 0.3]),
        f32s("b:hidden", &[3], &[-1.0, 0.0, 1.0]),
        f64s("b:out", &[1], &[0.7]),
    ]
}

fn bytes(tensors: &[Tensor]) -> Vec<u8> {
    let views = tensors.iter().map(|Tensor(name, dtype, shape, data)| {
        (*name, TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    let about = HashMap::from([("epoch".to_owned(), "4".to_owned())]);
    safetensors::serialize(views, Some(about)).unwrap()
}

fn refused(tensors: &[Tensor]) -> String {
    parse(Path::new("some/file"), &bytes(tensors), &network()).unwrap_err().to_string()
}

#[track_caller]
fn says(message: &str, words: &[&str]) {
    for word in [&["some/file"], words].concat() {
        assert!(message.contains(word), "'{word}' is missing in: {message}");
    }
}

#[test]
fn single_and_double_precision_are_read_and_state_is_passed_over() {
    let mut tensors = whole();
    tensors.push(f32s("state/u", &[1, 6], &[f32::NAN; 6]));
    tensors.push(Tensor("state/position", Dtype::U64, vec![1], vec![0; 8]));
    let loaded = parse(Path::new("f"), &bytes(&tensors), &network()).unwrap();
    assert_eq!(loaded.parameters.weights, [vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.5], vec![0.1, 0.2, 0.3]]);
    assert_eq!(loaded.parameters.biases, [0.0, 0.0, -1.0, 0.0, 1.0, 0.7]);
    assert_eq!(loaded.about["epoch"], "4");
    // A bias of the input population counts where there is one.
    tensors.push(f32s("b:in", &[2], &[8.0, 9.0]));
    let loaded = parse(Path::new("f"), &bytes(&tensors), &network()).unwrap();
    assert_eq!(loaded.parameters.biases[..2], [8.0, 9.0]);
}

#[test]
fn what_does_not_fit_is_named() {
    let mut other = whole();
    other[0] = f32s("W:in->hidden", &[2, 3], &[0.0; 6]);
    says(&refused(&other), &["'W:in->hidden'", "[2, 3]", "[3, 2]", "--config"]);

    let mut other = whole();
    other.remove(2);
    says(&refused(&other), &["no tensor 'b:hidden'", "[3]", "W:hidden->out, W:in->hidden, b:out"]);

    let mut other = whole();
    other.push(f32s("W:in->out", &[1, 2], &[0.0; 2]));
    says(&refused(&other), &["'W:in->out'", "[1, 2]", "no place"]);

    let mut other = whole();
    other[3] = Tensor("b:out", Dtype::BF16, vec![1], vec![0; 2]);
    says(&refused(&other), &["'b:out'", "BF16", "F32 or F64"]);
}

#[test]
fn values_that_are_no_numbers_are_refused_with_their_place() {
    for (value, shown) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let mut tensors = whole();
        tensors[1] = f64s("W:hidden->out", &[1, 3], &[0.1, 0.2, value]);
        says(&refused(&tensors), &["'W:hidden->out'", shown, "[0, 2]"]);
    }
    let mut tensors = whole();
    tensors[2] = f32s("b:hidden", &[3], &[0.0, f32::NAN, 0.0]);
    says(&refused(&tensors), &["'b:hidden'", "NaN", "[1]"]);
}

#[test]
fn damaged_files_are_refused() {
    let good = bytes(&whole());
    for bad in [&b""[..], b"hello", &good[..good.len() - 1], &good[..20], &[good.clone(), vec![0]].concat()] {
        let error = parse(Path::new("some/file"), bad, &network()).unwrap_err();
        assert!(matches!(error, ParameterError::Format { .. }), "{error}");
        says(&error.to_string(), &["not a safetensors file"]);
    }
}

#[test]
fn a_run_directory_stands_for_its_files() {
    let dir = tempfile::TempDir::new().unwrap();
    let run = dir.path();
    let error = find(run).unwrap_err();
    assert!(error.to_string().contains(run.to_str().unwrap()), "{error}");
    let file = run.join("parameters.safetensors");
    std::fs::write(&file, bytes(&whole())).unwrap();
    assert_eq!(find(run).unwrap(), file);
    assert_eq!(find(&file).unwrap(), file);
    assert!(read(&file, &network()).is_ok());
    assert!(matches!(read(&run.join("no"), &network()), Err(ParameterError::Read { .. })));
    assert_eq!(config_beside(&file), None);
    std::fs::write(run.join("config.toml"), "").unwrap();
    assert_eq!(config_beside(&file).unwrap(), run.join("config.toml"));
    assert_eq!(config_beside(&run.join("checkpoints/a.safetensors")).unwrap(), run.join("config.toml"));
}
