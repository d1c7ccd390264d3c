//! Files of a simulation.

use std::path::{Path, PathBuf};

use super::{SimulationError, SimulationInput, SimulationOutput, microcircuit_files};
use crate::data::npz::{self, Array, Entry, NpzFile};
use crate::network::{InputMode, Network, Parameters};

/// Reads a simulation from one or more `.npz` files (parameters in one and the stimulus in another, say; the first file that
/// holds an array counts). Time in ms; T steps, B trajectories, N neurons, populations side by side in their order.
///
/// | array | shape | if missing |
/// | --- | --- | --- |
/// | `x` | T, B, n_in | an error |
/// | `y` | T, B, n_out | 0 where nothing is nudged (`beta` absent and the argument 0), else an error |
/// | `beta` | T, n_out | the argument `beta` (one value an output neuron) at every step |
/// | `learn` | T or T, k: W and b; W^IP; W^PI; B | 1 at every step; missing columns as the first |
/// | `W0`, or `W:pre->post` for every projection | N, N, or post, pre | an error |
/// | `b0` | N | 0 |
/// | `x_prev`, `y_prev` | B, n_in; B, n_out | `x[0]`, `y[0]` |
/// | `u0` | B, N | the steady state at β = 0 for `x_prev` (of recurrent networks where δ = 0, if sweeps converge to it) |
/// | `u_I0`, `u_I_dot0` | B, M | the targets of the interneurons, 0 (dynamic interneurons) |
/// | `B0`, `WPI0`, `WIP0`, `BIP0`, or `B:from->to` … for every pathway | to, from | an error, for those with weights of their own |
/// | `bI0` | M | 0 |
/// | `u_dot0`, `u_dot_2` … `u_dot_4` | B, N | 0 (restart of a run: u̇ of the last steps) |
///
/// # Errors
/// If a file or an array cannot be read, an array is missing or has another shape, or `W0` holds a weight where the
/// network has no projection, or a neuron projects onto itself where that was not asked for.
pub fn load_npz(
    network: &Network,
    paths: &[PathBuf],
    beta: &[f64],
) -> Result<SimulationInput, SimulationError> {
    let files = paths.iter().map(|p| NpzFile::open(p)).collect::<Result<Vec<_>, _>>()?;
    let mut source = Source { files };
    let (n, n_in, n_out) = (network.neurons(), network.n_in(), network.n_out());
    let x = source.need("x", &[None, None, Some(n_in)], "the input of every step")?;
    let (steps, batch) = (x.shape[0], x.shape[1]);
    let per = |width: usize| [Some(batch), Some(width)];
    let given = source.find("beta", &[Some(steps), Some(n_out)])?;
    let y = source.find("y", &[Some(steps), Some(batch), Some(n_out)])?;
    let y = match y {
        Some(y) => y.data,
        None if given.is_none() && beta.iter().all(|&b| b == 0.0) => vec![0.0; steps * batch * n_out],
        None => return Err(source.missing("y", "the target of every step, as beta is not 0")),
    };
    let first = |data: &[f64], width: usize| data[..(batch * width).min(data.len())].to_vec();
    let x_prev = source.find("x_prev", &per(n_in))?.map_or_else(|| first(&x.data, n_in), |a| a.data);
    let y_prev = source.find("y_prev", &per(n_out))?.map_or_else(|| first(&y, n_out), |a| a.data);
    let parameters = parameters(network, &mut source)?;
    let u0 = match source.find("u0", &per(n))? {
        Some(u0) => u0.data,
        None => steady_state(network, &parameters, &x_prev, batch).ok_or_else(|| {
            source
                .missing("u0", "where to start from, as no steady state was found for this recurrent network")
        })?,
    };
    let rows = source.learn(steps)?;
    let learn = rows.iter().map(|row| row[0]).collect();
    let microcircuit = microcircuit_files::input(network, &mut source, batch, &rows)?;
    let u_dot0 = source.find("u_dot0", &per(n))?.map(|a| a.data);
    let mut history = Vec::new();
    for k in 2..=4 {
        match source.find(&format!("u_dot_{k}"), &per(n))? {
            Some(past) => history.push(past.data),
            None => break,
        }
    }
    let input = SimulationInput {
        steps,
        batch,
        x: x.data,
        y,
        beta: given.map_or_else(|| beta.repeat(steps), |a| a.data),
        learn,
        parameters,
        u0,
        x_prev,
        y_prev,
        u_dot0,
        history,
        active: None,
        microcircuit,
    };
    input.check(network)?;
    Ok(input)
}

/// The open files.
pub(super) struct Source {
    files: Vec<NpzFile>,
}

impl Source {
    pub(super) fn find(
        &mut self,
        name: &str,
        shape: &[Option<usize>],
    ) -> Result<Option<Array>, SimulationError> {
        match self.files.iter_mut().find(|f| f.contains(name)) {
            Some(file) => Ok(Some(file.read_shaped(name, shape)?)),
            None => Ok(None),
        }
    }

    pub(super) fn need(
        &mut self,
        name: &str,
        shape: &[Option<usize>],
        need: &str,
    ) -> Result<Array, SimulationError> {
        self.find(name, shape)?.ok_or_else(|| self.missing(name, need))
    }

    fn missing(&self, name: &str, need: &str) -> SimulationError {
        let files: Vec<String> = self.files.iter().map(|f| f.path().display().to_string()).collect();
        SimulationError::Missing { name: name.into(), files: files.join(", "), need: need.into() }
    }

    /// `learn`, `[T]` or `[T, k]`, a row a step.
    fn learn(&mut self, steps: usize) -> Result<Vec<Vec<bool>>, SimulationError> {
        let Some(file) = self.files.iter_mut().find(|f| f.contains("learn")) else {
            return Ok(vec![vec![true]; steps]);
        };
        let any = file.read("learn")?;
        let width = match any.shape.as_slice() {
            [t] if *t == steps => 1,
            [t, k] if *t == steps && *k > 0 => *k,
            // For its message.
            _ => return Ok(file.read_shaped("learn", &[Some(steps)]).map(|_| Vec::new())?),
        };
        Ok(any.data.chunks_exact(width).map(|row| row.iter().map(|&v| v != 0.0).collect()).collect())
    }
}

fn parameters(network: &Network, source: &mut Source) -> Result<Parameters, SimulationError> {
    let n = network.neurons();
    let biases = source.find("b0", &[Some(n)])?.map_or_else(|| vec![0.0; n], |a| a.data);
    let microcircuit = microcircuit_files::parameters(network, source)?;
    if let Some(dense) = source.find("W0", &[Some(n), Some(n)])? {
        let weights = blocks(network, &dense.data)?;
        return onto_itself(network, Parameters { weights, biases, microcircuit });
    }
    let mut weights = Vec::new();
    for (k, p) in network.projections.iter().enumerate() {
        let size = |p: usize| Some(network.populations[p].size);
        let name = format!("W:{}", network.projection_name(k));
        let need = "the weights of this projection (or 'W0', all weights as one matrix)";
        weights.push(source.need(&name, &[size(p.post), size(p.pre)], need)?.data);
    }
    onto_itself(network, Parameters { weights, biases, microcircuit })
}

/// Refuses weights of neurons onto themselves where the network has no self-connections.
fn onto_itself(network: &Network, parameters: Parameters) -> Result<Parameters, SimulationError> {
    for (p, w) in network.projections.iter().zip(&parameters.weights).filter(|(p, _)| p.is_hollow()) {
        let population = &network.populations[p.pre];
        if let Some(neuron) = w.iter().step_by(population.size + 1).position(|&w| w != 0.0) {
            return Err(SimulationError::OntoItself { population: population.name.clone(), neuron });
        }
    }
    Ok(parameters)
}

/// The blocks of a dense matrix `[post, pre]`.
fn blocks(network: &Network, dense: &[f64]) -> Result<Vec<Vec<f64>>, SimulationError> {
    let n = network.neurons();
    let home = |neuron: usize| {
        (0..network.populations.len()).find(|&p| network.cols(p).range().contains(&neuron)).unwrap_or(0)
    };
    let stray = |at: usize| {
        let (post, pre) = (at / n, at % n);
        let known = |p: &crate::network::Projection| (p.pre, p.post) == (home(pre), home(post));
        !network.projections.iter().any(known)
    };
    if let Some(at) = dense.iter().enumerate().find_map(|(at, &w)| (w != 0.0 && stray(at)).then_some(at)) {
        let (post, pre) = (at / n, at % n);
        let name = |neuron: usize| network.populations[home(neuron)].name.clone();
        return Err(SimulationError::StrayWeight {
            pre,
            post,
            pre_population: name(pre),
            post_population: name(post),
        });
    }
    let block = |p: &crate::network::Projection| {
        let (pre, post) = (network.cols(p.pre), network.cols(p.post));
        post.range().flat_map(|i| dense[i * n + pre.start..i * n + pre.end()].iter().copied()).collect()
    };
    Ok(network.projections.iter().map(block).collect())
}

/// Sweeps after which no steady state of a recurrent network is expected any more.
const MOST_SWEEPS: usize = 20_000;

/// u = a, where δ = 0: the steady state at β = 0. `[B, N]`. In one sweep where the graph has such an order, else by damped sweeps; `None`
/// where these do not converge.
fn steady_state(network: &Network, parameters: &Parameters, x: &[f64], batch: usize) -> Option<Vec<f64>> {
    let (n, n_in) = (network.neurons(), network.n_in());
    let mut all = Vec::with_capacity(batch * n);
    for b in 0..batch {
        let x = x.get(b * n_in..(b + 1) * n_in).unwrap_or_default();
        let mut u = vec![0.0; n];
        let order = network.settling_order();
        let (sweeps, keep) = if order.is_some() { (1, 0.0) } else { (MOST_SWEEPS, 0.5) };
        let order = order.unwrap_or_else(|| (0..network.populations.len()).collect());
        let mut settled = false;
        for _ in 0..sweeps {
            let mut most = 0.0_f64;
            for &p in &order {
                let a = basal(network, parameters, x, &u, p);
                for (u, a) in u[network.cols(p).range()].iter_mut().zip(a) {
                    let moved = (a - *u).abs() / (1.0 + a.abs());
                    // A NaN counts as a move.
                    if moved.is_nan() || moved > most {
                        most = moved;
                    }
                    *u = keep * *u + (1.0 - keep) * a;
                }
            }
            settled = keep == 0.0 || most < 1e-13;
            if settled || !most.is_finite() {
                break;
            }
        }
        if !settled {
            return None;
        }
        all.extend(u);
    }
    Some(all)
}

/// `W r̄ + b + x` of population `p`; of a clamped input the voltages x.
fn basal(network: &Network, parameters: &Parameters, x: &[f64], u: &[f64], p: usize) -> Vec<f64> {
    if p == 0 && network.input.is_clamped() {
        return x.to_vec();
    }
    let mut a = parameters.biases[network.cols(p).range()].to_vec();
    if p == 0 {
        a.iter_mut().zip(x).for_each(|(a, x)| *a += x);
    }
    for k in network.forward_order().into_iter().filter(|&k| network.projections[k].post == p) {
        let pre = network.projections[k].pre;
        let identity = pre == 0 && network.input == InputMode::Rates;
        let rate = |u: &f64| if identity { *u } else { network.activation.eval(*u).0 };
        let r: Vec<f64> = u[network.cols(pre).range()].iter().map(rate).collect();
        for (a, row) in a.iter_mut().zip(parameters.weights[k].chunks_exact(r.len().max(1))) {
            *a += row.iter().zip(&r).map(|(w, r)| w * r).sum::<f64>();
        }
    }
    a
}

/// Writes what was recorded, as float64: `u`, `u_dot` (`[T, B, N]`, if recorded), `f_norm`, `f_entry_norm` (`[T, B]`), the solver's
/// `iterations`, `residual`, `indefinite`, `unconverged` (`[T]`), `snap_steps`, and for the snapshots and the end `W_snap:pre->post`
/// (`[S, post, pre]`), `b_snap`, `W_end:pre->post`, `b_end`. T is the number of completed steps.
///
/// # Errors
/// If the file cannot be written.
pub fn save_npz(path: &Path, network: &Network, output: &SimulationOutput) -> Result<(), SimulationError> {
    let (t, b, n) = (output.steps_completed, output.batch, output.neurons);
    let column =
        |f: fn(&super::SolverStep) -> f64| -> Vec<f64> { output.solver_steps.iter().map(f).collect() };
    let solver = [
        ("iterations", column(|s| s.iterations as f64)),
        ("residual", column(|s| s.residual)),
        ("indefinite", column(|s| s.indefinite as f64)),
        ("unconverged", column(|s| s.unconverged as f64)),
    ];
    let count = output.snapshots.len();
    let steps: Vec<f64> = output.snapshots.iter().map(|s| s.step as f64).collect();
    let joined = |of: &dyn Fn(&Parameters) -> Vec<f64>| -> Vec<f64> {
        output.snapshots.iter().flat_map(|s| of(&s.parameters)).collect()
    };
    let b_snap = joined(&|p| p.biases.clone());
    let blocks = 0..network.projections.len();
    let w_snap: Vec<Vec<f64>> = blocks.clone().map(|k| joined(&|p| p.weights[k].clone())).collect();
    let mut entries = Vec::new();
    let mut add = |name: String, shape: Vec<usize>, data| {
        entries.push(Entry { name, shape, data, single: false });
    };
    if output.u.len() == t * b * n {
        add("u".into(), vec![t, b, n], &output.u);
        add("u_dot".into(), vec![t, b, n], &output.u_dot);
    }
    add("f_norm".into(), vec![t, b], &output.f_norm);
    add("f_entry_norm".into(), vec![t, b], &output.f_entry_norm);
    for (name, data) in &solver {
        add((*name).into(), vec![t], data);
    }
    add("snap_steps".into(), vec![count], &steps);
    add("b_snap".into(), vec![count, n], &b_snap);
    add("b_end".into(), vec![n], &output.end.biases);
    for k in blocks {
        let p = &network.projections[k];
        let (post, pre) = (network.populations[p.post].size, network.populations[p.pre].size);
        let name = network.projection_name(k);
        add(format!("W_snap:{name}"), vec![count, post, pre], &w_snap[k]);
        add(format!("W_end:{name}"), vec![post, pre], &output.end.weights[k]);
    }
    let micro = microcircuit_files::arrays(network, output);
    for (name, shape, data) in &micro {
        entries.push(Entry { name: name.clone(), shape: shape.clone(), data, single: false });
    }
    npz::write(path, &entries)?;
    Ok(())
}
