//! The microcircuit of a case of the parity data.

use lagrange_gpu::network::{
    Block, InterneuronDynamics, InterneuronInput, Interneurons, Kind, Microcircuit, MicrocircuitParameters,
    Network, Pathway,
};
use serde_json::Value;

/// From the manifest; `population` gives the index of a name.
pub fn read(entry: &Value, population: impl Fn(&Value) -> usize) -> Option<Microcircuit> {
    if entry.is_null() {
        return None;
    }
    let number = |key: &str| entry[key].as_f64().unwrap_or_else(|| panic!("no {key}"));
    let pathway = |key: &str| named(&Pathway::NAMES, &entry[key]);
    let interneurons = entry["interneurons"].as_array().unwrap().iter().map(|i| Interneurons {
        population: population(&i["population"]),
        size: i["size"].as_u64().unwrap() as usize,
        factor: i["factor"].as_f64().unwrap(),
    });
    Some(Microcircuit {
        ip: named(&InterneuronInput::NAMES, &entry["ip"]),
        interneurons: interneurons.collect(),
        dynamics: named(&InterneuronDynamics::NAMES, &entry["interneuron_dynamics"]),
        feedback: pathway("feedback"),
        pi: pathway("pi"),
        beta: number("beta_I"),
        rate_ip: number("rate_IP"),
        rate_pi: number("rate_PI"),
        rate_feedback: number("rate_B"),
        rate_bi: number("rate_bI"),
    })
}

fn named<T: Copy>(names: &[(&str, T)], value: &Value) -> T {
    let name = value.as_str().unwrap();
    names.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("{name}")).1
}

/// Rows and columns of the dense matrix of a kind.
pub fn shape(network: &Network, kind: Kind) -> (usize, usize) {
    let (n, m) = (network.neurons(), network.microcircuit.as_ref().unwrap().count(network));
    match kind {
        Kind::Feedback => (n, n),
        Kind::Pi => (n, m),
        Kind::Ip | Kind::Nudge => (m, n),
    }
}

/// The parameters with weights of their own from dense matrices and b^I.
pub fn parameters(
    network: &Network,
    dense: impl Fn(&str) -> Vec<f64>,
    biases: Vec<f64>,
) -> MicrocircuitParameters {
    let micro = network.microcircuit.as_ref().unwrap();
    let mut all = MicrocircuitParameters::default();
    for (name, kind) in Kind::NAMES {
        let blocks = micro.stored(network, kind);
        if blocks.is_empty() {
            continue;
        }
        let (dense, width) = (dense(name), shape(network, kind).1);
        let part = |b: &Block| {
            b.to.range()
                .flat_map(|i| b.from.range().map(move |j| (i, j)))
                .map(|(i, j)| dense[i * width + j])
                .collect()
        };
        *all.of_mut(kind) = blocks.iter().map(part).collect();
    }
    if micro.stored_biases(network) > 0 {
        all.biases = biases;
    }
    all
}

/// The dense matrix of a kind with weights of its own, `None` for others.
pub fn dense(network: &Network, parameters: &MicrocircuitParameters, kind: Kind) -> Option<Vec<f64>> {
    let blocks = network.microcircuit.as_ref()?.stored(network, kind);
    let (rows, cols) = shape(network, kind);
    let mut out = vec![0.0; rows * cols];
    for (block, values) in blocks.iter().zip(parameters.of(kind)) {
        for (i, row) in values.chunks_exact(block.from.len).enumerate() {
            let at = (block.to.start + i) * cols + block.from.start;
            out[at..at + block.from.len].copy_from_slice(row);
        }
    }
    (!blocks.is_empty()).then_some(out)
}
