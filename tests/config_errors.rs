//! Every error of an experiment names what is wrong, the line, and the exact place in it.

use lagrange_gpu::config::{ConfigError, Experiment, Overrides, SimulationConfig, Source};

const BASE: &str = r#"name = "small"
seed = 3

[data]
source = "embedded-mnist"
validation = 100
encoding = "unit"

[network]
architecture = "layered-feedforward"
sizes = [784, 20, 10]
activation = "hard-sigmoid"
input = "clamped"
weights = { init = "normal", mean = 0.0, std = 0.05, clip = 0.15 }
biases = { init = "zeros" }

[dynamics]
integrator = "exact"
tau-ms = 10.0
dt-ms = 1.0
beta = 0.1

[plasticity]
rate-per-ms = 0.05

[training]
epochs = 2
batch = 32
steps-per-sample = 30
"#;

const CUSTOM: &str = r#"
[network]
architecture = "custom"
activation = "tanh"
weights = { init = "xavier" }

[[network.population]]
name = "in"
size = 3

[[network.population]]
name = "mid"
size = 4

[[network.population]]
name = "out"
size = 2

[[network.projection]]
pre = "in"
post = "mid"

[[network.projection]]
pre = "mid"
post = "out"

[dynamics]
beta = 0.1

[plasticity]
rate-per-ms = 0.01
"#;

fn source(text: &str) -> Source {
    Source::Text { label: "test.toml".into(), text: text.into() }
}

fn load(text: &str) -> Result<Experiment, ConfigError> {
    Experiment::load(&source(text), &Overrides::default())
}

fn load_with(arguments: &[&str]) -> Result<Experiment, ConfigError> {
    Experiment::load(&source(BASE), &Overrides::parse(arguments)?)
}

fn simulate(text: &str) -> Result<SimulationConfig, ConfigError> {
    SimulationConfig::load(&source(text), &Overrides::default())
}

/// Replaces `from` by `to`, in which « » enclose the wrong part, and tells where that part is: line and column from 1,
/// number of characters, the line.
fn mark(text: &str, from: &str, to: &str) -> (String, Option<(usize, usize, usize, String)>) {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    let marked = text.replace(from, to);
    let Some((before, rest)) = marked.split_once('«') else { return (marked, None) };
    let (wrong, _) = rest.split_once('»').expect("a closing mark");
    let line = before.lines().count().max(1) + usize::from(before.ends_with('\n'));
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    let clean = marked.replace(['«', '»'], "");
    let content = clean.lines().nth(line - 1).expect("the line").to_owned();
    let len = wrong.lines().next().map_or(0, |l| l.chars().count());
    (clean, Some((line, column, len, content)))
}

/// What the place of an error looks like: location, line, caret.
fn place(line: usize, column: usize, len: usize, content: &str) -> String {
    let gutter = " ".repeat(line.to_string().len());
    format!(
        "\n{gutter}--> test.toml:{line}:{column}\n{gutter} |\n{line} | {content}\n{gutter} | {}{}\n",
        " ".repeat(column - 1),
        "^".repeat(len)
    )
}

#[track_caller]
fn check(error: &ConfigError, at: Option<(usize, usize, usize, String)>, says: &[&str]) {
    let shown = error.to_string();
    if let Some((line, column, len, content)) = at {
        let place = place(line, column, len, &content);
        assert!(shown.contains(&place), "expected the place{place}in\n{shown}");
    }
    for part in says {
        assert!(shown.contains(part), "expected '{part}' in\n{shown}");
    }
    assert!(shown.contains(" = expected "), "{shown}");
}

#[track_caller]
fn rejects(from: &str, to: &str, says: &[&str]) {
    let (text, at) = mark(BASE, from, to);
    match load(&text) {
        Err(error) => check(&error, at, says),
        Ok(_) => panic!("accepted: {to}"),
    }
}

#[track_caller]
fn rejects_custom(from: &str, to: &str, says: &[&str]) {
    let (text, at) = mark(CUSTOM, from, to);
    match simulate(&text) {
        Err(error) => check(&error, at, says),
        Ok(_) => panic!("accepted: {to}"),
    }
}

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
   = expected one of: integrator, tau-ms, dt-ms, beta, solver, tolerance, max-iterations, on-indefinite, plasticity-in-dynamics, u-limit
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
fn unknown_keys() {
    rejects(
        "seed = 3",
        "«sed» = 3",
        &["unknown key `sed`", "did you mean `seed`?", "one of: name, seed, data"],
    );
    rejects("[training]", "[«trainings»]", &["did you mean `training`?"]);
    rejects("epochs = 2", "«epoch» = 2", &["in `training`", "did you mean `epochs`?"]);
    rejects("epochs = 2", "epochs = 2\n«colour» = 1", &["one of: epochs, batch, steps-per-sample"]);
    rejects("std = 0.05", "«sd» = 0.05", &["in `network.weights`", "init, mean, std, clip"]);
    rejects("validation = 100", "validation = 100\n«validate» = 1", &["in `data`"]);
    rejects("[training]", "[run]\n«devices» = 1\n[training]", &["did you mean `device`?"]);
    rejects("rate-per-ms = 0.05", "«rate» = 0.05", &["in `plasticity`"]);
    rejects_custom("size = 4", "«sizes» = 4", &["in `network.population.1`", "did you mean `size`?"]);
    rejects_custom("post = \"out\"", "«to» = \"out\"", &["in `network.projection.1`", "pre, post"]);
}

#[test]
fn missing_sections_and_keys() {
    for section in ["data", "network", "dynamics", "plasticity", "training"] {
        let start = BASE.find(&format!("[{section}]")).expect("the section");
        let end = BASE[start + 1..].find("\n[").map_or(BASE.len(), |i| start + 1 + i);
        let text = format!("{}{}", &BASE[..start], &BASE[end..]);
        let shown = load(&text).expect_err(section).to_string();
        assert!(shown.contains(&format!("there is no section [{section}]\n --> test.toml\n")), "{shown}");
        let optional = matches!(section, "data" | "training");
        assert_eq!(simulate(&text).is_ok(), optional, "{section}");
    }
    for (key, header) in [
        ("source", "[data]"),
        ("sizes", "[network]"),
        ("activation", "[network]"),
        ("weights", "[network]"),
        ("beta", "[dynamics]"),
        ("rate-per-ms", "[plasticity]"),
        ("epochs", "[training]"),
        ("batch", "[training]"),
        ("steps-per-sample", "[training]"),
    ] {
        let line = BASE.lines().find(|l| l.starts_with(&format!("{key} ="))).expect("the key");
        let text = BASE.replacen(&format!("{line}\n"), "", 1);
        let (text, at) = mark(&text, header, &format!("«{header}»"));
        check(
            &load(&text).expect_err(key),
            at,
            &[&format!("has no key `{key}`"), &format!("expected {key} =")],
        );
    }
    rejects("std = 0.05, ", "", &["`network.weights` has no key `std`"]);
}

#[test]
fn numbers_out_of_range() {
    for bad in ["0", "0.0", "-1", "-0.5", "nan", "inf", "1e400", "1e39", "1e-60"] {
        let wrong = format!("tau-ms = «{bad}»");
        rejects("tau-ms = 10.0", &wrong, &["`dynamics.tau-ms` cannot be", "a time in ms, greater than 0"]);
        rejects("dt-ms = 1.0", &format!("dt-ms = «{bad}»"), &["`dynamics.dt-ms` cannot be"]);
    }
    for bad in ["-0.1", "nan", "inf", "-inf"] {
        rejects("beta = 0.1", &format!("beta = «{bad}»"), &["`dynamics.beta`", "0 or greater"]);
        rejects("rate-per-ms = 0.05", &format!("rate-per-ms = «{bad}»"), &["`plasticity.rate-per-ms`"]);
        rejects("std = 0.05", &format!("std = «{bad}»"), &["`network.weights.std`", "0 or greater"]);
    }
    for bad in ["0", "-0.1", "nan"] {
        rejects("clip = 0.15", &format!("clip = «{bad}»"), &["`network.weights.clip`", "greater than 0"]);
        for key in ["derivative-clip", "weight-clip", "bias-clip"] {
            let to = format!("rate-per-ms = 0.05\n{key} = «{bad}»");
            rejects("rate-per-ms = 0.05", &to, &[&format!("`plasticity.{key}`"), "greater than 0"]);
        }
    }
    for bad in ["0", "1", "1.0", "-1e-3", "nan", "2"] {
        let to = format!("beta = 0.1\ntolerance = «{bad}»");
        rejects("beta = 0.1", &to, &["`dynamics.tolerance`", "greater than 0 and less than 1"]);
    }
    for bad in ["0", "1.1", "-1", "nan"] {
        let to = format!("batch = 32\nrate-decay-per-epoch = «{bad}»");
        rejects("batch = 32", &to, &["`training.rate-decay-per-epoch`", "at most 1"]);
    }
    for (key, line) in
        [("epochs", "epochs = 2"), ("batch", "batch = 32"), ("steps-per-sample", "steps-per-sample = 30")]
    {
        for bad in ["0", "-1", "99999999999999999999", "1.5", "\"1\""] {
            rejects(
                line,
                &format!("{key} = «{bad}»"),
                &[&format!("`training.{key}`"), "a whole number from 1"],
            );
        }
    }
    rejects("seed = 3", "seed = «-1»", &["`seed` cannot be -1"]);
    rejects("beta = 0.1", "beta = 0.1\nu-limit = «0»", &["`dynamics.u-limit`"]);
    rejects("beta = 0.1", "beta = 0.1\nmax-iterations = «0»", &["`dynamics.max-iterations`"]);
}

#[test]
fn wrong_types() {
    rejects("tau-ms = 10.0", "tau-ms = «\"10\"»", &["`dynamics.tau-ms` is a string"]);
    rejects("tau-ms = 10.0", "tau-ms = «[10.0]»", &["`dynamics.tau-ms` is a list"]);
    rejects("tau-ms = 10.0", "tau-ms = «2020-01-01»", &["`dynamics.tau-ms` is a date"]);
    rejects("name = \"small\"", "name = «true»", &["`name` is a boolean"]);
    rejects(
        "sizes = [784, 20, 10]",
        "sizes = «784»",
        &["`network.sizes` is an integer", "a list of layer sizes"],
    );
    rejects("sizes = [784, 20, 10]", "sizes = [784, «\"20\"», 10]", &["`network.sizes.1` is a string"]);
    rejects(
        "biases = { init = \"zeros\" }",
        "biases = «\"zeros\"»",
        &["`network.biases` is a string", "a table"],
    );
    rejects("rate-per-ms = 0.05", "rate-per-ms = 0.05\nfactors = «1.0»", &["`plasticity.factors`", "a list"]);
    rejects(
        "name = \"small\"\n",
        "name = \"small\"\nrun = «1»\n",
        &["`run` is an integer", "a table with keys"],
    );
}

#[test]
fn choices() {
    for (from, key, wrong, meant, all) in [
        ("\"exact\"", "dynamics.integrator", "exakt", "exact", "exact, euler, richardson1, richardson2"),
        (
            "\"hard-sigmoid\"",
            "network.activation",
            "hard_sigmoid",
            "hard-sigmoid",
            "sigmoid, hard-sigmoid, relu, linear, tanh",
        ),
        ("\"clamped\"", "network.input", "clampd", "clamped", "clamped, driven, rates"),
        (
            "\"layered-feedforward\"",
            "network.architecture",
            "layered-feedfoward",
            "layered-feedforward",
            "layered-feedforward, custom",
        ),
        ("\"zeros\"", "network.biases.init", "zero", "zeros", "normal, zeros, lecun, xavier, he"),
        ("\"unit\"", "data.encoding", "units", "unit", "unit, logit"),
        ("\"embedded-mnist\"", "data.source", "embedded_mnist", "embedded-mnist", "embedded-mnist, idx"),
    ] {
        let says = [
            &format!("`{key}` cannot be \"{wrong}\"\n"),
            &format!("expected one of: {all}\n"),
            &format!("did you mean `{meant}`?"),
        ];
        rejects(from, &format!("«\"{wrong}\"»"), &says.map(String::as_str));
    }
    for (key, wrong, all) in [
        ("solver", "lu", "auto, cg, output-cg, woodbury, dense"),
        ("on-indefinite", "ignore", "error, fallback"),
        ("plasticity-in-dynamics", "biases", "none, weights, all"),
    ] {
        let to = format!("beta = 0.1\n{key} = «\"{wrong}\"»");
        rejects("beta = 0.1", &to, &[&format!("`dynamics.{key}`"), &format!("one of: {all}")]);
    }
    rejects("[training]", "[run]\nprecision = «\"f16\"»\n[training]", &["one of: f32, f64"]);
    rejects("[training]", "[run]\ndevice = «\"\"»\n[training]", &["`run.device`"]);
    let to = "[run]\ndevice = \"gpu\"\nprecision = «\"f64\"»\n[training]";
    rejects("[training]", to, &["on a GPU"]);
}

#[test]
fn lists_of_the_wrong_length() {
    let names = "2, one a projection: input->hidden, hidden->output, got 3";
    let to = "rate-per-ms = 0.05\nfactors = «[1, 1, 1]»";
    rejects("rate-per-ms = 0.05", to, &["`plasticity.factors`", names]);
    rejects("rate-per-ms = 0.05", "rate-per-ms = 0.05\nweight-clip = «[1, 1, 1]»", &[names]);
    let names = "3, one a population: input, hidden, output, got 1";
    for key in ["bias-factors", "bias-clip"] {
        rejects("rate-per-ms = 0.05", &format!("rate-per-ms = 0.05\n{key} = «[1]»"), &[names]);
    }
    rejects("{ init = \"zeros\" }", "«[{ init = \"zeros\" }]»", &["`network.biases`", names]);
    let weights = "{ init = \"normal\", mean = 0.0, std = 0.05, clip = 0.15 }";
    rejects(weights, "«[]»", &["2, one a projection: input->hidden, hidden->output, got 0"]);
    rejects("beta = 0.1", "beta = «[0.1, 0.2]»", &["`dynamics.beta`", "10, one an output neuron", "got 2"]);
    rejects("beta = 0.1", "beta = [0.1, 0, 0, «-1», 0, 0, 0, 0, 0, 0]", &["`dynamics.beta.3` cannot be -1"]);
    rejects("rate-per-ms = 0.05", "rate-per-ms = 0.05\nfactors = [1, «-1»]", &["`plasticity.factors.1`"]);
}

#[test]
fn networks_that_cannot_be_run() {
    rejects("[784, 20, 10]", "[784, «0», 10]", &["population 'hidden' has no neurons"]);
    rejects("[784, 20, 10]", "«[784]»", &["needs an input and an output population"]);
    rejects("[784, 20, 10]", "«[]»", &["needs an input and an output population"]);
    rejects("[784, 20, 10]", "[784, «9223372036854775807», 10]", &["`network.sizes.1` cannot be"]);
    rejects("[784, 20, 10]", "[«783», 20, 10]", &["784 pixels", "population 'input' has 783"]);
    rejects("[784, 20, 10]", "[784, 20, «11»]", &["10 classes", "population 'output' has 11"]);
    rejects("[784, 20, 10]", "[784, 20, 10]\n«population» = []", &["belongs to architecture = \"custom\""]);
    rejects("\"zeros\"", "\"zeros\", «std» = 1", &["belongs to init = \"normal\""]);
}

#[test]
fn custom_networks_that_cannot_be_run() {
    rejects_custom(
        "post = \"mid\"",
        "post = «\"mide\"»",
        &["no population 'mide'", "did you mean `mid`?", "in, mid, out"],
    );
    rejects_custom("pre = \"in\"", "pre = «\"x\"»", &["`network.projection.0.pre`", "no population 'x'"]);
    rejects_custom("name = \"mid\"", "name = «\"in\"»", &["two populations 'in'"]);
    rejects_custom("name = \"mid\"", "name = «\"m d\"»", &["`network.population.1.name`"]);
    rejects_custom("name = \"mid\"", "name = «\"\"»", &["`network.population.1.name`"]);
    rejects_custom("size = 4", "size = «0»", &["population 'mid' has no neurons"]);
    let to = "pre = \"mid\"\npost = «\"in\"»";
    rejects_custom("pre = \"mid\"\npost = \"out\"", to, &["'mid' to 'in' does not run forward"]);
    let to = "pre = \"in\"\npost = «\"mid\"»";
    rejects_custom("pre = \"mid\"\npost = \"out\"", to, &["two projections from 'in' to 'mid'"]);
    rejects_custom(
        "activation",
        "«sizes» = [1, 2]\nactivation",
        &["belongs to architecture = \"layered-feedforward\""],
    );
    let to = "rate-per-ms = 0.01\nfactors = [1, 1]";
    let text = CUSTOM.replace("rate-per-ms = 0.01", to);
    let (text, at) = mark(&text, "post = \"mid\"", "post = \"mid\"\nfactor = «0.5»");
    check(&simulate(&text).expect_err("twice"), at, &["`network.projection.0.factor` is given in the list"]);
    rejects_custom("post = \"mid\"", "post = \"mid\"\nclip = «0»", &["`network.projection.0.clip`"]);
}

#[test]
fn settings_that_do_not_apply() {
    rejects("dt-ms = 1.0", "dt-ms = «20.0»", &["dt < 2τ"]);
    rejects("tau-ms = 10.0\ndt-ms = 1.0", "tau-ms = «0.5»", &["dt < 2τ"]);
    let explicit = BASE.replace("\"exact\"", "\"euler\"").replace("dt-ms = 1.0", "dt-ms = 20.0");
    load(&explicit).expect("the bound belongs to the exact integrator");
}

#[test]
fn solvers_that_do_not_apply() {
    for solver in ["output-cg", "woodbury"] {
        rejects_custom("beta = 0.1", &format!("beta = 0.1\nsolver = «\"{solver}\"»"), &[solver, "ρ'' = 0"]);
    }
    // 30 free neurons are few enough for a dense solve, 210 are not.
    let dense = BASE.replace("beta = 0.1", "beta = 0.1\nsolver = \"dense\"");
    load(&dense).expect("a small network");
    let (text, at) = mark(&dense.replace("20, 10]", "200, 10]"), "\"dense\"", "«\"dense\"»");
    check(&load(&text).expect_err("dense"), at, &["'dense'", "210"]);
}

#[test]
fn data_files() {
    for key in ["train-images", "test-labels"] {
        let to = format!("validation = 100\n«{key}» = \"a\"");
        rejects("validation = 100", &to, &[&format!("`data.{key}` needs source = \"idx\"")]);
    }
    rejects("source = \"embedded-mnist\"", "source = \"idx\"", &["`data` has no key `train-images`"]);
    rejects("validation = 100", "validation = «-1»", &["`data.validation`"]);
    rejects("validation = 100", "validation = 100\ntrain-limit = «0»", &["`data.train-limit`"]);
    rejects("name = \"small\"", "name = «\"a/b\"»", &["`name` cannot be \"a/b\""]);
    rejects("name = \"small\"", "name = «\"\"»", &["`name` cannot be"]);
}

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
