//! One case of the parity data: its entry in `manifest.json` and its arrays (format: `tests/parity/README.md`).

use std::path::{Path, PathBuf};

use lagrange_gpu::data::npz::NpzFile;
use lagrange_gpu::dynamics::{Dynamics, Integrator, OnIndefinite, PlasticityInDynamics, Settings, Solver};
use lagrange_gpu::network::{
    Activation, InputMode, InterneuronDynamics, Kind, MicrocircuitParameters, Network, Parameters,
    Population, Projection,
};
use lagrange_gpu::schedule::Schedule;
use lagrange_gpu::simulate::{MicrocircuitInput, Setup, SimulationInput, load_npz};
use serde_json::Value;

use super::microcircuit;

pub struct Case {
    pub name: String,
    pub file: PathBuf,
    pub entry: Value,
}

/// The folder of the cases: `tests/parity`, or what `LAGRANGE_PARITY_DIR` says.
pub fn folder() -> PathBuf {
    std::env::var_os("LAGRANGE_PARITY_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity"), PathBuf::from)
}

/// All cases of a folder.
pub fn cases(folder: &Path) -> Vec<Case> {
    let path = folder.join("manifest.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let manifest: Value = serde_json::from_str(&text).unwrap();
    let list = manifest["cases"].as_array().unwrap();
    assert!(!list.is_empty(), "{}: no cases", path.display());
    list.iter()
        .map(|entry| Case {
            name: entry["name"].as_str().unwrap().into(),
            file: folder.join(entry["file"].as_str().unwrap()),
            entry: entry.clone(),
        })
        .collect()
}

fn find<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    let name = name.replace('_', "-");
    names.iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
}

impl Case {
    fn model(&self, key: &str) -> &Value {
        &self.entry["model"][key]
    }

    fn text(&self, key: &str) -> &str {
        self.model(key).as_str().unwrap_or_else(|| panic!("{}: no {key}", self.name))
    }

    fn number(&self, key: &str) -> f64 {
        self.model(key).as_f64().unwrap_or_else(|| panic!("{}: no {key}", self.name))
    }

    /// Index of the population with this name.
    fn population(&self, name: &Value) -> usize {
        let all = self.model("populations").as_array().unwrap();
        all.iter().position(|p| p["name"] == *name).unwrap()
    }

    /// What the case needs that this version does not have.
    pub fn missing_features(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if find(&Dynamics::NAMES, self.text("dynamics")).is_none() {
            missing.push(self.text("dynamics").into());
        }
        if find(&Integrator::NAMES, self.text("integrator")).is_none() {
            missing.push(self.text("integrator").into());
        }
        if find(&Activation::NAMES, self.text("activation")).is_none() {
            missing.push(self.text("activation").into());
        }
        missing
    }

    fn activation(&self) -> Activation {
        let of = |key: &str| self.model("activation_params")[key].as_f64().unwrap();
        match find(&Activation::NAMES, self.text("activation")).unwrap() {
            Activation::Depression { .. } => Activation::Depression { a: of("a"), d: of("d") },
            other => other,
        }
    }

    pub fn setup(&self) -> Setup {
        let populations = self.model("populations").as_array().unwrap();
        let populations = populations.iter().map(|p| Population {
            name: p["name"].as_str().unwrap().into(),
            size: p["size"].as_u64().unwrap() as usize,
            bias_factor: p["bias_factor"].as_f64().unwrap(),
            bias_clip: p["bias_clip"].as_f64(),
        });
        let projections = self.model("projections").as_array().unwrap();
        let projections = projections.iter().map(|p| Projection {
            pre: self.population(&p["pre"]),
            post: self.population(&p["post"]),
            factor: p["factor"].as_f64().unwrap(),
            clip: p["clip"].as_f64(),
            self_connections: false,
        });
        let input = match self.text("input_mode") {
            "clamped" => InputMode::Clamped,
            "driven" => InputMode::Driven,
            "rates" => InputMode::Rates,
            other => panic!("{}: input mode {other}", self.name),
        };
        let network = Network {
            populations: populations.collect(),
            projections: projections.collect(),
            activation: self.activation(),
            input,
            microcircuit: microcircuit::read(self.model("microcircuit"), |name| self.population(name)),
        };
        let settings = Settings {
            dynamics: find(&Dynamics::NAMES, self.text("dynamics")).unwrap(),
            integrator: find(&Integrator::NAMES, self.text("integrator")).unwrap(),
            tau_ms: self.number("tau_ms"),
            dt_ms: self.number("dt_ms"),
            solver: Solver::Auto,
            // H is positive definite at every step of every case that is to succeed.
            on_indefinite: OnIndefinite::Error,
            plasticity_in_dynamics: find(&PlasticityInDynamics::NAMES, self.text("plasticity_in_dynamics"))
                .unwrap(),
            derivative_clip: self.model("derivative_clip").as_f64(),
            u_limit: self.entry["must_fail"]["u_limit"].as_f64().unwrap_or(1e6),
            ..Settings::default()
        };
        Setup {
            network,
            settings,
            rate_w: self.number("rate_W"),
            rate_b: self.number("rate_b"),
            schedule: Schedule::Constant,
        }
    }

    /// Start of the whole trajectory.
    pub fn input(&self, network: &Network) -> SimulationInput {
        load_npz(network, std::slice::from_ref(&self.file), &vec![0.0; network.n_out()])
            .unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    pub fn array(&self, name: &str) -> Vec<f64> {
        NpzFile::open(&self.file).and_then(|mut f| f.read(name)).unwrap_or_else(|e| panic!("{e}")).data
    }

    /// Largest absolute difference allowed, `f64_trajectory_abs` or `f32_single_step_abs`.
    pub fn tolerance(&self, kind: &str, quantity: &str) -> f64 {
        self.entry["tolerance"][kind][quantity]
            .as_f64()
            .unwrap_or_else(|| panic!("{}: no tolerance {kind} of {quantity}", self.name))
    }

    /// The input of step `s + 1` alone, from the state that the data holds after step `s`.
    pub fn single_step(
        &self,
        network: &Network,
        whole: &SimulationInput,
        snapshot: usize,
    ) -> SimulationInput {
        let steps = self.array("snap_steps");
        let s = steps[snapshot] as usize;
        let (n, n_in, n_out, b) = (network.neurons(), network.n_in(), network.n_out(), whole.batch);
        let row = |data: &[f64], t: usize, width: usize| data[t * width..(t + 1) * width].to_vec();
        let (u, u_dot) = (self.array("u"), self.array("u_dot"));
        let past = |k: usize| match s.checked_sub(k) {
            Some(t) => row(&u_dot, t, b * n),
            None => vec![0.0; b * n],
        };
        let dense = row(&self.array("W_snap"), snapshot, n * n);
        let (own, start) = self.interneurons(network, (snapshot, s), whole);
        SimulationInput {
            steps: 1,
            batch: b,
            x: row(&whole.x, s + 1, b * n_in),
            y: row(&whole.y, s + 1, b * n_out),
            beta: row(&whole.beta, s + 1, n_out),
            learn: vec![whole.learn[s + 1]],
            parameters: Parameters {
                weights: blocks(network, &dense),
                biases: row(&self.array("b_snap"), snapshot, n),
                microcircuit: own,
            },
            u0: row(&u, s, b * n),
            x_prev: row(&whole.x, s, b * n_in),
            y_prev: row(&whole.y, s, b * n_out),
            u_dot0: Some(past(0)),
            history: (1..=3).map(past).collect(),
            active: None,
            microcircuit: start,
        }
    }

    /// Parameters and state of the microcircuit after step `s`, which is snapshot `snapshot`.
    fn interneurons(
        &self,
        network: &Network,
        (snapshot, s): (usize, usize),
        whole: &SimulationInput,
    ) -> (MicrocircuitParameters, MicrocircuitInput) {
        let Some(micro) = &network.microcircuit else { return Default::default() };
        let cells = micro.count(network);
        let part =
            |name: &str, at: usize, width: usize| self.array(name)[at * width..(at + 1) * width].to_vec();
        let dense = |name: &str| {
            let kind = Kind::NAMES.iter().find(|(n, _)| *n == name).unwrap().1;
            let (rows, cols) = microcircuit::shape(network, kind);
            // B^IP does not learn.
            if kind == Kind::Nudge {
                self.array("BIP0")
            } else {
                part(&format!("{name}_snap"), snapshot, rows * cols)
            }
        };
        let own = microcircuit::parameters(network, dense, part("bI_snap", snapshot, cells));
        let dynamic = micro.dynamics == InterneuronDynamics::Dynamic;
        let width = whole.batch * cells;
        let start = MicrocircuitInput {
            learn: vec![whole.microcircuit.learn[s + 1]],
            u: Some(part("u_I", s, width)),
            u_dot: dynamic.then(|| part("u_I_dot", s, width)),
        };
        (own, start)
    }
}

/// The blocks of a dense matrix `[post, pre]`.
pub fn blocks(network: &Network, dense: &[f64]) -> Vec<Vec<f64>> {
    let n = network.neurons();
    let block = |p: &Projection| {
        let (pre, post) = (network.cols(p.pre), network.cols(p.post));
        post.range().flat_map(|i| pre.range().map(move |j| (i, j))).map(|(i, j)| dense[i * n + j]).collect()
    };
    network.projections.iter().map(block).collect()
}

/// The dense matrix `[post, pre]` of the blocks.
pub fn dense(network: &Network, blocks: &[Vec<f64>]) -> Vec<f64> {
    let n = network.neurons();
    let mut out = vec![0.0; n * n];
    for (p, block) in network.projections.iter().zip(blocks) {
        let (pre, post) = (network.cols(p.pre), network.cols(p.post));
        for (i, row) in block.chunks_exact(pre.len.max(1)).enumerate() {
            let at = (post.start + i) * n + pre.start;
            out[at..at + pre.len].copy_from_slice(row);
        }
    }
    out
}
