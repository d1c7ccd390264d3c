//! `config check` and `config show`, and what the program says of experiments that are wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use cli_support::{MiniData, Place, Ran, names};
use lagrange_gpu::config::{Experiment, Overrides, Source, find};

#[test]
fn check_says_that_an_experiment_is_fine() {
    let place = Place::new();
    for (name, network) in [("mnist", "784-300-100-10"), ("mnist-small.toml", "784-30-10")] {
        let ran = place.run(&["config", "check", "--config", name]).ends(0);
        assert!(ran.stdout.contains("fine") && ran.stdout.contains(network), "{}", ran.stdout);
    }
    // 784 × 300 + 300 × 100 + 100 × 10 weights.
    assert!(place.run(&["config", "check", "-c", "mnist"]).stdout.contains("266200"));
    assert!(names(&place.path("")).is_empty(), "a check leaves nothing behind");
}

#[test]
fn what_show_prints_is_the_experiment() {
    let place = Place::new();
    let set = ["dynamics.beta=0.25", "training.batch=7", "name=other"];
    for (name, set) in [("mnist", &set[..0]), ("mnist-small", &set[..])] {
        let flags: Vec<&str> = set.iter().flat_map(|s| ["--set", *s]).collect();
        let ran = place.run(&[&["config", "show", "--config", name], &flags[..]].concat()).ends(0);
        let source = find(name).unwrap();
        let want = Experiment::load(&source, &Overrides::parse(set).unwrap()).unwrap();
        let file = place.write("shown.toml", &ran.stdout);
        let mut got = Experiment::load(&Source::File(file), &Overrides::default()).unwrap();
        got.source = source;
        assert_eq!(got, want);
        // And it is good for a check.
        place.run(&["config", "check", "--config", "shown.toml"]).ends(0);
    }
}

#[test]
fn the_plan_shows_buffers_steps_and_products() {
    let place = Place::new();
    let ran = place.run(&["config", "show", "--config", "mnist", "--plan"]).ends(0);
    for word in ["buffers (16 trajectories)", "plan Step", "plan Present", "plan Predict", "W input->hidden1"]
    {
        assert!(ran.stdout.contains(word), "'{word}' is missing in:\n{}", ran.stdout);
    }
    // The step multiplies with all weights forward, and with those between free neurons backward.
    let step = ran.stdout.split("plan Step").nth(1).unwrap().split("\nplan ").next().unwrap();
    for kernel in ["forward", "backward", "weight_rate", "integrate"] {
        let calls = step.lines().filter(|line| line.trim_start().starts_with(kernel)).count();
        assert!(calls > 0, "no {kernel} in the step:\n{step}");
    }
    // It is a chain of layers, whose steps with resident weights run as a whole; its plain step does not.
    let resident = ran.stdout.split("plan ResidentStep").nth(1).unwrap().split("\nplan ").next().unwrap();
    assert!(resident.contains("as a whole") && resident.contains("layered_step"), "{resident}");
    assert!(!step.contains("as a whole"), "{step}");
    // A small network with cycles: its plain step does.
    let ran = place.run(&["config", "show", "--config", "ieeg-recurrent", "--plan"]).ends(0);
    let step = ran.stdout.split("plan Step").nth(1).unwrap().split("\nplan ").next().unwrap();
    assert!(step.contains("as a whole") && step.contains("small_step"), "{step}");
}

#[test]
fn an_experiment_that_is_not_there_is_named_with_those_that_are() {
    let place = Place::new();
    for command in [&["train", "--device", "99"][..], &["config", "check"], &["config", "show"]] {
        let ran = place.run(&[command, &["--config", "mnist-smal.toml"]].concat()).ends(2);
        ran.says(&["mnist-smal.toml", "mnist, mnist-small", "did you mean `mnist-small`"]);
    }
    place.run(&["train", "--config", "folder/none.toml"]).ends(2).says(&["folder/none.toml"]);
}

/// Asserts place and caret: `file:line:column`, the line (which is like no other), and a caret below its first wrong character.
#[track_caller]
fn points_at(ran: &Ran, file: &str, text: &str, line: &str, wrong: &str) {
    let at = text.lines().position(|l| l == line).unwrap();
    let column = line.find(wrong).unwrap();
    let place = format!("--> {file}:{}:{}", at + 1, column + 1);
    assert!(ran.stderr.contains(&place), "'{place}' is missing in:\n{}", ran.stderr);
    let all: Vec<&str> = ran.stderr.lines().collect();
    let shown = all.iter().position(|l| l.ends_with(&format!("| {line}"))).expect("the line itself");
    let start = all[shown].find(line).unwrap();
    let caret = all[shown + 1].find('^').expect("a caret");
    assert_eq!(caret, start + column, "{}", ran.stderr);
}

/// Changes a line of the small experiment and trains: an error with its place, and nothing else happens. `--device 99` is impossible
/// too, but a configuration is checked before any device.
#[track_caller]
fn refused(right: &str, changed: &str, wrong: &str, words: &[&str]) {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let text = cli_support::MINI.replace(right, changed);
    assert_ne!(text, cli_support::MINI, "'{right}' is in the experiment");
    place.write(config, &text);
    let ran = place.train(config, &["--device", "99"]).ends(2).says(words);
    points_at(&ran, config, &text, changed.lines().last().unwrap(), wrong);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    assert!(!place.path("runs").exists(), "a run directory is left");
    let check = place.run(&["config", "check", "--config", config]).ends(2).says(words);
    assert!(check.stdout.is_empty(), "{}", check.stdout);
}

#[test]
fn a_misspelt_key_gets_a_suggestion() {
    refused("tau-ms = 10.0", "tau-mss = 10.0", "tau-mss", &["tau-mss", "did you mean `tau-ms`?"]);
    refused("[training]", "[trainings]", "trainings", &["did you mean `training`?"]);
}

#[test]
fn a_value_of_the_wrong_type_is_named() {
    refused("epochs = 2", "epochs = \"two\"", "\"two\"", &["training.epochs", "expected"]);
    refused("dt-ms = 1.0", "dt-ms = [1.0]", "[1.0]", &["dynamics.dt-ms", "expected"]);
    refused("activation = \"linear\"", "activation = \"linaer\"", "\"linaer\"", &["did you mean `linear`?"]);
}

#[test]
fn values_out_of_range_are_refused() {
    refused("tau-ms = 10.0", "tau-ms = -10.0", "-10.0", &["tau-ms", "greater than 0"]);
    refused("beta = 0.1", "beta = -0.1", "-0.1", &["beta", "0 or greater"]);
    refused("beta = 0.1", "beta = nan", "nan", &["beta"]);
    refused("sizes = [4, 3, 2]", "sizes = [4, 0, 2]", "0, 2]", &["sizes", "expected"]);
    refused("batch = 4", "batch = 0", "0", &["training.batch"]);
    refused("epochs = 2", "epochs = 0", "0", &["training.epochs"]);
}

#[test]
fn a_list_of_the_wrong_length_is_told_what_it_is_for() {
    let factors = "rate-per-ms = 0.01\nfactors = [1.0, 0.2, 0.1]";
    let words = ["plasticity.factors", "2", "input->hidden, hidden->output", "got 3"];
    refused("rate-per-ms = 0.01", factors, "[1.0, 0.2, 0.1]", &words);
}

#[test]
fn what_is_no_toml_is_refused() {
    refused("seed = 1", "seed = = 1", "= 1", &["error"]);
    let place = Place::new();
    place.write("bytes.toml", [0xff, 0xfe, 0x00]);
    place.train("bytes.toml", &["--device", "cpu"]).ends(2).says(&["bytes.toml:1:1", "UTF-8"]);
    place.write("empty.toml", "");
    place.train("empty.toml", &["--device", "cpu"]).ends(2).says(&["empty.toml", "network"]);
}

#[test]
fn wrong_overrides_are_shown_as_they_were_given() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    for (set, words) in [
        ("training.epochs", &["KEY=VALUE"][..]),
        ("=3", &["empty key"]),
        ("training.epoch=3", &["did you mean `epochs`?"]),
        ("training.epochs=many", &["training.epochs", "whole number"]),
        ("dynamics.tau-ms=-1", &["greater than 0"]),
        ("network.sizes.7=3", &["no element `7`"]),
        ("plasticity.factors=[1]", &["wrong length"]),
    ] {
        let ran = place.train(config, &["--device", "99", "--set", set]).ends(2).says(words);
        let ran = ran.says(&[format!("--set {set}")]);
        assert!(ran.stderr.contains('^') && ran.stdout.is_empty(), "{}", ran.stderr);
    }
    assert!(!place.path("runs").exists());
}

#[test]
fn wrong_arguments_are_refused_with_the_usage() {
    let place = Place::new();
    for args in
        [&["train"][..], &["trian"], &["train", "--config"], &["train", "-c", "mnist", "--seed", "x"], &[]]
    {
        let ran = place.run(args).ends(2);
        assert!(ran.stderr.contains("--help") || ran.stderr.contains("Usage"), "{}", ran.stderr);
    }
    for args in [&["--help"][..], &["--version"], &["train", "--help"], &["simulate", "--help"]] {
        assert!(!place.run(args).ends(0).stdout.is_empty());
    }
}

/// `… --plan | head -1`: the reader goes away, and that is no failure.
#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    let place = Place::new();
    let mut command = place.command(&["config", "show", "--config", "mnist", "--plan"]);
    let mut child =
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ran = Ran::of(&child.wait_with_output().unwrap()).ends(0);
    assert_eq!(ran.stderr, "");
}
