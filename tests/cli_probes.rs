//! `[[probe]]` from outside: the files that `train` and `simulate --probes` leave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use std::path::Path;

use cli_support::{MiniData, Place, names};
use lagrange_gpu::data::npz::{Array, Entry, NpzFile, write};

fn read(file: &Path, name: &str) -> Array {
    NpzFile::open(file).and_then(|mut f| f.read(name)).unwrap_or_else(|e| panic!("{e}"))
}

/// Three epochs of three presentations of five steps, with two probes, and a checkpoint after each presentation.
const TRAIN: [&str; 10] = [
    "--device",
    "cpu",
    "--set",
    "training.epochs=3",
    "--set",
    "run.checkpoint-every-s=0",
    "--set",
    "run.keep-checkpoints=99",
    "--set",
    r#"probe=[{ name = "all", quantities = ["u", "error", "target", "beta"], every-ms = 2, trajectories = 3 },
              { name = "pixels", populations = ["input"], neurons = "1..3", epochs = [2], max-mib = 0.001 }]"#,
];

#[test]
fn a_training_run_leaves_what_it_was_asked_for_and_goes_on_with_it() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let ran = place.train(config, &TRAIN).ends(0);
    let whole = place.the_run();
    assert_eq!(names(&whole.join("probes")), ["all.npz", "pixels.npz"]);
    let all = whole.join("probes/all.npz");
    // 45 steps, every second one; two outputs, and three hidden neurons.
    for (name, shape) in [
        ("u", vec![22, 3, 5]),
        ("error", vec![22, 3, 5]),
        ("target", vec![22, 3, 2]),
        ("beta", vec![22, 2]),
        ("label", vec![22, 3]),
        ("t_ms", vec![22]),
        ("full", vec![1]),
    ] {
        assert_eq!(read(&all, name).shape, shape, "{name}");
    }
    let times: Vec<f64> = (1..=22).map(|k| 2.0 * f64::from(k)).collect();
    assert_eq!(read(&all, "t_ms").data, times);
    assert_eq!(read(&all, "neuron").data, [4.0, 5.0, 6.0, 7.0, 8.0]);
    let place_of = |k: usize| [(times[k] as usize - 1) / 15 + 1, (times[k] as usize - 1) % 15 / 5 + 1];
    for (k, (epoch, batch)) in read(&all, "epoch").data.iter().zip(read(&all, "mini_batch").data).enumerate()
    {
        assert_eq!([*epoch as usize, batch as usize], place_of(k));
    }
    // The class of the sample at place i is the parity of i (see MiniData).
    for (label, sample) in read(&all, "label").data.iter().zip(read(&all, "sample").data) {
        assert_eq!(*label, if sample < 0.0 { -1.0 } else { sample % 2.0 });
    }
    // Two voltages, a label and a sample and what tells the time: 56 bytes of 1048.
    assert_eq!(read(&whole.join("probes/pixels.npz"), "u").shape, [15, 1, 2]);
    assert!(!ran.stderr.contains("warning [probe]"), "{}", ran.stderr);
    for (stop, resumed) in [("0001-000002", "1"), ("0003-000000", "2")] {
        let killed = whole.parent().unwrap().join(format!("20990101T000000Z-1-{resumed}"));
        for folder in ["checkpoints", "probes"] {
            std::fs::create_dir_all(killed.join(folder)).unwrap();
        }
        let checkpoint = format!("checkpoints/{stop}.safetensors");
        for file in ["config.toml", "metrics.jsonl", &checkpoint, "probes/all.npz", "probes/pixels.npz"] {
            std::fs::copy(whole.join(file), killed.join(file)).unwrap();
        }
        place.run(&["train", "--resume", killed.to_str().unwrap()]).ends(0);
        for name in ["all.npz", "pixels.npz"] {
            let [a, b] = [&whole, &killed].map(|run| run.join("probes").join(name));
            let arrays = NpzFile::open(&a).unwrap().names().to_vec();
            assert!(arrays.len() > 7);
            for array in arrays {
                assert!(read(&a, &array) == read(&b, &array), "{name} {array} after {stop}");
            }
        }
        // Without the files the run goes on, and says what is lost.
        std::fs::remove_dir_all(killed.join("probes")).unwrap();
        std::fs::remove_file(killed.join("DONE")).unwrap();
        for name in names(&killed.join("checkpoints")) {
            if name.ends_with(".safetensors") && !name.starts_with(stop) {
                std::fs::remove_file(killed.join("checkpoints").join(name)).unwrap();
            }
        }
        let ran = place.run(&["train", "--resume", killed.to_str().unwrap()]).ends(0);
        let warning = ran.line("warning [probe]");
        assert!(warning.contains("all.npz") && warning.contains("samples from before are lost"), "{warning}");
    }
}

#[test]
fn a_bound_that_is_reached_is_told() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let probe = r#"probe=[{ name = "small", max-mib = 0.001 }]"#;
    let ran = place.train(config, &["--device", "cpu", "--set", probe]).ends(0);
    let warning = ran.line("warning [probe]");
    assert!(warning.contains("probe 'small'") && warning.contains("Raise max-mib"), "{warning}");
    let small = place.the_run().join("probes/small.npz");
    // Five voltages, a label, a sample and 24 bytes of time: 80 of 1048.
    assert_eq!((read(&small, "u").shape, read(&small, "full").data), (vec![13, 1, 5], vec![1.0]));
}

#[test]
fn the_control_has_nothing_to_record() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let args = ["--device", "cpu", "--control", "--set", r#"probe=[{ name = "all" }]"#];
    place.train(config, &args).ends(0);
    let probed = place.runs().into_iter().filter(|run| run.join("probes").exists()).count();
    assert_eq!(probed, 1);
}

const MODEL: &str = r#"
[network]
sizes = [2, 3, 1]
activation = "sigmoid"
weights = { init = "zeros" }
[dynamics]
dt-ms = 0.5
beta = 0.5
[plasticity]
rate-per-ms = 0.01
[[probe]]
name = "hidden"
populations = ["hidden"]
neurons = [0, 2]
quantities = ["u", "u-dot", "rate"]
every-ms = 2
trajectories = 2
epochs = [7]
"#;

/// The probe's values are those of the full record.
#[test]
fn a_simulation_records_what_it_was_asked_for_in_place_of_everything() {
    let place = Place::new();
    place.write("model.toml", MODEL);
    let wave = |len: usize| -> Vec<f64> { (0..len).map(|i| 0.5 * (0.7 * i as f64).sin()).collect() };
    let (x, y, w, v) = (wave(10 * 2 * 2), wave(10 * 2), wave(6), wave(3));
    let entry = |name: &str, shape: &[usize], data| Entry {
        name: name.into(),
        shape: shape.to_vec(),
        data,
        single: false,
    };
    let entries = [
        entry("x", &[10, 2, 2], &x),
        entry("y", &[10, 2, 1], &y),
        entry("W:input->hidden", &[3, 2], &w),
        entry("W:hidden->output", &[1, 3], &v),
    ];
    write(&place.path("in.npz"), &entries).unwrap();
    let base =
        ["simulate", "--config", "model.toml", "-i", "in.npz", "--device", "cpu", "--precision", "f64"];
    place.run(&[&base[..], &["-o", "full.npz"]].concat()).ends(0);
    let ran = place.run(&[&base[..], &["-o", "out.npz", "--probes"]].concat()).ends(0);
    assert!(ran.stdout.contains("wrote out.hidden.npz (2 samples)"), "{}", ran.stdout);
    let mut out = NpzFile::open(&place.path("out.npz")).unwrap();
    assert!(!out.contains("u") && out.read("f_norm").unwrap().shape == [10, 2]);
    let probed = place.path("out.hidden.npz");
    assert_eq!(read(&probed, "t_ms").data, [2.0, 4.0]);
    assert!(!NpzFile::open(&probed).unwrap().contains("label"));
    for name in ["u", "u_dot"] {
        let (some, all) = (read(&probed, name), read(&place.path("full.npz"), name));
        assert_eq!(some.shape, [2, 2, 2]);
        for (i, value) in some.data.iter().enumerate() {
            let (sample, b, n) = (i / 4, i / 2 % 2, i % 2);
            let step = 4 * (sample + 1) - 1;
            assert_eq!(*value, all.data[(step * 2 + b) * 6 + 2 + 2 * n], "{name} {i}");
        }
    }
    let (u, rate) = (read(&probed, "u").data, read(&probed, "rate").data);
    // The same function by another library: a few roundings.
    assert!(u.iter().zip(rate).all(|(u, r)| (1.0 / (1.0 + (-u).exp()) - r).abs() < 1e-15));
    let set = ["-o", "out.npz", "--probes", "--set", "probe=[]"];
    place.run(&[&base[..], &set].concat()).ends(2).says(&["--probes", "no [[probe]] tables"]);
}
