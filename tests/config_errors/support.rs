//! Two right texts, and what an error in a changed one must look like.

use lagrange_gpu::config::{ConfigError, Experiment, Overrides, SimulationConfig, Source};

/// Line and column from 1, number of characters, the line.
pub type At = (usize, usize, usize, String);

pub const BASE: &str = r#"name = "small"
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

pub const CUSTOM: &str = r#"
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

pub fn source(text: &str) -> Source {
    Source::Text { label: "test.toml".into(), text: text.into() }
}

pub fn load(text: &str) -> Result<Experiment, ConfigError> {
    Experiment::load(&source(text), &Overrides::default())
}

pub fn load_with(arguments: &[&str]) -> Result<Experiment, ConfigError> {
    Experiment::load(&source(BASE), &Overrides::parse(arguments)?)
}

pub fn simulate(text: &str) -> Result<SimulationConfig, ConfigError> {
    SimulationConfig::load(&source(text), &Overrides::default())
}

/// Replaces `from` by `to`, in which « » enclose the wrong part, and tells where that part is: line and column from 1,
/// number of characters, the line.
pub fn mark(text: &str, from: &str, to: &str) -> (String, Option<At>) {
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
pub fn place(line: usize, column: usize, len: usize, content: &str) -> String {
    let gutter = " ".repeat(line.to_string().len());
    format!(
        "\n{gutter}--> test.toml:{line}:{column}\n{gutter} |\n{line} | {content}\n{gutter} | {}{}\n",
        " ".repeat(column - 1),
        "^".repeat(len)
    )
}

#[track_caller]
pub fn check(error: &ConfigError, at: Option<At>, says: &[&str]) {
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
pub fn rejects(from: &str, to: &str, says: &[&str]) {
    let (text, at) = mark(BASE, from, to);
    match load(&text) {
        Err(error) => check(&error, at, says),
        Ok(_) => panic!("accepted: {to}"),
    }
}

#[track_caller]
pub fn rejects_custom(from: &str, to: &str, says: &[&str]) {
    let (text, at) = mark(CUSTOM, from, to);
    match simulate(&text) {
        Err(error) => check(&error, at, says),
        Ok(_) => panic!("accepted: {to}"),
    }
}
