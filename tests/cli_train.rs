//! `train` from outside: what it prints, what it leaves behind, and that the same run is the same run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use std::path::Path;

use cli_support::{MiniData, Place, Ran, TINY, events, events_of, json, names, parameters};
use lagrange_gpu::config::{DeviceChoice, Experiment, Overrides, Source, find};
use lagrange_gpu::version::{COMMIT, VERSION};

const CPU: [&str; 2] = ["--device", "cpu"];

/// Three short epochs of the built-in experiment, the batch of 32 not dividing the 250 samples.
fn three_epochs(place: &Place) -> Ran {
    place.train("mnist-small.toml", &[&CPU[..], &TINY, &["--set", "training.epochs=3"]].concat()).ends(0)
}

/// The word before `unit`, as a number.
fn number_before(line: &str, unit: &str) -> f64 {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|w| *w == unit).unwrap_or_else(|| panic!("no {unit} in: {line}"));
    words[at - 1].replace(',', "").parse().unwrap_or_else(|_| panic!("no number before {unit}: {line}"))
}

/// The word after `key`, as a number.
fn number_after(line: &str, key: &str) -> f64 {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|w| *w == key).unwrap_or_else(|| panic!("no {key} in: {line}"));
    words[at + 1].parse().unwrap_or_else(|_| panic!("no number after {key}: {line}"))
}

#[test]
fn a_built_in_experiment_trains_from_an_empty_folder_and_says_what_happens() {
    let place = Place::new();
    let ran = three_epochs(&place);
    assert!(ran.line("experiment:").contains("built-in experiment mnist-small.toml"), "{}", ran.stderr);
    let device = ran.line("device ");
    assert!(device.contains("CPU") && device.contains("f32"), "{device}");
    let epochs: Vec<&str> =
        ran.stderr.lines().filter(|l| l.starts_with("epoch ") && l.contains("train")).collect();
    assert_eq!(epochs.len(), 3, "{}", ran.stderr);
    for (i, line) in epochs.iter().enumerate() {
        assert!(line.starts_with(&format!("epoch {}/3 ", i + 1)), "{line}");
        let loss = number_after(line, "loss");
        assert!(loss.is_finite() && loss > 0.0, "{line}");
        for accuracy in ["train", "validation"] {
            assert!((0.0..=100.0).contains(&number_after(line, accuracy)), "{line}");
        }
        // 250 samples in 8 mini-batches of 30 steps: 240 steps.
        let (samples, steps) = (number_before(line, "samples/s"), number_before(line, "steps/s"));
        assert!(samples > 0.0 && steps > 0.0, "{line}");
        assert!((steps / samples - 240.0 / 250.0).abs() < 0.01, "{line}");
        // After the last epoch nothing is left to wait for.
        assert_eq!(line.contains("ETA"), i < 2, "{line}");
    }
    assert_eq!(ran.stderr.matches("test accuracy").count(), 1, "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("true \\ predicted").count(), 1, "{}", ran.stderr);
    for class in 0..10 {
        ran.line(&format!("    {class}:"));
    }
    assert!(ran.stderr.contains(place.the_run().file_name().unwrap().to_str().unwrap()), "{}", ran.stderr);
}

#[test]
fn the_run_directory_holds_everything_that_belongs_to_the_run() {
    let place = Place::new();
    let ran = three_epochs(&place);
    let run = place.the_run();
    let all = [
        "DONE",
        "checkpoints",
        "config.toml",
        "metrics.jsonl",
        "parameters.safetensors",
        "plots",
        "provenance.json",
        "test.json",
    ];
    assert_eq!(names(&run), all);

    let about = json(&run.join("provenance.json"));
    assert_eq!((about["version"].as_str(), about["commit"].as_str()), (Some(VERSION), Some(COMMIT)));
    assert_eq!((about["seed"].as_u64(), about["precision"].as_str()), (Some(1), Some("f32")));
    // The header and the file name the same device.
    assert!(about["device"].as_str().unwrap().starts_with("CPU"), "{about}");
    for key in ["device", "driver"] {
        assert!(ran.line("device ").contains(about[key].as_str().unwrap()), "{about}");
    }

    let (arrays, epoch) = parameters(&run);
    let shapes: Vec<(&str, &[usize])> =
        arrays.iter().map(|a| (a.name.as_str(), a.shape.as_slice())).collect();
    // A row for each postsynaptic neuron, and no bias for clamped pixels.
    let want: [(&str, &[usize]); 4] = [
        ("W:hidden->output", &[10, 30]),
        ("W:input->hidden", &[30, 784]),
        ("b:hidden", &[30]),
        ("b:output", &[10]),
    ];
    assert_eq!(shapes, want);
    assert!(arrays.iter().flat_map(|a| &a.bits).all(|&b| f32::from_bits(b).is_finite()));
    assert_eq!(epoch, 3);

    let test = json(&run.join("test.json"));
    let confusion: Vec<Vec<u64>> = serde_json::from_value(test["confusion"].clone()).unwrap();
    // The embedded subset has the first 100 test digits of each class.
    assert!(confusion.len() == 10 && confusion.iter().all(|row| row.iter().sum::<u64>() == 100));
    let right: u64 = (0..10).map(|c| confusion[c][c]).sum();
    assert!((test["accuracy"].as_f64().unwrap() - right as f64 / 1000.0).abs() < 1e-12, "{test}");
    let shown = format!("test accuracy {:.2} %", right as f64 / 10.0);
    assert!(ran.stderr.contains(&shown), "{shown} is missing in\n{}", ran.stderr);
}

/// Tells whether `DONE` is the youngest file but for pictures, which are drawn of a complete run; the clock of a file system may be coarse.
#[test]
fn done_comes_last() {
    let place = Place::new();
    three_epochs(&place);
    let run = place.the_run();
    let time = |name: &str| std::fs::metadata(run.join(name)).unwrap().modified().unwrap();
    for name in names(&run).into_iter().filter(|name| name != "plots") {
        assert!(time(&name) <= time("DONE"), "{name} is younger than DONE");
    }
}

#[test]
fn metrics_hold_health_and_every_sample_of_every_epoch() {
    let place = Place::new();
    three_epochs(&place);
    let run = place.the_run();
    let all = events(&run);
    assert_eq!((&all[0]["event"], &all[all.len() - 1]["event"]), (&"started".into(), &"finished".into()));
    let epochs = events_of(&run, "epoch");
    assert_eq!(epochs.len(), 3);
    for (i, epoch) in epochs.iter().enumerate() {
        assert_eq!(epoch["epoch"], i + 1);
        for key in ["loss", "mean_abs_weight_change", "train_accuracy", "validation_accuracy"] {
            assert!(epoch[key].as_f64().is_some_and(f64::is_finite), "{key}: {epoch}");
        }
        assert!(epoch["mean_abs_weight_change"].as_f64() > Some(0.0), "nothing was learned: {epoch}");
        for key in ["f_norm", "lagrangian", "iterations", "residual", "saturated", "max_u"] {
            assert!(epoch["health"][key].as_f64().is_some_and(f64::is_finite), "{key}: {epoch}");
        }
        let batches: Vec<_> = events_of(&run, "batch").into_iter().filter(|b| b["epoch"] == i + 1).collect();
        let done: Vec<u64> = batches.iter().map(|b| b["done"].as_u64().unwrap()).collect();
        // 300 digits less 50 for validation, 32 at a time: the last mini-batch has 26.
        assert_eq!(done, [32, 64, 96, 128, 160, 192, 224, 250]);
        assert!(batches.iter().all(|b| b["of"] == 250 && b["loss"].as_f64().is_some()));
    }
}

/// Loads `config.toml` of a run, as if it had come from `source`.
fn loaded(run: &Path, source: &Source) -> Experiment {
    let mut e = Experiment::load(&Source::File(run.join("config.toml")), &Overrides::default()).unwrap();
    e.source = source.clone();
    e
}

#[test]
fn the_config_in_the_run_directory_is_the_resolved_experiment() {
    let place = Place::new();
    let set = ["dynamics.beta=0.2", "training.epochs=1", "data.train-limit=60", "data.validation=9"];
    let args: Vec<&str> =
        set.iter().flat_map(|s| ["--set", *s]).chain(["--seed", "77", "--device", "cpu"]).collect();
    place.train("mnist-small.toml", &args).ends(0);
    let source = find("mnist-small").unwrap();
    let mut want = Experiment::load(&source, &Overrides::parse(set).unwrap()).unwrap();
    want.seed = 77;
    want.run.device = DeviceChoice::Cpu;
    want.run.directory = "runs".into();
    assert_eq!(loaded(&place.the_run(), &source), want);
}

#[test]
fn the_config_in_the_run_directory_runs_again_with_files_of_the_user() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    place.train(config, &CPU).ends(0);
    let first = place.the_run();
    let again = first.join("config.toml");
    // Paths in the experiment start from its folder, and this one lies elsewhere.
    place.train(again.to_str().unwrap(), &[]).ends(0);
    let runs = place.runs();
    let second = runs.iter().find(|r| **r != first).unwrap();
    assert_eq!(parameters(&first), parameters(second));
    assert_eq!(json(&first.join("test.json")), json(&second.join("test.json")));
}

#[test]
fn a_second_run_never_overwrites_the_first() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    place.train(config, &CPU).ends(0);
    let first = place.the_run();
    let content = |run: &Path| -> Vec<Vec<u8>> {
        let folders = [run.to_path_buf(), run.join("checkpoints")];
        let files = folders.iter().flat_map(|f| names(f).into_iter().map(|n| f.join(n)));
        files.filter(|file| file.is_file()).map(|file| std::fs::read(file).unwrap()).collect()
    };
    let before = content(&first);
    for count in 2..=4 {
        place.train(config, &CPU).ends(0);
        assert_eq!(place.runs().len(), count);
    }
    assert!(content(&first) == before, "the first run has changed");
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_does_not() {
    let place = Place::new();
    let with_seed = |seed: &str| {
        let before = place.runs();
        place.train("mnist-small.toml", &[&CPU[..], &TINY, &["--seed", seed]].concat()).ends(0);
        let run = place.runs().into_iter().find(|r| !before.contains(r)).unwrap();
        assert_eq!(json(&run.join("provenance.json"))["seed"].to_string(), seed);
        parameters(&run).0
    };
    let (first, again, other) = (with_seed("5"), with_seed("5"), with_seed("6"));
    assert!(first == again, "the same seed gave other parameters");
    for (a, b) in first.iter().zip(&other) {
        assert!(a.bits != b.bits, "another seed gave the same {}", a.name);
    }
}

/// The largest seed that a file can hold is kept; a larger one is refused, as the run could not be repeated from its config.
#[test]
fn every_seed_that_is_taken_can_be_written_down() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let largest = i64::MAX.to_string();
    place.train(config, &["--device", "cpu", "--seed", &largest]).ends(0);
    let again = loaded(&place.the_run(), &find("mnist").unwrap());
    assert_eq!(again.seed, i64::MAX as u64);
    place.train(config, &["--device", "cpu", "--seed", &u64::MAX.to_string()]).ends(2).says(&["seed"]);
    assert_eq!(place.runs().len(), 1);
}

/// A mini-batch that does not divide the samples, one that is larger than all of them, and one of a single sample.
#[test]
fn every_sample_is_presented_whatever_the_batch() {
    for (batch, want) in [(4, &[4, 8, 10][..]), (64, &[10]), (1, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10])] {
        let place = Place::new();
        let config = MiniData::new().put(&place);
        let set = format!("training.batch={batch}");
        place.train(config, &["--device", "cpu", "--set", &set]).ends(0);
        for epoch in 1..=2 {
            let batches = events_of(&place.the_run(), "batch");
            let done: Vec<u64> =
                batches.iter().filter(|b| b["epoch"] == epoch).map(|b| b["done"].as_u64().unwrap()).collect();
            assert_eq!(done, want, "batch {batch}, epoch {epoch}");
        }
    }
}

#[test]
fn a_file_is_preferred_over_a_built_in_experiment_and_named() {
    let place = Place::new();
    let text = std::fs::read_to_string("experiments/mnist-small.toml").unwrap();
    place.write("mnist-small.toml", text.replace("[784, 30, 10]", "[784, 7, 10]"));
    let ran = place.train("mnist-small.toml", &[&CPU[..], &TINY].concat()).ends(0);
    assert_eq!(ran.line("experiment:"), "experiment: file mnist-small.toml");
    assert!(ran.line("network ").contains("784-7-10"), "{}", ran.stderr);
    // Without the ending there is no such file.
    let ran = place.train("mnist-small", &[&CPU[..], &TINY].concat()).ends(0);
    assert!(ran.line("experiment:").contains("built-in experiment mnist-small.toml"), "{}", ran.stderr);
    assert!(ran.line("network ").contains("784-30-10"), "{}", ran.stderr);
}
