//! `plot` from outside: the pictures of runs, drawn at their end and again, and what is said of odd files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use std::fs;
use std::path::Path;

use cli_support::{MiniData, Place, TINY, names};
use lagrange_gpu::data::npz::{Entry, write};

const MNIST: [&str; 4] =
    ["learning-curve.svg", "confusion.svg", "receptive-fields.png", "receptive-fields.svg"];

/// A complete run of a tenth of a second on digits.
fn trained() -> (Place, String) {
    let place = Place::new();
    place.train("mnist-small.toml", &[&TINY[..], &["--device", "cpu"]].concat()).ends(0);
    let run = place.the_run().to_str().unwrap().to_owned();
    (place, run)
}

fn sorted(names: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.sort();
    names
}

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_run_draws_its_pictures_and_plot_draws_the_same_again() {
    let (place, run) = trained();
    let plots = Path::new(&run).join("plots");
    assert_eq!(names(&plots), sorted(&MNIST));
    let curve = text(plots.join("learning-curve.svg"));
    for words in
        ["mnist-small, seed 1: learning curve", "784-30-10", "epoch", "simulated time (s)", "validation"]
    {
        assert!(curve.contains(words), "{words}");
    }
    let before: Vec<Vec<u8>> = MNIST.iter().map(|name| fs::read(plots.join(name)).unwrap()).collect();
    fs::remove_dir_all(&plots).unwrap();
    let ran = place.run(&["plot", &run]).ends(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.stdout.lines().count(), MNIST.len());
    let again: Vec<Vec<u8>> = MNIST.iter().map(|name| fs::read(plots.join(name)).unwrap()).collect();
    assert!(before == again, "the same run gave other bytes");
    // Into a folder of one's own, which is made.
    place.run(&["plot", &run, "--out", "here/and/there"]).ends(0);
    assert_eq!(names(&place.path("here/and/there")), sorted(&MNIST));
}

#[test]
fn seeds_are_drawn_with_their_control() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    place.train(config, &["--device", "cpu", "--seeds", "3,5", "--control"]).ends(0);
    let group = place.runs().into_iter().find(|path| path.to_str().unwrap().ends_with("-seeds")).unwrap();
    let curve = text(group.join("plots/learning-curve.svg"));
    for words in ["mini: 2 seeds", "least action (mean ± sd, 2 seeds)", "backprop (mean ± sd, 2 seeds)"] {
        assert!(curve.contains(words), "{words}");
    }
    // Four inputs are no image.
    let run = place.runs().into_iter().find(|path| path.to_str().unwrap().ends_with("-3")).unwrap();
    assert_eq!(names(&run.join("plots")), sorted(&["confusion.svg", "learning-curve.svg"]));
    // All runs are elsewhere now, and one is gone.
    let there = place.path("moved");
    fs::rename(place.path("runs"), &there).unwrap();
    let moved = there.join(group.strip_prefix(place.path("runs")).unwrap());
    place.run(&["plot", moved.to_str().unwrap()]).ends(0);
    assert_eq!(text(moved.join("plots/learning-curve.svg")), curve);
    fs::remove_dir_all(there.join(run.strip_prefix(place.path("runs")).unwrap())).unwrap();
    let ran =
        place.run(&["plot", moved.to_str().unwrap()]).ends(0).says(&["notice", "put the run directory back"]);
    assert_eq!(ran.stdout.lines().count(), 1);
    assert!(text(moved.join("plots/learning-curve.svg")).contains("least action (1 seed)"));
}

#[test]
fn folders_without_a_run_are_named() {
    let place = Place::new();
    place.run(&["plot", "nowhere"]).ends(2).says(&["nowhere: there is no such folder", "runs/<name>"]);
    fs::create_dir(place.path("empty")).unwrap();
    place.run(&["plot", "empty"]).ends(2).says(&["empty: nothing to draw", "metrics.jsonl", "run directory"]);
    place.write("empty/metrics.jsonl", "");
    place.run(&["plot", "empty"]).ends(2).says(&["metrics.jsonl: no epoch and no mini-batch"]);
    place.write("empty/seeds.json", "[]");
    place.run(&["plot", "empty"]).ends(2).says(&["seeds.json: is not the table of several seeds"]);
    assert_eq!(names(&place.path("empty")), ["metrics.jsonl", "seeds.json"], "nothing was written");
    place.run(&["plot"]).ends(2);
}

/// A run that was killed: what was written until then is drawn.
#[test]
fn a_torn_line_is_passed_over() {
    let (place, run) = trained();
    let metrics = Path::new(&run).join("metrics.jsonl");
    let whole = text(&metrics);
    let at = whole.find("\"event\":\"epoch\"").unwrap();
    fs::write(&metrics, &whole[..at + 30]).unwrap();
    let ran = place.run(&["plot", &run]).ends(0).says(&["metrics.jsonl: 1 of its lines is cut off"]);
    assert_eq!(ran.stdout.lines().count(), MNIST.len());
    let curve = text(Path::new(&run).join("plots/learning-curve.svg"));
    assert!(curve.contains("mini-batches") && !curve.contains("mean of the epoch"));
}

/// A run that diverged has no finite number: the other pictures are drawn.
#[test]
fn files_that_cannot_be_drawn_are_named_and_the_others_drawn() {
    let (place, run) = trained();
    let dir = Path::new(&run);
    fs::remove_dir_all(dir.join("plots")).unwrap();
    let diverged =
        r#"{"event":"epoch","epoch":1,"epochs":1,"loss":null,"train_accuracy":null,"simulated_ms":1e3}"#;
    fs::write(dir.join("metrics.jsonl"), format!("{diverged}\n")).unwrap();
    fs::write(dir.join("test.json"), "{\"confusion\": [[1, -2]]}").unwrap();
    let ran = place.run(&["plot", &run]).ends(0).says(&[
        "metrics.jsonl: no epoch and no mini-batch has a finite cost",
        "test.json: is not the score of a run",
    ]);
    assert_eq!(ran.stdout.lines().count(), 2);
    assert_eq!(names(&dir.join("plots")), ["receptive-fields.png", "receptive-fields.svg"]);
    // The parameters of another network, and no parameters at all.
    let parameters = dir.join("parameters.safetensors");
    let other = Place::new();
    let config = MiniData::new().put(&other);
    other.train(config, &["--device", "cpu"]).ends(0);
    fs::copy(other.the_run().join("parameters.safetensors"), &parameters).unwrap();
    place.run(&["plot", &run]).ends(2).says(&[
        "no receptive fields",
        "parameters.safetensors",
        "this network needs",
    ]);
    fs::write(&parameters, "no tensors").unwrap();
    place.run(&["plot", &run]).ends(2).says(&["is not a safetensors file"]);
    fs::write(dir.join("config.toml"), "name = 3").unwrap();
    place.run(&["plot", &run]).ends(2).says(&["config.toml", "no receptive fields"]);
}

/// The pictures are the last thing a run does, and it is complete without them.
#[test]
fn a_run_is_complete_without_its_pictures() {
    let (place, run) = trained();
    let dir = Path::new(&run);
    fs::remove_file(dir.join("DONE")).unwrap();
    fs::remove_dir_all(dir.join("plots")).unwrap();
    fs::write(dir.join("plots"), "a file in the way").unwrap();
    let ran = place.run(&["train", "--resume", &run]).ends(0);
    ran.says(&["warning: there are no pictures", "plots: cannot be written"]);
    assert!(dir.join("DONE").exists());
    place.run(&["plot", &run]).ends(1).says(&["plots: cannot be written"]);
}

/// The files of a pattern completion: 3 of 4 channels free, one sample missing.
fn completion(place: &Place, free: &[f64], steps: usize) {
    let time: Vec<f64> = (0..steps).map(|i| 2.0 * i as f64).collect();
    let mut truth: Vec<f64> = (0..4 * steps).map(|i| (0.05 * i as f64).sin()).collect();
    truth[4 * 50 + 2] = f64::NAN;
    let (before, after) = (vec![0.0; 4 * steps], truth.clone());
    let entry = |name: &str, shape: Vec<usize>, data| Entry { name: name.into(), shape, data, single: false };
    let entries = [
        entry("time_ms", vec![steps], &time[..]),
        entry("truth", vec![steps, 4], &truth),
        entry("before", vec![steps, 4], &before),
        entry("after", vec![steps, 4], &after),
        entry("free", vec![free.len()], free),
    ];
    fs::create_dir_all(place.path("run")).unwrap();
    write(&place.path("run/completion.npz"), &entries).unwrap();
}

const TABLE: &str = r#"{"channels": ["A1", "A2", "B1", "B2"], "free": ["A1", "B1", "B2"], "unit": "µV", "samples": 100, "rows": [
    {"method": "network", "channel": "A1", "r2": 0.5, "rmse": 1.0, "correlation": 0.8, "cost": 0.5},
    {"method": "network", "channel": "B1", "r2": 0.25, "rmse": 1.0, "correlation": null, "cost": 0.5},
    {"method": "network", "channel": "B2", "r2": null, "rmse": null, "correlation": null, "cost": null},
    {"method": "ridge", "channel": "A1", "r2": 0.75, "rmse": 0.5, "correlation": 0.9, "cost": 0.1}]}"#;

#[test]
fn a_pattern_completion_is_drawn() {
    let place = Place::new();
    completion(&place, &[0.0, 2.0, 3.0], 100);
    // Without the table the channels have no names.
    place.run(&["plot", "run"]).ends(0);
    assert!(text(place.path("run/plots/traces.svg")).contains("channel 2"));
    place.write("run/completion.json", TABLE);
    let ran = place.run(&["plot", "run"]).ends(0);
    assert_eq!((ran.stderr.as_str(), ran.stdout.lines().count()), ("", 2));
    let traces = text(place.path("run/plots/traces.svg"));
    for words in ["\nA1\n", "\nB1\n", "\nB2\n", "µV", "R² 0.50", "R² 0.25"] {
        assert!(traces.contains(words), "{words}");
    }
    assert!(!traces.contains("\nA2\n"), "it is nudged");
    // Three electrodes, the gap of B1, the legend.
    assert_eq!(traces.matches("stroke=\"#404040\"").count(), 3 + 1 + 1);
    let scores = text(place.path("run/plots/completion.svg"));
    for words in ["\nA1\n", "\nmedian\n", "the network", "ridge regression"] {
        assert!(scores.contains(words), "{words}");
    }
}

#[test]
fn odd_files_of_a_completion_are_named() {
    let place = Place::new();
    for (free, words) in [
        (&[4.0][..], "completion.npz: array 'free' holds 4, which is no index below 4"),
        (&[0.5], "array 'free' holds 0.5"),
        (&[-1.0], "array 'free' holds -1"),
        (&[f64::NAN], "array 'free' holds NaN"),
        (&[], "completion.npz: there are 0 free electrodes"),
    ] {
        completion(&place, free, 100);
        place.run(&["plot", "run"]).ends(2).says(&[words]);
    }
    place.write("run/completion.npz", "no zip");
    place.write("run/completion.json", "{\"rows\": 3}");
    place.run(&["plot", "run"]).ends(2).says(&[
        "completion.npz: is not an .npz file",
        "completion.json: is not the table of a pattern completion",
    ]);
    let data = [1.0, 2.0];
    let entries = [Entry { name: "time_ms".into(), shape: vec![2], data: &data, single: false }];
    write(&place.path("run/completion.npz"), &entries).unwrap();
    place.run(&["plot", "run"]).ends(2).says(&["holds no array 'truth'"]);
}
