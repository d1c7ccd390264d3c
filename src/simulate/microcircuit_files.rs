//! Arrays of a microcircuit in the files of a simulation.

use super::files::Source;
use super::{MicrocircuitInput, SimulationError, SimulationOutput};
use crate::network::{Block, Kind, Microcircuit, MicrocircuitParameters, Network};

/// Switches and state: columns 1 to 3 of `learn`, `u_I0`, `u_I_dot0`.
pub(super) fn input(
    network: &Network,
    source: &mut Source,
    batch: usize,
    learn: &[Vec<bool>],
) -> Result<MicrocircuitInput, SimulationError> {
    let Some(micro) = &network.microcircuit else { return Ok(MicrocircuitInput::default()) };
    let shape = [Some(batch), Some(micro.count(network))];
    let switches = |row: &Vec<bool>| [1, 2, 3].map(|c| row.get(c).copied().unwrap_or(row[0]));
    Ok(MicrocircuitInput {
        learn: learn.iter().map(switches).collect(),
        u: source.find("u_I0", &shape)?.map(|a| a.data),
        u_dot: source.find("u_I_dot0", &shape)?.map(|a| a.data),
    })
}

/// `B0`, `WPI0`, `WIP0`, `BIP0` (all weights as one matrix `[to, from]`) or `B:from->to` … for every block, and `bI0` (0 if missing).
pub(super) fn parameters(
    network: &Network,
    source: &mut Source,
) -> Result<MicrocircuitParameters, SimulationError> {
    let mut all = MicrocircuitParameters::default();
    let Some(micro) = &network.microcircuit else { return Ok(all) };
    let (n, cells) = (network.neurons(), micro.count(network));
    for (prefix, kind) in Kind::NAMES {
        let blocks = micro.stored(network, kind);
        if blocks.is_empty() {
            continue;
        }
        let (to, from) = match kind {
            Kind::Feedback => (n, n),
            Kind::Pi => (n, cells),
            Kind::Ip | Kind::Nudge => (cells, n),
        };
        let whole = format!("{prefix}0");
        *all.of_mut(kind) = match source.find(&whole, &[Some(to), Some(from)])? {
            Some(dense) => split(&whole, &blocks, &dense.data, from)?,
            None => one_by_one(prefix, &blocks, source)?,
        };
    }
    let count = micro.stored_biases(network);
    if count > 0 {
        let given = source.find("bI0", &[Some(count)])?;
        all.biases = given.map_or_else(|| vec![0.0; count], |a| a.data);
    }
    Ok(all)
}

fn one_by_one(prefix: &str, blocks: &[Block], source: &mut Source) -> Result<Vec<Vec<f64>>, SimulationError> {
    let read = |block: &Block| {
        let need = format!("the weights of this pathway (or '{prefix}0', all weights as one matrix)");
        let shape = [Some(block.to.len), Some(block.from.len)];
        Ok(source.need(&format!("{prefix}:{}", block.name), &shape, &need)?.data)
    };
    blocks.iter().map(read).collect()
}

/// The blocks of a dense matrix with rows of `width`.
fn split(
    name: &str,
    blocks: &[Block],
    dense: &[f64],
    width: usize,
) -> Result<Vec<Vec<f64>>, SimulationError> {
    let known = |at: usize| {
        let (to, from) = (at / width, at % width);
        blocks.iter().any(|b| b.to.range().contains(&to) && b.from.range().contains(&from))
    };
    if let Some(at) = dense.iter().enumerate().find_map(|(at, &w)| (w != 0.0 && !known(at)).then_some(at)) {
        return Err(SimulationError::StrayFeedback { name: name.into(), to: at / width, from: at % width });
    }
    let part = |b: &Block| {
        b.to.range()
            .flat_map(|i| dense[i * width + b.from.start..i * width + b.from.end()].iter().copied())
            .collect()
    };
    Ok(blocks.iter().map(part).collect())
}

/// Name, shape and values of an array to be written.
pub(super) type Named = (String, Vec<usize>, Vec<f64>);

/// `u_I`, `u_I_dot` (`[T, B, M]`, if recorded), and for the snapshots and the end `B_snap:from->to` (`[S, to, from]`), `B_end:from->to` and
/// so on for `WPI`, `WIP`, `BIP`, and `bI_snap`, `bI_end`, as far as they have weights of their own.
pub(super) fn arrays(network: &Network, output: &SimulationOutput) -> Vec<Named> {
    let Some(micro) = &network.microcircuit else { return Vec::new() };
    let (t, b, cells) = (output.steps_completed, output.batch, micro.count(network));
    let mut all: Vec<Named> = Vec::new();
    for (name, data) in [("u_I", &output.u_i), ("u_I_dot", &output.u_i_dot)] {
        if data.len() == t * b * cells && !data.is_empty() {
            all.push((name.into(), vec![t, b, cells], data.clone()));
        }
    }
    for (prefix, kind) in Kind::NAMES {
        all.extend(weights(network, micro, output, (prefix, kind)));
    }
    let count = micro.stored_biases(network);
    if count > 0 {
        let snaps = output.snapshots.iter();
        let values = snaps.flat_map(|s| s.parameters.microcircuit.biases.iter().copied()).collect();
        all.push(("bI_snap".into(), vec![output.snapshots.len(), count], values));
        all.push(("bI_end".into(), vec![count], output.end.microcircuit.biases.clone()));
    }
    all
}

fn weights(
    network: &Network,
    micro: &Microcircuit,
    output: &SimulationOutput,
    (prefix, kind): (&str, Kind),
) -> Vec<Named> {
    let mut all = Vec::new();
    for (i, block) in micro.stored(network, kind).iter().enumerate() {
        let shape = [block.to.len, block.from.len];
        let of = |p: &MicrocircuitParameters| p.of(kind)[i].clone();
        let snaps = output.snapshots.iter().flat_map(|s| of(&s.parameters.microcircuit)).collect();
        let (name, count) = (&block.name, output.snapshots.len());
        all.push((format!("{prefix}_snap:{name}"), vec![count, shape[0], shape[1]], snaps));
        all.push((format!("{prefix}_end:{name}"), shape.to_vec(), of(&output.end.microcircuit)));
    }
    all
}
