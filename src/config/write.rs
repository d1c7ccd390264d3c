//! The resolved form as a complete experiment file.

mod data;

use std::fmt::Write;

use super::activation;
use super::init::kind_name;
use super::probe;
use super::schedule;
use super::topology::layer_name;
use super::types::{BackpropConfig, DeviceChoice, Experiment, RunConfig, SimulationConfig, TrainingConfig};
use crate::dynamics::{Bias, OnIndefinite, PlasticityInDynamics, Settings};
use crate::network::{
    Architecture, Init, InitKind, InputMode, InterneuronDynamics, InterneuronInput, MicrocircuitInit,
    Network, Pathway, Projection,
};
use crate::probe::Probe;
use crate::schedule::Schedule;
use crate::train::{CompletionConfig, FreeChannels};

impl Experiment {
    /// A complete experiment file: every key is there, whatever the original left to its default, apart from `train-limit` if all
    /// samples are used, a `directory` that nobody named, what a recording tells of itself (its rate, its unit, the parts of its length,
    /// the window), the `beta` of a completion that is that of training,
    /// what unit-rate biases have from the weights, and probes if there are none. Reading it gives this experiment again.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = Out::default();
        out.head(&self.name, self.seed);
        out.data(&self.data);
        out.network(&self.network, &self.weight_init, &self.bias_init);
        out.dynamics(&self.settings, &self.beta);
        out.rates(self.rate_w, self.rate_b, self.settings.bias, &self.schedule);
        out.plasticity(&self.network, &self.settings);
        out.microcircuit(&self.network, self.microcircuit_init.as_ref());
        out.training(&self.training);
        out.completion(self.completion.as_ref());
        out.backprop(&self.backprop);
        out.run(&self.run);
        out.probes(&self.probes, &self.network);
        out.text
    }
}

impl SimulationConfig {
    /// A complete file, as [`Experiment::to_toml`].
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = Out::default();
        out.head(&self.name, self.seed);
        out.network(&self.network, &self.weight_init, &self.bias_init);
        out.dynamics(&self.settings, &self.beta);
        out.rates(self.rate_w, self.rate_b, self.settings.bias, &self.schedule);
        out.plasticity(&self.network, &self.settings);
        out.microcircuit(&self.network, self.microcircuit_init.as_ref());
        out.run(&self.run);
        out.probes(&self.probes, &self.network);
        out.text
    }
}

/// The file so far.
#[derive(Default)]
struct Out {
    text: String,
}

impl Out {
    fn section(&mut self, header: &str) {
        self.text.push_str(&format!("\n{header}\n"));
    }

    fn put(&mut self, key: &str, value: impl std::fmt::Display) {
        self.text.push_str(&format!("{key} = {value}\n"));
    }

    fn head(&mut self, name: &str, seed: u64) {
        self.put("name", quoted(name));
        self.put("seed", seed);
    }

    /// A key, if it has a value.
    fn some(&mut self, key: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    fn network(&mut self, network: &Network, weights: &[Init], biases: &[Init]) {
        self.section("[network]");
        let named = named(network);
        if let Some((architecture, only_discriminative)) = named {
            self.put("architecture", name_of(&Architecture::NAMES, architecture));
            self.put("sizes", list(network.populations.iter().map(|p| p.size.to_string())));
            self.put("only-discriminative", only_discriminative);
            self.put("self-connections", network.projections.iter().any(|p| p.self_connections));
        } else {
            self.put("architecture", "\"custom\"");
        }
        self.put("activation", activation::text(network.activation));
        self.put("input", name_of(&InputMode::NAMES, network.input));
        self.put("weights", same_or_list(weights.iter().map(init)));
        self.put("biases", same_or_list(biases.iter().map(init)));
        if named.is_some() {
            return;
        }
        if network.projections.is_empty() {
            self.put("projection", "[]");
        }
        for population in &network.populations {
            self.section("[[network.population]]");
            self.put("name", quoted(&population.name));
            self.put("size", population.size);
        }
        for projection in &network.projections {
            self.section("[[network.projection]]");
            self.put("pre", quoted(&network.populations[projection.pre].name));
            self.put("post", quoted(&network.populations[projection.post].name));
            if projection.pre == projection.post {
                self.put("self-connections", projection.self_connections);
            }
        }
    }

    fn dynamics(&mut self, s: &Settings, beta: &[f64]) {
        self.section("[dynamics]");
        self.put("dynamics", quoted(s.dynamics.name()));
        self.put("integrator", quoted(s.integrator.name()));
        self.put("tau-ms", number(s.tau_ms));
        self.put("dt-ms", number(s.dt_ms));
        self.put("beta", same_or_list(beta.iter().copied().map(number)));
        self.put("solver", quoted(s.solver.name()));
        self.put("tolerance", number(s.tolerance));
        self.put("newton-tolerance", number(s.newton_tolerance));
        self.put("newton-iterations", s.newton_iterations);
        self.put("max-iterations", s.max_iterations);
        self.put("on-indefinite", name_of(&OnIndefinite::NAMES, s.on_indefinite));
        let plasticity = name_of(&PlasticityInDynamics::NAMES, s.plasticity_in_dynamics);
        self.put("plasticity-in-dynamics", plasticity);
        self.put("u-limit", number(s.u_limit));
        self.put("resident-weights", name_of(&crate::dynamics::Resident::NAMES, s.resident));
        let products = name_of(&crate::dynamics::LearningProducts::NAMES, s.learning_products);
        self.put("learning-products", products);
        self.put("input-mismatch", quoted(s.input_mismatch.name()));
    }

    fn rates(&mut self, rate_w: f64, rate_b: f64, bias: Bias, s: &Schedule) {
        self.section("[plasticity]");
        self.put("rate-per-ms", number(rate_w));
        self.put("bias", name_of(&Bias::NAMES, bias));
        if bias == Bias::Separate {
            self.put("bias-rate-per-ms", number(rate_b));
        }
        self.put("schedule", schedule::text(s));
    }

    /// Nothing for a network without a microcircuit.
    fn microcircuit(&mut self, network: &Network, start: Option<&MicrocircuitInit>) {
        let (Some(m), Some(start)) = (&network.microcircuit, start) else { return };
        self.section("[microcircuit]");
        self.put("ip", name_of(&InterneuronInput::NAMES, m.ip));
        if !m.is_tied() {
            let each = |i: &crate::network::Interneurons| {
                let (name, factor) = (quoted(&network.populations[i.population].name), number(i.factor));
                format!("{{ population = {name}, size = {}, factor = {factor} }}", i.size)
            };
            self.put("interneurons", list(m.interneurons.iter().map(each)));
        }
        self.put("dynamics", name_of(&InterneuronDynamics::NAMES, m.dynamics));
        self.put("feedback", name_of(&Pathway::NAMES, m.feedback));
        self.put("pi", name_of(&Pathway::NAMES, m.pi));
        self.put("beta", number(m.beta));
        self.put("ip-rate-per-ms", number(m.rate_ip));
        self.put("pi-rate-per-ms", number(m.rate_pi));
        self.put("feedback-rate-per-ms", number(m.rate_feedback));
        self.put("bias-rate-per-ms", number(m.rate_bi));
        self.put("feedback-weights", init(&start.feedback));
        self.put("pi-weights", start.pi.as_ref().map_or_else(|| quoted("feedback"), init));
        self.put("ip-weights", init(&start.ip));
        self.put("nudge-weights", init(&start.nudge));
        self.put("biases", init(&start.biases));
    }

    /// The rest of the section after [`Out::rates`].
    fn plasticity(&mut self, network: &Network, s: &Settings) {
        self.put("factors", list(network.projections.iter().map(|p| number(p.factor))));
        self.put("derivative-clip", clip(s.derivative_clip));
        self.put("weight-clip", same_or_list(network.projections.iter().map(|p| clip(p.clip))));
        if s.bias == Bias::Separate {
            self.put("bias-factors", list(network.populations.iter().map(|p| number(p.bias_factor))));
            self.put("bias-clip", same_or_list(network.populations.iter().map(|p| clip(p.bias_clip))));
        }
    }

    fn training(&mut self, t: &TrainingConfig) {
        self.section("[training]");
        self.put("rule", quoted(t.rule.name()));
        self.put("epochs", t.epochs);
        self.put("batch", t.batch);
        if let Some(windows) = &t.windows {
            self.some("window-ms", windows.window_ms.map(number));
            self.put("repetitions", windows.repetitions);
            self.put("shuffle-windows", windows.shuffle);
        } else {
            self.put("steps-per-sample", t.steps_per_sample);
            self.put("ramp-from", number(t.ramp.from));
            self.put("ramp-to", number(t.ramp.to));
            self.put("nudge-from", number(t.gates.nudge_from));
            self.put("learn-from", number(t.gates.learn_from));
        }
        self.put("rate-decay-per-epoch", number(t.rate_decay_per_epoch));
    }

    /// Nothing with static samples.
    fn completion(&mut self, completion: Option<&CompletionConfig>) {
        let Some(c) = completion else { return };
        self.section("[completion]");
        match &c.free {
            FreeChannels::Count(count) => self.put("free", count),
            FreeChannels::Names(names) => self.put("free", list(names.iter().map(|name| quoted(name)))),
        }
        self.some("beta", c.beta.map(number));
        self.put("settle-ms", number(c.settle_ms));
    }

    fn backprop(&mut self, b: &BackpropConfig) {
        self.section("[backprop]");
        self.put("learning-rate", number(b.learning_rate));
        self.put("bias-learning-rate", number(b.bias_learning_rate));
        self.put("rate-decay-per-epoch", number(b.rate_decay_per_epoch));
    }

    fn probes(&mut self, probes: &[Probe], network: &Network) {
        for one in probes {
            self.section("[[probe]]");
            for (key, value) in probe::lines(one, network) {
                self.put(key, value);
            }
        }
    }

    fn run(&mut self, run: &RunConfig) {
        self.section("[run]");
        match &run.device {
            DeviceChoice::Index(index) => self.put("device", index),
            device => self.put("device", quoted(&device.to_string())),
        }
        self.put("precision", quoted(run.precision.name()));
        self.put("directory", quoted(&run.directory.to_string_lossy()));
        self.put("checkpoint-every-s", number(run.checkpoint_every_s));
        self.put("seeds", list(run.seeds.iter().map(u64::to_string)));
        self.put("control", run.control);
        self.put("keep-checkpoints", run.keep_checkpoints);
    }
}

/// The architecture whose name and `sizes` alone would give these populations and projections, and whether it is `only-discriminative`.
fn named(network: &Network) -> Option<(Architecture, bool)> {
    let count = network.populations.len();
    if network.populations.iter().enumerate().any(|(i, p)| p.name != layer_name(i, count)) {
        return None;
    }
    let mut within = network.projections.iter().filter(|p| p.pre == p.post).map(|p| p.self_connections);
    let first = within.next();
    if within.any(|own| Some(own) != first) {
        return None;
    }
    let ends = |all: &[Projection]| all.iter().map(|p| (p.pre, p.post)).collect::<Vec<_>>();
    let wanted = ends(&network.projections);
    let every = Architecture::NAMES.into_iter().map(|(_, a)| a).filter(|a| *a != Architecture::Custom);
    every
        .flat_map(|a| [(a, false), (a, true)])
        .find(|&(a, only_discriminative)| ends(&a.projections(count, only_discriminative)) == wanted)
}

fn name_of<T: Copy + PartialEq>(names: &[(&'static str, T)], value: T) -> String {
    names.iter().find(|(_, v)| *v == value).map_or_else(String::new, |(name, _)| quoted(name))
}

/// The shortest digits that are read as the same value.
pub(super) fn number(value: f64) -> String {
    format!("{value:?}")
}

fn clip(clip: Option<f64>) -> String {
    clip.map_or_else(|| "inf".to_owned(), number)
}

fn init(init: &Init) -> String {
    let mut text = format!("{{ init = \"{}\"", kind_name(init.kind));
    if let InitKind::Normal { mean, std } = init.kind {
        text.push_str(&format!(", mean = {}, std = {}", number(mean), number(std)));
    }
    text.push_str(&format!(", clip = {} }}", clip(init.clip)));
    text
}

pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// One value, if all are the same.
fn same_or_list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    match items.split_first() {
        Some((first, rest)) if rest.iter().all(|item| item == first) => first.clone(),
        _ => list(items.into_iter()),
    }
}

/// A TOML string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Writing to a string does not fail.
            c if c.is_control() => drop(write!(out, "\\U{:08X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
