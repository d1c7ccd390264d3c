//! `train` on the recording that comes with the program: what it prints and leaves behind, one run and several seeds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use cli_support::{Place, events, events_of, json};
use lagrange_gpu::data::npz::NpzFile;

/// A pass over the training part by a small network.
const SHORT: [&str; 8] = [
    "--set",
    "network.sizes=[0, 5, 50]",
    "--set",
    "training.epochs=1",
    "--set",
    "training.repetitions=1",
    "--set",
    "data.train-s=[1.5, 2.5]",
];

#[test]
fn a_recording_is_learned_and_completed() {
    let place = Place::new();
    let ran = place.train("ieeg-recurrent", &SHORT).ends(0);
    let ran = ran.says(&["test of 10 free electrodes", "before training", "network", "ridge", "persistence"]);
    assert!(!ran.stderr.contains("test accuracy"), "{}", ran.stderr);
    assert!(ran.line("dynamics ").contains(" ms a window ("), "{}", ran.stderr);
    let run = place.the_run();
    let all = events(&run);
    assert_eq!((&all[0]["event"], &all[all.len() - 1]["event"]), (&"started".into(), &"finished".into()));
    let (epoch, done) = (&events_of(&run, "epoch")[0], &events_of(&run, "completed")[0]);
    assert!(epoch["loss"].as_f64().unwrap() > 0.0 && epoch["train_accuracy"].is_null(), "{epoch}");
    assert_eq!(done["methods"].as_array().unwrap().len(), 5);
    // 1 s at 512 Hz in steps of half a row: 512 rows, so 511 distances; the test part is 2.5 s less 25 rows.
    let batch = events_of(&run, "batch");
    assert_eq!(batch[batch.len() - 1]["done"], 2 * 511);
    assert_eq!(done["samples"], 1280 - 25);
    let table = json(&run.join("completion.json"));
    assert_eq!(table["rows"].as_array().unwrap().len(), 5 * 10);
    let mut traces = NpzFile::open(&run.join("completion.npz")).unwrap();
    for (name, shape) in
        [("time_ms", &[1280][..]), ("truth", &[1280, 50]), ("before", &[1280, 50]), ("after", &[1280, 50])]
    {
        assert_eq!(traces.read(name).unwrap().shape, shape, "{name}");
    }
    assert_eq!(traces.read("free").unwrap().data.len(), 10);
}

#[test]
fn several_seeds_of_a_recording_make_a_table() {
    let place = Place::new();
    place.train("ieeg-recurrent", &[&SHORT[..], &["--seeds", "1,2"]].concat()).ends(0);
    let group = place.runs().into_iter().find(|run| run.ends_with("seeds") || run.join("seeds.md").is_file());
    let text = std::fs::read_to_string(group.expect("a table").join("seeds.md")).unwrap();
    assert!(text.contains("| seed | test R² | loss | seconds |") && text.contains("mean ± sd"), "{text}");
    assert!(!text.contains("not run"), "{text}");
}

/// R² of the free electrodes as the definition has it: 1 − Σ(y − p)² / Σ(y − ȳ)², a mean over electrodes, from row `first` on.
fn mean_r2(truth: &[f64], output: &[f64], cols: usize, free: &[usize], first: usize) -> f64 {
    let of = |values: &[f64], c: usize| -> Vec<f64> {
        values[first * cols + c..].iter().step_by(cols).copied().collect()
    };
    let each = free.iter().map(|&c| {
        let (y, p) = (of(truth, c), of(output, c));
        let mean = y.iter().sum::<f64>() / y.len() as f64;
        let around: f64 = y.iter().map(|y| (y - mean).powi(2)).sum();
        1.0 - y.iter().zip(&p).map(|(y, p)| (y - p).powi(2)).sum::<f64>() / around
    });
    each.sum::<f64>() / free.len() as f64
}

#[test]
fn a_trained_network_follows_recordings_again() {
    let place = Place::new();
    // Parameters are written in single precision: those of such a run as they are.
    place.train("ieeg-recurrent", &[&SHORT[..], &["--set", "run.precision=\"f32\""]].concat()).ends(0);
    let run = place.the_run();
    let dir = run.to_str().unwrap();
    let ran = place.run(&["eval", dir, "--out", "eval.json"]).ends(0);
    for what in ["10 of 50 outputs free", "test of 10 free electrodes over 1,255 rows", "network", "ridge"] {
        assert!(ran.stdout.contains(what), "{what}: {}", ran.stdout);
    }
    // The same trajectories as those of the test after training.
    let (score, trained) = (&json(&place.path("eval.json"))["score"], json(&run.join("completion.json")));
    assert!(score["electrodes"] == trained["rows"], "{} for {}", score["electrodes"][0], trained["rows"][0]);
    assert_eq!((&score["samples"], &score["free"]), (&trained["samples"], &trained["free"]));

    place.run(&["predict", dir, "--out", "rows.npz"]).ends(0);
    place.run(&["predict", dir, "--out", "rows.csv"]).ends(0);
    let mut rows = NpzFile::open(&place.path("rows.npz")).unwrap();
    let mut traces = NpzFile::open(&run.join("completion.npz")).unwrap();
    let truth = rows.read("truth").unwrap();
    let output = rows.read("output").unwrap();
    assert_eq!((&truth, &output), (&traces.read("truth").unwrap(), &traces.read("after").unwrap()));
    assert_eq!(rows.read("time_ms").unwrap(), traces.read("time_ms").unwrap());
    assert!(rows.read("span").unwrap().data.iter().all(|&span| span == 0.0));
    let free: Vec<usize> = rows.read("free").unwrap().data.iter().map(|&c| c as usize).collect();
    // Single precision of values below 10: 1e-6 of each, so a few 1e-6 of the ratio.
    let (got, want) =
        (score["methods"][0]["r2"].as_f64().unwrap(), mean_r2(&truth.data, &output.data, 50, &free, 25));
    assert!((got - want).abs() < 1e-5 * (1.0 + want.abs()), "{got} for {want}");

    let csv = std::fs::read_to_string(place.path("rows.csv")).unwrap();
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!((lines.len(), lines[0].len()), (1 + 1280, 2 + 100));
    assert_eq!(lines[0][..2], ["span", "time_ms"]);
    assert!(lines[0][2].starts_with("truth_") && lines[0][52].starts_with("output_"), "{:?}", lines[0]);
    assert_eq!(lines[0][2]["truth_".len()..], lines[0][52]["output_".len()..]);
    for (row, line) in lines[1..].iter().enumerate() {
        let numbers: Vec<f64> = line[2..].iter().map(|v| f64::from(v.parse::<f32>().unwrap())).collect();
        assert_eq!(numbers[..50], truth.data[row * 50..(row + 1) * 50]);
        assert_eq!(numbers[50..], output.data[row * 50..(row + 1) * 50]);
    }
}

#[test]
fn other_parts_and_files_are_named() {
    let place = Place::new();
    place.train("ieeg-recurrent", &SHORT).ends(0);
    let run = place.the_run();
    let dir = run.to_str().unwrap();
    place.run(&["eval", dir, "--data", "train"]).ends(0);
    let none = place.run(&["eval", dir, "--data", "validation"]).ends(2);
    none.says(&["--data validation", "sets nothing of the recording aside", "data.validation-s"]);
    let file = place.run(&["eval", dir, "--data", "other.npz"]).ends(2);
    file.says(&["other.npz", "follows recordings", "data.path"]);
    let along = place.run(&["eval", dir, "--trajectory"]).ends(2);
    along.says(&["--trajectory", "always read along its trajectory"]);
    let input = place.run(&["predict", dir, "--input", "other.npy", "--out", "x.csv"]).ends(2);
    input.says(&["other.npy", "follows recordings"]);
}
