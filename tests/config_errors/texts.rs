//! The whole form of an error; texts that are not TOML; carets below tabs and letters with accents.

use lagrange_gpu::config::{Experiment, Overrides};

use crate::support::{BASE, CUSTOM, check, load, load_with, mark, simulate, source};

#[test]
fn the_base_texts_are_right() {
    load(BASE).expect("an experiment");
    simulate(BASE).expect("a simulation");
    simulate(CUSTOM).expect("a simulation");
}

#[test]
fn the_whole_form() {
    let error = load(&BASE.replace("tau-ms = 10.0", "tau_ms = 10.0")).expect_err("unknown key");
    let expected = "\
unknown key `tau_ms` in `dynamics`
  --> test.toml:19:1
   |
19 | tau_ms = 10.0
   | ^^^^^^
   = expected one of: dynamics, integrator, tau-ms, dt-ms, beta, solver, tolerance, newton-tolerance, newton-iterations, max-iterations, on-indefinite, plasticity-in-dynamics, u-limit, resident-weights, learning-products, input-mismatch
   = did you mean `tau-ms`?";
    assert_eq!(error.to_string(), expected);
    let error = load_with(&["dynamics.tau-ms=-1"]).expect_err("negative");
    let expected = "\
`dynamics.tau-ms` cannot be -1
 --> --set dynamics.tau-ms=-1
  |
  | --set dynamics.tau-ms=-1
  |                       ^^
  = expected a time in ms, greater than 0";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn texts_that_are_not_toml() {
    for (from, to) in [("seed = 3", "seed = 3\nseed = 4"), ("seed = 3", "seed 3"), ("seed = 3", "seed = ")] {
        let shown = load(&BASE.replace(from, to)).expect_err(to).to_string();
        let line = if to.contains('\n') { 3 } else { 2 };
        assert!(shown.starts_with("not valid TOML: "), "{shown}");
        assert!(shown.contains(&format!("\n --> test.toml:{line}:")), "{shown}");
    }
    let shown = Experiment::parse(b"name = 1\nx = \"\xff\"\n", &source(""), &Overrides::default())
        .expect_err("not UTF-8")
        .to_string();
    assert!(shown.contains(" --> test.toml:2:6\n"), "{shown}");
}

#[test]
fn carets_stand_below_their_characters() {
    let text = BASE
        .replace("weights = {", "weights = {\tinit = \"normal\", ")
        .replace("init = \"normal\", mean", "mean");
    let text = text.replace("clip = 0.15", "clip = -1");
    let shown = load(&text).expect_err("negative").to_string();
    assert!(shown.contains("   |            \t"), "tabs stay: {shown}");
    let (text, at) = mark(CUSTOM, "name = \"mid\"", "name = \"mïd\"");
    assert!(at.is_none());
    let text = text.replace("post = \"mid\"", "post = \"mïd\"");
    let (text, at) = mark(&text, "pre = \"mid\"", "\"p\\u0072e\" = «\"mïdτ\"»");
    check(&simulate(&text).expect_err("unknown"), at, &["did you mean `mïd`?"]);
}

#[test]
fn sections_without_a_header_have_a_place() {
    let error = simulate("network.activation = \"relu\"\n").expect_err("no sizes");
    let shown = error.to_string();
    assert!(shown.contains("`network` has no key `sizes`\n --> test.toml:1:1\n"), "{shown}");
    println!("{shown}");
}
