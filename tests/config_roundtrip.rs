//! Defaults, overrides, names of experiments; and that the resolved form is complete.

#![allow(clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use lagrange_gpu::config::{
    ConfigError, DataSource, DeviceChoice, Experiment, Overrides, SimulationConfig, Source, built_in_names,
    find,
};
use lagrange_gpu::data::arrays::{AnswerKind, InputScale, TestPart};
use lagrange_gpu::data::series::{Channels, Files, MEMORY_LIMIT_MB, Presentation, Reference, Scale};
use lagrange_gpu::data::{Encoding, PublishedSet};
use lagrange_gpu::dynamics::{Bias, Integrator, OnIndefinite, PlasticityInDynamics, Solver};
use lagrange_gpu::engine::Precision;
use lagrange_gpu::network::{
    Activation, Init, InitKind, InputMode, InterneuronDynamics, InterneuronInput, MicrocircuitInit, Network,
    Pathway,
};
use lagrange_gpu::probe::{Probe, Quantity, Selection};
use lagrange_gpu::schedule::{RateStep, Schedule};
use lagrange_gpu::train::{CompletionConfig, FreeChannels, Rule};

const MINIMAL: &str = r#"
[data]
source = "embedded-mnist"
[network]
sizes = [784, 30, 20, 10]
activation = "hard-sigmoid"
weights = { init = "normal", std = 0.05 }
[dynamics]
beta = 0.1
[plasticity]
rate-per-ms = 0.05
factors = [1.0, 0.2, 0.1]
[training]
epochs = 1
batch = 4
steps-per-sample = 30
"#;

const CUSTOM: &str = r#"
[network]
architecture = "custom"
activation = "tanh"
input = "rates"
weights = { init = "xavier" }
biases = [{ init = "zeros" }, { init = "he", clip = 1 }, { init = "lecun" }, { init = "zeros", clip = inf }]
population = [
    { name = "in", size = 3 }, { name = "a", size = 4 }, { name = "b", size = 5 }, { name = "out", size = 2 },
]
projection = [
    { pre = "in", post = "out", factor = 0.5, weights = { init = "zeros" } },
    { pre = "a", post = "out", factor = 0.25 },
    { pre = "in", post = "b", clip = 2 },
    { pre = "b", post = "out", factor = 0 },
]
[dynamics]
integrator = "richardson2"
beta = [0, 0.5]
[plasticity]
rate-per-ms = 0.5
bias-rate-per-ms = 0.25
weight-clip = 1.5
bias-clip = [1, inf, 3, 4]
derivative-clip = 0.125
"#;

fn source(text: &str) -> Source {
    Source::Text { label: "test.toml".into(), text: text.into() }
}

fn load_with(text: &str, arguments: &[&str]) -> Result<Experiment, ConfigError> {
    Experiment::load(&source(text), &Overrides::parse(arguments)?)
}

fn load(text: &str) -> Experiment {
    load_with(text, &[]).unwrap_or_else(|e| panic!("{e}"))
}

fn simulate(text: &str) -> SimulationConfig {
    SimulationConfig::load(&source(text), &Overrides::default()).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn defaults() {
    let e = load(MINIMAL);
    assert_eq!((e.name.as_str(), e.seed), ("experiment", 1));
    assert_eq!(e.data.source, DataSource::EmbeddedMnist);
    assert_eq!((e.data.validation, e.data.encoding, e.data.train_limit), (0, Encoding::Unit, None));
    assert_eq!(e.network.sizes(), "784-30-20-10");
    assert_eq!((e.network.activation, e.network.input), (Activation::HardSigmoid, InputMode::Clamped));
    let ends: Vec<_> = e.network.projections.iter().map(|p| (p.pre, p.post, p.factor, p.clip)).collect();
    assert_eq!(ends, [(0, 1, 1.0, None), (1, 2, 0.2, None), (2, 3, 0.1, None)]);
    // The default bias factor of a population is that of the forward projection into it; 0 for the input.
    let biases: Vec<_> = e.network.populations.iter().map(|p| (p.bias_factor, p.bias_clip)).collect();
    assert_eq!(biases, [(0.0, None), (1.0, None), (0.2, None), (0.1, None)]);
    assert_eq!(e.weight_init, [Init { kind: InitKind::Normal { mean: 0.0, std: 0.05 }, clip: None }; 3]);
    assert_eq!(e.bias_init, [Init { kind: InitKind::Zeros, clip: None }; 4]);
    let s = e.settings;
    assert_eq!((s.integrator, s.tau_ms, s.dt_ms, s.solver), (Integrator::Exact, 10.0, 1.0, Solver::Auto));
    assert_eq!((s.tolerance, s.max_iterations, s.u_limit), (1e-6, 40, 1e6));
    assert_eq!(s.on_indefinite, OnIndefinite::Fallback);
    assert_eq!((s.plasticity_in_dynamics, s.derivative_clip), (PlasticityInDynamics::All, None));
    assert_eq!(e.beta, [0.1; 10]);
    assert_eq!((e.rate_w, e.rate_b), (0.05, 0.05));
    let t = &e.training;
    assert_eq!((t.epochs, t.batch, t.steps_per_sample, t.rate_decay_per_epoch), (1, 4, 30, 1.0));
    assert_eq!(t.rule, Rule::LeastAction);
    assert_eq!((e.run.device, e.run.precision), (DeviceChoice::Auto, Precision::F32));
    assert_eq!(e.run.directory, Path::new("runs"));
}

#[test]
fn the_default_tolerance_follows_the_precision() {
    for (arguments, tolerance) in [
        (vec!["run.precision=f64"], 1e-12),
        (vec!["run.precision=f32"], 1e-6),
        (vec!["run.precision=f64", "dynamics.tolerance=1e-9"], 1e-9),
    ] {
        let e = load_with(MINIMAL, &arguments).expect("an experiment");
        assert_eq!(e.settings.tolerance, tolerance, "{arguments:?}");
    }
}

/// A presentation of n steps in which both gates are open teaches `n·dt·η·β` times the gradient, as β → 0.
#[test]
fn the_default_rates_of_backprop_are_those_of_a_presentation() {
    let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
    let rates = |arguments: &[&str]| {
        let b = load_with(MINIMAL, arguments).unwrap_or_else(|e| panic!("{e}")).backprop;
        (b.learning_rate, b.bias_learning_rate, b.rate_decay_per_epoch)
    };
    // 30 steps of 1 ms with η = 0.05 and β = 0.1.
    let (w, b, decay) = rates(&[]);
    assert!(close(w, 0.15) && close(b, 0.15) && decay == 1.0, "{w} {b} {decay}");
    let (w, b, decay) = rates(&[
        "plasticity.bias-rate-per-ms=0.1",
        "dynamics.dt-ms=0.5",
        "training.rate-decay-per-epoch=0.5",
    ]);
    assert!(close(w, 0.075) && close(b, 0.15) && decay == 0.5, "{w} {b} {decay}");
    // x from -4 to 4 in steps of 8/29: the ramp is above a half in 15 of them, above 1/(1 + exp(-0.5)) = 0.622 (x = 2) in the last 8.
    let ramp = ["training.ramp-from=-4", "training.ramp-to=4"];
    let (w, ..) = rates(&[&ramp[..], &["training.learn-from=0.5"]].concat());
    assert!(close(w, 0.05 * 15.0 * 0.1), "{w}");
    let (w, ..) = rates(&[&ramp[..], &["training.learn-from=0.5", "training.nudge-from=0.622"]].concat());
    assert!(close(w, 0.05 * 8.0 * 0.1), "{w}");
    // The mean of several β.
    let (w, ..) = rates(&["dynamics.beta=[0, 0, 0, 0, 0, 1, 0, 0, 0, 0]"]);
    assert!(close(w, 0.15), "{w}");
    // A given rate holds for the biases in the proportion of [plasticity].
    let (w, b, _) = rates(&["backprop.learning-rate=0.5", "plasticity.bias-rate-per-ms=0.025"]);
    assert!(w == 0.5 && close(b, 0.25), "{w} {b}");
    let given =
        ["backprop.learning-rate=0.5", "backprop.bias-learning-rate=0", "backprop.rate-decay-per-epoch=0.9"];
    assert_eq!(rates(&given), (0.5, 0.0, 0.9));
    // Rates that no file could hold are not written.
    let (w, ..) = rates(&["plasticity.rate-per-ms=1e30", "dynamics.beta=1e20"]);
    assert_eq!(w, f64::from(f32::MAX));
}

#[test]
fn custom_networks() {
    let s = simulate(CUSTOM);
    let ends: Vec<_> = s.network.projections.iter().map(|p| (p.pre, p.post, p.factor, p.clip)).collect();
    let clip = Some(1.5);
    assert_eq!(ends, [(0, 3, 0.5, clip), (1, 3, 0.25, clip), (0, 2, 1.0, Some(2.0)), (2, 3, 0.0, clip)]);
    // Nothing projects into `a`, whose biases still learn; the projection from the closest population into `out` is the one from `b`.
    let biases: Vec<_> = s.network.populations.iter().map(|p| (p.bias_factor, p.bias_clip)).collect();
    assert_eq!(biases, [(0.0, Some(1.0)), (1.0, None), (1.0, Some(3.0)), (0.0, Some(4.0))]);
    let kinds: Vec<_> = s.weight_init.iter().map(|i| i.kind).collect();
    assert_eq!(kinds, [InitKind::Zeros, InitKind::Xavier, InitKind::Xavier, InitKind::Xavier]);
    let kinds: Vec<_> = s.bias_init.iter().map(|i| (i.kind, i.clip)).collect();
    let expected = [
        (InitKind::Zeros, None),
        (InitKind::He, Some(1.0)),
        (InitKind::Lecun, None),
        (InitKind::Zeros, None),
    ];
    assert_eq!(kinds, expected);
    assert_eq!((s.beta, s.rate_w, s.rate_b), (vec![0.0, 0.5], 0.5, 0.25));
    assert_eq!((s.network.input, s.settings.derivative_clip), (InputMode::Rates, Some(0.125)));
}

/// The lists of the model's section 5, with the factors of its pairs.
#[test]
fn named_architectures() {
    let read = |arguments: &[&str]| {
        let e = load_with(MINIMAL, arguments).unwrap_or_else(|e| panic!("{e}"));
        let again = Experiment::parse(e.to_toml().as_bytes(), &e.source, &Overrides::default());
        assert_eq!(again.unwrap_or_else(|e| panic!("{e}")), e);
        e.network
    };
    let up = [(0, 1, 1.0), (1, 2, 0.2), (2, 3, 0.1)];
    let down = [(1, 0, 1.0), (2, 1, 0.2), (3, 2, 0.1)];
    let own = [(0, 0, 1.0), (1, 1, 0.2), (2, 2, 0.1), (3, 3, 0.1)];
    let all: Vec<(usize, usize, f64)> =
        (0..4).flat_map(|post| (0..4).map(move |pre| (pre, post, 1.0))).collect();
    for (name, expected) in [
        ("layered-feedforward", up.to_vec()),
        ("layered-feedbackward", down.to_vec()),
        ("layered-recurrent", [up, down].concat()),
        ("layered-recurrent-recurrent", [&up[..], &down, &own].concat()),
        ("in-recurrent-out", [&up[..], &own[1..]].concat()),
        ("fully-recurrent", all),
    ] {
        let chosen = format!("network.architecture={name}");
        let factors = if name == "fully-recurrent" { vec!["1"; 16].join(", ") } else { "1, 0.2, 0.1".into() };
        let factors = format!("plasticity.factors=[{factors}]");
        let ends =
            |net: &Network| net.projections.iter().map(|p| (p.pre, p.post, p.factor)).collect::<Vec<_>>();
        let net = read(&[&chosen, &factors]);
        assert_eq!(ends(&net), expected, "{name}");
        assert!(!net.projections.iter().any(|p| p.self_connections), "{name}");
        let reached = expected.iter().any(|p| p.1 == 0);
        let forward = |p: usize| expected.iter().rfind(|e| e.1 == p && e.0 < p).map_or(1.0, |e| e.2);
        let bias = |p: usize| if p == 0 && !reached { 0.0 } else { forward(p) };
        let got: Vec<f64> = net.populations.iter().map(|p| p.bias_factor).collect();
        let closest = name != "fully-recurrent";
        assert!(!closest || got == (0..4).map(bias).collect::<Vec<_>>(), "{name}: {got:?}");
        let lonely: Vec<_> = expected.iter().copied().filter(|p| p.1 != 0).collect();
        let net =
            read(&[&chosen, &factors.replacen(&"1, ".repeat(4), "", 1), "network.only-discriminative=true"]);
        assert_eq!(ends(&net), lonely, "{name}");
        // Where no population projects onto itself the key would do nothing: an error.
        let themselves = [&chosen, &factors, "network.self-connections=true"];
        if expected.iter().any(|p| p.0 == p.1) {
            let net = read(&themselves);
            assert!(net.projections.iter().all(|p| p.self_connections == (p.pre == p.post)), "{name}");
        } else {
            assert!(load_with(MINIMAL, &themselves).is_err(), "{name}");
        }
    }
    // A list of one factor a projection is taken as it stands.
    let net = read(&["network.architecture=layered-recurrent", "plasticity.factors=[1, 2, 3, 4, 5, 6]"]);
    assert_eq!(net.projections.iter().map(|p| p.factor).collect::<Vec<_>>(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

/// An input population may be empty, the others may not.
#[test]
fn networks_without_an_input() {
    let text = CUSTOM.replace("{ name = \"in\", size = 3 }", "{ name = \"in\", size = 0 }");
    let s = simulate(&text);
    assert_eq!((s.network.n_in(), s.network.sizes().as_str()), (0, "0-4-5-2"));
    let again = SimulationConfig::parse(s.to_toml().as_bytes(), &s.source, &Overrides::default());
    assert_eq!(again.unwrap_or_else(|e| panic!("{e}")), s);
}

/// Factor and clip of a unit-rate bias are those of the projection into its population, of several the one from the closest.
#[test]
fn unit_rate_biases() {
    let set = ["plasticity.bias=unit-rate", "plasticity.weight-clip=[1, inf, 2]"];
    let e = load_with(MINIMAL, &set).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((e.settings.bias, e.rate_b), (Bias::UnitRate, e.rate_w));
    let rules: Vec<_> = e.network.populations.iter().map(|p| (p.bias_factor, p.bias_clip)).collect();
    assert_eq!(rules, [(0.0, None), (1.0, Some(1.0)), (0.2, None), (0.1, Some(2.0))]);
    let text = e.to_toml();
    assert!(!text.contains("bias-rate-per-ms") && !text.contains("bias-clip"), "{text}");
    let again = Experiment::parse(text.as_bytes(), &e.source, &Overrides::default());
    assert_eq!(again.unwrap_or_else(|e| panic!("{e}")), e);
    assert_eq!(load(MINIMAL).settings.bias, Bias::Separate);
}

#[test]
fn probes() {
    let probes = |value: &str| {
        let e = load_with(MINIMAL, &[&format!("probe={value}")]).unwrap_or_else(|e| panic!("{e}"));
        let again = Experiment::parse(e.to_toml().as_bytes(), &e.source, &Overrides::default());
        assert_eq!(again.unwrap_or_else(|e| panic!("{e}")), e);
        e.probes
    };
    assert_eq!(load(MINIMAL).probes, []);
    // All but the clamped input, every step of the first trajectory.
    let simple = Probe {
        name: "a-1".into(),
        populations: vec![1, 2, 3],
        neurons: Selection::All,
        quantities: vec![Quantity::Voltage],
        every_ms: 1.0,
        trajectories: 1,
        epochs: Selection::All,
        presentations: Selection::All,
        max_mib: 64.0,
    };
    let full = Probe {
        name: "b".into(),
        populations: vec![3, 1],
        neurons: Selection::Range(0, 10),
        quantities: vec![Quantity::Error, Quantity::Target],
        every_ms: 5.0,
        trajectories: 4,
        epochs: Selection::List(vec![1, 5]),
        presentations: Selection::Range(1, 3),
        max_mib: 0.5,
    };
    let value = "[{ name = \"a-1\" }, { name = \"b\", populations = [\"output\", \"hidden1\"], neurons = \"0..10\", \
                 quantities = [\"error\", \"target\"], every-ms = 5, trajectories = 4, epochs = [1, 5], \
                 presentations = \"1..3\", max-mib = 0.5 }]";
    assert_eq!(probes(value), [simple, full]);
}

#[test]
fn schedules() {
    let schedule = |value: &str| {
        let e =
            load_with(MINIMAL, &[&format!("plasticity.schedule={value}")]).unwrap_or_else(|e| panic!("{e}"));
        let again = Experiment::parse(e.to_toml().as_bytes(), &e.source, &Overrides::default());
        assert_eq!(again.unwrap_or_else(|e| panic!("{e}")), e);
        e.schedule
    };
    assert_eq!(load(MINIMAL).schedule, Schedule::Constant);
    assert_eq!(schedule("{ kind = \"constant\" }"), Schedule::Constant);
    // MINIMAL learns with 0.05 per ms.
    let steps = "[{ at-ms = 500, factor = 0.5 }, { at-s = 22000, rate-per-ms = 0.0125 }]";
    let step = |at_ms, factor| RateStep { at_ms, factor };
    assert_eq!(
        schedule(&format!("{{ kind = \"step\", steps = {steps} }}")),
        Schedule::Step(vec![step(500.0, 0.5), step(2.2e7, 0.25)])
    );
    let cosine = |duration_ms, warm_up_ms| Schedule::Cosine { duration_ms, final_factor: 0.01, warm_up_ms };
    assert_eq!(schedule("{ kind = \"cosine\", final-factor = 0.01 }"), cosine(None, 0.0));
    assert_eq!(schedule("{ kind = \"cosine\", final-factor = 0.01, duration-ms = inf }"), cosine(None, 0.0));
    assert_eq!(
        schedule("{ kind = \"cosine\", final-factor = 0.01, duration-ms = 1e6, warm-up-ms = 1000 }"),
        cosine(Some(1e6), 1000.0)
    );
}

#[test]
fn overrides_set_values() {
    let e = load_with(
        MINIMAL,
        &[
            "seed=7",
            "name = quick check",
            "network.sizes.1=50",
            "network.weights.std=0.25",
            "dynamics.integrator=euler",
            "dynamics.beta=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]",
            "dynamics.beta.0=0.5",
            "plasticity.factors.2 = 0.75",
            "run.device=\"cpu\"",
            "training.epochs=2",
            "training.epochs=3",
        ],
    )
    .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((e.seed, e.name.as_str(), e.training.epochs), (7, "quick check", 3));
    assert_eq!(e.network.sizes(), "784-50-20-10");
    assert_eq!(e.weight_init[2].kind, InitKind::Normal { mean: 0.0, std: 0.25 });
    assert_eq!(e.settings.integrator, Integrator::Euler);
    assert_eq!(e.beta, [0.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
    assert_eq!((e.network.projections[2].factor, e.network.populations[3].bias_factor), (0.75, 0.75));
    assert_eq!(e.run.device, DeviceChoice::Cpu);
}

#[test]
fn devices() {
    for (value, device) in [
        ("auto", DeviceChoice::Auto),
        ("gpu", DeviceChoice::Gpu),
        ("1", DeviceChoice::Index(1)),
        ("\"1\"", DeviceChoice::Index(1)),
        ("Radeon RX", DeviceChoice::Name("Radeon RX".into())),
    ] {
        let e = load_with(MINIMAL, &[&format!("run.device={value}")]).expect(value);
        assert_eq!(e.run.device, device);
        assert_eq!(DeviceChoice::parse(&device.to_string()), device);
    }
}

#[test]
fn paths_start_from_the_folder_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("digits.toml");
    let files =
        "train-images = \"a.gz\"\ntrain-labels = \"../b\"\ntest-images = \"sub/c\"\ntest-labels = \"/d\"";
    let text = MINIMAL.replace("source = \"embedded-mnist\"", &format!("source = \"idx\"\n{files}"));
    std::fs::write(&path, text.replace("784", "5")).expect("written");
    let source = find(&path).expect("the file");
    assert_eq!(source, Source::File(path.clone()));
    assert_eq!(source.to_string(), format!("file {}", path.display()));
    let e = Experiment::load(&source, &Overrides::default()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(e.name, "digits");
    let DataSource::Idx { train_images, test_images, train_labels, .. } = &e.data.source else {
        panic!("{:?}", e.data.source)
    };
    assert_eq!(train_images, &folder.path().join("a.gz"));
    assert_eq!(test_images, &folder.path().join("sub/c"));
    assert!(train_labels.is_absolute());
    // The resolved form reads the same files from anywhere.
    let again =
        Experiment::parse(e.to_toml().as_bytes(), &Source::File("x/y.toml".into()), &Overrides::default());
    assert_eq!(again.expect("the resolved form").data, e.data);
}

#[test]
fn built_in_experiments() {
    let names = [
        "mnist",
        "mnist-small",
        "mnist-equilibrium",
        "mnist-equilibrium-full",
        "mnist-full",
        "mnist-reference",
        "fashion-mnist",
        "ieeg",
        "ieeg-layered",
        "ieeg-recurrent",
        "ieeg-paper",
    ];
    assert_eq!(built_in_names(), names);
    for name in built_in_names() {
        let from = |path: &str| find(path).unwrap_or_else(|e| panic!("{e}"));
        // The test runs in the folder of the package, where `experiments/` exists.
        assert_eq!(
            from(&format!("experiments/{name}.toml")),
            Source::File(format!("experiments/{name}.toml").into())
        );
        for path in [name.to_owned(), format!("{name}.toml"), format!("experiments/{name}")] {
            let source = from(&path);
            assert_eq!(source, Source::BuiltIn(name), "{path}");
            assert_eq!(source.to_string(), format!("built-in experiment {name}.toml"));
            let e = Experiment::load(&source, &Overrides::default()).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(e.name, name);
        }
    }
    for path in ["other/mnist.toml", "mnistt", "/mnist", ""] {
        let shown = find(path).expect_err(path).to_string();
        assert!(shown.contains(&format!("'{path}'")) && shown.contains("mnist, mnist-small"), "{shown}");
    }
    assert!(find("mnistt").expect_err("a slip").to_string().contains("did you mean `mnist`?"));
}

#[test]
fn the_mnist_experiment_is_the_published_network() {
    let e = Experiment::load(&Source::BuiltIn("mnist"), &Overrides::default()).expect("an experiment");
    assert_eq!(e.network.sizes(), "784-300-100-10");
    assert_eq!(e.network.activation, Activation::HardSigmoid);
    assert_eq!(e.network.projections.iter().map(|p| p.factor).collect::<Vec<_>>(), [1.0, 0.2, 0.1]);
    let init = Init { kind: InitKind::Normal { mean: 0.0, std: 0.02 }, clip: Some(0.06) };
    assert_eq!(e.weight_init, [init; 3]);
    assert_eq!((e.settings.integrator, e.settings.tau_ms), (Integrator::Exact, 10.0));
    // Euler steps decay f monotonically for dt < τ.
    assert!(e.settings.dt_ms < e.settings.tau_ms);
    assert_eq!(e.beta, [0.1; 10]);
    // Each digit is shown for at least 3 τ.
    assert!(e.training.steps_per_sample as f64 * e.settings.dt_ms >= 3.0 * e.settings.tau_ms);
}

#[test]
fn published_sets_have_the_experiment_of_the_subset() {
    let read = |name: &'static str| {
        Experiment::load(&Source::BuiltIn(name), &Overrides::default()).unwrap_or_else(|e| panic!("{e}"))
    };
    let subset = read("mnist");
    for (name, set) in [("mnist-full", PublishedSet::Mnist), ("fashion-mnist", PublishedSet::FashionMnist)] {
        let e = read(name);
        assert_eq!(e.data.source, DataSource::Published { set, directory: None }, "{name}");
        assert_eq!((e.data.validation, e.data.train_limit), (0, None), "{name}: all 60,000 teach");
        assert_eq!((&e.network, &e.weight_init), (&subset.network, &subset.weight_init), "{name}");
        assert_eq!((e.settings.integrator, e.settings.tau_ms), (Integrator::Exact, 10.0), "{name}");
        assert!(e.training.steps_per_sample as f64 * e.settings.dt_ms >= 3.0 * e.settings.tau_ms, "{name}");
    }
}

/// It differs from that of the subset in its data, its rates and how far a step is solved.
#[test]
fn large_steps_have_an_experiment_of_the_whole_set() {
    let read = |name: &'static str| {
        Experiment::load(&Source::BuiltIn(name), &Overrides::default()).unwrap_or_else(|e| panic!("{e}"))
    };
    let (subset, whole) = (read("mnist-equilibrium"), read("mnist-equilibrium-full"));
    assert_eq!(whole.data.source, DataSource::Published { set: PublishedSet::Mnist, directory: None });
    assert_eq!((whole.data.validation, whole.data.train_limit), (0, None), "all 60,000 teach");
    assert_eq!((&whole.network, &whole.weight_init), (&subset.network, &subset.weight_init));
    let steps = |e: &Experiment| (e.settings.integrator, e.settings.dt_ms, e.training.steps_per_sample);
    assert_eq!(steps(&whole), (Integrator::Equilibrium, 20.0, 5));
    assert_eq!(steps(&whole), steps(&subset));
}

/// Every number of the authors' script.
#[test]
fn the_reference_experiment_is_the_published_script() {
    let e = Experiment::load(&Source::BuiltIn("mnist-reference"), &Overrides::default()).expect("it");
    assert_eq!(e.data.source, DataSource::EmbeddedMnist);
    assert_eq!((e.data.validation, e.data.encoding, e.data.train_limit), (0, Encoding::Unit, None));
    assert_eq!(e.network.sizes(), "784-300-100-10");
    assert_eq!((e.network.activation, e.network.input), (Activation::HardSigmoid, InputMode::Driven));
    assert_eq!(e.network.projections.iter().map(|p| p.factor).collect::<Vec<_>>(), [1.0, 0.2, 0.1]);
    assert_eq!(e.network.populations.iter().map(|p| p.bias_factor).collect::<Vec<_>>(), [0.0, 1.0, 0.2, 0.1]);
    let init = Init { kind: InitKind::Normal { mean: 0.0, std: 0.1 }, clip: Some(0.3) };
    assert_eq!((e.weight_init, e.bias_init), (vec![init; 3], vec![init; 4]));
    assert_eq!((e.settings.integrator, e.settings.tau_ms, e.settings.dt_ms), (Integrator::Exact, 10.0, 1.0));
    assert_eq!((e.beta, e.rate_w, e.rate_b), (vec![0.1; 10], 1e-4, 1e-4));
    let t = e.training;
    assert_eq!((t.epochs, t.batch, t.steps_per_sample, t.rate_decay_per_epoch), (10, 180, 100, 1.0));
    assert_eq!((t.ramp.from, t.ramp.to, t.gates.nudge_from, t.gates.learn_from), (-20.0, 90.0, 0.0, 0.0));
    assert_eq!(e.run.precision, Precision::F32);
}

#[test]
fn the_data_directory_starts_from_the_folder_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("digits.toml");
    let text = MINIMAL.replace("\"embedded-mnist\"", "\"fashion-mnist\"\ndirectory = \"sub/sets\"");
    std::fs::write(&path, text).expect("written");
    let e = Experiment::load(&Source::File(path), &Overrides::default()).unwrap_or_else(|e| panic!("{e}"));
    let directory = Some(folder.path().join("sub/sets"));
    assert_eq!(e.data.source, DataSource::Published { set: PublishedSet::FashionMnist, directory });
    let again = Experiment::parse(e.to_toml().as_bytes(), &source(""), &Overrides::default());
    assert_eq!(again.expect("the resolved form").data, e.data);
}

/// An experiment on a recording, of which `[data]` is given.
fn series(data: &str) -> String {
    let text =
        MINIMAL.replace("source = \"embedded-mnist\"", data).replace("[784, 30, 20, 10]", "[0, 30, 20, 10]");
    text.replace("steps-per-sample = 30", "")
}

#[test]
fn windows_and_completion_of_recordings() {
    let data = "source = \"embedded-ieeg\"";
    let e = load(&series(data));
    assert_eq!(e.training.windows, Some(Presentation::default()));
    // A quarter of ten outputs, the first 5τ not scored, the nudging of training.
    let default = CompletionConfig { free: FreeChannels::Count(2), beta: None, settle_ms: 50.0 };
    assert_eq!(e.completion, Some(default));
    let more = "window-ms = 500\nrepetitions = 20\nshuffle-windows = true\n[completion]\nfree = [\"L'1\"]\nbeta = 10\nsettle-ms = 5";
    let e = load(&format!("{}{more}", series(data)));
    let windows =
        Presentation { window_ms: Some(500.0), repetitions: 20, shuffle: true, ..Presentation::default() };
    assert_eq!(e.training.windows, Some(windows));
    let free = FreeChannels::Names(vec!["L'1".into()]);
    assert_eq!(e.completion, Some(CompletionConfig { free, beta: Some(10.0), settle_ms: 5.0 }));
    let again = Experiment::parse(e.to_toml().as_bytes(), &e.source, &Overrides::default());
    assert_eq!(again.unwrap_or_else(|e| panic!("{e}")), e);
    assert!(load(MINIMAL).completion.is_none() && load(MINIMAL).training.windows.is_none());
}

#[test]
fn recordings() {
    let read = |data: &str| {
        let e = load(&series(data));
        let again = Experiment::parse(e.to_toml().as_bytes(), &e.source, &Overrides::default());
        assert_eq!(again.unwrap_or_else(|e| panic!("{e}")), e);
        let DataSource::Series(s) = e.data.source else { panic!("{:?}", e.data.source) };
        *s
    };
    let s = read("kind = \"embedded-ieeg\"");
    assert_eq!((s.files, s.rate_hz, s.unit), (Files::Embedded, None, None));
    assert_eq!((s.channels, s.drop_bad), (Channels::Default { first: None }, true));
    assert_eq!((s.inputs.len(), s.reference, s.resample_hz), (0, Reference::None, None));
    assert_eq!((s.high_pass_hz, s.notch_hz.len(), s.scale, s.step_ms), (None, 0, Scale::ZScore, None));
    assert_eq!((s.train_s, s.validation_s, s.test_s), (None, None, None));
    assert_eq!(s.memory_limit_mb, MEMORY_LIMIT_MB);
    let all = "source = \"recording\"\npaths = [\"/a.edf\", \"/b\"]\nrate-hz = 999.412\nunit = \"uV\"\ntypes = [\"SEEG\"]\n\
               first = 10\ndrop-bad = false\nreference = \"bipolar\"\nresample-hz = 512\nhigh-pass-hz = 0.5\n\
               notch-hz = [50, 100.0]\ndivide-by = 200\nstep-ms = 2\ntrain-s = [0, 8]\nvalidation-s = [8, 9.5]\n\
               test-s = [10, inf]\nmemory-limit-mb = 0";
    let s = read(all);
    assert_eq!(s.files, Files::Paths(vec!["/a.edf".into(), "/b".into()]));
    assert_eq!((s.rate_hz, s.unit.as_deref()), (Some(999.412), Some("µV")));
    assert_eq!(s.channels, Channels::Types { types: vec!["SEEG".into()], first: Some(10) });
    assert_eq!((s.drop_bad, s.reference, s.resample_hz), (false, Reference::Bipolar, Some(512.0)));
    assert_eq!((s.high_pass_hz, s.notch_hz, s.scale), (Some(0.5), vec![50.0, 100.0], Scale::DivideBy(200.0)));
    assert_eq!((s.step_ms, s.memory_limit_mb), (Some(2.0), 0.0));
    assert_eq!((s.train_s, s.validation_s), (Some([0.0, 8.0]), Some([8.0, 9.5])));
    assert_eq!(s.test_s, Some([10.0, f64::INFINITY]));
    let s =
        read("source = \"recording\"\npath = \"/a.edf\"\nchannels = [\" L'1 \", \"L'2\"]\nscale = \"none\"");
    assert_eq!(s.channels, Channels::Names(vec!["L'1".into(), "L'2".into()]));
    assert_eq!((s.files, s.scale), (Files::Paths(vec!["/a.edf".into()]), Scale::None));
}

/// The text with other data.
fn own(data: &str) -> DataSource {
    let text = MINIMAL.replace("source = \"embedded-mnist\"", data);
    let e = load(&text);
    let again = Experiment::parse(e.to_toml().as_bytes(), &e.source, &Overrides::default());
    assert_eq!(again.unwrap_or_else(|e| panic!("{e}")), e);
    e.data.source
}

#[test]
fn arrays_and_pictures() {
    let DataSource::Arrays(a) = own("kind = \"arrays\"\ninputs = \"/x.npy\"\nlabels = \"/y.npy\"\ntest = 5")
    else {
        panic!("arrays")
    };
    assert_eq!((a.answers, a.test, a.scale), (AnswerKind::Labels, TestPart::Count(5), InputScale::None));
    let files =
        "inputs = \"/x.npy\"\ntargets = \"/y.npy\"\ntest-inputs = \"/u.npy\"\ntest-targets = \"/v.npy\"";
    let DataSource::Arrays(a) = own(&format!("source = \"arrays\"\n{files}\nscale = \"unit\"")) else {
        panic!("arrays")
    };
    assert_eq!((a.answers, a.scale), (AnswerKind::Targets, InputScale::Unit));
    assert_eq!(a.train.answers, PathBuf::from("/y.npy"));
    let TestPart::Files(test) = a.test else { panic!("{:?}", a.test) };
    assert_eq!([test.inputs, test.answers], ["/u.npy", "/v.npy"].map(PathBuf::from));
    let DataSource::Images(p) = own("source = \"images\"\ntrain-directory = \"/d\"\ntest-fraction = 0.25")
    else {
        panic!("pictures")
    };
    assert_eq!((p.train, p.test, p.colour), (PathBuf::from("/d"), TestPart::Share(0.25), false));
}

#[test]
fn networks_that_do_not_fit_a_published_set_are_refused() {
    for (data, network, says) in [
        ("embedded-mnist", "network.sizes.0=9", "embedded MNIST have 784 pixels, population 'input' has 9"),
        ("mnist", "network.sizes.0=9", "MNIST have 784 pixels, population 'input' has 9"),
        ("fashion-mnist", "network.sizes.3=11", "Fashion-MNIST have 10 classes, population 'output' has 11"),
    ] {
        let shown =
            load_with(MINIMAL, &[&format!("data.source={data}"), network]).expect_err(data).to_string();
        assert!(shown.contains(says), "{shown}");
    }
}

#[test]
fn resolved_forms_of_files_are_read_as_the_same() {
    let built_in = built_in_names().into_iter().map(|name| {
        let text = Source::BuiltIn(name).read().expect("built in");
        String::from_utf8(text).expect("a text")
    });
    for text in built_in.chain([MINIMAL.to_owned()]) {
        let e = load(&text);
        let again = Experiment::parse(e.to_toml().as_bytes(), &e.source, &Overrides::default());
        assert_eq!(again.unwrap_or_else(|e| panic!("{e}")), e);
    }
    let s = simulate(CUSTOM);
    let again = SimulationConfig::parse(s.to_toml().as_bytes(), &s.source, &Overrides::default());
    assert_eq!(again.unwrap_or_else(|e| panic!("{e}")), s);
}

#[test]
fn a_microcircuit() {
    let section = "\n[microcircuit]\ninterneurons = [{ population = \"hidden1\", size = 20 }, { population = \"hidden2\", size = 0 }]\n";
    let e = load(&format!("{MINIMAL}{section}"));
    let m = e.network.microcircuit.as_ref().expect("a microcircuit");
    assert_eq!((m.ip, m.feedback, m.pi), (InterneuronInput::Learned, Pathway::Separate, Pathway::Separate));
    assert_eq!((m.dynamics, m.beta), (InterneuronDynamics::Instantaneous, 0.0));
    // The factor is that of the projection onwards; W^IP, W^PI and b^I learn as W does, B stays.
    let own: Vec<_> = m.interneurons.iter().map(|i| (i.population, i.size, i.factor)).collect();
    assert_eq!(own, [(1, 20, 0.2), (2, 0, 0.1)]);
    assert_eq!((m.rate_ip, m.rate_pi, m.rate_feedback, m.rate_bi), (0.05, 0.05, 0.0, 0.05));
    assert_eq!(e.microcircuit_init, Some(MicrocircuitInit::default()));
    let text = e.to_toml();
    let keys = "ip interneurons feedback pi ip-rate-per-ms pi-rate-per-ms feedback-rate-per-ms feedback-weights pi-weights \
                ip-weights nudge-weights";
    for key in keys.split_whitespace() {
        assert_eq!(
            text.lines().filter(|l| l.starts_with(&format!("{key} = "))).count(),
            1,
            "{key} in\n{text}"
        );
    }
    assert_eq!(load(&text).to_toml(), text);
}

#[test]
fn the_resolved_form_names_every_key() {
    let text = load_with(MINIMAL, &["data.train-limit=5"]).expect("an experiment").to_toml();
    let keys = "name seed source validation encoding train-limit architecture sizes only-discriminative self-connections activation input weights biases \
                integrator tau-ms dt-ms beta solver tolerance newton-tolerance newton-iterations max-iterations on-indefinite plasticity-in-dynamics \
                u-limit resident-weights learning-products dynamics input-mismatch rate-per-ms bias-rate-per-ms schedule bias factors bias-factors derivative-clip weight-clip bias-clip rule epochs \
                batch steps-per-sample ramp-from ramp-to nudge-from learn-from rate-decay-per-epoch learning-rate bias-learning-rate \
                rate-decay-per-epoch device precision directory checkpoint-every-s keep-checkpoints \
                seeds control";
    for key in keys.split_whitespace() {
        assert_eq!(
            text.lines().filter(|l| l.starts_with(&format!("{key} = "))).count(),
            keys.split_whitespace().filter(|k| *k == key).count(),
            "{key} in\n{text}"
        );
    }
}

#[test]
fn the_resolved_form_of_a_recording_names_every_key() {
    let data = "source = \"recording\"\npath = \"/a\"\nfirst = 2\ntypes = [\"SEEG\"]\nunit = \"V\"\nrate-hz = 2\nresample-hz = 1\n\
                high-pass-hz = 0.1\nstep-ms = 1\ntrain-s = [0, 1]\nvalidation-s = [1, 2]\ntest-s = [2, 3]";
    let text = load(&series(data)).to_toml();
    let keys = "source paths types first drop-bad inputs reference unit rate-hz resample-hz high-pass-hz notch-hz scale \
                step-ms train-s validation-s test-s memory-limit-mb";
    let data = &text[text.find("[data]").expect("it")..text.find("[network]").expect("it")];
    let found: Vec<&str> = data.lines().filter_map(|line| Some(line.split_once(" = ")?.0)).collect();
    assert_eq!(found, keys.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn files_that_cannot_be_read() {
    let missing = Source::File(PathBuf::from("no/such/file.toml"));
    let shown = Experiment::load(&missing, &Overrides::default()).expect_err("missing").to_string();
    assert!(shown.contains("cannot read the experiment 'no/such/file.toml': "), "{shown}");
}
