//! `train --seeds --control` from outside: the runs, their table, and how they go on after an interruption.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use std::path::{Path, PathBuf};

use cli_support::{MiniData, Place, json, names, parameters};

const CPU: [&str; 2] = ["--device", "cpu"];

/// The folders in `runs/<name>` whose names end so.
fn folders(place: &Place, name: &str, end: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(place.path("runs").join(name)) else { return Vec::new() };
    let mut all: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    all.retain(|path| path.to_str().unwrap().ends_with(end));
    all.sort();
    all
}

/// The one folder in `runs/<name>` whose name ends so.
#[track_caller]
fn folder(place: &Place, name: &str, end: &str) -> PathBuf {
    let all = folders(place, name, end);
    assert_eq!(all.len(), 1, "{name} {end}: {all:?}");
    all[0].clone()
}

fn accuracy(run: &Path) -> f64 {
    json(&run.join("test.json"))["accuracy"].as_f64().unwrap()
}

#[test]
fn every_seed_runs_as_it_would_alone_and_the_table_holds_them() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let ran = place.train(config, &[&CPU[..], &["--seeds", "3,5", "--control"]].concat()).ends(0);
    let group = folder(&place, "mini", "-seeds");
    assert_eq!(names(&group), ["config.toml", "plots", "seeds.json", "seeds.md"]);
    assert_eq!(std::fs::read_to_string(group.join("seeds.md")).unwrap(), ran.stdout);
    assert!(ran.stdout.lines().next().unwrap().contains("CPU"), "{}", ran.stdout);
    let table = json(&group.join("seeds.json"));
    let mut differences = Vec::new();
    for (row, seed) in table["rows"].as_array().unwrap().iter().zip([3, 5]) {
        assert_eq!(row["seed"], seed);
        let end = format!("-{seed}");
        let (run, control) = (folder(&place, "mini", &end), folder(&place, "mini-backprop", &end));
        for (dir, result, rule) in
            [(&run, &row["run"], "least-action"), (&control, &row["control"], "backprop")]
        {
            assert!(dir.join("DONE").exists());
            assert_eq!(result["accuracy"].as_f64(), Some(accuracy(dir)));
            assert!(dir.ends_with(Path::new(result["directory"].as_str().unwrap()).file_name().unwrap()));
            assert_eq!(json(&dir.join("provenance.json"))["rule"], rule);
        }
        differences.push(accuracy(&run) - accuracy(&control));
        let alone = Place::new();
        MiniData::new().put(&alone);
        alone.train(config, &[&CPU[..], &["--seed", &seed.to_string()]].concat()).ends(0);
        assert!(parameters(&alone.the_run()) == parameters(&run), "seed {seed} alone gave something else");
    }
    let mean = (differences[0] + differences[1]) / 2.0;
    assert!((table["difference"]["mean"].as_f64().unwrap() - mean).abs() < 1e-12, "{table}");
}

/// With rates of zero both end with the initial values.
#[test]
fn the_control_starts_from_the_same_values() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let args = ["--control", "--seed", "4", "--set", "plasticity.rate-per-ms=0"];
    place.train(config, &[&CPU[..], &args].concat()).ends(0);
    let (run, control) = (folder(&place, "mini", "-4"), folder(&place, "mini-backprop", "-4"));
    assert!(parameters(&run) == parameters(&control));
    // And of other rates it ends elsewhere.
    let args = ["--control", "--seed", "5"];
    place.train(config, &[&CPU[..], &args].concat()).ends(0);
    let (run, control) = (folder(&place, "mini", "-5"), folder(&place, "mini-backprop", "-5"));
    assert!(parameters(&run) != parameters(&control));
}

#[test]
fn what_is_complete_is_not_run_again() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let seeds = |seeds: &str| {
        place.train(config, &[&CPU[..], &["--resume", "auto", "--seeds", seeds]].concat()).ends(0)
    };
    let first = seeds("1,2");
    let again =
        seeds("1,2").says(&["complete already: mini with seed 1", "complete already: mini with seed 2"]);
    assert_eq!(first.stdout, again.stdout);
    // More seeds: those that are there count.
    let more = seeds("1,2,3").says(&["complete already: mini with seed 2"]);
    assert!(more.stdout.contains("| 3 |"), "{}", more.stdout);
    assert_eq!(folders(&place, "mini", "").len(), 4);
    // A run that lost its end is run again; by the folder of the group, without naming the experiment.
    let third = folder(&place, "mini", "-3");
    std::fs::remove_dir_all(&third).unwrap();
    let group = folder(&place, "mini", "-seeds");
    let ran = place.run(&["train", "--resume", group.to_str().unwrap()]).ends(0);
    let accuracies = |text: &str| -> Vec<String> {
        text.lines().skip(4).map(|l| l.split('|').take(4).collect()).collect()
    };
    assert_eq!(accuracies(&ran.stdout), accuracies(&more.stdout));
    // Another configuration is another group.
    let other = ["--resume", "auto", "--seeds", "1", "--set", "training.epochs=1"];
    place.train(config, &[&CPU[..], &other].concat()).ends(0).says(&["new ones start"]);
    // In the same second its name has a number after it.
    let groups =
        folders(&place, "mini", "").into_iter().filter(|path| path.to_str().unwrap().contains("-seeds"));
    assert_eq!(groups.count(), 2);
}

#[test]
fn lists_that_make_no_sense_are_refused() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let refused = |args: &[&str], says: &str| {
        place.train(config, &[&CPU[..], args].concat()).ends(2).says(&[says]);
    };
    refused(&["--seeds", "1,2,1"], "seed 1 is in the list twice");
    refused(&["--seeds", "1,2", "--seed", "1"], "cannot be used with");
    refused(&["--seed", "1", "--set", "run.seeds=[1, 2]"], "give --seeds 1 instead");
    refused(&["--seeds=-1"], "--seeds");
    refused(&["--control", "--set", "training.rule=backprop"], "would run backprop twice");
    refused(&["--seeds", "1,2", "--resume", "."], "-seeds");
    assert!(place.runs().is_empty());
}

#[cfg(unix)]
#[test]
fn a_signal_ends_all_and_they_go_on_with_the_same_bits() {
    use std::process::{Command, Stdio};

    use cli_support::{Running, wait_for};

    let long = ["--seeds", "1,2", "--control", "--set", "training.epochs=150"];
    let whole = Place::new();
    let config = MiniData::new().put(&whole);
    let want = whole.train(config, &[&CPU[..], &long].concat()).ends(0);
    let place = Place::new();
    MiniData::new().put(&place);
    let args = [&["train", "--config", config, "--runs", "runs"], &CPU[..], &long].concat();
    let log = std::fs::File::create(place.path("stderr")).unwrap();
    let mut child = Running(place.command(&args).stdout(Stdio::null()).stderr(log).spawn().unwrap());
    // In the control of the first seed, a few of 150 epochs in.
    let begun = || {
        let run = folders(&place, "mini-backprop", "-1").pop()?;
        let metrics = std::fs::read_to_string(run.join("metrics.jsonl")).ok()?;
        metrics.contains("\"event\":\"epoch\"").then_some(())
    };
    wait_for("the first epoch", begun);
    assert!(Command::new("kill").args(["-s", "TERM", &child.0.id().to_string()]).status().unwrap().success());
    let code = child.0.wait().unwrap().code();
    let stderr = std::fs::read_to_string(place.path("stderr")).unwrap();
    assert_eq!(code, Some(143), "{stderr}");
    let group = folder(&place, "mini", "-seeds");
    let advice = "to go on with all seeds: lagrange-gpu train --resume runs/mini/";
    assert!(stderr.contains(advice) && stderr.contains("interrupted: stopped in epoch"), "{stderr}");
    assert_eq!(json(&group.join("seeds.json"))["rows"][0]["control"], serde_json::Value::Null);

    let ran = place.train(config, &[&CPU[..], &long, &["--resume", "auto"]].concat()).ends(0);
    ran.says(&["complete already: mini with seed 1", "resumes in epoch"]);
    for (name, seed) in [("mini", "-1"), ("mini-backprop", "-1"), ("mini", "-2"), ("mini-backprop", "-2")] {
        let (a, b) = (folder(&whole, name, seed), folder(&place, name, seed));
        assert!(parameters(&a) == parameters(&b), "{name} {seed}: other bits");
        assert_eq!(json(&a.join("test.json")), json(&b.join("test.json")));
    }
    assert_eq!(json(&group.join("seeds.json"))["rows"].as_array().unwrap().len(), 2);
    assert!(want.stdout.contains("| mean ± sd |"), "{}", want.stdout);
}
