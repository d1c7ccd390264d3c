//! `devices` and `--device`: what is listed, what runs, and that nothing is ever substituted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use cli_support::{MiniData, Place, json, names};
use lagrange_gpu::gpu::{AdapterInfo, adapters};

fn hardware() -> Option<AdapterInfo> {
    adapters().into_iter().find(|a| !a.is_software)
}

fn software() -> Option<AdapterInfo> {
    let found = adapters().into_iter().find(|a| a.is_software);
    if found.is_none() {
        eprintln!("not tested: there is no software adapter (Mesa's lavapipe, for example)");
    }
    found
}

#[test]
fn the_cpu_and_every_adapter_are_listed() {
    let place = Place::new();
    let ran = place.run(&["devices"]).ends(0);
    assert!(ran.stdout.lines().any(|line| line.starts_with("cpu ")), "{}", ran.stdout);
    let all = adapters();
    for a in &all {
        let line = ran.stdout.lines().find(|line| line.starts_with(&format!("{} ", a.index)));
        let line = line.unwrap_or_else(|| panic!("no adapter {} in:\n{}", a.index, ran.stdout));
        assert!(line.contains(&a.name) && line.contains(a.kind) && line.contains(&a.driver), "{line}");
    }
    if all.is_empty() {
        assert!(ran.stdout.contains("install"), "{}", ran.stdout);
    }
    assert!(names(&place.path("")).is_empty(), "listing devices leaves nothing behind");
}

/// A device that is not there: exit code 3, what there is and what to install, and no run on anything else.
#[test]
fn a_device_that_is_not_there_is_an_error() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let mut impossible = vec!["99", "no-such-name"];
    if hardware().is_none() {
        impossible.push("gpu");
    }
    for device in impossible {
        let ran = place.train(config, &["--device", device]).ends(3).says(&["install", "driver"]);
        for a in adapters() {
            assert!(
                ran.stderr.contains(&a.name),
                "'{device}': '{}' is not listed in\n{}",
                a.name,
                ran.stderr
            );
        }
        if device != "gpu" {
            assert!(ran.stderr.contains(device), "{}", ran.stderr);
        }
        assert!(!ran.stderr.contains("epoch") && ran.stdout.is_empty(), "'{device}': {}", ran.stderr);
        assert!(!place.path("runs").exists(), "'{device}' left a run directory");
    }
}

#[test]
fn a_name_that_is_none_is_refused() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    for device in ["", " "] {
        // It would be a part of every name.
        place.train(config, &["--device", device]).ends(2).says(&["run.device", "cpu"]);
    }
    assert!(!place.path("runs").exists());
}

#[test]
fn auto_takes_a_hardware_gpu_or_says_that_it_takes_the_cpu() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let ran = place.train(config, &["--device", "auto"]).ends(0);
    let device = json(&place.the_run().join("provenance.json"))["device"].as_str().unwrap().to_owned();
    assert!(ran.line("device  ").contains(&device), "{}", ran.stderr);
    match hardware() {
        Some(_) => {
            let known = adapters().into_iter().filter(|a| !a.is_software);
            assert!(known.into_iter().any(|a| device.contains(&a.name)), "{device}");
        }
        None => {
            assert!(device.starts_with("CPU"), "{device}");
            assert!(ran.stderr.contains("no hardware GPU"), "{}", ran.stderr);
        }
    }
}

/// Auto in double precision is the CPU on every machine.
#[test]
fn f64_runs_on_the_cpu_and_never_on_a_gpu() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    for device in ["gpu", "0", "some-name"] {
        let ran = place.train(config, &["--set", "run.precision=f64", "--device", device]);
        ran.ends(2).says(&["f64", "cpu"]);
    }
    // The flag wins over the file: this GPU is never asked for.
    let set = ["--set", "run.precision=f64", "--set", "run.device=gpu", "--device", "cpu"];
    assert!(!place.path("runs").exists());
    place.train(config, &set).ends(0);
    let about = json(&place.the_run().join("provenance.json"));
    assert_eq!(about["precision"], "f64");
    let ran = place.train(config, &["--set", "run.precision=f64", "--device", "auto"]).ends(0);
    assert!(ran.line("device  ").contains("CPU") && ran.line("device  ").contains("f64"), "{}", ran.stderr);
}

/// The software adapter is chosen by a part of its name, runs, and learns what the CPU learns: both score the same 1,000 test
/// digits, so that accuracies differ by three standard errors at most.
#[test]
fn a_software_adapter_learns_what_the_cpu_learns() {
    let Some(adapter) = software() else { return };
    let part: String = adapter.name.chars().take(6).collect::<String>().to_uppercase();
    let place = Place::new();
    let set = ["training.epochs=1", "training.batch=25", "data.train-limit=500", "data.validation=0"];
    let set: Vec<&str> = set.iter().flat_map(|s| ["--set", *s]).collect();
    let accuracy = |device: &str, name: &str| {
        let before = place.runs();
        let ran = place.train("mnist-small.toml", &[&["--device", device], &set[..]].concat()).ends(0);
        assert!(ran.line("device  ").contains(name), "{}", ran.stderr);
        let run = place.runs().into_iter().find(|r| !before.contains(r)).unwrap();
        let about = json(&run.join("provenance.json"));
        assert!(about["device"].as_str().unwrap().contains(name), "{about}");
        json(&run.join("test.json"))["accuracy"].as_f64().unwrap()
    };
    let (cpu, soft) = (accuracy("cpu", "CPU"), accuracy(&part, &adapter.name));
    let error = (cpu * (1.0 - cpu) / 1000.0).sqrt();
    assert!((cpu - soft).abs() <= 3.0 * error, "CPU {cpu}, {} {soft}, standard error {error}", adapter.name);
    // Ten classes: both have learned something.
    assert!(cpu > 0.2 && soft > 0.2, "CPU {cpu}, {} {soft}", adapter.name);
}
