//! Errors that stem from an argument show the argument.

use lagrange_gpu::config::{Experiment, Overrides};

use crate::support::{BASE, check, load_with, source};

/// The place of an error in an argument: `before` is left of the wrong part.
#[track_caller]
fn rejects_argument(before: &str, wrong: &str, after: &str, says: &[&str]) {
    let argument = format!("{before}{wrong}{after}");
    let shown = load_with(&[&argument]).expect_err(&argument).to_string();
    let caret =
        format!("{}{}", " ".repeat(6 + before.chars().count()), "^".repeat(wrong.chars().count().max(1)));
    let place = format!("\n --> --set {argument}\n  |\n  | --set {argument}\n  | {caret}\n  = expected ");
    assert!(shown.contains(&place), "expected{place}in\n{shown}");
    for part in says {
        assert!(shown.contains(part), "expected '{part}' in\n{shown}");
    }
}

#[test]
fn arguments() {
    rejects_argument("dynamics.tau-ms=", "-1", "", &["`dynamics.tau-ms` cannot be -1"]);
    rejects_argument("dynamics.tau-ms= ", "fast", " ", &["`dynamics.tau-ms` is a string"]);
    rejects_argument("dynamics.", "tau", "=1", &["unknown key `tau` in `dynamics`"]);
    rejects_argument("", "dynamic", ".tau-ms=1", &["unknown key `dynamic`", "did you mean `dynamics`?"]);
    rejects_argument("network.sizes.", "3", "=5", &["no element `3`", "an index from 0 to 2"]);
    rejects_argument("network.sizes.", "last", "=5", &["no element `last`"]);
    rejects_argument("network.sizes.1=", "0", "", &["population 'hidden' has no neurons"]);
    rejects_argument("seed.", "x", "=5", &["`seed` is an integer"]);
    rejects_argument("", "nonsense", "", &["KEY=VALUE"]);
    rejects_argument("a.", "", ".b=1", &["empty key"]);
    rejects_argument("", "", "=1", &["empty key"]);
    rejects_argument("network.weights={ init = \"normal\", std = ", "-1", " }", &["`network.weights.std`"]);
    rejects_argument("network.weights=", "{ init = \"normal\" }", "", &["has no key `std`"]);
    rejects_argument("dynamics.dt-ms=", "20", "", &["dt < 2τ"]);
    rejects_argument("dynamics.beta=[0, 0, ", "-1", ", 0, 0, 0, 0, 0, 0, 0]", &["`dynamics.beta.2`"]);
    rejects_argument("name=", "ä/ö", "", &["`name` cannot be"]);
}

#[test]
fn the_right_one_of_several_arguments_is_shown() {
    let arguments = ["seed=4", "dynamics.dt-ms=-2", "training.epochs=5"];
    let shown = load_with(&arguments).expect_err("negative").to_string();
    assert!(shown.contains(" --> --set dynamics.dt-ms=-2\n"), "{shown}");
    let mut overrides = Overrides::default();
    overrides.flag("--seed", "seed", "-3");
    let shown = Experiment::load(&source(BASE), &overrides).expect_err("negative").to_string();
    assert!(shown.contains("\n --> --seed -3\n  |\n  | --seed -3\n  |        ^^\n"), "{shown}");
}

#[test]
fn errors_in_the_file_keep_their_line_beside_arguments() {
    let text = BASE.replace("batch = 32", "batch = 0");
    let overrides = Overrides::parse(["seed=4"]).expect("an override");
    let error = Experiment::load(&source(&text), &overrides).expect_err("no batch");
    check(&error, Some((28, 9, 1, "batch = 0".into())), &["`training.batch`"]);
}
