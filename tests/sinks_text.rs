//! What people and programs are shown of a run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use indicatif::{MultiProgress, ProgressDrawTarget};
use lagrange_gpu::sinks::{Fanout, JsonLines, Progress, clock, init_logging, text};
use lagrange_gpu::train::{Epoch, Event, Header, Health, Score, Sink};

fn header() -> Header {
    Header {
        name: "digits".into(),
        seed: 3,
        network: "784-300-100-10".into(),
        parameters: 266_610,
        activation: "hard sigmoid".into(),
        rule: "least-action".into(),
        rate: 0.1,
        rate_decay: 0.75,
        schedule: "constant".into(),
        integrator: "exact".into(),
        solver: "cg".into(),
        tau_ms: 10.0,
        dt_ms: 0.1,
        steps: 300,
        shown: "sample".into(),
        device: "Some GPU".into(),
        driver: "Vulkan 570.1".into(),
        tiles: String::new(),
        precision: "f32".into(),
        version: "0.1.0".into(),
        commit: "abcdef".into(),
        data: "MNIST, embedded subset".into(),
        samples: [19_000, 1_000, 1_000],
        batch: 180,
        epochs: 10,
    }
}

fn epoch(n: usize) -> Epoch {
    Epoch {
        epoch: n,
        epochs: 10,
        loss: 0.012_345_6,
        train_accuracy: Some(0.971_23),
        validation_accuracy: Some(0.968),
        validation_loss: Some(0.02),
        validation_r2: None,
        simulated_ms: 3e3,
        rate_per_ms: 1e-3,
        mean_abs_weight_change: 1e-4,
        samples_per_s: 12_345.6,
        steps_per_s: 6_858.7,
        elapsed_s: 60.0,
        eta_s: 723.0,
        health: Health { f_norm: 0.001_23, ..Health::default() },
    }
}

fn batch(done: usize) -> Event {
    Event::Batch {
        epoch: 1,
        epochs: 10,
        done,
        of: 19_000,
        loss: 0.5,
        simulated_ms: 100.0,
        rate_per_ms: 1e-3,
        samples_per_s: 5_432.1,
    }
}

fn score() -> Score {
    Score { samples: 1_000, accuracy: 0.9, loss: 0.05, confusion: vec![vec![450, 50], vec![50, 450]] }
}

fn shown(progress: &Progress<Vec<u8>>) -> String {
    String::from_utf8(progress.out().clone()).unwrap()
}

/// That `text` has all `parts`, each after the one before.
fn assert_in_order(text: &str, parts: &[&str]) {
    let mut from = 0;
    for part in parts {
        let at = text[from..]
            .find(part)
            .unwrap_or_else(|| panic!("'{part}' is missing, or too early, in:\n{text}"));
        from += at + part.len();
    }
}

fn run(progress: &mut dyn Sink) {
    let warning = Event::Warning { epoch: 1, kind: "saturated".into(), message: "lower the rate".into() };
    let events = [
        Event::Started(Box::new(header())),
        batch(180),
        warning,
        Event::Epoch(epoch(1)),
        Event::Tested(score()),
    ];
    for event in events.iter().chain([&Event::Finished { elapsed_s: 3_723.0 }]) {
        progress.take(event).unwrap();
    }
}

#[test]
fn a_whole_run_in_plain_lines() {
    let mut progress = Progress::plain(Vec::new(), Duration::ZERO);
    run(&mut progress);
    let parts = [
        "lagrange-gpu 0.1.0 (commit abcdef)\n",
        "digits, seed 3\n",
        "784-300-100-10, hard sigmoid, 266,610 parameters\n",
        "exact (cg), τ = 10 ms, dt = 0.1 ms, 30 ms a sample (300 steps)\n",
        "Some GPU, Vulkan 570.1, f32\n",
        "MNIST, embedded subset: 19,000 training, 1,000 validation, 1,000 test samples\n",
        "10 epochs, batch 180\n",
        "epoch 1/10  180/19,000  loss 0.50000  5,432 samples/s\n",
        "warning [saturated] in epoch 1: lower the rate\n",
        "epoch  1/10  loss 0.01235  train 97.12 %  validation 96.80 %  12,346 samples/s  6,859 steps/s  ‖f‖ 1.23e-3",
        "ETA 12 min 03 s\n",
        // sqrt(0.9 · 0.1 / 1000) = 0.00949.
        "test accuracy 90.00 % (standard error 0.95 points, 1,000 samples), loss 0.05000; MNIST, embedded subset\n",
        "finished after 1 h 02 min\n",
    ];
    assert_in_order(&shown(&progress), &parts);
}

#[test]
fn with_a_bar_the_same_lines_stay() {
    let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
    let mut progress = Progress::bar(Vec::new(), &bars);
    run(&mut progress);
    let text = shown(&progress);
    assert_in_order(&text, &["lagrange-gpu 0.1.0", "warning [saturated]", "epoch  1/10", "finished after"]);
    assert!(!text.contains("180/19,000"), "mini-batches are shown by the bar alone");
}

#[test]
fn plain_lines_are_rare_within_an_epoch() {
    let mut progress = Progress::plain(Vec::new(), Duration::from_secs(3600));
    for done in 1..1000 {
        progress.take(&batch(done)).unwrap();
    }
    assert_eq!(shown(&progress), "");
}

#[test]
fn without_validation_and_at_the_end_nothing_is_invented() {
    let last = Epoch { epoch: 10, validation_accuracy: None, samples_per_s: 3.25, ..epoch(1) };
    let line = text::epoch(&last);
    assert!(line.contains("3.25 samples/s"), "{line}");
    assert!(!line.contains("validation") && !line.contains("ETA") && !line.contains('\n'), "{line}");
    let explicit = text::header(&Header { solver: String::new(), integrator: "euler".into(), ..header() });
    assert!(explicit.contains("euler, τ"), "{explicit}");
}

#[test]
fn the_confusion_matrix_lines_up() {
    let table = text::confusion(&[vec![980, 0, 20], vec![1, 99, 0], vec![0, 0, 0]]);
    let lines: Vec<Vec<&str>> = table.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(lines[1], ["0", "1", "2", "right"]);
    assert_eq!(lines[2], ["0:", "980", "·", "20", "98.0", "%"]);
    assert_eq!(lines[3], ["1:", "1", "99", "·", "99.0", "%"]);
    assert_eq!(lines[4], ["2:", "·", "·", "·", "-"], "a class without samples has no share");
    let ends: Vec<usize> = table.lines().skip(1).take(3).map(|l| l.chars().count()).collect();
    assert!(ends.iter().all(|&n| n == ends[0]), "{table}");
}

#[test]
fn numbers_read_well() {
    for (n, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
        assert_eq!(text::thousands(n), expected);
    }
    let times = [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3_600.0, "1 h 00 min"),
        (100_000.0, "1 d 03 h"),
        (f64::NAN, "?"),
        (f64::INFINITY, "?"),
        (-1.0, "?"),
    ];
    for (seconds, expected) in times {
        assert_eq!(text::duration(seconds), expected);
    }
    assert_eq!((text::rate(9.994), text::rate(1e4)), ("9.99".to_owned(), "10,000".to_owned()));
    assert_eq!(text::rate(f64::NAN), "?");
}

#[test]
fn utc_is_civil_time() {
    // From date(1): date -u -d '2026-11-21 21:30:00' +%s, and a leap day.
    for (seconds, compact, readable) in [
        (0, "19700101T000000Z", "1970-01-01T00:00:00Z"),
        (1_795_296_600, "20261121T213000Z", "2026-11-21T21:30:00Z"),
        (1_709_210_096, "20240229T123456Z", "2024-02-29T12:34:56Z"),
    ] {
        let time = UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 900);
        assert_eq!((clock::compact(time).as_str(), clock::readable(time).as_str()), (compact, readable));
    }
}

#[test]
fn each_event_is_one_line_of_json() {
    struct Counted(Rc<RefCell<(Vec<u8>, usize)>>);
    impl Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().0.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            self.0.borrow_mut().1 += 1;
            Ok(())
        }
    }
    let kept = Rc::new(RefCell::new((Vec::new(), 0)));
    let mut lines = JsonLines::new(Counted(Rc::clone(&kept)));
    let flushes = |event: &Event, lines: &mut JsonLines<Counted>| {
        let before = kept.borrow().1;
        lines.take(event).unwrap();
        kept.borrow().1 - before
    };
    assert_eq!(flushes(&Event::Started(Box::new(header())), &mut lines), 1);
    assert_eq!(flushes(&batch(180), &mut lines), 0);
    let diverged = Epoch { loss: f64::NAN, validation_accuracy: None, ..epoch(2) };
    assert_eq!(flushes(&Event::Epoch(diverged), &mut lines), 1);
    assert_eq!(flushes(&Event::Finished { elapsed_s: 1.5 }, &mut lines), 1);
    let text = String::from_utf8(kept.borrow().0.clone()).unwrap();
    let values: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let names: Vec<&str> = values.iter().map(|v| v["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["started", "batch", "epoch", "finished"]);
    assert_eq!((values[0]["seed"].as_u64(), values[1]["done"].as_u64()), (Some(3), Some(180)));
    assert!(values[2]["loss"].is_null() && values[2]["validation_accuracy"].is_null());
    assert_eq!(values[2]["health"]["f_norm"].as_f64(), Some(0.001_23));
    assert!(text.ends_with('\n'));
}

/// Fails always, and counts how often it was asked.
struct Broken(Rc<RefCell<usize>>);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        *self.0.borrow_mut() += 1;
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_terminal_does_not_end_a_run_but_a_full_disk_does() {
    let asked = Rc::new(RefCell::new(0));
    run(&mut Progress::plain(Broken(Rc::clone(&asked)), Duration::ZERO));
    assert_eq!(*asked.borrow(), 1, "after the first failure nothing more is tried");
    assert!(JsonLines::new(Broken(asked)).take(&batch(1)).is_err());
}

#[test]
fn all_sinks_hear_of_everything() {
    struct Counts(Rc<RefCell<usize>>);
    impl Sink for Counts {
        fn take(&mut self, _: &Event) -> io::Result<()> {
            *self.0.borrow_mut() += 1;
            Ok(())
        }
    }
    let heard = Rc::new(RefCell::new(0));
    let mut all = Fanout(vec![
        Box::new(Counts(Rc::clone(&heard))),
        Box::new(JsonLines::new(Broken(Rc::default()))),
        Box::new(Counts(Rc::clone(&heard))),
    ]);
    assert_eq!(all.take(&batch(1)).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(*heard.borrow(), 2);
}

#[test]
fn logging_starts_once() {
    let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
    assert!(init_logging(&bars).is_ok());
    assert!(init_logging(&bars).is_err());
}
