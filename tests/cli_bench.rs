//! `bench` from outside, on networks of a few neurons: rows in all formats, comparison, fits, what is said of wrong lists; `train --profile`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cli_support;

use std::fs;
use std::io::Read;
use std::process::Stdio;

use cli_support::{MiniData, Place, Ran, Running, TINY, events_of, json, names, wait_for};
use lagrange_gpu::bench::{COLUMNS, Row};
use lagrange_gpu::gpu;

/// Two presentations a case.
const QUICK: [&str; 8] =
    ["--repetitions", "2", "--least-ms", "0", "--warm-up-ms", "0", "--no-ceilings", "--steps"];

/// The part of the name of the software adapter that a user would give.
fn software() -> String {
    let found = gpu::adapters().into_iter().find(|a| a.is_software);
    let name =
        found.expect("a software adapter: on Debian and Ubuntu, apt-get install mesa-vulkan-drivers").name;
    name.split([' ', '(']).next().unwrap().to_owned()
}

fn bench(place: &Place, args: &[&str]) -> Ran {
    place.run(&[&["bench"][..], &QUICK, &["3"], args].concat())
}

fn rows(text: &str) -> Vec<Row> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn lists_are_combined_on_the_cpu_and_on_an_adapter() {
    let place = Place::new();
    let devices = format!("cpu,{}", software());
    let lists = ["--networks", "6-4-3", "--batch", "2,5", "--plan", "plain,resident", "--output", "jsonl"];
    let ran = bench(&place, &[&lists[..], &["--device", &devices]].concat()).ends(0);
    let rows = rows(&ran.stdout);
    assert_eq!(rows.len(), 8);
    for row in &rows {
        assert_eq!((row.network.as_str(), row.neurons, row.weights, row.steps), ("6-4-3", 13, 36, 3));
        assert!(!row.version.is_empty() && !row.commit.is_empty() && !row.driver.is_empty());
        assert_eq!(row.plan, row.runs);
        assert_eq!((row.repetitions, row.unconverged, row.share), (2, 0.0, None));
        assert!(row.step_ms_least <= row.step_ms && row.step_ms <= row.step_ms_most);
        // Identities between the figures, to rounding.
        let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-12;
        assert!(near(row.steps_per_s * row.step_ms, 1e3));
        assert!(near(row.samples_per_s * 3.0, row.steps_per_s * row.batch as f64));
        assert!(near(row.gflops * 1e6 * row.step_ms, row.flops_per_step));
        assert!(row.flops_per_step > 0.0 && row.bytes_per_step > 0.0 && row.engine_bytes > 0);
    }
    assert!(rows[..4].iter().all(|r| r.kind == "cpu" && r.threads.is_some() && r.busy_ms.is_none()));
    assert!(rows[4..].iter().all(|r| r.kind == "gpu" && r.threads.is_none() && r.precision == "f32"));
}

/// A signal ends the run with its code; what was measured before stays.
#[test]
#[cfg(unix)]
fn an_interrupted_run_keeps_its_rows() {
    let place = Place::new();
    // All cases together would take ten seconds at least.
    let batches: Vec<String> = (1..=200).map(|n| n.to_string()).collect();
    let batches = batches.join(",");
    let args = ["--networks", "4-3", "--batch", &batches, "--steps", "3", "--device", "cpu", "--no-ceilings"];
    let more = ["--repetitions", "2", "--least-ms", "25", "--warm-up-ms", "0"];
    let to = ["--output", "jsonl", "--output-file", "rows.jsonl"];
    let mut command = place.command(&[&["bench"][..], &args, &more, &to].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut running = Running(child);
    let path = place.path("rows.jsonl");
    wait_for("a row", || fs::read_to_string(&path).ok().filter(|text| text.contains('\n')));
    // SAFETY: the process is a child that was not waited for.
    assert_eq!(unsafe { libc::kill(running.0.id() as i32, libc::SIGINT) }, 0);
    let code = wait_for("its end", || running.0.try_wait().unwrap()).code();
    assert_eq!(code, Some(130));
    let mut told = String::new();
    running.0.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(told.contains("of 200 cases are done, their rows are written"), "{told}");
    assert!(!rows(&fs::read_to_string(&path).unwrap()).is_empty());
}

#[test]
fn recurrent_networks_have_moving_targets_and_two_plans() {
    let place = Place::new();
    let lists = ["--networks", "0-5-90", "--architecture", "layered-recurrent", "--activation", "sigmoid"];
    let more = [
        "--batch",
        "2",
        "--plan",
        "auto,plain",
        "--device",
        "cpu",
        "--precision",
        "f64",
        "--output",
        "jsonl",
    ];
    let found = rows(&bench(&place, &[&lists[..], &more].concat()).ends(0).stdout);
    assert_eq!(found.iter().map(|r| r.runs.as_str()).collect::<Vec<_>>(), ["whole", "plain"]);
    assert!(found.iter().all(|r| r.precision == "f64" && r.solver == "cg" && r.iterations > 0.0));
}

#[test]
fn an_experiment_brings_its_own_settings_and_ceilings_are_measured() {
    let place = Place::new();
    let config = MiniData::new().put(&place);
    let args =
        ["bench", "--config", config, "--set", "dynamics.dt-ms=0.5", "--device", "cpu", "--threads", "1"];
    let more = ["--repetitions", "1", "--least-ms", "0", "--warm-up-ms", "0", "--output", "jsonl"];
    let ran = place.run(&[&args[..], &more].concat()).ends(0).says(&["ceilings of", "GFLOP/s"]);
    let row = rows(&ran.stdout).remove(0);
    assert_eq!((row.architecture.as_str(), row.network.as_str()), ("mini", "4-3-2"));
    assert_eq!((row.dt_ms, row.batch, row.steps, row.threads), (0.5, 4, 5, Some(1)));
    // Other overrides make another case.
    assert_eq!(row.overrides, "dynamics.dt-ms=0.5");
    assert!(row.key().ends_with("with dynamics.dt-ms=0.5"), "{}", row.key());
    assert!(row.ceiling_gflops.unwrap() > 0.0 && row.ceiling_gb_per_s.unwrap() > 0.0);
    assert!((row.share.unwrap() - row.roofline_ms.unwrap() / row.step_ms).abs() < 1e-12);
}

#[test]
fn rows_are_added_to_a_file_and_compared_with_it() {
    let place = Place::new();
    let lists = ["--networks", "4-3", "--device", "cpu", "--output-file", "all.jsonl", "--output", "jsonl"];
    let ran = bench(&place, &[&lists[..], &["--batch", "1,2"]].concat()).ends(0);
    assert_eq!(ran.stdout.lines().count(), 2 + 2, "a table: {}", ran.stdout);
    bench(&place, &[&lists[..], &["--batch", "3"]].concat()).ends(0);
    let text = fs::read_to_string(place.path("all.jsonl")).unwrap();
    assert_eq!(rows(&text).iter().map(|r| r.batch).collect::<Vec<_>>(), [1, 2, 3]);
    let args = ["--networks", "4-3", "--device", "cpu", "--batch", "2,4", "--compare", "all.jsonl"];
    let ran = bench(&place, &args).ends(0);
    assert_eq!(ran.stdout.matches("x   4-3").count(), 1, "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("no partner, now alone").count(), 1);
    assert_eq!(ran.stdout.matches("no partner, then alone").count(), 2);
    // Programs get rows alone.
    let ran = bench(&place, &[&args[..], &["--output", "csv"]].concat()).ends(0).says(&["no partner"]);
    assert_eq!(ran.stdout.lines().next().unwrap(), COLUMNS.join(","));
    assert_eq!(ran.stdout.lines().count(), 3);
    let ran = bench(&place, &[&args[..], &["--output", "markdown"]].concat()).ends(0);
    assert!(ran.stdout.contains("| network | batch |") && ran.stdout.contains("| ---: |"), "{}", ran.stdout);
}

#[test]
fn scaling_prints_fits_and_draws_them() {
    let place = Place::new();
    let args = ["--scaling", "batch", "--values", "1,4,16", "--networks", "5-4-3", "--device", "cpu"];
    let ran = bench(&place, &[&args[..], &["--plots", "new/pictures"]].concat()).ends(0);
    // The plain plan and the resident one.
    for plan in ["plain", "auto"] {
        assert!(
            ran.stdout.contains(&format!("batch from 1 to 16, {plan} (exact), CPU f32")),
            "{}",
            ran.stdout
        );
    }
    assert!(ran.stdout.contains("exponent ") && ran.stdout.contains("ms a step a trajectory"));
    assert_eq!(names(&place.path("new/pictures")), ["scaling-batch.svg"]);
    let picture = fs::read_to_string(place.path("new/pictures/scaling-batch.svg")).unwrap();
    assert!(picture.contains("trajectories (batch)") && picture.contains("5-4-3"));
    // No resident plan without an input: the plain one alone, of a population of its own.
    let args = ["--scaling", "neurons", "--values", "300,400", "--batch", "2", "--device", "cpu"];
    let ran = bench(&place, &args).ends(0);
    assert!(ran.stdout.contains("neurons from 300 to 400, plain") && !ran.stdout.contains("auto (exact)"));
}

#[test]
fn wrong_lists_say_what_and_where() {
    let place = Place::new();
    place.write("bad.jsonl", "{}\n");
    for (args, words) in [
        (
            &["--networks", "784-x-10"][..],
            &["--networks: layer 2 of '784-x-10', 'x'", "such as 784-500-10"][..],
        ),
        (&["--networks", "784"], &["'784' has 1 layer(s)", "2 to 127 layers"]),
        (&["--networks", "4-0-2"], &["layer 2 of '4-0-2', '0'", "only the input may have none"]),
        (&["--batch", "1,,3"], &["--batch '1,,3': entry 2 is empty"]),
        (&["--batch", "1,0"], &["entry 2, '0', is no whole number from 1"]),
        (
            &["--integrator", "exakt"],
            &["--integrator: 'exakt' is not one of: exact, euler", "did you mean 'exact'?"],
        ),
        (&["--plan", "resident", "--networks", "0-4-3"], &["0-4-3", "resident weights do not apply"]),
        (&["--device", "no-such-gpu"][..], &["no-such-gpu", "--device cpu needs none"]),
        (&["--precision", "f64", "--device", "0"], &["f32 only"]),
        (&["--output", "xml"], &["--output: 'xml' is not one of: table, markdown, jsonl, csv"]),
        (&["--repetitions", "0"], &["--repetitions 0: give at least 1"]),
        (&["--dt-ms", "0"], &["--dt-ms 0: give a number above 0"]),
        (&["--set", "seed=1"], &["--set seed=1: goes with --config"]),
        (&["--compare", "none.jsonl"], &["cannot read none.jsonl"]),
        (&["--compare", "bad.jsonl"], &["bad.jsonl, line 1: missing field"]),
        (&["--scaling", "batch", "--batch", "1,2"], &["--batch: --scaling takes one value, 2 were given"]),
        (&["--scaling", "batch", "--batch", "1"], &["--batch: --scaling batch varies that", "--values"]),
        (&["--scaling", "steps", "--steps", "7"], &["--steps: --scaling steps varies that"]),
        (&["--scaling", "neurons", "--networks", "4-3"], &["--networks: --scaling neurons varies that"]),
        (
            &["--scaling", "neurons", "--architecture", "layered-recurrent"],
            &["one fully recurrent population"],
        ),
        (
            &["--scaling", "width", "--activation", "sigmoid,tanh"],
            &["--activation: --scaling takes one value, 2 were given"],
        ),
        (&["--tiles", "small", "--device", "cpu"], &["--tiles small: the processor has no tiles"]),
        (&["--tiles", "large", "--no-autotune"], &["--no-autotune"]),
        (&["--scaling", "all", "--values", "1"], &["--values: give one quantity"]),
        (&["--values", "1"], &["--scaling"]),
        (&["--output-file", "no/folder/x"], &["--output-file no/folder/x: cannot be written"]),
    ] {
        let ran = place.run(&[&["bench"][..], args].concat());
        let code = if args.contains(&"no-such-gpu") { 3 } else { 2 };
        let ran = ran.ends(code).says(words);
        assert_eq!(ran.stdout, "", "{args:?}");
    }
    fs::write(place.path("old.csv"), "a,b\n1,2\n").unwrap();
    bench(&place, &["--networks", "4-3", "--output", "csv", "--output-file", "old.csv"])
        .ends(2)
        .says(&["old.csv: has other columns"]);
    assert_eq!(fs::read_to_string(place.path("old.csv")).unwrap(), "a,b\n1,2\n");
}

#[test]
fn a_profile_is_a_table_and_a_file() {
    for device in ["cpu".to_owned(), software()] {
        let place = Place::new();
        let config = MiniData::new().put(&place);
        let ran = place.train(config, &["--device", &device, "--profile", "--plain"]).ends(0);
        let ran = ran.says(&["profile of the training on", "kernel ", "us a call"]);
        assert!(ran.line("forward").split_whitespace().count() == 7, "{}", ran.line("forward"));
        let run = place.the_run();
        let profile = json(&run.join("profile.json"));
        assert_eq!(profile["timed"], true);
        let kernels = profile["kernels"].as_array().unwrap();
        let calls = |name: &str| {
            let found = kernels.iter().find(|k| k["kernel"] == name);
            found.map_or(0.0, |k| k["calls"].as_f64().unwrap())
        };
        // Two epochs of three mini-batches (4, 4, 2 of 10) of five steps: one a step, alone or in a stretch of whole steps, and one a
        // presentation. The first step of a presentation never is in a stretch. On an adapter each stretch begins with a dispatch that only senses,
        // and weights are carried in and back.
        let whole = calls("layered_step") - calls("layered_carry") / 2.0;
        assert!((calls("integrate") + whole - 30.0).abs() < 1e-9, "{profile}");
        assert!(calls("integrate") > 6.0 - 1e-9);
        assert!((calls("decode") - 6.0).abs() < 1e-9);
        assert!(kernels.iter().all(|k| k["seconds"].as_f64().unwrap() >= 0.0));
        assert_eq!(events_of(&run, "profiled").len(), 1);
    }
    let place = Place::new();
    place.train("mnist-small.toml", &[&TINY[..], &["--device", "cpu"]].concat()).ends(0);
    assert!(!place.the_run().join("profile.json").exists());
}
