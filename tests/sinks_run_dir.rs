//! The folder of a run: never overwritten, complete when it says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lagrange_gpu::sinks::{Provenance, RunDir, RunDirError, Tensor};
use lagrange_gpu::train::{Event, Header, Score, Sink};
use lagrange_gpu::version;

/// 2026-11-21 21:30:00 UTC.
fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_296_600)
}

fn folder(base: &Path) -> RunDir {
    RunDir::create(base, "digits", 7, start()).unwrap()
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_path_names_experiment_time_and_seed_and_is_never_reused() {
    let base = tempfile::tempdir().unwrap();
    // A base that does not exist yet is made.
    let base = base.path().join("runs");
    let names: Vec<_> = (0..3).map(|_| folder(&base).path().to_path_buf()).collect();
    let group = base.join("digits");
    let expected = ["20261121T213000Z-7", "20261121T213000Z-7-2", "20261121T213000Z-7-3"];
    assert_eq!(names, expected.map(|name| group.join(name)));
    assert!(names.iter().all(|path| path.is_dir()));
}

#[test]
fn odd_names_stay_inside_the_folder() {
    let base = tempfile::tempdir().unwrap();
    let long = "x".repeat(500);
    for (name, expected) in [
        ("../../etc/x", "_.._etc_x"),
        ("..", "run"),
        ("", "run"),
        ("a b/c\\d:é", "a_b_c_d__"),
        ("mnist-1.2_x", "mnist-1.2_x"),
        ("NUL.txt", "_NUL.txt"),
        (long.as_str(), &long[..64]),
    ] {
        let run = RunDir::create(base.path(), name, 1, start()).unwrap();
        assert_eq!(run.path().parent().unwrap(), base.path().join(expected), "{name}");
    }
}

#[test]
fn errors_say_where_and_what_to_do() {
    let base = tempfile::tempdir().unwrap();
    let file = base.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let error = RunDir::create(&file, "digits", 1, start()).unwrap_err();
    assert!(matches!(error, RunDirError::Create { .. }));
    let text = error.to_string();
    assert!(text.contains(&file.display().to_string()) && text.contains("in the way"), "{text}");

    let run = folder(base.path());
    fs::remove_dir_all(run.path()).unwrap();
    let text = run.write_config("x = 1").unwrap_err().to_string();
    assert!(text.contains("config.toml") && text.contains("removed"), "{text}");

    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let text = RunDirError::Write { path: "some/file".into(), source: full }.to_string();
    assert!(text.contains("some/file") && text.contains("free some space"), "{text}");
}

#[test]
fn a_run_leaves_config_provenance_metrics_score_and_done() {
    let base = tempfile::tempdir().unwrap();
    let run = folder(base.path());
    let file = |name: &str| run.path().join(name);
    run.write_config("name = \"digits\"\n").unwrap();
    let header = Header {
        name: "digits".into(),
        seed: 7,
        network: "4-2".into(),
        parameters: 10,
        activation: "sigmoid".into(),
        rule: "least-action".into(),
        rate: 0.1,
        rate_decay: 1.0,
        schedule: "constant".into(),
        integrator: "exact".into(),
        solver: String::new(),
        tau_ms: 10.0,
        dt_ms: 1.0,
        steps: 100,
        shown: "sample".into(),
        device: "Some GPU".into(),
        driver: "Vulkan".into(),
        tiles: String::new(),
        precision: "f32".into(),
        version: version::VERSION.into(),
        commit: version::COMMIT.into(),
        data: "numbers".into(),
        samples: [1, 1, 1],
        batch: 1,
        epochs: 1,
    };
    run.write_provenance(&Provenance::new(&header, run.started())).unwrap();
    let mut metrics = run.metrics().unwrap();
    metrics.take(&Event::Finished { elapsed_s: 2.0 }).unwrap();
    assert!(run.metrics().is_err(), "older metrics are not overwritten");
    run.write_score(&Score { samples: 4, accuracy: 0.75, loss: 0.1, confusion: vec![vec![3, 1]] }).unwrap();
    assert!(!file("DONE").exists());
    run.finish(start() + Duration::from_secs(61)).unwrap();

    assert_eq!(fs::read_to_string(file("config.toml")).unwrap(), "name = \"digits\"\n");
    let provenance = json(&file("provenance.json"));
    assert_eq!(provenance["commit"], version::COMMIT);
    assert_eq!((&provenance["device"], &provenance["seed"]), (&"Some GPU".into(), &7.into()));
    assert_eq!(provenance["started"], "2026-11-21T21:30:00Z");
    assert_eq!(provenance["os"], std::env::consts::OS);
    assert!(!provenance["command_line"].as_array().unwrap().is_empty());
    assert_eq!(json(&file("test.json"))["accuracy"], 0.75);
    assert_eq!(json(&file("metrics.jsonl"))["event"], "finished");
    assert_eq!(fs::read_to_string(file("DONE")).unwrap(), "2026-11-21T21:31:01Z\n");
    let left: Vec<_> = fs::read_dir(run.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".part")), "{left:?}");
}

#[test]
fn parameters_are_read_back_with_their_metadata() {
    let base = tempfile::tempdir().unwrap();
    let run = folder(base.path());
    let weights = [1.0_f32, -2.5, 3.25, f32::MIN_POSITIVE, 0.0, -0.0];
    let tensor =
        |name: &str, shape: &[usize]| Tensor { name: name.into(), shape: shape.to_vec(), values: &weights };
    let metadata = HashMap::from([("seed".to_owned(), "7".to_owned())]);
    let tensors = [tensor("weights.hidden->output", &[2, 3]), tensor("biases.output", &[6])];
    run.write_parameters(&tensors, metadata).unwrap();

    let bytes = fs::read(run.path().join("parameters.safetensors")).unwrap();
    let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let view = read.tensor("weights.hidden->output").unwrap();
    assert_eq!((view.dtype(), view.shape()), (safetensors::Dtype::F32, &[2, 3][..]));
    let values: Vec<u8> = weights.iter().flat_map(|v| v.to_le_bytes()).collect();
    assert_eq!(view.data(), values);
    assert_eq!(read.tensor("biases.output").unwrap().shape(), [6]);
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(header.metadata().as_ref().unwrap()["seed"], "7");

    let error = run.write_parameters(&[tensor("w", &[2, 2])], HashMap::new()).unwrap_err();
    assert!(matches!(&error, RunDirError::Shape { values: 6, .. }), "{error}");
    let after = fs::read(run.path().join("parameters.safetensors")).unwrap();
    assert_eq!(after, bytes, "a failed save leaves the older file as it was");
}

#[test]
fn the_build_is_named() {
    assert_eq!(version::VERSION, env!("CARGO_PKG_VERSION"));
    let hash = version::COMMIT.trim_end_matches("-dirty");
    let is_hash = hash.len() >= 12 && hash.chars().all(|c| c.is_ascii_hexdigit());
    assert!(is_hash || version::COMMIT == "unknown", "{}", version::COMMIT);
    assert_eq!(version::LONG, format!("{} ({})", version::VERSION, version::COMMIT));
}
