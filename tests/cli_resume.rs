//! `--resume` from outside: signals, kills, other configurations, folders that cannot be written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use std::path::{Path, PathBuf};

use cli_support::{MiniData, Place, Ran, events, json, names};
use serde_json::Value;

/// What a run leaves that does not depend on how long anything took.
#[derive(Debug, PartialEq)]
struct Left {
    parameters: Vec<u8>,
    test: Value,
    metrics: Vec<Value>,
}

fn left(run: &Path) -> Left {
    let mut metrics = events(run);
    for event in &mut metrics {
        let event = event.as_object_mut().unwrap();
        for time in ["samples_per_s", "steps_per_s", "elapsed_s", "eta_s"] {
            event.remove(time);
        }
    }
    let parameters = std::fs::read(run.join("parameters.safetensors")).unwrap();
    Left { parameters, test: json(&run.join("test.json")), metrics }
}

/// Tensors of the checkpoint after the last of `epochs` epochs.
fn last_tensors(run: &Path, epochs: usize) -> Vec<u8> {
    let file = run.join(format!("checkpoints/{:04}-000000.safetensors", epochs + 1));
    let bytes = std::fs::read(file).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header..].to_vec()
}

const EPOCHS: usize = 3;

/// A run of three epochs of three mini-batches; 0 s between checkpoints, so that there is one after each.
fn args<'a>(extra: &[&'a str]) -> Vec<&'a str> {
    let base = ["--device", "cpu", "--set", "training.epochs=3", "--set", "run.checkpoint-every-s=0"];
    [&base[..], extra].concat()
}

fn the_other(place: &Place, first: &Path) -> PathBuf {
    place.runs().into_iter().find(|run| run != first).unwrap()
}

/// A copy of a run directory as it would be had the run been killed at one of its checkpoints: this is the only one, and the
/// metrics are in the middle of a line.
fn as_if_killed(place: &Place, from: &Path, checkpoint: &Path, metrics: usize) -> PathBuf {
    let name = format!("{}-99", from.file_name().unwrap().to_str().unwrap());
    let to = from.parent().unwrap().join(name);
    let _ = std::fs::remove_dir_all(&to);
    std::fs::create_dir_all(to.join("checkpoints")).unwrap();
    for file in ["config.toml", "provenance.json"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
    let text = std::fs::read(from.join("metrics.jsonl")).unwrap();
    std::fs::write(to.join("metrics.jsonl"), &text[..metrics]).unwrap();
    std::fs::copy(checkpoint, to.join("checkpoints").join(checkpoint.file_name().unwrap())).unwrap();
    assert!(place.runs().contains(&to));
    to
}

#[test]
fn a_run_goes_on_from_each_of_its_checkpoints() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    place.train(config, &args(&["--set", "run.keep-checkpoints=99"])).ends(0);
    let whole = place.the_run();
    let want = left(&whole);
    let checkpoints = names(&whole.join("checkpoints"));
    // Nine mini-batches, three ends of epochs and the lock; no validation set, so no best one.
    assert_eq!(checkpoints.len(), 9 + 3 + 1, "{checkpoints:?}");
    let bytes = std::fs::metadata(whole.join("metrics.jsonl")).unwrap().len() as usize;
    for checkpoint in checkpoints.iter().filter(|name| name.ends_with(".safetensors")) {
        let checkpoint = whole.join("checkpoints").join(checkpoint);
        let killed = as_if_killed(&place, &whole, &checkpoint, bytes - 7);
        let ran = place.run(&["train", "--resume", killed.to_str().unwrap()]).ends(0);
        ran.says(&["resumes in epoch"]);
        assert_eq!(left(&killed), want, "{}", checkpoint.display());
        assert!(last_tensors(&killed, EPOCHS) == last_tensors(&whole, EPOCHS), "{}", checkpoint.display());
        assert!(killed.join("DONE").exists() && killed.join("resumes.jsonl").exists());
    }
}

#[test]
fn auto_finds_the_unfinished_run_or_starts_a_new_one() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let auto = args(&["--resume", "auto"]);
    place.train(config, &auto).ends(0).says(&["no unfinished run of mini", "a new one starts"]);
    let first = place.the_run();
    // The last two are those after the last mini-batch and after the last epoch.
    let killed = as_if_killed(&place, &first, &first.join("checkpoints/0003-000003.safetensors"), 0);
    // Another seed is another run.
    place.train(config, &args(&["--resume", "auto", "--seed", "9"])).ends(0).says(&["a new one starts"]);
    // Another configuration is an error that says what differs, and nothing happens.
    let before = names(&killed);
    let other = args(&["--resume", "auto", "--set", "dynamics.beta=0.2", "--set", "training.batch=5"]);
    let ran = place.train(config, &other).ends(2);
    ran.says(&["dynamics.beta is 0.1 there, 0.2 here", "training.batch is 4 there, 5 here"]);
    assert_eq!(names(&killed), before);
    // What changes no number may be another.
    place.train(config, &args(&["--resume", "auto", "--set", "run.keep-checkpoints=7"])).ends(0);
    assert!(killed.join("DONE").exists());
    assert_eq!(left(&killed).parameters, left(&first).parameters);
    // The metrics were lost: the run says so.
    assert!(events(&killed).iter().any(|e| e["kind"] == "metrics"), "a warning");
    let done = killed.to_str().unwrap();
    place.run(&["train", "--resume", done]).ends(2).says(&["complete"]);
    place.run(&["train", "--resume", "nowhere"]).ends(2).says(&["nowhere", "no such file"]);
    place.run(&["train", "--resume", "auto"]).ends(2).says(&["--config"]);
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_is_used() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    place.train(config, &args(&["--set", "run.keep-checkpoints=99"])).ends(0);
    let whole = place.the_run();
    let want = left(&whole);
    let checkpoint = |name: &str| whole.join("checkpoints").join(name);
    let killed = as_if_killed(&place, &whole, &checkpoint("0002-000001.safetensors"), 0);
    std::fs::copy(whole.join("metrics.jsonl"), killed.join("metrics.jsonl")).unwrap();
    let mut bytes = std::fs::read(checkpoint("0002-000002.safetensors")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(killed.join("checkpoints/0002-000002.safetensors"), bytes).unwrap();
    let ran = place.run(&["train", "--resume", killed.to_str().unwrap()]).ends(0);
    let warning = ran.line("warning [checkpoint]");
    assert!(
        warning.contains("0002-000002.safetensors is damaged") && warning.contains("0002-000001"),
        "{warning}"
    );
    let mut got = left(&killed);
    got.metrics.retain(|e| e["kind"] != "checkpoint");
    assert_eq!(got, want);
    // Parameters of another precision are those of another run: nothing is left to go on from.
    let killed = as_if_killed(&place, &whole, &checkpoint("0002-000001.safetensors"), 0);
    let args = ["train", "--resume", killed.to_str().unwrap(), "--set", "run.precision=f64"];
    place.run(&args).ends(1).says(&["0002-000001", "its precision is f32, that of this run is f64"]);
}

#[test]
fn a_folder_that_cannot_be_written_does_not_stop_a_run_before_its_end() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    place.train(config, &args(&[])).ends(0);
    let whole = place.the_run();
    // A run that was killed before its first checkpoint starts again in its directory; a file is where the folder would be.
    let name = format!("{}-99", whole.file_name().unwrap().to_str().unwrap());
    let killed = whole.parent().unwrap().join(name);
    std::fs::create_dir(&killed).unwrap();
    std::fs::copy(whole.join("config.toml"), killed.join("config.toml")).unwrap();
    std::fs::write(killed.join("checkpoints"), "in the way").unwrap();
    let ran = place.run(&["train", "--resume", killed.to_str().unwrap()]).ends(1);
    let ran = ran.says(&["warning [checkpoint]", "the run goes on", "a file is in the way"]);
    assert!(ran.line("error:").contains("the run failed"), "{}", ran.stderr);
    assert!(!killed.join("DONE").exists());
    let (got, want) = (left(&killed), left(&whole));
    assert_eq!((got.parameters, got.test), (want.parameters, want.test));
    std::fs::remove_file(killed.join("checkpoints")).unwrap();
    place.run(&["train", "--resume", killed.to_str().unwrap()]).ends(0);
    assert_eq!(left(&killed), left(&whole));
}

#[cfg(unix)]
mod processes {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::cli_support::{Running, TINY, wait_for};
    use super::*;

    fn start(place: &Place, args: &[&str]) -> Running {
        let log = std::fs::File::create(place.path("stderr")).unwrap();
        let mut command = place.command(args);
        // The tests themselves may run under `nohup`, whose ignored hang-up would be inherited.
        // SAFETY: `signal` may be called between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::signal(libc::SIGHUP, libc::SIG_DFL);
                Ok(())
            });
        }
        Running(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    fn signal(running: &Running, name: &str) {
        let pid = running.0.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    fn ended(place: &Place, running: &mut Running) -> Ran {
        let status = wait_for("the end of the run", || running.0.try_wait().unwrap());
        let stderr = std::fs::read_to_string(place.path("stderr")).unwrap();
        Ran { code: status.code(), stdout: String::new(), stderr }
    }

    /// As many epochs as a process does not get through before a signal comes.
    const LONG: [&str; 4] = ["--set", "training.epochs=300", "--set", "run.checkpoint-every-s=0.01"];

    fn long(place: &Place, config: &str, extra: &[&str]) -> Running {
        let base = ["train", "--config", config, "--runs", "runs", "--device", "cpu"];
        start(place, &[&base[..], &LONG, extra].concat())
    }

    /// Stops a run by `name` once it has a checkpoint, again and again, until it is done.
    fn until_done(name: &str, code: Option<i32>) {
        let place = Place::new();
        let config = MiniData::new().put(&place);
        place.train(config, &[&["--device", "cpu"][..], &LONG].concat()).ends(0);
        let whole = place.the_run();
        let mut stops = 0;
        loop {
            let mut running = long(&place, config, &["--resume", "auto"]);
            let metrics = |run: &Path| std::fs::metadata(run.join("metrics.jsonl")).map_or(0, |m| m.len());
            let run = || place.runs().into_iter().find(|run| *run != whole);
            let before = run().map_or(0, |run| metrics(&run));
            // Until it has done something new, or is done; after some stops a run is left alone.
            wait_for("progress", || {
                let on = stops < 4 && run().is_some_and(|run| metrics(&run) > before + 20_000);
                (on || running.0.try_wait().unwrap().is_some()).then_some(())
            });
            if running.0.try_wait().unwrap().is_none() {
                signal(&running, name);
            }
            let ran = ended(&place, &mut running);
            // A kill may come after the last word of a run and before its exit.
            if ran.code == Some(0) || run().is_some_and(|run| run.join("DONE").exists()) {
                break;
            }
            stops += 1;
            assert_eq!(ran.code, code, "{}", ran.stderr);
            if code.is_some() {
                let run = run().unwrap();
                ran.says(&[
                    "interrupted: stopped in epoch",
                    "to go on: lagrange-gpu train --resume",
                    run.file_name().unwrap().to_str().unwrap(),
                ]);
            }
        }
        assert!(stops >= 2, "{name}: stopped only {stops} times");
        let run = the_other(&place, &whole);
        assert_eq!(place.runs().len(), 2, "all in one run directory");
        assert_eq!(left(&run), left(&whole), "{name}, {stops} times");
        assert!(last_tensors(&run, 300) == last_tensors(&whole, 300));
    }

    #[test]
    fn a_termination_is_gone_on_from() {
        until_done("TERM", Some(143));
    }

    #[test]
    fn a_hang_up_is_gone_on_from() {
        until_done("HUP", Some(129));
    }

    #[test]
    fn a_kill_is_gone_on_from() {
        until_done("KILL", None);
    }

    /// A presentation that takes minutes: the first signal waits for it, the second, later one does not.
    #[test]
    fn a_second_signal_ends_the_run_at_once() {
        let place = Place::new();
        let set = ["--set", "training.steps-per-sample=1000000"];
        let base = ["train", "--config", "mnist-small", "--runs", "runs", "--device", "cpu"];
        let mut running = start(&place, &[&base[..], &TINY, &set].concat());
        wait_for("the start", || {
            let run = place.runs().pop()?.join("metrics.jsonl");
            std::fs::read_to_string(run).ok().filter(|text| text.contains("started"))
        });
        signal(&running, "INT");
        std::thread::sleep(Duration::from_secs(2));
        assert!(running.0.try_wait().unwrap().is_none(), "the presentation goes on");
        signal(&running, "TERM");
        let ran = ended(&place, &mut running).ends(143);
        assert!(!ran.stderr.contains("interrupted"), "{}", ran.stderr);
    }

    /// `nohup` has a hang-up ignored, and it stays so.
    #[test]
    fn a_hang_up_under_nohup_changes_nothing() {
        let place = Place::new();
        let config = MiniData::new().put(&place);
        let program = cli_support::PROGRAM;
        let script =
            format!("trap '' HUP; exec {program} train --config {config} --runs runs --device cpu \"$@\"");
        let log = std::fs::File::create(place.path("stderr")).unwrap();
        let mut command = Command::new("bash");
        command.args(["-c", &script, "bash"]).args(LONG).current_dir(place.path(""));
        let mut running = Running(command.stdout(Stdio::null()).stderr(log).spawn().unwrap());
        wait_for("the first epoch", || {
            let run = place.runs().pop()?.join("metrics.jsonl");
            std::fs::read_to_string(run).ok().filter(|text| text.contains("\"event\":\"epoch\""))
        });
        signal(&running, "HUP");
        ended(&place, &mut running).ends(0);
    }

    /// The operating system takes no file of more than 300 kB, as it would take none on a full disk: parameters (95 kB) and metrics
    /// fit, a checkpoint (over 800 kB) does not.
    #[test]
    fn a_disk_that_is_full_leaves_the_checkpoint_before() {
        let place = Place::new();
        let set =
            ["--device", "cpu", "--set", "run.checkpoint-every-s=0", "--set", "run.keep-checkpoints=99"];
        place.train("mnist-small", &[&TINY[..], &set].concat()).ends(0);
        let whole = place.the_run();
        let first = names(&whole.join("checkpoints")).into_iter().find(|n| n.starts_with("0001")).unwrap();
        let killed = as_if_killed(&place, &whole, &whole.join("checkpoints").join(&first), 0);
        let sound = std::fs::read(killed.join("checkpoints").join(&first)).unwrap();
        assert!(sound.len() > 300 * 1024);
        let program = cli_support::PROGRAM;
        let full = |path: &Path| {
            let script =
                format!("trap '' XFSZ; ulimit -f 300; exec {program} train --resume {}", path.display());
            let output =
                Command::new("bash").args(["-c", &script]).current_dir(place.path("")).output().unwrap();
            Ran::of(&output)
        };
        let ran = full(&killed).ends(1).says(&[
            "warning [checkpoint]",
            "cannot write",
            "free some space",
            "unharmed",
        ]);
        assert!(ran.line("error:").contains("checkpoint"), "{}", ran.stderr);
        assert!(std::fs::read(killed.join("checkpoints").join(&first)).unwrap() == sound);
        assert!(names(&killed.join("checkpoints")).iter().all(|name| !name.ends_with(".part")));
        // With room again it goes on from there, to the same end.
        place.run(&["train", "--resume", killed.to_str().unwrap()]).ends(0);
        let (got, want) = (left(&killed), left(&whole));
        assert_eq!((got.parameters, got.test), (want.parameters, want.test));
    }
}
