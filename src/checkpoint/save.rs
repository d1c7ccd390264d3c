//! Weights and biases alone, for whoever uses the network.

use std::collections::HashMap;

use crate::network::{Kind, MicrocircuitParameters, Network, Parameters};
use crate::sinks::{RunDir, RunDirError, Tensor};
use crate::version;

/// Name, shape and values of the parameters of a microcircuit, as far as they have weights of their own: `B:from->to`, `WPI:…`,
/// `WIP:…`, `BIP:…` of shape `[to, from]`, and `bI` of shape `[M]`.
pub(crate) fn microcircuit(
    network: &Network,
    p: &MicrocircuitParameters,
) -> Vec<(String, Vec<usize>, Vec<f64>)> {
    let Some(micro) = &network.microcircuit else { return Vec::new() };
    let mut all = Vec::new();
    for (prefix, kind) in Kind::NAMES {
        for (block, values) in micro.stored(network, kind).iter().zip(p.of(kind)) {
            let shape = vec![block.to.len, block.from.len];
            all.push((format!("{prefix}:{}", block.name), shape, values.clone()));
        }
    }
    if !p.biases.is_empty() {
        all.push(("bI".into(), vec![p.biases.len()], p.biases.clone()));
    }
    all
}

/// `parameters.safetensors`: `W:pre->post` of shape `[post, pre]` for each projection, `b:population` of shape `[neurons]` for each
/// population but a bias-free input, and what a microcircuit has of its own.
///
/// # Errors
/// [`RunDirError`].
pub fn save_parameters(
    dir: &RunDir,
    network: &Network,
    p: &Parameters,
    epoch: usize,
    complete: bool,
) -> Result<(), RunDirError> {
    let single = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<f32>>();
    let size = |i: usize| network.populations[i].size;
    let mut data = Vec::new();
    for (k, w) in p.weights.iter().enumerate() {
        let ends = &network.projections[k];
        let name = format!("W:{}", network.projection_name(k));
        data.push((name, vec![size(ends.post), size(ends.pre)], single(w)));
    }
    for (i, population) in network.populations.iter().enumerate().skip(1) {
        let values = single(&p.biases[network.cols(i).range()]);
        data.push((format!("b:{}", population.name), vec![population.size], values));
    }
    data.extend(microcircuit(network, &p.microcircuit).into_iter().map(|(n, s, v)| (n, s, single(&v))));
    let tensors: Vec<Tensor> = data
        .iter()
        .map(|(name, shape, values)| Tensor { name: name.clone(), shape: shape.clone(), values })
        .collect();
    let about = [
        ("epoch", epoch.to_string()),
        ("epoch_complete", complete.to_string()),
        ("network", network.sizes()),
        ("activation", network.activation.name().into()),
        ("version", version::LONG.into()),
    ];
    let about: HashMap<String, String> = about.map(|(k, v)| (k.to_owned(), v)).into();
    dir.write_parameters(&tensors, about)
}
