//! `eval` and `predict` from outside: what they print and write, and that they agree with the run they evaluate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use cli_support::{MiniData, Place, json, names};
use lagrange_gpu::data::npz::NpzFile;
use npyz::WriterBuilder;
use serde_json::Value;

const CPU: [&str; 2] = ["--device", "cpu"];

/// A run on the small data set, and its folder relative to the place.
fn trained() -> (Place, String) {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    place.train(config, &CPU).ends(0);
    let run = place.the_run().display().to_string();
    (place, run)
}

fn eval(place: &Place, args: &[&str]) -> Value {
    let ran = place.run(&[&["eval"], args, &CPU, &["--json"]].concat()).ends(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn predict(place: &Place, args: &[&str]) -> PathBuf {
    place.run(&[&["predict"], args, &CPU, &["--out", "out.npz"]].concat()).ends(0);
    place.path("out.npz")
}

fn array(path: &Path, name: &str) -> Vec<f64> {
    NpzFile::open(path).unwrap().read(name).unwrap().data
}

#[test]
fn a_run_is_scored_as_it_was_at_its_end() {
    let (place, run) = trained();
    let test = json(&PathBuf::from(&run).join("test.json"));
    let got = eval(&place, &[&run]);
    assert_eq!(got["score"]["accuracy"], test["accuracy"]);
    assert_eq!(got["score"]["loss"], test["loss"]);
    assert_eq!(got["score"]["confusion"], test["confusion"]);
    assert_eq!((got["part"].as_str(), got["epoch"].as_u64()), (Some("test"), Some(2)));
    assert_eq!((got["readout"].as_str(), &got["steps"]), (Some("steady-state"), &Value::Null));
    let p = test["accuracy"].as_f64().unwrap();
    let error = got["score"]["standard_error"].as_f64().unwrap();
    assert!((error - (p * (1.0 - p) / 6.0).sqrt()).abs() < 1e-15);

    // The file beside its config, the same file elsewhere with one, and other batch sizes: linear and f32, to rounding.
    let file = format!("{run}/parameters.safetensors");
    std::fs::copy(&file, place.path("moved.safetensors")).unwrap();
    for args in [
        &[file.as_str()][..],
        &["moved.safetensors", "--config", "mini.toml"],
        &[&run, "--batch", "1"],
        &[&run, "--batch", "4", "--precision", "f64"],
    ] {
        let other = eval(&place, args);
        assert_eq!(other["score"]["confusion"], test["confusion"], "{args:?}");
        let (a, b) = (other["score"]["loss"].as_f64().unwrap(), test["loss"].as_f64().unwrap());
        // Sums of at most 4 terms in two layers, outputs and targets of order 1.
        assert!((a - b).abs() < 1e-6, "{args:?}: {a} {b}");
    }
}

#[test]
fn the_table_is_printed_and_the_json_kept() {
    let (place, run) = trained();
    let ran = place.run(&[&["eval", &run, "--data", "train", "--out", "score.json"], &CPU[..]].concat());
    let ran = ran.ends(0);
    for word in [
        "parameters  ",
        "after epoch 2",
        "network     4-3-2, linear",
        "readout     steady state, β = 0",
        "train samples",
        "device      CPU",
        "accuracy ",
        "10 samples), loss",
        "true \\ predicted",
        "class   samples    recall  precision",
    ] {
        assert!(ran.stdout.contains(word), "'{word}' is missing in:\n{}", ran.stdout);
    }
    let kept = json(&place.path("score.json"));
    assert_eq!((kept["part"].as_str(), kept["score"]["samples"].as_u64()), (Some("train"), Some(10)));
    assert!(!names(&place.path("")).iter().any(|n| n.ends_with(".part")));
}

#[test]
fn a_trajectory_runs_the_presentation_of_the_config() {
    let (place, run) = trained();
    let steady = eval(&place, &[&run]);
    let got = eval(&place, &[&run, "--trajectory"]);
    assert_eq!((got["readout"].as_str(), got["steps"].as_u64()), (Some("trajectory"), Some(5)));
    // The network is linear and the ramp ends at 1 − 1.7e-10: the same answers to the rounding of f32.
    assert_eq!(got["score"]["confusion"], steady["score"]["confusion"]);
    let loss = |v: &Value| v["score"]["loss"].as_f64().unwrap();
    assert!((loss(&got) - loss(&steady)).abs() < 1e-5, "{} {}", loss(&got), loss(&steady));
    // A ramp that ends half-way, at s = 1/(1 + e⁰), gives other outputs.
    let half = eval(&place, &[&run, "--trajectory", "--set", "training.ramp-to=0"]);
    assert!((loss(&half) - loss(&steady)).abs() > 1e-3, "{} {}", loss(&half), loss(&steady));
}

#[test]
fn predictions_are_those_that_are_scored() {
    let (place, run) = trained();
    let score = eval(&place, &[&run]);
    let out = predict(&place, &[&run]);
    let (labels, classes) = (array(&out, "label"), array(&out, "predicted"));
    assert_eq!(array(&out, "index"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(labels, [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    let mut confusion = vec![vec![0_u64; 2]; 2];
    labels.iter().zip(&classes).for_each(|(&l, &c)| confusion[l as usize][c as usize] += 1);
    assert_eq!(score["score"]["confusion"], serde_json::json!(confusion));
    let mut file = NpzFile::open(&out).unwrap();
    let outputs = file.read_shaped("output", &[Some(6), Some(2)]).unwrap().data;
    for (row, class) in outputs.chunks_exact(2).zip(&classes) {
        assert_eq!(*class, f64::from(u8::from(row[1] > row[0])));
    }
    // Mean of ½‖u* − u‖² with targets 0 and 1.
    let cost = |(row, &label): (&[f64], &f64)| {
        (0..2).map(|o| 0.5 * (f64::from(u8::from(label == o as f64)) - row[o]).powi(2)).sum::<f64>()
    };
    let loss = outputs.chunks_exact(2).zip(&labels).map(cost).sum::<f64>() / 6.0;
    assert!((loss - score["score"]["loss"].as_f64().unwrap()).abs() < 1e-14);

    place.run(&[&["predict", &run, "--out", "out.csv"], &CPU[..]].concat()).ends(0);
    let text = std::fs::read_to_string(place.path("out.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines.len()), ("index,label,predicted,output_0,output_1", 7));
    for (i, line) in lines[1..].iter().enumerate() {
        let numbers: Vec<f64> = line.split(',').map(|v| v.parse().unwrap()).collect();
        let want = [i as f64, labels[i], classes[i], outputs[2 * i], outputs[2 * i + 1]];
        assert_eq!(numbers, want);
    }
}

fn npy<T: npyz::AutoSerialize>(shape: &[u64], values: Vec<T>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut array =
        npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd().unwrap();
    array.extend(values).unwrap();
    array.finish().unwrap();
    bytes.into_inner()
}

#[test]
fn images_of_the_users_own_are_read_in_every_format() {
    let (place, run) = trained();
    let data = MiniData::new();
    let pixels = &data.test_images[16..];
    let want = array(&predict(&place, &[&run]), "output");
    place.write("bytes.npy", npy(&[6, 4], pixels.to_vec()));
    place.write("wide.npy", npy(&[6, 2, 2], pixels.iter().map(|&b| i64::from(b)).collect()));
    place.write("unit.npy", npy(&[6, 4], pixels.iter().map(|&b| f64::from(b) / 255.0).collect()));
    for input in ["test-images", "bytes.npy", "wide.npy", "unit.npy"] {
        let out = predict(&place, &[&run, "--input", input]);
        assert_eq!(array(&out, "output"), want, "{input}");
        assert_eq!(array(&out, "label"), [-1.0; 6], "{input}");
    }
    // The predictions themselves are an archive with several arrays, none of which is called images.
    predict(&place, &[&run]);
    place.run(&["predict", &run, "--input", "out.npz", "--out", "o.csv"]).ends(2).says(&["which array"]);
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    let (place, run) = trained();
    let refused = |args: &[&str], words: &[&str]| {
        place.run(&[args, &CPU].concat()).ends(2).says(words);
    };
    refused(&["eval", "runs"], &["runs", "no parameters.safetensors", "run directory"]);
    refused(&["eval", "missing.safetensors"], &["missing.safetensors", "--config"]);
    refused(&["eval", &run, "--data", "validation"], &["--data validation", "data.validation is 0"]);
    refused(
        &["eval", &run, "--config", "mnist-small.toml"],
        &["parameters.safetensors", "[3, 4]", "[30, 784]", "--config"],
    );
    refused(&["eval", &run, "--batch", "0"], &["--batch"]);
    refused(&["eval", &run, "--set", "network.activation='tanh'", "--data", "nothing"], &["nothing"]);
    refused(&["predict", &run, "--out", "out.txt"], &["out.txt", ".npz or .csv"]);
    refused(&["predict", &run, "--out", "no/out.csv"], &["no folder no"]);
    place.write("far.npy", npy(&[1, 4], vec![0.0, 1.0, 2.0, 0.0]));
    refused(
        &["predict", &run, "--input", "far.npy", "--out", "o.npz"],
        &["far.npy", "value 2", "image 0", "pixel 2", "0 to 1"],
    );
    place.write("odd.npy", npy(&[2, 3], vec![0_u8; 6]));
    refused(
        &["predict", &run, "--input", "odd.npy", "--out", "o.npz"],
        &["odd.npy", "[2, 3]", "[samples, 4]"],
    );
    assert!(!place.path("o.npz").exists());
    place.run(&["eval", &run, "--device", "no such device"]).ends(3);
    // Another activation has the same shapes: it is said, and done.
    let ran = place.run(&[&["eval", &run, "--set", "network.activation='tanh'"], &CPU[..]].concat());
    ran.ends(0).says(&["warning", "linear", "tanh"]);
}
