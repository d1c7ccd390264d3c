//! Weights and biases alone, for whoever uses the network.

use std::collections::HashMap;

use crate::network::{Network, Parameters};
use crate::sinks::{RunDir, RunDirError, Tensor};
use crate::version;

/// `parameters.safetensors`: `W:pre->post` of shape `[post, pre]` for each projection, `b:population` of shape `[neurons]` for each
/// population but a bias-free input.
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
