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
