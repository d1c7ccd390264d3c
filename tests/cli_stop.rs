//! Runs that end early: divergence and signals. What was computed before is there, and nothing says that the run is done.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use std::path::Path;

use cli_support::{MiniData, Place, Ran, events, events_of, names, parameters};

/// The number after a word in a message.
fn number_after(text: &str, word: &str) -> usize {
    let rest = text.split(word).nth(1).unwrap_or_else(|| panic!("no '{word}' in: {text}")).trim_start();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no number after '{word}' in: {text}"))
}

/// Asserts that all parameters are there, finite, and of a network 4-3-2; gives the epoch that they are from.
fn sound_parameters(run: &Path) -> usize {
    let (arrays, epoch) = parameters(run);
    let shapes: Vec<&[usize]> = arrays.iter().map(|a| a.shape.as_slice()).collect();
    assert_eq!(shapes, [&[2, 3][..], &[3, 4], &[3], &[2]]);
    assert!(arrays.iter().flat_map(|a| &a.bits).all(|&b| f32::from_bits(b).is_finite()));
    epoch
}

/// Linear neurons learn by the delta rule, which overshoots where rate × dt × |r|² > 2: here r is about 1.4 and dt 1 ms, so that
/// a rate of 1 per ms turns unstable once weights have grown, not at once.
#[test]
fn a_rate_that_is_too_high_is_explained_and_loses_no_complete_epoch() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let set = ["--set", "plasticity.rate-per-ms=1.0", "--set", "training.epochs=1000"];
    let ran = place.train(config, &[&["--device", "cpu"], &set[..]].concat()).ends(1);
    let run = place.the_run();
    let message = ran.line("error:").to_owned();
    let ran = ran.says(&["lower the learning rates", run.file_name().unwrap().to_str().unwrap()]);
    let failed = number_after(&message, "in epoch");
    assert!(failed >= 2, "the first epoch should have been complete: {message}");
    // Ten samples by four: three mini-batches of five steps. Populations of 4, 3 and 2 neurons.
    assert!((1..=3).contains(&number_after(&message, "mini-batch")), "{message}");
    assert!(number_after(&message, "step") < 5, "{message}");
    let (neuron, size) = (number_after(&message, "neuron"), if message.contains("'hidden'") { 3 } else { 2 });
    assert!(neuron < size && (size == 3 || message.contains("'output'")), "{message}");
    assert_eq!(ran.stderr.lines().filter(|l| l.starts_with("epoch")).count(), failed - 1, "{}", ran.stderr);

    assert_eq!(
        names(&run),
        ["checkpoints", "config.toml", "metrics.jsonl", "parameters.safetensors", "provenance.json"]
    );
    assert_eq!(sound_parameters(&run), failed - 1);
    let epochs = events_of(&run, "epoch");
    assert_eq!(epochs.len(), failed - 1);
    assert!(events(&run).iter().all(|e| e["event"] != "finished" && e["event"] != "tested"));
}

#[test]
fn without_a_complete_epoch_there_are_no_parameters() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let ran = place.train(config, &["--device", "cpu", "--set", "plasticity.rate-per-ms=1e9"]).ends(1);
    let ran = ran.says(&["in epoch 1", "lower the learning rates"]);
    assert!(!ran.stderr.contains("NaN"), "a number that is none was shown:\n{}", ran.stderr);
    assert_eq!(names(&place.the_run()), ["checkpoints", "config.toml", "metrics.jsonl", "provenance.json"]);
}

/// With small weights the largest eigenvalue of H is near 1 + beta, and `euler` needs it below 4/(2 + dt/τ) = 1.905.
#[test]
fn an_explicit_scheme_that_cannot_be_stable_is_announced() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let weights = "network.weights={ init = \"normal\", std = 0.01 }";
    let run = |integrator: &str, beta: &str| -> Ran {
        let (integrator, beta) =
            (format!("dynamics.integrator={integrator}"), format!("dynamics.beta={beta}"));
        let set = [weights, "plasticity.rate-per-ms=0", integrator.as_str(), beta.as_str()];
        let set: Vec<&str> = set.iter().flat_map(|s| ["--set", *s]).collect();
        place.train(config, &[&["--device", "cpu"], &set[..]].concat())
    };
    for (integrator, beta) in [("euler", "0.5"), ("exact", "1.5"), ("richardson1", "0.2")] {
        let ran = run(integrator, beta).ends(0);
        assert!(!ran.stderr.contains("stability"), "{integrator}, beta {beta}:\n{}", ran.stderr);
    }
    for (integrator, beta) in [("euler", "1.5"), ("richardson1", "0.5"), ("richardson2", "0.5")] {
        let before = place.runs();
        let ran = run(integrator, beta);
        let warning = ran.line("warning [stability]");
        assert!(
            warning.contains(integrator) && warning.contains("exact") && warning.contains("beta"),
            "{warning}"
        );
        let at = |start: &str| ran.stderr.lines().position(|l| l.starts_with(start));
        let first = at("epoch").or(at("error")).unwrap();
        assert!(at("warning [stability]").unwrap() < first, "before the run:\n{}", ran.stderr);
        let dir = place.runs().into_iter().find(|r| !before.contains(r)).unwrap();
        let all = events(&dir);
        assert_eq!((&all[1]["event"], &all[1]["kind"]), (&"warning".into(), &"stability".into()));
    }
}

#[test]
fn a_diverging_explicit_scheme_names_its_bound_on_beta() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let set =
        ["--set", "dynamics.integrator=euler", "--set", "dynamics.beta=5", "--set", "training.epochs=100"];
    let ran = place.train(config, &[&["--device", "cpu"], &set[..]].concat()).ends(1);
    // 4/2.1 − 1 = 0.905.
    ran.says(&["divergence", "in epoch", "mini-batch", "step", "neuron", "beta < 0.905", "exact"]);
}

#[cfg(unix)]
mod signals {
    use std::path::PathBuf;
    use std::process::{Command, Stdio};

    use super::cli_support::{Running, wait_for};
    use super::*;

    /// Starts a long run, sends the signal after its first epoch, `times` times, and returns how the run ended.
    fn stopped_by(signal: &str, times: usize) -> (Place, PathBuf, Ran) {
        let place = Place::new();
        let config = MiniData::new().put(&place);
        let args = ["train", "--config", config, "--runs", "runs", "--device", "cpu"];
        let mut command = place.command(&[&args[..], &["--set", "training.epochs=1000000"]].concat());
        // Into a file: nobody empties a pipe while the test waits.
        let log = std::fs::File::create(place.path("stderr")).unwrap();
        let mut running = Running(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
        let metrics = wait_for("the first epoch", || {
            let run = place.runs().pop()?.join("metrics.jsonl");
            std::fs::read_to_string(run).ok().filter(|text| text.contains("\"event\":\"epoch\""))
        });
        assert!(!metrics.contains("finished"));
        for _ in 0..times {
            let pid = running.0.id().to_string();
            let _ = Command::new("kill").args(["-s", signal, &pid]).stderr(Stdio::null()).status().unwrap();
        }
        let status = wait_for("the end of the run", || running.0.try_wait().unwrap());
        let stderr = std::fs::read_to_string(place.path("stderr")).unwrap();
        let run = place.the_run();
        (place, run, Ran { code: status.code(), stdout: String::new(), stderr })
    }

    fn saved_and_ended(signal: &str, times: usize, code: i32) {
        let (_place, run, ran) = stopped_by(signal, times);
        let ran = ran.ends(code).says(&["interrupted", "saved", run.file_name().unwrap().to_str().unwrap()]);
        assert_eq!(
            names(&run),
            ["checkpoints", "config.toml", "metrics.jsonl", "parameters.safetensors", "provenance.json"]
        );
        let epoch = sound_parameters(&run);
        assert_eq!(number_after(ran.line("interrupted"), "epoch"), epoch);
        let complete = events_of(&run, "epoch").len();
        assert!(epoch == complete + 1, "stopped in epoch {epoch} after {complete}");
    }

    #[test]
    fn ctrl_c_saves_and_ends_with_130() {
        saved_and_ended("INT", 1, 130);
    }

    #[test]
    fn a_termination_saves_and_ends_with_143() {
        saved_and_ended("TERM", 1, 143);
    }

    /// As `timeout` sends it: to the program and to its group.
    #[test]
    fn a_signal_that_comes_twice_spoils_nothing() {
        saved_and_ended("TERM", 2, 143);
    }
}
